//! Every key of a policy file: one table, from which the file is checked and its JSON Schema is made,
//! so that the two cannot differ.

use documents::{Node, Value};
use serde_json::{Map, Value as Json, json};

/// A key of an object.
pub(super) struct Key {
    pub(super) name: &'static str,
    kind: Kind,
    required: bool,
    /// For the schema and the hover text of editors.
    text: &'static str,
}

/// What a value may be.
enum Kind {
    /// The number 1.
    Version,
    /// `true` or `false`.
    Mark,
    /// Any text that is not empty.
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
    /// `YYYY-MM-DD`
    Date,
    /// A list of texts.
    Texts,
    /// An object of these keys.
    Object(&'static [Key]),
    /// A list of such objects.
    Objects(&'static [Key]),
}

const fn key(name: &'static str, kind: Kind, text: &'static str) -> Key {
    Key { name, kind, required: false, text }
}

const fn required(name: &'static str, kind: Kind, text: &'static str) -> Key {
    Key { name, kind, required: true, text }
}

const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "negligible", "unknown"];

const IGNORE: &[Key] = &[
    key("id", Kind::Text, "Id or alias of a vulnerability, such as CVE-2023-1234."),
    key(
        "package",
        Kind::Text,
        "Package URL, with `*` for any text; without a version, all versions.",
    ),
    key("path", Kind::Text, "File, or folder with a slash at its end."),
    key("layer", Kind::Text, "`base`, `own`, or the number of a layer counted from 0."),
    required("reason", Kind::Text, "Why it may be ignored."),
    key("owner", Kind::Text, "Who answers for it."),
    key("expires", Kind::Date, "Last day on which it holds; past it, the rule is a finding."),
];

const OVERRIDE: &[Key] = &[
    key("id", Kind::Text, "Id or alias of a vulnerability."),
    key("rule", Kind::Text, "Id of a rule, such as end-of-life."),
    key("package", Kind::Text, "Package URL, with `*` for any text."),
    required("severity", Kind::Words(SEVERITIES), "The severity that counts instead."),
    required("reason", Kind::Text, "Why."),
];

const PACKAGE: &[Key] = &[
    required("package", Kind::Text, "Package URL, with `*` for any text."),
    key(
        "versions",
        Kind::Text,
        "Bounds such as `< 1.2` or `>= 1.0, < 1.4`; without them all versions.",
    ),
    required("reason", Kind::Text, "Why."),
];

const EXCEPTION: &[Key] = &[
    required("package", Kind::Text, "Package URL, with `*` for any text."),
    required("reason", Kind::Text, "Why its licence is no matter."),
];

const LICENCES: &[Key] = &[
    key("allow", Kind::Texts, "SPDX ids that are allowed; all others are findings."),
    key("deny", Kind::Texts, "SPDX ids that are not allowed."),
    key(
        "unknown",
        Kind::Words(&["allow", "deny"]),
        "Whether a package may have no known licence. Default: allow.",
    ),
    key("except", Kind::Objects(EXCEPTION), "Packages whose licence is not looked at."),
];

const PACKAGES: &[Key] = &[
    key("forbid", Kind::Objects(PACKAGE), "Packages that may not be there."),
    key("require", Kind::Objects(PACKAGE), "Packages that must be there."),
];

const BASES: &[Key] = &[
    key(
        "allow",
        Kind::Texts,
        "Names of base images that are allowed, with `*` for any text; others are findings.",
    ),
    key("forbid", Kind::Texts, "Names of base images that are not allowed."),
];

/// The keys of the file itself.
pub(super) const FILE: &[Key] = &[
    required("version", Kind::Version, "Version of this form: 1."),
    key("include", Kind::Texts, "Other policy files, by paths relative to this one."),
    key(
        "fail-on",
        Kind::Words(SEVERITIES),
        "Findings of this severity or worse are over the line.",
    ),
    key("fail-on-unknown", Kind::Mark, "Findings of unknown severity are over the line."),
    key(
        "fail-on-exploited",
        Kind::Mark,
        "Vulnerabilities that are known to be exploited are over the line.",
    ),
    key("only-fixed", Kind::Mark, "Only vulnerabilities that can be mended are over the line."),
    key(
        "only-linked",
        Kind::Mark,
        "Vulnerabilities whose functions are shown not to be in the program are not over the line.",
    ),
    key(
        "layers",
        Kind::Words(&["all", "base", "own"]),
        "Whose layers count: all, those of the base image, or your own.",
    ),
    key(
        "checks",
        Kind::Texts,
        "Which checks run: groups such as packages, or single ones; `all`, and `-` before what is left out.",
    ),
    key("allow-partial", Kind::Mark, "Files that could not be read do not make a scan incomplete."),
    key("ignore", Kind::Objects(IGNORE), "Findings that are silenced."),
    key(
        "severity",
        Kind::Objects(OVERRIDE),
        "Severities that count instead of those of the advisories.",
    ),
    key("licences", Kind::Object(LICENCES), "Which licences packages may have."),
    key("packages", Kind::Object(PACKAGES), "Which packages must and may not be there."),
    key("base-images", Kind::Object(BASES), "On which base images an image may be built."),
];

/// What is wrong in one line.
pub(super) type Problem = (usize, String);

/// Holds an object against its keys.
pub(super) fn check(keys: &[Key], node: &Node, problems: &mut Vec<Problem>) {
    let map = match &node.value {
        Value::Map(map) => map.as_slice(),
        Value::Empty => &[],
        _ => return problems.push((node.line, format!("here stand keys: {}", names(keys)))),
    };
    for (name, value) in map {
        match keys.iter().find(|key| key.name == name.text) {
            Some(key) => key.kind.check(key.name, value, problems),
            None => problems.push((name.line, unknown(&name.text, keys))),
        }
    }
    for key in keys.iter().filter(|key| key.required) {
        if node.get(key.name).is_none() {
            problems.push((node.line, format!("`{}` is missing. {}", key.name, key.text)));
        }
    }
}

/// What is wrong with a key that is none. A wrong one is quoted only where it nearly is a right one: the
/// file may be no policy at all, but a link to something that is nobody's business.
fn unknown(name: &str, keys: &[Key]) -> String {
    match nearest(name, keys.iter().map(|key| key.name)) {
        Some(near) => format!("`{name}` is not a key here; did you mean `{near}`?"),
        None => format!("this is not a key here; use {}", names(keys)),
    }
}

fn names(keys: &[Key]) -> String {
    keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}

impl Kind {
    fn check(&self, name: &str, node: &Node, problems: &mut Vec<Problem>) {
        let mut wrong = |reason: String| problems.push((node.line, format!("`{name}` {reason}")));
        match (self, &node.value) {
            (Self::Object(keys), _) => check(keys, node, problems),
            (Self::Objects(keys), Value::List(list)) => {
                list.iter().for_each(|one| check(keys, one, problems));
            }
            (Self::Objects(_), Value::Empty) | (Self::Texts, Value::Empty) => {}
            (Self::Objects(_), _) => wrong("is a list; begin each entry with `- `".to_owned()),
            (Self::Texts, Value::List(list)) => {
                let text = |one: &Node| matches!(&one.value, Value::Scalar(text, _) if !text.trim().is_empty());
                if !list.iter().all(text) {
                    wrong("is a list of texts".to_owned());
                }
            }
            (Self::Texts, _) => wrong("is a list of texts; begin each with `- `".to_owned()),
            (_, Value::Scalar(text, quoted)) => {
                if let Err(reason) = self.check_text(text, *quoted) {
                    wrong(reason);
                }
            }
            (_, Value::Empty) => wrong("has no value".to_owned()),
            (_, Value::List(_) | Value::Map(_)) => wrong("is a single value".to_owned()),
        }
    }

    fn check_text(&self, text: &str, quoted: bool) -> Result<(), String> {
        let expected = match self {
            Self::Version if text == "1" && !quoted => return Ok(()),
            Self::Version => "is 1; this program reads no other version".to_owned(),
            Self::Mark if matches!(text, "true" | "false") && !quoted => return Ok(()),
            Self::Mark => "is true or false".to_owned(),
            Self::Words(words) if words.contains(&text) => return Ok(()),
            Self::Words(words) => format!("is none of {}", words.join(", ")),
            Self::Date if text.parse::<crate::date::Date>().is_ok() => return Ok(()),
            Self::Date => "is a day, such as 2027-01-31".to_owned(),
            _ if text.trim().is_empty() => "is empty".to_owned(),
            _ => return Ok(()),
        };
        Err(expected)
    }

    fn schema(&self) -> Json {
        match self {
            Self::Version => json!({"const": 1}),
            Self::Mark => json!({"type": "boolean"}),
            Self::Text => json!({"type": ["string", "number"], "pattern": "\\S"}),
            Self::Words(words) => json!({"enum": words}),
            Self::Date => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
            Self::Texts => json!({
                "type": ["array", "null"],
                "items": {"type": ["string", "number"], "pattern": "\\S"}
            }),
            Self::Object(keys) => object(keys, true),
            Self::Objects(keys) => json!({"type": ["array", "null"], "items": object(keys, false)}),
        }
    }
}

fn object(keys: &[Key], or_nothing: bool) -> Json {
    let properties: Map<String, Json> = keys
        .iter()
        .map(|key| {
            let mut schema = key.kind.schema();
            if let Json::Object(fields) = &mut schema {
                fields.insert("description".to_owned(), key.text.into());
            }
            (key.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let kind = if or_nothing { json!(["object", "null"]) } else { json!("object") };
    json!({
        "type": kind,
        "additionalProperties": false,
        "properties": properties,
        "required": required
    })
}

/// The JSON Schema (draft 2020-12) of a policy file.
#[must_use]
pub fn schema() -> Json {
    let mut schema = object(FILE, false);
    if let Json::Object(fields) = &mut schema {
        fields.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.insert("title".to_owned(), "Policy of Lazaret, lazaret.yaml".into());
    }
    schema
}

/// The word that a wrong one was most likely meant to be.
#[must_use]
pub fn nearest(name: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let wrong: String = name.chars().take(40).collect::<String>().to_ascii_lowercase();
    let wrong = wrong.replace('_', "-");
    words
        .map(|word| (distance(&wrong, word), word))
        .min()
        .filter(|(distance, near)| *distance <= near.len() / 3 + 1)
        .map(|(_, near)| near)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, from) in left.chars().enumerate() {
        let mut before = at;
        let mut left_cell = at + 1;
        let mut next = vec![left_cell];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let cost = before + usize::from(from != *to);
            left_cell = cost.min(above + 1).min(left_cell + 1);
            before = *above;
            next.push(left_cell);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_near_to_the_right_one() {
        for (wrong, right) in [
            ("failon", "fail-on"),
            ("fail_on", "fail-on"),
            ("ignores", "ignore"),
            ("licenses", "licences"),
            ("only-fix", "only-fixed"),
            ("base-image", "base-images"),
        ] {
            let words = FILE.iter().map(|key| key.name);
            assert_eq!(nearest(wrong, words), Some(right), "{wrong}");
        }
        assert_eq!(nearest("something-else", FILE.iter().map(|key| key.name)), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
