//! Text of package databases: lines, fields, and bytes that are not UTF-8.
//!
//! Works on bytes, since databases of old distributions hold Latin-1, and one wrong byte in a
//! description must not hide a package. Splits with `memchr`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The lines, without their line ends.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let mut ends = memchr::memchr_iter(b'\n', bytes);
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let end = ends.next().unwrap_or(bytes.len());
        let line = bytes.get(start..end)?;
        start = end + 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// The text; bytes that are not UTF-8 show as `\xNN`, as in the paths of the walk.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    Cow::Owned(shown)
}

/// The text, cut at a character boundary to at most `limit` bytes.
pub(crate) fn capped(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The fields of a header in the manner of mail: `Key: value`, continued on lines that begin with a
/// blank, as R, Debian and GHC write it. A continued value has one blank for each line end.
pub(crate) fn fields(bytes: &[u8]) -> Vec<(&[u8], Cow<'_, str>)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut found: Vec<(&[u8], Cow<'_, str>)> = Vec::new();
    for line in lines(bytes) {
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            if let Some((_, value)) = found.last_mut() {
                let value = value.to_mut();
                value.push(' ');
                value.push_str(text(line).trim());
            }
        } else if let Some(colon) = memchr::memchr(b':', line)
            && let Some((key, value)) = line.split_at_checked(colon)
        {
            found.push((key, text(value.get(1..).unwrap_or_default().trim_ascii())));
        }
    }
    found
}

/// A path as package databases write it, without `/` or `./` in front.
pub(crate) fn path(mut bytes: &[u8]) -> Cow<'_, str> {
    while let Some(rest) = bytes.strip_prefix(b"/").or_else(|| bytes.strip_prefix(b"./")) {
        bytes = rest;
    }
    text(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_any_line_end() {
        let all: Vec<&[u8]> = lines(b"a\r\n\nb\nc").collect();
        assert_eq!(all, [b"a".as_slice(), b"", b"b", b"c"]);
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(b"\n").count(), 1);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_in_hex() {
        assert_eq!(text(b"plain"), "plain");
        assert_eq!(text(b"caf\xe9!"), "caf\\xe9!");
    }

    #[test]
    fn paths_lose_what_stands_for_the_root() {
        for written in ["./usr/bin", "/usr/bin", "usr/bin", "//usr/bin"] {
            assert_eq!(path(written.as_bytes()), "usr/bin");
        }
        assert_eq!(path(b"/.a"), ".a");
    }

    #[test]
    fn a_field_goes_on_where_a_line_begins_with_a_blank() {
        let found = fields(b"\xef\xbb\xbfName: a\n\nLicence:\n  MIT\n\tor ISC\nno field\n b\xff\n");
        let expected = [(&b"Name"[..], "a"), (b"Licence", " MIT or ISC b\\xff")];
        assert_eq!(found, expected.map(|(key, value)| (key, Cow::Borrowed(value))));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(capped("aé", 2), "a");
        assert_eq!(capped("aé", 3), "aé");
    }
}
