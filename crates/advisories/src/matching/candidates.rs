//! Which entries of a database are about a package, and which of them hold its version.

use crate::database::{Axis, BlockView, CveView, Database};
use crate::format::FormatError;
use crate::intervals::{End, Interval};
use crate::{kernel, modules};
use foldhash::HashMap;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::HashSet;
use version::{Scheme, VersionError};
use vocabulary::{Package, Programs};

/// Where to look.
#[derive(Clone, Copy)]
pub(super) struct Look<'db> {
    pub(super) database: &'db Database,
    pub(super) scheme: Scheme,
    /// Indexes of the releases that count.
    pub(super) main: &'db [u32],
    /// Indexes of those whose advisories are for subscribers.
    pub(super) subscribers: &'db [u32],
    /// What they subscribe to.
    pub(super) subscription: &'db str,
    /// What programs say beyond their packages.
    pub(super) programs: &'db Programs,
}

/// An entry that is about a package.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'look> {
    pub(super) block: BlockView<'look>,
    /// The name and version that are compared.
    pub(super) name: Cow<'look, str>,
    pub(super) version: Cow<'look, str>,
    /// Whether these are the source package's.
    pub(super) of_source: bool,
    /// Whether the entry stands in a release for subscribers.
    pub(super) for_subscribers: bool,
}

/// An entry that holds the package's version: in an interval, or in its list.
#[derive(Clone, Debug)]
pub(super) struct Hit<'look> {
    /// Index into the candidates.
    pub(super) candidate: usize,
    pub(super) interval: Option<Interval<&'look str>>,
}

/// What a database says of a package.
#[derive(Debug, Default)]
pub(super) struct Verdict<'look> {
    pub(super) candidates: Vec<Candidate<'look>>,
    pub(super) hits: Vec<Hit<'look>>,
    /// CVEs that an update for subscribers, which is installed, mends.
    pub(super) mended: HashSet<CveView<'look>>,
    pub(super) problems: Vec<String>,
    /// The versions that candidates name and that can be gone to, in their order, once somebody has
    /// asked for them.
    pub(super) versions: OnceCell<Vec<&'look str>>,
}

impl<'look> Look<'look> {
    /// Looks a package up.
    pub(super) fn at(&self, package: &'look Package) -> Result<Verdict<'look>, FormatError> {
        let mut verdict = Verdict::default();
        if package.ecosystem.is_distribution() && kernel::is_headers(&package.name) {
            return Ok(verdict);
        }
        verdict.candidates = self.candidates(package)?;
        if self.scheme == Scheme::Rpm {
            self.keep_own_branch(package, &mut verdict.candidates)?;
        }
        let mut same = Same::default();
        for index in 0..verdict.candidates.len() {
            let Some(candidate) = verdict.candidates.get(index) else { continue };
            let mut errors = Vec::new();
            let holds = self.holds_with(candidate, &candidate.version, &mut same, &mut errors)?;
            for error in errors {
                verdict.problems.push(problem(package, candidate, &error));
            }
            if let Some(interval) = holds {
                verdict.hits.push(Hit { candidate: index, interval });
            } else if candidate.for_subscribers && mends(&candidate.block) {
                let record = self.database.record(candidate.block.record)?;
                let places = self.database.cves_of(&candidate.block, &record)?;
                let mended = places.iter().filter_map(|place| record.cves.get(*place));
                verdict.mended.extend(mended.copied());
            }
        }
        Ok(verdict)
    }

    fn candidates(&self, package: &'look Package) -> Result<Vec<Candidate<'look>>, FormatError> {
        let releases: Vec<u32> = self.main.iter().chain(self.subscribers).copied().collect();
        let mut found: Vec<Candidate<'look>> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |name: Cow<'look, str>, version: &'look str, of_source: bool| {
            for (place, block) in self.database.blocks(&name, &releases)? {
                let wanted = match block.axis {
                    Axis::Name => !of_source,
                    Axis::Source => of_source,
                    Axis::Either => true,
                    Axis::BinaryOfSource => !of_source,
                    Axis::KernelSource => of_source && kernel::is_image(&package.name),
                };
                if !wanted || !seen.insert((place, of_source && block.axis != Axis::Either)) {
                    continue;
                }
                let by_source = block.axis == Axis::BinaryOfSource;
                let source = package.source.as_ref().filter(|_| by_source);
                found.push(Candidate {
                    for_subscribers: self.subscribers.contains(&block.release),
                    block,
                    name: name.clone(),
                    version: source.map_or(version, |source| &source.version).into(),
                    of_source: of_source || by_source,
                });
            }
            Ok::<_, FormatError>(())
        };
        add(Cow::Borrowed(&package.name), &package.version, false)?;
        if package.ecosystem.is_distribution() {
            let (name, version) = package
                .source
                .as_ref()
                .map_or((package.name.as_str(), package.version.as_str()), |source| {
                    (source.name.as_str(), source.version.as_str())
                });
            add(Cow::Borrowed(name), version, true)?;
            if let Some(unsigned) = kernel::unsigned_source(name) {
                add(Cow::Owned(unsigned), &package.version, true)?;
            }
        }
        Ok(found)
    }

    /// Of several versions that one rpm notice mends a package at, keeps those of the installed
    /// version's own branch: its module stream, then the minor release that it was built for, else
    /// the least, because each of them is a mended build.
    fn keep_own_branch(
        &self,
        package: &Package,
        candidates: &mut Vec<Candidate<'_>>,
    ) -> Result<(), FormatError> {
        let module = package.module.as_deref();
        let mut failed = None;
        candidates.retain(|candidate| {
            let stream = match self.database.record(candidate.block.record) {
                Ok(record) => record.stream,
                Err(error) => {
                    failed.get_or_insert(error);
                    None
                }
            };
            fixed(&candidate.block)
                .is_none_or(|end| modules::concerns(end, stream, &candidate.version, module))
        });
        failed.map_or(Ok(()), Err)?;
        let rivals: Vec<(u32, u32, String)> = candidates
            .iter()
            .filter_map(|candidate| {
                let end = fixed(&candidate.block)?.to_owned();
                Some((candidate.block.record, candidate.block.release, end))
            })
            .collect();
        candidates.retain(|candidate| {
            let Some(own) = fixed(&candidate.block) else { return true };
            let same_line = |end: &str| modules::same_line(end, &candidate.version);
            let others = || {
                rivals.iter().filter(|(record, release, end)| {
                    *record == candidate.block.record
                        && *release == candidate.block.release
                        && end != own
                })
            };
            if same_line(own) {
                return true;
            }
            !others().any(|(_, _, end)| {
                same_line(end) || self.scheme.compare(end, own) == Ok(Ordering::Less)
            })
        });
        Ok(())
    }

    /// Whether an entry holds a version: by an interval (`Some(Some)`) or by name (`Some(None)`).
    pub(super) fn holds(
        &self,
        candidate: &Candidate<'look>,
        version: &str,
    ) -> Result<Option<Option<Interval<&'look str>>>, FormatError> {
        self.holds_with(candidate, version, &mut Same::default(), &mut Vec::new())
    }

    fn holds_with(
        &self,
        candidate: &Candidate<'look>,
        version: &str,
        same: &mut Same,
        errors: &mut Vec<VersionError>,
    ) -> Result<Option<Option<Interval<&'look str>>>, FormatError> {
        if candidate.block.custom && is_unversioned(version) {
            return Ok(Some(Some(Interval { start: None, end: End::Open })));
        }
        for interval in candidate.block.ranges.as_slice() {
            match interval.holds(self.scheme, version) {
                Ok(true) => return Ok(Some(Some(*interval))),
                Ok(false) => {}
                Err(error) => errors.push(error),
            }
        }
        for listed in self.database.versions(&candidate.block)? {
            if same.is(self, listed, version)? {
                return Ok(Some(None));
            }
        }
        Ok(None)
    }
}

/// Which texts are one version. Entries of a package list the same ones: each is compared once.
#[derive(Debug, Default)]
struct Same {
    version: String,
    known: HashMap<u64, bool>,
}

impl Same {
    /// Whether the text of a number is this version.
    fn is(&mut self, look: &Look<'_>, number: u64, version: &str) -> Result<bool, FormatError> {
        if self.version != version {
            version.clone_into(&mut self.version);
            self.known.clear();
        }
        if let Some(known) = self.known.get(&number) {
            return Ok(*known);
        }
        let other = look.database.string(number)?;
        let is = other == version || look.scheme.compare(version, other) == Ok(Ordering::Equal);
        self.known.insert(number, is);
        Ok(is)
    }
}

/// Go gives a module without tags of its own such versions (`v0.0.0-20240101…`): they have no place
/// among bounds that follow the tags.
fn is_unversioned(version: &str) -> bool {
    version.trim_start_matches('v').starts_with("0.0.0-")
}

/// The version at which an entry is mended, where it has one interval.
fn fixed<'file>(block: &BlockView<'file>) -> Option<&'file str> {
    match block.ranges.as_slice() {
        [Interval { end: End::Fixed(end), .. }] => Some(end),
        _ => None,
    }
}

fn mends(block: &BlockView<'_>) -> bool {
    block.ranges.as_slice().iter().any(|interval| matches!(interval.end, End::Fixed(_)))
}

fn problem(package: &Package, candidate: &Candidate<'_>, error: &VersionError) -> String {
    if package.version.is_empty() {
        // A range or a bare name: there is nothing to compare, and nothing wrong with what is there.
        return format!(
            "{}: its version is not pinned, and advisories name it: not compared",
            package.name
        );
    }
    if candidate.version.starts_with(error.text.as_str()) {
        format!("{}: {error}: not compared with advisories", package.name)
    } else {
        format!("{}: an advisory has a bound that cannot be compared: {error}", package.name)
    }
}
