//! Walks a directory as if it were one layer: a root file system, a source folder, or a folder that
//! an overlay file system is made of.
//!
//! Links are never followed, so nothing outside of the directory is read. What lies in it can change
//! at any moment, by a running container or by whoever may write there; so the directory is held open,
//! each folder below is opened from it without following any link (`openat2`), and entries are reached
//! by the open folder: what is swapped for a link leads nowhere. A file is opened only where its path
//! concerns a check or it is executable, or where its digest is asked for; pseudo file systems mounted
//! inside are left out. Holes of sparse files cost nothing to make: beyond a bound they are not
//! written out, and what was not read for that is said.

mod content;

use crate::blob::PIECE;
use crate::collect::RecordLevel;
use crate::error::ImageError;
use crate::facts::LayerFacts;
use crate::limits::{self, LayerBounds};
use crate::links::Aliases;
use crate::share::{Share, Shares};
use crate::tar::{Meta, Sink, normalise};
use crate::walk::Walker;
use content::length;
use record::Record;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use vocabulary::FileKind;

/// Walks `root`.
///
/// # Errors
/// Where the directory itself cannot be read; what lies in it becomes a problem instead.
pub fn walk(walker: &Walker<'_>, root: &Path) -> Result<(LayerFacts, Record), ImageError> {
    walk_as(walker, root, Shape::Plain, None, None, alone().of(0))
}

/// Walks what of `root` a predicate takes, by path: a folder that it does not take is not listed.
///
/// # Errors
/// Where the directory itself cannot be read.
pub fn walk_some(
    walker: &Walker<'_>,
    root: &Path,
    takes: fn(&str) -> bool,
) -> Result<(LayerFacts, Record), ImageError> {
    walk_as(walker, root, Shape::Plain, Some(&takes), None, alone().of(0))
}

/// Walks those files of `root` again that have other names, each under these.
///
/// # Errors
/// Where the directory itself cannot be read.
pub fn walk_again(
    walker: &Walker<'_>,
    root: &Path,
    aliases: &Aliases,
) -> Result<LayerFacts, ImageError> {
    again_as(walker, root, Shape::Plain, aliases)
}

pub(crate) fn again_as(
    walker: &Walker<'_>,
    root: &Path,
    shape: Shape,
    aliases: &Aliases,
) -> Result<LayerFacts, ImageError> {
    let takes = |path: &str| aliases.leads_to(path);
    Ok(walk_as(walker, root, shape, Some(&takes), Some(aliases), alone().of(0))?.0)
}

/// The sums of what has no layers.
pub(crate) fn alone() -> Shares {
    Shares::new(1, limits::IMAGE_KEPT_BYTES)
}

/// What the folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A directory of its own.
    Plain,
    /// One of those that an overlay file system lays over each other.
    Overlay,
}

pub(crate) fn walk_as(
    walker: &Walker<'_>,
    root: &Path,
    shape: Shape,
    takes: Option<&dyn Fn(&str) -> bool>,
    only: Option<&Aliases>,
    share: Share<'_>,
) -> Result<(LayerFacts, Record), ImageError> {
    let fail = |source: Errno| ImageError::Read { path: root.to_owned(), source: source.into() };
    let anchor = rustix::fs::open(root, FOLDER, Mode::empty()).map_err(fail)?;
    let device = rustix::fs::fstat(&anchor).map_err(fail)?.st_dev;
    let mut sink = walker.collector(share).of_file_system();
    if let Some(aliases) = only {
        sink = sink.only(aliases);
    }
    let mut visit = Visit {
        walker,
        sink,
        buffer: vec![0; PIECE],
        listing: vec![MaybeUninit::uninit(); LISTING],
        device,
        anchor,
        shape,
        takes,
        links: HashMap::new(),
        entries: 0,
        bytes: 0,
        holes: LayerBounds::default().hole_bytes,
    };
    // What cannot be listed at all is no empty folder.
    visit
        .hold(Path::new(""))
        .and_then(|held| visit.names(&held))
        .map_err(|source| ImageError::Read { path: root.to_owned(), source })?;
    visit.marks_of_root();
    visit.folder();
    let entries = visit.entries;
    let collected = visit.sink.finish(entries);
    if collected.over {
        return Err(over(root));
    }
    let facts = LayerFacts { plain_bytes: visit.bytes, ..collected.facts };
    Ok((facts, collected.record))
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Bytes of a folder's entries that the kernel is asked for at once.
const LISTING: usize = 32 << 10;
/// What does not fit with all that lies below it.
pub(crate) fn over(root: &Path) -> ImageError {
    ImageError::Limit {
        image: root.display().to_string(),
        name: "the folder itself".to_owned(),
        limit: limits::IMAGE_KEPT_BYTES,
        unit: "bytes of names, links and files of concern",
    }
}

struct Visit<'walk> {
    walker: &'walk Walker<'walk>,
    sink: crate::collect::Collector<'walk>,
    buffer: Vec<u8>,
    listing: Vec<MaybeUninit<u8>>,
    device: u64,
    /// The root, by which all in it is opened.
    anchor: OwnedFd,
    shape: Shape,
    /// Which paths are taken; none takes all.
    takes: Option<&'walk dyn Fn(&str) -> bool>,
    /// First path of files with several names, by device and inode.
    links: HashMap<(u64, u64), String>,
    entries: u64,
    bytes: u64,
    /// Bytes of holes that may still be written out.
    holes: u64,
}

/// An entry of an open folder.
#[derive(Clone, Copy)]
struct Child<'held> {
    folder: &'held OwnedFd,
    name: &'held OsStr,
}

impl Child<'_> {
    /// A path that leads to the entry by the open folder: for calls that know paths alone.
    fn place(self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.folder.as_raw_fd())).join(self.name)
    }
}

impl Visit<'_> {
    /// Depth first by a stack of its own, children in the order of their names: the same tree gives
    /// the same facts.
    fn folder(&mut self) {
        let mut stack: Vec<(PathBuf, String, usize)> = vec![(PathBuf::new(), String::new(), 0)];
        while let Some((folder, shown, depth)) = stack.pop() {
            if depth > limits::DIRECTORY_DEPTH {
                self.sink.problem(&shown, "nested deeper than 256 folders; left out");
                continue;
            }
            let listed = self.hold(&folder).and_then(|held| Ok((self.names(&held)?, held)));
            let (mut children, held) = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    self.sink.problem(&shown, &format!("cannot list: {error}"));
                    continue;
                }
            };
            children.sort();
            let mut folders = Vec::new();
            for name in children {
                if self.entries >= limits::LAYER_ENTRIES {
                    self.sink
                        .problem(&shown, "more than 10,000,000 entries; the rest was left out");
                    return;
                }
                if !self.taken(&shown, &name) {
                    continue;
                }
                self.entries += 1;
                if let Some(path) = self.child(Child { folder: &held, name: &name }, &shown) {
                    folders.push((folder.join(name), path, depth + 1));
                }
            }
            folders.reverse();
            stack.append(&mut folders);
        }
    }

    /// The names in a folder, up to one more than may be walked. A listing that breaks off is a gap,
    /// never a shorter folder.
    fn names(&mut self, folder: &OwnedFd) -> io::Result<Vec<OsString>> {
        let most = limits::LAYER_ENTRIES.saturating_sub(self.entries);
        let mut names = Vec::new();
        let mut listing = RawDir::new(folder, &mut self.listing);
        while let Some(entry) = listing.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(OsStr::from_bytes(name).to_owned());
            }
            if names.len() as u64 > most {
                break;
            }
        }
        Ok(names)
    }

    fn taken(&self, parent: &str, name: &OsStr) -> bool {
        self.takes.is_none_or(|takes| {
            let mut path = parent.to_owned();
            normalise(name.as_bytes(), &mut path);
            takes(&path)
        })
    }

    /// Opens a folder below the root without following any link.
    fn hold(&self, relative: &Path) -> io::Result<OwnedFd> {
        let flags = FOLDER | OFlags::NOFOLLOW;
        let strict = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let strict = match self.shape {
            Shape::Plain => strict,
            // What is mounted over a layer's folder is not what an overlay sees there.
            Shape::Overlay => strict | ResolveFlags::NO_XDEV,
        };
        let at = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        match rustix::fs::openat2(&self.anchor, at, flags, Mode::empty(), strict) {
            // Kernels before 5.6 do not know the call, and some sandboxes refuse it.
            Err(Errno::NOSYS | Errno::PERM) => {
                let mut folder = rustix::fs::openat(&self.anchor, ".", flags, Mode::empty())?;
                for part in relative.components() {
                    folder = rustix::fs::openat(&folder, part.as_os_str(), flags, Mode::empty())?;
                }
                Ok(folder)
            }
            opened => Ok(opened?),
        }
    }

    /// Takes one entry; the path of a folder that is to be walked.
    fn child(&mut self, child: Child<'_>, parent: &str) -> Option<String> {
        let mut path = parent.to_owned();
        normalise(child.name.as_bytes(), &mut path);
        let stat = rustix::fs::statat(child.folder, child.name, AtFlags::SYMLINK_NOFOLLOW);
        let metadata = match stat {
            Ok(metadata) => metadata,
            Err(error) => {
                let error = io::Error::from(error);
                self.sink.problem(&path, &format!("cannot read: {error}"));
                return None;
            }
        };
        let kind = kind_of(&metadata);
        let names = self.attribute_names(child);
        if self.shape == Shape::Overlay && is_whiteout(kind, &metadata, &names) {
            self.sink.removes(&path);
            return None;
        }
        let mut link = String::new();
        if kind == FileKind::Symlink
            && let Ok(target) = rustix::fs::readlinkat(child.folder, child.name, Vec::new())
        {
            link = OsString::from_vec(target.into_bytes()).to_string_lossy().into_owned();
        }
        let attributes = self.attributes(child, &path, &names);
        let meta = Meta {
            path: &path,
            kind,
            mode: metadata.st_mode & 0o7777,
            uid: u64::from(metadata.st_uid),
            gid: u64::from(metadata.st_gid),
            size: if kind == FileKind::File { length(&metadata) } else { 0 },
            link: &link,
            attributes: &attributes,
        };
        match kind {
            FileKind::File => {
                self.file(child, &meta, &metadata, &names);
                None
            }
            FileKind::Directory => {
                self.sink.entry(&meta);
                self.marks_of_folder(child, &path, &names);
                let pseudo = metadata.st_dev != self.device
                    && parent.is_empty()
                    && matches!(path.as_str(), "proc" | "sys" | "dev" | "run");
                (!pseudo).then_some(path)
            }
            _ => {
                self.sink.entry(&meta);
                None
            }
        }
    }

    /// Opaque folders, and those that stand for a folder of another name below.
    fn marks_of_folder(&mut self, child: Child<'_>, path: &str, names: &[OsString]) {
        if self.shape == Shape::Plain {
            return;
        }
        let opaque = has_mark(names, OPAQUE)
            && xattr::get(child.place(), OPAQUE).ok().flatten().is_some_and(|value| value == b"y");
        if opaque {
            self.sink.hides(path);
        }
        if has_mark(names, REDIRECT) {
            let reason = "stands for a renamed folder of a lower layer, which was not read";
            self.sink.problem(path, reason);
        }
    }

    fn marks_of_root(&mut self) {
        let Ok(root) = self.hold(Path::new("")) else { return };
        let child = Child { folder: &root, name: OsStr::new(".") };
        let names = self.attribute_names(child);
        self.marks_of_folder(child, "", &names);
    }

    /// Looked up only where a record is kept, or the marks of an overlay matter.
    fn attribute_names(&self, child: Child<'_>) -> Vec<OsString> {
        if self.walker.level == RecordLevel::None && self.shape == Shape::Plain {
            return Vec::new();
        }
        // A file system without attributes says so with an error.
        xattr::list(child.place()).map_or_else(|_| Vec::new(), Iterator::collect)
    }

    fn attributes(
        &mut self,
        child: Child<'_>,
        path: &str,
        names: &[OsString],
    ) -> Vec<(String, Vec<u8>)> {
        let mut attributes = Vec::new();
        for name in names {
            let Some(shown) = name.to_str().filter(|name| !is_of_the_host(name)) else { continue };
            if attributes.len() >= limits::ATTRIBUTES {
                let reason = "more extended attributes than the limit; the rest was left out";
                self.sink.problem(path, reason);
                break;
            }
            if let Ok(Some(value)) = xattr::get(child.place(), name) {
                attributes.push((shown.to_owned(), value));
            }
        }
        attributes.sort();
        attributes
    }

    fn file(&mut self, child: Child<'_>, meta: &Meta<'_>, listed: &Stat, names: &[OsString]) {
        if self.shape == Shape::Overlay && has_mark(names, METACOPY) {
            let reason = "its content lies in a lower layer (metacopy), which was not read";
            self.sink.unread(meta, reason);
            return;
        }
        let named = self.sink.concerns(meta.path);
        if listed.st_nlink > 1 && self.is_other_name(meta, listed, named) {
            return;
        }
        let wanted = meta.mode & 0o111 != 0
            || named
            || self.sink.goes_by_content(meta.size)
            || self.walker.level == RecordLevel::Digests;
        if !wanted {
            self.sink.pass_by(meta);
            return;
        }
        if let Err(reason) = self.read(child, meta, listed) {
            self.sink.unread(meta, &reason);
        }
    }

    /// Another name of a file that was met before is a hard link, as in a tar, and is not read again.
    fn is_other_name(&mut self, meta: &Meta<'_>, listed: &Stat, named: bool) -> bool {
        let known = self.links.get(&(listed.st_dev, listed.st_ino)).filter(|_| !named);
        if let Some(first) = known {
            self.sink.entry(&Meta { kind: FileKind::HardLink, link: first, size: 0, ..*meta });
            return true;
        }
        // Beyond the bound the other names of a file are read again, each as a file of its own.
        if self.links.len() < LayerBounds::default().links {
            self.links
                .entry((listed.st_dev, listed.st_ino))
                .or_insert_with(|| meta.path.to_owned());
        }
        false
    }
}

// The overlay file system's own marks. Those under `user.overlay.`, which count in mounts with
// `userxattr`, are not taken for marks: in others any program in the container may write them.
pub(crate) const OPAQUE: &str = "trusted.overlay.opaque";
const REDIRECT: &str = "trusted.overlay.redirect";
const METACOPY: &str = "trusted.overlay.metacopy";
const WHITEOUT: &str = "trusted.overlay.whiteout";

fn has_mark(names: &[OsString], mark: &str) -> bool {
    names.iter().any(|name| name == mark)
}

/// A device of number 0/0, or an empty file with a mark. Kernel documentation, overlayfs, "whiteouts
/// and opaque directories".
fn is_whiteout(kind: FileKind, metadata: &Stat, names: &[OsString]) -> bool {
    match kind {
        FileKind::CharacterDevice => metadata.st_rdev == 0,
        FileKind::File => metadata.st_size == 0 && has_mark(names, WHITEOUT),
        _ => false,
    }
}

/// Attributes in which the overlay keeps its marks, and labels that the host gives to every file:
/// neither is a part of the image.
fn is_of_the_host(name: &str) -> bool {
    name.starts_with("trusted.overlay.") || matches!(name, "security.selinux" | "security.SMACK64")
}

fn kind_of(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::CharacterDevice => FileKind::CharacterDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        _ => FileKind::Fifo,
    }
}
