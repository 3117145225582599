//! Package names as advisories and catalogs must both write them to meet, and the file name of an
//! ecosystem's database.
//!
//! Sources: PEP 503 (PyPI), NuGet package ids, Packagist names and GitHub repositories
//! (case-insensitive), OSV schema
//! (SwiftURL: an address without scheme and `.git`). All other
//! ecosystems compare names exactly.

use std::borrow::Cow;
use std::cmp::Ordering;
use vocabulary::Ecosystem;

/// The feeds about exploitation, whose files stand beside those of the ecosystems.
pub(crate) const KEV: &str = "KEV";
pub(crate) const EPSS: &str = "EPSS";

/// Whether a name is that of such a feed.
pub(crate) fn is_risk_feed(name: &str) -> bool {
    [KEV, EPSS].iter().any(|feed| feed.eq_ignore_ascii_case(name))
}

/// The form of a name under which it is stored and looked up.
pub(crate) fn canonical<'name>(ecosystem: &str, name: &'name str) -> Cow<'name, str> {
    match ecosystem {
        "PyPI" => pep_503(name),
        "SwiftURL" => Cow::Owned(repository(name)),
        "GitHub Actions" | "NuGet" | "Packagist"
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            Cow::Owned(name.to_ascii_lowercase())
        }
        _ => Cow::Borrowed(name),
    }
}

/// How the names of a database are sorted, and which of them are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By their bytes.
    Exact,
    /// Without regard to the case of letters, then by their bytes.
    Folded,
}

impl Order {
    pub(crate) fn of(ecosystem: &Ecosystem) -> Self {
        if *ecosystem == Ecosystem::GO { Self::Folded } else { Self::Exact }
    }

    /// Where a name stands among others that are not alike.
    pub(crate) fn alike(self, left: &[u8], right: &[u8]) -> Ordering {
        let lower = |text: &'_ [u8]| text.to_ascii_lowercase();
        match self {
            Self::Exact => left.cmp(right),
            Self::Folded => lower(left).cmp(&lower(right)),
        }
    }

    /// Where it stands among all.
    pub(crate) fn compare(self, left: &[u8], right: &[u8]) -> Ordering {
        self.alike(left, right).then_with(|| left.cmp(right))
    }
}

/// The address of a repository without scheme and `.git`, in lower case: hosts take either.
fn repository(name: &str) -> String {
    let bare = name.split_once("://").map_or(name, |(_, bare)| bare);
    bare.strip_suffix(".git").unwrap_or(bare).to_ascii_lowercase()
}

/// PEP 503: lower case, and every run of `-`, `_` and `.` is one `-`.
fn pep_503(name: &str) -> Cow<'_, str> {
    let bytes = name.as_bytes();
    let plain = bytes.iter().all(|byte| !byte.is_ascii_uppercase() && !matches!(byte, b'_' | b'.'))
        && !bytes.windows(2).any(|pair| pair == b"--");
    if plain {
        return Cow::Borrowed(name);
    }
    let mut text = String::with_capacity(name.len());
    let mut in_run = false;
    for character in name.chars() {
        let divides = matches!(character, '-' | '_' | '.');
        if !divides {
            text.push(character.to_ascii_lowercase());
        } else if !in_run {
            text.push('-');
        }
        in_run = divides;
    }
    Cow::Owned(text)
}

/// The file name, without ending, of an ecosystem's database: lower case, spaces to `-`. None for
/// a name that could leave the folder or hide in it.
pub(crate) fn file_stem(ecosystem: &str) -> Option<String> {
    let sound = !ecosystem.is_empty()
        && ecosystem.len() <= 64
        && !ecosystem.starts_with('.')
        && ecosystem
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'-' | b'_'));
    sound.then(|| ecosystem.to_ascii_lowercase().replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_names_meet_in_their_normal_form() {
        for name in ["Foo.Bar_baz", "foo-bar-baz", "FOO__bar--baz", "foo.-_bar-baz"] {
            assert_eq!(canonical("PyPI", name), "foo-bar-baz", "{name}");
        }
        assert_eq!(canonical("npm", "Foo_Bar"), "Foo_Bar");
        for name in ["https://github.com/Apple/swift-nio.git", "github.com/apple/Swift-NIO"] {
            assert_eq!(canonical("SwiftURL", name), "github.com/apple/swift-nio", "{name}");
        }
        assert_eq!(canonical("NuGet", "Google.Protobuf"), "google.protobuf");
    }

    #[test]
    fn an_ecosystem_name_cannot_leave_the_folder() {
        assert_eq!(file_stem("Rocky Linux").as_deref(), Some("rocky-linux"));
        for name in ["", "../x", "a/b", ".hidden", "a\0b", "Debian:12"] {
            assert_eq!(file_stem(name), None, "{name}");
        }
    }
}
