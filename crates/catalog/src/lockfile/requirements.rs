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
fn is_named(path: &str) -> bool {
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
        let requirement = match editable(line) {
            Some(target) => target,
            None if line.starts_with('-') => return,
            None => line,
        };
        match entry(requirement, number) {
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
    if line.starts_with(['.', '/', '~']) || line.starts_with("file:") {
        return of_path(line, number).unwrap_or(Entry::Own);
    }
    let end = line.find(['=', '<', '>', '!', '~', '(', ' ', '\t', '[']).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    if !is_name(name) {
        return of_path(line, number).unwrap_or(Entry::Unread(number));
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
        None if address.starts_with("file:") => Entry::Own,
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

/// An archive that lies in a folder.
fn of_path(path: &str, number: u32) -> Option<Entry> {
    let (name, version) = archive(path)?;
    let from = Elsewhere::path(path);
    Declared::from_elsewhere(&python_name(name), Some(version), from, number).map(Entry::Package)
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
mod tests {
    use super::*;

    fn listed(files: &[(&str, &str)]) -> Vec<String> {
        let facts: Vec<(&str, Vec<u8>)> = files
            .iter()
            .filter_map(|(path, text)| Some((*path, read(path, text.as_bytes()).unwrap()?)))
            .collect();
        let parts: Vec<Part<'_>> = facts.iter().map(|(path, fact)| Part { path, fact }).collect();
        let mut all = Vec::new();
        for (part, listing) in parts.iter().zip(join(&parts)) {
            let Some(listing) = listing else { continue };
            all.extend(
                listing
                    .packages
                    .iter()
                    .map(|one| format!("{} {}@{}", part.path, one.name, one.version)),
            );
            all.extend(
                listing.problems().iter().map(|problem| format!("{}: {problem}", part.path)),
            );
        }
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn what_is_included_is_read_whatever_it_is_called() {
        let found = listed(&[
            ("a/requirements.txt", "-r base.in\n--requirement=sub/more.txt\n-cpins.txt\nflask\n"),
            ("a/base.in", "django==2.0\n-r requirements.txt\n"),
            ("a/sub/more.txt", "-r ../../outside.txt\njinja2>=2 # why\n"),
            ("outside.txt", "idna==3.15\n"),
            ("a/pins.txt", "flask==1.0\nmarkupsafe==1.0\nother<3\n"),
            ("notes.txt", "These are notes.\n"),
            ("words.txt", "one\ntwo\n"),
        ]);
        assert_eq!(
            found,
            [
                "a/base.in django@2.0",
                "a/pins.txt flask@1.0",
                "a/pins.txt markupsafe@1.0",
                "a/requirements.txt flask@1.0",
                "a/sub/more.txt jinja2@",
                "outside.txt idna@3.15",
            ]
        );
    }

    #[test]
    fn what_is_included_and_cannot_be_read_is_a_problem() {
        let text = "-r none.txt\n-r ../../x.txt\n-c https://a.test/c.txt\n-r notes.txt\n";
        let found = listed(&[("r/requirements.txt", text), ("r/notes.txt", "These are notes.\n")]);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("line 1: `none.txt` is included and is not there"), "{found:?}");
    }

    #[test]
    fn every_form_of_a_requirement_is_listed_or_said() {
        let shown = |line: &str| match entry(line, 1) {
            Entry::Package(one) => format!("{}@{}", one.name, one.version),
            Entry::Own => "own".to_owned(),
            _ => "unread".to_owned(),
        };
        for (line, expected) in [
            ("Django == 2.0 ; python_version < '3'", "django@2.0"),
            ("a[b,c]===1.0 --hash=sha256:00", "a@1.0"),
            ("a (==1.0)", "a@1.0"),
            ("a", "a@"),
            ("a>=1,<2", "a@"),
            ("a==1.*", "a@"),
            ("a==1.0,!=1.1", "a@"),
            ("a ~= 1.0", "a@"),
            ("a @ git+https://h.test/a@main", "a@"),
            ("a @ https://h.test/A_b-1.0-py3-none-any.whl#sha256=00", "a@1.0"),
            ("git+https://h.test/a.git@v1#egg=A_b&subdirectory=x", "a-b@"),
            ("https://h.test/x/a-1.0.tar.gz", "a@1.0"),
            ("./wheels/a-1.0-py3-none-any.whl", "a@1.0"),
            ("./folder", "own"),
            ("git+https://h.test/a.git", "unread"),
            ("two words", "unread"),
            ("{{ name }}", "unread"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn many_files_that_include_each_other_end_soon() {
        let names: Vec<String> = (0..200).map(|at| format!("requirements-{at}.txt")).collect();
        let text: String = names.iter().map(|name| format!("-r {name}\n")).collect();
        let files: Vec<(&str, &str)> =
            names.iter().map(|name| (name.as_str(), text.as_str())).collect();
        assert!(listed(&files).iter().any(|line| line.contains("include each other too often")));
    }
}
