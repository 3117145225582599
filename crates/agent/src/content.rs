//! What a program's file holds: its digest, read once for each state of the file.
//!
//! In goes an open file, or a folder and a path in it, out comes a SHA-256. Paths come from inside
//! of containers, whose processes may swap folders for links at any moment: a path is resolved
//! beneath its folder by the kernel, and links are never followed.

use crate::readers::Pulse;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use sha2::Digest as _;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vocabulary::Digest;

/// Bytes of the largest program that is hashed. Programs of several hundred megabytes exist (machine
/// learning runtimes, browsers); beyond that, hashing would take the disk from the workload.
pub(crate) const MAX_HASHED_BYTES: u64 = 1 << 30;

/// Bytes of a file that is hashed whatever it is: a few milliseconds. A larger one is hashed only where
/// it may be the image's.
pub(crate) const SMALL_BYTES: u64 = 4 << 20;

/// Digests that are remembered: the programs of a few dozen images. About a megabyte.
const MAX_KNOWN: usize = 8192;

/// The kernel's slowest clock tick, by which file systems before Linux 6.13 date changes: two changes
/// within one tick may leave the same stamp.
const COARSEST_TICK: Duration = Duration::from_millis(10);

/// By how much the time of a change may lie before the change where the tick is the usual one of 4 ms.
pub(crate) const TICK: Duration = Duration::from_millis(4);

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 128 << 10;

/// A file in one state: writing to it, or putting another in its place, makes another stamp. The
/// change time cannot be set back by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// When its content, name or mode was changed last. The clock may have been set back since: what
    /// lies in the future tells nothing.
    fn last_change(&self, now: SystemTime) -> Option<SystemTime> {
        let (seconds, nanos) = self.changed;
        let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
        UNIX_EPOCH.checked_add(since).filter(|change| *change <= now)
    }

    /// Whether it may have been changed at this moment or afterwards, so that what it holds now says
    /// nothing of what it held then.
    pub(crate) fn is_changed_since(&self, moment: SystemTime, now: SystemTime) -> bool {
        self.last_change(now).is_some_and(|change| change + TICK >= moment)
    }

    /// Whether another change might still leave the same stamp.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        self.last_change(now).is_some_and(|change| change + 2 * COARSEST_TICK >= now)
    }
}

/// A program's file, open for reading.
#[derive(Debug)]
pub(crate) struct Program {
    file: File,
    pub(crate) stamp: Stamp,
}

impl Program {
    /// Takes an open file; none where it is not a regular one.
    pub(crate) fn of(file: File) -> Option<Self> {
        let stamp = stamp(&file)?;
        Some(Self { file, stamp })
    }

    /// The file at `path` beneath `folder`, no part of which is a link.
    pub(crate) fn beneath(folder: &Path, path: &str) -> Option<Self> {
        // Neither a pipe in the file's place, nor a lease that its owner holds, must be waited for.
        let file = beneath(folder, path, OFlag::O_RDONLY | OFlag::O_NONBLOCK)?;
        Self::of(File::from(file))
    }

    /// The file that a process runs, whatever its name is now.
    pub(crate) fn running(pid: u32) -> Option<Self> {
        let flags = nix::libc::O_CLOEXEC | nix::libc::O_NONBLOCK;
        let file = File::options().read(true).custom_flags(flags).open(format!("/proc/{pid}/exe"));
        Self::of(file.ok()?)
    }

    /// The file at `path` as a process sees it.
    pub(crate) fn seen_by(pid: u32, path: &str) -> Option<Self> {
        Self::beneath(&PathBuf::from(format!("/proc/{pid}/root")), path)
    }

    /// Reads and hashes it; none where it is too large, unreadable, or changed meanwhile.
    pub(crate) fn hash(&mut self, pulse: &Pulse) -> Option<Digest> {
        if self.stamp.bytes > MAX_HASHED_BYTES {
            return None;
        }
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        // A file that grows while it is read does not keep the agent reading.
        let mut rest = (&mut self.file).take(self.stamp.bytes.saturating_add(1));
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    hasher.update(buffer.get(..length)?);
                    pulse.beat();
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let unchanged = stamp(&self.file)? == self.stamp;
        unchanged.then(|| Digest::sha256(hasher.finalize().into()))
    }

    /// The first bytes, for telling a script from a binary.
    pub(crate) fn is_script(&self) -> bool {
        use std::os::unix::fs::FileExt as _;
        let mut magic = [0; 2];
        self.file.read_exact_at(&mut magic, 0).is_ok() && magic == *b"#!"
    }
}

/// Opens what lies at `path` beneath `folder`, no part of which is a link or leads to another mount.
fn beneath(folder: &Path, path: &str, flags: OFlag) -> Option<OwnedFd> {
    let folder = File::options()
        .read(true)
        .custom_flags(nix::libc::O_DIRECTORY | nix::libc::O_CLOEXEC | nix::libc::O_PATH)
        .open(folder)
        .ok()?;
    let resolve = ResolveFlag::RESOLVE_BENEATH
        | ResolveFlag::RESOLVE_NO_SYMLINKS
        | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let flags = flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    openat2(&folder, &raw(path), OpenHow::new().flags(flags).resolve(resolve)).ok()
}

/// Whether something other than a folder lies at `path` beneath `folder`. It is not opened.
pub(crate) fn is_file_beneath(folder: &Path, path: &str) -> bool {
    let found = beneath(folder, path, OFlag::O_PATH).map(File::from);
    found.and_then(|file| file.metadata().ok()).is_some_and(|facts| !facts.is_dir())
}

fn stamp(file: &File) -> Option<Stamp> {
    let facts = file.metadata().ok()?;
    facts.is_file().then(|| Stamp {
        device: facts.dev(),
        inode: facts.ino(),
        bytes: facts.size(),
        modified: (facts.mtime(), facts.mtime_nsec()),
        changed: (facts.ctime(), facts.ctime_nsec()),
    })
}

/// Digests of files that were read before.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    known: HashMap<Stamp, Digest>,
}

impl Digests {
    /// What is known of a file in this state.
    pub(crate) fn get(&self, stamp: &Stamp) -> Option<&Digest> {
        self.known.get(stamp)
    }

    /// Remembers a digest.
    pub(crate) fn insert(&mut self, stamp: Stamp, digest: Digest) {
        if self.known.len() >= MAX_KNOWN {
            // Reading a program again is cheap beside keeping an order of use.
            self.known.clear();
        }
        self.known.insert(stamp, digest);
    }
}

/// The bytes of a path as records write it: without a leading slash, and with `\xNN` for bytes from
/// 80 on that are not UTF-8.
pub(crate) fn raw(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.trim_start_matches('/').as_bytes();
    while let [first, tail @ ..] = rest {
        if let Some((byte, behind)) = escaped(rest) {
            bytes.push(byte);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'\\', b'x', high, low, rest @ ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = (digit(high)? << 4) | digit(low)?;
    (byte >= 0x80).then_some((byte, rest))
}

/// A path's bytes as records write them: the reverse of [`raw`].
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn a_digest_is_that_of_the_content_in_its_state() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        let mut digests = Digests::default();
        for content in ["content", "changed"] {
            std::fs::write(folder.path().join("bin/tool"), content).unwrap();
            let mut program = Program::beneath(folder.path(), "bin/tool").unwrap();
            assert_eq!(digests.get(&program.stamp), None);
            let digest = program.hash(&Pulse::default()).unwrap();
            assert_eq!(digest, Digest::of(content.as_bytes()));
            digests.insert(program.stamp, digest.clone());
            assert_eq!(digests.get(&program.stamp), Some(&digest));
        }
    }

    #[test]
    fn links_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("outside"), b"x").unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink("..", inside.join("up")).unwrap();
        std::os::unix::fs::symlink("../outside", inside.join("link")).unwrap();
        for path in ["up/outside", "link", "../outside", "/etc/passwd", ".", "gone"] {
            assert!(Program::beneath(&inside, path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_not_a_regular_file_has_no_digest() {
        assert!(Program::beneath(Path::new("/dev"), "null").is_none());
        assert!(Program::beneath(Path::new("/"), "proc").is_none());
    }

    #[test]
    fn paths_that_are_not_text_survive_both_ways() {
        for bytes in [b"bin/\xff\xfex".as_slice(), b"bin/\xc3\xa4", b"a\\x41b", b"\\x"] {
            assert_eq!(raw(&shown(bytes)).as_os_str().as_bytes(), bytes);
        }
        assert_eq!(shown(b"\xff"), "\\xff");
    }

    #[test]
    fn a_change_is_told_from_one_before_unless_the_clock_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tool"), b"x").unwrap();
        let stamp = Program::beneath(folder.path(), "tool").unwrap().stamp;
        let now = SystemTime::now();
        let second = Duration::from_secs(1);
        assert!(stamp.is_changed_since(now - second, now) && stamp.is_fresh(now));
        assert!(!stamp.is_changed_since(now + second, now + 2 * second));
        assert!(!stamp.is_fresh(now + second));
        assert!(!stamp.is_changed_since(now - 2 * second, now - second), "a date of the future");
    }
}
