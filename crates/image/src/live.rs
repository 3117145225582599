//! Holds what a running container sees against the folders that its engine names.
//!
//! In go the root of a process of the container, the folders, and the files that they hold, out come
//! the paths that are others there. An overlay stays on the folders that it was mounted by, whatever
//! their names lead to afterwards: a container that was started from other folders, or whose folders
//! were replaced since, is told by the inodes. The kernel gives a file of a lower folder its own inode
//! number (kernel documentation, overlayfs, "Inode properties"); folders and what was copied up have
//! others, so only files of the image are held against it. What is mounted over is passed by.

use crate::tar::normalise;
use engine::{FolderRole, LayerFolder};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use vocabulary::{FileKind, FileRecord};

/// Paths that are named; how many more there are is of no use to anyone.
pub const STRAYS: usize = 100;

/// `OVERLAYFS_SUPER_MAGIC`
const OVERLAY: u64 = 0x794c_7630;

/// With overlays over several file systems the kernel may keep their numbers in the highest bits.
const INODE: u64 = (1 << 56) - 1;

/// The paths that the process with this root (`/proc/PID/root`) sees otherwise than `files`, sorted;
/// at most [`STRAYS`].
///
/// # Errors
/// Where the root cannot be looked at, or is no overlay.
pub fn strays(
    root: &Path,
    folders: &[LayerFolder],
    files: &[FileRecord],
) -> io::Result<Vec<String>> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let root = rustix::fs::open(root, flags, Mode::empty())?;
    if u64::try_from(rustix::fs::fstatfs(&root)?.f_type).ok() != Some(OVERLAY) {
        return Err(io::Error::other("its root is no overlay file system of the kernel"));
    }
    let hold = |folder: &LayerFolder| rustix::fs::open(&folder.path, flags, Mode::empty());
    let live = Live {
        root,
        folders,
        held: folders.iter().map(|folder| hold(folder).ok()).collect(),
        known: files.iter().map(|file| file.path.as_str()).collect(),
        strays: Vec::new(),
    };
    live.compare(files)
}

struct Live<'folders> {
    root: OwnedFd,
    folders: &'folders [LayerFolder],
    /// The same, open; a container's own can change at any moment.
    held: Vec<Option<OwnedFd>>,
    known: HashSet<&'folders str>,
    strays: Vec<String>,
}

impl Live<'_> {
    fn compare(mut self, files: &[FileRecord]) -> io::Result<Vec<String>> {
        self.names("")?;
        // Names that are not UTF-8 are written otherwise in a record, and are not looked up by it.
        for file in files.iter().filter(|file| !file.path.contains("\\x")) {
            match file.kind {
                FileKind::Directory => self.names(&file.path)?,
                FileKind::File | FileKind::HardLink => self.file(file)?,
                _ => {}
            }
            if self.strays.len() >= STRAYS {
                break;
            }
        }
        self.strays.sort();
        self.strays.dedup();
        Ok(self.strays)
    }

    /// Opens what the container sees; none where something is mounted over it, or it is not there.
    fn open(&self, path: &str, flags: OFlags) -> io::Result<Result<OwnedFd, Errno>> {
        let strict = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let path = if path.is_empty() { "." } else { path };
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), strict) {
            Ok(opened) => Ok(Ok(opened)),
            Err(error @ (Errno::XDEV | Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {
                Ok(Err(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A file of the image is the very one that lies in its folder.
    fn file(&mut self, file: &FileRecord) -> io::Result<()> {
        let layer = file.layer.and_then(|layer| usize::try_from(layer).ok());
        let Some((layer, folder)) = layer.and_then(|at| Some((at, self.folders.get(at)?))) else {
            return Ok(());
        };
        if !matches!(folder.role, FolderRole::Image { .. }) {
            return Ok(());
        }
        let held = self.held.get(layer).and_then(Option::as_ref);
        let Some(lies) = held.and_then(|held| entry(held, Path::new(&file.path))) else {
            return Ok(());
        };
        let lies = File::from(lies).metadata()?;
        let same = match self.open(&file.path, OFlags::PATH)? {
            Err(Errno::XDEV) => true,
            Err(_) => false,
            Ok(seen) => File::from(seen).metadata()?.ino() & INODE == lies.ino() & INODE,
        };
        if !same && !self.written_over(&file.path) {
            self.strays.push(file.path.clone());
        }
        Ok(())
    }

    /// A folder holds no name that no layer has.
    fn names(&mut self, folder: &str) -> io::Result<()> {
        let Ok(opened) = self.open(folder, OFlags::RDONLY | OFlags::DIRECTORY)? else {
            return Ok(());
        };
        let listed = fs::read_dir(format!("/proc/self/fd/{}", opened.as_raw_fd()))?;
        for child in listed {
            let mut path = folder.to_owned();
            normalise(child?.file_name().as_bytes(), &mut path);
            if !self.known.contains(path.as_str()) && !self.written_over(&path) {
                self.strays.push(path);
            }
        }
        Ok(())
    }

    /// Whether the container itself wrote or removed it since the folders were read.
    fn written_over(&self, path: &str) -> bool {
        let of_container =
            self.folders.iter().zip(&self.held).filter(|(one, _)| one.role == FolderRole::Written);
        of_container.filter_map(|(_, held)| held.as_ref()).any(|folder| {
            Path::new(path).ancestors().filter(|at| !at.as_os_str().is_empty()).any(|at| {
                let Some(there) = entry(folder, at) else { return false };
                // Read by the descriptor: a path could lead elsewhere by now.
                let place = format!("/proc/self/fd/{}", there.as_raw_fd());
                let opaque =
                    || xattr::get_deref(&place, crate::directory::OPAQUE).ok().flatten().is_some();
                at == Path::new(path) || !is_folder(&there) || opaque()
            })
        })
    }
}

/// An entry of a folder itself, be it a link, reached without following any (`openat2(2)`,
/// `RESOLVE_NO_SYMLINKS` with `O_PATH` and `O_NOFOLLOW`).
fn entry(folder: &OwnedFd, path: &Path) -> Option<OwnedFd> {
    let strict = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat2(folder, path, flags, Mode::empty(), strict).ok()
}

fn is_folder(entry: &OwnedFd) -> bool {
    rustix::fs::fstat(entry).is_ok_and(|stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory
    })
}
