//! What runs: the images of running containers, read once each, and what each container has used of
//! what is vulnerable in its own.

use crate::reference::{Reference, moved, unanswered};
use crate::refusal::FleetError;
use crate::seals::Seals;
use crate::usage::{usage, watched};
use jiff::Timestamp;
use scan::{Assessment, Inventory, Progress, ReadOptions, RecordLevel, Usages};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use vocabulary::running::RUNNING_SCHEMA;
use vocabulary::{
    Container, Coverage, Finding, NotChecked, Outcome, Package, Report, RunningContainer,
    RunningFinding, RunningReport, Summary, Usage, Use, Used,
};

/// The running containers of a machine and their images, before they are matched.
#[derive(Debug)]
pub struct Running {
    containers: Vec<Container>,
    images: BTreeMap<Reference, Result<Inventory, String>>,
    /// Engines that did not answer.
    unanswered: Vec<NotChecked>,
}

impl Running {
    /// Asks the engines of `options` what runs, and reads each image once.
    ///
    /// # Errors
    /// Where no engine listens. An image that cannot be read is said of each of its containers.
    pub fn read(options: &ReadOptions, progress: &Progress) -> Result<Self, FleetError> {
        let engines = &options.engines;
        let (mut containers, errors) = engine::containers(engines);
        if containers.is_empty() && errors.is_empty() && !engine::any_listens(engines) {
            return Err(FleetError::NobodyListens(engine::none_listens(engines)));
        }
        containers.sort_by(|left, right| (&left.name, &left.id).cmp(&(&right.name, &right.id)));
        let options = ReadOptions { files: RecordLevel::None, ..options.clone() };
        let references: BTreeSet<Reference> = containers.iter().map(Reference::of).collect();
        let read = |reference: &Reference| {
            scan::read(&reference.0, &options, progress).map_err(|error| error.to_string())
        };
        let images = references.into_iter().map(|reference| {
            let read = read(&reference);
            (reference, read)
        });
        Ok(Self {
            images: images.collect(),
            unanswered: errors.iter().map(unanswered).collect(),
            containers,
        })
    }

    /// The packages of all images: what advisories are needed for.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        let read = self.images.values().filter_map(|read| read.as_ref().ok());
        read.flat_map(|inventory| &inventory.software.packages)
    }

    /// Matches each image and decides on it, and says of each container what it used of it. `state` is
    /// the folder for seals and for what the agent saw.
    #[must_use]
    pub fn report(self, by: &Assessment<'_>, state: &Path, now: Timestamp) -> RunningReport {
        let images: BTreeMap<Reference, Result<Assessed, String>> = self
            .images
            .into_iter()
            .map(|(key, read)| (key, read.map(|inventory| Assessed::new(inventory, by))))
            .collect();
        let mut problems = Vec::new();
        let seals = Seals::open(state, &mut problems);
        let mut containers: Vec<RunningContainer> = Vec::new();
        for container in self.containers {
            let usage = usage(state, &container, now, &mut problems);
            let read = images.get(&Reference::of(&container));
            let other = match read {
                Some(Ok(image)) => moved(&container, image.report.subject.config_digest.as_ref()),
                _ => None,
            };
            containers.push(match read {
                // Findings of another image say nothing about this container.
                Some(Ok(_)) if other.is_some() => {
                    unread(container, usage.as_ref(), &other.unwrap_or_default(), by)
                }
                Some(Ok(image)) => image.running(container, usage.as_ref(), &seals, &mut problems),
                Some(Err(reason)) => unread(container, usage.as_ref(), reason, by),
                None => unread(container, usage.as_ref(), "its image was not read", by),
            });
        }
        problems.sort();
        problems.dedup();
        containers.sort_by_key(rank);
        let found = containers.iter().flat_map(|running| &running.findings);
        let rules = scan::rules().used(found.map(|one| one.finding.rule.as_str()));
        RunningReport {
            schema: RUNNING_SCHEMA.to_owned(),
            rules,
            tool: by.tool.clone(),
            outcome: outcome(&containers, &self.unanswered),
            containers,
            not_checked: self.unanswered,
            problems,
            databases: by
                .matching
                .as_ref()
                .map(|matching| matching.databases.infos().to_vec())
                .unwrap_or_default(),
        }
    }
}

/// An image that was matched and decided on.
struct Assessed {
    report: Report,
    symlinks: HashMap<String, String>,
}

impl Assessed {
    fn new(inventory: Inventory, assessment: &Assessment<'_>) -> Self {
        let symlinks = inventory.files.symlinks.clone();
        Self { report: scan::assess(inventory, assessment), symlinks }
    }

    /// The image's findings as they stand for one container.
    fn running(
        &self,
        container: Container,
        usage: Option<&Usage>,
        seals: &Seals,
        problems: &mut Vec<NotChecked>,
    ) -> RunningContainer {
        let Report { subject, layers, packages, findings, coverage, summary, decision, .. } =
            &self.report;
        let usages = Usages::new(packages, &self.symlinks, usage);
        let sources: HashMap<_, &Package> =
            packages.iter().map(|package| (&package.purl, package)).collect();
        let silenced: HashSet<_> =
            decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
        let of = |finding: &Finding| {
            let purl = finding.package.as_ref();
            let package = purl.and_then(|purl| sources.get(purl));
            let usage = purl.map_or_else(Use::unknown, |purl| usages.of(purl, &finding.location));
            let risk = finding.risk.clone().map(|risk| {
                policy::rank(
                    finding.severity,
                    risk.exploited,
                    risk.epss,
                    Some(usage.used),
                    risk.exposed,
                    risk.code,
                )
            });
            RunningFinding {
                source: package
                    .and_then(|package| package.source.as_ref())
                    .map(|source| source.name.clone()),
                usage,
                finding: Finding { risk, ..finding.clone() },
            }
        };
        let open = findings.iter().filter(|finding| !silenced.contains(&finding.fingerprint));
        let mut findings: Vec<RunningFinding> = open.map(of).collect();
        // What is in use or known to be exploited, then the rest; each most urgent first.
        findings.sort_by_key(|finding| {
            let risk = finding.finding.risk.as_ref();
            let exploited = risk.is_some_and(|risk| risk.exploited.is_some());
            let first = exploited || finding.usage.used == Used::Loaded;
            std::cmp::Reverse((first, risk.map_or(u32::MAX, |risk| risk.rank)))
        });
        let id = container.image_id.as_ref().or(subject.config_digest.as_ref());
        RunningContainer {
            image: Some(subject.clone()),
            seal: id.and_then(|id| seals.of(id, problems)),
            watched: usage.map(watched),
            layers: layers.clone(),
            findings,
            coverage: coverage.clone(),
            summary: summary.clone(),
            decision: decision.clone(),
            container,
        }
    }
}

/// A container whose image cannot be read.
fn unread(
    container: Container,
    usage: Option<&Usage>,
    reason: &str,
    assessment: &Assessment<'_>,
) -> RunningContainer {
    let coverage = vec![Coverage::failed("image", reason)];
    let judging = &assessment.judging;
    let judged =
        policy::decide(judging.policy, &scan::rules(), Vec::new(), &coverage, judging.today);
    RunningContainer {
        container,
        image: None,
        seal: None,
        watched: usage.map(watched),
        layers: Vec::new(),
        findings: Vec::new(),
        coverage,
        summary: Summary::default(),
        decision: judged.decision,
    }
}

/// Those that loaded something vulnerable come first, then those with the worst; by name among equals,
/// in which order they are.
fn rank(running: &RunningContainer) -> std::cmp::Reverse<(bool, Option<vocabulary::Severity>)> {
    let worst = |loaded: bool| {
        let of = running.findings.iter();
        let of = of.filter(|finding| !loaded || finding.usage.used == Used::Loaded);
        of.map(|finding| finding.finding.severity).max()
    };
    let loaded = worst(true);
    std::cmp::Reverse((loaded.is_some(), loaded.or_else(|| worst(false))))
}

fn outcome(containers: &[RunningContainer], unanswered: &[NotChecked]) -> Outcome {
    let any =
        |outcome: Outcome| containers.iter().any(|running| running.decision.outcome == outcome);
    if any(Outcome::Findings) {
        Outcome::Findings
    } else if any(Outcome::Incomplete) || !unanswered.is_empty() {
        Outcome::Incomplete
    } else if any(Outcome::NoLine) {
        Outcome::NoLine
    } else {
        Outcome::Pass
    }
}
