//! XML as manifests need it: elements with attributes and texts, in order.
//!
//! A document type is refused and no entity is expanded but the five of XML and characters by number,
//! so that no small file can become an endless one. Prefixes of names stay as they are written.

use crate::line_counter::LineCounter;

/// Deepest nesting; a project of Maven or MSBuild has about eight levels.
const DEPTH: usize = 64;

/// An element as it begins.
pub(crate) struct Element<'text> {
    /// The line where it begins, counted from 1.
    pub(crate) line: u32,
    attributes: &'text str,
}

impl Element<'_> {
    /// The value of an attribute, by its name in any case, as MSBuild reads them.
    pub(crate) fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        while let Some((name, behind)) = rest.split_once('=') {
            let behind = behind.trim_start();
            let quote = behind.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
            let (value, after) = behind.get(1..)?.split_once(quote)?;
            if name.trim().eq_ignore_ascii_case(wanted) {
                return Some(plain(value).trim().to_owned());
            }
            rest = after;
        }
        None
    }
}

/// What is made of a document.
pub(crate) trait Visitor {
    /// An element begins; the last of the path is its name.
    fn begin(&mut self, path: &[&str], element: &Element<'_>);
    /// The innermost element of the path ends; its own text, trimmed, empty where it has none.
    fn end(&mut self, path: &[&str], text: &str, line: u32);
}

/// Walks the elements of a document.
pub(crate) fn walk(text: &str, visitor: &mut impl Visitor) -> Result<(), String> {
    let mut lines = LineCounter::new(text);
    let mut path: Vec<&str> = Vec::new();
    // The text of the innermost element; comments may divide it.
    let mut content = String::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        content.push_str(&plain(text.get(at..start).unwrap_or_default()));
        let line = lines.at(start);
        let rest = text.get(start..).unwrap_or_default();
        let end =
            end_of_markup(rest)?.ok_or_else(|| format!("line {line} begins what does not end"))?;
        let all = rest.get(..end).unwrap_or_default();
        at = start + end;
        if all.starts_with("<!") || all.starts_with("<?") {
            let literal = all.strip_prefix("<![CDATA[").and_then(|all| all.strip_suffix("]]>"));
            content.push_str(literal.unwrap_or_default());
            continue;
        }
        let tag = all.get(1..end - 1).unwrap_or_default();
        if let Some(name) = tag.strip_prefix('/') {
            if path.last() != Some(&name.trim()) {
                return Err(format!("line {line} ends what was not begun"));
            }
            visitor.end(&path, content.trim(), line);
            path.pop();
        } else {
            let inside = tag.strip_suffix('/').unwrap_or(tag);
            let (name, attributes) =
                inside.split_once(|letter: char| letter.is_whitespace()).unwrap_or((inside, ""));
            path.push(name);
            if path.len() > DEPTH {
                return Err("it is nested too deeply".to_owned());
            }
            visitor.begin(&path, &Element { line, attributes });
            if tag.ends_with('/') {
                visitor.end(&path, "", line);
                path.pop();
            }
        }
        content.clear();
    }
    if path.is_empty() { Ok(()) } else { Err("it ends too early".to_owned()) }
}

/// Where what begins here ends; none where it does not.
fn end_of_markup(rest: &str) -> Result<Option<usize>, String> {
    Ok(match () {
        () if rest.starts_with("<!--") => {
            rest.get(4..).and_then(|inside| inside.find("-->")).map(|end| end + 7)
        }
        () if rest.starts_with("<?") => rest.find("?>").map(|end| end + 2),
        () if rest.starts_with("<![CDATA[") => rest.find("]]>").map(|end| end + 3),
        () if rest.starts_with("<!") => {
            return Err("it has a document type of its own, which is not read".to_owned());
        }
        () => end_of_tag(rest),
    })
}

/// Where a tag ends, behind its `>`; one inside quotes does not end it.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The text with XML's own entities and characters by number written out.
fn plain(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = part.split_once(';').and_then(|(name, rest)| Some((letter(name)?, rest)));
        match known {
            Some((letter, rest)) => {
                plain.push(letter);
                plain.push_str(rest);
            }
            None => {
                plain.push('&');
                plain.push_str(part);
            }
        }
    }
    plain
}

fn letter(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "amp" => Some('&'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Visitor for Seen {
        fn begin(&mut self, path: &[&str], element: &Element<'_>) {
            let id = element.attribute("id").unwrap_or_default();
            self.0.push(format!("{} {id} {}", path.join("/"), element.line));
        }
        fn end(&mut self, path: &[&str], text: &str, _line: u32) {
            self.0.push(format!("{}={text}", path.join("/")));
        }
    }

    #[test]
    fn elements_attributes_and_texts_come_in_order() {
        let mut seen = Seen::default();
        walk(
            "<?xml?>\n<a><b ID = 'x>&amp;&#65;'\n/>t<!-- <c> -->&lt;<![CDATA[<d>]]></a>",
            &mut seen,
        )
        .unwrap();
        assert_eq!(seen.0, ["a  2", "a/b x>&A 2", "a/b=", "a=t<<d>"]);
    }

    #[test]
    fn what_does_not_end_or_declares_entities_is_refused() {
        for text in ["<a>", "<a", "<a></b>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "<!-- ", "<!-->"]
        {
            assert!(walk(text, &mut Seen::default()).is_err(), "{text}");
        }
        assert!(walk(&"<a>".repeat(100_000), &mut Seen::default()).is_err());
    }
}
