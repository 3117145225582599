//! Untrusted text on a terminal: escaping, measuring, cutting, colouring.
//!
//! Every text of a report passes through [`Line`], so that no file name, package name or history
//! command of an image can move the cursor, recolour, reverse or hide what a person reads. What is
//! escaped: Unicode categories Cc, Cf and the line separators, that is control characters, direction
//! overrides ("Trojan Source", CVE-2021-42574), zero-width and tag characters.

use anstyle::Style as Paint;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use unicode_width::UnicodeWidthChar;

/// Characters kept of one piece of text, whatever the width: a stack of combining marks has no width
/// at all, and a history command can be megabytes long.
const PIECE_CHARACTERS: usize = 2_000;

/// The sign that something was cut.
const ELLIPSIS: char = '…';

/// The first signs of a text, and the sign that it was cut, where it was.
pub(crate) fn cut(text: &str, limit: usize) -> impl Iterator<Item = char> + '_ {
    let more = text.chars().nth(limit).map(|_| ELLIPSIS);
    text.chars().take(limit).chain(more)
}

/// Text with everything that a terminal would act on, or that an eye could not see, shown by code.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            hostile if is_hostile(hostile) => {
                let _ = match u32::from(hostile) {
                    code @ 0..=0xff => write!(shown, "\\x{code:02x}"),
                    code => write!(shown, "\\u{{{code:x}}}"),
                };
            }
            harmless => shown.push(harmless),
        }
    }
    Cow::Owned(shown)
}

/// A text as one line that nothing acts on: escaped, and without what CI services take for commands.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = escape(text).into_owned();
    disarm(&mut line);
    line
}

/// Puts a backslash in place of the first sign of whatever a CI service takes for a command when a
/// step prints it: `::error::` at the beginning of a line, blanks before it or not, and `##[error]`,
/// `##vso[…]` and `##teamcity[…]` anywhere. The text keeps its length.
/// Source: ActionCommand.cs of GitHub's runner (`TryParseV2`, `TryParse`), Command.cs of Azure's.
pub(crate) fn disarm(line: &mut String) {
    let blanks = line.len() - line.trim_start().len();
    if line.get(blanks..).is_some_and(|rest| rest.starts_with("::")) {
        line.replace_range(blanks..=blanks, "\\");
    }
    while let Some(at) = command_in(line) {
        line.replace_range(at..=at, "\\");
    }
}

/// Where `##word[` begins, if anywhere.
pub(crate) fn command_in(text: &str) -> Option<usize> {
    text.match_indices("##").map(|(at, _)| at).find(|at| {
        let behind = text.get(*at..).unwrap_or_default().trim_start_matches('#');
        behind.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric()).starts_with('[')
    })
}

/// Whether a character acts on a terminal, changes direction, or has no picture of its own.
/// Source: Unicode character database, general categories Cc, Cf, Zl, Zp and
/// `Default_Ignorable_Code_Point`.
pub(crate) fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x115f | 0x1160
            | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff
            | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Whether a text is a plain web address, fit for a link in a report: no blanks, quotes, brackets or
/// anything else that RFC 3986 does not allow in a URI.
pub(crate) fn is_web_address(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed))
}

/// The columns that escaped text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// Builds one line at a time and cuts it at the width.
pub(crate) struct Page<'out> {
    out: &'out mut dyn io::Write,
    colour: bool,
    limit: usize,
    /// The line so far, escaped, without colours.
    line: String,
    /// Columns of `line`.
    used: usize,
    /// Where each style ends in `line`, in bytes.
    spans: Vec<(usize, Paint)>,
}

impl<'out> Page<'out> {
    /// The least width that is honoured: below it nothing useful fits.
    const LEAST: usize = 40;

    pub(crate) fn new(out: &'out mut dyn io::Write, colour: bool, width: Option<usize>) -> Self {
        let limit = width.map_or(usize::MAX, |columns| columns.max(Self::LEAST));
        Self { out, colour, limit, line: String::new(), used: 0, spans: Vec::new() }
    }

    /// Adds plain text to the line.
    pub(crate) fn put(&mut self, text: &str) -> &mut Self {
        self.paint(Paint::new(), text)
    }

    /// Adds text in a style to the line.
    pub(crate) fn paint(&mut self, paint: Paint, text: &str) -> &mut Self {
        // What lies beyond the width is cut at the end of the line and need not be gathered.
        if self.used > self.limit {
            return self;
        }
        let cut = text.char_indices().nth(PIECE_CHARACTERS).map(|(end, _)| end);
        let shown = escape(text.get(..cut.unwrap_or(text.len())).unwrap_or_default());
        self.line.push_str(&shown);
        self.used += width(&shown);
        if cut.is_some() {
            self.line.push(ELLIPSIS);
            self.used += 1;
        }
        self.spans.push((self.line.len(), paint));
        self
    }

    /// Fills up with spaces to a column; text that is already there gets two spaces.
    pub(crate) fn column(&mut self, column: usize) -> &mut Self {
        let least = if self.used == 0 { 0 } else { 2 };
        let spaces = column.saturating_sub(self.used).max(least);
        self.put(&" ".repeat(spaces))
    }

    /// Ends the line: cuts what is too long, with an ellipsis, and drops blanks at its end.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        disarm(&mut self.line);
        let fits = self.used <= self.limit;
        let mut left = if fits { usize::MAX } else { self.limit - 1 };
        let end = self.line.char_indices().find_map(|(at, character)| {
            let columns = character.width().unwrap_or(0);
            let over = columns > left;
            left = left.saturating_sub(columns);
            over.then_some(at)
        });
        let kept = self.line.get(..end.unwrap_or(self.line.len())).unwrap_or_default();
        let kept = kept.trim_end_matches(' ').len();
        let mut text = String::with_capacity(kept + 16);
        let mut start = 0;
        for (end, paint) in &self.spans {
            let piece = self.line.get(start..(*end).min(kept)).unwrap_or_default();
            start = *end;
            push_painted(&mut text, piece, *paint, self.colour);
        }
        text.push_str(if fits { "\n" } else { "…\n" });
        self.line.clear();
        self.spans.clear();
        self.used = 0;
        self.out.write_all(text.as_bytes())
    }

    /// Adds a word, on further lines where it is longer than one: a digest is never cut.
    fn put_broken(&mut self, paint: Paint, indent: usize, word: &str) -> io::Result<()> {
        let mut rest = word;
        while let Some((head, tail)) = break_at(rest, self.limit.saturating_sub(self.used))
            .and_then(|at| rest.split_at_checked(at))
        {
            self.paint(paint, head);
            self.end()?;
            self.put(&" ".repeat(indent));
            rest = tail;
        }
        self.paint(paint, rest);
        Ok(())
    }

    /// Writes text over as many lines as it needs, each behind `indent` columns; the first line goes
    /// on where the present one stands.
    pub(crate) fn wrap(&mut self, paint: Paint, indent: usize, text: &str) -> io::Result<()> {
        let cut = text.char_indices().nth(PIECE_CHARACTERS).map(|(end, _)| end);
        let shown = text.get(..cut.unwrap_or(text.len())).unwrap_or_default();
        if self.used < indent {
            self.put(&" ".repeat(indent - self.used));
        }
        let mut first = true;
        for word in shown.split(' ').filter(|word| !word.is_empty()) {
            let word = escape(word);
            let needed = width(&word) + usize::from(!first);
            if !first && self.used + needed > self.limit {
                self.end()?;
                self.put(&" ".repeat(indent));
                first = true;
            }
            if !first {
                self.put(" ");
            }
            self.put_broken(paint, indent, &word)?;
            first = false;
        }
        if cut.is_some() {
            self.put(" …");
        }
        self.end()
    }
}

/// Where escaped text has to be broken to fit into these columns, but behind its first character.
fn break_at(text: &str, columns: usize) -> Option<usize> {
    let mut left = columns;
    text.char_indices().find_map(|(at, character)| {
        let needed = character.width().unwrap_or(0);
        let over = needed > left && at > 0;
        left = left.saturating_sub(needed);
        over.then_some(at)
    })
}

fn push_painted(text: &mut String, piece: &str, paint: Paint, colour: bool) {
    if piece.is_empty() || !colour || paint == Paint::new() {
        text.push_str(piece);
        return;
    }
    let _ = write!(text, "{}{piece}{}", paint.render(), paint.render_reset());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: Option<usize>, write: impl Fn(&mut Page<'_>)) -> String {
        let mut out = Vec::new();
        let mut page = Page::new(&mut out, false, width);
        write(&mut page);
        page.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_would_act_on_is_shown_by_its_code() {
        assert_eq!(escape("a\u{1b}[31mred\u{7}"), "a\\x1b[31mred\\x07");
        assert_eq!(escape("x\r\ny\tz\u{9b}2J"), "x\\r\\ny\\tz\\x9b2J");
        assert_eq!(escape("\u{202e}gpj.exe\u{2066}"), "\\u{202e}gpj.exe\\u{2066}");
        assert_eq!(escape("pay\u{200b}pal\u{e0041}"), "pay\\u{200b}pal\\u{e0041}");
        assert!(matches!(escape("Grüße 日本 naïve"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_ci_service_takes_for_a_command_is_none_any_more() {
        for (text, shown) in [
            ("::error::x", "\\:error::x"),
            ("  ::add-mask::x", "  \\:add-mask::x"),
            ("std::error::Error", "std::error::Error"),
            ("a ##[error]x ##vso[task.complete]", "a \\#[error]x \\#vso[task.complete]"),
            ("####[group]", "\\\\\\#[group]"),
            ("## heading [1]", "## heading [1]"),
            ("a\n::set-output name=x::y", "a\\n::set-output name=x::y"),
        ] {
            assert_eq!(one_line(text), shown);
            assert_eq!(
                page(None, |page| {
                    page.put(text);
                }),
                format!("{shown}\n")
            );
        }
        let split = page(None, |page| {
            page.put("##").put("[error]");
        });
        assert_eq!(split, "\\#[error]\n");
    }

    #[test]
    fn a_line_is_cut_at_the_width_of_the_terminal_wide_characters_counted_twice() {
        let long = "日本".repeat(40);
        let line = page(Some(41), |page| {
            page.put(&long).put("never seen");
        });
        assert!((40..=41).contains(&width(line.trim_end())), "{line}");
        assert!(line.ends_with("…\n"), "{line}");
    }

    #[test]
    fn a_line_that_fits_exactly_is_not_cut_and_one_column_more_is() {
        let of = |extra: &str| {
            page(Some(40), |page| {
                page.put(&"x".repeat(38)).put("  ").put(extra);
            })
        };
        assert_eq!(of(""), format!("{}\n", "x".repeat(38)));
        assert_eq!(of("y"), format!("{}…\n", "x".repeat(38)));
    }

    #[test]
    fn a_stack_of_combining_marks_ends() {
        let tower = format!("a{}", "\u{301}".repeat(1_000_000));
        let line = page(None, |page| {
            page.put(&tower);
        });
        assert!(line.len() < 3 * PIECE_CHARACTERS, "{}", line.len());
    }

    #[test]
    fn long_text_wraps_behind_its_indent() {
        let mut out = Vec::new();
        let text = "one two three four five six seven eight nine ten eleven";
        Page::new(&mut out, false, Some(40)).wrap(Paint::new(), 4, text).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "    one two three four five six seven\n    eight nine ten eleven\n");
    }

    #[test]
    fn colour_is_closed_where_text_is_cut() {
        let mut out = Vec::new();
        let red = Paint::new().fg_color(Some(anstyle::AnsiColor::Red.into()));
        let mut page = Page::new(&mut out, true, Some(40));
        page.paint(red, &"x".repeat(90));
        page.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("x\u{1b}[0m…\n"), "{text:?}");
    }
}
