//! The text that the Go linker keeps of a build: a line for each module, and the toolchain's version.
//!
//! Lines are `mod`, `dep` and `=>` with path, version and sum between tabs; `=>` replaces the module
//! of the line before; `path` names the main package, and `build` a setting. A replacement by a local folder has no version: then the module keeps its own
//! path and is listed without one, since nobody can tell what the folder held.

use super::ldflags::FLAGS_LIMIT;
use crate::language::plain_text;
use image::ReadError;
use serde::{Deserialize, Serialize};

/// How many modules one program may name; Kubernetes has some 300.
const MODULE_LIMIT: usize = 20_000;

/// A module and its version as Go writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Module<'text> {
    pub(super) path: &'text str,
    pub(super) version: &'text str,
    /// The path that the program's source imports it by, where it replaces another module; empty
    /// elsewhere.
    pub(super) imported_as: &'text str,
    /// Whether it is the main module.
    pub(super) own: bool,
}

/// What one program was built from.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildInfo<'text> {
    /// The toolchain's release, as a semantic version; empty for one that is no release.
    pub(super) toolchain: &'text str,
    /// The import path of the main package; empty where it is not told.
    pub(super) main: &'text str,
    /// `GOOS` and `GOARCH`; empty where they are not told (before Go 1.18).
    pub(super) system: &'text str,
    pub(super) architecture: &'text str,
    /// `-ldflags`, as a literal of Go; empty where they are not told (`-trimpath`, before Go 1.18).
    #[serde(skip)]
    pub(super) flags: &'text str,
    /// The main module first.
    #[serde(borrow)]
    pub(super) modules: Vec<Module<'text>>,
}

/// Reads both texts. `version` is already in the form that [`semantic`] gives, or empty.
pub(super) fn parse<'text>(
    version: &'text str,
    text: &'text str,
) -> Result<BuildInfo<'text>, ReadError> {
    let mut info = BuildInfo { toolchain: version, ..BuildInfo::default() };
    for line in text.lines() {
        let mut cells = line.split('\t');
        let kind = cells.next().unwrap_or_default();
        let mut cell = || cells.next().and_then(plain_text).unwrap_or_default();
        match kind {
            "path" => info.main = cell(),
            // Settings may be longer than what is shown of a package.
            "build" => match cells.next().unwrap_or_default().split_once('=') {
                Some(("GOOS", system)) => info.system = plain_text(system).unwrap_or_default(),
                Some(("GOARCH", architecture)) => {
                    info.architecture = plain_text(architecture).unwrap_or_default();
                }
                Some(("-ldflags", flags)) if flags.len() <= FLAGS_LIMIT => info.flags = flags,
                _ => {}
            },
            _ => {}
        }
        if !matches!(kind, "mod" | "dep" | "=>") {
            continue;
        }
        let Some(path) = cells.next().and_then(plain_text) else { continue };
        let version = cells.next().and_then(plain_text).unwrap_or_default();
        if kind != "=>" {
            if info.modules.len() >= MODULE_LIMIT {
                return Err(ReadError::new(format!("it names more than {MODULE_LIMIT} modules")));
            }
            info.modules.push(Module { path, version, imported_as: "", own: kind == "mod" });
        } else if let Some(replaced) = info.modules.last_mut() {
            let local = path.starts_with(['.', '/']) || version.is_empty();
            *replaced = match local {
                true => Module { version: "", ..*replaced },
                false if path == replaced.path => Module { version, ..*replaced },
                false => Module { path, version, imported_as: replaced.path, own: false },
            };
        }
    }
    Ok(info)
}

/// The semantic version of a Go release, as its vulnerability database writes it: `go1.21` is
/// `1.21.0`, `go1.22rc1` is `1.22.0-rc.1`. What vendors append (` X:boringcrypto`, `-vendor`) falls
/// away; `devel …` is no release.
pub(crate) fn semantic(version: &str) -> Option<String> {
    let release = version.trim().strip_prefix("go")?;
    let end = release.find([' ', '-', '+']).unwrap_or(release.len());
    let release = release.get(..end)?;
    let letter = release.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(release.len());
    let (numbers, stage) = release.split_at_checked(letter)?;
    let mut parts: Vec<&str> = numbers.split('.').collect();
    let is_number = |part: &&str| (1..=6).contains(&part.len()) && part.parse::<u32>().is_ok();
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return None;
    }
    parts.resize(3, "0");
    let plain = parts.join(".");
    if stage.is_empty() {
        return Some(plain);
    }
    if stage == "fips" {
        return Some(plain);
    }
    let digit = stage.find(|c: char| c.is_ascii_digit())?;
    let (name, number) = stage.split_at_checked(digit)?;
    let known = matches!(name, "rc" | "beta" | "alpha") && is_number(&number);
    known.then(|| format!("{plain}-{name}.{number}"))
}
