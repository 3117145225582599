//! Tells which files of a container are opened, each once.
//!
//! After its first event an inode gets a mark that ignores it, so that a file that is opened a thousand
//! times costs one event. Files on other mounts (volumes, /proc) are not watched: usage is about the
//! image.

use super::{events, group, ignore, mark, opened};
use crate::SensorError;
use nix::sys::fanotify::{Fanotify, InitFlags, MarkFlags, MaskFlags};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vocabulary::FileIdentity;

/// Files of which we remember that they were reported; beyond, they may be reported again.
const REMEMBERED: usize = 1 << 16;

/// A file that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedFile {
    /// The process that opened it.
    pub pid: u32,
    /// Its path from the root of the container, without a leading slash.
    pub path: String,
    /// The file as stat(2) tells it apart.
    pub identity: FileIdentity,
}

/// Puts marks, while another thread polls.
#[derive(Clone, Debug)]
pub struct OpenMarks {
    group: Arc<Fanotify>,
}

impl OpenMarks {
    /// As [`OpenWatch::watch`].
    ///
    /// # Errors
    /// Where the root cannot be opened or marked.
    pub fn watch(&self, root: &Path) -> Result<(), SensorError> {
        let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_MOUNT;
        mark(&self.group, flags, MaskFlags::FAN_OPEN, root)
    }
}

/// Watches the root mounts of containers.
#[derive(Debug)]
pub struct OpenWatch {
    group: Arc<Fanotify>,
    reported: HashSet<FileIdentity>,
    overflows: u64,
}

impl OpenWatch {
    /// A watch over nothing yet.
    ///
    /// # Errors
    /// Without root, or in a kernel without fanotify.
    pub fn open() -> Result<Self, SensorError> {
        let group = Arc::new(group(InitFlags::FAN_CLASS_NOTIF)?);
        Ok(Self { group, reported: HashSet::new(), overflows: 0 })
    }

    /// What puts marks from another thread.
    #[must_use]
    pub fn marks(&self) -> OpenMarks {
        OpenMarks { group: Arc::clone(&self.group) }
    }

    /// Watches the mount at a container's root, such as `/proc/PID/root`.
    ///
    /// # Errors
    /// Where the root cannot be opened or marked.
    pub fn watch(&self, root: &Path) -> Result<(), SensorError> {
        self.marks().watch(root)
    }

    /// Watches it no longer. A mount that is gone needs no release.
    ///
    /// # Errors
    /// Where the root cannot be opened, or was not watched.
    pub fn release(&self, root: &Path) -> Result<(), SensorError> {
        let flags = MarkFlags::FAN_MARK_REMOVE | MarkFlags::FAN_MARK_MOUNT;
        mark(&self.group, flags, MaskFlags::FAN_OPEN, root)
    }

    /// Hands on the files that were opened for the first time, waiting at most for the given time.
    /// Returns how many.
    ///
    /// # Errors
    /// Where the group cannot be read.
    pub fn poll(
        &mut self,
        timeout: Duration,
        each: &mut dyn FnMut(OpenedFile),
    ) -> Result<usize, SensorError> {
        let mut count = 0;
        for event in events(&self.group, timeout)? {
            let Some(descriptor) = event.fd() else {
                self.overflows += 1;
                continue;
            };
            let pid = u32::try_from(event.pid()).unwrap_or_default();
            // What we open ourselves, in order to hash it, was not used by the container.
            if pid == std::process::id() {
                continue;
            }
            let Ok((file, path, identity)) = opened(descriptor) else { continue };
            ignore(&self.group, descriptor, MaskFlags::FAN_OPEN, true);
            drop(file);
            if self.reported.len() >= REMEMBERED {
                self.reported.clear();
            }
            if self.reported.insert(identity) {
                each(OpenedFile { pid, path, identity });
                count += 1;
            }
        }
        Ok(count)
    }

    /// How often the kernel's queue was full: files opened then were not reported.
    #[must_use]
    pub const fn overflows(&self) -> u64 {
        self.overflows
    }
}

impl std::os::fd::AsFd for OpenWatch {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.group.as_fd()
    }
}
