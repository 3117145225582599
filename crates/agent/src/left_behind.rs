//! What a stopped program leaves behind: the processes that it made before it was stopped.
//!
//! In go processes that were to be stopped and the kernel's forks, out come those to stop as well. A
//! signal comes some milliseconds after the start, and a program that makes itself a daemon has
//! ended by then: its child never starts a program, so that nothing else would ever name it.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use vocabulary::Process;

/// Processes that are remembered: one that forks without end is stopped long before.
const MAX_STOPPED: usize = 4096;

/// How long forks of a stopped process may come: they wait for the reader for some milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Processes that were to be stopped, by number and start.
#[derive(Debug, Default)]
pub(crate) struct LeftBehind {
    stopped: HashMap<(u32, u64), Instant>,
}

impl LeftBehind {
    /// Takes note of a process that was to be stopped.
    pub(crate) fn add(&mut self, process: &Process, now: Instant) {
        if self.stopped.len() >= MAX_STOPPED {
            self.forget_old(now);
        }
        if self.stopped.len() < MAX_STOPPED {
            self.stopped.insert((process.pid, process.started_ns), now);
        }
    }

    /// Whether a new process is the child of such a one; then it is one itself.
    pub(crate) fn takes(&mut self, child: &Process, parent: (u32, u64), now: Instant) -> bool {
        let takes = self.stopped.contains_key(&parent);
        if takes {
            self.add(child, now);
        }
        takes
    }

    /// Forgets those of which no fork can come any more.
    pub(crate) fn forget_old(&mut self, now: Instant) {
        self.stopped.retain(|_, since| now.duration_since(*since) < PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32) -> Process {
        Process { pid, started_ns: u64::from(pid) * 10, ..Process::default() }
    }

    #[test]
    fn children_of_what_was_stopped_are_found_and_others_are_not() {
        let (mut left, now) = (LeftBehind::default(), Instant::now());
        left.add(&process(1), now);
        assert!(left.takes(&process(2), (1, 10), now));
        assert!(left.takes(&process(3), (2, 20), now), "and their children");
        assert!(!left.takes(&process(4), (1, 11), now), "the number of another process");
        assert!(!left.takes(&process(5), (9, 90), now));
        left.forget_old(now + PATIENCE);
        assert!(!left.takes(&process(6), (1, 10), now));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut left, now) = (LeftBehind::default(), Instant::now());
        (0..10_000).for_each(|pid| left.add(&process(pid), now));
        assert_eq!(left.stopped.len(), MAX_STOPPED);
    }
}
