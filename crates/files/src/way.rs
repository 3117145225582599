//! The way to what is believed: every folder and link on it is asked whose it is.
//!
//! Who may write a folder puts what they like in the place of what lies there, and who owns a link
//! chooses where it leads. So a path is gone part by part, from the root of the file system, and ends
//! where somebody else could have turned it.

use crate::owner::{self, is_ours};
use crate::write::{LINKS, parts};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

const FOLDER: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// What leads to something that is believed is somebody else's.
#[derive(Debug)]
pub(crate) struct Turned(String);

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Turned {}

/// A folder, and what of the path is left: the name of what lies in it, which is no link.
pub(crate) struct Reached {
    pub(crate) folder: OwnedFd,
    pub(crate) name: PathBuf,
}

/// Goes to what lies at a path; folders that are missing are made where `make` gives
/// a mode.
pub(crate) fn to(path: &Path, make: Option<Mode>) -> io::Result<Reached> {
    let whole = std::env::current_dir()?.join(path);
    let root = || rustix::fs::open("/", FOLDER, Mode::empty());
    let mut at = root()?;
    let mut shown = PathBuf::from("/");
    believe(&at, &shown)?;
    let mut left = parts(&whole);
    let mut links = 0;
    while let Some(part) = left.pop() {
        let stat = match rustix::fs::statat(&at, &part, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) if left.is_empty() => return Ok(Reached { folder: at, name: part }),
            Err(error @ Errno::NOENT) => {
                let Some(mode) = make else { return Err(error.into()) };
                match rustix::fs::mkdirat(&at, &part, mode) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                left.push(part);
                continue;
            }
            stat => stat?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                links += 1;
                if links > LINKS {
                    return Err(Errno::LOOP.into());
                }
                if !is_ours(stat.st_uid) && !owner::is_unmapped(stat.st_uid) {
                    let text = format!(
                        "`{}` is a link of another user ({}); name where it leads to, or remove it",
                        shown.join(&part).display(),
                        stat.st_uid
                    );
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, Turned(text)));
                }
                let target = rustix::fs::readlinkat(&at, &part, Vec::new())?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    (at, shown) = (root()?, PathBuf::from("/"));
                }
                left.extend(parts(&target));
            }
            _ if left.is_empty() && part != Path::new("..") => {
                return Ok(Reached { folder: at, name: part });
            }
            _ => {
                at = rustix::fs::openat(&at, &part, FOLDER, Mode::empty())?;
                shown.push(&part);
                if !left.is_empty() {
                    believe(&at, &shown)?;
                }
            }
        }
    }
    Ok(Reached { folder: at, name: PathBuf::from(".") })
}

/// A folder on the way, of which a sticky bit is enough: nobody replaces there what is not theirs.
fn believe(folder: &OwnedFd, shown: &Path) -> io::Result<()> {
    let Some(reason) = owner::distrust(folder)? else { return Ok(()) };
    if matches!(reason, owner::Distrust::Owner(user) if owner::is_unmapped(user)) {
        return Ok(());
    }
    let text = format!("`{}`, which leads to it, {reason}; {}", shown.display(), reason.mend());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, Turned(text)))
}
