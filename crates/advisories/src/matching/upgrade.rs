//! The version of a package to go to: the nearest one that no advisory holds any more.
//!
//! In go the packages of one source in one version, out comes a version with what matching says of
//! it: which vulnerabilities are gone, which stay, and which are new there. It is matched by the same
//! code as what is installed, so that advice and the next scan cannot differ.
//!
//! Candidates are the versions that the package's advisories name ([`super::named`]). Nearest is first
//! what has the same line (the same minor release, then the same major one), then what is least. What no
//! release mends stays whatever one does, and does not count against a version. Where none is clean, the
//! one that leaves the least and mildest is taken, and what stays is said. One that is numbered in another
//! way is taken only where no other helps, or where its year shows that it is later and it leaves less.

use super::candidates::{Candidate, Look, Verdict};
use super::rate::Lender;
use super::{Databases, findings, is_branch, named};
use crate::format::FormatError;
use crate::intervals::End;
use foldhash::{HashMap, HashMapExt as _};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use version::Scheme;
use vocabulary::{Distribution, Package, Programs, Severity};

/// Packages of one source that are asked: a source has hundreds at most.
const PACKAGES: usize = 256;
/// Versions of which all findings are made: the first one is clean nearly always.
const MATCHED: usize = 8;

/// What is advised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Nothing is known of these packages' advisories.
    Unknown,
    /// No version that they name is better than the one that is there.
    Stay,
    /// The same, but whatever comes after this one is.
    After(String),
    /// To go there.
    Go(Target),
}

/// Ids, each with the worst severity.
pub type Found = BTreeMap<String, Severity>;

/// A version to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The version; the source's where the packages have one.
    pub version: String,
    /// What matching finds in the version that is there.
    pub now: Found,
    /// What it finds in that to go to.
    pub left: Found,
    /// Whether it has the first number that is there now; of a version that begins with zero, the
    /// first two.
    pub same_major: bool,
    /// Why it is doubtful whether it is later than what is there, where it is.
    pub doubt: Option<String>,
    /// Named where it is served only to subscribers.
    pub subscription: Option<String>,
    /// The version that subscribers get, where that leaves less.
    pub for_subscribers: Option<Paid>,
}

/// A version for subscribers, beside one that everybody can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Which subscription.
    pub subscription: String,
    /// The version.
    pub version: String,
    /// What matching finds in it.
    pub left: Found,
}

impl Databases {
    /// Where to go from the version of these packages, which are of one source and one version: to
    /// `least` at least, where an archive has that.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub fn upgrade(
        &self,
        packages: &[&Package],
        least: Option<&str>,
        by: (Option<&Distribution>, &Programs),
    ) -> Result<Advice, FormatError> {
        let packages = packages.get(..PACKAGES).unwrap_or(packages);
        let Some(first) = packages.first() else { return Ok(Advice::Unknown) };
        self.look_at(&first.ecosystem, by, |look, _| {
            let lender = Lender::new(self, look.database);
            Search { lender, look, packages, from: current(first), least }.target()
        })
        .unwrap_or(Ok(Advice::Unknown))
    }
}

/// The version that an upgrade changes.
fn current(package: &Package) -> &str {
    package.source.as_ref().map_or(&package.version, |source| &source.version)
}

struct Search<'search> {
    lender: Lender<'search>,
    look: &'search Look<'search>,
    packages: &'search [&'search Package],
    from: &'search str,
    least: Option<&'search str>,
}

impl Search<'_> {
    fn target(&self) -> Result<Advice, FormatError> {
        let (mut now, mut entries) = (Found::new(), Vec::new());
        for package in self.packages {
            let verdict = self.look.at(package)?;
            self.add(package, &verdict, &mut now)?;
            entries.extend(verdict.candidates);
        }
        let paid = |entry: &Candidate<'_>| entry.for_subscribers || entry.block.subscription;
        let free: Vec<&Candidate<'_>> = entries.iter().filter(|entry| !paid(entry)).collect();
        let all: Vec<&Candidate<'_>> = entries.iter().collect();
        // What everybody can have comes first; what only subscribers get is better than nothing.
        let none_paid = free.len() == all.len();
        let free = self.best(&free, &now)?;
        let paid = if none_paid { None } else { self.best(&all, &now)? };
        let subscription = self.look.subscription.to_owned();
        Ok(match (free, paid) {
            (None, None) => match named::last(self.look, &entries, self.from) {
                Some(last) => Advice::After(self.written(last.to_owned())),
                None => Advice::Stay,
            },
            (None, Some((version, left))) => self.go(version, now, left, Some(subscription), None),
            (Some((version, left)), paid) => {
                let paid = paid.filter(|(_, rest)| weight(rest) < weight(&left));
                let paid = paid.map(|(version, left)| Paid {
                    subscription,
                    version: self.written(version),
                    left,
                });
                self.go(version, now, left, None, paid)
            }
        })
    }

    fn go(
        &self,
        version: String,
        now: Found,
        left: Found,
        subscription: Option<String>,
        for_subscribers: Option<Paid>,
    ) -> Advice {
        let same_major = line(self.look.scheme, self.from, &version) < MAJOR;
        let version = self.written(version);
        let doubt = named::doubt(self.look.scheme, self.from, &version);
        Advice::Go(Target { version, now, left, same_major, doubt, subscription, for_subscribers })
    }

    /// The best version that these entries name.
    fn best(
        &self,
        entries: &[&Candidate<'_>],
        now: &Found,
    ) -> Result<Option<(String, Found)>, FormatError> {
        let (renumbered, versions): (Vec<_>, Vec<_>) = self
            .versions(entries)?
            .into_iter()
            .partition(|version| named::is_renumbered(self.look.scheme, self.from, version));
        let best = self.best_of(entries, versions, now)?;
        let Some((_, left)) = &best else { return self.best_of(entries, renumbered, now) };
        if left.is_empty() {
            return Ok(best);
        }
        let of_their_time =
            renumbered.into_iter().filter(|one| named::is_of_their_time(one, now.keys())).collect();
        let other = self.best_of(entries, of_their_time, now)?;
        Ok(other.filter(|(_, rest)| weight(rest) < weight(left)).or(best))
    }

    /// The best of these versions.
    fn best_of(
        &self,
        entries: &[&Candidate<'_>],
        versions: Vec<&str>,
        now: &Found,
    ) -> Result<Option<(String, Found)>, FormatError> {
        let held = self.held(entries, &versions)?;
        let mut counted: Vec<(u32, &str)> = held.into_iter().zip(versions).collect();
        // Among as many, the nearest stays first.
        counted.sort_by_cached_key(|(held, version)| {
            (*held, line(self.look.scheme, self.from, version))
        });
        let mut best: Option<(String, Found)> = None;
        for (held, version) in counted.into_iter().take(MATCHED) {
            let found = self.found(version)?;
            let known = best.as_ref().map_or(now, |(_, found)| found);
            // What the archive has is installed for other reasons too.
            let wanted = self.least.is_some() && best.is_none();
            if wanted || weight(&found) < weight(known) {
                best = Some((version.to_owned(), found));
            }
            if held == 0 && best.is_some() {
                break;
            }
        }
        Ok(best)
    }

    /// How many entries hold each of these versions. What holds the installed version and every later
    /// one is mended by none of them, and is left out.
    fn held(&self, entries: &[&Candidate<'_>], versions: &[&str]) -> Result<Vec<u32>, FormatError> {
        let scheme = self.look.scheme;
        let mut order: Vec<usize> = (0..versions.len()).collect();
        let text = |at: &usize| versions.get(*at).copied().unwrap_or_default();
        order.sort_by(|left, right| {
            scheme.compare(text(left), text(right)).unwrap_or(Ordering::Equal)
        });
        // Of a bound, how many of the versions lie before it; after it, if it counts itself.
        let place = |bound: &str, itself: bool| {
            order.partition_point(|at| match scheme.compare(text(at), bound) {
                Ok(Ordering::Less) => true,
                Ok(Ordering::Equal) => itself,
                _ => false,
            })
        };
        // The same for versions that entries list, by number: they list the same ones.
        let mut places: HashMap<u64, (usize, usize)> = HashMap::new();
        // Where entries begin and end to hold, in that order.
        let mut changes = vec![0_i64; versions.len() + 1];
        let mut change = |at: usize, by: i64| {
            if let Some(sum) = changes.get_mut(at) {
                *sum += by;
            }
        };
        for entry in entries.iter().filter(|entry| !self.stays(entry)) {
            for interval in entry.block.ranges.as_slice() {
                let start = interval.start.map_or(0, |start| place(start, false));
                let end = match interval.end {
                    End::Open => versions.len(),
                    End::Fixed(end) | End::Limit(end) => place(end, false),
                    End::Last(end) => place(end, true),
                };
                if start < end {
                    change(start, 1);
                    change(end, -1);
                }
            }
            for listed in self.look.database.versions(&entry.block)? {
                let (start, end) = match places.get(&listed) {
                    Some(known) => *known,
                    None => {
                        let text = self.look.database.string(listed)?;
                        let found = (place(text, false), place(text, true));
                        places.insert(listed, found);
                        found
                    }
                };
                if start < end {
                    change(start, 1);
                    change(end, -1);
                }
            }
        }
        let mut held = vec![0; versions.len()];
        let mut sum = 0_i64;
        for (at, by) in order.iter().zip(&changes) {
            sum += by;
            if let Some(held) = held.get_mut(*at) {
                *held = u32::try_from(sum).unwrap_or(u32::MAX);
            }
        }
        Ok(held)
    }

    /// The versions above the installed one that entries name and that can be gone to, nearest first.
    fn versions<'look>(
        &'look self,
        entries: &[&Candidate<'look>],
    ) -> Result<Vec<&'look str>, FormatError> {
        let scheme = self.look.scheme;
        let Some(first) = self.packages.first() else { return Ok(Vec::new()) };
        let mut named = match self.is_distribution() {
            // A release has the versions that its notices bring, and no others.
            true => mended(entries).collect(),
            false => named::versions(self.look, &first.name, entries)?,
        };
        named.extend(self.least);
        let mut above: Vec<(u8, &str)> = named
            .into_iter()
            .filter(|version| scheme.compare(version, self.from) == Ok(Ordering::Greater))
            .filter(|version| {
                self.least.is_none_or(|least| scheme.compare(version, least) != Ok(Ordering::Less))
            })
            .filter(|version| named::is_target(scheme, first, self.from, version))
            .map(|version| (line(scheme, self.from, version), version))
            .collect();
        above.sort_by(|left, right| {
            let order = || scheme.compare(left.1, right.1).unwrap_or(Ordering::Equal);
            left.0.cmp(&right.0).then_with(order)
        });
        Ok(above.into_iter().map(|(_, version)| version).collect())
    }

    /// As the ecosystem writes versions: advisories of Go leave out the `v` of modules.
    fn written(&self, version: String) -> String {
        let module = self.packages.first().filter(|_| self.look.scheme == Scheme::Go);
        let written = module.and_then(|one| named::written(&one.name, self.from, &version));
        written.unwrap_or(version)
    }

    /// Whether an entry holds the installed version and every later one.
    fn stays(&self, entry: &Candidate<'_>) -> bool {
        entry.block.ranges.as_slice().iter().any(|interval| {
            let begun = interval.start.is_none_or(|start| {
                self.look.scheme.compare(start, self.from) != Ok(Ordering::Greater)
            });
            interval.end == End::Open && begun
        })
    }

    fn is_distribution(&self) -> bool {
        self.packages.first().is_some_and(|package| package.ecosystem.is_distribution())
    }

    /// What matching says of these packages in a version.
    fn found(&self, version: &str) -> Result<Found, FormatError> {
        let mut left: Found = BTreeMap::new();
        for package in self.packages {
            let moved = moved(package, version);
            self.add(&moved, &self.look.at(&moved)?, &mut left)?;
        }
        Ok(left)
    }

    /// Adds what a verdict finds in a package.
    fn add<'look>(
        &'look self,
        package: &Package,
        verdict: &Verdict<'look>,
        found: &mut Found,
    ) -> Result<(), FormatError> {
        let ids = match is_branch(package) {
            true => Vec::new(),
            false => findings::ids(self.look, package, verdict, &self.lender)?,
        };
        for (id, severity) in ids {
            let worst = found.entry(id).or_insert(severity);
            *worst = (*worst).max(severity);
        }
        Ok(())
    }
}

/// The versions that entries are mended at.
fn mended<'look>(entries: &[&Candidate<'look>]) -> impl Iterator<Item = &'look str> {
    let ranges = entries.iter().flat_map(|entry| entry.block.ranges.as_slice());
    ranges.filter_map(|interval| match interval.end {
        End::Fixed(end) => Some(end),
        _ => None,
    })
}

/// A package as it would be in another version.
fn moved(package: &Package, version: &str) -> Package {
    let mut moved = package.clone();
    if current(package) != version {
        version.clone_into(&mut moved.version);
        if let Some(source) = &mut moved.source {
            version.clone_into(&mut source.version);
        }
        moved.purl = moved.purl.with_version(version);
    }
    moved
}

/// How bad what is found is: the worst first, and what nobody has rated before what is rated medium.
fn weight(found: &Found) -> [usize; 6] {
    use Severity::{Critical, High, Low, Medium, Negligible, Unknown};
    [Critical, High, Unknown, Medium, Low, Negligible]
        .map(|level| found.values().filter(|severity| **severity == level).count())
}

/// Another major release.
const MAJOR: u8 = 2;

/// The first three numbers of a version.
fn first_numbers(text: &str) -> [&str; 3] {
    let text = text.trim_start_matches(['v', 'V']);
    let text = text.split_once('!').map_or(text, |(_, rest)| rest);
    let plain = text.split(['-', '+', '_']).next().unwrap_or_default();
    let mut numbers = plain.split('.');
    [(); 3].map(|()| numbers.next().unwrap_or("0"))
}

/// How far a version is: 0 in the same minor release, 1 in the same major one, 2 beyond. Versions of
/// a distribution are all of one line: its release.
fn line(scheme: Scheme, from: &str, to: &str) -> u8 {
    if scheme.is_of_distribution() {
        return 0;
    }
    let (from, to) = (first_numbers(from), first_numbers(to));
    let same = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
    // Before 1.0 the second number is what breaks, where `^0.2.3` means that. Sources: Semantic
    // Versioning 2.0.0, item 4; the Cargo book, "Specifying Dependencies"; npm, `semver`; Composer,
    // "Caret Version Range"; Dart, "Package versioning".
    let caret = matches!(scheme, Scheme::Semver | Scheme::Npm | Scheme::Packagist | Scheme::Pub);
    let early = caret && from.first() == Some(&"0");
    let same = if early { same.saturating_sub(1) } else { same };
    match same {
        0 => MAJOR,
        1 => 1,
        _ => 0,
    }
}
