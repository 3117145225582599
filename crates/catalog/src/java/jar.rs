//! Walks one archive and the archives nested in it.
//!
//! Nothing is inflated but manifests, `pom.properties` and nested archives. All archives in one file
//! share one budget of work and one of memory, so that nesting multiplies neither. What is wrong
//! with a nested archive is a problem of its own and does not hide the rest.

use super::archive::{Archive, ArchiveEntry, ArchiveError};
use super::identity::{self, Clues};
use super::manifest::{Manifest, Pom};
use super::{JavaFact, JavaPackage};
use crate::language::TEXT_LIMIT;
use image::ReadError;

/// How deep archives nest: an ear holds wars, which hold executable jars, which hold jars.
const DEPTH_LIMIT: u32 = 5;
/// How many archives one file may hold; the largest real ones hold some 500.
const NESTED_LIMIT: u32 = 5_000;
/// How many bytes may be read out of one file's archives, all together.
const WORK_LIMIT: u64 = 512 << 20;
/// How many bytes of inflated nested archives may be held at once, all depths together.
const HELD_LIMIT: u64 = 48 << 20;
/// How many packages one file may hold; shaded giants have some 500.
const PACKAGE_LIMIT: usize = 20_000;
/// How many `pom.properties` and `pom.xml` one archive may hold.
const POM_LIMIT: usize = 2_000;
/// Largest `pom.properties`; real ones have three lines.
const POM_BYTES: u64 = 64 << 10;
/// Largest manifest; signed archives list every class, which makes some megabytes.
const MANIFEST_BYTES: u64 = 8 << 20;
/// How many problems one file may report.
const PROBLEM_LIMIT: usize = 20;

/// The extensions of archives, the same as the cataloger's interests.
const EXTENSIONS: &[&str] = &["ear", "hpi", "jar", "jpi", "par", "sar", "war"];

/// Reads an archive; none where the file is no archive at all.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Option<JavaFact>, ReadError> {
    let archive = match Archive::open(bytes) {
        Ok(archive) => archive,
        Err(ArchiveError::NoDirectory) if !bytes.starts_with(b"PK\x03\x04") => return Ok(None),
        Err(error) => return Err(ReadError::new(error.to_string())),
    };
    let mut walk = Walk {
        fact: JavaFact::default(),
        work_left: WORK_LIMIT,
        held_left: HELD_LIMIT,
        nested_left: NESTED_LIMIT,
    };
    walk.visit(&archive, path, "", 0);
    walk.fact.problems.truncate(PROBLEM_LIMIT);
    Ok(Some(walk.fact))
}

struct Walk {
    fact: JavaFact,
    work_left: u64,
    held_left: u64,
    nested_left: u32,
}

/// The entries of an archive that matter.
#[derive(Default)]
struct Found<'bytes> {
    manifest: Option<ArchiveEntry<'bytes>>,
    poms: Vec<ArchiveEntry<'bytes>>,
    /// Group and artifact of each folder under `META-INF/maven`.
    folders: Vec<(&'bytes str, &'bytes str)>,
    nested: Vec<ArchiveEntry<'bytes>>,
}

impl Walk {
    /// `path` is what the archive is called (its file name says most), `inner` where it is nested.
    fn visit(&mut self, archive: &Archive<'_>, path: &str, inner: &str, depth: u32) {
        let found = self.sort_out(archive, inner);
        let manifest = found.manifest.and_then(|entry| {
            let bytes = self.plain(archive, &entry, MANIFEST_BYTES, inner)?;
            Some(Manifest::parse(&bytes))
        });
        let mut poms = Vec::new();
        for entry in &found.poms {
            if let Some(bytes) = self.plain(archive, entry, POM_BYTES, inner) {
                poms.extend(Pom::parse(&bytes).filter(|pom| !poms.contains(pom)));
            }
        }
        let manifest = manifest.unwrap_or_default();
        let clues = Clues { path, manifest: &manifest, folders: &found.folders };
        let packages = identity::packages(&clues, poms);
        if self.fact.packages.len().saturating_add(packages.len()) > PACKAGE_LIMIT {
            self.problem(inner, format!("it holds more than {PACKAGE_LIMIT} packages"));
            return;
        }
        let at_place = |one: JavaPackage| JavaPackage { inner: inner.to_owned(), ..one };
        self.fact.packages.extend(packages.into_iter().map(at_place));
        for entry in &found.nested {
            self.visit_nested(archive, entry, inner, depth + 1);
        }
    }

    fn visit_nested(
        &mut self,
        archive: &Archive<'_>,
        entry: &ArchiveEntry<'_>,
        inner: &str,
        depth: u32,
    ) {
        let name = entry.shown();
        let inner = if inner.is_empty() { name.clone() } else { format!("{inner}!/{name}") };
        if depth > DEPTH_LIMIT {
            return self.problem(&inner, format!("it is nested deeper than {DEPTH_LIMIT}"));
        }
        let Some(left) = self.nested_left.checked_sub(1) else {
            return self.problem("", format!("it holds more than {NESTED_LIMIT} archives"));
        };
        self.nested_left = left;
        let Some(bytes) = self.plain(archive, entry, self.held_left, &inner) else { return };
        let held = match &bytes {
            std::borrow::Cow::Borrowed(_) => 0,
            std::borrow::Cow::Owned(_) => entry.plain,
        };
        self.held_left = self.held_left.saturating_sub(held);
        match Archive::open(&bytes) {
            Ok(nested) => self.visit(&nested, &name, &inner, depth),
            Err(ArchiveError::NoDirectory) if !bytes.starts_with(b"PK\x03\x04") => {}
            Err(error) => self.problem(&inner, error.to_string()),
        }
        self.held_left = self.held_left.saturating_add(held);
    }

    fn sort_out<'bytes>(&mut self, archive: &Archive<'bytes>, inner: &str) -> Found<'bytes> {
        let mut found = Found::default();
        for entry in archive.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problem(inner, error.to_string());
                    break;
                }
            };
            if let Some(rest) = entry.name.strip_prefix(b"META-INF/") {
                found.take_meta(&entry, rest);
            }
            if is_archive(entry.name) && entry.plain > 0 {
                found.nested.push(entry);
            }
        }
        if found.poms.len() > POM_LIMIT {
            self.problem(inner, format!("it holds more than {POM_LIMIT} pom.properties"));
            found.poms.truncate(POM_LIMIT);
        }
        found
    }

    /// The plain bytes of an entry, out of the budget of work.
    fn plain<'bytes>(
        &mut self,
        archive: &Archive<'bytes>,
        entry: &ArchiveEntry<'_>,
        at_most: u64,
        inner: &str,
    ) -> Option<std::borrow::Cow<'bytes, [u8]>> {
        let Some(left) = self.work_left.checked_sub(entry.plain) else {
            self.problem("", format!("its archives hold more than {WORK_LIMIT} bytes to read"));
            return None;
        };
        match archive.read(entry, at_most) {
            Ok(bytes) => {
                self.work_left = left;
                Some(bytes)
            }
            Err(error) => {
                self.problem(inner, error.to_string());
                None
            }
        }
    }

    fn problem(&mut self, inner: &str, reason: String) {
        let problem = (inner.to_owned(), reason);
        if self.fact.problems.len() < PROBLEM_LIMIT && !self.fact.problems.contains(&problem) {
            self.fact.problems.push(problem);
        }
    }
}

impl<'bytes> Found<'bytes> {
    /// Takes an entry of `META-INF/`, whose name there is `rest`.
    fn take_meta(&mut self, entry: &ArchiveEntry<'bytes>, rest: &'bytes [u8]) {
        if rest.eq_ignore_ascii_case(b"MANIFEST.MF") {
            self.manifest = self.manifest.or(Some(*entry));
            return;
        }
        let Some(maven) = rest.strip_prefix(b"maven/") else { return };
        let Ok(maven) = std::str::from_utf8(maven) else { return };
        let mut parts = maven.split('/');
        let parts = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(group), Some(artifact), Some(file), None) = parts else { return };
        if file == "pom.properties" {
            self.poms.push(*entry);
        }
        let fits = group.len() <= TEXT_LIMIT && artifact.len() <= TEXT_LIMIT;
        if fits && file.starts_with("pom.") && self.folders.len() < POM_LIMIT {
            self.folders.push((group, artifact));
        }
    }
}

fn is_archive(name: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let extension = name.get(dot + 1..).unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}
