//! Refuses programs before they begin: answers fanotify's questions for containers of sealed images.
//!
//! In goes the list of an image's programs for each overlay, out come the refusals. The thread does
//! nothing else, because whoever asks waits for it. It owns the group: should it end for any reason,
//! the kernel answers what is open, and no container hangs. What cannot be judged here passes, and is
//! judged again by the event of its execution.

use crate::content::{Program, SMALL_BYTES};
use crate::digests::Shared;
use crate::process;
use crate::readers::{Pulse, Readers, Work};
use crate::seals::Sealed;
use crate::watched::may_be;
use behaviour::{Baseline, Moment, Response, response_to_program};
use sensor::{Asked, ExecGuard, SensorError, Verdict, boot_ns};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};
use vocabulary::{
    Act, Container, Digest, Event, Execution, FileIdentity, Process, Side, StandardInput,
};

/// How long who asks waits for the answer. It is given without the digest then, and what has begun is
/// judged again with the time to read it.
const DEADLINE: Duration = Duration::from_secs(2);

/// How often the thread looks at what was read while something is: a program that is started is kept
/// waiting by no more than that.
const SHORT_TURN: Duration = Duration::from_millis(1);

/// Questions of one container that are open at a time: each holds an open file. One beyond is answered
/// as if its file had not answered.
const MAX_OPEN_EACH: usize = 128;

/// The same of all containers.
const MAX_OPEN: usize = 1024;

/// After this time without a turn the thread counts as stuck.
const STUCK: Duration = Duration::from_secs(15);

/// How long the thread is waited for when the agent ends.
const LAST_TURN: Duration = Duration::from_secs(1);

/// How often the thread looks whether it is to end.
const TURN: Duration = Duration::from_millis(200);

/// Parents that are named, as many as the kernel programs give.
const MAX_PARENTS: usize = 8;

/// A container whose programs are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Protected {
    pub(crate) container: Container,
    pub(crate) sealed: Arc<Sealed>,
    /// What it wrote, to tell what was changed from what was tampered with below.
    pub(crate) written: Option<PathBuf>,
}

/// A program that was refused. It holds what it is told with: the container may have ended since.
#[derive(Debug)]
pub(crate) struct Denial {
    pub(crate) protected: Protected,
    pub(crate) event: Event,
}

/// The guard, with its thread.
#[derive(Debug)]
pub(crate) struct Guard {
    group: Weak<ExecGuard>,
    table: Table,
    denials: Receiver<Denial>,
    end: Arc<AtomicBool>,
    /// When the thread made its last turn, in nanoseconds since boot.
    turned: Arc<AtomicU64>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
}

type Table = Arc<Mutex<HashMap<u64, Protected>>>;

impl Guard {
    /// Starts the thread; it guards nothing yet.
    pub(crate) fn start(digests: Shared) -> Result<Self, SensorError> {
        let group = Arc::new(ExecGuard::open()?);
        let table = Table::default();
        let (sender, denials) = channel();
        let (running, ended) = channel();
        let end = Arc::new(AtomicBool::new(false));
        let turned = Arc::new(AtomicU64::new(boot_ns()));
        let weak = Arc::downgrade(&group);
        let (own_end, own_turned) = (Arc::clone(&end), Arc::clone(&turned));
        let mut answering = Answering::new(Arc::clone(&table), digests, sender);
        std::thread::Builder::new()
            .name("guard".to_owned())
            .spawn(move || {
                let _running: Sender<()> = running;
                while !own_end.load(Ordering::Relaxed) && answering.turn(&group).is_ok() {
                    own_turned.store(boot_ns(), Ordering::Relaxed);
                }
                // First what is open is let go, then the group with all of its marks.
                drop(answering);
                drop(group);
            })
            .map_err(|error| SensorError::Fanotify {
                verb: "start a thread",
                reason: error.to_string(),
            })?;
        Ok(Self { group: weak, table, denials, end, turned, ended })
    }

    /// Whether the thread makes no turns any more, though it has not ended.
    pub(crate) fn is_stuck(&self) -> bool {
        let since = boot_ns().saturating_sub(self.turned.load(Ordering::Relaxed));
        self.is_alive() && u128::from(since) > STUCK.as_nanos()
    }

    /// Guards the overlay of this device, which is mounted at `root`.
    pub(crate) fn protect(
        &self,
        device: u64,
        root: &Path,
        protected: Protected,
    ) -> Result<(), SensorError> {
        // First the table: a question that came before it would pass.
        lock(&self.table).insert(device, protected);
        match self.group.upgrade() {
            Some(group) => group.protect(root),
            None => Err(SensorError::Fanotify {
                verb: "guard a container",
                reason: "the answering thread has ended".to_owned(),
            }),
        }
    }

    /// Guards it no longer. The mark goes with the file system; until then every answer is yes.
    pub(crate) fn release(&self, device: u64) {
        lock(&self.table).remove(&device);
    }

    /// Whether the thread still answers.
    pub(crate) fn is_alive(&self) -> bool {
        self.group.strong_count() > 0
    }

    /// What was refused meanwhile.
    pub(crate) fn denials(&self) -> Vec<Denial> {
        self.denials.try_iter().collect()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        // With the thread the group goes, and all of its marks. One that hangs is not waited for: they
        // go with the process.
        let _: Result<(), RecvTimeoutError> = self.ended.recv_timeout(LAST_TURN);
    }
}

fn lock(table: &Table) -> MutexGuard<'_, HashMap<u64, Protected>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A question that is open.
struct Open {
    asked: Asked,
    question: Question,
}

/// What it is about.
struct Question {
    pid: u32,
    path: String,
    identity: FileIdentity,
    protected: Protected,
    at_ns: u64,
    since: Instant,
    /// Where the file lies, as soon as that is known.
    side: Arc<OnceLock<Side>>,
}

/// What the file says.
struct Looked {
    digest: Option<Digest>,
    may_be: bool,
    is_script: bool,
}

/// What the thread answers by.
struct Answering {
    table: Table,
    digests: Shared,
    denials: Sender<Denial>,
    open: HashMap<u64, Open>,
    next: u64,
    /// They share the open files of this process, since they are handed some. None can hang for the
    /// container's doing: only overlays that the engine mounted are marked ([`crate::root`]).
    readers: Readers<u64, Looked>,
}

impl Answering {
    fn new(table: Table, digests: Shared, denials: Sender<Denial>) -> Self {
        let readers = Readers::new("guard-reading", || {});
        Self { table, digests, denials, open: HashMap::new(), next: 0, readers }
    }

    /// Takes questions, and answers those that can be.
    fn turn(&mut self, group: &Arc<ExecGuard>) -> Result<(), SensorError> {
        let wait = if self.open.is_empty() { TURN } else { Duration::ZERO };
        for asked in group.asked(wait)? {
            self.take(asked)?;
        }
        if self.open.is_empty() {
            return Ok(());
        }
        for answer in self.readers.answers_within(SHORT_TURN) {
            if let Some(Open { asked, question }) = self.open.remove(&answer.subject) {
                let verdict = self.verdict(&question, answer.read);
                asked.answer(verdict)?;
            }
        }
        let over: Vec<Open> = self
            .open
            .extract_if(|_, open| open.question.since.elapsed() >= DEADLINE)
            .map(|(_, open)| open)
            .collect();
        for Open { asked, question } in over {
            let verdict = self.verdict(&question, None);
            asked.answer(verdict)?;
        }
        Ok(())
    }

    fn take(&mut self, asked: Asked) -> Result<(), SensorError> {
        let at_ns = boot_ns();
        // What is marked lies on a disk of the host: asking for its number waits for nobody else.
        let Ok((file, path, identity)) = asked.request() else {
            return asked.answer(Verdict::Allow);
        };
        let Some(protected) = lock(&self.table).get(&identity.device).cloned() else {
            return asked.answer(Verdict::Allow);
        };
        let (pid, side) = (asked.pid, Arc::default());
        let question =
            Question { pid, path, identity, protected, at_ns, since: Instant::now(), side };
        let id = &question.protected.container.id;
        let own = self.open.values().filter(|open| open.question.protected.container.id == *id);
        if own.count() >= MAX_OPEN_EACH || self.open.len() >= MAX_OPEN {
            let verdict = self.verdict(&question, None);
            return asked.answer(verdict);
        }
        let number = self.next;
        self.next += 1;
        self.readers.ask(id, number, question.work(file, self.digests.clone()));
        self.open.insert(number, Open { asked, question });
        Ok(())
    }

    /// The answer: by what was read, or, where nothing was in time, by where the file lies. What may
    /// have been written is refused then.
    fn verdict(&self, question: &Question, looked: Option<Looked>) -> Verdict {
        let Question { pid, path, identity, protected, at_ns, side, .. } = question;
        let side = side.get().copied().unwrap_or(Side::Written);
        let unread = Looked { digest: None, may_be: side == Side::Image, is_script: false };
        let Looked { digest, may_be, is_script } = looked.unwrap_or(unread);
        let execution = Execution {
            path: path.clone(),
            file: *identity,
            side,
            input: StandardInput::Other,
            digest,
        };
        let mut event = Event {
            at_ns: *at_ns,
            process: Process::default(),
            ancestors: Vec::new(),
            uid: 0,
            gid: 0,
            act: Act::Execution(execution),
        };
        let sealed = &protected.sealed;
        let baseline = Baseline::Sealed { programs: &sealed.programs, seal: &sealed.seal };
        match response_to_program(&event, baseline, Moment::Asked { may_be }) {
            Response::Leave => Verdict::Allow,
            Response::Stop => {
                describe(&mut event, path, *pid, is_script);
                let protected = protected.clone();
                // Nobody listens any more only where the agent ends.
                let _ = self.denials.send(Denial { protected, event });
                Verdict::Deny
            }
        }
    }
}

impl Question {
    /// Looks at the file, in another thread.
    fn work(&self, file: File, digests: Shared) -> Work<Looked> {
        let (protected, path) = (self.protected.clone(), self.path.clone());
        let known_side = Arc::clone(&self.side);
        Box::new(move |pulse: &Pulse| {
            let side = side(&protected, &path);
            let _ = known_side.set(side);
            let Some(mut program) = Program::of(file) else {
                return Looked { digest: None, may_be: true, is_script: false };
            };
            let bytes = program.stamp.bytes;
            let may_be = may_be(&protected.sealed.programs, &path, bytes);
            // Who asks waits while a file is read: a large one only where it may be the image's.
            let wanted = may_be || bytes <= SMALL_BYTES || side == Side::Image;
            let digest = if wanted { digests.of(&mut program, pulse) } else { None };
            Looked { digest, may_be, is_script: program.is_script() }
        })
    }
}

/// Where the file lies: what the container wrote is in its own folder.
fn side(protected: &Protected, path: &str) -> Side {
    let written = protected.written.as_deref();
    if written.is_none_or(|folder| Program::beneath(folder, path).is_some()) {
        Side::Written
    } else {
        Side::Image
    }
}

/// Who asked. The process waits for the answer, so that what is read is true.
fn describe(event: &mut Event, path: &str, pid: u32, is_script: bool) {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let caller = exe.map(|path| {
        use std::os::unix::ffi::OsStrExt as _;
        crate::content::shown(path.as_os_str().as_bytes()).trim_start_matches('/').to_owned()
    });
    // A script is not what its process would run; a program is.
    let path = if is_script { caller } else { Some(path.to_owned()) };
    event.process = Process { path, ..process::described(pid) };
    let mut parent = process::parent(pid);
    while let Some(pid) = parent.filter(|pid| *pid > 0) {
        if event.ancestors.len() >= MAX_PARENTS {
            break;
        }
        event.ancestors.push(process::described(pid));
        parent = process::parent(pid);
    }
    (event.uid, event.gid) = process::owner(pid).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use vocabulary::{Digest, Engine, FileIdentity, FileKind, FileRecord};

    fn container() -> Container {
        Container {
            engine: Engine::Docker,
            id: "ab".repeat(32),
            name: "shop".to_owned(),
            image: "shop:1".to_owned(),
            image_id: None,
            pid: None,
            started: None,
        }
    }

    fn ran(denial: &Denial) -> &Execution {
        let Act::Execution(execution) = &denial.event.act else { panic!("{denial:?}") };
        execution
    }

    /// An image that holds `bin/tool` and, without a digest, `bin/unhashed`.
    fn sealed() -> Sealed {
        let program = |path: &str, content: &str| FileRecord {
            path: path.to_owned(),
            kind: FileKind::File,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 6,
            link: None,
            attributes: std::collections::BTreeMap::new(),
            layer: None,
            digest: (!content.is_empty()).then(|| Digest::of(content.as_bytes())),
        };
        let programs =
            behaviour::AllowList::new([program("bin/tool", "sealed"), program("bin/unhashed", "")]);
        Sealed { programs, seal: Digest::of(b"seal"), name: "shop #1".to_owned() }
    }

    /// The answer for a file that the container wrote, and what was told of it; `answers` says whether
    /// its file system does.
    fn asked(path: &str, content: &[u8], answers: bool) -> (Verdict, Vec<Denial>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, content).unwrap();
        let file = fs::File::open(file).unwrap();
        let metadata = file.metadata().unwrap();
        let identity = FileIdentity { device: 7, inode: metadata.ino() };
        let protected = Protected {
            container: container(),
            sealed: Arc::new(sealed()),
            written: Some(folder.path().to_owned()),
        };
        let (sender, denials) = channel();
        let answering = Answering::new(Table::default(), Shared::default(), sender);
        let question = Question {
            pid: std::process::id(),
            path: path.to_owned(),
            identity,
            protected,
            at_ns: boot_ns(),
            since: Instant::now(),
            side: Arc::default(),
        };
        let work = question.work(file, Shared::default());
        let looked = answers.then(|| work(&Pulse::default()));
        let verdict = answering.verdict(&question, looked);
        (verdict, denials.try_iter().collect())
    }

    #[test]
    fn what_does_not_answer_in_time_is_refused_unless_it_lies_in_the_image() {
        for path in ["tmp/dropped", "bin/tool"] {
            let (verdict, denials) = asked(path, b"sealed", false);
            assert_eq!((verdict, denials.len()), (Verdict::Deny, 1), "{path}");
            assert_eq!(denials.first().map(|one| ran(one).digest.clone()), Some(None));
        }
    }

    #[test]
    fn what_the_image_does_not_hold_is_refused_before_it_begins() {
        for (path, content) in [
            ("tmp/dropped", b"miner!".as_slice()),
            ("bin/tool", b"change"),
            // The image's own program, under another name: a shell that calls itself something else.
            ("tmp/copied", b"sealed"),
        ] {
            let (verdict, denials) = asked(path, content, true);
            assert_eq!(verdict, Verdict::Deny, "{path}");
            let [denial] = denials.as_slice() else { panic!("{path}: {denials:?}") };
            assert_eq!(ran(denial).path, path);
            assert_eq!(ran(denial).digest, Some(Digest::of(content)));
        }
    }

    #[test]
    fn what_the_image_holds_or_cannot_prove_may_begin() {
        for (path, content) in [("bin/tool", b"sealed".as_slice()), ("bin/unhashed", b"what is")] {
            let (verdict, denials) = asked(path, content, true);
            assert_eq!((verdict, denials.len()), (Verdict::Allow, 0), "{path}");
        }
    }
}
