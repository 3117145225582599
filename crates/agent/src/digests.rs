//! Digests that all threads share: a program is read once for each state of its file.

use crate::content::{Digests, Program};
use crate::readers::Pulse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use vocabulary::Digest;

/// Digests that all threads share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Digests>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Digests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The digest of a file, read now where it is not known; nobody waits for the reading.
    pub(crate) fn of(&self, program: &mut Program, pulse: &Pulse) -> Option<Digest> {
        if let Some(known) = self.lock().get(&program.stamp) {
            return Some(known.clone());
        }
        // Written a moment ago, it may be written again without another stamp.
        let is_fresh = program.stamp.is_fresh(SystemTime::now());
        let digest = program.hash(pulse)?;
        if !is_fresh {
            self.lock().insert(program.stamp, digest.clone());
        }
        Some(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_a_file_that_was_just_written_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        std::fs::write(&path, b"first").unwrap();
        let digests = Shared::default();
        let is_known = |program: &Program| digests.lock().get(&program.stamp).is_some();
        let mut program = Program::beneath(folder.path(), "tool").unwrap();
        assert!(digests.of(&mut program, &Pulse::default()).is_some());
        assert!(!is_known(&program));
        std::thread::sleep(std::time::Duration::from_millis(50));
        let mut program = Program::beneath(folder.path(), "tool").unwrap();
        assert!(digests.of(&mut program, &Pulse::default()).is_some());
        assert!(is_known(&program));
    }
}
