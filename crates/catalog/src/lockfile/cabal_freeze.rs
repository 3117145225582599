//! `cabal.project.freeze` and `stack.yaml.lock` of Haskell. Sources: Cabal user guide, "cabal freeze";
//! Stack documentation, "Lock files".
//!
//! Cabal pins by `any.name ==version`, Stack by `hackage: name-version@sha256:…`.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "cabal-freeze",
    ecosystem: Ecosystem::HACKAGE,
    interests: &[Interest::Name("cabal.project.freeze"), Interest::Name("stack.yaml.lock")],
    accepts: |path| is_named(path, &["cabal.project.freeze", "stack.yaml.lock"]),
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    if text.contains('\0') {
        return Err("it is no text of Cabal or Stack".to_owned());
    }
    let mut found = Listing::default();
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim().trim_start_matches("- ");
        if let Some(original) = line.strip_prefix("hackage:") {
            let entry = original.trim().split('@').next().unwrap_or_default();
            let pair = entry.rsplit_once('-');
            let declared = pair.and_then(|(name, version)| pinned(name, version, number));
            found.push(Entry::package(declared, number));
            continue;
        }
        let line = line.strip_prefix("constraints:").unwrap_or(line).trim();
        if let Some((name, version)) = line.trim_end_matches(',').split_once(" ==") {
            let declared = pinned(name.trim_start_matches("any."), version, number);
            found.push(Entry::package(declared, number));
        }
    }
    Ok(found)
}

fn pinned(name: &str, version: &str, line: u32) -> Option<Declared> {
    let plain = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| Declared::new(name, version, line))?
}
