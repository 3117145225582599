//! A folder that is held open: what is in it is reached by that, and never outside of it.

use crate::owner::{self, Distrust};
use crate::read::regular;
use crate::write::{Access, WholeFile};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Folder {
    /// Opens a folder that somebody named, by whatever links lead to it.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, FOLDER, Mode::empty())?))
    }

    /// Opens a folder of ours (cache, state, database) for what is kept there, and makes it, open to
    /// nobody else, where it is missing.
    ///
    /// # Errors
    /// Where that fails, and where somebody else may write in it
    /// ([`io::ErrorKind::PermissionDenied`], with the reason and what to do).
    pub fn own(path: &Path) -> io::Result<Self> {
        make_private(path)?;
        let folder = Self::open(path)?;
        match folder.distrust()? {
            None => Ok(folder),
            Some(reason) => Err(refusal(reason)),
        }
    }

    /// Why this folder is no place for what must be believed. Unlike a place for one file, such a
    /// folder is not saved by a sticky bit: what others add would be read.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub fn distrust(&self) -> io::Result<Option<Distrust>> {
        let stat = rustix::fs::fstat(&self.0)?;
        Ok(owner::may_write(stat.st_uid, stat.st_gid, stat.st_mode))
    }

    /// Opens a regular file at a relative path below this folder for reading. No link is followed,
    /// neither to it nor on the way, and no pipe is waited for.
    ///
    /// # Errors
    /// Where it is not there, is reached by a link, or is no regular file.
    pub fn file(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = File::from(self.below(path, flags)?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(file)
    }

    /// Reads such a file, up to `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::file`], and where it is larger.
    pub fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        regular(&mut self.file(path)?, limit)
    }

    /// Opens a folder below this one, without following any link.
    ///
    /// # Errors
    /// Where it is not there, or is reached by a link.
    pub fn folder(&self, path: &Path) -> io::Result<Self> {
        self.below(path, FOLDER | OFlags::NOFOLLOW).map(Self)
    }

    /// Opens a folder of this one that is open to nobody else, and makes it where it is missing.
    ///
    /// # Errors
    /// As [`Self::own`].
    pub fn own_folder(&self, name: &str) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.0, single(name)?, Mode::from(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let folder = self.folder(Path::new(name))?;
        match folder.distrust()? {
            None => Ok(folder),
            Some(reason) => Err(refusal(reason)),
        }
    }

    /// Starts a file of this folder; it appears under its name when it is whole.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn whole_file(&self, name: &str, access: Access) -> io::Result<WholeFile> {
        WholeFile::beside(self.0.try_clone()?, Path::new(single(name)?), access)
    }

    /// Writes a file of this folder whole.
    ///
    /// # Errors
    /// Where it cannot be written; then what was there stays as it was.
    pub fn write(&self, name: &str, content: &[u8], access: Access) -> io::Result<()> {
        let mut file = self.whole_file(name, access)?;
        io::Write::write_all(&mut file, content)?;
        file.commit()
    }

    /// Removes a file of this folder.
    ///
    /// # Errors
    /// Where it is not there or cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, single(name)?, AtFlags::empty())?)
    }

    /// Names and kinds of what lies in this folder. Names that are no text are left out: none of them
    /// is of our making.
    ///
    /// # Errors
    /// Where it cannot be listed.
    pub fn entries(&self) -> io::Result<Vec<(String, rustix::fs::FileType)>> {
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => entries.push((name.to_owned(), entry.file_type())),
            }
        }
        Ok(entries)
    }

    fn below(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let strict = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), strict) {
            // Kernels before 5.6 do not know the call, and some sandboxes refuse it.
            Err(Errno::NOSYS | Errno::PERM) => self.step_by_step(path, flags),
            opened => Ok(opened?),
        }
    }

    fn step_by_step(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let mut at = self.0.try_clone()?;
        let mut parts = path.components().filter(|part| *part != Component::CurDir).peekable();
        while let Some(part) = parts.next() {
            let Component::Normal(name) = part else { return Err(Errno::XDEV.into()) };
            let flags = if parts.peek().is_none() { flags } else { FOLDER | OFlags::NOFOLLOW };
            at = rustix::fs::openat(&at, name, flags, Mode::empty())?;
        }
        Ok(at)
    }
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A name of one part: what is asked of a folder stays in it.
fn single(name: &str) -> io::Result<&str> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no file name"))),
    }
}

fn refusal(reason: Distrust) -> io::Error {
    let text = format!("it {reason}; take a folder of your own that nobody else may write");
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    #[test]
    fn a_folder_of_ours_is_made_private_and_refused_where_others_may_write() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b");
        Folder::own(&path).unwrap();
        for made in [path.clone(), outer.path().join("a")] {
            assert_eq!(std::fs::metadata(made).unwrap().mode() & 0o777, 0o700);
        }
        for mode in [0o777, 0o1777, 0o720] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            if rustix::process::geteuid().is_root() || mode != 0o720 {
                let error = Folder::own(&path).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{mode:o}");
            }
        }
    }

    #[test]
    fn nothing_outside_of_a_folder_is_reached() {
        let outer = tempfile::tempdir().unwrap();
        let inside = outer.path().join("inside");
        std::fs::create_dir_all(inside.join("real")).unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        std::fs::write(inside.join("real/file"), "y").unwrap();
        symlink("../secret", inside.join("link")).unwrap();
        symlink("..", inside.join("up")).unwrap();
        symlink("real", inside.join("within")).unwrap();
        let folder = Folder::open(&inside).unwrap();
        assert_eq!(folder.read(Path::new("real/file"), 9).unwrap(), b"y");
        for path in ["link", "up/secret", "../secret", "/etc/passwd", "within/file", "real"] {
            assert!(folder.read(Path::new(path), 9).is_err(), "{path}");
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
            let stepped = folder.step_by_step(Path::new(path), flags);
            assert!(stepped.is_err() || path == "real", "{path}");
        }
        for name in ["../x", "a/b", "", ".", "..", "/x", "a/"] {
            assert!(folder.write(name, b"", Access::Private).is_err(), "{name}");
        }
    }
}
