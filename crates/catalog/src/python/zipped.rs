//! Python packages inside archives: eggs, wheels, and programs packed as one (zipapp, pex, shiv).
//!
//! In goes a zip whole, out comes a package for each `METADATA` or `PKG-INFO` in a folder of an installed
//! package, also of archives nested in it. All archives of one file share one budget of work and one of
//! memory. What is wrong with one entry is a problem of its own and does not hide the rest.
//! Sources: setuptools, "The Internal Structure of Python Eggs"; PyPA, "Binary distribution format";
//! PEP 441; pex documentation, "layouts".

use super::metadata::{self, Metadata};
use super::{METADATA_LIMIT, Part, part_of};
use image::ReadError;
use serde::{Deserialize, Serialize};
use zip::{Archive, ArchiveEntry};

/// The endings of archives that are opened.
pub(super) const ENDINGS: &[&str] = &["egg", "pex", "pyz", "whl"];
/// Whether an archive of this name is on the path of every Python: `python311.zip` beside its library.
/// Source: Python documentation, "The initialization of the sys.path module search path".
pub(super) fn is_on_the_path(name: &str) -> bool {
    let number = name.strip_prefix("python").and_then(|rest| rest.strip_suffix(".zip"));
    number.is_some_and(|one| !one.is_empty() && one.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How deep archives nest: a pex in its packed layout holds wheels.
const DEPTH_LIMIT: u32 = 3;
/// How many archives one file may hold; large applications have some 500 wheels.
const NESTED_LIMIT: u32 = 5_000;
/// How many bytes may be read out of one file's archives, all together.
const WORK_LIMIT: u64 = 512 << 20;
/// How many bytes of inflated nested archives may be held at once, all depths together.
const HELD_LIMIT: u64 = 48 << 20;
/// How many packages one file may hold.
const PACKAGE_LIMIT: usize = 5_000;
/// How many problems one file names; more are counted.
const PROBLEM_LIMIT: usize = 20;

/// What is kept of one archive.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried<'fact> {
    /// Place inside the archive, such as `EGG-INFO/PKG-INFO`.
    #[serde(borrow)]
    pub(super) packages: Vec<(String, Metadata<'fact>)>,
    /// Place inside the archive (empty for the archive itself), and why it was not read.
    pub(super) problems: Vec<(String, String)>,
    /// How many more problems there were.
    pub(super) left_out: u32,
}

/// Reads an archive.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Carried<'static>, ReadError> {
    let archive = Archive::open(bytes).map_err(|error| ReadError::new(error.to_string()))?;
    let mut walk = Walk {
        carried: Carried::default(),
        work_left: WORK_LIMIT,
        held_left: HELD_LIMIT,
        nested_left: NESTED_LIMIT,
    };
    walk.visit(&archive, path, "", 0);
    Ok(walk.carried)
}

/// What a wheel or an egg is by its file name alone.
pub(super) fn by_name(path: &str) -> Option<Metadata<'static>> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    metadata::from_name(name.strip_suffix(".whl").or_else(|| name.strip_suffix(".egg"))?)
}

struct Walk {
    carried: Carried<'static>,
    work_left: u64,
    held_left: u64,
    nested_left: u32,
}

impl Walk {
    /// `path` is what the archive is called, `inner` where it is nested.
    fn visit(&mut self, archive: &Archive<'_>, path: &str, inner: &str, depth: u32) {
        let before = self.carried.packages.len();
        for entry in archive.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.problem(inner, error.to_string());
                    break;
                }
            };
            let name = entry.shown();
            let place = if inner.is_empty() { name.clone() } else { format!("{inner}!/{name}") };
            if part_of(&name) == Some(Part::Metadata) {
                self.take(archive, &entry, place);
            } else if is_archive(&name) && entry.holds_bytes() {
                self.visit_nested(archive, &entry, &name, &place, depth + 1);
            }
        }
        let must_name_itself = [".egg", ".whl"].iter().any(|ending| path.ends_with(ending));
        if must_name_itself && self.carried.packages.len() == before {
            match by_name(path) {
                Some(metadata) => self.add(inner.to_owned(), metadata),
                None => self.problem(inner, "it has no readable METADATA or PKG-INFO".to_owned()),
            }
        }
    }

    fn take(&mut self, archive: &Archive<'_>, entry: &ArchiveEntry<'_>, place: String) {
        let Some(bytes) = self.plain(archive, entry, METADATA_LIMIT, &place) else { return };
        match metadata::parse(&bytes) {
            Ok(metadata) => self.add(place, metadata.into_owned()),
            Err(error) => self.problem(&place, error.to_string()),
        }
    }

    fn add(&mut self, place: String, metadata: Metadata<'static>) {
        if self.carried.packages.len() < PACKAGE_LIMIT {
            self.carried.packages.push((place, metadata));
        } else {
            self.problem("", format!("it holds more than {PACKAGE_LIMIT} packages"));
        }
    }

    fn visit_nested(
        &mut self,
        archive: &Archive<'_>,
        entry: &ArchiveEntry<'_>,
        name: &str,
        place: &str,
        depth: u32,
    ) {
        if depth > DEPTH_LIMIT {
            return self.problem(place, format!("it is nested deeper than {DEPTH_LIMIT}"));
        }
        let Some(left) = self.nested_left.checked_sub(1) else {
            return self.problem("", format!("it holds more than {NESTED_LIMIT} archives"));
        };
        self.nested_left = left;
        let Some(bytes) = self.plain(archive, entry, self.held_left, place) else { return };
        let held = if matches!(bytes, std::borrow::Cow::Owned(_)) { entry.plain } else { 0 };
        self.held_left = self.held_left.saturating_sub(held);
        match Archive::open(&bytes) {
            Ok(nested) => self.visit(&nested, name, place, depth),
            Err(_) if !bytes.starts_with(b"PK\x03\x04") => {}
            Err(error) => self.problem(place, error.to_string()),
        }
        self.held_left = self.held_left.saturating_add(held);
    }

    /// The plain bytes of an entry, out of the budget of work.
    fn plain<'bytes>(
        &mut self,
        archive: &Archive<'bytes>,
        entry: &ArchiveEntry<'_>,
        at_most: u64,
        place: &str,
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
                self.problem(place, error.to_string());
                None
            }
        }
    }

    fn problem(&mut self, place: &str, reason: String) {
        let problem = (place.to_owned(), reason);
        if self.carried.problems.contains(&problem) {
            return;
        }
        if self.carried.problems.len() < PROBLEM_LIMIT {
            self.carried.problems.push(problem);
        } else {
            self.carried.left_out = self.carried.left_out.saturating_add(1);
        }
    }
}

fn is_archive(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}
