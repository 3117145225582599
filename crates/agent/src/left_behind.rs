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

/// Descendants that are remembered of processes that are not judged yet. One beyond is not stopped with
/// its maker; programs of its own are judged as any.
const MAX_UNDECIDED: usize = 4096;

/// A process by its number and start.
type Key = (u32, u64);

/// Processes that were to be stopped, by number and start.
#[derive(Debug, Default)]
pub(crate) struct LeftBehind {
    stopped: HashMap<Key, Instant>,
    /// Processes that are not judged yet, since their files are still read: a program that ends at once
    /// has made its child by then.
    undecided: HashMap<Key, Undecided>,
    /// Their descendants, with which of them they come from.
    descendants: HashMap<Key, Key>,
}

#[derive(Debug, Default)]
struct Undecided {
    /// Cases that are open: its program, and its script.
    open: usize,
    children: Vec<Process>,
}

impl LeftBehind {
    /// Takes note of a process that is judged later.
    pub(crate) fn wait_for(&mut self, process: &Process) {
        self.undecided.entry(key(process)).or_default().open += 1;
    }

    /// It was judged: what it made meanwhile, where it is to be stopped. That is to be stopped too.
    pub(crate) fn decide(&mut self, process: &Process, stop: bool, now: Instant) -> Vec<Process> {
        let maker = key(process);
        let Some(undecided) = self.undecided.get_mut(&maker) else { return Vec::new() };
        undecided.open = undecided.open.saturating_sub(1);
        let is_over = undecided.open == 0 || stop;
        let children = if stop { std::mem::take(&mut undecided.children) } else { Vec::new() };
        if undecided.open == 0 {
            self.undecided.remove(&maker);
        }
        if is_over {
            self.descendants.retain(|_, root| *root != maker);
        }
        children.iter().for_each(|child| self.add(child, now));
        children
    }

    /// Takes note of a child of a process that is not judged yet, and of children of that.
    fn remember(&mut self, child: &Process, parent: Key) {
        let root = if self.undecided.contains_key(&parent) {
            Some(parent)
        } else {
            self.descendants.get(&parent).copied()
        };
        if let Some(root) = root
            && self.descendants.len() < MAX_UNDECIDED
            && let Some(undecided) = self.undecided.get_mut(&root)
        {
            undecided.children.push(child.clone());
            self.descendants.insert(key(child), root);
        }
    }

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
        } else {
            self.remember(child, parent);
        }
        takes
    }

    /// Forgets those of which no fork can come any more.
    pub(crate) fn forget_old(&mut self, now: Instant) {
        self.stopped.retain(|_, since| now.duration_since(*since) < PATIENCE);
    }
}

const fn key(process: &Process) -> Key {
    (process.pid, process.started_ns)
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
    fn what_was_made_before_the_judgement_is_found_with_it() {
        let (mut left, now) = (LeftBehind::default(), Instant::now());
        left.wait_for(&process(1));
        left.wait_for(&process(5));
        assert!(!left.takes(&process(2), (1, 10), now));
        assert!(!left.takes(&process(3), (2, 20), now));
        assert!(!left.takes(&process(6), (5, 50), now));
        let pids = |made: Vec<Process>| made.iter().map(|one| one.pid).collect::<Vec<_>>();
        assert_eq!(pids(left.decide(&process(1), true, now)), [2, 3]);
        assert!(left.takes(&process(4), (3, 30), now), "and what they make later");
        assert_eq!(pids(left.decide(&process(5), false, now)), [0_u32; 0]);
        assert!(left.undecided.is_empty() && left.descendants.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut left, now) = (LeftBehind::default(), Instant::now());
        left.wait_for(&process(7));
        (0..10_000).for_each(|pid| assert!(!left.takes(&process(pid), (7, 70), now)));
        assert_eq!(left.descendants.len(), MAX_UNDECIDED);
        (0..10_000).for_each(|pid| left.add(&process(pid), now));
        assert_eq!(left.stopped.len(), MAX_STOPPED);
    }
}
