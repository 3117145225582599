//! `lazaret scan --running`: the images of running containers, scanned once each, and what each
//! container has used of what is vulnerable. Also what `affected` shares with it: images by their
//! engines, usage files, and seals.

use crate::World;
use crate::args::ScanArgs;
use crate::exit::{Exit, Failure};
use crate::sbom::{exit_of, read_options, today};
use crate::scanning::default_format;
use crate::{database, output, progress, verdict};
use engine::EngineError;
use jiff::Timestamp;
use policy::Policy;
use report::Format;
use scan::{Assessment, Inventory, ReadOptions, RecordLevel, Usages};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use vocabulary::running::RUNNING_SCHEMA;
use vocabulary::usage::USAGE_SCHEMA;
use vocabulary::{
    Container, Coverage, Digest, Engine, Finding, NotChecked, Outcome, Package, Report,
    RunningContainer, RunningFinding, RunningReport, Subject, Summary, Usage, Use, Used, Watched,
};

/// Bytes of a usage file: the agent lists at most 20,000 files, and few paths have 200 characters.
const USAGE_BYTES: u64 = 32 << 20;

/// How many usage files are looked at: a machine runs some hundreds of containers.
const USAGE_FILES: usize = 10_000;

/// How old a usage file may be for what it lacks to count as not used: an agent that has ended
/// leaves its file behind.
const USAGE_AGE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

pub(crate) fn run(world: &World, args: &ScanArgs, policy: &Policy) -> Result<Exit, Failure> {
    let format = format(world, args)?;
    let engines = world.engines();
    let (mut containers, errors) = engine::containers(&engines);
    if containers.is_empty() && errors.is_empty() && !engine::any_listens(&engines) {
        let text = engine::none_listens(&engines);
        return Err(Failure::new(Exit::Incomplete, anyhow::Error::msg(text)));
    }
    containers.sort_by(|left, right| (&left.name, &left.id).cmp(&(&right.name, &right.id)));
    let options = ReadOptions { files: RecordLevel::None, ..read_options(world, &args.read)? };
    let images = read_images(world, &containers, &options);
    let now = World::now();
    let read = images.values().filter_map(|read| read.as_ref().ok());
    let needed = database::Needed::of(read.flat_map(|inventory| &inventory.packages));
    let (databases, risks) = database::for_scan(world, &args.database, &needed, now)?;
    let assessment = Assessment {
        tool: World::tool(),
        databases: Some(&databases),
        risks: Some(&risks),
        usage: None,
        freshness: None,
        imported: &scan::Imported::default(),
        policy,
        today: today(now)?,
    };
    let images: BTreeMap<Reference, Result<Assessed, String>> = images
        .into_iter()
        .map(|(key, read)| (key, read.map(|inventory| Assessed::new(inventory, &assessment))))
        .collect();
    let state = world.state()?;
    let mut problems = Vec::new();
    let seals = Seals::open(&state, &mut problems);
    let mut report = RunningReport {
        schema: RUNNING_SCHEMA.to_owned(),
        tool: World::tool(),
        containers: Vec::new(),
        not_checked: errors.iter().map(unanswered).collect(),
        problems: Vec::new(),
        rules: vocabulary::Rules::default(),
        databases: databases.infos().to_vec(),
        outcome: Outcome::Pass,
    };
    for container in containers {
        let usage = usage(&state, &container, now, &mut problems);
        let read = images.get(&Reference::of(&container));
        let other = match read {
            Some(Ok(image)) => moved(&container, image.report.subject.config_digest.as_ref()),
            _ => None,
        };
        report.containers.push(match read {
            // Findings of another image say nothing about this container.
            Some(Ok(_)) if other.is_some() => {
                unread(container, usage.as_ref(), &other.unwrap_or_default(), &assessment)
            }
            Some(Ok(image)) => image.running(container, usage.as_ref(), &seals, &mut problems),
            Some(Err(reason)) => unread(container, usage.as_ref(), reason, &assessment),
            None => unread(container, usage.as_ref(), "its image was not read", &assessment),
        });
    }
    problems.sort();
    problems.dedup();
    report.problems = problems;
    report.containers.sort_by_key(rank);
    report.outcome = outcome(&report);
    let found = report.containers.iter().flat_map(|running| &running.findings);
    report.rules = crate::rules::all().used(found.map(|one| one.finding.rule.as_str()));
    output::deliver(&world.printing, &args.output, format, |format, style, out| {
        report::render_running(&report, format, style, out)
    })?;
    verdict::say_of_running(world, &args.output, &report);
    Ok(exit_of(report.outcome))
}

/// The format where none is given on the command line; an error where one is that has no form for
/// several containers.
fn format(world: &World, args: &ScanArgs) -> Result<Format, Failure> {
    let has_form = |format: &Format| format.has_containers();
    let named = args.output.output.iter().filter_map(|output| output.format);
    if let Some(format) = args.output.format.into_iter().chain(named).find(|own| !has_form(own)) {
        return Err(Failure::usage(format!(
            "`{format}` has no form for several containers; use table or json, or scan one image"
        )));
    }
    output::refuse_place(&args.output, "all running containers")?;
    // A configured format that has no form for several containers is meant for scans of one.
    Ok(default_format(world)?.filter(has_form).unwrap_or(Format::TABLE))
}

pub(crate) fn unanswered(error: &EngineError) -> NotChecked {
    let what = match error {
        EngineError::NotThere { engine, .. }
        | EngineError::Denied { engine, .. }
        | EngineError::Connection { engine, .. }
        | EngineError::Timeout { engine, .. }
        | EngineError::Refused { engine, .. }
        | EngineError::Answer { engine, .. }
        | EngineError::Limit { engine, .. }
        | EngineError::NoImage { engine, .. } => engine.name(),
        _ => "engine",
    };
    NotChecked { what: what.to_owned(), reason: error.to_string() }
}

/// What an engine is asked for: an image by its id where that is known, which no tag can move.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference(pub(crate) String);

impl Reference {
    /// The image of a container.
    pub(crate) fn of(container: &Container) -> Self {
        match (container.engine, &container.image_id) {
            (Engine::Docker, Some(id)) => Self::by_id(id),
            (engine, _) => Self(format!("{engine}:{}", container.image)),
        }
    }

    /// An image of Docker.
    pub(crate) fn by_id(id: &Digest) -> Self {
        Self(format!("{}:{id}", Engine::Docker))
    }

    /// Reads the image.
    pub(crate) fn read(
        &self,
        world: &World,
        options: &ReadOptions,
    ) -> Result<Inventory, scan::ScanError> {
        progress::while_reading(&world.printing, |progress| scan::read(&self.0, options, progress))
    }
}

/// Each image once.
fn read_images(
    world: &World,
    containers: &[Container],
    options: &ReadOptions,
) -> BTreeMap<Reference, Result<Inventory, String>> {
    let references: BTreeSet<Reference> = containers.iter().map(Reference::of).collect();
    references
        .into_iter()
        .map(|reference| {
            let read = reference.read(world, options).map_err(|error| error.to_string());
            (reference, read)
        })
        .collect()
}

/// Why an image is not, or may not be, the one that a container was made from. Where the engine does
/// not say which that was, its name is no answer: another image may have taken it.
pub(crate) fn moved(container: &Container, found: Option<&Digest>) -> Option<String> {
    match (&container.image_id, found) {
        (Some(made_from), Some(found)) if made_from == found => None,
        (Some(made_from), Some(found)) => Some(format!(
            "`{}` is another image by now ({}); the container was made from {}",
            container.image,
            found.short(),
            made_from.short()
        )),
        _ => Some(format!(
            "{} does not say which image the container was made from; `{}` may be another image by now",
            container.engine, container.image
        )),
    }
}

/// An image that was matched and decided on.
struct Assessed {
    report: Report,
    symlinks: HashMap<String, String>,
}

impl Assessed {
    fn new(inventory: Inventory, assessment: &Assessment<'_>) -> Self {
        let symlinks = inventory.symlinks.clone();
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
    let judged = policy::decide(
        assessment.policy,
        &crate::rules::all(),
        Vec::new(),
        &coverage,
        assessment.today,
    );
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

pub(crate) fn watched(usage: &Usage) -> Watched {
    Watched {
        since: usage.since.clone(),
        until: usage.until.clone(),
        complete: usage.complete,
        lost: usage.lost,
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

fn outcome(report: &RunningReport) -> Outcome {
    let any = |outcome: Outcome| {
        report.containers.iter().any(|running| running.decision.outcome == outcome)
    };
    if any(Outcome::Findings) {
        Outcome::Findings
    } else if any(Outcome::Incomplete) || !report.not_checked.is_empty() {
        Outcome::Incomplete
    } else if any(Outcome::NoLine) {
        Outcome::NoLine
    } else {
        Outcome::Pass
    }
}

/// What a container used, as the agent wrote it. A file that is not there is none; one that is of
/// another container, or of an earlier run of this one, is left aside.
pub(crate) fn usage(
    state: &Path,
    container: &Container,
    now: Timestamp,
    problems: &mut Vec<NotChecked>,
) -> Option<Usage> {
    let path = usage_path(state, container);
    let mut problem = |reason: String| {
        problems.push(NotChecked { what: path.display().to_string(), reason });
    };
    let text = match read_bounded(&path, USAGE_BYTES) {
        Ok(Some(text)) => text,
        Ok(None) => return None,
        Err(reason) => {
            problem(reason);
            return None;
        }
    };
    match serde_json::from_slice(&text).map_err(|error| format!("it cannot be read: {error}")) {
        Ok(usage) => match checked(usage, container, now) {
            Ok((usage, remark)) => {
                remark.into_iter().for_each(problem);
                Some(usage)
            }
            Err(reason) => {
                problem(reason);
                None
            }
        },
        Err(reason) => {
            problem(reason);
            None
        }
    }
}

/// What a container of the subject, where that is an image, used. Without a folder for state nobody
/// watched.
pub(crate) fn usage_of(
    world: &World,
    subject: &Subject,
    now: Timestamp,
) -> Result<Option<Usage>, Failure> {
    let Some(image) = &subject.config_digest else { return Ok(None) };
    Ok(match world.known_state()? {
        Some(state) => usage_of_image(&state, image, now),
        None => None,
    })
}

/// What a container of an image used, where an agent watched one and its file is current: of several
/// the one that used most. `image` is the digest of the image's configuration.
fn usage_of_image(state: &Path, image: &Digest, now: Timestamp) -> Option<Usage> {
    let entries = std::fs::read_dir(state.join("usage")).ok()?;
    let paths = entries.take(USAGE_FILES).filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| {
            let text = read_bounded(&path, USAGE_BYTES).ok()??;
            let usage: Usage = serde_json::from_slice(&text).ok()?;
            let container = usage.container.clone();
            let (usage, _) = checked(usage, &container, now).ok()?;
            (usage.container.image_id.as_ref() == Some(image)).then_some(usage)
        })
        .max_by_key(|usage| usage.files.len())
}

/// The name that the agent gives it: the id, without what could lead out of the folder.
fn usage_path(state: &Path, container: &Container) -> PathBuf {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let id: String = container.id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    state.join("usage").join(format!("{}.json", id.trim_start_matches('.')))
}

/// Holds a usage file against the container that it should be about.
fn checked(
    mut usage: Usage,
    container: &Container,
    now: Timestamp,
) -> Result<(Usage, Option<String>), String> {
    if usage.schema != USAGE_SCHEMA {
        return Err(format!("its schema is `{}`, not `{USAGE_SCHEMA}`", usage.schema));
    }
    if (usage.container.engine, &usage.container.id) != (container.engine, &container.id) {
        return Err(format!("it is about another container, `{}`", usage.container.shown()));
    }
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let run = |container: &Container| container.started.as_deref().and_then(moment);
    if let (Some(then), Some(current)) = (run(&usage.container), run(container))
        && then != current
    {
        return Err(format!("it is of an earlier run, which began at {then}"));
    }
    let Some(until) = moment(&usage.until) else {
        return Err(format!("`{}` is not a time", usage.until));
    };
    let current = now.duration_since(until) <= USAGE_AGE;
    if current || !usage.complete {
        return Ok((usage, None));
    }
    usage.complete = false;
    let remark = format!(
        "it was last written at {until}: what was used since is not known; is the agent running?"
    );
    Ok((usage, Some(remark)))
}

/// The bytes of a regular file; none where it is not there.
fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, String> {
    use std::io::Read as _;
    let file = match std::fs::symlink_metadata(path) {
        Ok(facts) if facts.is_file() => std::fs::File::open(path),
        Ok(_) => return Err("it is not a regular file".to_owned()),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let mut bytes = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(Some(bytes))
}

/// The seals of this machine, with the keys that are trusted for them.
pub(crate) struct Seals {
    store: Option<seal::Store>,
    keys: Vec<seal::VerifyingKey>,
}

impl Seals {
    /// Opens the store below the state folder; where it cannot be read, nothing counts as sealed.
    pub(crate) fn open(state: &Path, problems: &mut Vec<NotChecked>) -> Self {
        let opened = seal::Store::open(state.join("seals"))
            .and_then(|store| store.trusted().map(|keys| (store, keys)));
        match opened {
            Ok((store, keys)) => Self { store: Some(store), keys },
            Err(error) => {
                problems.push(NotChecked { what: "seals".to_owned(), reason: error.to_string() });
                Self { store: None, keys: Vec::new() }
            }
        }
    }

    /// The newest seal of an image whose signature holds, by the digest of its envelope.
    pub(crate) fn of(&self, id: &Digest, problems: &mut Vec<NotChecked>) -> Option<Digest> {
        let seals: Vec<&seal::Seal> = self.store.as_ref()?.by_image(id).collect();
        for seal in seals.into_iter().rev() {
            match seal.verify(&self.keys) {
                Ok(_) => return Some(seal.digest.clone()),
                Err(error) => problems.push(broken(seal, &error)),
            }
        }
        None
    }

    /// The newest seal of each sealed image, whether or not its signature holds.
    pub(crate) fn images(&self) -> BTreeMap<Digest, &seal::Seal> {
        let all = self.store.iter().flat_map(|store| store.all());
        all.map(|seal| (seal.statement.predicate.config_digest.clone(), seal)).collect()
    }

    /// The packages of a sealed image.
    pub(crate) fn packages(&self, seal: &seal::Seal) -> Result<Vec<Package>, String> {
        let Some(store) = &self.store else { return Err("the seals cannot be read".to_owned()) };
        seal.verify(&self.keys).map_err(|error| error.to_string())?;
        let record = store.load(seal).map_err(|error| error.to_string())?;
        record.packages().map_err(|error| error.to_string())
    }
}

fn broken(seal: &seal::Seal, error: &seal::SignatureError) -> NotChecked {
    let predicate = &seal.statement.predicate;
    NotChecked {
        what: format!("seal {} of {}", predicate.counter, predicate.name()),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(id: &str, started: Option<&str>) -> Container {
        Container {
            engine: Engine::Docker,
            id: id.to_owned(),
            name: "shop".to_owned(),
            image: "shop:1".to_owned(),
            image_id: Some(Digest::of(b"config")),
            pid: Some(1),
            started: started.map(str::to_owned),
        }
    }

    fn written(container: Container) -> Usage {
        Usage {
            schema: USAGE_SCHEMA.to_owned(),
            container,
            since: "2099-01-01T00:00:00Z".to_owned(),
            complete: true,
            until: "2099-01-01T01:00:00Z".to_owned(),
            files: BTreeSet::new(),
            lost: 0,
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn usage_of_another_container_or_of_an_earlier_run_is_left_aside() {
        let now = at("2099-01-01T01:00:10Z");
        let first = Some("2099-01-01T00:00:00.5Z");
        let own = container("ab", first);
        assert!(checked(written(own.clone()), &own, now).is_ok());
        let foreign = checked(written(container("cd", first)), &own, now);
        assert!(foreign.unwrap_err().contains("another container"));
        let earlier = checked(written(container("ab", Some("2098-01-01T00:00:00Z"))), &own, now);
        assert!(earlier.unwrap_err().contains("earlier run"));
        let same = container("ab", Some("2099-01-01T00:00:00.500000000Z"));
        assert!(checked(written(same), &own, now).is_ok(), "the same moment, written otherwise");
        let schema = Usage { schema: "lazaret.usage/9".to_owned(), ..written(own.clone()) };
        assert!(checked(schema, &own, now).is_err());
    }

    #[test]
    fn what_a_stale_usage_file_lacks_is_not_called_unused() {
        let own = container("ab", None);
        let (fresh, remark) =
            checked(written(own.clone()), &own, at("2099-01-01T01:04:00Z")).unwrap();
        assert!(fresh.complete && remark.is_none());
        let (stale, remark) =
            checked(written(own.clone()), &own, at("2099-01-01T01:06:00Z")).unwrap();
        assert!(!stale.complete && remark.unwrap().contains("is the agent running?"));
    }

    #[test]
    fn a_usage_file_is_read_up_to_its_bound_and_only_where_it_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, [b'x'; 20]).unwrap();
        assert_eq!(read_bounded(&file, 20).unwrap().unwrap().len(), 20);
        assert!(read_bounded(&file, 19).unwrap_err().contains("larger"));
        assert!(read_bounded(&folder.path().join("none"), 9).unwrap().is_none());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(read_bounded(&link, 20).unwrap_err().contains("not a regular file"));
    }

    #[test]
    fn the_name_of_a_usage_file_stays_in_its_folder() {
        let path = |id: &str| usage_path(Path::new("/state"), &container(id, None));
        assert_eq!(path("../../etc/x"), Path::new("/state/usage/_.._etc_x.json"));
        assert_eq!(path("k8s.io-a"), Path::new("/state/usage/k8s.io-a.json"));
    }

    #[test]
    fn a_tag_that_moved_since_is_noticed() {
        let own = container("ab", None);
        assert_eq!(moved(&own, Some(&Digest::of(b"config"))), None);
        assert!(moved(&own, Some(&Digest::of(b"other"))).unwrap().contains("another image"));
        let silent = Container { image_id: None, ..own };
        assert!(moved(&silent, Some(&Digest::of(b"config"))).unwrap().contains("does not say"));
    }
}
