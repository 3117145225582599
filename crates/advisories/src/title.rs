//! A record's title: its summary, else the first sentence of its details.
//!
//! In goes Markdown of anybody's making, out comes one line of plain text: headings, pictures, code and
//! tables are passed over, links and emphasis leave their words.

use std::borrow::Cow;

/// Longest title that is kept, in characters: a line.
const MAX_TITLE: usize = 200;
/// Bytes of details that are looked at: the first sentence begins in the first lines, and details may
/// have megabytes.
const MAX_LOOKED: usize = 8 << 10;

/// The title of a record with this summary and these details; none where they say nothing.
pub(crate) fn of<'doc>(summary: &'doc str, details: &str) -> Option<Cow<'doc, str>> {
    let line = summary.trim().lines().next().unwrap_or_default();
    if !line.is_empty() {
        return Some(cut(Cow::Borrowed(line)));
    }
    let mut end = details.len().min(MAX_LOOKED);
    while !details.is_char_boundary(end) {
        end -= 1;
    }
    let paragraph = first_paragraph(details.get(..end).unwrap_or_default())?;
    let plain = plain(&paragraph);
    let sentence = first_sentence(&plain).trim();
    let says = sentence.chars().any(char::is_alphanumeric);
    says.then(|| cut(Cow::Owned(sentence.to_owned())))
}

fn cut(line: Cow<'_, str>) -> Cow<'_, str> {
    match line.char_indices().nth(MAX_TITLE) {
        None => line,
        Some((end, _)) => {
            let kept = line.get(..end).unwrap_or_default().trim_end();
            Cow::Owned(format!("{kept}…"))
        }
    }
}

/// The first paragraph of prose, its lines joined.
fn first_paragraph(markdown: &str) -> Option<String> {
    let (mut paragraph, mut fence) = (String::new(), None);
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let opens = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
        if let Some(open) = fence {
            fence = (opens != Some(open)).then_some(open);
            continue;
        }
        // An underlined heading, by what stands below it.
        let next = lines.peek().map_or("", |next| next.trim());
        let underlined = next.len() > 1
            && (next.bytes().all(|byte| byte == b'=') || next.bytes().all(|byte| byte == b'-'));
        let is_rule = line.len() > 1 && line.bytes().all(|byte| b"=-*_".contains(&byte));
        let is_heading = line.starts_with('#') || is_rule || (underlined && paragraph.is_empty());
        if line.is_empty() || is_heading || opens.is_some() || line.starts_with('|') {
            if !paragraph.is_empty() {
                break;
            }
            fence = opens;
            continue;
        }
        let text = line.trim_start_matches(['>', '*', '-', '+', ' ']);
        let text = if text.is_empty() || plain(text).trim().is_empty() { continue } else { text };
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(text);
    }
    (!paragraph.is_empty()).then_some(paragraph)
}

/// The words of Markdown within a line.
fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = match character {
            '!' if after.starts_with('[') => link(after).map_or(after, |(_, after)| after),
            '[' => match link(rest) {
                Some((text, after)) => {
                    out.push_str(&text.replace(['`', '*', '['], ""));
                    after
                }
                None => after,
            },
            '<' => match after.split_once('>') {
                // A tag or an address; `a < b` is neither.
                Some((tag, after)) if is_tag(tag) => after,
                _ => {
                    out.push('<');
                    after
                }
            },
            '`' | '*' | ']' => after,
            '\\' => after,
            character if character.is_whitespace() || character.is_control() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                after
            }
            character => {
                out.push(character);
                after
            }
        };
    }
    out
}

/// `[text](address)` or `[text][name]`: the text, and what stands behind.
fn link(text: &str) -> Option<(&str, &str)> {
    let (shown, after) = text.strip_prefix('[')?.split_once(']')?;
    let close = match after.chars().next()? {
        '(' => ')',
        '[' => ']',
        _ => return None,
    };
    let (_, after) = after.split_once(close)?;
    Some((shown, after))
}

fn is_tag(tag: &str) -> bool {
    let first = tag.trim_start_matches('/').chars().next();
    first.is_some_and(|first| first.is_ascii_alphabetic() || first == '!') && !tag.contains('<')
}

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 11] =
    ["e.g", "i.e", "etc", "cf", "vs", "aka", "a.k.a", "approx", "inc", "no", "ver"];

fn first_sentence(text: &str) -> &str {
    let ends = text.char_indices().filter(|(_, character)| ['.', '!', '?'].contains(character));
    for (at, mark) in ends {
        let after = text.get(at + mark.len_utf8()..).unwrap_or_default();
        let before = text.get(..at).unwrap_or_default();
        let word = before.rsplit([' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
        let ended = after.is_empty() || after.starts_with(' ');
        if ended && !ABBREVIATIONS.contains(&word.as_str()) {
            return before;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_details(details: &str) -> Option<String> {
        of(" ", details).map(Cow::into_owned)
    }

    #[test]
    fn a_summary_is_the_title_and_else_the_first_sentence_of_the_details() {
        assert_eq!(of("One\nTwo", "Three."), Some("One".into()));
        for (details, title) in [
            (
                "### Impact\nA crafted file lets\nan attacker run code. More.",
                "A crafted file lets an attacker run code",
            ),
            (
                "Impact\n======\n\nIn [acme](https://acme.example/x) before 1.2.3, `parse()` **hangs**, e.g. on `<a>`. So",
                "In acme before 1.2.3, parse() hangs, e.g. on",
            ),
            ("![logo](x.png)\n\n> Quoted text here\n\nNext.", "Quoted text here"),
            ("```\ncode\n```\n| a | b |\n\n- first point\n", "first point"),
            ("acme 1.0 < 2.0 leaks memory", "acme 1.0 < 2.0 leaks memory"),
            ("\\u{1b} no\u{1b}[31m", "u{1b} no 31m"),
        ] {
            assert_eq!(of_details(details).as_deref(), Some(title), "{details}");
        }
        for nothing in ["", " \n ", "### Impact", "![x](y)", "```\ncode", "…"] {
            assert_eq!(of_details(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_title_is_one_bounded_line() {
        let long = of_details(&"wörd ".repeat(100_000)).unwrap();
        assert_eq!(long.chars().count(), MAX_TITLE);
        assert!(long.ends_with('…') && !long.contains('\n'));
    }
}
