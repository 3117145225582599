//! What of a container's files is read, and what comes of it. All of it is done by [`Readers`].
//!
//! In go what a container ran or opened and the processes whose files are in use, out come digests for
//! the judgement and paths for the list of what was used.

use crate::content::is_file_beneath;
use crate::digests::Shared;
use crate::judging::Case;
use crate::places::Place;
use crate::process;
use crate::readers::{Answer, Pulse, Work};
use crate::run::Agent;
use crate::usage::{MAX_FILES, mapped};
use crate::watched::Wanted;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vocabulary::Digest;

/// How long the loop waits in a turn for what it asked in the same turn: known programs are answered
/// within a fraction of that, and would else wait for the next turn.
const AT_ONCE: Duration = Duration::from_millis(5);

/// What a question is about.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A program that began.
    Case(Box<Case>),
    /// So many paths that a container opened.
    Opened { container: String, paths: usize },
    /// What processes of a container have mapped.
    Mapped { container: String },
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Read {
    /// The digest of a program, where it could be had, and whether the file may have held something
    /// else when it began.
    Program { digest: Option<Digest>, doubtful: bool },
    /// Paths, each with whether the image has it.
    Used(Vec<(String, bool)>),
}

/// Reads and hashes a program.
pub(crate) fn program(wanted: Wanted, digests: Shared) -> Work<Read> {
    Box::new(move |pulse| {
        let nothing = Read::Program { digest: None, doubtful: false };
        let Some(mut found) = wanted.open() else { return nothing };
        let digest = digests.of(&mut found.program, pulse);
        Read::Program { digest, doubtful: found.doubtful }
    })
}

fn used(layers: &[PathBuf], paths: Vec<String>, pulse: &Pulse) -> Read {
    let in_image = |path: &String| {
        pulse.beat();
        layers.is_empty() || layers.iter().any(|layer| is_file_beneath(layer, path))
    };
    Read::Used(
        paths
            .into_iter()
            .map(|path| (in_image(&path), path))
            .map(|(is, path)| (path, is))
            .collect(),
    )
}

impl Agent<'_> {
    /// Takes note of a file that a container used, by the path that it sees.
    pub(crate) fn note_used(&mut self, container: &str, path: &str) {
        let Some(watched) = self.watched.get_mut(container) else { return };
        if watched.used.is_new(path) {
            self.opened.entry(container.to_owned()).or_default().push(path.to_owned());
        }
    }

    /// Asks which of the files that were opened in this turn are the image's.
    pub(crate) fn ask_whose(&mut self) {
        for (container, paths) in std::mem::take(&mut self.opened) {
            let Some(watched) = self.watched.get(&container) else { continue };
            let layers: Arc<[PathBuf]> = Arc::clone(&watched.folders.image);
            let subject = Subject::Opened { container: container.clone(), paths: paths.len() };
            let work = move |pulse: &Pulse| used(&layers, paths, pulse);
            self.readers.ask(&container, subject, Box::new(work));
        }
    }

    /// Asks what processes of a container run and have mapped: reading that takes a lock of the
    /// process, which one that waits for a file of its own may hold for ever.
    pub(crate) fn ask_mapped(&mut self, container: &str, pids: Vec<u32>) {
        let Some(watched) = self.watched.get(container) else { return };
        let Some(device) = watched.folders.device else { return };
        let device = (device >> 20, device & 0xf_ffff);
        let layers = Arc::clone(&watched.folders.image);
        let subject = Subject::Mapped { container: container.to_owned() };
        let work = move |pulse: &Pulse| {
            let mut paths = std::collections::BTreeSet::new();
            for pid in pids {
                pulse.beat();
                let maps = process::read(pid, "maps").unwrap_or_default();
                paths.extend(
                    mapped(&maps, device).map(|path| path.trim_start_matches('/').to_owned()),
                );
                if paths.len() > MAX_FILES {
                    break;
                }
            }
            used(&layers, paths.into_iter().collect(), pulse)
        };
        self.readers.ask(container, subject, Box::new(work));
    }

    /// What was read meanwhile. Waits a moment for what was asked just now, not for what is slow.
    pub(crate) fn collect_read(&mut self) {
        self.settle(AT_ONCE);
        for container in self.readers.news() {
            self.notice_unanswered(&container);
        }
    }

    /// Waits for what was asked of threads that are not slow, at most for this time.
    pub(crate) fn settle(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let answers = if left.is_zero() || !self.readers.is_busy() {
                self.readers.answers()
            } else {
                self.readers.answers_within(left)
            };
            let none = answers.is_empty();
            answers.into_iter().for_each(|answer| self.was_read(answer));
            if left.is_zero() || (none && !self.readers.is_busy()) {
                return;
            }
        }
    }

    fn was_read(&mut self, answer: Answer<Subject, Read>) {
        match (answer.subject, answer.read) {
            (Subject::Case(case), Some(Read::Program { digest, doubtful })) => {
                self.finish_read(case.doubted(doubtful), digest);
            }
            (Subject::Case(case), _) => self.finish_read(*case, None),
            (
                Subject::Opened { container, .. } | Subject::Mapped { container },
                Some(Read::Used(paths)),
            ) => {
                if let Some(watched) = self.watched.get_mut(&container) {
                    paths.iter().for_each(|(path, in_image)| watched.used.add(path, *in_image));
                }
            }
            (Subject::Opened { container, paths }, _) => self.not_listed(&container, paths),
            (Subject::Mapped { container }, _) => self.not_listed(&container, 1),
        }
    }

    fn not_listed(&mut self, container: &str, count: usize) {
        if let Some(watched) = self.watched.get_mut(container) {
            watched.used.lost(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Says that files of a container do not answer.
    fn notice_unanswered(&mut self, container: &str) {
        let shown = match self.watched.get(container) {
            Some(watched) => watched.container.shown().to_owned(),
            None => crate::containers::short(container).to_owned(),
        };
        self.notice(format!(
            "container {shown}: its files do not answer; programs there count as unread, and \
             `lazaret agent --status` says for how long"
        ));
    }

    /// The container that a process is in.
    pub(crate) fn container_of(&self, pid: u32) -> Option<String> {
        let group = self.hierarchy.of_process(pid)?;
        group.ids.iter().filter_map(|id| self.places.get(*id)).find_map(|place| match place {
            Place::Container(id) => Some(id.clone()),
            Place::Expected(_) | Place::Outside => None,
        })
    }
}

/// Paths that containers opened in this turn.
pub(crate) type Opened = HashMap<String, Vec<String>>;
