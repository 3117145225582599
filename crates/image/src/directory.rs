//! Walks a directory as if it were one layer: a root file system, a source folder, or a folder that
//! an overlay file system is made of.
//!
//! Links are never followed, so nothing outside of the directory is read. A file is opened only where
//! its path concerns a check or it is executable, or where its digest is asked for; pseudo file
//! systems mounted inside are left out. What a running container writes can change at any moment, so
//! its folders are held open while their entries are looked at: a folder that is swapped for a link
//! leads nowhere.

use crate::blob::PIECE;
use crate::collect::RecordLevel;
use crate::error::ImageError;
use crate::facts::LayerFacts;
use crate::limits::{self, LayerBounds};
use crate::links::Aliases;
use crate::record::Record;
use crate::share::{Share, Shares};
use crate::tar::{Meta, Sink, normalise};
use crate::walk::Walker;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Read;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
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
    let fail = |source| ImageError::Read { path: root.to_owned(), source };
    let device = fs::metadata(root).map_err(fail)?.dev();
    fs::read_dir(root).map_err(fail)?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let anchor = match shape {
        Shape::Plain => None,
        Shape::Overlay => {
            Some(rustix::fs::open(root, flags, Mode::empty()).map_err(|error| fail(error.into()))?)
        }
    };
    let mut sink = walker.collector(share).of_file_system();
    if let Some(aliases) = only {
        sink = sink.only(aliases);
    }
    let mut visit = Visit {
        walker,
        sink,
        buffer: vec![0; PIECE],
        device,
        anchor,
        takes,
        links: HashMap::new(),
        entries: 0,
        bytes: 0,
    };
    let names = visit.attribute_names(root);
    visit.marks_of_folder(root, "", &names);
    visit.folder(root);
    let entries = visit.entries;
    let collected = visit.sink.finish(entries);
    if collected.over {
        return Err(over(root));
    }
    let facts = LayerFacts { plain_bytes: visit.bytes, ..collected.facts };
    Ok((facts, collected.record))
}

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
    device: u64,
    /// The root of an overlay's folder, by which all in it is opened.
    anchor: Option<OwnedFd>,
    /// Which paths are taken; none takes all.
    takes: Option<&'walk dyn Fn(&str) -> bool>,
    /// First path of files with several names, by device and inode.
    links: HashMap<(u64, u64), String>,
    entries: u64,
    bytes: u64,
}

/// A folder that is being listed: its place, and what keeps that place from being swapped.
struct Held {
    place: PathBuf,
    _folder: Option<OwnedFd>,
}

impl Visit<'_> {
    /// Depth first by a stack of its own, children in the order of their names: the same tree gives
    /// the same facts.
    fn folder(&mut self, root: &Path) {
        let mut stack: Vec<(PathBuf, String, usize)> = vec![(PathBuf::new(), String::new(), 0)];
        while let Some((folder, shown, depth)) = stack.pop() {
            if depth > limits::DIRECTORY_DEPTH {
                self.sink.problem(&shown, "nested deeper than 256 folders; left out");
                continue;
            }
            let listed = self.hold(root, &folder).and_then(|held| {
                let children = fs::read_dir(&held.place)?;
                // A listing that breaks off is a gap, never a shorter folder.
                let names = children.map(|child| child.map(|child| child.file_name()));
                Ok((names.collect::<Result<Vec<_>, _>>()?, held))
            });
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
                if let Some(path) = self.child(&held.place.join(&name), &shown) {
                    folders.push((folder.join(name), path, depth + 1));
                }
            }
            folders.reverse();
            stack.append(&mut folders);
        }
    }

    fn taken(&self, parent: &str, name: &std::ffi::OsStr) -> bool {
        self.takes.is_none_or(|takes| {
            let mut path = parent.to_owned();
            normalise(name.as_bytes(), &mut path);
            takes(&path)
        })
    }

    /// The place of a folder. In an overlay's folder it is opened without following any link, and its
    /// entries are reached by the open folder.
    fn hold(&self, root: &Path, relative: &Path) -> std::io::Result<Held> {
        let Some(anchor) = &self.anchor else {
            return Ok(Held { place: root.join(relative), _folder: None });
        };
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NOFOLLOW;
        // What is mounted over a layer's folder is not what an overlay sees there.
        let strict = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let at = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        let folder = match rustix::fs::openat2(anchor, at, flags, Mode::empty(), strict) {
            // Kernels before 5.6 do not know the call, and some sandboxes refuse it.
            Err(Errno::NOSYS | Errno::PERM) => {
                let mut folder = anchor.try_clone()?;
                for part in relative.components() {
                    folder = rustix::fs::openat(&folder, part.as_os_str(), flags, Mode::empty())?;
                }
                folder
            }
            opened => opened?,
        };
        let place = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        Ok(Held { place, _folder: Some(folder) })
    }

    /// Takes one entry; the path of a folder that is to be walked.
    fn child(&mut self, child: &Path, parent: &str) -> Option<String> {
        let name = child.file_name()?;
        let mut path = parent.to_owned();
        normalise(name.as_bytes(), &mut path);
        let metadata = match fs::symlink_metadata(child) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.sink.problem(&path, &format!("cannot read: {error}"));
                return None;
            }
        };
        let kind = kind_of(&metadata);
        let names = self.attribute_names(child);
        if self.anchor.is_some() && is_whiteout(kind, &metadata, &names) {
            self.sink.removes(&path);
            return None;
        }
        let mut link = String::new();
        if kind == FileKind::Symlink
            && let Ok(target) = fs::read_link(child)
        {
            link = target.to_string_lossy().into_owned();
        }
        let attributes = self.attributes(child, &path, &names);
        let meta = Meta {
            path: &path,
            kind,
            mode: metadata.mode() & 0o7777,
            uid: u64::from(metadata.uid()),
            gid: u64::from(metadata.gid()),
            size: if kind == FileKind::File { metadata.len() } else { 0 },
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
                let pseudo = metadata.dev() != self.device
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
    fn marks_of_folder(&mut self, child: &Path, path: &str, names: &[OsString]) {
        if self.anchor.is_none() {
            return;
        }
        let opaque = has_mark(names, OPAQUE)
            && xattr::get(child, OPAQUE).ok().flatten().is_some_and(|value| value == b"y");
        if opaque {
            self.sink.hides(path);
        }
        if has_mark(names, REDIRECT) {
            let reason = "stands for a renamed folder of a lower layer, which was not read";
            self.sink.problem(path, reason);
        }
    }

    /// Looked up only where a record is kept, or the marks of an overlay matter.
    fn attribute_names(&self, child: &Path) -> Vec<OsString> {
        if self.walker.level == RecordLevel::None && self.anchor.is_none() {
            return Vec::new();
        }
        // A file system without attributes says so with an error.
        xattr::list(child).map_or_else(|_| Vec::new(), Iterator::collect)
    }

    fn attributes(
        &mut self,
        child: &Path,
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
            if let Ok(Some(value)) = xattr::get(child, name) {
                attributes.push((shown.to_owned(), value));
            }
        }
        attributes.sort();
        attributes
    }

    fn file(&mut self, child: &Path, meta: &Meta<'_>, listed: &Metadata, names: &[OsString]) {
        if self.anchor.is_some() && has_mark(names, METACOPY) {
            let reason = "its content lies in a lower layer (metacopy), which was not read";
            self.sink.unread(meta, reason);
            return;
        }
        let named = self.sink.concerns(meta.path);
        if listed.nlink() > 1 && self.is_other_name(meta, listed, named) {
            return;
        }
        let wanted = meta.mode & 0o111 != 0 || named || self.walker.level == RecordLevel::Digests;
        if !wanted {
            self.sink.pass_by(meta);
            return;
        }
        if let Err(reason) = self.read(child, meta, listed) {
            self.sink.unread(meta, &reason);
        }
    }

    /// Another name of a file that was met before is a hard link, as in a tar, and is not read again.
    fn is_other_name(&mut self, meta: &Meta<'_>, listed: &Metadata, named: bool) -> bool {
        let known = self.links.get(&(listed.dev(), listed.ino())).filter(|_| !named);
        if let Some(first) = known {
            self.sink.entry(&Meta { kind: FileKind::HardLink, link: first, size: 0, ..*meta });
            return true;
        }
        // Beyond the bound the other names of a file are read again, each as a file of its own.
        if self.links.len() < LayerBounds::default().links {
            self.links.entry((listed.dev(), listed.ino())).or_insert_with(|| meta.path.to_owned());
        }
        false
    }

    fn read(&mut self, child: &Path, meta: &Meta<'_>, listed: &Metadata) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("cannot read: {error}");
        // What became a link or a pipe meanwhile is neither followed nor waited for.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let flags = i32::try_from(flags).unwrap_or(0);
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(child);
        let mut file = opened.map_err(cannot)?;
        let opened = file.metadata().map_err(cannot)?;
        if (opened.dev(), opened.ino()) != (listed.dev(), listed.ino()) {
            return Err("changed while it was read".to_owned());
        }
        let first = read_full(&mut file, &mut self.buffer).map_err(cannot)?;
        self.count(first);
        if first < self.buffer.len() {
            let head = self.buffer.get(..first).unwrap_or_default();
            self.sink.whole(&Meta { size: first as u64, ..*meta }, head);
            return Ok(());
        }
        let meta = Meta { size: opened.len(), ..*meta };
        let head = self.buffer.get(..first).unwrap_or_default();
        let shown = head.get(..limits::HEAD_BYTES).unwrap_or(head);
        let mut more = self.sink.start(&meta, shown) && self.sink.data(head);
        while more {
            let count = read_full(&mut file, &mut self.buffer).map_err(cannot)?;
            if count == 0 {
                break;
            }
            self.count(count);
            more = self.sink.data(self.buffer.get(..count).unwrap_or_default());
        }
        self.sink.end();
        Ok(())
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.walker.progress.read.fetch_add(bytes as u64, Ordering::Relaxed);
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
fn is_whiteout(kind: FileKind, metadata: &Metadata, names: &[OsString]) -> bool {
    match kind {
        FileKind::CharacterDevice => metadata.rdev() == 0,
        FileKind::File => metadata.len() == 0 && has_mark(names, WHITEOUT),
        _ => false,
    }
}

/// Attributes in which the overlay keeps its marks, and labels that the host gives to every file:
/// neither is a part of the image.
fn is_of_the_host(name: &str) -> bool {
    name.starts_with("trusted.overlay.") || matches!(name, "security.selinux" | "security.SMACK64")
}

fn read_full(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut count = 0;
    while let Some(room) = buffer.get_mut(count..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

fn kind_of(metadata: &Metadata) -> FileKind {
    let kind = metadata.file_type();
    if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Symlink
    } else if kind.is_char_device() {
        FileKind::CharacterDevice
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else {
        FileKind::Fifo
    }
}
