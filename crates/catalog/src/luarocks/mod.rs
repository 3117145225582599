//! Rocks of Lua that are installed: `lib/luarocks/rocks-5.4/NAME/VERSION/NAME-VERSION.rockspec`.
//!
//! In goes the specification that LuaRocks keeps of each rock, out comes the rock. Its folders name it;
//! of the text, which is a program, only the line of the licence is read, and nothing is run. The version
//! keeps its revision, as in `luarocks.lock`.
//!
//! Sources: LuaRocks documentation, "File locations" and "Rockspec format"; purl-spec, type `luarocks`.

use crate::language::{Named, decode, encode, proof};
use crate::text::{lines, text};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use vocabulary::Ecosystem;

/// Largest specification; those that name hundreds of modules have about 50 kB.
const ROCKSPEC_LIMIT: u64 = 4 << 20;

/// The `luarocks` cataloger.
#[derive(Debug)]
pub struct Luarocks;

/// Name and version of an installed rock; none for specifications in other places.
fn rock(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let (file, version, name, tree) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let stem = file.strip_suffix(".rockspec")?;
    let rest = stem.strip_prefix(name)?.strip_prefix('-')?;
    (rest == version && (tree == "rocks" || tree.starts_with("rocks-"))).then_some((name, version))
}

impl Reader for Luarocks {
    fn id(&self) -> &'static str {
        "luarocks"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("rockspec")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match rock(entry.path) {
            Some(_) => Want::Whole { at_most: ROCKSPEC_LIMIT },
            None => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some((name, version)) = rock(entry.path) else { return Ok(None) };
        let licence = licence(bytes);
        let named = Named::new(name, version, licence.as_deref())
            .ok_or_else(|| ReadError::new("its folder is not the name of a rock"))?;
        encode(&Named { proof: proof(entry.path, bytes), ..named })
    }
}

impl Resolver for Luarocks {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            if let Some(named) = decode::<Named>(&at, &mut resolution.problems) {
                resolution.packages.push(named.cataloged("luarocks", Ecosystem::LUA_ROCKS, &at));
            }
        }
        resolution
    }
}

/// `license = "MIT"` on a line of its own.
fn licence(bytes: &[u8]) -> Option<String> {
    lines(bytes).find_map(|line| {
        let rest = line.trim_ascii().strip_prefix(b"license")?.trim_ascii_start();
        let value = rest.strip_prefix(b"=")?.trim_ascii();
        let value = value.strip_suffix(b",").unwrap_or(value).trim_ascii_end();
        let inner = [b'"', b'\'']
            .iter()
            .find_map(|quote| value.strip_prefix(&[*quote][..])?.strip_suffix(&[*quote][..]))?;
        Some(text(inner).into_owned())
    })
}

#[cfg(test)]
mod tests;
