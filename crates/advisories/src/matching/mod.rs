//! Decides which packages have known vulnerabilities.
//!
//! In go packages and the distribution that they live in, out come findings and what was checked.
//! A package is looked up by the names that its ecosystem's advisories use, in its own release, and
//! by nothing else: no guessing by product name. What cannot be checked (no database, no advisories
//! for a release, a version that has no place in the order) is said in coverage and never counts as
//! clean.

mod candidates;
mod code;
mod findings;
mod fix;
mod groups;
mod named;
mod rate;
mod room;
mod rules;
pub mod upgrade;

use crate::database::{Database, DatabaseError, Head};
use crate::format::FormatError;
use crate::manifest::{self, Manifest};
use crate::names;
use crate::paths;
use crate::purls::{self, PurlMatchError};
use crate::releases::{self, Release};
use candidates::Look;
use rate::Lender;
pub use rules::{KNOWN_VULNERABILITY, MALICIOUS_PACKAGE};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use version::Scheme;
use vocabulary::{
    Coverage, DatabaseInfo, Distribution, Ecosystem, Finding, Package, Problem, Programs, Purl,
    Severity,
};

/// How many processors matching uses: beyond these, the findings' memory is what bounds it.
const MAX_THREADS: usize = 4;
/// For how many packages a thread is worth its start.
const PACKAGES_A_THREAD: usize = 32;

/// Findings, and what could not be compared.
type Found = (Vec<Finding>, Vec<Problem>);

/// What matching gives.
#[derive(Debug, Default)]
pub struct Matched {
    /// Findings: worst first, then by id, package and location.
    pub findings: Vec<Finding>,
    /// What was checked, by ecosystem and release.
    pub coverage: Vec<Coverage>,
}

/// The databases of some ecosystems.
#[derive(Debug)]
pub struct Databases {
    folder: PathBuf,
    opened: BTreeMap<Ecosystem, Result<Database, DatabaseError>>,
    infos: Vec<DatabaseInfo>,
    /// Ecosystems whose advisories are old or not all there, and why.
    late: BTreeMap<String, String>,
    /// The folder's other databases, opened when a rating is to be borrowed from them.
    others: OnceLock<(Vec<Database>, Vec<DatabaseError>)>,
    /// Why a rating could not be looked for, by database.
    unread: Mutex<BTreeMap<Ecosystem, FormatError>>,
}

/// The ecosystems whose databases a set of packages could be matched in.
#[must_use]
pub fn ecosystems_of(packages: &[Package]) -> BTreeSet<Ecosystem> {
    let packages = packages.iter().filter(|package| package.ecosystem.has_advisories());
    packages.map(|package| package.ecosystem.clone()).collect()
}

/// Whether a package is of a distribution that nobody publishes advisories for, or of none that is
/// known. What is said of it is "not checked", whatever databases there are.
#[must_use]
pub fn is_of_unknown_distribution(package: &Package) -> bool {
    package.ecosystem.is_distribution() && !package.ecosystem.is_published()
}

/// Whether too little is known of a package for any advisory to name it: no version, or a jar whose
/// group nothing proves.
fn is_unnamed(package: &Package) -> bool {
    package.version.is_empty()
        || is_branch(package)
        || package.ecosystem == Ecosystem::MAVEN && !package.name.contains(':')
}

/// Jars whose group nothing proves, and whose name advisories speak of in some group: any of these
/// could be about them. A name may be an artifact's, or that of an OSGi bundle, which begins with the
/// group.
fn without_group(database: &Database, packages: &[&Package]) -> Result<Vec<Problem>, FormatError> {
    let groupless = packages
        .iter()
        .filter(|package| package.ecosystem == Ecosystem::MAVEN && !package.name.contains(':'));
    let mut by_name: BTreeMap<String, Vec<&Package>> = BTreeMap::new();
    for package in groupless {
        by_name.entry(package.name.to_ascii_lowercase()).or_default().push(package);
    }
    if by_name.is_empty() {
        return Ok(Vec::new());
    }
    let mut problems = Vec::new();
    for name in database.names() {
        let name = name?.to_ascii_lowercase();
        let Some((group, artifact)) = name.split_once(':') else { continue };
        let bundle = format!("{group}.{artifact}");
        let packages = [artifact, bundle.as_str()].into_iter().filter_map(|key| by_name.get(key));
        if problems.len() >= room::PROBLEMS {
            break;
        }
        problems.extend(packages.flatten().take(room::PROBLEMS).map(|package| Problem {
            path: package.location.path().unwrap_or_default().to_owned(),
            layer: package.layer,
            reason: format!(
                "{}: its group is not known, and advisories name `{name}`: not compared",
                package.name
            ),
        }));
    }
    Ok(problems)
}

/// How many packages could not be matched, and why.
fn unnamed(packages: &[&Package]) -> Option<String> {
    let unnamed = packages.iter().filter(|package| is_unnamed(package));
    let (elsewhere, lacking): (Vec<&Package>, Vec<&Package>) =
        unnamed.copied().partition(|package| package.is_from_elsewhere());
    let all = packages.len();
    let said = |number: usize, why: &str| {
        (number > 0).then(|| format!("{number} of {all} packages {why}: listed, not matched"))
    };
    let lacking = said(lacking.len(), "lack a group or version");
    let elsewhere = said(elsewhere.len(), "come from git, URLs, paths or private registries");
    match (lacking, elsewhere) {
        (Some(lacking), Some(elsewhere)) => Some(format!("{lacking}; {elsewhere}")),
        (lacking, elsewhere) => lacking.or(elsewhere),
    }
}

/// Whether it came from elsewhere as a branch of its repository, `dev-main`, which no advisory can be
/// held against. Source: Composer, "Versions and constraints", branches.
fn is_branch(package: &Package) -> bool {
    package.is_from_elsewhere() && package.version.starts_with("dev-")
}

impl Databases {
    /// Opens the databases of the named ecosystems in a folder. One that is missing or damaged is
    /// no error here: matching says so for the packages that it concerns.
    #[must_use]
    pub fn open(
        folder: &Path,
        ecosystems: impl IntoIterator<Item = Ecosystem>,
        now: jiff::Timestamp,
    ) -> Self {
        let (mut opened, mut late) = (BTreeMap::new(), BTreeMap::new());
        let mut infos = Vec::new();
        for ecosystem in ecosystems {
            let Some(path) = paths::database_path(folder, &ecosystem) else { continue };
            if !path.is_file() || opened.contains_key(&ecosystem) {
                continue;
            }
            let database = open_own(folder, &ecosystem, &path).map(|(database, manifest)| {
                if let Some(reason) = unread(&manifest) {
                    late.insert(ecosystem.to_string(), reason);
                }
                infos.push(manifest.info(now));
                database
            });
            opened.insert(ecosystem, database);
        }
        infos.sort_by(|left, right| left.ecosystem.cmp(&right.ecosystem));
        Self {
            folder: folder.to_owned(),
            opened,
            infos,
            late,
            others: OnceLock::new(),
            unread: Mutex::default(),
        }
    }

    /// Says that the advisories of an ecosystem are old, and why: what they do not name may be known
    /// all the same, and matching is partial.
    pub fn late(&mut self, ecosystem: &str, reason: &str) {
        let said = self.late.entry(ecosystem.to_owned()).or_default();
        let between = if said.is_empty() { "" } else { "; " };
        said.push_str(&format!("{between}{reason}"));
    }

    /// What is known of the opened databases, sorted by ecosystem.
    #[must_use]
    pub fn infos(&self) -> &[DatabaseInfo] {
        &self.infos
    }

    /// The databases that are there and cannot be opened.
    pub fn failures(&self) -> impl Iterator<Item = (&Ecosystem, &DatabaseError)> {
        self.opened
            .iter()
            .filter_map(|(ecosystem, opened)| Some((ecosystem, opened.as_ref().err()?)))
    }

    /// Whether none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.opened.values().all(Result::is_err)
    }

    /// The advisories of the opened databases that name an id: a CVE, an alias, or their own. In any
    /// case of letters, sorted. Asked where nothing is affected, to tell that from an id that no
    /// advisory knows.
    ///
    /// # Errors
    /// Where a database cannot be read: then an id that is not found may be there all the same.
    pub fn advisories_naming(&self, id: &str) -> Result<BTreeSet<String>, FormatError> {
        let mut found = BTreeSet::new();
        for database in self.opened.values().filter_map(|opened| opened.as_ref().ok()) {
            found.extend(database.records_naming(id)?.into_iter().map(str::to_owned));
        }
        Ok(found)
    }

    /// Whether anybody publishes advisories for such a package, or the folder has a database of them
    /// all the same. Crates from git, a folder or a private registry have the ecosystem `cargo`, which
    /// OSV does not: they are listed, not matched.
    fn is_matched(&self, package: &Package) -> bool {
        let ecosystem = &package.ecosystem;
        ecosystem.has_advisories()
            && (ecosystem.is_published() || self.opened.contains_key(ecosystem))
    }

    /// What is said of the ecosystems that nobody publishes advisories for: not checked, never clean.
    /// Crates from elsewhere than the registry are the project's own.
    fn unpublished(&self, packages: &[Package]) -> impl Iterator<Item = Coverage> {
        let ecosystems: BTreeMap<&Ecosystem, u64> = packages
            .iter()
            .filter(|package| !self.is_matched(package) && package.ecosystem.as_str() != "cargo")
            .filter(|package| package.owned_by.is_none())
            .fold(BTreeMap::new(), |mut counts, package| {
                *counts.entry(&package.ecosystem).or_default() += 1;
                counts
            });
        ecosystems.into_iter().map(|(ecosystem, number)| {
            let packages = vocabulary::counted(number, "package", "packages");
            let why = match ecosystem.as_str() {
                // os-release(5): what a system is that does not tell its own name.
                "Linux" => "the distribution is not known",
                _ => "no advisory source",
            };
            Coverage::skipped(
                format!("{}{ecosystem}", Coverage::UNMATCHED),
                format!("{packages} identified, {why}: not checked"),
            )
        })
    }

    /// Whether advisories of a distribution's release name sources alone. Where none does, packages
    /// whose source is not known miss nothing. None where there are no advisories at all.
    #[must_use]
    pub fn names_sources_alone(&self, distribution: &Distribution) -> Option<bool> {
        let ecosystem = releases::ecosystem_of(distribution)?;
        let database = self.opened.get(&ecosystem)?.as_ref().ok()?;
        let release = releases::release_of(distribution, &ecosystem)?;
        let (mut indexes, subscribers) = release_indexes(database, Some(&release));
        indexes.extend(subscribers);
        Some(database.has_entries_by_source(&indexes))
    }

    /// Matches packages of which no more is known than what they say.
    #[must_use]
    pub fn matches(&self, packages: &[Package], distribution: Option<&Distribution>) -> Matched {
        self.matches_in(packages, distribution, &Programs::default())
    }

    /// Matches packages, and holds the functions that advisories name against those of programs.
    #[must_use]
    pub fn matches_in(
        &self,
        packages: &[Package],
        distribution: Option<&Distribution>,
        programs: &Programs,
    ) -> Matched {
        let mut by_ecosystem: BTreeMap<&Ecosystem, Vec<&Package>> = BTreeMap::new();
        // What a distribution's package owns is matched as that package, if its release has
        // advisories at all.
        let covered = distribution.is_some_and(|distribution| self.covers(distribution));
        for package in packages {
            if self.is_matched(package) && (package.owned_by.is_none() || !covered) {
                by_ecosystem.entry(&package.ecosystem).or_default().push(package);
            }
        }
        let mut matched = Matched::default();
        for (ecosystem, packages) in by_ecosystem {
            let coverage = self.ecosystem(
                ecosystem,
                &packages,
                (distribution, programs),
                &mut matched.findings,
            );
            matched.coverage.push(coverage);
        }
        matched.coverage.extend(self.unpublished(packages));
        sort(&mut matched.findings);
        matched.coverage.sort_by(|left, right| left.check.cmp(&right.check));
        matched
    }

    /// Matches one package by its purl.
    ///
    /// # Errors
    /// Where the purl does not say enough to be matched.
    pub fn match_one(
        &self,
        purl: &Purl,
        distribution: Option<&Distribution>,
    ) -> Result<Matched, PurlMatchError> {
        let (package, distribution) = purls::package(purl, distribution)?;
        Ok(self.matches(&[package], distribution.as_ref()))
    }

    /// Whether the distribution's own packages can be matched.
    fn covers(&self, distribution: &Distribution) -> bool {
        let Some(ecosystem) = releases::ecosystem_of(distribution) else { return false };
        let Some(Ok(database)) = self.opened.get(&ecosystem) else { return false };
        releases::release_of(distribution, &ecosystem)
            .is_some_and(|release| database.releases().iter().any(|name| release.is(name)))
    }

    fn ecosystem(
        &self,
        ecosystem: &Ecosystem,
        packages: &[&Package],
        by: (Option<&Distribution>, &Programs),
        findings: &mut Vec<Finding>,
    ) -> Coverage {
        let coverage = self.look_at(ecosystem, by, |look, check| {
            let listed = room::listed(packages);
            let left = room::FINDING_BYTES.saturating_sub(room::bytes_of(findings));
            let found = self.in_parallel(look, &listed.packages, left);
            match found.and_then(|found| Ok((found, without_group(look.database, packages)?))) {
                Ok(((mut found, mut problems), groupless)) => {
                    problems.extend(listed.mark(&mut found));
                    crate::kernel::once(&mut found, packages);
                    findings.extend(found);
                    problems.extend(groupless);
                    problems.extend(self.unlent());
                    problems.extend(self.late.get(ecosystem.as_str()).map(|reason| Problem {
                        path: String::new(),
                        layer: None,
                        reason: reason.clone(),
                    }));
                    let mut coverage = Coverage::with_problems(check, problems);
                    coverage.reason = unnamed(packages);
                    coverage
                }
                Err(reason) => Coverage::failed(
                    check,
                    format!(
                        "the database of {ecosystem} cannot be read: {reason}; run `lazaret db update {}`",
                        ecosystem.as_argument()
                    ),
                ),
            }
        });
        coverage.unwrap_or_else(|coverage| *coverage)
    }

    /// Hands out where to look for packages of an ecosystem, with the name of that check; the coverage
    /// that says why, where nothing can be looked up.
    fn look_at<T>(
        &self,
        ecosystem: &Ecosystem,
        (distribution, programs): (Option<&Distribution>, &Programs),
        look: impl FnOnce(&Look<'_>, String) -> T,
    ) -> Result<T, Box<Coverage>> {
        let skipped = |check: String, reason: String| Box::new(Coverage::skipped(check, reason));
        let release = if ecosystem.is_distribution() {
            let release = distribution.and_then(|known| releases::release_of(known, ecosystem));
            Some(release.ok_or_else(|| {
                let reason = format!("the release of {ecosystem} is not known: not checked");
                skipped(format!("vulnerabilities:{ecosystem}"), reason)
            })?)
        } else {
            None
        };
        let label = release.as_ref().map_or(ecosystem.as_str(), |release| &release.label);
        let check = format!("vulnerabilities:{label}");
        let database = match self.opened.get(ecosystem) {
            Some(Ok(database)) => database,
            Some(Err(error)) => return Err(Box::new(Coverage::failed(check, error.to_string()))),
            None => {
                let reason = format!(
                    "no database of {ecosystem}: not checked; run `lazaret db update {}`",
                    ecosystem.as_argument()
                );
                return Err(skipped(check, reason));
            }
        };
        let (main, subscribers) = release_indexes(database, release.as_ref());
        if main.is_empty() {
            return Err(skipped(check, format!("no advisories for {label}: not checked")));
        }
        let Some(scheme) = Scheme::of_ecosystem(ecosystem.as_str()) else {
            let reason = format!("the order of {ecosystem} versions is not known: not checked");
            return Err(skipped(check, reason));
        };
        let at = Look {
            database,
            scheme,
            main: &main,
            subscribers: &subscribers,
            subscription: release.as_ref().map_or("", |release| release.subscription),
            programs,
        };
        Ok(look(&at, check))
    }

    /// Matches packages of one ecosystem, on several processors where it pays.
    fn in_parallel(
        &self,
        look: &Look<'_>,
        packages: &[&Package],
        left: u64,
    ) -> Result<Found, FormatError> {
        let made = AtomicU64::new(0);
        let found = self.in_hands(look, packages, &|bytes| {
            made.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= left
        })?;
        if made.into_inner() <= left {
            return Ok(found);
        }
        // Which ones were made depends on who was faster: once more, in their order.
        drop(found);
        self.within(look, packages, left)
    }

    /// The findings that there is room for, and how many packages have others.
    fn within(
        &self,
        look: &Look<'_>,
        packages: &[&Package],
        mut left: u64,
    ) -> Result<Found, FormatError> {
        let lender = Lender::new(self, look.database);
        let (mut findings, mut problems) = Found::default();
        let mut unlisted = 0_u64;
        for package in packages {
            if unlisted > 0 {
                unlisted += u64::from(!is_branch(package) && !look.at(package)?.hits.is_empty());
                continue;
            }
            let more = match_package(look, package, &lender, &mut problems)?;
            let bytes = room::bytes_of(&more);
            if bytes > left {
                unlisted = 1;
            } else {
                left -= bytes;
                findings.extend(more);
            }
        }
        problems.push(room::unlisted(unlisted));
        Ok((findings, problems))
    }

    fn in_hands(
        &self,
        look: &Look<'_>,
        packages: &[&Package],
        fits: &(dyn Fn(u64) -> bool + Sync),
    ) -> Result<Found, FormatError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = processors.min(MAX_THREADS).min(packages.len() / PACKAGES_A_THREAD).max(1);
        if threads == 1 {
            return self.in_turn(look, packages, fits);
        }
        // Dealt out like cards: packages of one source, which cost alike, stand side by side.
        let hands: Vec<Vec<&Package>> = (0..threads)
            .map(|hand| packages.iter().skip(hand).step_by(threads).copied().collect())
            .collect();
        std::thread::scope(|scope| {
            let others: Vec<_> = hands
                .iter()
                .skip(1)
                .map(|hand| {
                    let matching = move || self.in_turn(look, hand, fits);
                    (hand, std::thread::Builder::new().spawn_scoped(scope, matching))
                })
                .collect();
            let first =
                hands.first().map_or(Ok(Found::default()), |hand| self.in_turn(look, hand, fits));
            let (mut findings, mut problems) = first?;
            for (hand, other) in others {
                let (more, further) = match other.map(std::thread::ScopedJoinHandle::join) {
                    Ok(Ok(found)) => found?,
                    Ok(Err(panic)) => std::panic::resume_unwind(panic),
                    // Where no thread is to be had this one does it.
                    Err(_) => self.in_turn(look, hand, fits)?,
                };
                findings.extend(more);
                problems.extend(further);
            }
            Ok((findings, problems))
        })
    }

    /// The databases that could have rated findings, had they been whole.
    fn unlent(&self) -> Vec<Problem> {
        let failures = self.others.get().into_iter().flat_map(|(_, failures)| failures);
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let unread = unread.iter().map(|(ecosystem, reason)| {
            let argument = ecosystem.as_argument();
            format!("the database of {ecosystem}: {reason}; run `lazaret db update {argument}`")
        });
        let reasons = failures.map(ToString::to_string).chain(unread);
        reasons
            .map(|reason| Problem {
                path: String::new(),
                layer: None,
                reason: format!("severities may be missing: {reason}"),
            })
            .collect()
    }

    /// Matches packages until what is found fits no more.
    fn in_turn(
        &self,
        look: &Look<'_>,
        packages: &[&Package],
        fits: &(dyn Fn(u64) -> bool + Sync),
    ) -> Result<Found, FormatError> {
        let lender = Lender::new(self, look.database);
        let (mut findings, mut problems) = Found::default();
        for package in packages {
            let more = match_package(look, package, &lender, &mut problems)?;
            if !fits(room::bytes_of(&more)) {
                break;
            }
            findings.extend(more);
        }
        Ok((findings, problems))
    }

    /// All databases of the folder that can be read.
    fn all(&self) -> impl Iterator<Item = &Database> {
        let (others, _) = self.others.get_or_init(|| self.open_others());
        self.opened.values().flatten().chain(others)
    }

    /// Says that a database could not be asked for ratings.
    fn unread(&self, database: &Database, reason: FormatError) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.insert(database.ecosystem().clone(), reason);
    }

    /// The other databases of the folder, and why some of them cannot be opened.
    fn open_others(&self) -> (Vec<Database>, Vec<DatabaseError>) {
        let known: HashSet<PathBuf> = self
            .opened
            .keys()
            .filter_map(|ecosystem| paths::database_path(&self.folder, ecosystem))
            .collect();
        let entries = std::fs::read_dir(paths::version_folder(&self.folder)).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "lzdb"))
            .filter(|path| !known.contains(path))
            .collect();
        paths.sort_unstable();
        let (mut others, mut failures) = (Vec::new(), Vec::new());
        for path in &paths {
            let opened =
                Head::open(path).and_then(|head| open_own(&self.folder, &head.ecosystem, path));
            match opened {
                Ok((database, _)) => others.push(database),
                Err(error) => failures.push(error),
            }
        }
        (others, failures)
    }
}

/// Opens the database in an ecosystem's place, if it is the one that its manifest speaks of.
fn open_own(
    folder: &Path,
    ecosystem: &Ecosystem,
    path: &Path,
) -> Result<(Database, Manifest), DatabaseError> {
    let foreign = |reason| DatabaseError::Foreign { path: path.to_owned(), reason };
    if paths::database_path(folder, ecosystem).as_deref() != Some(path) {
        return Err(foreign(format!("it is a database of {ecosystem}, in the place of another")));
    }
    let mut turns = 0;
    loop {
        let database = Database::open(path)?;
        match Manifest::own(folder, ecosystem, &database) {
            Ok(manifest) => return Ok((database, manifest)),
            Err(_) if turns < manifest::TURNS => turns += 1,
            Err(reason) => return Err(foreign(reason)),
        }
    }
}

/// What of its source a database does not have.
fn unread(manifest: &Manifest) -> Option<String> {
    let counted = |count| vocabulary::counted(count, "advisory", "advisories");
    let malformed = (manifest.malformed > 0)
        .then(|| format!("{} of its source could not be read", counted(manifest.malformed)));
    let behind = (manifest.behind > 0).then(|| {
        format!("{} that its source has changed could not be had", counted(manifest.behind))
    });
    let said: Vec<String> = malformed.into_iter().chain(behind).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Matches one package in one database.
fn match_package(
    look: &Look<'_>,
    package: &Package,
    lender: &Lender<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Finding>, FormatError> {
    if is_branch(package) {
        return Ok(Vec::new());
    }
    let verdict = look.at(package)?;
    problems.extend(verdict.problems.iter().map(|reason| Problem {
        path: package.location.path().unwrap_or_default().to_owned(),
        layer: package.location.layer(),
        reason: reason.clone(),
    }));
    if verdict.hits.is_empty() {
        return Ok(Vec::new());
    }
    findings::make(look, package, &verdict, lender)
}

/// Indexes of the releases to look in, and of those whose advisories are for subscribers.
fn release_indexes(database: &Database, release: Option<&Release>) -> (Vec<u32>, Vec<u32>) {
    let pick = |wanted: &dyn Fn(&str) -> bool| {
        let releases = (0_u32..).zip(database.releases());
        releases.filter(|(_, name)| wanted(name)).map(|(index, _)| index).collect()
    };
    match release {
        // An entry of a language ecosystem with a suffix (`npm:…`) is of no known meaning.
        None => (pick(&str::is_empty), Vec::new()),
        Some(release) => {
            (pick(&|name| release.is(name)), pick(&|name| release.is_for_subscribers(name)))
        }
    }
}

/// Worst first, then by id, package and location; one for each fingerprint.
fn sort(findings: &mut Vec<Finding>) {
    let worst =
        |severity: Severity| Severity::WORST_FIRST.iter().position(|level| *level == severity);
    findings.sort_by(|left, right| {
        worst(left.severity)
            .cmp(&worst(right.severity))
            .then_with(|| left.id.cmp(&right.id))
            .then_with(|| left.package.cmp(&right.package))
            .then_with(|| left.location.cmp(&right.location))
    });
    let mut seen = HashSet::with_capacity(findings.len());
    let first: Vec<bool> =
        findings.iter().map(|finding| seen.insert(finding.fingerprint.as_str())).collect();
    let mut first = first.into_iter();
    findings.retain(|_| first.next().unwrap_or(true));
}

/// Whether an ecosystem name can have a database.
pub(crate) fn is_sound(ecosystem: &Ecosystem) -> bool {
    names::file_stem(ecosystem.as_str()).is_some()
}
