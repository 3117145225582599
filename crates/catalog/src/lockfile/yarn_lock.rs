//! `yarn.lock`: classic (version 1) and berry. Source: yarnpkg, `lockfile/parse.js`; berry,
//! "yarn.lock", `structUtils.ts`.
//!
//! Both are blocks: a line of keys at the margin, then values behind two spaces; so one reader of
//! lines takes both and no YAML reader is needed, whose anchors could be made to explode. Classic
//! names what it stands for in its first key, berry in `resolution`. Only what comes from the
//! registry is listed; a patched package of berry is listed by its unpatched block.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, is_named, split_npm, unquoted};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "yarn-lock",
    ecosystem: Ecosystem::NPM,
    interests: &[Interest::Name("yarn.lock")],
    accepts: |path| is_named(path, &["yarn.lock"]),
    at_most: 64 << 20,
    parse,
};

#[derive(Default)]
struct Block<'text> {
    line: u32,
    keys: &'text str,
    version: &'text str,
    resolution: Option<&'text str>,
}

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    let mut block = Block::default();
    let mut known = false;
    for (line, number) in text.lines().zip(1_u32..) {
        known |= line.starts_with("# yarn lockfile v1") || line.starts_with("__metadata:");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            if line == ":" {
                continue; // the second half of a long berry key, `? …` and `:`
            }
            found.extend(entry(&block));
            let keys = line.strip_prefix("? ").unwrap_or(line);
            block = Block {
                line: number,
                keys: keys.strip_suffix(':').unwrap_or(keys),
                ..Block::default()
            };
        } else if let Some(value) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            if let Some(version) = value.strip_prefix("version") {
                block.version = unquoted(version.trim_start_matches(':'));
            } else if let Some(resolution) = value.strip_prefix("resolution:") {
                block.resolution = Some(unquoted(resolution));
            }
        }
    }
    found.extend(entry(&block));
    // Of a project without packages only the header is written.
    found.extend((known && !text.lines().any(|line| line.starts_with(' '))).then_some(Entry::Own));
    if !known && !text.trim().is_empty() {
        return Err("it is not a yarn.lock: it has neither `# yarn lockfile v1` nor `__metadata`"
            .to_owned());
    }
    Ok(found)
}

/// None before the first block, and for berry's description of the file.
fn entry(block: &Block<'_>) -> Option<Entry> {
    if block.line == 0 || block.keys == "__metadata" {
        return None;
    }
    let read = match block.resolution {
        Some(resolution) => of_berry(resolution, block.line),
        None => of_classic(block),
    };
    Some(read.unwrap_or(Entry::Unread(block.line)))
}

fn of_berry(resolution: &str, line: u32) -> Option<Entry> {
    let (name, reference) = split_npm(resolution)?;
    let Some(version) = reference.strip_prefix("npm:") else {
        // A patched package stands there unpatched, too.
        let own = ["workspace:", "patch:", "link:", "portal:"];
        let own = own.iter().any(|kind| reference.starts_with(kind));
        return Some(if own { Entry::Own } else { Entry::Elsewhere });
    };
    let version = version.split_once("::").map_or(version, |(version, _)| version);
    Declared::new(name, version, line).map(Entry::Package)
}

fn of_classic(block: &Block<'_>) -> Option<Entry> {
    let key = block.keys.split(", ").next().unwrap_or(block.keys);
    let (name, range) = split_npm(key.trim_matches('"'))?;
    let (name, range) = match range.strip_prefix("npm:") {
        Some(alias) => split_npm(alias).unwrap_or((alias, "")),
        None => (name, range),
    };
    // Ranges have neither a slash nor a scheme; paths, addresses and `owner/repository` have.
    if range.contains(['/', ':']) {
        return Some(Entry::Elsewhere);
    }
    Declared::new(name, block.version, block.line).map(Entry::Package)
}
