//! Holds the files that are there against those that should be.
//!
//! In go two lists of file records in the order of their paths, out comes a finding for each
//! difference, programs and libraries first. The expected side is streamed, so that a sealed record
//! need not lie in memory. Times are no part of it: an attacker sets them as he likes.

mod class;
mod describe;
mod excuse;

use crate::merkle::kind_name;
use class::Class;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use vocabulary::{Aspect, FileKind, FileRecord, Finding, Layer, Package};

/// Findings of one comparison: two images that have nothing in common are one message, not a million.
pub const FINDINGS: usize = 10_000;

/// What the expected files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// The sealed record.
    Seal,
    /// The image that a container was made from.
    Image,
}

/// What the layer that a found file comes from is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A layer of the image.
    Image,
    /// The layer that an engine puts between image and container.
    Engine,
    /// The container's own.
    Written,
}

/// By what is compared.
pub struct Comparison<'by> {
    /// What is expected.
    pub baseline: Baseline,
    /// What a found file's layer is.
    pub part: &'by dyn Fn(Option<u32>) -> Part,
    /// Packages, to name those that changed files belong to.
    pub packages: &'by [Package],
    /// Layers of the image, for whose they are.
    pub layers: &'by [Layer],
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// A finding each, programs and libraries first; at most [`FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub left_out: u64,
    /// Paths that an engine makes, with the reason why they do not count.
    pub excused: Vec<(String, &'static str)>,
    /// Files whose content was not read, so that nothing can be said of it.
    pub unread: Vec<String>,
    /// How many files were held against each other.
    pub compared: u64,
}

/// One path that differs.
struct Difference<'found> {
    class: Class,
    expected: Option<FileRecord>,
    found: Option<&'found FileRecord>,
    aspects: Vec<(Aspect, Option<String>, Option<String>)>,
    part: Part,
}

/// Compares. Both sides are in the order of their paths' bytes. The root counts where both sides list
/// it first: tars need not.
#[must_use]
pub fn compare(
    expected: impl IntoIterator<Item = FileRecord>,
    found: &[FileRecord],
    by: &Comparison<'_>,
) -> Differences {
    let mut merge = Merge {
        by,
        out: Differences::default(),
        pending: Vec::new(),
        differences: Vec::new(),
        links: HashMap::new(),
    };
    let mut found = found.iter().peekable();
    let mut expected = expected.into_iter().peekable();
    let roots =
        (expected.next_if(|file| is_root(&file.path)), found.next_if(|file| is_root(&file.path)));
    if let (Some(expected), Some(found)) = roots {
        merge.both(expected, found);
    }
    let mut found = found.filter(|file| !is_root(&file.path)).peekable();
    for file in expected.filter(|file| !is_root(&file.path)) {
        while let Some(added) = found.next_if(|found| found.path.as_bytes() < file.path.as_bytes())
        {
            merge.added(added);
        }
        merge.sees(&file);
        let order = found.peek().map(|found| found.path.as_bytes().cmp(file.path.as_bytes()));
        match (order, found.peek()) {
            (Some(Ordering::Equal), Some(_)) => {
                if let Some(found) = found.next() {
                    merge.both(file, found);
                }
            }
            _ => merge.removed(file),
        }
    }
    found.for_each(|added| merge.added(added));
    merge.finish()
}

fn is_root(path: &str) -> bool {
    matches!(path, "" | "." | "/")
}

struct Merge<'by, 'found> {
    by: &'by Comparison<'by>,
    out: Differences,
    /// Folders that only the found side lists: tars need not name the folders that they fill.
    pending: Vec<&'found FileRecord>,
    differences: Vec<Difference<'found>>,
    /// Links at the root, such as `lib` to `usr/lib`: package databases write the short path.
    links: HashMap<String, String>,
}

impl<'found> Merge<'_, 'found> {
    fn sees(&mut self, file: &FileRecord) {
        self.out.compared += 1;
        if file.kind == FileKind::Symlink
            && !file.path.contains('/')
            && let Some(target) = &file.link
        {
            let target = target.trim_start_matches('/').trim_end_matches('/').to_owned();
            self.links.insert(file.path.clone(), target);
        }
        let holds = |folder: &&FileRecord| {
            let below = file.path.strip_prefix(&folder.path);
            !below.is_some_and(|rest| rest.starts_with('/'))
        };
        self.pending.retain(holds);
    }

    fn added(&mut self, found: &'found FileRecord) {
        self.out.compared += 1;
        let part = (self.by.part)(found.layer);
        if part == Part::Engine
            && let Some(reason) = excuse::of(None, found)
        {
            self.out.excused.push((found.path.clone(), reason));
        } else if part == Part::Image && found.kind == FileKind::Directory {
            self.pending.push(found);
        } else {
            self.add(found, part);
        }
    }

    fn add(&mut self, found: &'found FileRecord, part: Part) {
        let aspects = vec![(Aspect::Presence, None, Some(describe::whole(found)))];
        // Engines mount files over empty ones, which they make executable: they run nothing.
        let stands_for_a_mount = part == Part::Written
            && found.kind == FileKind::File
            && found.size == 0
            && found.digest.is_some();
        let class = if stands_for_a_mount { Class::Data } else { Class::of(found) };
        self.differences.push(Difference {
            class,
            expected: None,
            found: Some(found),
            aspects,
            part,
        });
    }

    fn removed(&mut self, file: FileRecord) {
        // Only a container's own layer can take away from its image.
        let part = if self.by.baseline == Baseline::Image { Part::Written } else { Part::Image };
        let aspects = vec![(Aspect::Presence, Some(describe::whole(&file)), None)];
        let class = Class::of(&file);
        self.differences.push(Difference {
            class,
            expected: Some(file),
            found: None,
            aspects,
            part,
        });
    }

    fn both(&mut self, file: FileRecord, found: &'found FileRecord) {
        let unread = is_content(&file)
            && is_content(found)
            && found.digest.is_none()
            && file.digest.is_some();
        if unread {
            self.out.unread.push(found.path.clone());
        }
        let aspects = aspects(&file, found);
        if aspects.is_empty() {
            return;
        }
        let part = (self.by.part)(found.layer);
        if part == Part::Engine
            && let Some(reason) = excuse::of(Some(&file), found)
        {
            self.out.excused.push((found.path.clone(), reason));
            return;
        }
        let class = Class::of(&file).max(Class::of(found));
        self.differences.push(Difference {
            class,
            expected: Some(file),
            found: Some(found),
            aspects,
            part,
        });
    }

    fn finish(mut self) -> Differences {
        for folder in std::mem::take(&mut self.pending) {
            self.add(folder, Part::Image);
        }
        let owners = self.owners();
        let mut ranked: Vec<_> = self
            .differences
            .iter()
            .map(|difference| (describe::severity(difference), difference))
            .collect();
        // Worst first, and of what is equally bad programs and libraries first.
        ranked.sort_by(|(left_severity, left), (right_severity, right)| {
            right_severity
                .cmp(left_severity)
                .then_with(|| right.class.cmp(&left.class))
                .then_with(|| left.path().cmp(right.path()))
        });
        let left_out = ranked.len().saturating_sub(FINDINGS) as u64;
        let findings = ranked
            .into_iter()
            .take(FINDINGS)
            .map(|(severity, difference)| {
                let owner = owners.get(difference.path()).copied();
                describe::finding(difference, severity, owner, self.by)
            })
            .collect();
        Differences { findings, left_out, ..std::mem::take(&mut self.out) }
    }

    /// The packages of the paths that differ.
    fn owners(&self) -> HashMap<String, &Package> {
        let wanted: HashSet<&str> = self
            .differences
            .iter()
            .filter(|difference| !difference.is_folder())
            .map(Difference::path)
            .collect();
        let mut owners = HashMap::new();
        if wanted.is_empty() {
            return owners;
        }
        for package in self.by.packages {
            let files = package.files.iter().map(String::as_str);
            for file in files.chain(package.location.path()) {
                let file = self.resolved(file);
                if wanted.contains(file.as_str()) {
                    owners.entry(file).or_insert(package);
                }
            }
        }
        owners
    }

    fn resolved(&self, path: &str) -> String {
        let path = path.trim_start_matches('/');
        path.split_once('/')
            .and_then(|(first, rest)| Some(format!("{}/{rest}", self.links.get(first)?)))
            .unwrap_or_else(|| path.to_owned())
    }
}

impl Difference<'_> {
    fn path(&self) -> &str {
        let expected = self.expected.as_ref().map(|file| file.path.as_str());
        expected.or_else(|| self.found.map(|file| file.path.as_str())).unwrap_or_default()
    }

    fn is_folder(&self) -> bool {
        let file = self.found.or(self.expected.as_ref());
        file.is_some_and(|file| file.kind == FileKind::Directory)
    }
}

/// A hard link is a file: which of a file's names is the link is a matter of the tar's order.
fn is_content(file: &FileRecord) -> bool {
    matches!(file.kind, FileKind::File | FileKind::HardLink)
}

/// What differs, as expected and as found.
fn aspects(
    expected: &FileRecord,
    found: &FileRecord,
) -> Vec<(Aspect, Option<String>, Option<String>)> {
    let mut aspects = Vec::new();
    let mut differ = |aspect, expected: String, found: String| {
        if expected != found {
            aspects.push((aspect, Some(expected), Some(found)));
        }
    };
    let contents = is_content(expected) && is_content(found);
    if expected.kind != found.kind && !contents {
        differ(Aspect::Kind, kind_name(expected.kind).to_owned(), kind_name(found.kind).to_owned());
    }
    if contents {
        match (&expected.digest, &found.digest) {
            (Some(expected), Some(found)) => {
                differ(Aspect::Content, expected.to_string(), found.to_string());
            }
            _ if expected.kind == found.kind => {
                differ(Aspect::Size, expected.size.to_string(), found.size.to_string());
            }
            _ => {}
        }
    }
    // Linux gives symbolic links no mode of their own.
    if expected.kind != FileKind::Symlink && found.kind != FileKind::Symlink {
        let mode = |file: &FileRecord| format!("{:04o}", file.mode & 0o7777);
        differ(Aspect::Mode, mode(expected), mode(found));
    }
    let owner = |file: &FileRecord| format!("{}:{}", file.uid, file.gid);
    differ(Aspect::Owner, owner(expected), owner(found));
    if expected.kind == FileKind::Symlink && found.kind == FileKind::Symlink {
        let link = |file: &FileRecord| file.link.clone().unwrap_or_default();
        differ(Aspect::Link, link(expected), link(found));
    }
    let attributes = |file: &FileRecord| {
        let counted = file.attributes.iter().filter(|(name, _)| counts(name));
        let texts: Vec<_> = counted.map(|(name, value)| format!("{name}={value}")).collect();
        texts.join(" ")
    };
    differ(Aspect::Attributes, attributes(expected), attributes(found));
    aspects
}

/// Overlay's own marks, and the label that SELinux gives each file of a container, are the host's.
fn counts(attribute: &str) -> bool {
    !attribute.starts_with("trusted.overlay.")
        && !attribute.starts_with("user.overlay.")
        && attribute != "security.selinux"
}

#[cfg(test)]
mod tests;
