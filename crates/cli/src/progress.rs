//! Progress on standard error while a terminal watches.

use crate::output::Printing;
use scan::Progress;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vocabulary::Ecosystem;

/// How often the line is drawn anew.
const EVERY: Duration = Duration::from_millis(100);

/// Whether progress is to be shown.
fn shown(printing: &Printing) -> bool {
    !printing.quiet && std::io::stderr().is_terminal()
}

/// Runs `work` with a progress that is drawn while it runs.
pub(crate) fn while_reading<T: Send>(
    printing: &Printing,
    work: impl FnOnce(&Progress) -> T + Send,
) -> T {
    let progress = Progress::default();
    if !shown(printing) {
        return work(&progress);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let draw_until_done = || {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(EVERY);
                let (read, total) =
                    (progress.read.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed));
                if total > 0 && !done.load(Ordering::Relaxed) {
                    draw(&format!("reading layers  {} of {}", mib(read), mib(total)));
                }
            }
            draw("");
        };
        // Where there is no thread for it, nothing is drawn.
        let drawing = std::thread::Builder::new().spawn_scoped(scope, draw_until_done);
        let result = work(&progress);
        done.store(true, Ordering::Relaxed);
        if let Ok(drawing) = drawing {
            drawing.thread().unpark();
        }
        result
    })
}

fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

/// Replaces the progress line. Where the terminal has gone away there is nobody to tell.
fn draw(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\r\x1b[2K{}", report::one_line(text)).and_then(|()| stderr.flush());
}

/// Draws the progress of a database update.
pub(crate) struct Updating {
    shown: bool,
    last: Mutex<Option<Instant>>,
}

impl Updating {
    pub(crate) fn new(printing: &Printing) -> Self {
        Self { shown: shown(printing), last: Mutex::new(None) }
    }

    /// A database is being sent.
    pub(crate) fn sending(&self, ecosystem: &Ecosystem, bytes: u64) {
        self.line(&format!("sending the database of {ecosystem}  {}", mib(bytes)), true);
    }

    fn line(&self, text: &str, at_once: bool) {
        if !self.shown {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if at_once || last.is_none_or(|last| last.elapsed() >= EVERY) {
            *last = Some(Instant::now());
            draw(text);
        }
    }
}

impl Drop for Updating {
    fn drop(&mut self) {
        if self.shown {
            draw("");
        }
    }
}

impl advisories::Progress for Updating {
    fn downloading(&self, ecosystem: &Ecosystem, bytes: u64, of: Option<u64>) {
        let of = of.map(|of| format!(" of {}", mib(of))).unwrap_or_default();
        self.line(&format!("fetching advisories of {ecosystem}  {}{of}", mib(bytes)), false);
    }

    fn building(&self, ecosystem: &Ecosystem) {
        self.line(&format!("building the database of {ecosystem}"), true);
    }
}
