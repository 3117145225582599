//! Names and ranges as lock files of Python and npm write them.

/// A Python name as the index compares it. Source: PyPA, "Names and normalization".
pub(crate) fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        if !matches!(letter, '-' | '_' | '.') {
            normal.push(letter.to_ascii_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}

/// Name and specifiers of a requirement of Python. Source: PyPA, "Dependency specifiers".
pub(crate) fn python_need(text: &str) -> Option<(String, &str)> {
    let text = text.split(';').next().unwrap_or(text).trim();
    let end =
        text.find(|one: char| !(one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.')));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1,
        None => rest,
    };
    // An address has no range.
    let range = Some(rest.trim()).filter(|rest| !rest.starts_with('@')).unwrap_or_default();
    (!name.is_empty()).then(|| (python_name(name), range))
}

/// The name before the `@` that divides it from the rest; an `@` at the beginning is a scope's.
pub(crate) fn split_npm(text: &str) -> Option<(&str, &str)> {
    let start = usize::from(text.starts_with('@'));
    let at = text.get(start..)?.find('@')? + start;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What is asked for behind an alias of npm; none of what is no range: addresses, folders, tags of git.
pub(crate) fn npm_range(text: &str) -> Option<&str> {
    let range = match text.strip_prefix("npm:") {
        Some(alias) => split_npm(alias).map_or(alias, |(_, range)| range),
        None => text,
    };
    (!range.contains([':', '/'])).then_some(range)
}

/// The text inside one pair of quotes, or the text itself.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text)
}
