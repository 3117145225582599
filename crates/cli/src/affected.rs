//! `lazaret affected CVE-…`: which running containers and which known images a vulnerability
//! concerns.
//!
//! Every image that an engine of this machine holds, every image that a container was made from, and
//! every image that was sealed here is matched anew, so that the answer is by the advisories of today.
//! Ignore rules have no say: they are about what to do, not about what is so. What could not be read
//! is listed, and then the answer is never that nothing is affected.

use crate::World;
use crate::args::{AffectedArgs, ReadArgs, StatusFormat};
use crate::exit::{Exit, Failure};
use crate::running::{Reference, Seals, unanswered, usage, watched};
use crate::sbom::read_options;
use crate::{database, output};
use advisories::Databases;
use engine::{Containerd, Docker, EngineError};
use jiff::Timestamp;
use report::Format;
use scan::{ReadOptions, RecordLevel, Usages};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use vocabulary::running::AFFECTED_SCHEMA;
use vocabulary::{
    AffectedContainer, AffectedImage, AffectedPackage, AffectedReport, Container, Coverage, Digest,
    Distribution, Evidence, Finding, Layer, NotChecked, Outcome, Package, Status, Use, Used,
};

/// Characters of an id: the longest in public databases have some forty.
const ID_CHARACTERS: usize = 128;

pub(crate) fn run(world: &World, args: &AffectedArgs) -> Result<Exit, Failure> {
    let id = id(&args.id)?;
    let state = world.state()?;
    let mut gaps = Vec::new();
    let mut problems = Vec::new();
    let seals = Seals::open(&state, &mut gaps);
    let (containers, mut images) = known(&world.engines(), &mut gaps);
    let options = read_options(world, &read_args(args))?;
    let options = ReadOptions { files: RecordLevel::None, ..options };
    let runs: BTreeSet<Reference> = containers.iter().map(Reference::of).collect();
    for (reference, image) in &mut images {
        image.read(world, reference, &options, runs.contains(reference), &mut gaps);
    }
    let mut images = merged(images);
    add_sealed(&mut images, &seals, &mut gaps);
    let now = World::now();
    let needed = database::Needed::of(images.iter().flat_map(|image| &image.packages));
    let (databases, _) = database::for_scan(world, &args.database, &needed, now)?;
    let all = advisories::status(&world.db()?, now).into_iter();
    let all = all.map(|info| vocabulary::Ecosystem::new(&info.ecosystem));
    // An id of an ecosystem that nothing here has is known all the same.
    let all = Databases::open(&world.db()?, all, now);
    let asked = Asked { id, databases: &databases, all: &all, state: &state, now };
    let report = asked.answer(&containers, &images, gaps, &mut problems);
    // The table is what is there for people unless they want quiet.
    let format = (args.format == StatusFormat::Json).then_some(Format::JSON);
    let to = crate::args::OutputArgs { format, ..Default::default() };
    output::deliver(&world.printing, &to, Format::TABLE, |format, style, out| {
        report::render_affected(&report, format, style, out)
    })?;
    Ok(match report.outcome {
        Outcome::Pass => Exit::Clean,
        Outcome::Findings => Exit::Findings,
        // No line has a say in what is affected.
        Outcome::NoLine | Outcome::Incomplete => Exit::Incomplete,
    })
}

fn id(text: &str) -> Result<&str, Failure> {
    let id = text.trim();
    let plain = |c: char| c.is_ascii_graphic();
    if id.is_empty() || id.len() > ID_CHARACTERS || !id.chars().all(plain) {
        return Err(Failure::usage(format!(
            "`{}` is not the id of a vulnerability; use one such as CVE-2099-0001, GHSA-… or DSA-…",
            text.chars().take(ID_CHARACTERS).collect::<String>().escape_debug()
        )));
    }
    Ok(id)
}

fn read_args(args: &AffectedArgs) -> ReadArgs {
    ReadArgs {
        timeout: None,
        platform: None,
        cache_dir: args.cache_dir.clone(),
        no_cache: args.no_cache,
        reverify: false,
        distro: None,
    }
}

/// An image, with as much of its inventory as the answer needs.
#[derive(Default)]
struct Known {
    names: BTreeSet<String>,
    known_by: BTreeSet<String>,
    image_id: Option<Digest>,
    read: bool,
    distribution: Option<Distribution>,
    layers: Vec<Layer>,
    packages: Vec<Package>,
    symlinks: HashMap<String, String>,
    coverage: Vec<Coverage>,
}

impl Known {
    fn shown(&self) -> String {
        let id = || self.image_id.as_ref().map(Digest::short);
        self.names.first().cloned().or_else(id).unwrap_or_else(|| "without a name".to_owned())
    }

    /// Whether a container was made from it. Names do not tell: they move.
    fn is_of(&self, container: &Container) -> bool {
        container.image_id.is_some() && container.image_id == self.image_id
    }

    /// Reads it. The files of its packages are kept only where a container runs: there can be
    /// hundreds of images.
    fn read(
        &mut self,
        world: &World,
        reference: &Reference,
        options: &ReadOptions,
        runs: bool,
        gaps: &mut Vec<NotChecked>,
    ) {
        match reference.read(world, options) {
            Ok(inventory) => {
                self.read = true;
                self.image_id = inventory.subject.config_digest.or(self.image_id.take());
                self.distribution = inventory.distribution;
                self.layers = inventory.layers;
                self.packages = inventory.packages;
                self.coverage = inventory.coverage;
                if runs {
                    self.symlinks = inventory.symlinks;
                } else {
                    self.packages.iter_mut().for_each(|package| package.files = Vec::new());
                }
            }
            Err(error) => gaps.push(NotChecked {
                what: format!("image {}", self.shown()),
                reason: error.to_string(),
            }),
        }
    }
}

/// The running containers, and the images that engines hold or containers were made from.
fn known(
    engines: &engine::Endpoints,
    gaps: &mut Vec<NotChecked>,
) -> (Vec<Container>, BTreeMap<Reference, Known>) {
    let mut images: BTreeMap<Reference, Known> = BTreeMap::new();
    let mut listen = false;
    let mut add = |reference: Reference, engine: &str, names: Vec<String>, id: Option<Digest>| {
        let image = images.entry(reference).or_default();
        image.names.extend(names);
        image.known_by.insert(engine.to_owned());
        image.image_id = image.image_id.take().or(id);
    };
    match Docker::connect(engines).and_then(|docker| docker.images()) {
        Ok(list) => {
            listen = true;
            for image in list {
                add(Reference::by_id(&image.id), "docker", image.tags, Some(image.id));
            }
        }
        Err(EngineError::NotThere { .. }) => {}
        Err(error) => {
            listen = true;
            gaps.push(unanswered(&error));
        }
    }
    match Containerd::connect(engines).and_then(|containerd| containerd.images()) {
        Ok(list) => {
            listen = true;
            for image in list {
                let reference = Reference(format!("containerd:{}", image.name));
                add(reference, "containerd", vec![image.name], None);
            }
        }
        Err(EngineError::NotThere { .. }) => {}
        Err(error) => {
            listen = true;
            gaps.push(unanswered(&error));
        }
    }
    let (mut containers, errors) = engine::containers(engines);
    gaps.extend(errors.iter().map(unanswered));
    if !listen && errors.is_empty() {
        let reason = engine::none_listens(engines);
        gaps.push(NotChecked { what: "engines".to_owned(), reason });
    }
    for container in &containers {
        let names = match container.image.starts_with("sha256:") {
            true => Vec::new(),
            false => vec![container.image.clone()],
        };
        let reference = Reference::of(container);
        // A tag may have moved since; the names that an image has now are the engine's to say.
        let engine = container.engine.name();
        if !images.contains_key(&reference) {
            let image = images.entry(reference).or_default();
            image.names.extend(names);
            image.known_by.insert(engine.to_owned());
            image.image_id.clone_from(&container.image_id);
        }
    }
    containers.sort_by(|left, right| (&left.name, &left.id).cmp(&(&right.name, &right.id)));
    gaps.sort();
    gaps.dedup();
    (containers, images)
}

/// One image where several engines hold it, or several names lead to it.
fn merged(images: BTreeMap<Reference, Known>) -> Vec<Known> {
    let mut all: Vec<Known> = Vec::new();
    for image in images.into_values().filter(|image| image.read) {
        let same =
            |known: &&mut Known| known.image_id.is_some() && known.image_id == image.image_id;
        match all.iter_mut().find(same) {
            Some(known) => {
                known.names.extend(image.names);
                known.known_by.extend(image.known_by);
                if known.symlinks.is_empty() && !image.symlinks.is_empty() {
                    known.symlinks = image.symlinks;
                    known.packages = image.packages;
                }
            }
            None => all.push(image),
        }
    }
    all
}

/// Images that are sealed here: known to the seals as well, or to them alone.
fn add_sealed(images: &mut Vec<Known>, seals: &Seals, gaps: &mut Vec<NotChecked>) {
    for (id, seal) in seals.images() {
        let predicate = &seal.statement.predicate;
        if let Some(known) = images.iter_mut().find(|known| known.image_id.as_ref() == Some(&id)) {
            known.known_by.insert("seals".to_owned());
            continue;
        }
        match seals.packages(seal) {
            Ok(mut packages) => images.push(Known {
                names: BTreeSet::from([predicate.name().to_string()]),
                known_by: BTreeSet::from(["seals".to_owned()]),
                image_id: Some(id),
                read: true,
                distribution: packages.iter().find_map(distribution_of),
                packages: {
                    packages.iter_mut().for_each(|package| package.files = Vec::new());
                    packages
                },
                ..Known::default()
            }),
            Err(reason) => gaps.push(NotChecked {
                what: format!(
                    "seal {} of {} (image {})",
                    predicate.counter,
                    predicate.repository,
                    id.short()
                ),
                reason,
            }),
        }
    }
}

/// The distribution that a package's URL names: a seal keeps packages, and no os-release.
fn distribution_of(package: &Package) -> Option<Distribution> {
    if !package.ecosystem.is_distribution() {
        return None;
    }
    advisories::purls::package(&package.purl, None).ok()?.1
}

/// What is asked, and by which advisories.
struct Asked<'asked> {
    id: &'asked str,
    databases: &'asked Databases,
    /// Every database that is there, to know an id by.
    all: &'asked Databases,
    state: &'asked Path,
    now: Timestamp,
}

impl Asked<'_> {
    fn answer(
        &self,
        containers: &[Container],
        images: &[Known],
        mut gaps: Vec<NotChecked>,
        problems: &mut Vec<NotChecked>,
    ) -> AffectedReport {
        let mut report = AffectedReport {
            schema: AFFECTED_SCHEMA.to_owned(),
            tool: World::tool(),
            id: self.id.to_owned(),
            aliases: Vec::new(),
            advisories: Vec::new(),
            running: Vec::new(),
            images: Vec::new(),
            not_checked: Vec::new(),
            problems: Vec::new(),
            containers_checked: 0,
            images_checked: images.len() as u64,
            databases: self.databases.infos().to_vec(),
            outcome: Outcome::Pass,
        };
        let mut found_ids = BTreeSet::new();
        let mut looked_at: BTreeSet<&str> = BTreeSet::new();
        for image in images {
            let findings = self.findings(image, &mut gaps);
            for finding in &findings {
                found_ids.extend(finding.id.iter().chain(&finding.aliases).cloned());
            }
            let own: Vec<&Container> =
                containers.iter().filter(|container| image.is_of(container)).collect();
            let running = own.len() as u64;
            for container in own {
                looked_at.insert(&container.id);
                if !findings.is_empty() {
                    report.running.push(self.container(container, image, &findings, problems));
                }
            }
            if !findings.is_empty() {
                report.images.push(AffectedImage {
                    names: image.names.iter().cloned().collect(),
                    image_id: image.image_id.clone(),
                    known_by: image.known_by.iter().cloned().collect(),
                    running,
                    packages: findings
                        .iter()
                        .map(|finding| package(finding, image, Use::unknown()))
                        .collect(),
                });
            }
        }
        report.containers_checked = looked_at.len() as u64;
        gaps.extend(unseen(containers, &looked_at, &gaps));
        self.name(&mut report, found_ids, &mut gaps);
        report.running.sort_by_key(|affected| {
            !affected.packages.iter().any(|own| own.usage.used == Used::Loaded)
        });
        report.images.sort_by(|left, right| left.names.cmp(&right.names));
        finish(&mut report, gaps, problems);
        report
    }

    /// The findings of an image that carry the id, and what of it was not checked.
    fn findings(&self, image: &Known, gaps: &mut Vec<NotChecked>) -> Vec<Finding> {
        let matched = self.databases.matches(&image.packages, image.distribution.as_ref());
        let sources =
            scan::unknown_sources(&image.packages, image.distribution.as_ref(), self.databases);
        for coverage in image.coverage.iter().chain(&matched.coverage).chain(&sources) {
            if coverage.status == Status::Ran {
                continue;
            }
            let first = coverage.problems.first();
            let reason = coverage
                .reason
                .clone()
                .or_else(|| first.map(|problem| format!("`{}`: {}", problem.path, problem.reason)));
            gaps.push(NotChecked {
                what: format!("image {}", image.shown()),
                reason: format!(
                    "{}: {}",
                    coverage.check,
                    reason.as_deref().unwrap_or("not all of it could be read")
                ),
            });
        }
        matched.findings.into_iter().filter(|finding| finding.is_known_as(self.id)).collect()
    }

    fn container(
        &self,
        container: &Container,
        image: &Known,
        findings: &[Finding],
        problems: &mut Vec<NotChecked>,
    ) -> AffectedContainer {
        let usage = usage(self.state, container, self.now, problems);
        let usages = Usages::new(&image.packages, &image.symlinks, usage.as_ref());
        let mut packages: Vec<AffectedPackage> = findings
            .iter()
            .map(|finding| {
                let used = finding.package.as_ref().map(|purl| usages.of(purl, &finding.location));
                package(finding, image, used.unwrap_or_else(Use::unknown))
            })
            .collect();
        packages.sort_by_key(|own| own.usage.used != Used::Loaded);
        AffectedContainer {
            container: container.clone(),
            watched: usage.as_ref().map(watched),
            packages,
        }
    }

    /// Other ids of the same, and the advisories that name it.
    fn name(
        &self,
        report: &mut AffectedReport,
        mut ids: BTreeSet<String>,
        gaps: &mut Vec<NotChecked>,
    ) {
        let packages = report
            .running
            .iter()
            .flat_map(|affected| &affected.packages)
            .chain(report.images.iter().flat_map(|affected| &affected.packages));
        let mut advisories: BTreeSet<String> =
            packages.flat_map(|own| own.advisories.iter().cloned()).collect();
        match self.all.advisories_naming(self.id) {
            Ok(named) => advisories.extend(named),
            Err(error) => gaps.push(NotChecked {
                what: "database".to_owned(),
                reason: format!("{error}; run `lazaret db update`"),
            }),
        }
        ids.retain(|id| !id.eq_ignore_ascii_case(self.id) && !advisories.contains(id));
        report.aliases = ids.into_iter().collect();
        report.advisories = advisories.into_iter().collect();
    }
}

/// Containers of images that were not read, unless a gap says so already.
fn unseen(
    containers: &[Container],
    looked_at: &BTreeSet<&str>,
    gaps: &[NotChecked],
) -> Vec<NotChecked> {
    let unseen = containers.iter().filter(|container| !looked_at.contains(container.id.as_str()));
    let listed = |what: &str| gaps.iter().any(|gap| gap.what == what);
    unseen
        .map(|container| NotChecked {
            what: format!("container {}", container.shown()),
            reason: format!(
                "its image `{}` could not be read, or the name leads to another one by now",
                container.image
            ),
        })
        .filter(|gap| !listed(&gap.what))
        .collect()
}

/// Sorts the lists and decides.
fn finish(report: &mut AffectedReport, mut gaps: Vec<NotChecked>, problems: &mut Vec<NotChecked>) {
    gaps.sort();
    gaps.dedup();
    problems.sort();
    problems.dedup();
    report.not_checked = gaps;
    report.problems = std::mem::take(problems);
    let affected = !report.running.is_empty() || !report.images.is_empty();
    let nothing = report.images_checked == 0 && report.containers_checked == 0;
    report.outcome = if affected {
        Outcome::Findings
    } else if report.not_checked.is_empty() && !report.advisories.is_empty() && !nothing {
        Outcome::Pass
    } else {
        Outcome::Incomplete
    };
}

fn records(finding: &Finding) -> impl Iterator<Item = &String> {
    finding.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Advisory(advisory) => Some(&advisory.record),
        _ => None,
    })
}

fn package(finding: &Finding, image: &Known, usage: Use) -> AffectedPackage {
    let layer = finding.layer;
    let command = image.layers.iter().find(|own| Some(own.index) == layer);
    let advisories: BTreeSet<String> = records(finding).cloned().collect();
    let purl = finding.package.clone().unwrap_or_else(|| vocabulary::Purl::new("generic", ""));
    AffectedPackage {
        id: finding.id.clone().unwrap_or_else(|| finding.rule.clone()),
        aliases: finding.aliases.clone(),
        advisories: advisories.into_iter().collect(),
        severity: finding.severity,
        title: finding.title.clone(),
        version: purl.version().unwrap_or_default().to_owned(),
        package: purl,
        location: finding.location.clone(),
        layer,
        command: command.and_then(|layer| layer.command.clone()),
        origin: finding.origin,
        fix: finding.fix.clone(),
        usage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{AffectedRange, Location, Severity, VulnerabilityEvidence};

    fn finding() -> Finding {
        let location = Location::file("var/lib/dpkg/status", Some(0));
        let evidence = VulnerabilityEvidence {
            record: "DSA-1-1".to_owned(),
            ecosystem: "Debian:12".to_owned(),
            matched_name: "opensel".to_owned(),
            matched_version: "1".to_owned(),
            range: AffectedRange {
                introduced: None,
                fixed: None,
                last_affected: None,
                listed: true,
            },
            cvss: None,
            score: None,
            severity_from: None,
            rated_as_bundle: false,
            url: None,
            code: None,
        };
        Finding {
            rule: "known-vulnerability".to_owned(),
            class: vocabulary::Class::Vulnerability,
            confidence: vocabulary::Confidence::High,
            id: Some("CVE-2099-0001".to_owned()),
            aliases: vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
            severity: Severity::High,
            title: String::new(),
            more_places: 0,
            fingerprint: vocabulary::Fingerprint::new("x", None, None, &location),
            location,
            package: None,
            ecosystem: None,
            layer: Some(0),
            origin: vocabulary::OriginKind::Base,
            fix: None,
            risk: None,
            evidence: vec![Evidence::Advisory(Box::new(evidence))],
        }
    }

    #[test]
    fn a_finding_is_known_by_its_id_its_aliases_and_its_advisories_in_any_case() {
        for id in ["CVE-2099-0001", "cve-2099-0001", "GHSA-AAAA-bbbb-cccc", "dsa-1-1"] {
            assert!(finding().is_known_as(id), "{id}");
        }
        for id in ["CVE-2099-00011", "CVE-2099-000", "DSA-1", ""] {
            assert!(!finding().is_known_as(id), "{id}");
        }
    }

    #[test]
    fn an_id_is_one_word_of_a_bounded_length() {
        assert_eq!(id(" CVE-2099-0001 ").ok(), Some("CVE-2099-0001"));
        for wrong in ["", " ", "CVE 1", "a\u{1b}[2J", &"x".repeat(200)] {
            let failure = id(wrong).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(!failure.error.to_string().contains('\u{1b}'));
        }
    }

    #[test]
    fn one_image_under_two_names_is_one() {
        let image = |name: &str, id: &[u8]| {
            let reference = Reference(name.to_owned());
            let known = Known {
                names: BTreeSet::from([name.to_owned()]),
                image_id: Some(Digest::of(id)),
                read: true,
                ..Known::default()
            };
            (reference, known)
        };
        let images = BTreeMap::from([image("a", b"1"), image("b", b"1"), image("c", b"2")]);
        let merged = merged(images);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].names.len(), 2);
    }
}
