//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath`.
//!
//! Parsed into parts and shown in canonical form. Source: package-url/purl-spec,
//! PURL-SPECIFICATION and PURL-TYPES.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A package URL in its parts, decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// Why a text is not a package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {reason}; expected pkg:type/namespace/name@version")]
pub struct PurlError {
    text: String,
    reason: &'static str,
}

impl Purl {
    /// A package URL of a type (such as `deb`) and a name.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.to_ascii_lowercase(),
            namespace: None,
            name: name.to_owned(),
            version: None,
            qualifiers: BTreeMap::new(),
            subpath: None,
        }
    }

    /// With a namespace (parts divided by `/`); an empty one is none.
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned()).filter(|text| !text.is_empty());
        self
    }

    /// With a version; an empty one is none.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned()).filter(|text| !text.is_empty());
        self
    }

    /// With a qualifier; an empty value is left out, as the specification says.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.qualifiers.insert(key.to_ascii_lowercase(), value.to_owned());
        }
        self
    }

    /// The type, such as `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// A qualifier's value.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// The same without qualifiers and subpath: what fingerprints are made of.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { qualifiers: BTreeMap::new(), subpath: None, ..self.clone() }
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            for part in namespace.split('/').filter(|part| !part.is_empty()) {
                write!(formatter, "{}/", Encoded(part))?;
            }
        }
        write!(formatter, "{}", Encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(formatter, "@{}", Encoded(version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            write!(formatter, "{mark}{key}={}", Encoded(value))?;
        }
        if let Some(subpath) = &self.subpath {
            let mut mark = '#';
            for part in subpath.split('/').filter(|part| !part.is_empty()) {
                write!(formatter, "{mark}{}", Encoded(part))?;
                mark = '/';
            }
        }
        Ok(())
    }
}

/// Shows text percent-encoded as purl-spec asks: all but letters, digits, `.`, `-`, `_`, `~` and `:`.
struct Encoded<'text>(&'text str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.bytes().try_for_each(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                formatter.write_char(char::from(byte))
            }
            _ => write!(formatter, "%{byte:02X}"),
        })
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason| PurlError { text: text.chars().take(200).collect(), reason };
        let decoded =
            |part: &str| decode(part).ok_or_else(|| wrong("a percent-encoding is broken"));
        let rest =
            text.strip_prefix("pkg:").ok_or_else(|| wrong("it does not begin with `pkg:`"))?;
        let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) =
            rest.trim_start_matches('/').split_once('/').ok_or_else(|| wrong("it has no type"))?;
        if kind.is_empty()
            || !kind.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b))
        {
            return Err(wrong("its type is not made of letters, digits, `.`, `-` and `+`"));
        }
        // An `@` before the last slash belongs to an npm scope that was not encoded.
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !version.contains('/') => (path, version),
            _ => (rest, ""),
        };
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err(wrong("it has no name"));
        }
        let mut purl = Self::new(kind, &decoded(name)?)
            .with_namespace(&decoded(namespace)?)
            .with_version(&decoded(version)?);
        for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| wrong("a qualifier has no `=`"))?;
            purl = purl.with_qualifier(key, &decoded(value)?);
        }
        let parts = subpath.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
        let subpath = decoded(&parts.collect::<Vec<_>>().join("/"))?;
        purl.subpath = Some(subpath).filter(|text| !text.is_empty());
        Ok(purl)
    }
}

/// Decodes `%XX`; none where a sign is broken or the bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(decoded).ok()
}

impl Serialize for Purl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Purl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purl_text_survives_a_round_trip() {
        for text in [
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12",
            "pkg:npm/%40scope/name@1.0.0",
            "pkg:golang/github.com/a/b@v1.2.3%2Bincompatible#cmd/x",
            "pkg:maven/org.example/thing@1.0?type=jar",
            "pkg:pypi/na%C3%AFve@1.0%25",
        ] {
            assert_eq!(text.parse::<Purl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parts_are_decoded() {
        let purl: Purl = "pkg:NPM/@scope/name".parse().unwrap();
        assert_eq!((purl.kind(), purl.namespace(), purl.name()), ("npm", Some("@scope"), "name"));
        assert_eq!(purl.version(), None);
        let purl: Purl = "pkg:rpm/bash@5.1?epoch=1&empty=".parse().unwrap();
        assert_eq!((purl.version(), purl.qualifier("epoch")), (Some("5.1"), Some("1")));
        assert_eq!(purl.qualifier("empty"), None);
    }

    #[test]
    fn text_that_is_no_purl_is_refused() {
        for text in [
            "",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "npm/a@1",
            "pkg:n m/a",
            "pkg:npm/a%zz",
            "pkg:npm/a%",
            "pkg:npm/a?x",
        ] {
            assert!(text.parse::<Purl>().is_err(), "{text}");
        }
    }
}
