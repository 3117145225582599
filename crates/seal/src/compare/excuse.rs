//! Paths that an engine makes itself, in a layer between image and container.
//!
//! In goes a file of that layer, out comes why it is no difference. Anything else in that layer is:
//! an excuse that went by the path alone would hide what an attacker puts there.

use vocabulary::{FileKind, FileRecord};

/// Files that are mounted over when a container starts; the layer holds empty ones.
const MOUNTED: [&str; 5] =
    [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// Folders that are mounted over or filled by the engine.
const FOLDERS: [&str; 7] = ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys", "run"];

/// Setuid, setgid and sticky, and writable by group or others: no engine gives them to what it makes.
const NEVER_GIVEN: u32 = 0o7022;

pub(super) fn of(expected: Option<&FileRecord>, found: &FileRecord) -> Option<&'static str> {
    let path = found.path.as_str();
    let plain = found.mode & NEVER_GIVEN == 0
        && (found.uid, found.gid) == (0, 0)
        && !found.attributes.keys().any(|name| super::counts(name));
    match found.kind {
        FileKind::File if MOUNTED.contains(&path) && found.size == 0 && plain => {
            Some("the engine mounts its own file here")
        }
        FileKind::Symlink if path == "etc/mtab" && found.link.as_deref() == Some(MTAB) => {
            Some("the engine makes this link")
        }
        // A folder that the image has is copied as it is: with another mode or owner it was changed.
        FileKind::Directory
            if FOLDERS.contains(&path)
                && plain
                && expected.is_none_or(|file| file.kind != FileKind::Directory) =>
        {
            Some("the engine makes this folder")
        }
        _ => None,
    }
}

/// Where Docker's `etc/mtab` leads.
const MTAB: &str = "/proc/mounts";
