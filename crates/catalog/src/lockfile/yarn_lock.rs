//! `yarn.lock`: classic (version 1) and berry. Source: yarnpkg, `lockfile/parse.js` and `stringify.js`;
//! npm, `yarn-lock.js`; berry, "yarn.lock", `structUtils.ts`.
//!
//! Berry writes YAML, and is read as that; it names what it stands for in `resolution`. Classic has a
//! format of its own, blocks of a line of keys at the margin and values that are indented, keys and
//! values in quotes or not (npm quotes them all), and is read by lines; it names what it stands for in
//! its first key. What comes from no registry is listed with where it comes from; a patched package of
//! berry is the one that is patched, and members of the workspace are the project itself. What a block
//! needs stands there as name and range, which together are a key of the block that it is; what the
//! project asks for only berry tells.

use super::edges::{Edges, For, Keyed, without_needless_keys};
use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named, npm_range, split_npm};
use crate::elsewhere::{Elsewhere, npm_name_at, of_berry};
use crate::yaml_walk::{self, Met};
use image::Interest;
use std::borrow::Cow;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "yarn-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("yarn.lock")],
    accepts: |path| is_named(path, &["yarn.lock"]),
    at_most: 64 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    if text.contains("__metadata") { berry(text) } else { classic(text) }
}

/// What is known of a block of berry.
#[derive(Default)]
struct Berry {
    line: u32,
    key: String,
    version: String,
    resolution: Option<String>,
    /// Names, each with its range.
    needs: Vec<(String, String)>,
    /// Names of those that may be missing.
    options: Vec<String>,
}

fn berry(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut edges = Keyed::new(Edges::default());
    let mut block = Berry::default();
    let mut known = false;
    yaml_walk::walk(text, &mut |place, met| match (place.path, met) {
        ([key], Met::Key) => {
            known |= key == "__metadata";
            std::mem::take(&mut block).finish(&mut found, &mut edges);
            block = Berry { line: place.line, key: key.clone(), ..Berry::default() };
        }
        ([_, field], Met::Text(value)) if field == "version" => {
            value.clone_into(&mut block.version)
        }
        ([_, field], Met::Text(value)) if field == "resolution" => {
            block.resolution = Some(value.to_owned());
        }
        ([_, group, name], Met::Text(value)) if group == "dependencies" => {
            block.needs.push((name.clone(), value.to_owned()));
        }
        ([_, group, name, field], Met::Text("true"))
            if group == "dependenciesMeta" && field == "optional" =>
        {
            block.options.push(name.clone());
        }
        _ => {}
    })?;
    block.finish(&mut found, &mut edges);
    if !known {
        return Err("it is not a yarn.lock: it has no `__metadata`".to_owned());
    }
    // Of a project without packages only the description of the file is written.
    if found == Listing::default() {
        return Ok(Listing::of_list([]));
    }
    edges.settle(&mut found);
    without_needless_keys(&mut found);
    Ok(found)
}

impl Berry {
    /// Puts it into the listing, with its keys and what it needs.
    fn finish(self, found: &mut Listing, edges: &mut Keyed<'_, String>) {
        let Some(mut entry) = self.entry() else { return };
        if let Entry::Package(declared) = &mut entry {
            declared.keys = self.key.split(", ").map(Box::from).collect();
        }
        let number = edges.edges.push(found, entry);
        for key in self.key.split(", ") {
            edges.name(key.to_owned(), number);
        }
        for (name, range) in self.needs {
            let purpose = if self.options.contains(&name) { For::Option } else { For::Running };
            // Before version 4 of the file a need had no protocol, and its key had.
            let key = match range.contains(':') {
                true => format!("{name}@{range}"),
                false => format!("{name}@npm:{range}"),
            };
            let asked = npm_range(&range).map(|range| Cow::Owned(range.to_owned()));
            edges.asks(number, key, purpose, asked);
        }
    }

    /// None before the first block, and for the description of the file.
    fn entry(&self) -> Option<Entry> {
        if self.line == 0 || self.key == "__metadata" {
            return None;
        }
        // Without a resolution the first of its keys says as much.
        let first = || self.key.split(", ").next().unwrap_or_default();
        let locator = self.resolution.as_deref().unwrap_or_else(first);
        let read = of_berry(locator).and_then(|(name, reference)| self.of(&name, &reference));
        Some(read.unwrap_or(Entry::Unread(self.line)))
    }

    fn of(&self, name: &str, reference: &str) -> Option<Entry> {
        if reference.starts_with("workspace:") {
            return Some(Entry::Own);
        }
        // What has no version of its own is given `0.0.0-use.local`.
        let version =
            Some(self.version.as_str()).filter(|version| !version.starts_with("0.0.0-use"));
        if let (Some(name), Some(version)) = (npm_name_at(reference), version) {
            return Declared::new(&name, version, self.line).map(Entry::Package);
        }
        let found = match reference.strip_prefix("npm:") {
            Some(reference) => {
                let (name, range) = split_npm(reference).unwrap_or((name, reference));
                let version = version.filter(|version| !version.is_empty()).unwrap_or(range);
                Declared::new(name, version, self.line)
            }
            None => match Elsewhere::of_npm(reference) {
                Some(elsewhere) => Declared::from_elsewhere(name, version, elsewhere, self.line),
                None => Declared::new(name, version?, self.line),
            },
        };
        found.map(Entry::Package)
    }
}

/// What is known of a block of classic.
#[derive(Default)]
struct Classic<'text> {
    line: u32,
    key: Cow<'text, str>,
    /// How far its values are indented.
    indent: usize,
    version: Cow<'text, str>,
    resolved: Cow<'text, str>,
    /// All keys.
    keys: Vec<Cow<'text, str>>,
    /// For what the names are needed that stand deeper; none where no names do.
    group: Option<For>,
    needs: Vec<(Cow<'text, str>, Cow<'text, str>, For)>,
}

fn classic(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut edges = Keyed::new(Edges::default());
    let mut block = Classic::default();
    let mut known = false;
    for (line, number) in text.lines().zip(1_u32..) {
        known |= line.trim_start().starts_with("# yarn lockfile v");
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if indent == 0 {
            std::mem::take(&mut block).finish(&mut found, &mut edges);
            let keys = keys(content);
            let key = keys.first().cloned().unwrap_or_default();
            block = Classic { line: number, key, keys, ..Classic::default() };
        } else {
            if block.indent == 0 {
                block.indent = indent;
            }
            // Deeper stand the names and ranges of what it needs.
            if indent <= block.indent {
                let (name, rest) = token(content, &[' ', '\t', ':']);
                let value = rest.trim_start_matches([' ', '\t', ':']);
                match &*name {
                    "version" => (block.version, known) = (token(value, &[]).0, true),
                    "resolved" => block.resolved = token(value, &[]).0,
                    _ => {}
                }
                block.group = match &*name {
                    "dependencies" => Some(For::Running),
                    "optionalDependencies" => Some(For::Option),
                    _ => None,
                };
            } else if let Some(purpose) = block.group {
                let (name, rest) = token(content, &[' ', '\t', ':']);
                let value = rest.trim_start_matches([' ', '\t', ':']);
                block.needs.push((name, token(value, &[]).0, purpose));
            }
        }
    }
    block.finish(&mut found, &mut edges);
    if !known && !text.trim().is_empty() {
        return Err("it is not a yarn.lock: it has neither `# yarn lockfile v1` nor `__metadata`"
            .to_owned());
    }
    // Of a project without packages only the header is written.
    if known && found == Listing::default() {
        return Ok(Listing::of_list([]));
    }
    edges.edges.roots_are_tops();
    edges.settle(&mut found);
    without_needless_keys(&mut found);
    Ok(found)
}

/// Keys of one line, each in quotes or not.
fn keys(line: &str) -> Vec<Cow<'_, str>> {
    let mut keys = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (key, behind) = token(rest, &[',', ':']);
        keys.push(key);
        // A mark, and blanks; where there is none nothing follows.
        match behind.trim_start().strip_prefix([',', ':']) {
            Some(behind) => rest = behind.trim_start(),
            None => break,
        }
    }
    keys
}

/// The first word, in quotes as JSON has them or up to a mark that a blank follows, and the rest.
fn token<'text>(text: &'text str, marks: &[char]) -> (Cow<'text, str>, &'text str) {
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = inside.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let end = end.unwrap_or(inside.len());
        let word = inside.get(..end).unwrap_or(inside);
        let rest = inside.get(end + 1..).unwrap_or_default();
        let plain = word.contains('\\').then(|| serde_json::from_str(&format!("\"{word}\"")).ok());
        return (plain.flatten().map_or(Cow::Borrowed(word), Cow::Owned), rest);
    }
    // A key may hold such marks itself: `name@https://host/path:`.
    let end = text.char_indices().find(|(at, letter)| {
        let behind = text.get(at + letter.len_utf8()..).unwrap_or_default();
        let blank = matches!(letter, ' ' | '\t');
        marks.contains(letter) && (blank || behind.is_empty() || behind.starts_with([' ', '\t']))
    });
    let (word, rest) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    (Cow::Borrowed(word), rest)
}

impl<'text> Classic<'text> {
    /// Puts it into the listing, with its keys and what it needs.
    fn finish(self, found: &mut Listing, edges: &mut Keyed<'text, Cow<'text, str>>) {
        let Some(mut entry) = self.entry() else { return };
        if let Entry::Package(declared) = &mut entry {
            declared.keys = self.keys.iter().map(|key| Box::from(&**key)).collect();
        }
        let number = edges.edges.push(found, entry);
        for key in self.keys {
            edges.name(key, number);
        }
        for (name, range, purpose) in self.needs {
            let key = Cow::Owned(format!("{name}@{range}"));
            let asked = npm_range(&range).map(|range| Cow::Owned(range.to_owned()));
            edges.asks(number, key, purpose, asked);
        }
    }

    /// None before the first block.
    fn entry(&self) -> Option<Entry> {
        (self.line > 0).then(|| Entry::package(self.declared(), self.line))
    }

    fn declared(&self) -> Option<Declared> {
        let (name, range) = split_npm(&self.key).unwrap_or((&self.key, ""));
        let (name, range) = match range.strip_prefix("npm:") {
            Some(alias) => split_npm(alias).unwrap_or((alias, "")),
            None => (name, range),
        };
        // Ranges have neither a slash nor a scheme; paths, addresses and `owner/repository` have.
        if !range.contains(['/', ':']) {
            return Declared::new(name, &self.version, self.line);
        }
        if let Some(name) = npm_name_at(range) {
            return Declared::new(&name, &self.version, self.line);
        }
        let resolved = Some(&*self.resolved).filter(|resolved| !resolved.is_empty());
        let elsewhere = resolved
            .and_then(Elsewhere::of_npm)
            .or_else(|| Elsewhere::of_npm(range))
            .unwrap_or_else(|| Elsewhere::download(range));
        Declared::from_elsewhere(name, Some(&self.version), elsewhere, self.line)
    }
}
