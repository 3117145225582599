//! Writes what is kept, in a thread of its own: a disk that is slow, full or gone holds up no event.
//!
//! In go names and contents, out come the errors. Files are written in their order, each whole.

use files::{Access, Folder};
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// Files that wait to be written: what does not fit is written at the next turn. Each is some 100 KB at
/// most.
const MAX_WAITING: usize = 32;

/// Bytes of a file of ours that are read again.
const MAX_BYTES: u64 = 8 << 20;

/// A file of the state folder.
#[derive(Debug)]
pub(crate) struct Page {
    /// The folder in the state folder; none where it lies in that itself.
    pub(crate) folder: Option<&'static str>,
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// The thread.
#[derive(Debug)]
pub(crate) struct Writer {
    pages: SyncSender<Page>,
    written: Receiver<io::Result<()>>,
    open: usize,
}

impl Writer {
    /// Starts the thread; `prepare` is what it does first.
    pub(crate) fn start(state: &Path, prepare: fn()) -> io::Result<Self> {
        let (pages, waiting) = sync_channel(MAX_WAITING);
        let (results, written) = channel();
        let state = state.to_owned();
        std::thread::Builder::new().name("writing".to_owned()).spawn(move || {
            prepare();
            serve(&state, &waiting, &results);
        })?;
        Ok(Self { pages, written, open: 0 })
    }

    /// Whether there is room for one more.
    pub(crate) const fn has_room(&self) -> bool {
        self.open < MAX_WAITING
    }

    /// Has a file written.
    pub(crate) fn write(&mut self, page: Page) -> io::Result<()> {
        match self.pages.try_send(page) {
            Ok(()) => {
                self.open += 1;
                Ok(())
            }
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer")),
        }
    }

    /// What became of files, since this was asked last.
    pub(crate) fn written(&mut self) -> Vec<io::Result<()>> {
        let written: Vec<_> = self.written.try_iter().collect();
        self.open = self.open.saturating_sub(written.len());
        written
    }

    /// Waits for room, or, with `all`, until everything is written; whether it came to that in time.
    pub(crate) fn wait(&mut self, all: bool, time: Duration) -> bool {
        let end = Instant::now() + time;
        while self.open > 0 && (all || !self.has_room()) {
            let left = end.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(left) {
                Ok(_) => self.open -= 1,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }
}

fn serve(state: &Path, waiting: &Receiver<Page>, results: &Sender<io::Result<()>>) {
    for page in waiting {
        let folder = page.folder.map_or_else(|| state.to_owned(), |name| state.join(name));
        let written = Folder::own(&folder)
            .and_then(|folder| folder.write(&page.name, &page.content, Access::Private));
        if results.send(written).is_err() {
            return;
        }
    }
}

/// What an earlier run wrote, if it can be believed.
pub(crate) fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let folder = Folder::open(folder).ok()?;
    let is_ours = folder.distrust().ok()?.is_none();
    is_ours.then(|| folder.read(Path::new(name), MAX_BYTES).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str, content: &str) -> Page {
        Page { folder: Some("usage"), name: name.to_owned(), content: content.into() }
    }

    #[test]
    fn files_are_written_in_order_and_whole() {
        let state = tempfile::tempdir().unwrap();
        let mut writer = Writer::start(state.path(), || {}).unwrap();
        for content in ["first", "second"] {
            writer.write(page("a.json", content)).unwrap();
        }
        assert!(writer.wait(true, Duration::from_secs(30)));
        assert_eq!(read(&state.path().join("usage"), "a.json").unwrap(), b"second");
        assert_eq!(std::fs::read_dir(state.path().join("usage")).unwrap().count(), 1);
    }

    #[test]
    fn a_disk_that_does_not_answer_is_waited_for_no_longer_than_said() {
        let (pages, _waiting) = sync_channel(MAX_WAITING);
        let (_results, written) = channel();
        let mut writer = Writer { pages, written, open: 0 };
        let full = (0..MAX_WAITING + 3).filter(|_| writer.write(page("a", "x")).is_err()).count();
        assert_eq!(full, 3);
        assert!(!writer.has_room() && !writer.wait(false, Duration::from_millis(20)));
    }

    #[test]
    fn errors_come_back() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join("usage"), "no folder").unwrap();
        let mut writer = Writer::start(state.path(), || {}).unwrap();
        writer.write(page("a.json", "x")).unwrap();
        let began = Instant::now();
        let mut written = Vec::new();
        while written.is_empty() && began.elapsed().as_secs() < 30 {
            written = writer.written();
        }
        assert!(written.iter().all(Result::is_err) && written.len() == 1);
    }
}
