//! Walks a directory as if it were one layer: a root file system, or a source folder.
//!
//! Links are never followed, so nothing outside of the directory is read. A file is opened only where
//! its path concerns a check or it is executable; pseudo file systems mounted inside are left out.

use crate::blob::PIECE;
use crate::error::ImageError;
use crate::facts::LayerFacts;
use crate::limits;
use crate::record::Record;
use crate::tar::{Meta, Sink, normalise};
use crate::walk::Walker;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use vocabulary::FileKind;

/// Walks `root`.
///
/// # Errors
/// Where the directory itself cannot be read; what lies in it becomes a problem instead.
pub fn walk(walker: &Walker<'_>, root: &Path) -> Result<(LayerFacts, Record), ImageError> {
    let fail = |source| ImageError::Read { path: root.to_owned(), source };
    let device = fs::metadata(root).map_err(fail)?.dev();
    fs::read_dir(root).map_err(fail)?;
    let mut visit = Visit {
        walker,
        sink: walker.collector(),
        buffer: vec![0; PIECE],
        device,
        entries: 0,
        bytes: 0,
    };
    visit.folder(root);
    let entries = visit.entries;
    let collected = visit.sink.finish(entries);
    let facts = LayerFacts { plain_bytes: visit.bytes, ..collected.facts };
    Ok((facts, collected.record))
}

struct Visit<'walk> {
    walker: &'walk Walker<'walk>,
    sink: crate::collect::Collector<'walk>,
    buffer: Vec<u8>,
    device: u64,
    entries: u64,
    bytes: u64,
}

impl Visit<'_> {
    /// Depth first by a stack of its own, children in the order of their names: the same tree gives
    /// the same facts.
    fn folder(&mut self, root: &Path) {
        let mut stack: Vec<(PathBuf, String, usize)> = vec![(root.to_owned(), String::new(), 0)];
        while let Some((folder, shown, depth)) = stack.pop() {
            if depth > limits::DIRECTORY_DEPTH {
                self.sink.problem(&shown, "nested deeper than 256 folders; left out");
                continue;
            }
            let mut children: Vec<PathBuf> = match fs::read_dir(&folder) {
                Ok(children) => children.flatten().map(|child| child.path()).collect(),
                Err(error) => {
                    self.sink.problem(&shown, &format!("cannot list: {error}"));
                    continue;
                }
            };
            children.sort();
            let mut folders = Vec::new();
            for child in children {
                if self.entries >= limits::LAYER_ENTRIES {
                    self.sink
                        .problem(&shown, "more than 10,000,000 entries; the rest was left out");
                    return;
                }
                self.entries += 1;
                if let Some(path) = self.child(&child, &shown) {
                    folders.push((child, path, depth + 1));
                }
            }
            folders.reverse();
            stack.append(&mut folders);
        }
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
        let mut link = String::new();
        if kind == FileKind::Symlink
            && let Ok(target) = fs::read_link(child)
        {
            link = target.to_string_lossy().into_owned();
        }
        let meta = Meta {
            path: &path,
            kind,
            mode: metadata.mode() & 0o7777,
            uid: u64::from(metadata.uid()),
            gid: u64::from(metadata.gid()),
            size: if kind == FileKind::File { metadata.len() } else { 0 },
            link: &link,
            attributes: &[],
        };
        match kind {
            FileKind::File => {
                self.file(child, &meta, &metadata);
                None
            }
            FileKind::Directory => {
                self.sink.entry(&meta);
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

    fn file(&mut self, child: &Path, meta: &Meta<'_>, listed: &Metadata) {
        let wanted = meta.mode & 0o111 != 0
            || self.walker.dispatch.concerns(meta.path)
            || self.walker.level == crate::collect::RecordLevel::Digests;
        if !wanted {
            self.sink.pass_by(meta);
            return;
        }
        if let Err(reason) = self.read(child, meta, listed) {
            self.sink.unread(meta, &reason);
        }
    }

    fn read(&mut self, child: &Path, meta: &Meta<'_>, listed: &Metadata) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("cannot read: {error}");
        let mut file = File::open(child).map_err(cannot)?;
        let opened = file.metadata().map_err(cannot)?;
        if (opened.dev(), opened.ino()) != (listed.dev(), listed.ino()) {
            return Err("changed while it was read".to_owned());
        }
        let mut size = opened.len();
        let first = read_full(&mut file, &mut self.buffer).map_err(cannot)?;
        let head = self.buffer.get(..first).unwrap_or_default();
        self.bytes += first as u64;
        if first < self.buffer.len() {
            size = first as u64;
            self.sink.whole(&Meta { size, ..*meta }, head);
            return Ok(());
        }
        let meta = Meta { size, ..*meta };
        let shown = head.get(..limits::HEAD_BYTES).unwrap_or(head);
        let mut more = self.sink.start(&meta, shown) && self.sink.data(head);
        while more {
            let count = read_full(&mut file, &mut self.buffer).map_err(cannot)?;
            if count == 0 {
                break;
            }
            self.bytes += count as u64;
            more = self.sink.data(self.buffer.get(..count).unwrap_or_default());
        }
        self.sink.end();
        Ok(())
    }
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
