//! Reads a property list whose root is a dictionary of dictionaries.
//!
//! In goes its text, out come, for each dictionary in the root, its key and the texts in it; what lies
//! deeper is passed over. Of XML only what the format needs is read: elements without attributes of
//! meaning, text, the five entities of XML. No entity is declared and none but those is expanded.

use std::collections::BTreeMap;

/// The texts of one dictionary by key.
pub(super) type Values = BTreeMap<String, String>;

/// How many texts one dictionary may have; real ones have about 30.
const VALUES_LIMIT: usize = 1_000;

/// How deep elements may nest; xbps uses five.
const DEPTH_LIMIT: usize = 64;

/// Where the reader stands: the dictionaries and arrays that are open.
#[derive(Default)]
struct State {
    depth: usize,
    /// The key in the root, and in the dictionary below it.
    keys: [Option<String>; 2],
    values: Values,
}

/// Shows each dictionary of the root.
pub(super) fn each(text: &str, show: &mut dyn FnMut(&str, &Values)) -> Result<(), String> {
    let mut state = State::default();
    let mut rest = text;
    let mut known = false;
    while let Some(start) = rest.find('<') {
        let tag = rest.get(start..).unwrap_or_default();
        let (tag, after) = tag_of(tag).ok_or("an element does not end")?;
        rest = after;
        let Some(name) = element(tag) else { continue };
        known |= name == "plist";
        if !known {
            return Err("it is no property list".to_owned());
        }
        match name {
            "/plist" => {
                return if state.depth == 0 { Ok(()) } else { Err("it nests wrongly".to_owned()) };
            }
            "dict" | "array" => state.open()?,
            "/dict" | "/array" => state.close(show)?,
            "key" | "string" | "integer" => {
                let end = rest.find('<').ok_or("an element does not end")?;
                let (content, after) = rest.split_at_checked(end).unwrap_or_default();
                rest = after;
                state.text(name, content);
            }
            _ => {}
        }
    }
    Err("it is cut short".to_owned())
}

/// A tag with its brackets, or a comment, and what follows.
fn tag_of(text: &str) -> Option<(&str, &str)> {
    let end = if text.starts_with("<!--") { "-->" } else { ">" };
    text.split_at_checked(text.find(end)? + end.len())
}

/// The name of an element; none for comments, declarations and empty elements.
fn element(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix('<')?.strip_suffix('>')?;
    if inner.starts_with(['!', '?']) || inner.ends_with('/') {
        return None;
    }
    inner.split_whitespace().next()
}

impl State {
    fn open(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(format!("it nests deeper than {DEPTH_LIMIT}"));
        }
        if self.depth == 2 {
            self.values = Values::new();
        }
        Ok(())
    }

    fn close(&mut self, show: &mut dyn FnMut(&str, &Values)) -> Result<(), String> {
        self.depth = self.depth.checked_sub(1).ok_or("it nests wrongly")?;
        if self.depth == 1
            && let Some(key) = self.keys[0].take()
        {
            show(&key, &std::mem::take(&mut self.values));
        }
        Ok(())
    }

    fn text(&mut self, name: &str, content: &str) {
        let [in_root, in_package] = &mut self.keys;
        match (self.depth, name) {
            (1, "key") => *in_root = Some(plain(content)),
            (2, "key") => *in_package = Some(plain(content)),
            (2, _) if self.values.len() < VALUES_LIMIT => {
                if let Some(key) = in_package.take() {
                    self.values.insert(key, plain(content));
                }
            }
            _ => {}
        }
    }
}

/// The text with the entities of XML 1.0, section 4.6, in it expanded.
fn plain(content: &str) -> String {
    const ENTITIES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let mut text = content.trim().to_owned();
    for (entity, letter) in ENTITIES {
        if text.contains(entity) {
            text = text.replace(entity, letter);
        }
    }
    text
}
