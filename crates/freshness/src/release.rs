//! `Release`: what an archive says of a suite, and the digests of its indexes.
//!
//! In goes the text that was signed, out come its fields; a field that stands twice, or a path that
//! leads out of the suite, is refused. Source: Debian wiki, "DebianRepository/Format", "Release files".

use crate::deb822::{field, stanzas};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Files of one suite: Debian's largest have some 3000.
const FILES: usize = 100_000;

/// Components and architectures of one suite.
const NAMES: usize = 64;

/// Why a text is no Release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its Release {0}")]
pub struct ReleaseError(String);

/// Digest and size of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// SHA-256.
    pub sha256: [u8; 32],
    /// In bytes.
    pub size: u64,
}

/// What an archive says of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Who publishes it, such as `Debian`.
    pub origin: String,
    /// What it is, such as `Debian-Security`.
    pub label: String,
    /// Its name in the order of releases, such as `stable-security`.
    pub suite: String,
    /// Its own name, such as `bookworm-security`.
    pub codename: String,
    /// When it was made.
    pub date: Timestamp,
    /// Until when it may be believed to be the newest.
    pub valid_until: Option<Timestamp>,
    /// Whether indexes are served by their digests, too.
    pub by_hash: bool,
    /// Such as `amd64`.
    pub architectures: Vec<String>,
    /// The folders of the components, such as `main` (where Debian writes `updates/main`).
    pub components: Vec<String>,
    /// Files by their path below the suite.
    pub files: BTreeMap<String, Listed>,
}

impl Release {
    /// Whether it is that of a suite. Ubuntu's codename is that of the release, its suite has the pocket;
    /// the old `CODENAME/updates` says the codename alone, and is told by its label.
    #[must_use]
    pub fn is_of(&self, suite: &str) -> bool {
        match suite.strip_suffix("/updates") {
            Some(codename) => self.codename == codename && self.label == "Debian-Security",
            None => self.codename == suite || self.suite == suite,
        }
    }

    /// The index of the packages of a component and an architecture: path, and what it must be.
    #[must_use]
    pub fn index(&self, component: &str, architecture: &str) -> Option<(String, Listed)> {
        [".xz", ""].iter().find_map(|ending| {
            let path = format!("{component}/binary-{architecture}/Packages{ending}");
            let listed = *self.files.get(&path)?;
            Some((path, listed))
        })
    }
}

/// Reads a Release.
///
/// # Errors
/// Where a field that is needed is missing, stands twice, or is not of its form.
pub fn parse(text: &str) -> Result<Release, ReleaseError> {
    let wrong = |reason: String| ReleaseError(reason);
    let [stanza] = stanzas(text).try_into().map_err(|_| wrong("is not one stanza".to_owned()))?;
    let mut names: Vec<&str> = stanza.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some([name, _]) = names.array_windows().find(|[left, right]| left == right) {
        return Err(wrong(format!("has `{name}` twice")));
    }
    let optional = |name: &str| field(&stanza, name).unwrap_or_default().to_owned();
    let date = |name: &str| {
        let text = field(&stanza, name);
        text.map(|text| moment(text).ok_or_else(|| wrong(format!("has no date in `{name}`"))))
            .transpose()
    };
    let words = |name: &str| {
        let words = field(&stanza, name).unwrap_or_default().split_whitespace().take(NAMES);
        words.filter(|word| is_path(word)).map(str::to_owned).collect::<Vec<_>>()
    };
    let folder = |name: String| name.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Release {
        origin: optional("origin"),
        label: optional("label"),
        suite: optional("suite"),
        codename: optional("codename"),
        date: date("date")?.ok_or_else(|| wrong("has no `date`".to_owned()))?,
        valid_until: date("valid-until")?,
        by_hash: field(&stanza, "acquire-by-hash") == Some("yes"),
        architectures: words("architectures"),
        components: words("components").into_iter().map(folder).collect(),
        files: files(field(&stanza, "sha256").unwrap_or_default())?,
    })
}

fn files(text: &str) -> Result<BTreeMap<String, Listed>, ReleaseError> {
    let mut files = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[digest, size, path] = words.as_slice() else {
            return Err(ReleaseError("has a file without digest, size and path".to_owned()));
        };
        let listed = hex(digest).zip(size.parse().ok()).filter(|_| is_path(path));
        let Some((sha256, size)) = listed else {
            return Err(ReleaseError("has a file of a form that is not known".to_owned()));
        };
        if files.insert(path.to_owned(), Listed { sha256, size }).is_some() {
            return Err(ReleaseError("lists a file twice".to_owned()));
        }
        if files.len() > FILES {
            return Err(ReleaseError("lists too many files".to_owned()));
        }
    }
    Ok(files)
}

/// Whether it can be put into a URL, and stays below the suite.
fn is_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+~/".contains(&byte);
    text.len() <= 512
        && text.bytes().all(plain)
        && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// `Sat, 02 Jul 2016 05:20:50 UTC`; Ubuntu pads the hour by a space.
fn moment(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let &[_, day, month, year, time, "UTC" | "GMT" | "+0000"] = words.as_slice() else {
        return None;
    };
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = i8::try_from(months.iter().position(|name| *name == month)?).ok()? + 1;
    let mut clock = time.splitn(3, ':').map(|part| part.parse::<i8>().ok());
    let mut next = || clock.next().flatten();
    let (hour, minute, second) = (next()?, next()?, next()?);
    let date = jiff::civil::Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn text(more: &str) -> String {
        format!(
            "Origin: Debian\nSuite: oldstable-security\nCodename: bookworm-security\n\
             Date: Wed, 25 Nov 2026 22:33:12 UTC\nValid-Until: Wed, 02 Dec 2026 22:33:12 UTC\n\
             Acquire-By-Hash: yes\nArchitectures: amd64 arm64\nComponents: updates/main contrib\n\
             {more}SHA256:\n {DIGEST} 0 main/binary-amd64/Packages\n \
             {DIGEST} 12 main/binary-amd64/Packages.xz\n"
        )
    }

    #[test]
    fn fields_and_digests_are_read() {
        let release = parse(&text("")).unwrap();
        assert_eq!(release.date.to_string(), "2026-11-25T22:33:12Z");
        assert_eq!(release.valid_until.unwrap().to_string(), "2026-12-02T22:33:12Z");
        assert_eq!(release.components, ["main", "contrib"]);
        assert!(release.by_hash);
        let (path, listed) = release.index("main", "amd64").unwrap();
        assert_eq!((path.as_str(), listed.size), ("main/binary-amd64/Packages.xz", 12));
        assert_eq!(release.index("main", "arm64"), None);
    }

    #[test]
    fn an_old_security_suite_is_told_from_its_release_by_the_label() {
        let old =
            text("").replace("bookworm-security", "buster").replace("oldstable-security", "x");
        assert!(!parse(&old).unwrap().is_of("buster/updates"));
        let labelled = format!("Label: Debian-Security\n{old}");
        let release = parse(&labelled).unwrap();
        assert!(release.is_of("buster/updates"));
        for other in ["stretch/updates", "buster-security", "/updates", ""] {
            assert!(!release.is_of(other), "{other}");
        }
        assert!(!parse(&format!("Label: Debian\n{old}")).unwrap().is_of("buster/updates"));
    }

    #[test]
    fn a_padded_hour_is_a_date_and_nonsense_is_none() {
        let padded = moment("Thu, 26 Nov 2026  9:05:33 UTC").unwrap();
        assert_eq!(padded.to_string(), "2026-11-26T09:05:33Z");
        for text in ["", "Thu, 26 Nov 2026 09:05:33 CET", "Thu, 31 Feb 2026 09:05:33 UTC", "now"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn what_stands_twice_or_leads_out_is_refused() {
        let cases = [
            text("Codename: other\n"),
            text("").replace("main/binary-amd64/Packages.xz", "../x"),
            text("").replace("main/binary-amd64/Packages.xz", "main/binary-amd64/Packages"),
            text("").replace("Date: Wed, 25", "Date: 25"),
            text("").replace("e3b0", "zzzz"),
            format!("{}\n{}", text(""), text("")),
            String::new(),
        ];
        for case in cases {
            assert!(parse(&case).is_err(), "{case}");
        }
    }
}
