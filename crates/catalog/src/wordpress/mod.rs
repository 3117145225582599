//! WordPress: the program itself, its plugins and its themes.
//!
//! In go `wp-includes/version.php`, the PHP files at the top of a plugin's folder and the `style.css` of
//! a theme; out come the versions that they state. WordPress finds a plugin by a comment in the first
//! eight kilobytes of such a file, and so does this; no PHP is run. Bitnami's advisories speak of
//! WordPress itself, and nobody publishes any for plugins and themes in a form that is read here.
//! Package URLs of plugins are of the type `wordpress-plugin`, as other tools write them, those of themes
//! accordingly; purl-spec has none.
//!
//! Sources: WordPress Plugin Handbook, "Header Requirements"; Theme Handbook, "Main Stylesheet";
//! WordPress, `get_file_data`.

use crate::language::{Named, decode, encode, plain_text, proof};
use crate::text::{lines, text};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use vocabulary::Ecosystem;

/// Largest file that is read; plugins of one file have up to a megabyte.
const FILE_LIMIT: u64 = 8 << 20;
/// How much of a file WordPress reads for its comment.
const HEAD: usize = 8 << 10;

/// The `wordpress` cataloger.
#[derive(Debug)]
pub struct Wordpress;

/// What a file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Part {
    Program,
    Plugin,
    Theme,
}

/// The part and, but for the program, its name, which is its folder's.
fn part_of(path: &str) -> Option<(Part, &str)> {
    let mut parts = path.rsplit('/');
    let (file, first) = (parts.next()?, parts.next()?);
    if (first, file) == ("wp-includes", "version.php") {
        return Some((Part::Program, ""));
    }
    let (second, third) = (parts.next()?, parts.next());
    let stem = file.strip_suffix(".php");
    match (third, second, first) {
        // WordPress loads each file in the second by itself (`wp_get_mu_plugins`).
        (_, "wp-content", "plugins" | "mu-plugins") => Some((Part::Plugin, stem?)),
        (Some("wp-content"), "plugins", folder) if stem.is_some() => Some((Part::Plugin, folder)),
        (Some("wp-content"), "themes", folder) if file == "style.css" => {
            Some((Part::Theme, folder))
        }
        _ => None,
    }
}

impl Reader for Wordpress {
    fn id(&self) -> &'static str {
        "wordpress"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Extension("php"), Interest::Name("style.css")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match part_of(entry.path) {
            Some(_) => Want::Whole { at_most: FILE_LIMIT },
            None => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some((part, name)) = part_of(entry.path) else { return Ok(None) };
        let named = match part {
            Part::Program => Some(program(bytes)?),
            Part::Plugin => header(bytes, name, b"plugin name")?,
            Part::Theme => header(bytes, name, b"theme name")?,
        };
        let Some(named) = named else { return Ok(None) };
        encode(&(part, Named { proof: proof(entry.path, bytes), ..named }))
    }
}

impl Resolver for Wordpress {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let fact = decode::<(Part, Named)>(&at, &mut resolution.problems);
            let Some((part, named)) = fact else { continue };
            let (kind, ecosystem) = match part {
                Part::Program => ("bitnami", Ecosystem::BITNAMI),
                Part::Plugin => ("wordpress-plugin", Ecosystem::WORDPRESS),
                Part::Theme => ("wordpress-theme", Ecosystem::WORDPRESS),
            };
            resolution.packages.push(named.cataloged(kind, ecosystem, &at));
        }
        resolution
    }
}

/// `$wp_version = '6.4.3';`
fn program(bytes: &[u8]) -> Result<Named, ReadError> {
    let version = lines(bytes).find_map(|line| {
        let rest = line.trim_ascii().strip_prefix(b"$wp_version")?.trim_ascii_start();
        let value = rest.strip_prefix(b"=")?.trim_ascii().strip_suffix(b";")?.trim_ascii_end();
        let quoted = [b"'", b"\""]
            .iter()
            .find_map(|quote| value.strip_prefix(quote.as_slice())?.strip_suffix(quote.as_slice()));
        quoted.filter(|version| version.first().is_some_and(u8::is_ascii_digit))
    });
    version
        .and_then(|version| Named::new("wordpress", &text(version), None))
        .ok_or_else(|| ReadError::new("it states no `$wp_version`"))
}

/// The plugin or theme of a file whose comment names one.
fn header(bytes: &[u8], name: &str, key: &[u8]) -> Result<Option<Named>, ReadError> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    if field(head, key).is_none() {
        return Ok(None);
    }
    let version = field(head, b"version");
    let licence = field(head, b"license");
    let wrong = || ReadError::new("its folder or its version is no plain text");
    let version = version.as_deref().unwrap_or_default();
    if version.is_empty() {
        // Listed all the same: a plugin need not state one.
        let named = Named::new(name, "0", licence.as_deref()).ok_or_else(wrong)?;
        return Ok(Some(Named { version: String::new(), ..named }));
    }
    Named::new(name, version, licence.as_deref()).ok_or_else(wrong).map(Some)
}

/// The value of `Key: value` in a comment, whatever comment signs stand before it.
fn field<'head>(head: &'head [u8], key: &[u8]) -> Option<Cow<'head, str>> {
    lines(head).find_map(|line| {
        let line = line.trim_ascii_start();
        let mut line = line.strip_prefix(b"<?php").unwrap_or(line);
        while let [b' ' | b'\t' | b'/' | b'*' | b'#' | b'@', rest @ ..] = line {
            line = rest;
        }
        let (found, rest) = line.split_at_checked(key.len())?;
        let value = rest.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(key))?;
        let ends = [&b"*/"[..], b"?>"].map(|end| memchr::memmem::find(value, end));
        let end = ends.into_iter().flatten().min().unwrap_or(value.len());
        let value = value.get(..end)?.trim_ascii();
        plain_text(&text(value)).is_some().then(|| text(value))
    })
}

#[cfg(test)]
mod tests;
