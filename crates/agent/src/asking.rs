//! Asks engines in a thread of its own: an engine that is busy starting a container answers late, and
//! events of others must not wait for it.

use engine::{ContainerDetails, Containerd, Docker, Endpoints};
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};
use vocabulary::Container;

/// Questions that wait: more containers than that are not started at once on one node.
const MAX_WAITING: usize = 256;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// A container by its id. Docker answers only when its start is over.
    Container(String),
    /// A container that is being started, by its id.
    Starting(String),
    /// All that run.
    Running,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A container, with its folders where they could be told.
    Container(Box<ContainerDetails>),
    /// A container that is being started: without its process and folders.
    Starting(Container),
    /// No engine knows it, or none says enough yet.
    Unknown {
        /// What was asked for.
        id: String,
        /// The last engine's words.
        reason: String,
    },
    /// All that run.
    Running(Vec<Container>),
}

/// The thread, and what was asked of it.
#[derive(Debug)]
pub(crate) struct Asker {
    questions: SyncSender<Question>,
    answers: Receiver<(Question, Answer)>,
    /// Those that are not answered yet. An engine that is slow is not asked the same again: it would
    /// answer each time, and what is asked next would wait for all of that.
    open: HashSet<Question>,
    /// When each was asked last.
    asked: HashMap<Question, Instant>,
}

impl Asker {
    /// Starts the thread. It ends with this value.
    pub(crate) fn start(endpoints: Endpoints) -> std::io::Result<Self> {
        let (questions, waiting) = sync_channel(MAX_WAITING);
        let (replies, answers) = channel();
        std::thread::Builder::new()
            .name("engines".to_owned())
            .spawn(move || serve(&endpoints, &waiting, &replies))?;
        Ok(Self { questions, answers, open: HashSet::new(), asked: HashMap::new() })
    }

    /// Asks, unless the same was asked less than `pause` ago.
    pub(crate) fn ask(&mut self, question: &Question, pause: Duration) {
        if self.open.contains(question)
            || self.asked.get(question).is_some_and(|asked| asked.elapsed() < pause)
        {
            return;
        }
        match self.questions.try_send(question.clone()) {
            Ok(()) => {
                self.asked.insert(question.clone(), Instant::now());
                self.open.insert(question.clone());
            }
            // It is asked again at the next turn.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
        if self.asked.len() > MAX_WAITING {
            self.asked.retain(|_, asked| asked.elapsed() < Duration::from_secs(10));
        }
    }

    /// What came back meanwhile.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        let answered: Vec<_> = self.answers.try_iter().collect();
        let answers = answered.into_iter().map(|(question, answer)| {
            self.open.remove(&question);
            answer
        });
        answers.collect()
    }
}

fn serve(
    endpoints: &Endpoints,
    waiting: &Receiver<Question>,
    replies: &Sender<(Question, Answer)>,
) {
    for question in waiting {
        let answer = match question.clone() {
            Question::Running => Answer::Running(engine::containers(endpoints).0),
            Question::Starting(id) => starting(endpoints, id),
            Question::Container(id) => match engine::container(endpoints, &id) {
                Ok(details) if details.container.id == id => Answer::Container(Box::new(details)),
                Ok(_) => Answer::Unknown { id, reason: "another container has that name".into() },
                Err(error) => Answer::Unknown { id, reason: error.to_string() },
            },
        };
        if replies.send((question, answer)).is_err() {
            return;
        }
    }
}

/// What there is to say of a container before its start is over: Docker's list names it, containerd
/// describes it.
fn starting(endpoints: &Endpoints, id: String) -> Answer {
    let docker = Docker::connect(endpoints).and_then(|docker| docker.starting(&id));
    if let Ok(container) = docker {
        return Answer::Starting(container);
    }
    match Containerd::connect(endpoints).and_then(|engine| engine.container(&id)) {
        Ok(details) => Answer::Container(Box::new(details)),
        Err(error) => Answer::Unknown { id, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_answered_yet_is_not_asked_again() {
        let (questions, waiting) = sync_channel(MAX_WAITING);
        let (replies, answers) = channel();
        let mut asker = Asker { questions, answers, open: HashSet::new(), asked: HashMap::new() };
        let question = Question::Container("a".to_owned());
        for _ in 0..3 {
            asker.ask(&question, Duration::ZERO);
            asker.ask(&Question::Running, Duration::ZERO);
        }
        assert_eq!(waiting.try_iter().count(), 2);
        replies.send((question.clone(), Answer::Running(Vec::new()))).unwrap();
        assert_eq!(asker.answers().len(), 1);
        asker.ask(&question, Duration::from_secs(60));
        assert_eq!(waiting.try_iter().count(), 0, "it was asked a moment ago");
        asker.ask(&question, Duration::ZERO);
        assert_eq!(waiting.try_iter().count(), 1);
    }
}
