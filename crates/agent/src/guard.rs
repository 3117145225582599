//! Refuses programs before they begin: answers fanotify's questions for containers of sealed images.
//!
//! In goes the list of an image's programs for each overlay, out come the refusals. The thread does
//! nothing else, because whoever asks waits for it. It owns the group: should it end for any reason,
//! the kernel answers what is open, and no container hangs. What cannot be judged here passes, and is
//! judged again by the event of its execution.

use crate::content::{Program, SMALL_BYTES};
use crate::hashing::Shared;
use crate::process;
use crate::seals::Sealed;
use crate::watched::may_be;
use behaviour::{Baseline, Judge, Moment, Response};
use sensor::{ExecGuard, ExecRequest, SensorError, Verdict, boot_ns};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use vocabulary::{Container, Execution, Process, Side, StandardInput};

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
    pub(crate) execution: Execution,
}

/// The guard, with its thread.
#[derive(Debug)]
pub(crate) struct Guard {
    group: Weak<ExecGuard>,
    table: Table,
    denials: Receiver<Denial>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

type Table = Arc<Mutex<HashMap<u64, Protected>>>;

impl Guard {
    /// Starts the thread; it guards nothing yet.
    pub(crate) fn start(digests: Shared) -> Result<Self, SensorError> {
        let group = Arc::new(ExecGuard::open()?);
        let table = Table::default();
        let (sender, denials) = channel();
        let end = Arc::new(AtomicBool::new(false));
        let weak = Arc::downgrade(&group);
        let (own_table, own_end) = (Arc::clone(&table), Arc::clone(&end));
        let answering = Answering { table: own_table, digests, denials: sender };
        let thread = std::thread::Builder::new()
            .name("guard".to_owned())
            .spawn(move || {
                while !own_end.load(Ordering::Relaxed) {
                    let mut judge = |request: ExecRequest<'_>| answering.verdict(&request);
                    if group.serve(TURN, &mut judge).is_err() {
                        return;
                    }
                }
            })
            .map_err(|error| SensorError::Fanotify {
                verb: "start a thread",
                reason: error.to_string(),
            })?;
        Ok(Self { group: weak, table, denials, end, thread: Some(thread) })
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
        if let Some(thread) = self.thread.take() {
            // With the thread the group goes, and all of its marks.
            let _ = thread.join();
        }
    }
}

fn lock(table: &Table) -> MutexGuard<'_, HashMap<u64, Protected>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread answers by.
struct Answering {
    table: Table,
    digests: Shared,
    denials: Sender<Denial>,
}

impl Answering {
    fn verdict(&self, request: &ExecRequest<'_>) -> Verdict {
        let at_ns = boot_ns();
        let Some(protected) = lock(&self.table).get(&request.identity.device).cloned() else {
            return Verdict::Allow;
        };
        let Some(mut program) = request.file.try_clone().ok().and_then(Program::of) else {
            return Verdict::Allow;
        };
        let sealed = &protected.sealed;
        // Everybody waits while a file is read: a large one only where it may be the image's.
        let bytes = program.stamp.bytes;
        let may_be = may_be(&sealed.programs, &request.path, bytes);
        let side = side(&protected, &request.path);
        let wanted = may_be || bytes <= SMALL_BYTES || side == Side::Image;
        let digest = if wanted { self.digests.of(&mut program) } else { None };
        let mut execution = Execution {
            at_ns,
            process: Process::default(),
            ancestors: Vec::new(),
            uid: 0,
            gid: 0,
            path: request.path.clone(),
            file: request.identity,
            side,
            input: StandardInput::Other,
            digest,
        };
        let baseline = Baseline::Sealed { programs: &sealed.programs, seal: &sealed.seal };
        match Judge::response(&execution, baseline, Moment::Asked { may_be }) {
            Response::Leave => Verdict::Allow,
            Response::Stop => {
                describe(&mut execution, request.pid, program.is_script());
                // Nobody listens any more only where the agent ends.
                let _ = self.denials.send(Denial { protected, execution });
                Verdict::Deny
            }
        }
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
fn describe(execution: &mut Execution, pid: u32, is_script: bool) {
    let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let caller = exe.map(|path| {
        use std::os::unix::ffi::OsStrExt as _;
        crate::content::shown(path.as_os_str().as_bytes()).trim_start_matches('/').to_owned()
    });
    // A script is not what its process would run; a program is.
    let path = if is_script { caller } else { Some(execution.path.clone()) };
    execution.process = Process { path, ..process::described(pid) };
    let mut parent = process::parent(pid);
    while let Some(pid) = parent.filter(|pid| *pid > 0) {
        if execution.ancestors.len() >= MAX_PARENTS {
            break;
        }
        execution.ancestors.push(process::described(pid));
        parent = process::parent(pid);
    }
    (execution.uid, execution.gid) = process::owner(pid).unwrap_or_default();
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

    /// The answer for a file that the container wrote, and what was told of it.
    fn asked(path: &str, content: &[u8]) -> (Verdict, Vec<Denial>) {
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
        let table = Table::default();
        lock(&table).insert(7, protected);
        let (sender, denials) = channel();
        let answering = Answering { table, digests: Shared::default(), denials: sender };
        let pid = std::process::id();
        let request = ExecRequest { pid, file: &file, path: path.to_owned(), identity };
        let verdict = answering.verdict(&request);
        (verdict, denials.try_iter().collect())
    }

    #[test]
    fn what_the_image_does_not_hold_is_refused_before_it_begins() {
        for (path, content) in [
            ("tmp/dropped", b"miner!".as_slice()),
            ("bin/tool", b"change"),
            // The image's own program, under another name: a shell that calls itself something else.
            ("tmp/copied", b"sealed"),
        ] {
            let (verdict, denials) = asked(path, content);
            assert_eq!(verdict, Verdict::Deny, "{path}");
            let [denial] = denials.as_slice() else { panic!("{path}: {denials:?}") };
            assert_eq!(denial.execution.path, path);
            assert_eq!(denial.execution.digest, Some(Digest::of(content)));
        }
    }

    #[test]
    fn what_the_image_holds_or_cannot_prove_may_begin() {
        for (path, content) in [("bin/tool", b"sealed".as_slice()), ("bin/unhashed", b"what is")] {
            let (verdict, denials) = asked(path, content);
            assert_eq!((verdict, denials.len()), (Verdict::Allow, 0), "{path}");
        }
    }
}
