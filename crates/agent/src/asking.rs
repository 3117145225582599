//! Asks engines in threads of their own: an engine that is busy starting a container answers late, one
//! that hangs does not answer at all, and neither events nor the other engine must wait for it.

use engine::{ContainerDetails, Containerd, Docker, Endpoints, EngineError};
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
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
        /// The engine's words.
        reason: String,
        /// Whether they say only that it has no such container.
        says_little: bool,
    },
    /// All that run.
    Running(Vec<Container>),
}

/// What engines say at the start.
#[derive(Debug, Default)]
pub(crate) struct First {
    /// How many containers run, of which some may not be described.
    pub(crate) pids: Vec<u32>,
    /// Those that were described in time.
    pub(crate) details: Vec<ContainerDetails>,
    /// What could not be told, in words.
    pub(crate) errors: Vec<String>,
    /// Whether any engine is there.
    pub(crate) listens: bool,
}

/// A part of that.
enum Part {
    Running(Vec<Container>, Vec<EngineError>, bool),
    Described(Box<ContainerDetails>),
    NotDescribed(String),
}

/// Asks for the containers that run, and waits for the answers, at most for this time. What is late is
/// left out, and said to be: it comes later, as for a container that starts.
pub(crate) fn first(endpoints: &Endpoints, time: Duration) -> First {
    let end = Instant::now() + time;
    let (sender, parts) = channel();
    let endpoints = endpoints.clone();
    // Without a thread to be had its end of the channel is closed, as if nothing was answered.
    let _ = std::thread::Builder::new()
        .name("engines".to_owned())
        .spawn(move || tell_all(&endpoints, &sender));
    let mut first = First { listens: true, ..First::default() };
    // The list, and then one part for each container of it.
    let mut expected = 1;
    while expected > 0 {
        match parts.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Part::Running(running, errors, listens)) => {
                expected += running.len();
                first.pids = running.iter().filter_map(|one| one.pid).collect();
                first.errors.extend(errors.iter().map(ToString::to_string));
                first.listens = listens;
            }
            Ok(Part::Described(details)) => first.details.push(*details),
            Ok(Part::NotDescribed(reason)) => first.errors.push(reason),
            Err(_) => {
                let seconds = time.as_secs();
                first.errors.push(format!(
                    "engines do not answer within {seconds} s; they are asked again"
                ));
                break;
            }
        }
        expected -= 1;
    }
    first
}

fn tell_all(endpoints: &Endpoints, parts: &Sender<Part>) {
    let (running, errors) = engine::containers(endpoints);
    let listens = !running.is_empty() || !errors.is_empty() || engine::any_listens(endpoints);
    let names: Vec<_> =
        running.iter().map(|one| (one.id.clone(), one.shown().to_owned())).collect();
    let mut open = parts.send(Part::Running(running, errors, listens)).is_ok();
    for (id, shown) in names {
        let part = match engine::container(endpoints, &id) {
            Ok(details) => Part::Described(Box::new(details)),
            Err(error) => Part::NotDescribed(format!("container {shown}: {error}")),
        };
        open = open && parts.send(part).is_ok();
    }
}

/// How long the word of containerd about a container waits for Docker's, which may run it and knows
/// more. Docker that does not answer holds up nobody for longer.
const PRECEDENCE: Duration = Duration::from_secs(3);

/// The engines, of which each is asked in a thread of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asked {
    Docker,
    Containerd,
}

/// The threads, and what was asked of them.
#[derive(Debug)]
pub(crate) struct Asker {
    questions: Vec<(Asked, SyncSender<Question>)>,
    answers: Receiver<(Asked, Question, Answer)>,
    /// Those that are not answered yet. An engine that is slow is not asked the same again: it would
    /// answer each time, and what is asked next would wait for all of that.
    open: HashSet<(Asked, Question)>,
    /// When each was asked last.
    asked: HashMap<Question, Instant>,
    /// What containerd said of a container, until Docker has answered too.
    held: Vec<(Question, Answer, Instant)>,
}

impl Asker {
    /// Starts the threads. They end with this value.
    pub(crate) fn start(endpoints: &Endpoints) -> std::io::Result<Self> {
        let (replies, answers) = channel();
        let mut questions = Vec::new();
        for asked in [Asked::Docker, Asked::Containerd] {
            let (sender, waiting) = sync_channel(MAX_WAITING);
            let (endpoints, replies) = (endpoints.clone(), replies.clone());
            std::thread::Builder::new()
                .name("engines".to_owned())
                .spawn(move || serve(asked, &endpoints, &waiting, &replies))?;
            questions.push((asked, sender));
        }
        Ok(Self {
            questions,
            answers,
            open: HashSet::new(),
            asked: HashMap::new(),
            held: Vec::new(),
        })
    }

    /// Asks, unless the same was asked less than `pause` ago.
    pub(crate) fn ask(&mut self, question: &Question, pause: Duration) {
        if self.asked.get(question).is_some_and(|asked| asked.elapsed() < pause) {
            return;
        }
        for (asked, questions) in &self.questions {
            let key = (*asked, question.clone());
            // What there is no room for is asked again at the next turn.
            if !self.open.contains(&key) && questions.try_send(question.clone()).is_ok() {
                self.asked.insert(question.clone(), Instant::now());
                self.open.insert(key);
            }
        }
        if self.asked.len() > MAX_WAITING {
            self.asked.retain(|_, asked| asked.elapsed() < Duration::from_secs(10));
        }
    }

    /// What came back meanwhile.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Ok((asked, question, answer)) = self.answers.try_recv() {
            self.open.remove(&(asked, question.clone()));
            let says_what = matches!(answer, Answer::Container(_) | Answer::Starting(_));
            match asked {
                Asked::Docker if says_what => {
                    self.held.retain(|(other, ..)| *other != question);
                    answers.push(answer);
                }
                Asked::Containerd if says_what => {
                    self.held.push((question, answer, Instant::now()));
                }
                Asked::Docker | Asked::Containerd => answers.push(answer),
            }
        }
        let open = &self.open;
        let waits = |question: &Question, since: &Instant| {
            open.contains(&(Asked::Docker, question.clone())) && since.elapsed() < PRECEDENCE
        };
        let free = self.held.extract_if(.., |(question, _, since)| !waits(question, since));
        answers.extend(free.map(|(_, answer, _)| answer));
        answers
    }
}

fn serve(
    asked: Asked,
    endpoints: &Endpoints,
    waiting: &Receiver<Question>,
    replies: &Sender<(Asked, Question, Answer)>,
) {
    for question in waiting {
        let answer = match asked {
            Asked::Docker => docker(endpoints, question.clone()),
            Asked::Containerd => containerd(endpoints, question.clone()),
        };
        if replies.send((asked, question, answer)).is_err() {
            return;
        }
    }
}

fn docker(endpoints: &Endpoints, question: Question) -> Answer {
    let docker = Docker::connect(endpoints);
    match question {
        Question::Running => {
            Answer::Running(docker.and_then(|docker| docker.containers()).unwrap_or_default())
        }
        // Docker's list names a container before its start is over.
        Question::Starting(id) => match docker.and_then(|docker| docker.starting(&id)) {
            Ok(container) => Answer::Starting(container),
            Err(error) => unknown(id, &error),
        },
        Question::Container(id) => {
            let details = docker.and_then(|docker| docker.container(&id));
            described(id, details)
        }
    }
}

fn containerd(endpoints: &Endpoints, question: Question) -> Answer {
    let containerd = Containerd::connect(endpoints);
    match question {
        Question::Running => {
            Answer::Running(containerd.and_then(|engine| engine.containers()).unwrap_or_default())
        }
        Question::Starting(id) | Question::Container(id) => {
            let details = containerd.and_then(|engine| engine.container(&id));
            described(id, details)
        }
    }
}

fn described(id: String, details: Result<ContainerDetails, EngineError>) -> Answer {
    match details {
        Ok(details) if details.container.id == id => Answer::Container(Box::new(details)),
        Ok(_) => {
            let reason = "another container has that name".to_owned();
            Answer::Unknown { id, reason, says_little: false }
        }
        Err(error) => unknown(id, &error),
    }
}

fn unknown(id: String, error: &EngineError) -> Answer {
    let says_little =
        matches!(error, EngineError::NotThere { .. } | EngineError::NoContainer { .. });
    Answer::Unknown { id, reason: error.to_string(), says_little }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Engine;

    /// An asker without threads: what Docker and containerd are asked, and where answers go.
    #[expect(clippy::type_complexity, reason = "four ends of channels")]
    fn asker() -> (Asker, Receiver<Question>, Receiver<Question>, Sender<(Asked, Question, Answer)>)
    {
        let (docker, asked_docker) = sync_channel(MAX_WAITING);
        let (containerd, asked_containerd) = sync_channel(MAX_WAITING);
        let (replies, answers) = channel();
        let questions = vec![(Asked::Docker, docker), (Asked::Containerd, containerd)];
        let (open, asked) = (HashSet::new(), HashMap::new());
        let asker = Asker { questions, answers, open, asked, held: Vec::new() };
        (asker, asked_docker, asked_containerd, replies)
    }

    fn details(engine: Engine) -> Answer {
        let container = Container {
            engine,
            id: "a".to_owned(),
            name: "shop".to_owned(),
            image: "shop:1".to_owned(),
            image_id: None,
            pid: None,
            started: None,
        };
        Answer::Container(Box::new(ContainerDetails { container, layers: Vec::new() }))
    }

    #[test]
    fn what_is_not_answered_yet_is_not_asked_again() {
        let (mut asker, docker, containerd, replies) = asker();
        let question = Question::Container("a".to_owned());
        for _ in 0..3 {
            asker.ask(&question, Duration::ZERO);
            asker.ask(&Question::Running, Duration::ZERO);
        }
        assert_eq!((docker.try_iter().count(), containerd.try_iter().count()), (2, 2));
        replies.send((Asked::Docker, question.clone(), Answer::Running(Vec::new()))).unwrap();
        assert_eq!(asker.answers().len(), 1);
        asker.ask(&question, Duration::from_secs(60));
        assert_eq!(docker.try_iter().count(), 0, "it was asked a moment ago");
        asker.ask(&question, Duration::ZERO);
        assert_eq!((docker.try_iter().count(), containerd.try_iter().count()), (1, 0));
    }

    #[test]
    fn an_engine_that_does_not_answer_holds_up_the_other_only_for_a_moment() {
        let (mut asker, _docker, _containerd, replies) = asker();
        let question = Question::Container("a".to_owned());
        asker.ask(&question, Duration::ZERO);
        let said = |engine| (Asked::Containerd, question.clone(), details(engine));
        replies.send(said(Engine::Containerd)).unwrap();
        assert!(asker.answers().is_empty(), "Docker may know more");
        replies.send((Asked::Docker, question.clone(), details(Engine::Docker))).unwrap();
        assert_eq!(asker.answers().len(), 1);
        asker.ask(&question, Duration::ZERO);
        replies.send(said(Engine::Containerd)).unwrap();
        let began = Instant::now();
        while asker.answers().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(began.elapsed() >= PRECEDENCE / 2);
    }
}
