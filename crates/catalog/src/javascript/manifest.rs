//! The four fields of `package.json` that say what a package is: name, version, licence.
//!
//! All else is skipped without being built, since an image can hold thousands of these files. The
//! reader is as forgiving as Node.js: a mark of byte order, fields of the wrong type, and fields
//! given twice (the last one counts) do no harm.

use crate::language::{LICENCE_LIMIT, plain_text};
use image::ReadError;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Longest name: npm's own limit is 214.
const NAME_LIMIT: usize = 214;

/// A package's own words about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest<'text> {
    pub(super) name: Cow<'text, str>,
    pub(super) version: Cow<'text, str>,
    pub(super) licences: Vec<String>,
}

/// Reads a `package.json`; none where it has no name or no version, and so is no package.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Manifest<'_>>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let fields: Fields<'_> = serde_json::from_slice(bytes).map_err(|error| {
        ReadError::new(format!("it is not readable JSON at line {}", error.line()))
    })?;
    let (Some(name), Some(version)) = (fields.name, fields.version) else { return Ok(None) };
    let usable = plain_text(&name).is_some() && plain_text(&version).is_some();
    if !usable || !is_name(&name) {
        return Ok(None);
    }
    let version = match version.trim() {
        trimmed if trimmed.len() == version.len() => version,
        trimmed => Cow::Owned(trimmed.to_owned()),
    };
    let mut licences = fields.licences;
    licences.truncate(LICENCE_LIMIT);
    Ok(Some(Manifest { name, version, licences }))
}

/// The bytes as UTF-8: some tools of Windows write UTF-16 with a mark of byte order.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (bytes, is_little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return Cow::Borrowed(bytes),
    };
    let order = if is_little { u16::from_le_bytes } else { u16::from_be_bytes };
    let pairs = bytes.chunks(2).map(|pair| pair.first_chunk().copied().map_or(0xfffd, order));
    let text: String = char::decode_utf16(pairs)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}

/// `name` or `@scope/name`, in letters that a URL can hold; old names have capitals.
fn is_name(name: &str) -> bool {
    let (scope, bare) = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').unwrap_or_default(),
        None => ("-", name),
    };
    let fits = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!'()*".contains(&byte);
        !part.is_empty() && part.bytes().all(allowed)
    };
    name.len() <= NAME_LIMIT && fits(scope) && fits(bare)
}

#[derive(Default)]
struct Fields<'text> {
    name: Option<Cow<'text, str>>,
    version: Option<Cow<'text, str>>,
    licences: Vec<String>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        "name" => fields.name = map.next_value::<Loose<'de>>()?.text(),
                        "version" => fields.version = map.next_value::<Loose<'de>>()?.text(),
                        "license" | "licenses" => {
                            let stated = map.next_value::<Loose<'de>>()?.licences();
                            if !stated.is_empty() {
                                fields.licences = stated;
                            }
                        }
                        _ => map.next_value::<IgnoredAny>().map(|_| ())?,
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'text>(#[serde(borrow)] Cow<'text, str>);

/// A value of any type, of which only text, `{"type": …}` and lists of these are kept.
enum Loose<'text> {
    Text(Cow<'text, str>),
    List(Vec<String>),
    Other,
}

impl<'text> Loose<'text> {
    fn text(self) -> Option<Cow<'text, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Other => None,
        }
    }

    fn licences(self) -> Vec<String> {
        let list = match self {
            Self::Text(text) => vec![text.into_owned()],
            Self::List(list) => list,
            Self::Other => Vec::new(),
        };
        list.iter().filter_map(|text| plain_text(text)).map(str::to_owned).collect()
    }
}

impl<'de> Deserialize<'de> for Loose<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut kind = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            if matches!(&*key, "type" | "name") {
                kind = map.next_value::<Loose<'de>>()?.licences();
            } else {
                map.next_value::<IgnoredAny>().map(|_| ())?;
            }
        }
        Ok(Loose::List(kind))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(one) = list.next_element::<Loose<'de>>()? {
            if kept.len() < LICENCE_LIMIT {
                kept.extend(one.licences());
            }
        }
        Ok(Loose::List(kept))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }
}
