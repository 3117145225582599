//! Parsers of the release files.

use super::Release;
use crate::text::{capped, lines, text};

/// Longest value that is kept; a name or a version has a few dozen bytes.
const VALUE_LIMIT: usize = 256;

/// How many words of `ID_LIKE` are kept; real ones have up to four.
const LIKE_LIMIT: usize = 16;

/// `KEY=value` lines with the shell's quoting: os-release(5). The last assignment counts.
pub(super) fn os_release(bytes: &[u8]) -> Option<Release> {
    let (mut release, mut version) = (Release::default(), String::new());
    for (key, value) in assignments(bytes) {
        match key {
            b"ID" => release.id = value.to_lowercase(),
            b"VERSION_ID" => release.version = value,
            b"VERSION" => version = value,
            b"VERSION_CODENAME" => release.codename = Some(value),
            b"PRETTY_NAME" => release.pretty_name = Some(value),
            b"ID_LIKE" => {
                release.like =
                    value.split_whitespace().take(LIKE_LIMIT).map(str::to_lowercase).collect();
            }
            _ => {}
        }
    }
    release.codename = release.codename.filter(|name| !name.is_empty());
    if release.codename.is_none() && release.id == "debian" && release.version.is_empty() {
        release.codename = release.pretty_name.as_deref().and_then(codename_of_testing);
    }
    // openEuler's `22.03` has several service packs, each with advisories of its own:
    // `VERSION="22.03 (LTS-SP3)"`, which the advisories write `22.03-LTS-SP3`.
    if release.id == "openeuler" && !release.version.contains('-') {
        let pack = version.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        if let Some((pack, _)) = pack.filter(|(pack, _)| !pack.is_empty()) {
            release.version = format!("{}-{pack}", release.version);
        }
    }
    Some(release).filter(|release| !release.id.is_empty())
}

/// `DISTRIB_ID=Ubuntu` and kin, as old Ubuntu releases wrote them.
pub(super) fn lsb_release(bytes: &[u8]) -> Option<Release> {
    let mut release = Release::default();
    for (key, value) in assignments(bytes) {
        match key {
            b"DISTRIB_ID" => release.id = value.to_lowercase(),
            b"DISTRIB_RELEASE" => release.version = value,
            b"DISTRIB_CODENAME" => release.codename = Some(value).filter(|text| !text.is_empty()),
            b"DISTRIB_DESCRIPTION" => release.pretty_name = Some(value),
            _ => {}
        }
    }
    Some(release).filter(|release| !release.id.is_empty())
}

/// One line with the version, such as `3.20.3`.
pub(super) fn alpine_release(bytes: &[u8]) -> Option<Release> {
    let version = first_line(bytes)?;
    Some(Release { id: "alpine".into(), version, ..Release::default() })
}

/// `12.5`, or `trixie/sid` before a release.
pub(super) fn debian_version(bytes: &[u8]) -> Option<Release> {
    let line = first_line(bytes)?;
    let id = "debian".to_owned();
    if !line.starts_with(|first: char| first.is_ascii_digit()) {
        let codename = codename_of_testing(&line);
        return Some(Release { id, codename, ..Release::default() });
    }
    // os-release says `12` where this file says `12.5`; up to Debian 4 the release was `3.1`.
    let major = line.split('.').next().unwrap_or_default();
    let old = matches!(major, "0" | "1" | "2" | "3");
    let version = if old { line } else { major.to_owned() };
    Some(Release { id, version, ..Release::default() })
}

/// The name in a last word such as `trixie/sid`.
fn codename_of_testing(line: &str) -> Option<String> {
    let name = line.split_whitespace().next_back()?.strip_suffix("/sid")?;
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

/// How release sentences begin, and the id that os-release of the same distribution has. A longer
/// beginning stands before a shorter one.
const SENTENCES: &[(&str, &str)] = &[
    ("AlmaLinux", "almalinux"),
    ("Amazon Linux", "amzn"),
    ("CBL-Mariner", "mariner"),
    ("CentOS", "centos"),
    ("Fedora", "fedora"),
    ("Mageia", "mageia"),
    ("openEuler", "openeuler"),
    ("openSUSE", "opensuse"),
    ("Oracle Linux", "ol"),
    ("Enterprise Linux Enterprise Linux", "ol"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Rocky Linux", "rocky"),
    ("Scientific Linux", "scientific"),
    ("SUSE Linux Enterprise", "sles"),
    ("VMware Photon", "photon"),
];

/// `CentOS release 6.10 (Final)`, and SUSE's with `VERSION = 11` and `PATCHLEVEL = 4` below.
pub(super) fn sentence(bytes: &[u8]) -> Option<Release> {
    let line = first_line(bytes)?;
    let (_, id) = SENTENCES.iter().find(|(start, _)| line.starts_with(start))?;
    let version = line
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned();
    let mut release =
        Release { id: (*id).into(), version, pretty_name: Some(line), ..Release::default() };
    for (key, value) in assignments(bytes) {
        match key {
            b"VERSION" => release.version = value,
            b"PATCHLEVEL" if !value.is_empty() && value != "0" => {
                release.version = format!("{}.{value}", release.version);
            }
            _ => {}
        }
    }
    Some(release)
}

fn first_line(bytes: &[u8]) -> Option<String> {
    let line = lines(bytes).find(|line| !line.trim_ascii().is_empty())?;
    Some(capped(text(line.trim_ascii()).as_ref(), VALUE_LIMIT).to_owned())
}

/// Assignments, unquoted, spaces around the sign allowed; comments and other lines left out.
fn assignments(bytes: &[u8]) -> impl Iterator<Item = (&[u8], String)> {
    lines(bytes).filter_map(|line| {
        let at = memchr::memchr(b'=', line)?;
        let (key, value) = (line.get(..at)?.trim_ascii(), line.get(at + 1..)?.trim_ascii());
        Some((key, unquote(value)))
    })
}

/// Takes the shell's quotes off: '…' as it stands, "…" and bare text with backslashes.
fn unquote(value: &[u8]) -> String {
    let mut plain = Vec::with_capacity(value.len());
    let mut quote = None;
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(b'"'), b'\\') => plain.extend(bytes.next()),
            // A bare word ends at a space; what follows is not part of the value.
            (None, b' ' | b'\t' | b'#' | b';') => break,
            _ => plain.push(byte),
        }
    }
    capped(text(&plain).as_ref(), VALUE_LIMIT).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quoting_follows_the_shell() {
        assert_eq!(unquote(br#""a \"b\" \$c""#), r#"a "b" $c"#);
        assert_eq!(unquote(br"'a \b'"), r"a \b");
        assert_eq!(unquote(b"debian # the best"), "debian");
        assert_eq!(unquote(b"\"no end"), "no end");
    }

    #[test]
    fn sentences_name_distribution_and_version() {
        for (line, id, version) in [
            ("CentOS release 6.10 (Final)\n", "centos", "6.10"),
            ("Red Hat Enterprise Linux Server release 7.9 (Maipo)", "rhel", "7.9"),
            ("Amazon Linux AMI release 2018.03", "amzn", "2018.03"),
            ("Fedora release 30 (Thirty)", "fedora", "30"),
            (
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                "sles",
                "11.4",
            ),
        ] {
            let release = sentence(line.as_bytes()).unwrap();
            assert_eq!((release.id.as_str(), release.version.as_str()), (id, version), "{line}");
        }
        assert_eq!(sentence(b"Windows 95"), None);
    }

    #[test]
    fn debian_version_tells_the_release_or_the_codename() {
        assert_eq!(debian_version(b"12.5\n").unwrap().version, "12");
        assert_eq!(debian_version(b"3.1\n").unwrap().version, "3.1");
        let testing = debian_version(b"forky/sid\n").unwrap();
        assert_eq!((testing.version.as_str(), testing.codename.as_deref()), ("", Some("forky")));
        assert_eq!(debian_version(b"\n\n"), None);
    }

    #[test]
    fn values_are_cut_at_their_limit() {
        let long = format!("ID={}\nID_LIKE=\"{}\"", "x".repeat(5000), "a ".repeat(5000));
        let release = os_release(long.as_bytes()).unwrap();
        assert_eq!(release.id.len(), VALUE_LIMIT);
        assert_eq!(release.like.len(), LIKE_LIMIT);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            for parse in [os_release, lsb_release, alpine_release, debian_version, sentence] {
                if let Some(release) = parse(&bytes) {
                    prop_assert!(release.version.len() <= 2 * VALUE_LIMIT + 1);
                }
            }
        }
    }
}
