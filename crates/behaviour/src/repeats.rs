//! Counts findings that come again.
//!
//! In goes a finding with its container, out comes whether it is the first of its kind. The table is
//! bounded; what was longest unseen leaves it, and would be reported once more: under a flood this
//! errs towards saying too much.

use std::collections::HashMap;
use vocabulary::{Act, Container, Digest, Evidence, Finding, Severity};

/// Findings that are remembered: a container in which thousands of different programs ran that are
/// not in its image needs no finer account. About one megabyte.
pub const MAX_REPEATS: usize = 4096;

/// What was already reported.
#[derive(Debug, Default)]
pub struct Repeats {
    seen: HashMap<Key, Seen>,
    clock: u64,
    repeats: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    container: String,
    fingerprint: String,
    /// Another content under the same name is another finding.
    digest: Option<Digest>,
    /// A harmless start does not hide a harmful one: a shell on a socket of the same machine, and then
    /// one on a connection.
    severity: Severity,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    count: u64,
    last: u64,
}

impl Repeats {
    /// Takes note of a finding. True where it is the first of its program, rule and container.
    pub fn is_first(&mut self, container: &Container, finding: &Finding) -> bool {
        self.clock += 1;
        let key = key(container, finding);
        if let Some(seen) = self.seen.get_mut(&key) {
            seen.count += 1;
            seen.last = self.clock;
            self.repeats += 1;
            return false;
        }
        if self.seen.len() >= MAX_REPEATS {
            self.drop_oldest_half();
        }
        self.seen.insert(key, Seen { count: 1, last: self.clock });
        true
    }

    /// How often this finding came, the first time included.
    #[must_use]
    pub fn count(&self, container: &Container, finding: &Finding) -> u64 {
        self.seen.get(&key(container, finding)).map_or(0, |seen| seen.count)
    }

    /// How many findings were repeats.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.repeats
    }

    /// Forgets a container that is gone.
    pub fn forget(&mut self, container: &str) {
        self.seen.retain(|key, _| key.container != container);
    }

    /// Half at once, so that a full table is not searched at every finding.
    fn drop_oldest_half(&mut self) {
        let mut times: Vec<u64> = self.seen.values().map(|seen| seen.last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.seen.retain(|_, seen| seen.last >= median);
    }
}

fn key(container: &Container, finding: &Finding) -> Key {
    let digest = finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Event(evidence) => match &evidence.event.act {
            Act::Execution(execution) => execution.digest.clone(),
            _ => None,
        },
        _ => None,
    });
    Key {
        container: container.id.clone(),
        fingerprint: finding.fingerprint.as_str().to_owned(),
        digest,
        severity: finding.severity,
    }
}
