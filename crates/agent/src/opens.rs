//! Which files containers open, and whose each is.
//!
//! In go fanotify's events, out come the lists of files in use. A thread of its own takes the events,
//! since the kernel opens each file for whoever takes them. The file system's device says which
//! container, and the process only where that is not enough: a lookup costs more than a comparison.

use sensor::{OpenMarks, OpenWatch, OpenedFile, SensorError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

/// How often the thread looks whether it is to end.
const TURN: Duration = Duration::from_millis(200);

/// Files that wait to be looked at. What does not fit is counted as lost.
const MAX_WAITING: usize = 4096;

/// The thread that takes the events.
#[derive(Debug)]
pub(crate) struct Opens {
    marks: OpenMarks,
    files: Receiver<OpenedFile>,
    /// Files that were not reported, by the kernel or for want of room.
    missed: Arc<AtomicU64>,
}

/// What was taken of the events.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) files: Vec<OpenedFile>,
    /// Files that were not reported up to now.
    pub(crate) missed: u64,
    /// Whether there will be no more.
    pub(crate) ended: bool,
}

impl Opens {
    /// Starts the thread; it watches nothing yet, and ends some time after this value.
    pub(crate) fn start() -> Result<Self, SensorError> {
        let watch = OpenWatch::open()?;
        let marks = watch.marks();
        let (sender, files) = sync_channel(MAX_WAITING);
        let missed = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&missed);
        let thread = std::thread::Builder::new()
            .name("opens".to_owned())
            .spawn(move || serve(watch, &sender, &shared));
        let failed = |error: io::Error| SensorError::Fanotify {
            verb: "start a thread",
            reason: error.to_string(),
        };
        thread.map_err(failed)?;
        Ok(Self { marks, files, missed })
    }

    /// The files that wait to be looked at.
    pub(crate) fn take(&self) -> Taken {
        let mut files = Vec::new();
        let mut ended = false;
        // Who opens files without end is not listened to without end.
        while files.len() < MAX_WAITING {
            match self.files.try_recv() {
                Ok(file) => files.push(file),
                Err(error) => {
                    ended = error == TryRecvError::Disconnected;
                    break;
                }
            }
        }
        Taken { files, missed: self.missed.load(Ordering::Relaxed), ended }
    }

    /// Watches the mount at the root of a container.
    pub(crate) fn watch(&self, root: &Path) -> Result<(), SensorError> {
        self.marks.watch(root)
    }
}

fn serve(mut watch: OpenWatch, files: &SyncSender<OpenedFile>, missed: &Arc<AtomicU64>) {
    let mut no_room = 0;
    while Arc::strong_count(missed) > 1 {
        let polled =
            watch.poll(TURN, &mut |file| no_room += u64::from(files.try_send(file).is_err()));
        missed.store(watch.overflows() + no_room, Ordering::Relaxed);
        if polled.is_err() {
            return;
        }
    }
}
