//! Walks one archive and the archives nested in it.
//!
//! Nothing is inflated but manifests, `pom.properties`, lone `pom.xml` and nested archives. All archives in one file
//! share one budget of work and one of memory, so that nesting multiplies neither. What is wrong
//! with a nested archive is a problem of its own and does not hide the rest.

use super::identity::{self, Clues};
use super::manifest::{Manifest, Pom, Properties, is_coordinate};
use super::{JavaFact, JavaPackage, POM_BYTES, Sign, descriptor};
use crate::language::TEXT_LIMIT;
use image::ReadError;
use zip::{Archive, ArchiveEntry, ArchiveError};

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
/// Largest `pom.xml`; that of Spring Boot's dependencies has 100 KB.
const DESCRIPTOR_BYTES: u64 = 2 << 20;
/// Largest manifest; signed archives list every class, which makes some megabytes.
const MANIFEST_BYTES: u64 = 8 << 20;
/// How many problems one file may report.
const PROBLEM_LIMIT: usize = 20;

/// The extensions of archives, the same as the cataloger's interests: those of Java and Jakarta EE, Android
/// (`aar`), OSGi subsystems (`esa`), Jenkins (`hpi`, `jpi`), Java's modules (`jmod`), Karaf (`kar`), Liferay
/// (`lpkg`) and NiFi (`nar`). `rar` is a resource adapter; what the program of that name packs begins
/// otherwise, and is none.
pub(super) const EXTENSIONS: &[&str] = &[
    "aar", "ear", "esa", "hpi", "jar", "jmod", "jpi", "kar", "lpkg", "nar", "par", "rar", "sar",
    "war",
];
/// The endings that nothing but such an archive has.
const CERTAIN: &[&str] = &["ear", "jar", "war"];
/// What is said of a file with such an ending that is none.
const NO_ARCHIVE: &str =
    "is no zip archive, as its ending says: what should be in it is not known; fetch it again";
/// What is said of one that has no entry.
const NOTHING: &str =
    "is an archive that holds nothing: what should be in it is not known; fetch it again";
/// What a `.rar` begins with that is none of Java.
const RAR: &[u8] = b"Rar!\x1a\x07";

/// Reads an archive; none where the file is no archive at all.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Option<JavaFact>, ReadError> {
    if bytes.starts_with(RAR) {
        return Ok(None);
    }
    let archive = match Archive::open(bytes) {
        Ok(archive) => archive,
        Err(ArchiveError::NoDirectory) if !bytes.starts_with(b"PK\x03\x04") => {
            return match must_be_archive(path.as_bytes()) {
                true => Err(ReadError::new(NO_ARCHIVE)),
                false => Ok(None),
            };
        }
        Err(error) => return Err(ReadError::new(error.to_string())),
    };
    // Maven's plugin of Spring Boot puts the jar aside that it packs anew.
    let path = path.strip_suffix(".original").unwrap_or(path);
    let mut walk = Walk {
        outer: path,
        fact: JavaFact::default(),
        work_left: WORK_LIMIT,
        held_left: HELD_LIMIT,
        nested_left: NESTED_LIMIT,
    };
    walk.visit(&archive, path, "", 0);
    Ok(Some(walk.fact))
}

/// Reads the `pom.properties` of an archive that was unpacked.
pub(super) fn read_unpacked(path: &str, bytes: &[u8]) -> Result<Option<JavaFact>, ReadError> {
    let package = match Pom::parse(bytes) {
        Some(pom) => named(pom),
        None => unfilled(bytes, path.as_bytes())
            .ok_or_else(|| ReadError::new("it names no artifact; build it again"))?,
    };
    Ok(Some(JavaFact { packages: vec![package], ..JavaFact::default() }))
}

fn named(pom: Pom) -> JavaPackage {
    JavaPackage {
        group: Some(pom.group),
        artifact: pom.artifact,
        version: pom.version,
        ..JavaPackage::default()
    }
}

/// What a `pom.properties` that is not filled in says, with the help of the folders around it.
fn unfilled(bytes: &[u8], place: &[u8]) -> Option<JavaPackage> {
    let told = Properties::parse(bytes);
    let place = descriptor::place(place);
    let fits =
        |text: &str| (is_coordinate(text) && text.len() <= TEXT_LIMIT).then(|| text.to_owned());
    let group = told.group.or_else(|| fits(&place.as_ref()?.0));
    let artifact = told.artifact.or_else(|| fits(&place.as_ref()?.1))?;
    let version = told.version.unwrap_or_default();
    let sign = Some(Sign::Unfilled);
    Some(JavaPackage { group, artifact, version, sign, ..JavaPackage::default() })
}

struct Walk<'path> {
    /// Path of the file that holds all others.
    outer: &'path str,
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
    descriptors: Vec<ArchiveEntry<'bytes>>,
    /// Group and artifact of each folder under `META-INF/maven`.
    folders: Vec<(&'bytes str, &'bytes str)>,
    nested: Vec<ArchiveEntry<'bytes>>,
    /// Whether it has no entry at all.
    is_empty: bool,
    /// Whether it holds classes, those that describe modules and packages aside.
    classes: bool,
}

impl Walk<'_> {
    /// `path` is what the archive is called (its file name says most), `inner` where it is nested.
    fn visit(&mut self, archive: &Archive<'_>, path: &str, inner: &str, depth: u32) {
        let found = self.sort_out(archive, inner);
        if found.is_empty && must_be_archive(path.as_bytes()) {
            self.problem(inner, NOTHING.to_owned());
        }
        let manifest = found.manifest.and_then(|entry| {
            let bytes = self.plain(archive, &entry, MANIFEST_BYTES, inner)?;
            Some(Manifest::parse(&bytes))
        });
        let (poms, mut others) = self.properties(archive, &found, inner);
        let manifest = manifest.unwrap_or_default();
        let clues = Clues { path, manifest: &manifest, folders: &found.folders };
        let mut packages = identity::packages(&clues, poms);
        others.extend(self.descriptors(archive, &found, &packages, inner));
        // What is named in full elsewhere in the archive, or by the file name, is no other package.
        for other in others {
            let known = |one: &JavaPackage| {
                let same = one.group == other.group || one.group.is_none() || other.group.is_none();
                one.artifact == other.artifact && same
            };
            if !packages.iter().any(known) {
                packages.push(other);
            }
        }
        if packages.is_empty() && found.classes && found.nested.is_empty() && !self.is_part(inner) {
            packages.extend(identity::nameless(&clues));
        }
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

    /// What the `pom.properties` name: in full, and in part.
    fn properties(
        &mut self,
        archive: &Archive<'_>,
        found: &Found<'_>,
        inner: &str,
    ) -> (Vec<Pom>, Vec<JavaPackage>) {
        let (mut poms, mut others) = (Vec::new(), Vec::new());
        for entry in &found.poms {
            let Some(bytes) = self.plain(archive, entry, POM_BYTES, inner) else { continue };
            if let Some(pom) = Pom::parse(&bytes) {
                if !poms.contains(&pom) {
                    poms.push(pom);
                }
            } else if let Some(other) = unfilled(&bytes, entry.name) {
                others.push(other);
            } else {
                self.problem(inner, format!("entry `{}` names no artifact", entry.shown()));
            }
        }
        (poms, others)
    }

    /// What lone `pom.xml` name, of which no package is known yet.
    fn descriptors(
        &mut self,
        archive: &Archive<'_>,
        found: &Found<'_>,
        known: &[JavaPackage],
        inner: &str,
    ) -> Vec<JavaPackage> {
        let mut others = Vec::new();
        for entry in &found.descriptors {
            let Some((group, artifact)) = descriptor::place(entry.name) else { continue };
            let fits = |text: &str| is_coordinate(text) && text.len() <= TEXT_LIMIT;
            let is_known = known.iter().any(|one| {
                one.artifact == artifact && one.group.as_deref().is_none_or(|one| one == group)
            });
            if is_known || !fits(&group) || !fits(&artifact) {
                continue;
            }
            let xml = self.plain(archive, entry, DESCRIPTOR_BYTES, inner);
            others.push(JavaPackage {
                group: Some(group.into_owned()),
                artifact: artifact.into_owned(),
                version: xml.and_then(|xml| descriptor::version(&xml)).unwrap_or_default(),
                sign: Some(Sign::Descriptor),
                ..JavaPackage::default()
            });
        }
        others
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
            Err(ArchiveError::NoDirectory) if !bytes.starts_with(b"PK\x03\x04") => {
                if must_be_archive(name.as_bytes()) {
                    self.problem(&inner, NO_ARCHIVE.to_owned());
                }
            }
            Err(error) => self.problem(&inner, error.to_string()),
        }
        self.held_left = self.held_left.saturating_add(held);
    }

    fn sort_out<'bytes>(&mut self, archive: &Archive<'bytes>, inner: &str) -> Found<'bytes> {
        let mut found = Found { is_empty: true, ..Found::default() };
        for entry in archive.entries() {
            found.is_empty = false;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problem(inner, error.to_string());
                    break;
                }
            };
            found.take(&entry);
        }
        if found.poms.len() > POM_LIMIT {
            self.problem(inner, format!("it holds more than {POM_LIMIT} pom.properties"));
            found.poms.truncate(POM_LIMIT);
        }
        if found.descriptors.len() > POM_LIMIT {
            self.problem(inner, format!("it holds more than {POM_LIMIT} pom.xml"));
            found.descriptors.truncate(POM_LIMIT);
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

    /// Whether a nested archive is by its format a part of the one around it, which names it: the classes
    /// of Android's libraries and of Jenkins's plugins.
    fn is_part(&self, inner: &str) -> bool {
        let place = format!("{}!/{inner}", self.outer);
        [".aar!/classes.jar", ".hpi!/WEB-INF/lib/classes.jar", ".jpi!/WEB-INF/lib/classes.jar"]
            .iter()
            .any(|end| place.ends_with(end))
    }

    fn problem(&mut self, inner: &str, reason: String) {
        let problem = (inner.to_owned(), reason);
        if self.fact.problems.contains(&problem) {
            return;
        }
        if self.fact.problems.len() < PROBLEM_LIMIT {
            self.fact.problems.push(problem);
        } else {
            self.fact.left_out = self.fact.left_out.saturating_add(1);
        }
    }
}

impl<'bytes> Found<'bytes> {
    /// Sorts one entry in. Archives that Windows wrote may divide folders by `\`.
    fn take(&mut self, entry: &ArchiveEntry<'bytes>) {
        let name = entry.name;
        let base = memchr::memrchr2(b'/', b'\\', name).map_or(0, |at| at + 1);
        let (folder, base) = name.split_at_checked(base).unwrap_or((&[], name));
        match base {
            _ if base.eq_ignore_ascii_case(b"MANIFEST.MF") => {
                let own = folder.strip_suffix(b"/").or_else(|| folder.strip_suffix(b"\\"));
                if own.is_some_and(|own| own.eq_ignore_ascii_case(b"META-INF")) {
                    self.manifest = self.manifest.or(Some(*entry));
                }
            }
            b"pom.properties" => self.poms.push(*entry),
            b"pom.xml" if descriptor::place(name).is_some() => self.descriptors.push(*entry),
            b"module-info.class" | b"package-info.class" => {}
            _ if base.ends_with(b".class") => self.classes = true,
            _ if is_archive(base) && (entry.holds_bytes() || must_be_archive(base)) => {
                self.nested.push(*entry)
            }
            _ => {}
        }
        if base.starts_with(b"pom.") {
            self.take_folder(name);
        }
    }

    fn take_folder(&mut self, name: &'bytes [u8]) {
        let maven = name.strip_prefix(b"META-INF/maven/").map(std::str::from_utf8);
        let Some(Ok(maven)) = maven else { return };
        let mut parts = maven.split('/');
        let parts = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(group), Some(artifact), Some(_), None) = parts else { return };
        let fits = group.len() <= TEXT_LIMIT && artifact.len() <= TEXT_LIMIT;
        if fits && self.folders.len() < 2 * POM_LIMIT {
            self.folders.push((group, artifact));
        }
    }
}

fn is_archive(name: &[u8]) -> bool {
    ends_with_one_of(name, EXTENSIONS)
}

/// Whether the name of a file says that it is an archive of Java, and nothing else.
pub(super) fn must_be_archive(name: &[u8]) -> bool {
    ends_with_one_of(name, CERTAIN)
}

fn ends_with_one_of(name: &[u8], endings: &[&str]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let extension = name.get(dot + 1..).unwrap_or_default();
    endings.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}
