//! Reads package URLs, from right to left as the specification says.
//!
//! In goes text of any origin, out come the parts, or what is wrong. Where the specification is at
//! odds with what people write, the text is taken if it can mean one thing only: `@` in an npm scope
//! need not be encoded, an empty version is none.
//!
//! Source: purl-spec, "How to parse a purl string in its components".

use crate::purl::{Purl, PurlError, join};
use crate::types::{is_key, is_kind};
use std::borrow::Cow;
use std::str::FromStr;

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).map_err(|reason| PurlError { text: text.chars().take(200).collect(), reason })
    }
}

fn read(text: &str) -> Result<Purl, &'static str> {
    if text.len() > Purl::LONGEST {
        return Err("it is longer than 16384 bytes");
    }
    let (rest, subpath) = text.rsplit_once('#').unwrap_or((text, ""));
    let (rest, qualifiers) = rest.rsplit_once('?').unwrap_or((rest, ""));
    let rest = match rest.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("pkg") => rest,
        _ => return Err("it does not begin with `pkg:`"),
    };
    let (kind, rest) = rest.trim_start_matches('/').split_once('/').ok_or("it has no type")?;
    if !is_kind(kind) {
        return Err("its type is not made of letters, digits, `.` and `-`");
    }
    let (path, version) = split_version(rest);
    let path = path.trim_end_matches('/');
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = decode(name)?;
    if name.is_empty() {
        return Err("it has no name");
    }
    let purl = Purl::new(kind, &name)
        .with_namespace(&read_path(namespace)?)
        .with_version(&decode(version)?)
        .with_subpath(&read_path(subpath)?);
    qualifiers.split('&').filter(|pair| !pair.is_empty()).try_fold(purl, with_pair)
}

/// Splits the version off. An `@` that begins a part with parts behind it belongs to an npm scope.
fn split_version(text: &str) -> (&str, &str) {
    match text.rsplit_once('@') {
        Some((path, scope))
            if (path.is_empty() || path.ends_with('/'))
                && scope.trim_end_matches('/').contains('/') =>
        {
            (text, "")
        }
        Some(parts) => parts,
        None => (text, ""),
    }
}

/// Decodes parts divided by `/`; decoded, none may hold one.
fn read_path(text: &str) -> Result<String, &'static str> {
    let parts: Vec<Cow<'_, str>> = text.split('/').map(decode).collect::<Result<_, _>>()?;
    if parts.iter().any(|part| part.contains('/')) {
        return Err("a part of its namespace or subpath has an encoded `/` in it");
    }
    Ok(join(parts.iter().map(AsRef::as_ref)).unwrap_or_default())
}

fn with_pair(purl: Purl, pair: &str) -> Result<Purl, &'static str> {
    let (key, value) = pair.split_once('=').ok_or("a qualifier has no `=`")?;
    if !is_key(key) {
        return Err("a qualifier's key is not made of letters, digits, `.`, `-` and `_`");
    }
    let key = key.to_ascii_lowercase();
    if purl.qualifier(&key).is_some() {
        return Err("a qualifier is there twice");
    }
    Ok(purl.with_qualifier(&key, &decode(value)?))
}

/// Decodes `%XX`.
fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => match (bytes.next().and_then(hex), bytes.next().and_then(hex)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err("a `%` is not followed by two hexadecimal digits"),
            },
            _ => byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| "it does not decode to UTF-8")
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
