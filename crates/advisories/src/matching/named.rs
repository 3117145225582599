//! Versions of a package that advisories name, and which of them can be gone to.
//!
//! A version that a record names exists, whatever the record says of it: the one behind the last
//! affected version of one record is often listed by another. Not all that stands in a record is a
//! version that can be had, though: a commit, a version that the module's path does not allow.

use super::candidates::{Candidate, Look};
use crate::format::FormatError;
use crate::intervals::End;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use version::Scheme;
use vocabulary::Package;

/// Versions of one package that are considered. The longest lists that are known have some 2,500.
const VERSIONS: usize = 8_192;
/// From so many letters on hexadecimal digits are a commit's digest. Source: git-config(1),
/// `core.abbrev`.
const COMMIT: usize = 7;
/// First numbers above this are years, below [`FEW`] they count releases.
const YEARS: u64 = 1_000;
const FEW: u64 = 100;

/// All versions that entries name: where something begins or ends, and those that they list.
pub(super) fn versions<'look>(
    look: &Look<'look>,
    module: &str,
    entries: &[&Candidate<'look>],
) -> Result<BTreeSet<&'look str>, FormatError> {
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for entry in entries {
        for interval in entry.block.ranges.as_slice() {
            let end = match interval.end {
                End::Fixed(end) | End::Last(end) => Some(end),
                // That a limit exists is not known.
                End::Limit(_) | End::Open => None,
            };
            let bounds = interval.start.into_iter().chain(end);
            let is_none = |bound: &str| {
                is_mere_bound(look.scheme, bound)
                    || entry.block.custom && is_release_alone(module, bound)
            };
            named.extend(bounds.filter(|bound| !is_none(bound)));
        }
    }
    let mut listed: BTreeSet<u64> = BTreeSet::new();
    for entry in entries {
        if named.len() + listed.len() >= VERSIONS {
            break;
        }
        listed.extend(look.database.named(&entry.block)?);
        listed.extend(look.database.versions(&entry.block)?);
    }
    for number in listed.into_iter().take(VERSIONS.saturating_sub(named.len())) {
        named.insert(look.database.string(number)?);
    }
    Ok(named)
}

/// Whether a bound that does not follow the order of modules is the project's release and no version of
/// the module: Go's database writes `+incompatible` where there is one.
/// Source: Go Vulnerability Database, `custom_ranges`.
fn is_release_alone(module: &str, bound: &str) -> bool {
    let major = first_number(bound).unwrap_or(0);
    major >= 2 && path_major(module).is_none() && !bound.ends_with("+incompatible")
}

/// Whether a bound stands for "all of that line" (`3.999.999`), and no version is called so. There are
/// versions of nines alone (`0.9999`), but none of npm's kind, and none of two such numbers.
fn is_mere_bound(scheme: Scheme, text: &str) -> bool {
    let nines = |part: &str| part.len() >= 3 && part.bytes().all(|byte| byte == b'9');
    let parts = text.split(['.', '-', '+']).filter(|part| nines(part)).count();
    let three = matches!(scheme, Scheme::Semver | Scheme::Npm | Scheme::Pub | Scheme::Go);
    parts >= if three { 1 } else { 2 }
}

/// Whether a version that an advisory names is one that a package can be upgraded to.
pub(super) fn is_target(scheme: Scheme, package: &Package, from: &str, version: &str) -> bool {
    if scheme.is_of_distribution() {
        return true;
    }
    let pre_release = scheme.is_pre_release(version) && !scheme.is_pre_release(from);
    is_version(scheme, version)
        && !pre_release
        && (scheme != Scheme::Go || written(&package.name, from, version).is_some())
}

/// Whether a text has the form of versions in the ecosystem, which its order alone does not ask for.
fn is_version(scheme: Scheme, text: &str) -> bool {
    if scheme.check(text).is_err() {
        return false;
    }
    let is_commit = text.len() >= COMMIT
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let core = text.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let numbers = core.split('.').count();
    let shaped = match scheme {
        // Sources: Go Modules Reference, "Versions"; Semantic Versioning 2.0.0, item 2.
        Scheme::Go => numbers == 3 || text.starts_with("go"),
        Scheme::Semver | Scheme::Npm | Scheme::Pub => numbers <= 3,
        _ => true,
    };
    shaped && !is_commit
}

/// A version as the ecosystem writes it. Of Go: with the `v` that advisories leave out, where the
/// installed one has it, and `+incompatible` where the module has no major version in its path; none
/// where its path does not allow it. Source: Go Modules Reference, "Major version suffixes",
/// "+incompatible versions".
pub(super) fn written(module: &str, from: &str, version: &str) -> Option<String> {
    let bare = version.trim_start_matches('v');
    let prefix = if from.starts_with('v') { "v" } else { "" };
    if ["stdlib", "toolchain"].contains(&module) || version.starts_with("go") {
        return Some(format!("{prefix}{bare}"));
    }
    let major = first_number(bare)?;
    let of_path = path_major(module);
    let is_incompatible = |text: &str| text.ends_with("+incompatible");
    match of_path {
        Some(own) => (major == own).then(|| format!("{prefix}{bare}")),
        None if major < 2 || is_incompatible(bare) => Some(format!("{prefix}{bare}")),
        // Bills leave it out, and some advisories.
        None if is_incompatible(from) || first_number(from).is_some_and(|own| own >= 2) => {
            let mark =
                if from.starts_with('v') || is_incompatible(from) { "+incompatible" } else { "" };
            Some(format!("{prefix}{bare}{mark}"))
        }
        None => None,
    }
}

/// The major version that a module's path is bound to: `example.org/a/v2`, `gopkg.in/a.v2`.
fn path_major(module: &str) -> Option<u64> {
    let last = module.rsplit('/').next().unwrap_or(module);
    let number = match module.starts_with("gopkg.in/") {
        true => last.rsplit_once(".v")?.1,
        false => last.strip_prefix('v')?,
    };
    let number = number.parse().ok()?;
    (module.contains('/') && (number >= 2 || module.starts_with("gopkg.in/"))).then_some(number)
}

fn first_number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(['v', 'V']);
    let text = text.split_once('!').map_or(text, |(_, rest)| rest);
    let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Whether two versions are numbered in two ways: one counts releases, the other years. Which of them is
/// later their numbers do not tell.
pub(super) fn is_renumbered(scheme: Scheme, from: &str, to: &str) -> bool {
    let numbers = first_number(from).zip(first_number(to));
    !scheme.is_of_distribution()
        && numbers.is_some_and(|(from, to)| from < FEW && to >= YEARS || to < FEW && from >= YEARS)
}

/// Whether a version that counts years is of the year of the newest of these ids (`CVE-2026-…`) or later:
/// then it is no older than what is known to be wrong with those that count releases.
pub(super) fn is_of_their_time<'id>(version: &str, ids: impl Iterator<Item = &'id String>) -> bool {
    let year = |id: &String| id.strip_prefix("CVE-")?.get(..4)?.parse::<u64>().ok();
    let newest = ids.filter_map(year).max();
    newest.zip(first_number(version)).is_some_and(|(newest, own)| own >= newest)
}

/// What a version of Maven is built for, where it says so (`32.0.0-android`, `9.4.1.jre11`).
fn flavour(version: &str) -> Option<&str> {
    const OF_RELEASES: [&str; 14] = [
        "final",
        "ga",
        "release",
        "sp",
        "alpha",
        "beta",
        "a",
        "b",
        "m",
        "rc",
        "cr",
        "snapshot",
        "pre",
        "incubating",
    ];
    let last = version.rsplit(['-', '.']).next()?;
    let word = last.trim_end_matches(|one: char| one.is_ascii_digit());
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let of_releases = OF_RELEASES.iter().any(|known| word.eq_ignore_ascii_case(known));
    (is_word && !of_releases).then_some(last)
}

/// Why it is doubtful whether a version is later than what is there, where it is.
pub(super) fn doubt(scheme: Scheme, from: &str, to: &str) -> Option<String> {
    if is_renumbered(scheme, from, to) {
        return Some("another numbering, which may be older".to_owned());
    }
    if scheme == Scheme::Maven
        && let Some((here, there)) = flavour(from).zip(flavour(to))
        && here != there
    {
        return Some(format!("built for {there}; look for the same one for {here}"));
    }
    let day = commit_day(from).filter(|_| scheme == Scheme::Go)?;
    // What has no release above zero was tagged along one line.
    if commit_day(to).is_none() && first_number(to) == Some(0) {
        return None;
    }
    if let Some(of_target) = commit_day(to) {
        return (of_target < day).then(|| format!("a commit of {of_target}, and {day} is there"));
    }
    Some(format!("what is there is a commit of {day}, and the version may be older"))
}

/// The day of the commit of a pseudo-version without a tag before it: `v0.0.0-20240131120000-…`.
/// Source: Go Modules Reference, "Pseudo-versions".
fn commit_day(version: &str) -> Option<String> {
    let rest = version.trim_start_matches('v').strip_prefix("0.0.0-")?;
    let time = rest.rsplit_once('-').map_or(rest, |(time, _)| time);
    let time = time.rsplit_once('.').map_or(time, |(_, time)| time);
    if time.len() != 14 || !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(format!("{}-{}-{}", time.get(..4)?, time.get(4..6)?, time.get(6..8)?))
}

/// The last affected version of what these entries say of the installed version, behind which none of
/// them holds others: whatever comes later has none of what ends there, and nothing new.
pub(super) fn last<'look>(
    look: &Look<'look>,
    entries: &[Candidate<'look>],
    from: &str,
) -> Option<&'look str> {
    let later = |left: &str, right: &str| look.scheme.compare(left, right) == Ok(Ordering::Greater);
    let ranges = || entries.iter().flat_map(|entry| entry.block.ranges.as_slice());
    let begun = |start: Option<&str>| start.is_none_or(|start| !later(start, from));
    let lasts = ranges().filter(|interval| begun(interval.start)).filter_map(|interval| {
        let End::Last(end) = interval.end else { return None };
        (!later(from, end) && is_version(look.scheme, end)).then_some(end)
    });
    let last = lasts.reduce(|highest, end| if later(end, highest) { end } else { highest })?;
    let holds_others =
        ranges().filter(|interval| !begun(interval.start)).any(|interval| match interval.end {
            End::Open => true,
            End::Fixed(end) | End::Last(end) | End::Limit(end) => later(end, last),
        });
    (!holds_others).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_version_of_the_ecosystem_is_no_target() {
        for (scheme, text, expected) in [
            (Scheme::Pep440, "139076a", false),
            (Scheme::Pep440, "2024.1", true),
            (Scheme::Pep440, "20240101", true),
            (Scheme::Go, "3.6.40.0.0-20260101000000-0123456789ab", false),
            (Scheme::Go, "0.0.0-20260101000000-0123456789ab", true),
            (Scheme::Go, "v1.2.3", true),
            (Scheme::Go, "1.2", false),
            (Scheme::Npm, "1.2.3.4", false),
            (Scheme::Npm, "1.2.3-rc.1", true),
            (Scheme::NuGet, "1.2.3.4", true),
        ] {
            assert_eq!(is_version(scheme, text), expected, "{text}");
        }
    }

    #[test]
    fn a_module_goes_only_where_its_path_allows() {
        for (module, from, version, expected) in [
            ("example.org/a", "v1.0.0", "1.2.0", Some("v1.2.0")),
            ("example.org/a", "1.0.0", "1.2.0", Some("1.2.0")),
            ("example.org/a", "v1.0.0", "2.3.0", None),
            ("example.org/a", "v1.0.0", "2.3.0+incompatible", Some("v2.3.0+incompatible")),
            ("example.org/a", "v20.1.0+incompatible", "25.0.6", Some("v25.0.6+incompatible")),
            ("example.org/a", "20.1.0", "25.0.6", Some("25.0.6")),
            ("example.org/a", "20.1.0", "25.0.6+incompatible", Some("25.0.6+incompatible")),
            ("example.org/a/v2", "v2.0.0", "2.3.0", Some("v2.3.0")),
            ("example.org/a/v2", "v2.0.0", "3.0.0", None),
            ("example.org/a/v2", "v2.0.0", "1.9.0", None),
            ("gopkg.in/yaml.v2", "v2.0.0", "2.2.8", Some("v2.2.8")),
            ("gopkg.in/yaml.v2", "v2.0.0", "3.0.1", None),
            ("stdlib", "1.20.0", "1.21.9", Some("1.21.9")),
        ] {
            assert_eq!(written(module, from, version).as_deref(), expected, "{module} {version}");
        }
    }

    #[test]
    fn a_release_of_a_project_is_not_always_a_version_of_its_module() {
        for (module, bound, expected) in [
            ("example.org/a", "10.4.15", true),
            ("example.org/a", "10.4.15+incompatible", false),
            ("example.org/a", "1.6.27", false),
            ("example.org/a/v2", "2.8.0", false),
        ] {
            assert_eq!(is_release_alone(module, bound), expected, "{module} {bound}");
        }
    }

    #[test]
    fn a_bound_of_nines_is_no_version() {
        for (scheme, text, expected) in [
            (Scheme::Npm, "3.999.999", true),
            (Scheme::Npm, "4.9999.0", true),
            (Scheme::Npm, "3.99.9", false),
            (Scheme::Pep440, "0.99999999", false),
            (Scheme::Pep440, "2.999.999", true),
        ] {
            assert_eq!(is_mere_bound(scheme, text), expected, "{text}");
        }
    }

    #[test]
    fn another_build_of_a_version_is_doubted() {
        let of = |from, to| doubt(Scheme::Maven, from, to);
        assert_eq!(
            of("31.1-jre", "32.0.0-android").as_deref(),
            Some("built for android; look for the same one for jre")
        );
        for (from, to) in [
            ("31.1-jre", "32.0.0-jre"),
            ("31.1-jre", "32.0.0"),
            ("5.3.1.RELEASE", "5.4.0.Final"),
            ("1.0.0.RC1", "1.0.0.RC2"),
            ("1.0", "1.1-android"),
        ] {
            assert_eq!(of(from, to), None, "{from} {to}");
        }
        assert!(of("7.4.1.jre8", "9.4.1.jre11").is_some());
    }

    #[test]
    fn a_year_is_later_than_what_was_found_before_it() {
        let ids = ["CVE-2025-1", "GHSA-x", "CVE-2024-2"].map(str::to_owned);
        assert!(is_of_their_time("2026.1.0", ids.iter()));
        assert!(is_of_their_time("2025.1", ids.iter()));
        assert!(!is_of_their_time("2014.2.4", ids.iter()));
        assert!(!is_of_their_time("2026.1", ids.get(1..2).unwrap().iter()));
    }

    #[test]
    fn a_version_that_may_be_older_is_doubted() {
        let renumbered = |scheme, from, to| is_renumbered(scheme, from, to);
        assert!(renumbered(Scheme::Pep440, "16.3.1", "2014.2.4"));
        assert!(!renumbered(Scheme::Pep440, "2014.1", "2014.2.4"));
        assert!(!renumbered(Scheme::Debian, "1:1.0", "2014.2.4"));
        assert_eq!(
            doubt(Scheme::Go, "v0.0.0-20251002030405-0123456789ab", "v1.6.27").as_deref(),
            Some("what is there is a commit of 2025-10-02, and the version may be older")
        );
        assert_eq!(doubt(Scheme::Go, "v1.0.0", "v1.6.27"), None);
        let commit = "v0.0.0-20210226172049-0123456789ab";
        assert_eq!(doubt(Scheme::Go, commit, "v0.56.0"), None);
        assert!(doubt(Scheme::Go, commit, "v0.0.0-20200102030405-0123456789ab").is_some());
    }
}
