//! The programs of a sealed image: path to content digest.
//!
//! In go the file records of the squashed image, out comes a table that answers "what does the image
//! hold at this path". Paths lie one after another in a single text and are found by binary search:
//! a Debian image costs a few hundred kilobytes, since only what can be run or loaded is kept.

use crate::shell;
use std::collections::BTreeMap;
use vocabulary::{Digest, FileKind, FileRecord};

/// Hard links that are followed one after another. Tar writers point each name at the first one, so
/// that one step is the rule; the bound ends circles.
const MAX_LINK_STEPS: usize = 8;

/// Any of the three execute bits.
const EXECUTABLE: u32 = 0o111;

/// What an image allows to be run.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    /// All paths, sorted, one after another.
    paths: String,
    /// In the order of their paths.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    length: usize,
    content: Content,
}

/// What is known of a program or library.
#[derive(Clone, Copy, Debug)]
struct Content {
    /// SHA-256; none where the record has no digest for the file.
    digest: Option<[u8; 32]>,
    /// Its length; none for a hard link to a file that is no program itself.
    bytes: Option<u64>,
    /// Whether the file may be started: libraries are kept without the mode bit too.
    executable: bool,
}

impl AllowList {
    /// Keeps the regular files, and hard links to them, that can be run or loaded as a library.
    #[must_use]
    pub fn new(records: impl IntoIterator<Item = FileRecord>) -> Self {
        let mut files = BTreeMap::new();
        let mut links = Vec::new();
        // A hard link may come before its target, and its target may not look like a program: the
        // digests of all files that links could mean are therefore known only at the end.
        let mut others = BTreeMap::new();
        for record in records {
            match record.kind {
                FileKind::File => {
                    let digest = record.digest.as_ref().and_then(sha256);
                    let executable = record.mode & EXECUTABLE != 0;
                    if executable || is_library(&record.path) {
                        let content = Content { digest, bytes: Some(record.size), executable };
                        files.insert(record.path, content);
                    } else if let Some(digest) = digest {
                        // Eight bytes of the path's digest stand for the path, to keep it small.
                        others.insert(brief(&record.path), digest);
                    }
                }
                FileKind::HardLink => {
                    if let Some(link) = record.link {
                        let executable = record.mode & EXECUTABLE != 0;
                        links.push((record.path, trimmed(&link).to_owned(), executable));
                    }
                }
                _ => {}
            }
        }
        resolve(&mut files, &others, &links);
        Self::pack(files)
    }

    fn pack(files: BTreeMap<String, Content>) -> Self {
        let mut list = Self {
            paths: String::with_capacity(files.keys().map(String::len).sum()),
            entries: Vec::with_capacity(files.len()),
        };
        for (path, content) in files {
            let start = list.paths.len();
            list.paths.push_str(&path);
            list.entries.push(Entry { start, length: path.len(), content });
        }
        list
    }

    /// Whether the image holds a program or library at this path (without a leading slash).
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        self.entry(path).is_some()
    }

    /// The digest of the program at this path; none where the image has no such program, or its
    /// record no digest for it.
    #[must_use]
    pub fn digest(&self, path: &str) -> Option<Digest> {
        self.entry(path)?.content.digest.map(Digest::sha256)
    }

    /// How long the program at this path is: a file of another length is another one, which can be
    /// told without reading it.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<u64> {
        self.entry(path)?.content.bytes
    }

    /// The first path at which the image holds a program with this content.
    #[must_use]
    pub fn path_of(&self, digest: &Digest) -> Option<&str> {
        self.paths_of(digest).next()
    }

    /// Whether the image holds a shell with this content, under whatever name it has now.
    #[must_use]
    pub fn is_shell(&self, digest: &Digest) -> bool {
        self.paths_of(digest).any(shell::is_shell_path)
    }

    /// How many programs and libraries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the image holds no program at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The programs that may be started, with their paths, sorted by path.
    pub fn programs(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| entry.content.executable).map(|entry| self.path(entry))
    }

    fn paths_of(&self, digest: &Digest) -> impl Iterator<Item = &str> {
        let wanted = sha256(digest);
        self.entries
            .iter()
            .filter(move |entry| wanted.is_some() && entry.content.digest == wanted)
            .map(|entry| self.path(entry))
    }

    fn path(&self, entry: &Entry) -> &str {
        self.paths.get(entry.start..entry.start + entry.length).unwrap_or_default()
    }

    fn entry(&self, path: &str) -> Option<&Entry> {
        let found = self.entries.binary_search_by(|entry| self.path(entry).cmp(path)).ok()?;
        self.entries.get(found)
    }
}

/// Gives each hard link the content of the file that it is another name of.
fn resolve(
    files: &mut BTreeMap<String, Content>,
    others: &BTreeMap<u64, [u8; 32]>,
    links: &[(String, String, bool)],
) {
    let targets: BTreeMap<&str, &str> =
        links.iter().map(|(path, target, _)| (path.as_str(), target.as_str())).collect();
    for (path, target, executable) in links {
        let mut target = target.as_str();
        for _ in 0..MAX_LINK_STEPS {
            match targets.get(target) {
                Some(next) => target = next,
                None => break,
            }
        }
        if let Some(content) = files.get(target).copied() {
            let executable = *executable || content.executable;
            files.insert(path.clone(), Content { executable, ..content });
        } else if let Some(digest) = others.get(&brief(target))
            && (*executable || is_library(path))
        {
            let (digest, executable) = (Some(*digest), *executable);
            files.insert(path.clone(), Content { digest, bytes: None, executable });
        }
    }
}

/// `lib….so`, `….so.1.2`: loaded, not started, and seldom with the execute bit.
fn is_library(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".so") || name.contains(".so.")
}

fn trimmed(path: &str) -> &str {
    path.trim_start_matches("./").trim_start_matches('/')
}

fn brief(path: &str) -> u64 {
    let digest = Digest::of(path.as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

fn sha256(digest: &Digest) -> Option<[u8; 32]> {
    match digest.algorithm() {
        vocabulary::Algorithm::Sha256 => digest.as_bytes().try_into().ok(),
        vocabulary::Algorithm::Sha512 => None,
    }
}

#[cfg(test)]
#[path = "allow_tests.rs"]
mod tests;
