//! `requirements.txt` and its kin. Source: pip, "Requirements File Format"; PEP 508; PEP 440.
//!
//! Requirements that are pinned (`==` and `===`, without `*`) are listed with that version; a range or a
//! bare name is listed without one, and so counted as not matched, because any guess would be wrong.
//! Files that `-r` and `-c` name are read from where they lie, whatever they are called: every text file
//! in which each line could be pip's is kept as a fact, and counts only where one that is named like
//! requirements leads to it. A constraint that names one version pins what a requirement leaves open.
//! Markers do not matter: the requirement may hold on some machine.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Part, Reader, Together, python_name};
use crate::decoded::decoded_of_pip;
use crate::elsewhere::Elsewhere;
use crate::language::plain_text;
use image::Interest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "requirements",
    ecosystem: Ecosystem::PYPI,
    interests: &[
        Interest::Name("requirements.txt"),
        Interest::Name("constraints"),
        Interest::Name("requirements"),
        Interest::Extension("in"),
        Interest::Extension("list"),
        Interest::Extension("pip"),
        Interest::Extension("req"),
        Interest::Extension("reqs"),
        Interest::Extension("txt"),
    ],
    // Which text is included by another is not known before that one is read.
    accepts: |path| {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        matches!(name, "constraints" | "requirements")
            || matches!(ending, "in" | "list" | "pip" | "req" | "reqs" | "txt")
    },
    at_most: 8 << 20,
    reader: Reader::Together(Together { counts: is_named, read, join }),
};

/// Most lines that one file may include by.
const INCLUDES: usize = 1_000;
/// Most lines and includes that are followed in all, each time that a file is led to: large projects
/// have some thousand, and files that include each other could have them squared.
const STEPS: usize = 200_000;

/// One file, line by line.
#[derive(Default, Serialize, Deserialize)]
struct File {
    required: Vec<Required>,
    includes: Vec<Include>,
    own: u32,
    /// Lines that are none of pip's.
    unread: Vec<u32>,
    /// Whether it includes more than [`INCLUDES`].
    more_includes: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Required {
    name: String,
    /// Empty where it is not pinned.
    version: String,
    line: u32,
    elsewhere: Option<Elsewhere>,
}

#[derive(Serialize, Deserialize)]
struct Include {
    /// As it is written, relative to the file.
    target: String,
    line: u32,
    /// Whether it constrains versions and asks for nothing.
    constrains: bool,
}

/// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`, `requirements/dev.txt`.
pub(crate) fn is_named(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit_once('/').map_or(folder, |(_, folder)| folder);
    let is_text = name.ends_with(".txt");
    // `.in` is what pip-tools compiles; where it is compiled, the text beside it counts.
    is_text && (name.contains("requirements") || folder == "requirements")
}

fn read(path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let named = is_named(path);
    let text = match decoded_of_pip(bytes) {
        Ok(text) if !text.contains('\0') => text,
        Ok(_) if named => return Err("it is not a text of pip".to_owned()),
        Err(reason) if named => return Err(reason),
        _ => return Ok(None),
    };
    let file = File::of(&text);
    let foreign = !file.unread.is_empty() || (file.required.is_empty() && file.includes.is_empty());
    if !named && foreign {
        return Ok(None);
    }
    postcard::to_allocvec(&file).map(Some).map_err(|_| "it is too large to be kept".to_owned())
}

impl File {
    fn of(text: &str) -> Self {
        let mut file = Self::default();
        let mut joined = String::new();
        let mut first = 0;
        for (line, number) in text.lines().zip(1_u32..) {
            if joined.is_empty() {
                first = number;
            }
            match line.strip_suffix('\\') {
                Some(head) if !line.trim_start().starts_with('#') => {
                    joined.push_str(head);
                    joined.push(' ');
                }
                _ if joined.is_empty() => file.take(line, number),
                _ => {
                    // A comment ends what is continued, as pip takes it.
                    if !line.trim_start().starts_with('#') {
                        joined.push_str(line);
                    }
                    file.take(&joined, first);
                    joined.clear();
                }
            }
        }
        file.take(&joined, first);
        file
    }

    /// One line, whose continuations are joined.
    fn take(&mut self, line: &str, number: u32) {
        let line = line.trim();
        let line = match line.find(" #").or_else(|| line.find("\t#")) {
            _ if line.starts_with('#') => "",
            Some(comment) => line.get(..comment).unwrap_or_default().trim_end(),
            None => line,
        };
        if line.is_empty() {
            return;
        }
        if let Some((constrains, target)) = include(line) {
            if self.includes.len() >= INCLUDES {
                self.more_includes = true;
                return;
            }
            match plain_text(&target) {
                Some(target) => self.includes.push(Include {
                    target: target.to_owned(),
                    line: number,
                    constrains,
                }),
                None => self.unread.push(number),
            }
            return;
        }
        let found = match editable(line) {
            // A bare word is a folder here, and no name.
            Some(target) if !target.contains(['@', ':']) => of_path(target, number),
            Some(target) => entry(target, number),
            None if line.starts_with('-') => return,
            None => entry(line, number),
        };
        match found {
            Entry::Package(one) => self.required.push(Required {
                name: one.name,
                version: one.version,
                line: number,
                elsewhere: one.elsewhere,
            }),
            Entry::Own => self.own += 1,
            Entry::Unread(_) => self.unread.push(number),
        }
    }
}

/// Whether a line includes constraints, and what file it includes.
fn include(line: &str) -> Option<(bool, String)> {
    let options = [("--requirement", false), ("--constraint", true), ("-r", false), ("-c", true)];
    options.iter().find_map(|(option, constrains)| {
        let rest = line.strip_prefix(option)?;
        let long = option.starts_with("--");
        let divided = rest.starts_with([' ', '\t', '=']) || !long;
        let target = rest.trim_start_matches(['=', ' ', '\t']).trim();
        let target = super::unquoted(target);
        (divided && !target.is_empty()).then(|| (*constrains, target.replace('\\', "/")))
    })
}

/// What `-e` installs.
fn editable(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("--editable").or_else(|| line.strip_prefix("-e"))?;
    rest.starts_with([' ', '\t', '=']).then(|| rest.trim_start_matches(['=', ' ', '\t']).trim())
}

/// One requirement: pinned, listed without a version, of an address, or the project's own folder.
pub(crate) fn entry(line: &str, number: u32) -> Entry {
    let line = line.split(" --").next().unwrap_or(line).trim();
    if let Some((name, address)) = line.split_once('@').filter(|(name, _)| is_name(bare(name))) {
        return of_address(Some(bare(name)), address.split(" ;").next().unwrap_or(address), number);
    }
    if line.contains("://") {
        return of_address(None, line, number);
    }
    let line = line.split(';').next().unwrap_or(line).trim();
    let is_path = line.starts_with(['.', '/', '~']) || line.starts_with("file:");
    if is_path || line.ends_with(".whl") {
        return of_path(line, number);
    }
    let end = line.find(['=', '<', '>', '!', '~', '(', ' ', '\t', '[']).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    if !is_name(name) {
        let is_folder = line.contains('/') && !line.contains([' ', '$', '{']);
        return if is_folder { of_path(line, number) } else { Entry::Unread(number) };
    }
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => match extras.split_once(']') {
            Some((_, rest)) => rest,
            None => return Entry::Unread(number),
        },
        None => rest,
    };
    let rest = rest.trim().trim_start_matches('(').trim_end_matches(')').trim();
    if !rest.is_empty() && !rest.starts_with(['=', '<', '>', '!', '~']) {
        return Entry::Unread(number);
    }
    let name = python_name(name);
    let version = rest.strip_prefix("==").map(|rest| rest.trim_start_matches('=').trim());
    let pinned = version.filter(|version| {
        !version.is_empty() && !version.contains(['*', ',', ' ', '$', '{', '<', '>', '=', '~'])
    });
    let declared = match pinned {
        Some(version) => Declared::new(&name, version, number),
        None => Declared::unpinned(&name, number),
    };
    Entry::package(declared, number)
}

fn bare(name: &str) -> &str {
    name.split_once('[').map_or(name, |(name, _)| name).trim()
}

/// Source: PyPA, "Names and normalization", its regular expression.
fn is_name(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().copied().all(inside)
}

/// What an address says of itself: an archive its name and version, `#egg=` a name. What it installs is
/// of no index, so a name alone is listed without a version.
fn of_address(name: Option<&str>, address: &str, number: u32) -> Entry {
    let address = address.trim();
    let version_control = ["bzr", "git", "hg", "svn"].into_iter().find(|tool| {
        address.strip_prefix(tool).is_some_and(|rest| rest.starts_with(['+', ':', '@']))
    });
    let elsewhere = match version_control {
        Some(tool) => {
            let bare = address.split(['#', '?']).next().unwrap_or(address);
            // An `@` behind the last slash divides the revision; one before is a user's.
            let (path, revision) = match bare.rsplit_once('@') {
                Some((path, revision)) if !revision.contains(['/', ':']) => (path, Some(revision)),
                _ => (bare, None),
            };
            Elsewhere::vcs(tool, path, revision)
        }
        None => Elsewhere::download(address),
    };
    let egg = address.split(['#', '&']).find_map(|part| part.strip_prefix("egg="));
    let of_file = archive(address).filter(|_| version_control.is_none());
    let name = name.or(egg.map(bare)).or(of_file.map(|(name, _)| name));
    match name.filter(|name| is_name(name)) {
        Some(name) => {
            let version = of_file.map(|(_, version)| version);
            let name = python_name(name);
            Entry::package(Declared::from_elsewhere(&name, version, elsewhere, number), number)
        }
        None if address.starts_with("file:") => of_path(address, number),
        None => Entry::Unread(number),
    }
}

/// `…/name-version-….whl` and `…/name-version.tar.gz`.
fn archive(address: &str) -> Option<(&str, &str)> {
    let path = address.split(['#', '?']).next()?;
    let file = path.rsplit('/').next()?;
    let (name, version) = if let Some(wheel) = file.strip_suffix(".whl") {
        let mut parts = wheel.split('-');
        (parts.next()?, parts.next()?)
    } else {
        let stem = [".tar.gz", ".tar.bz2", ".zip"].iter().find_map(|end| file.strip_suffix(end))?;
        let divided = stem.rsplit_once('-')?;
        divided.1.starts_with(|first: char| first.is_ascii_digit()).then_some(divided)?
    };
    is_name(name).then_some((name, version))
}

/// An archive or a folder of the machine: named by the archive, by `#egg=`, or like the folder. Where
/// nothing but dots leads to it, it is the project's own.
fn of_path(path: &str, number: u32) -> Entry {
    let path = path.split([';', ' ']).next().unwrap_or(path).replace('\\', "/");
    let (bare, fragment) = path.split_once('#').unwrap_or((&path, ""));
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
    // Extras stand behind the path: `./lib[dev]`.
    let bare =
        bare.strip_suffix(']').and_then(|bare| Some(bare.rsplit_once('[')?.0)).unwrap_or(bare);
    let bare = bare.trim_end_matches('/');
    let last = bare.rsplit(['/', ':']).next().unwrap_or(bare);
    let (name, version) = match archive(bare) {
        Some((name, version)) => (name, Some(version)),
        None if egg.is_none() && matches!(last, "" | "." | "..") => return Entry::Own,
        None => {
            let endings = [".whl", ".tar.gz", ".tar.bz2", ".zip"];
            (endings.iter().find_map(|end| last.strip_suffix(end)).unwrap_or(last), None)
        }
    };
    let name = egg.map_or(name, self::bare);
    let from = Elsewhere::path(bare);
    let found = is_name(name).then(|| python_name(name));
    let found = found.and_then(|name| Declared::from_elsewhere(&name, version, from, number));
    Entry::package(found, number)
}

/// What a file pins, where each of its lines names one version or an address.
pub(crate) struct Pinned {
    /// The names, as they are compared.
    pub(crate) names: Vec<String>,
    /// The files that it includes, relative to it; it is pinned only where these are.
    pub(crate) includes: Vec<String>,
}

/// What requirements pin; none where a line leaves a version open, or cannot be read, or where there is
/// nothing in them.
pub(crate) fn pinned(text: &str) -> Option<Pinned> {
    let file = File::of(text);
    let open = |one: &Required| one.version.is_empty() && one.elsewhere.is_none();
    let is_empty = file.required.is_empty() && file.includes.is_empty();
    if is_empty || file.more_includes || !file.unread.is_empty() || file.required.iter().any(open) {
        return None;
    }
    let includes = file.includes.into_iter().filter(|include| !include.constrains);
    Some(Pinned {
        names: file.required.into_iter().map(|one| one.name).collect(),
        includes: includes.map(|include| include.target).collect(),
    })
}

/// What requirements that are to be compiled ask for themselves, and whether some of it has no name.
pub(crate) fn asked(text: &str) -> (Vec<Declared>, bool) {
    let file = File::of(text);
    let hidden = !file.unread.is_empty();
    let found = file.required.into_iter().filter_map(|one| {
        let version = Some(one.version.as_str()).filter(|version| !version.is_empty());
        match (one.elsewhere, version) {
            (Some(from), version) => Declared::from_elsewhere(&one.name, version, from, one.line),
            (None, Some(version)) => Declared::new(&one.name, version, one.line),
            (None, None) => Declared::unpinned(&one.name, one.line),
        }
    });
    (found.collect(), hidden)
}

fn join(parts: &[Part<'_>]) -> Vec<Option<Listing>> {
    let files: Vec<Option<File>> =
        parts.iter().map(|part| postcard::from_bytes(part.fact).ok()).collect();
    let by_path: HashMap<&str, usize> =
        parts.iter().enumerate().map(|(at, part)| (part.path, at)).collect();
    let mut listings: Vec<Option<Listing>> = parts.iter().map(|_| None).collect();
    let mut joined =
        Joined { parts, files: &files, by_path: &by_path, steps: 0, listed: HashSet::new() };
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| is_named(part.path)) {
        joined.add(at, part.path, &mut listings);
    }
    listings
}

struct Joined<'all> {
    parts: &'all [Part<'all>],
    files: &'all [Option<File>],
    by_path: &'all HashMap<&'all str, usize>,
    steps: usize,
    /// Files that are listed, by themselves or as constraints, without versions from elsewhere.
    listed: HashSet<(usize, bool)>,
}

impl Joined<'_> {
    /// Lists a file that counts and those that it leads to, each for itself.
    fn add(&mut self, root: usize, path: &str, listings: &mut [Option<Listing>]) {
        let mut pending = vec![(root, false)];
        let mut seen = HashSet::from([(root, false)]);
        let mut gaps: Vec<(usize, String)> = Vec::new();
        let mut pins: BTreeMap<&str, &str> = BTreeMap::new();
        let mut reached: Vec<(usize, bool)> = Vec::new();
        while let Some((at, constrains)) = pending.pop() {
            let Some(file) = self.files.get(at).and_then(Option::as_ref) else { continue };
            self.steps += 1 + file.required.len() + file.includes.len();
            if self.steps > STEPS {
                gaps.push((
                    root,
                    "the files of this folder include each other too often".to_owned(),
                ));
                listings.get_mut(root).map(|place| place.get_or_insert_with(Listing::empty));
                break;
            }
            reached.push((at, constrains));
            if constrains {
                let pinned = file.required.iter().filter(|one| !one.version.is_empty());
                pins.extend(pinned.map(|one| (one.name.as_str(), one.version.as_str())));
            }
            let from = self.parts.get(at).map_or(path, |part| part.path);
            for include in &file.includes {
                let constrains = constrains || include.constrains;
                match self.target(from, &include.target) {
                    Ok(target) if seen.insert((target, constrains)) => {
                        pending.push((target, constrains));
                    }
                    Ok(_) => {}
                    Err(reason) => gaps.push((at, format!("line {}: {reason}", include.line))),
                }
            }
            if file.more_includes {
                gaps.push((at, format!("it includes more than {INCLUDES} files")));
            }
        }
        for (at, constrains) in reached {
            if self.listed.insert((at, constrains)) || !pins.is_empty() {
                self.list(at, constrains, &pins, listings);
            }
        }
        for (at, gap) in gaps {
            if let Some(Some(listing)) = listings.get_mut(at)
                && !listing.gaps.contains(&gap)
            {
                listing.gaps.push(gap);
            }
        }
    }

    /// The file that is included, or why it is not known.
    fn target(&self, from: &str, target: &str) -> Result<usize, String> {
        let shown = || target.chars().take(100).collect::<String>();
        if target.contains("://") {
            return Err(format!("`{}` is included and lies elsewhere: not looked at", shown()));
        }
        let path = beside(from, target)
            .ok_or_else(|| format!("`{}` is included and lies outside of the folder", shown()))?;
        self.by_path.get(path.as_str()).copied().ok_or_else(|| {
            format!("`{}` is included and is not there, or is no text of pip", shown())
        })
    }

    fn list(
        &self,
        at: usize,
        constrains: bool,
        pins: &BTreeMap<&str, &str>,
        listings: &mut [Option<Listing>],
    ) {
        let Some(file) = self.files.get(at).and_then(Option::as_ref) else { return };
        let Some(place) = listings.get_mut(at) else { return };
        let first = place.is_none();
        let listing = place.get_or_insert_with(Listing::empty);
        if first {
            listing.extend((0..file.own).map(|_| Entry::Own));
            listing.extend(file.unread.iter().map(|line| Entry::Unread(*line)));
        }
        for one in &file.required {
            let pin = pins.get(one.name.as_str()).filter(|_| one.version.is_empty());
            let version = pin.copied().unwrap_or(&one.version);
            let declared = match version {
                _ if one.elsewhere.is_some() => {
                    let version = Some(one.version.as_str()).filter(|version| !version.is_empty());
                    one.elsewhere.clone().and_then(|from| {
                        Declared::from_elsewhere(&one.name, version, from, one.line)
                    })
                }
                // A constraint asks for nothing: a range of it says no more than others do.
                "" if constrains => continue,
                "" => Declared::unpinned(&one.name, one.line),
                _ => Declared::new(&one.name, version, one.line),
            };
            listing.push(Entry::package(declared, one.line));
        }
    }
}

/// The path that a file means by a relative one; none outside of the folder that is looked at.
pub(crate) fn beside(file: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests;
