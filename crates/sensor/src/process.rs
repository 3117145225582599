//! One process, held by a descriptor: its number may be given to another, the descriptor may not.

use crate::SensorError;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_send_signal};
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

/// Nanoseconds of a tick in which /proc counts: USER_HZ is 100 on every architecture we know.
const TICK_NS: u64 = 10_000_000;
/// Field `starttime` of /proc/PID/stat, counted from the one after the name, which is the third.
const START_FIELD: usize = 19;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was sent SIGKILL while it ran.
    Killed,
    /// It had ended by itself.
    Gone,
}

/// A process that cannot be mistaken for another.
#[derive(Debug)]
pub struct ProcessHandle {
    pid: u32,
    descriptor: OwnedFd,
}

impl ProcessHandle {
    /// Opens the process that began at `started_ns` nanoseconds after boot; none where it is gone,
    /// even if its number is in use again.
    ///
    /// # Errors
    /// Where the kernel has no pidfd_open (before 5.3), or /proc cannot be read.
    pub fn open(pid: u32, started_ns: u64) -> Result<Option<Self>, SensorError> {
        let Some(descriptor) = pidfd_open(pid).map_err(|error| failed("open", pid, &error))? else {
            return Ok(None);
        };
        // The descriptor holds whoever has the number now; the start time says whether that is who
        // was meant. It is read afterwards, so that a change in between is seen.
        let stat = match fs::read(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(failed("look at", pid, &error)),
        };
        let same = start_ticks(&stat) == Some(started_ns / TICK_NS);
        Ok(same.then_some(Self { pid, descriptor }))
    }

    /// Its number.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        // A pidfd becomes readable when the process has ended.
        let mut descriptors = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
        poll(&mut descriptors, PollTimeout::ZERO) == Ok(0)
    }

    /// Sends SIGKILL.
    ///
    /// # Errors
    /// Where this user may not.
    pub fn kill(&self) -> Result<Stopped, SensorError> {
        if !self.is_alive() {
            return Ok(Stopped::Gone);
        }
        match pidfd_send_signal(&self.descriptor, Signal::KILL) {
            Ok(()) => Ok(Stopped::Killed),
            Err(Errno::SRCH) => Ok(Stopped::Gone),
            Err(error) => Err(failed("kill", self.pid, &error.into())),
        }
    }
}

fn failed(verb: &'static str, pid: u32, error: &io::Error) -> SensorError {
    SensorError::Process { verb, pid, reason: error.to_string() }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// When a process began, in ticks since boot. The name before it may hold blanks and brackets.
fn start_ticks(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(START_FIELD)?.parse().ok()
}

/// Opens a process by its number; none where there is no such process.
pub(crate) fn pidfd_open(pid: u32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) => Ok(Some(descriptor)),
        // A thread that is no process gives EINVAL, or ENOENT since 6.9.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use std::process::Command;

    fn started_ns(pid: u32) -> u64 {
        start_ticks(&fs::read(format!("/proc/{pid}/stat")).unwrap()).unwrap() * TICK_NS
    }

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let stat = b"7 (a) b) c) S 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9";
        assert_eq!(start_ticks(stat), Some(4242));
        assert_eq!(start_ticks(b"7 (a"), None);
    }

    #[test]
    fn a_process_is_killed_once_and_gone_afterwards() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let handle = ProcessHandle::open(pid, started_ns(pid) + TICK_NS / 2).unwrap().unwrap();
        assert!(handle.is_alive());
        assert_eq!(handle.kill().unwrap(), Stopped::Killed);
        child.wait().unwrap();
        assert_eq!(handle.kill().unwrap(), Stopped::Gone);
        assert!(ProcessHandle::open(pid, 0).unwrap().is_none());
    }

    #[test]
    fn a_number_that_another_process_has_now_is_gone() {
        let pid = std::process::id();
        assert!(ProcessHandle::open(pid, started_ns(pid)).unwrap().is_some());
        assert!(ProcessHandle::open(pid, started_ns(pid) - 2 * TICK_NS).unwrap().is_none());
        assert!(ProcessHandle::open(u32::MAX, 0).unwrap().is_none());
    }
}
