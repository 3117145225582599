//! `*.opam.locked` of OCaml, as `opam lock` writes it. Source: opam manual, "Common file format" and
//! "opam lock".
//!
//! The fields `depends` and `depopts` name packages with their versions, `"name" {= "1.0" & build}`. What is pinned to
//! an address (`pin-depends`) is not of the repository, and listed with the address. The text is divided into the few
//! tokens of the format, so that comments and long texts cannot be taken for packages.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader};
use crate::elsewhere::Elsewhere;
use crate::line_counter::LineCounter;
use image::Interest;
use std::collections::HashMap;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "opam-locked",
    ecosystem: Ecosystem::OPAM,
    interests: &[Interest::Name("opam.locked"), Interest::Extension("locked")],
    accepts: |path| path.ends_with("opam.locked"),
    at_most: 8 << 20,
    reader: Reader::Alone(parse),
};

enum Token<'text> {
    /// A text in quotes, and where it begins.
    Text(&'text str, usize),
    /// A name, a number or an operator.
    Word(&'text str),
    /// A bracket or a colon.
    Sign(u8),
}

fn parse(text: &str) -> Result<Listing, String> {
    let tokens = tokens(text)?;
    let mut lines = LineCounter::new(text);
    let mut found = Vec::new();
    let mut seen = false;
    let mut addresses = HashMap::new();
    let (mut field, mut word) = ("", "");
    let (mut lists, mut braces) = (0_u32, 0_u32);
    // The package named last, and whether the next text is its version.
    let mut package: Option<(&str, u32)> = None;
    let mut equals = false;
    // The package whose address comes next.
    let mut pinned: Option<&str> = None;
    for token in &tokens {
        match token {
            Token::Sign(b':') if lists == 0 && braces == 0 => {
                field = word;
                seen |= matches!(field, "depends" | "depopts" | "opam-version");
            }
            Token::Sign(b'[') => lists += 1,
            Token::Sign(b']') => lists = lists.saturating_sub(1),
            Token::Sign(b'{') => braces += 1,
            Token::Sign(b'}') => braces = braces.saturating_sub(1),
            Token::Sign(_) => {}
            Token::Word(text) => (word, equals) = (text, *text == "="),
            Token::Text(text, at) if matches!(field, "depends" | "depopts") => {
                if braces == 0 {
                    package = Some((text, lines.at(*at)));
                } else if equals && let Some((name, line)) = package.take() {
                    found.extend(Declared::new(name, text, line));
                }
                equals = false;
            }
            // A list of `["name.version" "address"]`.
            Token::Text(text, _) if field == "pin-depends" && lists == 2 => match pinned.take() {
                None => pinned = text.split_once('.').map(|(name, _)| name),
                Some(name) => {
                    addresses.insert(name, text);
                }
            },
            Token::Text(..) => {}
        }
    }
    let listed = found.into_iter().map(|one: Declared| {
        let address = addresses.get(one.name.as_str());
        let elsewhere =
            address.map(|text| Elsewhere::of_npm(text).unwrap_or_else(|| Elsewhere::path(text)));
        Entry::Package(Declared { elsewhere, ..one })
    });
    Ok(Listing::of_list_if(seen, listed))
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.bytes().next().unwrap_or_default();
        let unended = |what: &str| format!("{what} of it does not end");
        let length = match first {
            b'#' => rest.find('\n').unwrap_or(rest.len()),
            b'(' if rest.starts_with("(*") => {
                rest.find("*)").ok_or_else(|| unended("a comment"))? + 2
            }
            b'"' => {
                let (inner, length) = quoted(rest).ok_or_else(|| unended("a text"))?;
                tokens.push(Token::Text(inner, at));
                length
            }
            b'[' | b']' | b'{' | b'}' | b'(' | b')' | b':' => {
                tokens.push(Token::Sign(first));
                1
            }
            b'=' | b'<' | b'>' | b'!' | b'&' | b'|' | b'?' => {
                let operator = |letter: char| !"=<>!&|?".contains(letter);
                let length = rest.find(operator).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..length).unwrap_or_default()));
                length
            }
            _ if is_word(first) => {
                let length = rest.find(|letter: char| !u8::try_from(letter).is_ok_and(is_word));
                let length = length.unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..length).unwrap_or_default()));
                length
            }
            b' ' | b'\t' | b'\n' | b'\r' => 1,
            _ => return Err("it is not a file of opam".to_owned()),
        };
        at += length;
    }
    Ok(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+./,@%~^$;*'".contains(&byte)
}

/// The text inside the quotes with which this begins, and how long both are.
fn quoted(rest: &str) -> Option<(&str, usize)> {
    if let Some(long) = rest.strip_prefix("\"\"\"") {
        let end = long.find("\"\"\"")?;
        return Some((long.get(..end)?, end + 6));
    }
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((rest.get(1..at)?, at + 1)),
            _ => {}
        }
    }
    None
}
