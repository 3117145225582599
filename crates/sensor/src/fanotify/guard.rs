//! Asks before a program of a guarded file system is opened for execution, and refuses it if told to.
//!
//! Every question is answered: by the verdict, or with `allow` where judging failed, panicked or ended.
//! While nobody calls [`ExecGuard::serve`] the asking processes wait, so it belongs on a thread of its
//! own that does nothing else.

use super::{events, failed, group, ignore, mark, opened};
use crate::SensorError;
use nix::sys::fanotify::{
    Fanotify, FanotifyEvent, FanotifyResponse, InitFlags, MarkFlags, MaskFlags, Response,
};
use std::fs::File;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vocabulary::FileIdentity;

/// A question: may this file be opened for execution? Scripts, their interpreters and the loader of
/// dynamic programs are asked about like programs.
#[derive(Debug)]
pub struct ExecRequest<'a> {
    /// The process that would run it.
    pub pid: u32,
    /// The file, open for reading.
    pub file: &'a File,
    /// Its path from the root of the container, without a leading slash.
    pub path: String,
    /// The file as stat(2) tells it apart. On an overlay whose layers lie on several file systems the
    /// device is the layer's, unlike in [`crate::Exec`].
    pub identity: FileIdentity,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may run, this time.
    Allow,
    /// It may run, and is not asked about again until somebody writes to it.
    ///
    /// Changes through a shared memory mapping, or below the overlay, are no writes to fanotify: for
    /// those rely on [`crate::Exec`], which says that the file lies on the written side.
    AllowAndRemember,
    /// It may not run: the caller gets EPERM.
    Deny,
}

/// A question that is answered later, so that one that takes long keeps no other waiting. Dropped, it is
/// answered with `allow`.
#[derive(Debug)]
pub struct Asked {
    guard: Arc<ExecGuard>,
    event: FanotifyEvent,
    answered: bool,
    /// The process that would run it.
    pub pid: u32,
}

impl Asked {
    /// What is asked about. This asks the file's own file system, and may take as long as that does.
    ///
    /// # Errors
    /// Where the file cannot be asked.
    pub fn request(&self) -> std::io::Result<(File, String, FileIdentity)> {
        let descriptor = self.event.fd().ok_or(std::io::ErrorKind::NotFound)?;
        opened(descriptor)
    }

    /// Answers.
    ///
    /// # Errors
    /// Where the group cannot be written to; then the kernel is not told anything.
    pub fn answer(mut self, verdict: Verdict) -> Result<(), SensorError> {
        self.respond(verdict).map_err(|error| failed("answer", error))
    }

    fn respond(&mut self, verdict: Verdict) -> nix::Result<()> {
        let Some(descriptor) = self.event.fd() else { return Ok(()) };
        self.answered = true;
        let group = &self.guard.group;
        if verdict == Verdict::AllowAndRemember {
            ignore(group, descriptor, MaskFlags::FAN_OPEN_EXEC_PERM, false);
        }
        let deny = verdict == Verdict::Deny;
        let response = if deny { Response::FAN_DENY } else { Response::FAN_ALLOW };
        group.write_response(FanotifyResponse::new(descriptor, response))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.answered {
            // Where even this fails, closing the group answers.
            let _ = self.respond(Verdict::Allow);
        }
    }
}

/// Guards file systems against programs that should not run.
#[derive(Debug)]
pub struct ExecGuard {
    group: Fanotify,
}

/// Answers with `allow` unless an answer was given: also while a panic unwinds.
struct Question<'a> {
    group: &'a Fanotify,
    descriptor: BorrowedFd<'a>,
    answered: bool,
}

impl Question<'_> {
    fn answer(&mut self, response: Response) -> nix::Result<()> {
        self.answered = true;
        self.group.write_response(FanotifyResponse::new(self.descriptor, response))
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if !self.answered {
            // Where even this fails, closing the group answers.
            let _ = self.answer(Response::FAN_ALLOW);
        }
    }
}

impl ExecGuard {
    /// A guard of nothing yet.
    ///
    /// # Errors
    /// Without root, or in a kernel without CONFIG_FANOTIFY_ACCESS_PERMISSIONS.
    pub fn open() -> Result<Self, SensorError> {
        // A queue that is full lets programs pass unasked: it must not be.
        let flags = InitFlags::FAN_CLASS_CONTENT | InitFlags::FAN_UNLIMITED_QUEUE;
        Ok(Self { group: group(flags)? })
    }

    /// Guards the file system at a container's root, such as `/proc/PID/root`: for an overlay, exactly
    /// that container.
    ///
    /// # Errors
    /// Where the root cannot be opened or marked.
    pub fn protect(&self, root: &Path) -> Result<(), SensorError> {
        let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_FILESYSTEM;
        mark(&self.group, flags, MaskFlags::FAN_OPEN_EXEC_PERM, root)
    }

    /// Guards it no longer. A file system that is gone needs no release.
    ///
    /// # Errors
    /// Where the root cannot be opened, or was not guarded.
    pub fn release(&self, root: &Path) -> Result<(), SensorError> {
        let flags = MarkFlags::FAN_MARK_REMOVE | MarkFlags::FAN_MARK_FILESYSTEM;
        mark(&self.group, flags, MaskFlags::FAN_OPEN_EXEC_PERM, root)
    }

    /// Forgets what [`Verdict::AllowAndRemember`] was said of.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn forget(&self) -> Result<(), SensorError> {
        // FAN_MARK_FLUSH without a kind removes the marks of inodes; the path is not looked at.
        let here = super::folder(Path::new("/"))?;
        let flushed =
            self.group.mark::<_, Path>(MarkFlags::FAN_MARK_FLUSH, MaskFlags::empty(), &here, None);
        flushed.map_err(|error| failed("forget", error))
    }

    /// Answers the questions that come within the time. Returns how many it answered.
    ///
    /// # Errors
    /// Where the group cannot be read or written; what was asked is allowed then.
    pub fn serve(
        &self,
        timeout: Duration,
        judge: &mut dyn FnMut(ExecRequest<'_>) -> Verdict,
    ) -> Result<usize, SensorError> {
        let events = events(&self.group, timeout)?;
        let questions: Vec<_> = events.iter().filter_map(|event| self.question(event)).collect();
        let mut count = 0;
        for (pid, mut question) in questions {
            let verdict = verdict(pid, question.descriptor, judge);
            if verdict == Verdict::AllowAndRemember {
                ignore(&self.group, question.descriptor, MaskFlags::FAN_OPEN_EXEC_PERM, false);
            }
            let deny = verdict == Verdict::Deny;
            let response = if deny { Response::FAN_DENY } else { Response::FAN_ALLOW };
            question.answer(response).map_err(|error| failed("answer", error))?;
            count += 1;
        }
        Ok(count)
    }

    /// The questions that come within the time, to be answered later. What this process asks itself is
    /// answered at once: it would wait for itself.
    ///
    /// # Errors
    /// Where the group cannot be read; what was asked is allowed then.
    pub fn asked(self: &Arc<Self>, timeout: Duration) -> Result<Vec<Asked>, SensorError> {
        let events = events(&self.group, timeout)?;
        let asked = events.into_iter().filter(|event| event.fd().is_some()).map(|event| {
            let pid = u32::try_from(event.pid()).unwrap_or_default();
            Asked { guard: Arc::clone(self), event, answered: false, pid }
        });
        Ok(asked.filter(|asked| asked.pid != std::process::id()).collect())
    }

    /// The question of an event, with who asks.
    fn question<'a>(&'a self, event: &'a FanotifyEvent) -> Option<(u32, Question<'a>)> {
        let descriptor = event.fd()?;
        let question = Question { group: &self.group, descriptor, answered: false };
        Some((u32::try_from(event.pid()).unwrap_or_default(), question))
    }
}

fn verdict(
    pid: u32,
    descriptor: BorrowedFd<'_>,
    judge: &mut dyn FnMut(ExecRequest<'_>) -> Verdict,
) -> Verdict {
    // Whoever asks from this process would wait for itself.
    if pid == std::process::id() {
        return Verdict::Allow;
    }
    match opened(descriptor) {
        Ok((file, path, identity)) => judge(ExecRequest { pid, file: &file, path, identity }),
        Err(_) => Verdict::Allow,
    }
}

impl std::os::fd::AsFd for ExecGuard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.group.as_fd()
    }
}
