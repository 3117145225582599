//! The text of a file that people or their tools wrote, whatever it is encoded in.
//!
//! One helper for all text manifests, so that a file that its own tool reads is read here too. A byte
//! order mark settles the encoding; else what the format declares (XML's declaration, Python's coding
//! line); else it is UTF-8. Text that is in no such encoding is an error, never a guess.

use encoding_rs::{Encoding, UTF_8};
use std::borrow::Cow;

/// The text; an XML declaration says its encoding. Source: XML 1.0, appendix F.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let xml = bytes.strip_prefix(b"<?xml").and_then(|rest| xml_encoding(rest));
    // UTF-16 without a mark, as XML allows it.
    let wide = match bytes {
        [0, b'<', 0, b'?', ..] => Some(encoding_rs::UTF_16BE),
        [b'<', 0, b'?', 0, ..] => Some(encoding_rs::UTF_16LE),
        _ => None,
    };
    match (wide, xml) {
        (Some(wide), _) => with(bytes, wide),
        // A declaration that could be read byte by byte is of no encoding of two bytes.
        (None, Some(label)) => with(bytes, named(label)?),
        (None, None) => with(bytes, UTF_8),
    }
}

/// The text of a file that pip reads. Source: pip, `utils/encoding.py`; PEP 263.
pub(crate) fn decoded_of_pip(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let first_lines = bytes.split(|byte| *byte == b'\n').take(2);
    let coding = first_lines.filter_map(coding_line).next();
    match coding {
        Some(label) => with(bytes, named(label)?),
        None => decoded(bytes),
    }
}

/// By its mark, else in this encoding.
fn with<'bytes>(
    bytes: &'bytes [u8],
    encoding: &'static Encoding,
) -> Result<Cow<'bytes, str>, String> {
    if let Some(text) = utf_32(bytes) {
        return text.map(Cow::Owned);
    }
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((marked, length)) => (marked, bytes.get(length..).unwrap_or_default()),
        None => (encoding, bytes),
    };
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| format!("it is not {} text", encoding.name()))
}

/// The text of UTF-32, by its mark, which begins as that of UTF-16 does; none of other encodings.
fn utf_32(bytes: &[u8]) -> Option<Result<String, String>> {
    let read: fn([u8; 4]) -> u32 = match bytes {
        [0, 0, 0xfe, 0xff, ..] => u32::from_be_bytes,
        [0xff, 0xfe, 0, 0, ..] => u32::from_le_bytes,
        _ => return None,
    };
    let (letters, rest) = bytes.as_chunks::<4>();
    let text: Option<String> =
        letters.iter().skip(1).map(|letter| char::from_u32(read(*letter))).collect();
    Some(text.filter(|_| rest.is_empty()).ok_or_else(|| "it is not UTF-32 text".to_owned()))
}

fn named(label: &[u8]) -> Result<&'static Encoding, String> {
    // What Python calls by names that the web does not know.
    let plain: Vec<u8> =
        label.iter().map(|byte| if *byte == b'_' { b'-' } else { *byte }).collect();
    let known = match plain.to_ascii_lowercase().as_slice() {
        b"utf-8-sig" => Some(UTF_8),
        b"latin" | b"latin-1" => Some(encoding_rs::WINDOWS_1252),
        _ => Encoding::for_label(label).or_else(|| Encoding::for_label(&plain)),
    };
    known.ok_or_else(|| {
        let label: String = String::from_utf8_lossy(label).chars().take(40).collect();
        format!("it says to be in `{label}`, which is not known here; save it as UTF-8")
    })
}

/// The encoding of ` version="1.0" encoding="…"?>`.
fn xml_encoding(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.windows(2).take(200).position(|two| two == b"?>")?;
    let declaration = rest.get(..end)?;
    let at = declaration.windows(8).position(|eight| eight == b"encoding")?;
    let value =
        declaration.get(at + 8..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    value.split(|byte| byte == quote).next().filter(|_| matches!(quote, b'"' | b'\''))
}

/// The encoding of a comment `# -*- coding: … -*-`. Source: PEP 263, its regular expression.
fn coding_line(line: &[u8]) -> Option<&[u8]> {
    let comment = line.trim_ascii_start().strip_prefix(b"#")?;
    let at = comment.windows(6).position(|six| six == b"coding")?;
    let value = comment.get(at + 6..)?;
    let value = value.strip_prefix(b":").or_else(|| value.strip_prefix(b"="))?.trim_ascii_start();
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let end = value.iter().position(|byte| !is_label(byte)).unwrap_or(value.len());
    value.get(..end).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|one| if big { one.to_be_bytes() } else { one.to_le_bytes() })
            .collect()
    }

    #[test]
    fn a_mark_settles_the_encoding() {
        for big in [true, false] {
            assert_eq!(decoded(&wide("\u{feff}für", big)).unwrap(), "für");
        }
        assert_eq!(decoded(b"\xef\xbb\xbff\xc3\xbcr").unwrap(), "für");
        assert_eq!(decoded(b"\xff\xfe\0\0f\0\0\0\xfc\0\0\0").unwrap(), "fü");
        assert_eq!(decoded(b"\0\0\xfe\xff\0\0\0f").unwrap(), "f");
        assert!(decoded(b"\xff\xfe\0\0f\0\0").is_err());
    }

    #[test]
    fn xml_is_read_in_the_encoding_that_it_declares() {
        for label in ["ISO-8859-1", "windows-1252", "iso-8859-15", "US-ASCII"] {
            let text = format!("<?xml version='1.0' encoding = '{label}'?><a>");
            let bytes = [text.as_bytes(), b"\xfc</a>"].concat();
            assert!(decoded(&bytes).unwrap().ends_with("<a>ü</a>"), "{label}");
        }
        assert!(decoded(&wide("<?xml version='1.0'?><a/>", true)).unwrap().contains("<a/>"));
        let unknown = decoded(b"<?xml version='1.0' encoding='x-none'?>").unwrap_err();
        assert!(unknown.contains("`x-none`"), "{unknown}");
    }

    #[test]
    fn text_that_is_in_no_known_encoding_is_refused() {
        assert_eq!(decoded(b"caf\xe9").unwrap_err(), "it is not UTF-8 text");
        assert!(decoded(b"\xff\xfea").is_err() && decoded(b"\xff\xfe\x00\xd8").is_err());
    }

    #[test]
    fn pip_reads_the_coding_line() {
        for line in ["# -*- coding: latin-1 -*-", "#!x\n# vim: set fileencoding=iso8859_1 :"] {
            let bytes = [line.as_bytes(), b"\n# \xfc\n"].concat();
            assert!(decoded_of_pip(&bytes).unwrap().contains('ü'), "{line}");
        }
        assert!(decoded_of_pip(b"a\nb\n# coding: latin-1\n\xfc").is_err());
    }
}
