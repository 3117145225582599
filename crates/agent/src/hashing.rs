//! Hashes large programs in a thread of its own, so that findings about small ones are not late.
//!
//! In goes a file with what is to be judged by its digest, out comes both with the digest. Small files
//! and known ones are answered at once, by the caller itself.

use crate::content::{Digests, Program, SMALL_BYTES};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use vocabulary::Digest;

/// Large programs that wait to be hashed. One beyond is judged without a digest: that is said, and is
/// better than a queue that holds open files without end.
const MAX_WAITING: usize = 64;

/// Digests that all threads share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Digests>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Digests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The digest of a file, read now where it is not known; nobody waits for the reading.
    pub(crate) fn of(&self, program: &mut Program) -> Option<Digest> {
        if let Some(known) = self.lock().get(&program.stamp) {
            return Some(known.clone());
        }
        // Written a moment ago, it may be written again without another stamp.
        let is_fresh = program.stamp.is_fresh(SystemTime::now());
        let digest = program.hash()?;
        if !is_fresh {
            self.lock().insert(program.stamp, digest.clone());
        }
        Some(digest)
    }

    fn known(&self, program: &Program) -> Option<Digest> {
        self.lock().get(&program.stamp).cloned()
    }
}

/// The thread, with what waits for it.
#[derive(Debug)]
pub(crate) struct Hasher<T> {
    digests: Shared,
    large: SyncSender<(Program, T)>,
    done: Receiver<(T, Option<Digest>)>,
}

impl<T: Send + 'static> Hasher<T> {
    /// Starts the thread. It ends with this value.
    pub(crate) fn start(digests: Shared) -> std::io::Result<Self> {
        let (large, waiting) = sync_channel::<(Program, T)>(MAX_WAITING);
        let (results, done) = channel();
        let shared = digests.clone();
        std::thread::Builder::new()
            .name("hashing".to_owned())
            .spawn(move || serve(&shared, &waiting, &results))?;
        Ok(Self { digests, large, done })
    }

    /// The subject with the digest of its file, where that can be told at once; else it comes back by
    /// [`Self::done`].
    pub(crate) fn hash(&self, program: Option<Program>, subject: T) -> Option<(T, Option<Digest>)> {
        let Some(mut program) = program else { return Some((subject, None)) };
        if let Some(digest) = self.digests.known(&program) {
            return Some((subject, Some(digest)));
        }
        if program.stamp.bytes <= SMALL_BYTES {
            let digest = self.digests.of(&mut program);
            return Some((subject, digest));
        }
        match self.large.try_send((program, subject)) {
            Ok(()) => None,
            Err(TrySendError::Full((_, subject)) | TrySendError::Disconnected((_, subject))) => {
                Some((subject, None))
            }
        }
    }

    /// What was hashed meanwhile.
    pub(crate) fn done(&self) -> Vec<(T, Option<Digest>)> {
        self.done.try_iter().collect()
    }
}

fn serve<T>(
    digests: &Shared,
    waiting: &Receiver<(Program, T)>,
    results: &Sender<(T, Option<Digest>)>,
) {
    for (mut program, subject) in waiting {
        let digest = digests.of(&mut program);
        if results.send((subject, digest)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_are_answered_at_once_and_large_ones_later() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("small"), b"small").unwrap();
        let large = vec![7_u8; usize::try_from(SMALL_BYTES).unwrap() + 1];
        std::fs::write(folder.path().join("large"), &large).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        let hasher = Hasher::start(Shared::default()).unwrap();
        let open = |name| Program::beneath(folder.path(), name);
        assert_eq!(hasher.hash(open("small"), 1), Some((1, Some(Digest::of(b"small")))));
        assert_eq!(hasher.hash(None, 2), Some((2, None)));
        assert_eq!(hasher.hash(open("large"), 3), None);
        let began = std::time::Instant::now();
        let mut done = hasher.done();
        while done.is_empty() && began.elapsed().as_secs() < 30 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            done = hasher.done();
        }
        assert_eq!(done, [(3, Some(Digest::of(&large)))]);
        assert!(hasher.hash(open("large"), 4).is_some(), "it is known now");
    }

    #[test]
    fn a_digest_of_a_file_that_was_just_written_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        std::fs::write(&path, b"first").unwrap();
        let digests = Shared::default();
        let mut program = Program::beneath(folder.path(), "tool").unwrap();
        assert!(digests.of(&mut program).is_some());
        assert!(digests.known(&program).is_none());
        std::thread::sleep(std::time::Duration::from_millis(50));
        let mut program = Program::beneath(folder.path(), "tool").unwrap();
        assert!(digests.of(&mut program).is_some());
        assert!(digests.known(&program).is_some());
    }
}
