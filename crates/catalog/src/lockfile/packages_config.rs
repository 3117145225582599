//! `packages.config` of NuGet. Source: NuGet documentation, "packages.config reference".
//!
//! Of XML only what this format needs is read: elements `package` with plain attributes. Comments are
//! skipped, a declaration of entities is refused, and none is ever expanded.

use super::listing::{Entry, Listing};
use super::{Declared, LineCounter, Lockfile, is_named};
use crate::dotnet::deps::is_name;
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "packages-config",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("packages.config")],
    accepts: |path| is_named(path, &["packages.config"]),
    at_most: 8 << 20,
    parse,
};

fn parse(text: &str) -> Result<Listing, String> {
    let mut lines = LineCounter::new(text);
    let mut found = Listing::default();
    let mut known = text.trim().is_empty();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        let rest = text.get(start..).unwrap_or_default();
        let (end, skipped) = match rest.strip_prefix("<!--") {
            Some(comment) => {
                (comment.find("-->").map(|end| end + "<!--".len() + "-->".len()), true)
            }
            None => (end_of_tag(rest), false),
        };
        let end =
            end.ok_or_else(|| format!("line {} begins what does not end", lines.at(start)))?;
        let tag = rest.get(..end).unwrap_or_default();
        if !skipped {
            if tag.starts_with("<!") {
                return Err("it has a document type of its own, which is not read".to_owned());
            }
            let (name, attributes) = divided(tag);
            if name == "packages" && !known {
                known = true;
                found.push(Entry::Own);
            }
            if known && name == "package" {
                let line = lines.at(start);
                found.push(Entry::package(declared(attributes, line), line));
            }
        }
        at = start + end;
    }
    if known {
        Ok(found)
    } else {
        Err("it is not a packages.config: it has no `packages`".to_owned())
    }
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

/// The name of an element, and its attributes.
fn divided(tag: &str) -> (&str, &str) {
    let inside = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    inside.split_once(|letter: char| letter.is_whitespace()).unwrap_or((inside, ""))
}

fn declared(mut attributes: &str, line: u32) -> Option<Declared> {
    let (mut id, mut version) = (None, None);
    while let Some((name, rest)) = attributes.split_once('=') {
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
        let (value, after) = rest.get(1..)?.split_once(quote)?;
        match name.trim() {
            "id" => id = Some(value),
            "version" => version = Some(value),
            _ => {}
        }
        attributes = after;
    }
    let id = id.filter(|id| is_name(id))?;
    Declared::new(id, version?, line)
}
