//! What was read of containers' files: to the judgement what they ran, to the lists what they used.

use crate::known::{Agent, short};
use crate::readers::Answer;
use crate::reading::{Read, Subject};
use std::time::{Duration, Instant};

/// How long the loop waits in a turn for what it asked in the same turn: known programs are answered
/// within a fraction of that, and would else wait for the next turn.
const AT_ONCE: Duration = Duration::from_millis(5);

impl Agent<'_> {
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
            None => short(container).to_owned(),
        };
        self.notice(format!(
            "container {shown}: its files do not answer; programs there count as unread, and \
             `lazaret agent --status` says for how long"
        ));
    }
}
