//! A folder that is held open: what is in it is reached by that, and never outside of it.

use crate::bounded::{no_regular_file, regular};
use crate::owner::{self, Distrust};
use crate::way;
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

    /// Holds a folder so that its files can be opened and nothing of it listed. That asks for no right
    /// to read it, as one who is confined to some files has none.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn reach(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, REACHED, Mode::empty())?))
    }

    /// Holds a folder below this one in the same way, without following any link.
    ///
    /// # Errors
    /// Where it is not there, or is reached by a link.
    pub fn reach_folder(&self, path: &Path) -> io::Result<Self> {
        self.below(path, REACHED | OFlags::NOFOLLOW).map(Self)
    }

    pub(crate) const fn of(folder: OwnedFd) -> Self {
        Self(folder)
    }

    /// Opens a folder of ours (cache, state, database) for what is kept there, and makes it, open to
    /// nobody else, where it is missing.
    ///
    /// # Errors
    /// Where that fails, and where somebody else may write in it ([`is_refusal`], with the reason and
    /// what to do).
    pub fn own(path: &Path) -> io::Result<Self> {
        Self::own_for(path, Access::Private)
    }

    /// The same, where others may read what is kept there.
    ///
    /// # Errors
    /// As [`Self::own`].
    pub fn own_for(path: &Path, access: Access) -> io::Result<Self> {
        let mode = match access {
            Access::Private => Mode::from(0o700),
            Access::Shared => Mode::from(0o755),
        };
        let reached = way::to(path, Some(mode))?;
        match rustix::fs::mkdirat(&reached.folder, &reached.name, mode) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Self::at(&reached)
    }

    fn at(reached: &way::Reached) -> io::Result<Self> {
        let flags = FOLDER | OFlags::NOFOLLOW;
        let opened = rustix::fs::openat(&reached.folder, &reached.name, flags, Mode::empty())?;
        Self(opened).refused_if_distrusted()
    }

    /// Opens a folder that is there for what is believed of it.
    ///
    /// # Errors
    /// Where it cannot be opened, and where somebody else may write in it ([`is_refusal`]).
    pub fn trusted(path: &Path) -> io::Result<Self> {
        Self::at(&way::to(path, None)?)
    }

    fn refused_if_distrusted(self) -> io::Result<Self> {
        match self.distrust()? {
            None => Ok(self),
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
            return Err(no_regular_file());
        }
        Ok(file)
    }

    /// Opens a regular file below this folder. Links are followed as long as they stay in the folder.
    ///
    /// # Errors
    /// Where it is not there, is outside, or is no regular file; and where a link is on the way and
    /// the kernel cannot say where it leads.
    pub fn file_within(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let file = match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), within) {
            // A folder above was renamed meanwhile: the kernel does not know whether `..` stayed.
            Err(Errno::AGAIN) => rustix::fs::openat2(&self.0, path, flags, Mode::empty(), within)?,
            Err(Errno::NOSYS | Errno::PERM) => self.step_by_step(path, flags | OFlags::NOFOLLOW)?,
            opened => opened?,
        };
        let file = File::from(file);
        if !file.metadata()?.is_file() {
            return Err(no_regular_file());
        }
        Ok(file)
    }

    /// Reads a file that [`Self::file`] opens, up to `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::file`], and where it is larger.
    pub fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        regular(&mut self.file(path)?, limit)
    }

    /// Reads a file of this folder that must be believed, up to `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::read`], and where somebody else may write it ([`is_refusal`]).
    pub fn read_trusted(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        regular(&mut self.file_trusted(name)?, limit)
    }

    /// Opens such a file.
    ///
    /// # Errors
    /// As [`Self::read_trusted`].
    pub fn file_trusted(&self, name: &str) -> io::Result<File> {
        let file = self.file(Path::new(single(name)?))?;
        match owner::distrust(&file)? {
            None => Ok(file),
            Some(reason) => Err(refusal(reason)),
        }
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
        self.folder(Path::new(name))?.refused_if_distrusted()
    }

    /// Opens a folder of this one for what is believed of it.
    ///
    /// # Errors
    /// As [`Self::trusted`], and where it is a link.
    pub fn trusted_folder(&self, name: &str) -> io::Result<Self> {
        self.folder(Path::new(single(name)?))?.refused_if_distrusted()
    }

    /// Makes names in this folder outlive a power cut, where the file system can.
    pub fn sync(&self) {
        let _ = rustix::fs::fsync(&self.0);
    }

    /// Opens a regular file of this folder for reading and writing as it is, and makes it, open to
    /// nobody else, where it is missing: a log that grows, a lock. No link is followed.
    ///
    /// # Errors
    /// Where it is a link or no regular file, cannot be opened, or others may write it.
    pub fn file_to_grow(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::CLOEXEC
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY;
        let file = rustix::fs::openat(&self.0, single(name)?, flags, Mode::from(0o600))?;
        let file = File::from(file);
        if !file.metadata()?.is_file() {
            return Err(no_regular_file());
        }
        match owner::distrust(&file)? {
            None => Ok(file),
            Some(reason) => Err(refusal(reason)),
        }
    }

    /// What is known of an entry of this folder itself: of a link, not of what it leads to.
    ///
    /// # Errors
    /// Where it is not there or cannot be asked.
    pub fn stat(&self, name: &str) -> io::Result<rustix::fs::Stat> {
        Ok(rustix::fs::statat(&self.0, single(name)?, AtFlags::SYMLINK_NOFOLLOW)?)
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

    /// Writes a file of this folder whole without waiting for the disk: for what its reader checks by
    /// a digest anyway, so that a power cut costs no more than the file.
    ///
    /// # Errors
    /// Where it cannot be written; then what was there stays as it was.
    pub fn write_lightly(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let mut file = self.whole_file(name, Access::Private)?;
        parts.iter().try_for_each(|part| io::Write::write_all(&mut file, part))?;
        file.commit_lightly()
    }

    /// Gives a file of this folder another name in it, and replaces what has that.
    ///
    /// # Errors
    /// Where it is not there or cannot be renamed.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, single(from)?, &self.0, single(to)?)?)
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
            let flags = if parts.peek().is_none() { flags } else { REACHED | OFlags::NOFOLLOW };
            at = rustix::fs::openat(&at, name, flags, Mode::empty())?;
        }
        Ok(at)
    }
}

const REACHED: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A name of one part: what is asked of a folder stays in it.
fn single(name: &str) -> io::Result<&str> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no file name"))),
    }
}

/// Why a folder or file of ours is not used, though the system would let us.
#[derive(Debug)]
struct Refusal(Distrust);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it {}; take a folder of your own that nobody else may write", self.0)
    }
}

impl std::error::Error for Refusal {}

fn refusal(reason: Distrust) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, Refusal(reason))
}

/// Whether an error says that somebody else may write what must be believed, and not that the system
/// refuses it.
#[must_use]
pub fn is_refusal(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Refusal>() || inner.is::<way::Turned>())
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
                assert!(is_refusal(&error), "{mode:o}: {error}");
            }
        }
    }

    #[test]
    fn a_file_that_grows_is_never_one_that_a_link_leads_to_or_that_others_may_write() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::own(&outer.path().join("own")).unwrap();
        let at = |name: &str| outer.path().join("own").join(name);
        std::fs::write(outer.path().join("precious"), "kept").unwrap();
        symlink("../precious", at("link")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::write(at("open"), "").unwrap();
        std::fs::set_permissions(at("open"), std::fs::Permissions::from_mode(0o606)).unwrap();
        for name in ["link", "folder", "open", "../precious"] {
            assert!(folder.file_to_grow(name).is_err(), "{name}");
        }
        for text in ["one", "two"] {
            let mut file = folder.file_to_grow("log").unwrap();
            io::Seek::seek(&mut file, io::SeekFrom::End(0)).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read(at("log")).unwrap(), b"onetwo");
        assert_eq!(std::fs::metadata(at("log")).unwrap().mode() & 0o777, 0o600);
        folder.write_lightly("other", &[b"a", b"b"]).unwrap();
        folder.rename("other", "log").unwrap();
        assert_eq!(std::fs::read(at("log")).unwrap(), b"ab");
        assert_eq!(folder.stat("link").unwrap().st_size, 11);
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
        for path in ["link", "up/secret", "../secret", "/etc/passwd", "real"] {
            assert!(folder.file_within(Path::new(path)).is_err(), "{path}");
        }
        for path in ["real/file", "within/file"] {
            folder.file_within(Path::new(path)).unwrap();
        }
        for name in ["../x", "a/b", "", ".", "..", "/x", "a/"] {
            assert!(folder.write(name, b"", Access::Private).is_err(), "{name}");
        }
    }
}
