//! What a notice says of each of its CVEs: which of them concern an affected package, and how bad each
//! one is.
//!
//! In go the free parts of a record, out come CVE ids with their ratings. Ubuntu writes them as
//! `affected[].database_specific.cves_map`, `{"ecosystem": …, "cves": [{"id": …, "severity": [{"type":
//! …, "score": …}]}]}`; other feeds as `cves`, a list of such objects or of ids, or an object by id. What
//! has none of these shapes says nothing.

use super::{Key, Rating, Text};
use crate::ids;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A CVE of a notice, with the ratings that the notice gives it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry<'doc> {
    pub(crate) cve: Cow<'doc, str>,
    pub(crate) ratings: Vec<Rating<'doc>>,
}

/// Any value of JSON, as far as it can name CVEs: texts, lists and objects.
#[derive(Clone, Debug, Default)]
pub(crate) enum Any<'doc> {
    Text(Cow<'doc, str>),
    List(Vec<Any<'doc>>),
    Object(Vec<(Cow<'doc, str>, Any<'doc>)>),
    #[default]
    Other,
}

impl<'doc> Any<'doc> {
    /// The entries for CVEs that it holds, where it is not said to be of another ecosystem.
    pub(crate) fn entries(&self, ecosystem: &str) -> Vec<Entry<'doc>> {
        match self {
            Self::List(list) => list.iter().filter_map(Self::entry).collect(),
            Self::Object(fields) => {
                let of = self.field("ecosystem").and_then(Self::text);
                if of.is_some_and(|of| !of.is_empty() && of != ecosystem) {
                    return Vec::new();
                }
                if let Some(inner) = self.field("cves") {
                    return inner.entries(ecosystem);
                }
                let by_id = fields.iter().filter_map(|(key, value)| {
                    let cve = Cow::Owned(ids::named_cve(key)?.to_owned());
                    Some(Entry { cve, ratings: value.ratings() })
                });
                by_id.collect()
            }
            Self::Text(_) | Self::Other => Vec::new(),
        }
    }

    /// One element of a list of CVEs.
    fn entry(&self) -> Option<Entry<'doc>> {
        let named = |text: &str| Some(Cow::Owned(ids::named_cve(text)?.to_owned()));
        match self {
            Self::Text(text) => Some(Entry { cve: named(text)?, ratings: Vec::new() }),
            Self::Object(_) => {
                let keys = ["id", "cve", "cve_id", "name"];
                let id = keys.iter().find_map(|key| named(self.field(key)?.text()?))?;
                Some(Entry { cve: id, ratings: self.ratings() })
            }
            Self::List(_) | Self::Other => None,
        }
    }

    /// The ratings in a value: a word or vector, `{"type": …, "score": …}`, lists of these, and objects
    /// that have them under a known name.
    fn ratings(&self) -> Vec<Rating<'doc>> {
        match self {
            Self::Text(text) => {
                vec![Rating { kind: Text(None), score: Text(Some(text.clone())) }]
            }
            Self::List(list) => list.iter().flat_map(Self::ratings).collect(),
            Self::Object(_) => {
                if let Some(Self::Text(score)) = self.field("score") {
                    let kind = self.field("type").and_then(Self::text).map(|text| text.to_owned());
                    let kind = Text(kind.map(Cow::Owned));
                    return vec![Rating { kind, score: Text(Some(score.clone())) }];
                }
                ["severity", "cvss", "vector", "vectorString", "cvss_v4", "cvss_v3", "priority"]
                    .iter()
                    .filter_map(|key| self.field(key))
                    .flat_map(Self::ratings)
                    .collect()
            }
            Self::Other => Vec::new(),
        }
    }

    fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl<'de: 'doc, 'doc> Deserialize<'de> for Any<'doc> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lenient;
        impl<'de> Visitor<'de> for Lenient {
            type Value = Any<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Any::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Any::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Any::Other)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Any::Other)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Any::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Any::Other)
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Any::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Any::List(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, Any<'de>>()? {
                    fields.push((key, value));
                }
                Ok(Any::Object(fields))
            }
        }
        deserializer.deserialize_any(Lenient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> Vec<String> {
        let any: Any<'_> = serde_json::from_str(json).unwrap();
        let entries = any.entries("Ubuntu:22.04:LTS");
        let shown = entries.iter().map(|entry| {
            let ratings: Vec<&str> =
                entry.ratings.iter().map(|rating| rating.score.as_str()).collect();
            format!("{} {}", entry.cve, ratings.join("+"))
        });
        shown.collect()
    }

    #[test]
    fn each_shape_in_use_names_cves_and_their_ratings() {
        assert_eq!(
            shown(
                r#"{"ecosystem":"Ubuntu:22.04:LTS","cves":[{"id":"CVE-2026-0001","severity":[
                {"type":"CVSS_V3","score":"CVSS:3.1/x"},{"type":"Ubuntu","score":"low"}]},
                {"id":"UBUNTU-CVE-2026-0002"}]}"#
            ),
            ["CVE-2026-0001 CVSS:3.1/x+low", "CVE-2026-0002 "]
        );
        assert_eq!(
            shown(r#"["CVE-2026-0001",{"cve":"CVE-2026-0002","severity":"HIGH"},7,{"id":"x"}]"#),
            ["CVE-2026-0001 ", "CVE-2026-0002 HIGH"]
        );
        assert_eq!(
            shown(r#"{"CVE-2026-0001":{"cvss":"CVSS:4.0/x"},"note":"none"}"#),
            ["CVE-2026-0001 CVSS:4.0/x"]
        );
    }

    #[test]
    fn what_is_of_another_release_or_shape_says_nothing() {
        for json in [
            r#"{"ecosystem":"Ubuntu:24.04:LTS","cves":[{"id":"CVE-2026-0001"}]}"#,
            "null",
            "1",
            r#""CVE-2026-0001""#,
            r#"{"cves":null}"#,
            "[[]]",
        ] {
            assert!(shown(json).is_empty(), "{json}");
        }
    }
}
