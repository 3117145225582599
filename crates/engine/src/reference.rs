//! Names of images, as Docker's clients read them: `demo:1` is `docker.io/library/demo:1`.
//!
//! Source: the grammar of `distribution/reference` (`domain/path[:tag][@digest]`) and its rules for
//! familiar names: the first part is a domain only where it holds a dot or a colon, or is `localhost`,
//! or has upper-case letters.

use crate::limits;
use std::fmt;
use vocabulary::Digest;

/// The registry of names without one.
const DEFAULT_DOMAIN: &str = "docker.io";
/// Its former name, which means the same.
const LEGACY_DOMAIN: &str = "index.docker.io";
/// Where that registry keeps names without a folder.
const OFFICIAL: &str = "library/";
/// Bytes of a repository's name.
const REPOSITORY_BYTES: usize = 255;
/// Bytes of a tag.
const TAG_BYTES: usize = 128;

/// The full name of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Registry, such as `docker.io` or `localhost:5000`.
    pub domain: String,
    /// Path there, such as `library/demo`.
    pub path: String,
    /// Tag.
    pub tag: Option<String>,
    /// Digest of the manifest.
    pub digest: Option<Digest>,
}

/// Why a text is no name of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not the name of an image: {reason}; use a name such as app:1.2 or registry.example/app@sha256:…"
)]
pub struct ReferenceError {
    name: String,
    reason: &'static str,
}

impl Reference {
    /// Registry and path: what stays the same from version to version.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// With the tag `latest` where there is neither tag nor digest.
    #[must_use]
    pub fn or_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.domain, self.path)?;
        self.tag.iter().try_for_each(|tag| write!(formatter, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(formatter, "@{digest}"))
    }
}

impl std::str::FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        read(text).map_err(|reason| ReferenceError {
            name: text.chars().filter(|letter| !letter.is_control()).take(160).collect(),
            reason,
        })
    }
}

/// The full repository of a short or long name: `demo:1` gives `docker.io/library/demo`.
///
/// # Errors
/// Where it is no name of an image.
pub fn repository_of(name: &str) -> Result<String, ReferenceError> {
    name.parse::<Reference>().map(|reference| reference.repository())
}

fn read(text: &str) -> Result<Reference, &'static str> {
    if text.len() > limits::NAME_BYTES {
        return Err("it is too long");
    }
    let (rest, digest) = match text.split_once('@') {
        None => (text, None),
        Some((rest, digest)) => {
            (rest, Some(digest.parse::<Digest>().map_err(|_| "what follows the `@` is no digest")?))
        }
    };
    let (domain, rest) = match rest.split_once('/') {
        Some((first, rest)) if is_domain_like(first) => (first, rest),
        _ => (DEFAULT_DOMAIN, rest),
    };
    let domain = if domain == LEGACY_DOMAIN { DEFAULT_DOMAIN } else { domain };
    if !is_domain(domain) {
        return Err("its registry is none");
    }
    let (path, tag) = match rest.split_once(':') {
        None => (rest, None),
        Some((path, tag)) if is_tag(tag) => (path, Some(tag.to_owned())),
        Some(_) => return Err("its tag is none"),
    };
    let official = domain == DEFAULT_DOMAIN && !path.contains('/');
    let path = if official { format!("{OFFICIAL}{path}") } else { path.to_owned() };
    if path.len() > REPOSITORY_BYTES {
        return Err("it is too long");
    }
    if !path.split('/').all(is_path_part) {
        return Err(
            "a part of its path is empty or has other letters than a-z, 0-9, `.`, `_`, `-`",
        );
    }
    Ok(Reference { domain: domain.to_owned(), path, tag, digest })
}

fn is_domain_like(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) => {
                let hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
                if address.is_empty() || !address.bytes().all(hex) {
                    return false;
                }
                ("v6", after.strip_prefix(':').or_else(|| after.is_empty().then_some("0")))
            }
            None => return false,
        },
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, Some("0")),
        },
    };
    let port = port.is_some_and(|port| {
        !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    port && host.split('.').all(label)
}

/// Runs of letters and digits, divided by one dot, one or two underscores, or dashes.
fn is_path_part(part: &str) -> bool {
    let own = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = bytes.first().is_some_and(own) && bytes.last().is_some_and(own);
    let divided = |run: &[u8]| match run {
        [b'.'] | [b'_'] | [b'_', b'_'] => true,
        run => run.iter().all(|byte| *byte == b'-'),
    };
    let mut runs = bytes.chunk_by(|left, right| own(left) == own(right));
    ends && runs.all(|run| run.iter().all(own) || divided(run))
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= TAG_BYTES
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_names_are_those_of_the_default_registry() {
        let digest = Digest::of(b"");
        for (text, full) in [
            ("demo", "docker.io/library/demo".to_owned()),
            ("demo:1", "docker.io/library/demo:1".to_owned()),
            ("me/demo:1.2-x_y", "docker.io/me/demo:1.2-x_y".to_owned()),
            ("docker.io/demo", "docker.io/library/demo".to_owned()),
            ("index.docker.io/library/demo", "docker.io/library/demo".to_owned()),
            ("localhost/demo", "localhost/demo".to_owned()),
            ("localhost:5000/x:1", "localhost:5000/x:1".to_owned()),
            ("Upper/x", "Upper/x".to_owned()),
            ("registry.example/a/b__c/d--e:T", "registry.example/a/b__c/d--e:T".to_owned()),
            ("[2001:db8::1]:5000/x", "[2001:db8::1]:5000/x".to_owned()),
            (&format!("app@{digest}"), format!("docker.io/library/app@{digest}")),
            (&format!("app:1@{digest}"), format!("docker.io/library/app:1@{digest}")),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), full, "{text}");
            assert_eq!(full.parse::<Reference>().unwrap(), reference, "{text} once more");
        }
        assert_eq!(repository_of("demo:1").unwrap(), "docker.io/library/demo");
        assert_eq!(repository_of("localhost:5000/x:1").unwrap(), "localhost:5000/x");
        let latest = "demo".parse::<Reference>().unwrap().or_latest();
        assert_eq!(latest.to_string(), "docker.io/library/demo:latest");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(300);
        for text in [
            "",
            ":1",
            "demo:",
            "demo:-1",
            "Demo",
            "a//b",
            "/a",
            "a/",
            "../a",
            "a/..",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "demo@sha256:00",
            "a b",
            "a\n",
            "registry.example:port/a",
            "-x.example/a",
            "[::1/a",
            &long,
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_the_same(text in "[a-zA-Z0-9./:@_-]{0,40}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
            }
        }
    }
}
