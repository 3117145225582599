//! Paths that an engine makes itself, in a layer between image and container.
//!
//! In goes a file of that layer, out comes why it is no difference. Anything else in that layer is:
//! an excuse that went by the path alone would hide what an attacker puts there.

use vocabulary::{FileKind, FileRecord};

/// Files that are mounted over when a container starts; the layer holds empty ones.
const MOUNTED: [&str; 5] =
    [".dockerenv", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"];

/// Folders that are mounted over or filled by the engine.
const FOLDERS: [&str; 7] = ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys", "run"];

pub(super) fn of(file: &FileRecord) -> Option<&'static str> {
    let path = file.path.as_str();
    let empty = file.kind == FileKind::File && file.size == 0;
    if MOUNTED.contains(&path) && (empty || file.kind == FileKind::Symlink) {
        return Some("the engine mounts its own file here");
    }
    if file.kind == FileKind::Directory && FOLDERS.contains(&path) {
        return Some("the engine makes this folder");
    }
    (path == "dev/console" && file.kind != FileKind::Symlink)
        .then_some("the engine mounts the terminal here")
}
