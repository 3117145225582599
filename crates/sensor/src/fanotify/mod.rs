//! fanotify: asked before a program is opened for execution ([`ExecGuard`]), and told which files were
//! opened ([`OpenWatch`]).
//!
//! Both hold one group for all containers. A group that is dropped answers what was still asked: the
//! kernel allows it, so that nothing hangs on us.

mod guard;
mod watch;

pub use guard::{Asked, ExecGuard, ExecRequest, Verdict};
pub use watch::{OpenMarks, OpenWatch, OpenedFile};

use crate::{SensorError, text};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::fanotify::{EventFFlags, Fanotify, FanotifyEvent, InitFlags, MarkFlags, MaskFlags};
use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;
use vocabulary::FileIdentity;

/// A group of fanotify, opened so that reading its events never blocks: not on an empty queue, and not
/// on a named pipe that somebody opened.
fn group(class: InitFlags) -> Result<Fanotify, SensorError> {
    let flags =
        class | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK | InitFlags::FAN_UNLIMITED_MARKS;
    let event_flags = EventFFlags::O_RDONLY
        | EventFFlags::O_LARGEFILE
        | EventFFlags::O_CLOEXEC
        | EventFFlags::O_NONBLOCK;
    Fanotify::init(flags, event_flags).map_err(|error| failed("open a group", error))
}

fn failed(verb: &'static str, error: Errno) -> SensorError {
    SensorError::Fanotify { verb, reason: error.desc().to_owned() }
}

/// The folder that a mark is put on.
fn folder(path: &Path) -> Result<File, SensorError> {
    File::open(path)
        .map_err(|error| SensorError::Open { path: path.to_owned(), reason: error.to_string() })
}

/// Waits for events and takes them; none where the time is over.
fn events(group: &Fanotify, timeout: Duration) -> Result<Vec<FanotifyEvent>, SensorError> {
    let time = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
    let mut descriptors = [PollFd::new(group.as_fd(), PollFlags::POLLIN)];
    match poll(&mut descriptors, time) {
        Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()),
        Ok(_) => {}
        Err(error) => return Err(failed("wait", error)),
    }
    match group.read_events() {
        Ok(events) => Ok(events),
        // Without a descriptor to be had the kernel refuses what was asked, and tells of no open. That is
        // no reason to guard nothing any more.
        Err(Errno::EAGAIN | Errno::EINTR | Errno::EMFILE | Errno::ENFILE) => Ok(Vec::new()),
        Err(error) => Err(failed("read events", error)),
    }
}

/// The file of an event, with a descriptor of its own, its path and identity.
fn opened(descriptor: BorrowedFd<'_>) -> std::io::Result<(File, String, FileIdentity)> {
    let file = File::from(descriptor.try_clone_to_owned()?);
    let metadata = file.metadata()?;
    let device = metadata.dev();
    let identity = FileIdentity {
        device: u64::from(libc::major(device)) << 20 | u64::from(libc::minor(device)),
        inode: metadata.ino(),
    };
    // The kernel walks up from the container's mount, which is not below our root: it gives the path
    // from the root of that mount's namespace.
    let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let bytes = link.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
    let mut path = String::with_capacity(bytes.len());
    text::push(&mut path, bytes.strip_prefix(b"/").unwrap_or(bytes));
    Ok((file, path, identity))
}

/// Stops events about one inode. Tried in the ways that kernels know, newest first; whether one worked.
fn ignore(group: &Fanotify, file: BorrowedFd<'_>, mask: MaskFlags, survives: bool) -> bool {
    let survive = MarkFlags::FAN_MARK_IGNORED_SURV_MODIFY;
    let survive = if survives { survive } else { MarkFlags::empty() };
    let add = MarkFlags::FAN_MARK_ADD | survive;
    let ways = [
        // 6.0; the inode may leave memory, and takes the mark with it.
        add | MarkFlags::FAN_MARK_IGNORE | MarkFlags::FAN_MARK_EVICTABLE,
        add | MarkFlags::FAN_MARK_IGNORED_MASK | MarkFlags::FAN_MARK_EVICTABLE,
        add | MarkFlags::FAN_MARK_IGNORED_MASK,
    ];
    ways.into_iter().any(|way| group.mark::<_, Path>(way, mask, file, None).is_ok())
}

fn mark(
    group: &Fanotify,
    flags: MarkFlags,
    mask: MaskFlags,
    root: &Path,
) -> Result<(), SensorError> {
    let folder = folder(root)?;
    group
        .mark::<_, Path>(flags, mask, &folder, None)
        .map_err(|error| failed("mark a file system", error))
}
