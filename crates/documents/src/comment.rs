//! Comments: what stands behind `#`, in YAML and TOML alike.

use crate::place::Span;

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The line where it stands, counted from 1.
    pub line: usize,
    /// Its bytes, `#` too.
    pub span: Span,
}

/// The comments of a text, given the scalars in it: in those `#` is a letter like others. In YAML it is
/// one too where neither a blank nor the beginning of a line is before it.
pub(crate) fn all(text: &str, mut scalars: Vec<Span>, needs_blank: bool) -> Vec<Comment> {
    scalars.sort_unstable();
    let mut scalars = scalars.into_iter().peekable();
    let mut found = Vec::new();
    let mut start = 0;
    for (line, written) in (1..).zip(text.split_inclusive('\n')) {
        let end = start + written.trim_end_matches(['\n', '\r']).len();
        let mut from = start;
        while let Some(at) = text.get(from..end).and_then(|rest| rest.find('#')) {
            let at = from + at;
            while scalars.next_if(|scalar| scalar.end <= at).is_some() {}
            if let Some(scalar) = scalars.peek().filter(|scalar| scalar.start <= at) {
                from = scalar.end.min(end).max(at + 1);
                continue;
            }
            let before = text.get(start..at).and_then(|before| before.chars().next_back());
            if needs_blank && before.is_some_and(|letter| !letter.is_whitespace()) {
                from = at + 1;
                continue;
            }
            found.push(Comment { line, span: Span { start: at, end } });
            break;
        }
        start += written.len();
    }
    found
}
