//! Threads that open what containers made: such a file may never answer.
//!
//! In goes a question of a container with the work that answers it, out comes the subject with the
//! answer, or without one where it did not come in time. A container that mounts a file system of its
//! own decides whether open(2) ever returns, and a thread that waits for it cannot be ended, not even by
//! a signal (FUSE, once its server has taken the request). So no other thread opens, and one that hangs
//! is written off and replaced. No container has more than a few of them: one whose files hung is
//! answered for at once, without being asked, for some time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long a reading thread may make no progress: far more than a disk under load takes for a
/// step, and less than the tenth of a minute in which somebody wants to be told of a program.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// How long an answer may take in all: a program of 1 GiB from a slow disk. Without it, a byte a second
/// would be progress.
const WHOLE: Duration = Duration::from_secs(60);

/// After this time a thread no longer counts among those that work, so that another may be started.
const SLOW: Duration = Duration::from_millis(200);

/// Threads that work at a time: what reads from a disk waits more than it computes.
const MAX_WORKING: usize = 4;

/// Threads in all, slow and hanging ones among them: some 20 KB each.
const MAX_THREADS: usize = 64;

/// Threads that one container may have at work.
const MAX_EACH: usize = 2;

/// How long a question waits for a thread: longer than its container's other one is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// Threads that may hang in all before a container gets no second attempt.
const MANY_HUNG: usize = 16;

/// How often files of a container may hang before it is not asked any more.
const MAX_STRIKES: usize = 3;

/// For how long it is not asked then; as long as its threads still hang it stays so.
const SILENCE: Duration = Duration::from_secs(60);

/// Questions that wait, of one container and of all. One beyond is not answered, which is counted and
/// said: better than a queue that holds memory without end.
const MAX_WAITING_EACH: usize = 256;
const MAX_WAITING: usize = 2048;

/// Containers of which it is remembered that their files hung.
const MAX_REMEMBERED: usize = 1024;

/// Says that the work goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Another step was made.
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What answers a question. It runs in a thread without any open files of others.
pub(crate) type Work<R> = Box<dyn FnOnce(&Pulse) -> R + Send>;

/// A subject with its answer; none where it did not come in time, or was not waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<S, R> {
    pub(crate) subject: S,
    pub(crate) read: Option<R>,
}

/// A container whose files do not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    pub(crate) container: String,
    /// Threads that hang on its files now.
    pub(crate) hung: usize,
    /// Whether it is not asked any more for now.
    pub(crate) silent: bool,
}

/// The threads, and what is asked of them. Owned by the one thread that asks.
pub(crate) struct Readers<S, R> {
    name: &'static str,
    /// What each thread does first.
    prepare: fn(),
    workers: HashMap<u64, Sender<(Work<R>, Pulse)>>,
    idle: Vec<u64>,
    running: HashMap<u64, Running<S>>,
    /// Threads that were written off, with the container whose file they wait for.
    hung: HashMap<u64, String>,
    waiting: HashMap<String, VecDeque<Waiting<S, R>>>,
    /// Containers with questions that wait, the next one first.
    turns: VecDeque<String>,
    strikes: BTreeMap<String, Strikes>,
    late: Vec<S>,
    sender: Sender<(u64, R)>,
    receiver: Receiver<(u64, R)>,
    next: u64,
    news: Vec<String>,
    /// Questions that there was no room or time for, though their container is not known to hang.
    crowded: u64,
}

struct Running<S> {
    container: String,
    subject: S,
    pulse: Pulse,
    seen: u64,
    began: Instant,
    moved: Instant,
}

struct Waiting<S, R> {
    subject: S,
    work: Work<R>,
    since: Instant,
}

#[derive(Debug)]
struct Strikes {
    count: usize,
    last: Instant,
}

impl<S, R> std::fmt::Debug for Readers<S, R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Readers").field("hung", &self.hung).finish_non_exhaustive()
    }
}

impl<S, R: Send + 'static> Readers<S, R> {
    /// No threads yet: each is started when it is needed, and calls `prepare` first.
    pub(crate) fn new(name: &'static str, prepare: fn()) -> Self {
        let (sender, receiver) = channel();
        Self {
            name,
            prepare,
            workers: HashMap::new(),
            idle: Vec::new(),
            running: HashMap::new(),
            hung: HashMap::new(),
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            strikes: BTreeMap::new(),
            late: Vec::new(),
            sender,
            receiver,
            next: 0,
            news: Vec::new(),
            crowded: 0,
        }
    }

    /// Asks; the answer comes by [`Self::answers`].
    pub(crate) fn ask(&mut self, container: &str, subject: S, work: Work<R>) {
        let now = Instant::now();
        if self.is_silent(container, now) {
            self.late.push(subject);
            return;
        }
        let all: usize = self.waiting.values().map(VecDeque::len).sum();
        let queue = self.waiting.entry(container.to_owned()).or_default();
        if queue.len() >= MAX_WAITING_EACH || all >= MAX_WAITING {
            self.crowded += 1;
            self.late.push(subject);
            return;
        }
        if queue.is_empty() {
            self.turns.push_back(container.to_owned());
        }
        queue.push_back(Waiting { subject, work, since: now });
        self.dispatch(now);
    }

    /// What was answered, or was waited for long enough.
    pub(crate) fn answers(&mut self) -> Vec<Answer<S, R>> {
        let mut answers = Vec::new();
        while let Ok(answer) = self.receiver.try_recv() {
            answers.extend(self.returned(answer));
        }
        let now = Instant::now();
        self.write_off(now);
        self.give_up_waiting(now);
        self.dispatch(now);
        let late = std::mem::take(&mut self.late);
        answers.extend(late.into_iter().map(|subject| Answer { subject, read: None }));
        answers
    }

    /// Waits for the next answer, at most for this time; it comes by [`Self::answers`] with the others.
    pub(crate) fn answers_within(&mut self, time: Duration) -> Vec<Answer<S, R>> {
        let mut answers = Vec::new();
        if self.late.is_empty() && !(self.running.is_empty() && self.waiting.is_empty()) {
            match self.receiver.recv_timeout(time) {
                Ok(answer) => answers.extend(self.returned(answer)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        answers.extend(self.answers());
        answers
    }

    /// Whether an answer may come within moments: what was asked of threads that are not slow yet.
    pub(crate) fn is_busy(&self) -> bool {
        let now = Instant::now();
        !self.late.is_empty() || self.running.values().any(|one| !one.is_slow(now))
    }

    /// Containers whose files began not to answer, since this was asked last.
    pub(crate) fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    /// Questions that there was no room for, since this was asked last.
    pub(crate) fn crowded(&mut self) -> u64 {
        std::mem::take(&mut self.crowded)
    }

    /// The containers whose files do not answer now.
    pub(crate) fn unanswered(&self) -> Vec<Unanswered> {
        let now = Instant::now();
        let mut containers: Vec<&String> = self.strikes.keys().chain(self.hung.values()).collect();
        containers.sort_unstable();
        containers.dedup();
        let all = containers.into_iter().map(|container| Unanswered {
            container: container.clone(),
            hung: self.hung_of(container),
            silent: self.is_silent(container, now),
        });
        all.filter(|one| one.hung > 0 || one.silent).collect()
    }

    fn hung_of(&self, container: &str) -> usize {
        self.hung.values().filter(|other| *other == container).count()
    }

    /// Whether it is answered for without being asked.
    fn is_silent(&self, container: &str, now: Instant) -> bool {
        let allowed = if self.hung.len() >= MANY_HUNG { 1 } else { MAX_STRIKES };
        self.hung_of(container) >= allowed
            || self.strikes.get(container).is_some_and(|strikes| {
                strikes.count >= allowed && now.duration_since(strikes.last) < SILENCE
            })
    }

    fn returned(&mut self, (worker, read): (u64, R)) -> Option<Answer<S, R>> {
        if let Some(running) = self.running.remove(&worker) {
            self.idle.push(worker);
            return Some(Answer { subject: running.subject, read: Some(read) });
        }
        // It was written off and replaced: with its sender it ends.
        self.hung.remove(&worker);
        self.workers.remove(&worker);
        None
    }

    /// Lets go of threads that make no progress.
    fn write_off(&mut self, now: Instant) {
        for one in self.running.values_mut() {
            let count = one.pulse.count();
            if count != one.seen {
                one.seen = count;
                one.moved = now;
            }
        }
        let hangs = |one: &mut Running<S>| {
            now.duration_since(one.moved) >= PATIENCE || now.duration_since(one.began) >= WHOLE
        };
        let hung: Vec<_> = self.running.extract_if(|_, one| hangs(one)).collect();
        for (worker, one) in hung {
            self.strike(&one.container, now);
            self.hung.insert(worker, one.container);
            self.late.push(one.subject);
        }
    }

    fn strike(&mut self, container: &str, now: Instant) {
        self.strikes.retain(|_, strikes| now.duration_since(strikes.last) < SILENCE);
        if !self.strikes.contains_key(container) {
            if self.strikes.len() >= MAX_REMEMBERED {
                self.strikes.pop_first();
            }
            self.news.push(container.to_owned());
        }
        let new = Strikes { count: 0, last: now };
        let strikes = self.strikes.entry(container.to_owned()).or_insert(new);
        strikes.count += 1;
        strikes.last = now;
    }

    /// Answers for what waited too long, or whose container hangs by now.
    fn give_up_waiting(&mut self, now: Instant) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for (container, queue) in &mut waiting {
            let silent = self.is_silent(container, now);
            while queue.front().is_some_and(|one| silent || now.duration_since(one.since) >= WAIT) {
                self.crowded += u64::from(!silent && self.hung_of(container) == 0);
                self.late.extend(queue.pop_front().map(|one| one.subject));
            }
        }
        waiting.retain(|_, queue| !queue.is_empty());
        self.turns.retain(|container| waiting.contains_key(container));
        self.waiting = waiting;
    }

    /// Gives what waits to threads, one container after the other.
    fn dispatch(&mut self, now: Instant) {
        for _ in 0..self.turns.len() {
            let Some(container) = self.turns.pop_front() else { return };
            if self.may_start(&container, now) {
                let Some(worker) = self.worker(now) else {
                    self.turns.push_front(container);
                    return;
                };
                self.give(worker, &container, now);
            }
            if self.waiting.get(&container).is_some_and(|queue| !queue.is_empty()) {
                self.turns.push_back(container);
            } else {
                self.waiting.remove(&container);
            }
        }
    }

    /// Whether a container may have another thread: not before it is known what the one that stands
    /// still comes to.
    fn may_start(&self, container: &str, now: Instant) -> bool {
        let own = || self.running.values().filter(|one| one.container == container);
        let stands_still = |one: &Running<S>| now.duration_since(one.moved) >= SLOW;
        own().count() < MAX_EACH
            && own().count() + self.hung_of(container) < MAX_STRIKES
            && !own().any(stands_still)
    }

    fn give(&mut self, worker: u64, container: &str, now: Instant) {
        let next = self.waiting.get_mut(container).and_then(VecDeque::pop_front);
        let (Some(Waiting { subject, work, .. }), Some(sender)) = (next, self.workers.get(&worker))
        else {
            self.idle.push(worker);
            return;
        };
        let pulse = Pulse::default();
        if sender.send((work, pulse.clone())).is_err() {
            // Its thread has ended: another takes the next.
            self.workers.remove(&worker);
            self.late.push(subject);
            return;
        }
        let container = container.to_owned();
        let running = Running { container, subject, pulse, seen: 0, began: now, moved: now };
        self.running.insert(worker, running);
    }

    /// A thread that has nothing to do, or a new one.
    fn worker(&mut self, now: Instant) -> Option<u64> {
        if let Some(idle) = self.idle.pop() {
            return Some(idle);
        }
        let working = self.running.values().filter(|one| !one.is_slow(now)).count();
        if working >= MAX_WORKING || self.workers.len() >= MAX_THREADS {
            return None;
        }
        let (sender, jobs) = channel::<(Work<R>, Pulse)>();
        let (worker, answers, prepare) = (self.next, self.sender.clone(), self.prepare);
        let thread = std::thread::Builder::new().name(self.name.to_owned()).spawn(move || {
            prepare();
            for (work, pulse) in jobs {
                if answers.send((worker, work(&pulse))).is_err() {
                    return;
                }
            }
        });
        // Without threads to be had, what waits is given up in time.
        thread.ok()?;
        self.next += 1;
        self.workers.insert(worker, sender);
        Some(worker)
    }
}

impl<S> Running<S> {
    fn is_slow(&self, now: Instant) -> bool {
        now.duration_since(self.began) >= SLOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    type Pool = Readers<u32, u32>;

    fn pool() -> Pool {
        Readers::new("test", || {})
    }

    /// Work that ends when its sender is dropped.
    fn hanging() -> (Sender<()>, Work<u32>) {
        let (let_go, wait) = channel::<()>();
        let wait = Mutex::new(wait);
        let work = move |_: &Pulse| {
            let _ = wait.lock().unwrap().recv();
            0
        };
        (let_go, Box::new(work))
    }

    /// The answer about this subject, with how long it took.
    fn answer(pool: &mut Pool, subject: u32) -> (Option<u32>, Duration) {
        let began = Instant::now();
        loop {
            let answers = pool.answers_within(Duration::from_millis(20));
            if let Some(answer) = answers.into_iter().find(|answer| answer.subject == subject) {
                return (answer.read, began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(1));
            assert!(began.elapsed() < Duration::from_secs(60), "{subject} is not answered");
        }
    }

    #[test]
    fn what_does_not_answer_is_given_up_and_others_are_answered_meanwhile() {
        let mut pool = pool();
        let (_held, work) = hanging();
        pool.ask("hostile", 1, work);
        pool.ask("other", 2, Box::new(|_| 7));
        assert_eq!(answer(&mut pool, 2).0, Some(7));
        let (read, took) = answer(&mut pool, 1);
        assert!(read.is_none() && took >= PATIENCE / 2, "{took:?}");
        assert_eq!(pool.news(), ["hostile"]);
        let hostile = Unanswered { container: "hostile".to_owned(), hung: 1, silent: false };
        assert_eq!(pool.unanswered(), [hostile]);
    }

    #[test]
    fn a_container_whose_files_hang_holds_few_threads_and_is_then_not_asked() {
        let mut pool = pool();
        let mut held = Vec::new();
        for subject in 0..40 {
            let (let_go, work) = hanging();
            held.push(let_go);
            pool.ask("hostile", subject, work);
        }
        for subject in 100..120 {
            pool.ask("other", subject, Box::new(|_| 7));
        }
        let (mut late, mut read) = (0, 0);
        let began = Instant::now();
        while late + read < 60 {
            for answer in pool.answers_within(Duration::from_millis(20)) {
                late += u32::from(answer.subject < 100 && answer.read.is_none());
                read += u32::from(answer.subject >= 100 && answer.read == Some(7));
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{late} {read}");
        }
        assert_eq!((late, read), (40, 20));
        assert!(pool.hung.len() <= MAX_STRIKES, "{:?}", pool.hung);
        assert!(pool.unanswered().iter().all(|one| one.silent && one.container == "hostile"));
        // From now on without waiting.
        pool.ask("hostile", 50, Box::new(|_| 7));
        let (read, took) = answer(&mut pool, 50);
        assert!(read.is_none() && took < PATIENCE / 2, "{took:?}");
        pool.ask("other", 51, Box::new(|_| 8));
        assert_eq!(answer(&mut pool, 51).0, Some(8));
    }

    #[test]
    fn a_thread_that_comes_back_late_ends_and_its_answer_counts_for_nothing() {
        let mut pool = pool();
        let (let_go, work) = hanging();
        pool.ask("slow", 1, work);
        assert_eq!(answer(&mut pool, 1).0, None);
        drop(let_go);
        let began = Instant::now();
        while !pool.hung.is_empty() {
            assert!(pool.answers().is_empty() && began.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(pool.workers.is_empty() && pool.unanswered().is_empty());
        pool.ask("slow", 2, Box::new(|_| 7));
        assert_eq!(answer(&mut pool, 2).0, Some(7), "one time is forgiven");
    }

    #[test]
    fn what_makes_progress_is_waited_for() {
        let mut pool = pool();
        let work = |pulse: &Pulse| {
            for _ in 0..25 {
                std::thread::sleep(PATIENCE / 20);
                pulse.beat();
            }
            9
        };
        pool.ask("large", 1, Box::new(work));
        assert_eq!(answer(&mut pool, 1).0, Some(9));
    }

    #[test]
    fn a_flood_of_questions_is_bounded_and_counted() {
        let mut pool = pool();
        let (_held, work) = hanging();
        pool.ask("flood", 0, work);
        let (_held_too, work) = hanging();
        pool.ask("flood", 0, work);
        for subject in 1..=300 {
            pool.ask("flood", subject, Box::new(|_| 7));
        }
        pool.ask("other", 1000, Box::new(|_| 7));
        assert_eq!(answer(&mut pool, 1000).0, Some(7));
        assert_eq!(pool.crowded(), 300 - MAX_WAITING_EACH as u64);
    }

    #[test]
    fn threads_that_hang_are_bounded_whatever_number_of_containers_does_it() {
        let mut pool = pool();
        let mut held = Vec::new();
        for round in 0..40 {
            for container in 0..40 {
                let (let_go, work) = hanging();
                held.push(let_go);
                pool.ask(&format!("hostile{container}"), round, work);
            }
        }
        let began = Instant::now();
        while began.elapsed() < 3 * PATIENCE {
            pool.answers_within(Duration::from_millis(20));
        }
        assert!(pool.workers.len() <= MAX_THREADS, "{}", pool.workers.len());
        pool.ask("honest", 9999, Box::new(|_| 7));
        assert_eq!(answer(&mut pool, 9999).0, Some(7), "there is a thread left for others");
    }
}
