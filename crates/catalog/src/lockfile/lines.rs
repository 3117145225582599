//! On which lines of a file its packages stand, where its reader does not tell.

use std::collections::HashMap;

/// Lines of the keys of a pretty-printed JSON object, `"key": {`; 0 for a key that stands in several
/// places, since the wrong line is worse than none.
pub(super) fn json_lines(text: &str) -> HashMap<&str, u32> {
    let mut lines = HashMap::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let key = line.trim_start().strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {"));
        if let Some(key) = key {
            lines.entry(key).and_modify(|line| *line = 0).or_insert(number);
        }
    }
    lines
}

/// Lines of a pretty-printed JSON file that name something, `"name": "…",`; 0 for a name that stands
/// in several places.
pub(super) fn json_name_lines(text: &str) -> HashMap<&str, u32> {
    let mut lines = HashMap::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let name = line.trim_start().strip_prefix("\"name\": \"");
        if let Some(name) = name.and_then(|rest| rest.trim_end_matches(',').strip_suffix('"')) {
            lines.entry(name).and_modify(|line| *line = 0).or_insert(number);
        }
    }
    lines
}
