//! Writing one file whole: beside, under a name that nobody can foresee, then renamed.

use crate::owner::is_ours;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;
/// Links that are followed to where a file is written.
pub(crate) const LINKS: usize = 40;

/// Who may read what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// We alone: what is kept for ourselves.
    Private,
    /// As the mode of the file that is replaced says, if that is ours; else everybody whom the mask of
    /// the process lets, and nobody else may write.
    Shared,
}

/// Writes a file whole to a path that somebody named. A device or pipe is written to as it is; a link
/// stays, and what it leads to is replaced, if the link and every link on the way is ours or root's.
///
/// # Errors
/// Where it cannot be written; then what was there stays as it was. What `render` returns is returned
/// as it is.
pub fn write_whole(
    path: &Path,
    access: Access,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match Place::find(path)? {
        Place::Stream(file) => {
            let mut out = BufWriter::with_capacity(BUFFER, file);
            render(&mut out)?;
            out.flush()
        }
        Place::In(folder, name) => {
            let mut file = WholeFile::beside(folder, &name, access)?;
            render(&mut file)?;
            file.commit()
        }
    }
}

/// Writes a file that must not be there yet: a key, over which nothing may be written.
///
/// # Errors
/// Where something is there already ([`io::ErrorKind::AlreadyExists`]), be it a link that leads
/// nowhere, and where it cannot be written.
pub fn create_new(path: &Path, content: &[u8], access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Private => Mode::from(0o600),
        Access::Shared => Mode::from(0o644),
    };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, mode)?);
    file.write_all(content)?;
    file.sync_all()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // As in `WholeFile::commit`: a name that is gone after a power cut is a key that is gone.
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Removes a file that [`create_new`] has just made.
pub fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Opens a path that somebody named for lines that are added to it, and makes the file, open to nobody
/// else, where it is missing. Links are followed as by [`write_whole`].
///
/// # Errors
/// Where it cannot be opened, or belongs to another user.
pub fn append_to(path: &Path) -> io::Result<File> {
    let (folder, name) = match Place::find(path)? {
        Place::Stream(file) => return Ok(file),
        Place::In(folder, name) => (folder, name),
    };
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&folder, &name, flags, Mode::from(0o600))?);
    let stat = rustix::fs::fstat(&file)?;
    if kind(&stat) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    if !is_ours(stat.st_uid) {
        return Err(foreign(&name, "file", stat.st_uid));
    }
    Ok(file)
}

/// Makes a folder that somebody named, and those above it, where they are missing. Nobody else may
/// write what is new.
///
/// # Errors
/// Where they cannot be made.
pub fn create_folders(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// Whether a name is one that [`WholeFile`] gives to what is not whole yet.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    let random = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    random.is_some_and(|random| random.len() == 24 && random.bytes().all(is_hex))
}

const fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

const PREFIX: &str = ".lazaret-";
const SUFFIX: &str = ".tmp";

/// The temporaries that are being written, each in its folder.
static BEGUN: Mutex<BTreeMap<String, OwnedFd>> = Mutex::new(BTreeMap::new());

fn begun() -> MutexGuard<'static, BTreeMap<String, OwnedFd>> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes whatever is half-written: for a program that ends in the middle, where nothing is dropped.
pub fn abandon() {
    for (temporary, folder) in std::mem::take(&mut *begun()) {
        let _ = rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty());
    }
}

/// A file that appears under its name when it is whole, and leaves nothing behind when it is dropped
/// before.
#[derive(Debug)]
pub struct WholeFile {
    folder: OwnedFd,
    temporary: String,
    name: PathBuf,
    out: BufWriter<File>,
    committed: bool,
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl WholeFile {
    pub(crate) fn beside(folder: OwnedFd, name: &Path, access: Access) -> io::Result<Self> {
        let mode = match access {
            Access::Private => Mode::from(0o600),
            Access::Shared => kept_mode(&folder, name)?.unwrap_or(Mode::from(0o644) & !mask()),
        };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let temporary = format!("{PREFIX}{}{SUFFIX}", random()?);
        begun().insert(temporary.clone(), folder.try_clone()?);
        let opened = open_as(&folder, &temporary, flags, mode);
        let file = opened.inspect_err(|_| drop(begun().remove(&temporary)))?;
        let out = BufWriter::with_capacity(BUFFER, File::from(file));
        Ok(Self { folder, temporary, name: name.to_owned(), out, committed: false })
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// Where that fails; then what was there before stays.
    pub fn commit(mut self) -> io::Result<()> {
        self.flushed()?.sync_all()?;
        self.name_it()?;
        // The name outlives a power cut only if the folder is written too. Not every file system can.
        let _ = rustix::fs::fsync(&self.folder);
        Ok(())
    }

    /// Gives the file its name without waiting for the disk: for what its reader checks by a digest.
    ///
    /// # Errors
    /// Where that fails; then what was there before stays.
    pub fn commit_lightly(mut self) -> io::Result<()> {
        self.flushed()?;
        self.name_it()
    }

    /// The open file, with everything in it that was written.
    ///
    /// # Errors
    /// Where that fails.
    pub fn flushed(&mut self) -> io::Result<&mut File> {
        self.out.flush()?;
        Ok(self.out.get_mut())
    }

    fn name_it(&mut self) -> io::Result<()> {
        match rustix::fs::renameat(&self.folder, &self.temporary, &self.folder, &self.name) {
            // A file that something is mounted on, as containers have them, cannot be replaced.
            Err(Errno::BUSY) => return self.copy_over(),
            renamed => renamed?,
        }
        self.committed = true;
        begun().remove(&self.temporary);
        Ok(())
    }

    /// Writes what is whole into a file of ours that cannot be replaced. What was made beside it goes.
    fn copy_over(&self) -> io::Result<()> {
        let reading = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let writing = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let open =
            |name: &Path, flags| rustix::fs::openat(&self.folder, name, flags, Mode::empty());
        let mut whole = File::from(open(Path::new(&self.temporary), reading)?);
        let mut file = File::from(open(&self.name, writing)?);
        let stat = rustix::fs::fstat(&file)?;
        if kind(&stat) != FileType::RegularFile || !is_ours(stat.st_uid) {
            return Err(foreign(&self.name, "file", stat.st_uid));
        }
        file.set_len(0)?;
        io::copy(&mut whole, &mut file)?;
        file.sync_all()
    }
}

/// Makes a file of this mode. What the mask takes from it is given back where a sandbox lets us: one that
/// holds us may not let us set modes, for by that call what is only read could be opened to everybody
/// too. Then the file is open to fewer than it was.
fn open_as(folder: &OwnedFd, name: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let opened = rustix::fs::openat(folder, name, flags, mode)?;
    let made = rustix::fs::fstat(&opened)?.st_mode & 0o777;
    if made != mode.as_raw_mode() {
        let _ = rustix::fs::fchmod(&opened, mode);
    }
    Ok(opened)
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.committed {
            begun().remove(&self.temporary);
            let _ = rustix::fs::unlinkat(&self.folder, &self.temporary, AtFlags::empty());
        }
    }
}

/// The mode of a regular file that is about to be replaced.
fn kept_mode(folder: &OwnedFd, name: &Path) -> io::Result<Option<Mode>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if kind(&stat) == FileType::RegularFile && is_ours(stat.st_uid) => {
            Ok(Some(Mode::from(stat.st_mode & 0o777)))
        }
        // Somebody else's: nobody may read what could not be read before, and nobody else writes.
        Ok(stat) if kind(&stat) == FileType::RegularFile => {
            Ok(Some(Mode::from(stat.st_mode & 0o644) & !mask()))
        }
        Ok(_) | Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// The mask of the process. It can only be asked by setting it; it is set to the strictest meanwhile.
fn mask() -> Mode {
    let mask = rustix::process::umask(Mode::from(0o077));
    rustix::process::umask(mask);
    mask
}

fn random() -> io::Result<String> {
    let mut bytes = [0; 12];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Where a named path leads to.
enum Place {
    /// A device, pipe or descriptor of ours.
    Stream(File),
    /// A name in a folder.
    In(OwnedFd, PathBuf),
}

impl Place {
    /// Goes to a path part by part, so that every link on the way is seen and its owner asked.
    fn find(path: &Path) -> io::Result<Self> {
        if is_descriptor(path) {
            return descriptor(path).map(Self::Stream);
        }
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let open = |path: &str| rustix::fs::open(path, folder, Mode::empty());
        let mut at = open(if path.is_absolute() { "/" } else { "." })?;
        let mut left: Vec<PathBuf> = parts(path);
        let mut links = 0;
        while let Some(part) = left.pop() {
            let stat = match rustix::fs::statat(&at, &part, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) if left.is_empty() && part != Path::new("..") => {
                    return Ok(Self::In(readable(&at)?, part));
                }
                stat => stat?,
            };
            match kind(&stat) {
                FileType::Symlink => {
                    links += 1;
                    if links > LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    if !is_ours(stat.st_uid) {
                        return Err(foreign(&part, "link", stat.st_uid));
                    }
                    let target = rustix::fs::readlinkat(&at, &part, Vec::new())?;
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        at = open("/")?;
                    }
                    left.extend(parts(&target));
                }
                FileType::Directory if left.is_empty() => return Err(Errno::ISDIR.into()),
                FileType::Directory => at = rustix::fs::openat(&at, &part, folder, Mode::empty())?,
                _ if !left.is_empty() => return Err(Errno::NOTDIR.into()),
                FileType::RegularFile => return Ok(Self::In(readable(&at)?, part)),
                FileType::Fifo | FileType::Socket if !is_ours(stat.st_uid) => {
                    return Err(foreign(&part, "pipe", stat.st_uid));
                }
                _ => {
                    let flags =
                        OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NOCTTY;
                    let opened = rustix::fs::openat(&at, &part, flags, Mode::empty())?;
                    return Ok(Self::Stream(File::from(opened)));
                }
            }
        }
        Err(Errno::ISDIR.into())
    }
}

/// The parts of a path, the first one last.
pub(crate) fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter(|part| {
        !matches!(part, Component::CurDir | Component::RootDir | Component::Prefix(_))
    });
    let mut parts: Vec<PathBuf> = parts.map(|part| PathBuf::from(part.as_os_str())).collect();
    parts.reverse();
    parts
}

/// The same folder, opened so that it can be synced.
fn readable(folder: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat(folder, ".", flags, Mode::empty()) {
        // A folder that can be written but not listed.
        Err(Errno::ACCESS) => Ok(folder.try_clone()?),
        opened => Ok(opened?),
    }
}

/// Our own open files, which the kernel shows as links: they lead where the caller opened them.
fn is_descriptor(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr"].iter().any(|known| path == Path::new(known))
        || ["/dev/fd", "/proc/self/fd"].iter().any(|known| {
            path.parent() == Some(Path::new(known))
                && path
                    .file_name()
                    .is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
        })
}

/// The open file itself, so that what was written to it stays. Others than standard output and error
/// are opened anew, behind what they hold.
fn descriptor(path: &Path) -> io::Result<File> {
    let same = |names: [&str; 3]| names.iter().any(|name| path == Path::new(name));
    if same(["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]) {
        return Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    }
    if same(["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"]) {
        return Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?));
    }
    std::fs::OpenOptions::new().append(true).open(path)
}

fn foreign(part: &Path, what: &str, owner: u32) -> io::Error {
    let text = format!(
        "`{}` is a {what} of another user ({owner}); name where it leads to, or remove it",
        part.display()
    );
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    fn write(path: &Path, content: &str) -> io::Result<()> {
        write_whole(path, Access::Shared, |out| out.write_all(content.as_bytes()))
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        write(&path, "first").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let failed = write_whole(&path, Access::Shared, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        write(&path, "second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "its mode is kept");
        assert_eq!(names(folder.path()), ["report"]);
    }

    #[test]
    fn nobody_else_may_write_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        for (name, access) in [("private", Access::Private), ("shared", Access::Shared)] {
            let path = folder.path().join(name);
            let before = rustix::process::umask(Mode::empty());
            let written = write_whole(&path, access, |out| out.write_all(b"x"));
            rustix::process::umask(before);
            written.unwrap();
            let expected = if access == Access::Private { 0o600 } else { 0o644 };
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, expected, "{name}");
        }
    }

    #[test]
    fn what_must_be_new_is_written_over_nothing_and_through_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("there"), "kept").unwrap();
        symlink("nowhere", at("link")).unwrap();
        for name in ["there", "link"] {
            let error = create_new(&at(name), b"x", Access::Private).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{name}");
        }
        assert!(!at("nowhere").exists());
        create_new(&at("new"), b"x", Access::Private).unwrap();
        assert_eq!(std::fs::metadata(at("new")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn only_names_of_our_own_making_are_temporary() {
        assert!(is_temporary(".lazaret-00112233445566778899aabb.tmp"));
        for name in [".lazaret-.tmp", ".lazaret-00112233445566778899AABB.tmp", "a.tmp", ""] {
            assert!(!is_temporary(name), "{name}");
        }
    }

    #[test]
    fn own_links_stay_and_lead_to_what_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("real")).unwrap();
        symlink("real", at("folder")).unwrap();
        symlink("folder/../real/file", at("link")).unwrap();
        write(&at("link"), "x").unwrap();
        assert_eq!(std::fs::read(at("real/file")).unwrap(), b"x");
        assert!(std::fs::symlink_metadata(at("link")).unwrap().is_symlink());
        symlink("loop", at("loop")).unwrap();
        for wrong in ["loop", "real", "missing/file", "real/file/below"] {
            assert!(write(&at(wrong), "x").is_err(), "{wrong}");
        }
    }

    #[test]
    fn links_and_pipes_of_another_user_lead_nowhere() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("precious"), "kept").unwrap();
        std::fs::create_dir(at("real")).unwrap();
        symlink("precious", at("link")).unwrap();
        symlink("real", at("folder")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), FileType::Fifo, Mode::from(0o666), 0)
            .unwrap();
        for name in ["link", "folder", "pipe"] {
            std::os::unix::fs::lchown(at(name), Some(4_000_000), None).unwrap();
        }
        std::fs::write(at("theirs"), "").unwrap();
        std::os::unix::fs::lchown(at("theirs"), Some(4_000_000), None).unwrap();
        for name in ["link", "folder/file", "pipe", "theirs"] {
            let error = append_to(&at(name)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{name}");
        }
        for name in ["link", "folder/file", "pipe"] {
            let error = write(&at(name), "x").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{name}");
        }
        assert_eq!(std::fs::read(at("precious")).unwrap(), b"kept");
        assert_eq!(names(&at("real")), [""; 0]);
        // A planted file of theirs gives no mode.
        std::fs::write(at("planted"), "").unwrap();
        std::fs::set_permissions(at("planted"), std::fs::Permissions::from_mode(0o666)).unwrap();
        std::os::unix::fs::lchown(at("planted"), Some(4_000_000), None).unwrap();
        write(&at("planted"), "x").unwrap();
        let metadata = std::fs::metadata(at("planted")).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o022), (0, 0));
        // Nor may anybody read what could not be read before.
        std::fs::write(at("closed"), "").unwrap();
        std::fs::set_permissions(at("closed"), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::lchown(at("closed"), Some(4_000_000), None).unwrap();
        write(&at("closed"), "x").unwrap();
        assert_eq!(std::fs::metadata(at("closed")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn devices_and_descriptors_are_written_to_as_they_are() {
        write(Path::new("/dev/null"), "x").unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
        write(Path::new(&path), "x").unwrap();
        drop(writer);
        let mut read = String::new();
        io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert_eq!(read, "x");
        assert!(write(Path::new("/dev/full"), "x").is_err());
    }
}
