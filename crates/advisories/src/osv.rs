//! Reads one advisory record in the OSV format.
//!
//! In go the bytes of one JSON document, out comes a [`Record`] that borrows from them and holds
//! only what matching needs. Feeds write the free-form parts (`ecosystem_specific`,
//! `database_specific`) as they like, so these are read leniently: a field of an unexpected type
//! counts as absent and does not cost the record.
//!
//! Source: OSV schema 1.7 (ossf.github.io/osv-schema).

mod entries;

pub(crate) use entries::{Any, Entry};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Largest record that is read. The largest published ones, kernel notices, have a few megabytes.
pub const MAX_RECORD_BYTES: u64 = 32 << 20;

/// Why a document is not a record.
#[derive(Debug, thiserror::Error)]
pub enum OsvError {
    /// Larger than [`MAX_RECORD_BYTES`].
    #[error("the record has {0} bytes; at most {MAX_RECORD_BYTES} are read")]
    TooLarge(usize),
    /// Not JSON, or not of the schema.
    #[error("not an OSV record: {0}")]
    Json(#[from] serde_json::Error),
    /// No id.
    #[error("the record has no id")]
    NoId,
}

/// Objects, lists and their elements of one record: an element of three bytes becomes a value of some
/// hundred. The largest real record, of 300,000 versions, has a third of that.
const MAX_PARTS: usize = 1_000_000;

/// Reads a record.
///
/// # Errors
/// Where the document is too large, is not JSON, or has no id.
pub fn parse_record(bytes: &[u8]) -> Result<Record<'_>, OsvError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_RECORD_BYTES) {
        return Err(OsvError::TooLarge(bytes.len()));
    }
    // Each takes a byte, so that most records need not be counted through.
    let parts = || bytes.iter().filter(|byte| b"{[,".contains(byte)).count();
    if bytes.len() > MAX_PARTS && parts() > MAX_PARTS {
        return Err(OsvError::TooLarge(bytes.len()));
    }
    let record: Record<'_> = serde_json::from_slice(bytes)?;
    if record.id().is_empty() { Err(OsvError::NoId) } else { Ok(record) }
}

/// A text that borrows from the document where it has no escapes. Anything but a text reads as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'doc>(pub Option<Cow<'doc, str>>);

impl Text<'_> {
    /// The text, empty where there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'de: 'doc, 'doc> Deserialize<'de> for Text<'doc> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lenient;
        impl<'de> Visitor<'de> for Lenient {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Text(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Text(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Text(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Text(None))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Lenient)
    }
}

/// A list; `null` and absence are the empty list.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}

/// An object of free form; anything but an object is an empty one.
fn object<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    struct Lenient<T>(PhantomData<T>);
    impl<'de, T: Default + Deserialize<'de>> Visitor<'de> for Lenient<T> {
        type Value = T;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }
        fn visit_str<E>(self, _: &str) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_bool<E>(self, _: bool) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_unit<E>(self) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(T::default())
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(serde::de::value::MapAccessDeserializer::new(map))
        }
    }
    from.deserialize_any(Lenient(PhantomData))
}

/// A record, reduced to what matching needs.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Record<'doc> {
    #[serde(borrow, default)]
    id: Text<'doc>,
    /// When it was last changed, as the feed writes it.
    #[serde(borrow, default)]
    pub modified: Text<'doc>,
    /// Set where the record is void.
    #[serde(borrow, default)]
    pub withdrawn: Text<'doc>,
    /// One line.
    #[serde(borrow, default)]
    pub summary: Text<'doc>,
    /// Markdown.
    #[serde(borrow, default)]
    pub details: Text<'doc>,
    /// Other ids of the same vulnerability.
    #[serde(borrow, default, deserialize_with = "list")]
    pub aliases: Vec<Text<'doc>>,
    /// Ids of the vulnerabilities that this record passes on; distributions use it.
    #[serde(borrow, default, deserialize_with = "list")]
    pub upstream: Vec<Text<'doc>>,
    /// Ids that have something to do with it.
    #[serde(borrow, default, deserialize_with = "list")]
    pub related: Vec<Text<'doc>>,
    /// Ratings.
    #[serde(borrow, default, deserialize_with = "list")]
    pub severity: Vec<Rating<'doc>>,
    /// Packages and versions.
    #[serde(borrow, default, deserialize_with = "list")]
    pub affected: Vec<Affected<'doc>>,
    /// Pages.
    #[serde(borrow, default, deserialize_with = "list")]
    pub references: Vec<Reference<'doc>>,
    /// The feed's own part.
    #[serde(borrow, default, deserialize_with = "object")]
    pub database_specific: RecordExtra<'doc>,
}

impl Record<'_> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// What it says of single CVEs as a whole.
    pub(crate) fn entries(&self) -> Vec<Entry<'_>> {
        let extra = &self.database_specific;
        [&extra.cves_map, &extra.cves].into_iter().flat_map(|any| any.entries("")).collect()
    }
}

impl Affected<'_> {
    /// The CVEs that this entry is said to be about, of all that the record names.
    pub(crate) fn entries(&self) -> Vec<Entry<'_>> {
        let (feed, own) = (&self.database_specific, &self.ecosystem_specific);
        let ecosystem = self.package.ecosystem.as_str();
        [&feed.cves_map, &feed.cves, &own.cves_map, &own.cves]
            .into_iter()
            .flat_map(|any| any.entries(ecosystem))
            .collect()
    }
}

/// A severity rating: `CVSS_V2`, `CVSS_V3`, `CVSS_V4` with a vector, `Ubuntu` with a word.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Rating<'doc> {
    /// Which kind.
    #[serde(borrow, default, rename = "type")]
    pub kind: Text<'doc>,
    /// Vector or word.
    #[serde(borrow, default)]
    pub score: Text<'doc>,
}

/// One package with its versions.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Affected<'doc> {
    /// The package.
    #[serde(borrow, default)]
    pub package: PackageName<'doc>,
    /// Ranges.
    #[serde(borrow, default, deserialize_with = "list")]
    pub ranges: Vec<Range<'doc>>,
    /// Versions by name.
    #[serde(borrow, default, deserialize_with = "list")]
    pub versions: Vec<Text<'doc>>,
    /// Ratings of this package.
    #[serde(borrow, default, deserialize_with = "list")]
    pub severity: Vec<Rating<'doc>>,
    /// What the ecosystem adds.
    #[serde(borrow, default, deserialize_with = "object")]
    pub ecosystem_specific: EcosystemExtra<'doc>,
    /// What the feed adds.
    #[serde(borrow, default, deserialize_with = "object")]
    pub database_specific: AffectedExtra<'doc>,
}

/// Ecosystem, with release where it has one, and name.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PackageName<'doc> {
    /// Such as `Debian:12`.
    #[serde(borrow, default)]
    pub ecosystem: Text<'doc>,
    /// The name.
    #[serde(borrow, default)]
    pub name: Text<'doc>,
}

/// A range: events in no certain order.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Range<'doc> {
    /// `SEMVER`, `ECOSYSTEM` or `GIT`.
    #[serde(borrow, default, rename = "type")]
    pub kind: Text<'doc>,
    /// What happened at which version.
    #[serde(borrow, default, deserialize_with = "list")]
    pub events: Vec<Event<'doc>>,
}

/// What happened at a version.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event<'doc> {
    /// First affected.
    #[serde(borrow, default)]
    pub introduced: Text<'doc>,
    /// First mended.
    #[serde(borrow, default)]
    pub fixed: Text<'doc>,
    /// Last affected.
    #[serde(borrow, default)]
    pub last_affected: Text<'doc>,
    /// Nothing is said of this version and later ones.
    #[serde(borrow, default)]
    pub limit: Text<'doc>,
}

/// A page about the record.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reference<'doc> {
    /// `ADVISORY`, `FIX`, `WEB`, …
    #[serde(borrow, default, rename = "type")]
    pub kind: Text<'doc>,
    /// Its address.
    #[serde(borrow, default)]
    pub url: Text<'doc>,
}

/// `database_specific` of a record.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RecordExtra<'doc> {
    /// A word, such as `HIGH`.
    #[serde(borrow, default)]
    pub severity: Text<'doc>,
    #[serde(borrow, default)]
    cves_map: Any<'doc>,
    #[serde(borrow, default)]
    cves: Any<'doc>,
}

/// `database_specific` of an affected package.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AffectedExtra<'doc> {
    /// A word, such as `HIGH`.
    #[serde(borrow, default)]
    pub severity: Text<'doc>,
    /// RustSec: `unmaintained`, `unsound` or `notice` where the record is no vulnerability.
    #[serde(borrow, default)]
    pub informational: Text<'doc>,
    /// RustSec: a vector.
    #[serde(borrow, default)]
    pub cvss: Text<'doc>,
    /// Ubuntu: the CVEs that concern this package and release.
    #[serde(borrow, default)]
    cves_map: Any<'doc>,
    #[serde(borrow, default)]
    cves: Any<'doc>,
}

/// `ecosystem_specific` of an affected package.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct EcosystemExtra<'doc> {
    /// Binary packages with their versions (Debian, Ubuntu, SUSE).
    #[serde(borrow, default)]
    pub binaries: Binaries<'doc>,
    /// A word, such as `HIGH`.
    #[serde(borrow, default)]
    pub severity: Text<'doc>,
    /// Debian: `unimportant`, `low`, `medium`, `high`, `not yet assigned`, `end-of-life`.
    #[serde(borrow, default)]
    pub urgency: Text<'doc>,
    /// Ubuntu: `negligible` to `critical`.
    #[serde(borrow, default)]
    pub ubuntu_priority: Text<'doc>,
    /// Ubuntu: who can have the fix.
    #[serde(borrow, default)]
    pub availability: Text<'doc>,
    /// Go: ranges that do not follow the order of Go modules.
    #[serde(borrow, default, deserialize_with = "list")]
    pub custom_ranges: Vec<Range<'doc>>,
    /// Go: the packages of the module that are concerned, with their functions.
    #[serde(borrow, default, deserialize_with = "imports")]
    pub imports: Vec<Import<'doc>>,
    /// RustSec, where other tools than RustSec's write it here.
    #[serde(borrow, default)]
    pub informational: Text<'doc>,
    #[serde(borrow, default)]
    cves_map: Any<'doc>,
    #[serde(borrow, default)]
    cves: Any<'doc>,
}

/// A Go package that a record concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Import<'doc> {
    /// Its import path.
    #[serde(borrow, default)]
    pub path: Text<'doc>,
    /// The systems (`GOOS`) that alone are concerned; all where there are none.
    #[serde(borrow, default, deserialize_with = "texts")]
    pub goos: Vec<Text<'doc>>,
    /// The architectures (`GOARCH`) that alone are concerned; all where there are none.
    #[serde(borrow, default, deserialize_with = "texts")]
    pub goarch: Vec<Text<'doc>>,
    /// The functions (`Name`, `Type.Method`); the whole package where there are none.
    #[serde(borrow, default, deserialize_with = "texts")]
    pub symbols: Vec<Text<'doc>>,
}

/// A list of texts; what is no list is an empty one.
fn texts<'de: 'doc, 'doc, D: Deserializer<'de>>(from: D) -> Result<Vec<Text<'doc>>, D::Error> {
    List::deserialize(from).map(|list| list.0)
}

/// A list of packages; what is no list is an empty one, what is no object an empty package.
fn imports<'de: 'doc, 'doc, D: Deserializer<'de>>(from: D) -> Result<Vec<Import<'doc>>, D::Error> {
    #[derive(Deserialize)]
    struct Any<'doc>(#[serde(borrow, deserialize_with = "object")] Import<'doc>);
    let list: List<Any<'doc>> = List::deserialize(from)?;
    Ok(list.0.into_iter().map(|any| any.0).collect())
}

/// Names and versions of binary packages. Two forms are in use: a list of
/// `{"binary_name": …, "binary_version": …}`, and a list of `{name: version, …}`.
#[derive(Clone, Debug, Default)]
pub struct Binaries<'doc>(pub Vec<(Cow<'doc, str>, Cow<'doc, str>)>);

impl<'de: 'doc, 'doc> Deserialize<'de> for Binaries<'doc> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let groups: List<Group<'doc>> = List::deserialize(deserializer)?;
        let mut groups = groups.0.into_iter();
        let mut all = groups.next().map(|group| group.0).unwrap_or_default();
        for mut group in groups {
            all.append(&mut group.0);
        }
        Ok(Self(all))
    }
}

/// One object inside `binaries`.
struct Group<'doc>(Vec<(Cow<'doc, str>, Cow<'doc, str>)>);

/// A key of an object, borrowed where it can be.
struct Key<'doc>(Cow<'doc, str>);

impl<'de: 'doc, 'doc> Deserialize<'de> for Key<'doc> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        text.0.map(Self).ok_or_else(|| D::Error::custom("a key is not a text"))
    }
}

impl<'de: 'doc, 'doc> Deserialize<'de> for Group<'doc> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Group<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("binary packages")
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Group(Vec::new()))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Group(Vec::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut pairs, mut name, mut version) = (Vec::new(), None, None);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, Text<'de>>()? {
                    match (&*key, value.0) {
                        ("binary_name", text) => name = text,
                        ("binary_version", text) => version = text,
                        (_, Some(text)) => pairs.push((key, text)),
                        (_, None) => {}
                    }
                }
                if let Some(name) = name {
                    pairs.clear();
                    pairs.push((name, version.unwrap_or_default()));
                }
                Ok(Group(pairs))
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}

/// A list of anything; what is no list is an empty one.
struct List<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lenient<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Lenient<T> {
            type Value = List<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(List(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(List(Vec::new()))
            }
        }
        deserializer.deserialize_any(Lenient(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_an_unexpected_type_does_not_cost_the_record() {
        let json = br#"{"id":"X-1","aliases":null,"summary":["no"],"severity":null,
            "database_specific":"none","affected":[{"package":{"ecosystem":"Debian:12","name":"a"},
            "ecosystem_specific":{"binaries":{"a":1},"urgency":3,"severity":{"x":[1]}},
            "database_specific":null}]}"#;
        let record = parse_record(json).unwrap();
        assert_eq!(record.id(), "X-1");
        assert_eq!(record.summary, Text(None));
        assert!(record.affected[0].ecosystem_specific.binaries.0.is_empty());
    }

    #[test]
    fn both_forms_of_binaries_are_read() {
        let json = br#"{"id":"X-1","affected":[{"ecosystem_specific":{"binaries":[
            {"binary_name":"liba","binary_version":"1"},{"libb":"2","libc\u0064":"3"}]}}]}"#;
        let record = parse_record(json).unwrap();
        let pairs: Vec<_> = record.affected[0]
            .ecosystem_specific
            .binaries
            .0
            .iter()
            .map(|(name, version)| format!("{name}={version}"))
            .collect();
        assert_eq!(pairs, ["liba=1", "libb=2", "libcd=3"]);
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let record = parse_record(br#"{"id":"X-1","summary":"plain"}"#).unwrap();
        assert!(matches!(record.summary.0, Some(Cow::Borrowed("plain"))));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for json in ["", "[]", "{}", "{\"id\":1}", "{\"id\":\"x\"", "null"] {
            assert!(parse_record(json.as_bytes()).is_err(), "{json}");
        }
        let deep = format!("{{\"id\":\"x\",\"affected\":{}", "[".repeat(100_000));
        assert!(parse_record(deep.as_bytes()).is_err());
    }
}
