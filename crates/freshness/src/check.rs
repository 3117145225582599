//! The check: choose a place, fetch, verify, bind, compare.
//!
//! What is not known to be the newest is not called fresh: a Release past its `Valid-Until`, an old one
//! without that field, and one older than what was served before leave their findings (they are true
//! all the same) and a coverage that says `partial`. What is not signed by a trusted key, or is not what
//! was signed, leaves no findings and a coverage that says `failed`.

use crate::CHECK;
use crate::apt_sources::{self, Source};
use crate::compare::{self, Told};
use crate::mirror::{Fetched, Mirror, MirrorError, State};
use crate::openpgp::{Fingerprint, Keyring, PgpError, verify};
use crate::packages_index::{self, Offer};
use crate::place::{Place, place};
use crate::release::{self, Release};
use crate::trust::Trust;
use fetch::{Client, FetchError};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::path::Path;
use vocabulary::{Coverage, Distribution, Finding, Package, Problem, Status};

/// Up to which age a Release without `Valid-Until`, as Ubuntu's are, is taken as the newest. Suites that
/// are supported change every few days; Debian's end after seven.
const WITHOUT_END: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How far a clock may be behind that of the archive.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(24);

/// Architectures of one image: real ones have one or two.
const ARCHITECTURES: usize = 4;

/// Keyrings that are named in one message.
const NAMED: usize = 4;

/// What an image says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'asked> {
    /// Its distribution.
    pub distribution: Option<&'asked Distribution>,
    /// Its packages, of all kinds.
    pub packages: &'asked [Package],
    /// Its files of apt sources: path and text.
    pub sources: &'asked [(String, String)],
    /// Its keyrings: path and bytes.
    pub keyrings: &'asked [(String, Vec<u8>)],
}

/// By what it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Means<'means> {
    /// Who connects.
    pub client: &'means Client,
    /// Folder where what was fetched is kept.
    pub cache: Option<&'means Path>,
    /// Where the user says that the security suites are, in place of what the image says.
    pub mirror: Option<&'means str>,
    /// Keys that the user trusts.
    pub keyring: &'means Keyring,
    /// The moment for which it counts.
    pub now: Timestamp,
}

/// What the archive says.
#[derive(Clone, Debug, PartialEq)]
pub struct Freshness {
    /// Packages for which it has a newer version.
    pub findings: Vec<Finding>,
    /// How far the check came.
    pub coverage: Coverage,
}

/// Asks the archive of an image's distribution. What goes wrong becomes coverage.
#[must_use]
pub fn check(asked: &Asked<'_>, means: &Means<'_>) -> Freshness {
    attempt(asked, means).unwrap_or_else(|coverage| Freshness { findings: Vec::new(), coverage })
}

fn attempt(asked: &Asked<'_>, means: &Means<'_>) -> Result<Freshness, Coverage> {
    let skipped = |reason: String| Coverage::skipped(CHECK, reason);
    let distribution =
        asked.distribution.ok_or_else(|| skipped("it names no distribution".to_owned()))?;
    if !asked.packages.iter().any(compare::concerns) {
        return Err(skipped("it has no packages of dpkg".to_owned()));
    }
    let native = compare::native(asked.packages);
    let own: Vec<Source> =
        asked.sources.iter().flat_map(|(path, text)| apt_sources::sources(path, text)).collect();
    let place = place(distribution, &own, &native, means.mirror).map_err(skipped)?;
    let trust = Trust::new(&distribution.id, &place.suite, means.keyring);
    let known =
        Known { keyring: keys(asked, &trust), trust, means, unread: unread(asked, &own, &place) };
    let mirror = Mirror::new(means.client, &place, means.cache);
    let newest = newest(&mirror, &known, &place)?;
    let (offers, mut problems) = offers(&mirror, &newest.release, asked.packages, &native)?;
    let told = Told {
        archive: fetch::redact(&place.base),
        suite: place.suite.clone(),
        date: newest.release.date.to_string(),
        signer: newest.signer.to_string(),
    };
    let (findings, uncompared) = compare::compare(asked.packages, &offers, &native, &told);
    problems.extend(uncompared);
    let mut coverage = Coverage::with_problems(CHECK, problems);
    let stale = stale(&newest, means.now);
    if stale.is_some() {
        coverage.status = Status::Partial;
    }
    let told = format!(
        "{} of {} ({}), {}, signed by {}",
        told.suite, told.archive, place.by, told.date, told.signer
    );
    coverage.reason = Some(stale.map_or_else(|| told.clone(), |stale| format!("{stale}; {told}")));
    Ok(Freshness { findings, coverage })
}

/// A Release that is believed.
struct Believed {
    release: Release,
    signer: Fingerprint,
    /// The date of what the archive served in its place.
    rolled_back: Option<Timestamp>,
}

/// By what a Release is believed.
struct Known<'means> {
    keyring: Keyring,
    trust: Trust,
    means: &'means Means<'means>,
    /// Keyrings that the image names and that were not read.
    unread: Vec<String>,
}

/// The keys that are pinned or given, and those of the image, of which only those count that are
/// trusted. The former come first: of a key that is there, an image's copy adds only what the key says
/// of itself.
fn keys(asked: &Asked<'_>, trust: &Trust) -> Keyring {
    let mut keyring = trust.keys().clone();
    let embedded = asked.sources.iter().flat_map(|(path, text)| apt_sources::keys(path, text));
    let embedded: Vec<String> = embedded.collect();
    let files = asked.keyrings.iter().map(|(_, bytes)| bytes.as_slice());
    for file in files.chain(embedded.iter().map(String::as_bytes)) {
        // A keyring that cannot be read vouches for nothing; what is missing shows at the signature.
        let _ = keyring.add(file);
    }
    keyring
}

/// The keyrings that the image's sources name for the suite and that were not read.
fn unread(asked: &Asked<'_>, sources: &[Source], place: &Place) -> Vec<String> {
    let of_suite = sources.iter().filter(|one| one.suite.trim_end_matches('/') == place.suite);
    let named: BTreeSet<&str> =
        of_suite.flat_map(|one| &one.keyrings).map(|name| name.trim_start_matches('/')).collect();
    let is_read = |name: &&str| asked.keyrings.iter().any(|(path, _)| path == name);
    let unread = named.into_iter().filter(|name| !is_read(name));
    unread.take(NAMED).map(|name| format!("`/{}`", printable(name))).collect()
}

impl Known<'_> {
    /// The Release of an `InRelease` that a trusted key signed, and that is of the suite asked for.
    fn believe(&self, bytes: &[u8], place: &Place) -> Result<Believed, String> {
        let now = self.means.now.as_second();
        let verified = verify(bytes, &self.keyring, |key| self.trust.holds(key), now)
            .map_err(|error| self.explain(&error))?;
        let release = release::parse(&verified.text).map_err(|error| error.to_string())?;
        let Place { suite, .. } = place;
        if !release.is_of(suite) {
            return Err(format!("it is signed, but is of {}, not of {suite}", release.codename));
        }
        if release.date > self.means.now + CLOCK_SLACK {
            return Err(format!("it is of {}, which is in the future", release.date));
        }
        Ok(Believed { release, signer: verified.signer, rolled_back: None })
    }

    /// Why nobody who is trusted signed it: the keys may lie where they are not looked for.
    fn explain(&self, error: &PgpError) -> String {
        match (error, self.unread.as_slice()) {
            (PgpError::Untrusted(_), [_, ..]) => format!(
                "{error}; the image's sources say that it is signed by {}, which is not there or not in a folder of keyrings, and is not read",
                self.unread.join(", ")
            ),
            _ => error.to_string(),
        }
    }
}

/// The newest Release that the archive has served to this machine.
fn newest(mirror: &Mirror<'_>, known: &Known<'_>, place: &Place) -> Result<Believed, Coverage> {
    let failed = |reason: String| {
        let base = fetch::redact(&place.base);
        Coverage::failed(CHECK, format!("InRelease of {} from {base}: {reason}", place.suite))
    };
    let kept: Option<(Believed, State)> =
        mirror.kept().and_then(|(bytes, state)| Some((known.believe(&bytes, place).ok()?, state)));
    let fetched = mirror.release(kept.as_ref().map(|(_, state)| state)).map_err(unfetched)?;
    let (bytes, state) = match (fetched, kept) {
        (Fetched::Unchanged, Some((kept, _))) => return Ok(kept),
        (Fetched::Unchanged, None) => return Err(failed("it was not sent".to_owned())),
        (Fetched::New(bytes, state), Some((kept, _))) => {
            let believed = known.believe(&bytes, place).map_err(failed)?;
            if believed.release.date < kept.release.date {
                return Ok(Believed { rolled_back: Some(believed.release.date), ..kept });
            }
            (bytes, state)
        }
        (Fetched::New(bytes, state), None) => (bytes, state),
    };
    let believed = known.believe(&bytes, place).map_err(failed)?;
    mirror.keep(&bytes, &state, &believed.release);
    Ok(believed)
}

fn unfetched(error: MirrorError) -> Coverage {
    match error {
        MirrorError::Fetch(FetchError::Offline { .. }) => {
            Coverage::skipped(CHECK, "`--offline` is set, and the archive must be asked")
        }
        error => Coverage::failed(CHECK, error.to_string()),
    }
}

/// Why a Release is not known to be the newest.
fn stale(believed: &Believed, now: Timestamp) -> Option<String> {
    let Believed { release, rolled_back, .. } = believed;
    if let Some(date) = rolled_back {
        return Some(format!(
            "the archive now serves an older state, of {date}, which is not taken"
        ));
    }
    match release.valid_until {
        Some(end) if now > end => Some(format!(
            "what the archive serves is valid until {end}, so newer updates may exist"
        )),
        None if now.duration_since(release.date) > WITHOUT_END => {
            Some(format!("what the archive serves is old, of {}, and names no end", release.date))
        }
        _ => None,
    }
}

/// What the archive offers of the packages that are installed.
fn offers(
    mirror: &Mirror<'_>,
    release: &Release,
    packages: &[Package],
    native: &str,
) -> Result<(Vec<Offer>, Vec<Problem>), Coverage> {
    let concerned = || packages.iter().filter(|package| compare::concerns(package));
    let wanted: BTreeSet<&str> = concerned().map(|package| package.name.as_str()).collect();
    let mut architectures: Vec<&str> = vec![native];
    architectures.extend(concerned().filter_map(|package| package.architecture.as_deref()));
    let mut seen = BTreeSet::new();
    // The index of an architecture holds what is of all.
    architectures.retain(|name| (*name != "all" || native == "all") && seen.insert(*name));
    let mut problems = Vec::new();
    let mut problem = |path: String, reason: &str| {
        problems.push(Problem { path, layer: None, reason: reason.to_owned() });
    };
    for name in architectures.iter().skip(ARCHITECTURES) {
        problem(printable(name), "one architecture too many: not compared");
    }
    let mut offers = Vec::new();
    for architecture in architectures.into_iter().take(ARCHITECTURES) {
        let mut found = false;
        for component in &release.components {
            let Some((path, listed)) = release.index(component, architecture) else { continue };
            found = true;
            let bytes = mirror.index(&path, &listed, release.by_hash).map_err(unfetched)?;
            let read = packages_index::read(&bytes, path.ends_with(".xz"), &wanted);
            let failed = |error| Coverage::failed(CHECK, format!("`{path}`: {error}"));
            offers.extend(read.map_err(failed)?);
        }
        if !found {
            problem(printable(architecture), "the archive has no packages of this architecture");
        }
    }
    Ok((offers, problems))
}

/// A word of the image, which may be anything.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(64).collect()
}
