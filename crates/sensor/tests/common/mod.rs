//! A container without an engine: a cgroup, a mount namespace, an overlay as its root, one program.
#![allow(
    dead_code,
    clippy::print_stderr,
    reason = "each test file uses its part of it; tests say what they skip"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::skip;
use vocabulary::FileIdentity;

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Where the cgroup v2 hierarchy is mounted.
fn unified_root() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?.to_owned();
    line.split(' ').nth(4).map(PathBuf::from)
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A cgroup of its own, gone when dropped.
pub(crate) struct Cgroup {
    pub(crate) folder: PathBuf,
}

impl Cgroup {
    pub(crate) fn new() -> Option<Self> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lazaret-test-{}-{number}", std::process::id());
        let folder = unified_root()?.join(name);
        fs::create_dir(&folder).ok()?;
        Some(Self { folder })
    }

    pub(crate) fn below(&self) -> Self {
        let folder = self.folder.join("below");
        fs::create_dir(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn id(&self) -> u64 {
        fs::metadata(&self.folder).unwrap().ino()
    }

    /// A command that runs in this cgroup, in the host's mount namespace.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", r#"echo $$ > "$0" && exec "$@""#]);
        command.arg(self.folder.join("cgroup.procs")).arg(program);
        command
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that has just ended may still count.
        for _ in 0..100 {
            if fs::remove_dir(&self.folder).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The helper program, compiled into a folder.
pub(crate) fn helper(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/helper.c");
    let program = folder.join("helper");
    let mut command = Command::new("cc");
    command.args(["-O1", "-static", "-o"]).arg(&program).arg(source);
    command.status().ok()?.success().then_some(program)
}

/// What the tests run in, or why they cannot.
pub(crate) struct Ground {
    pub(crate) cgroup: Cgroup,
    pub(crate) folder: TempDir,
    pub(crate) helper: PathBuf,
}

/// Root, a cgroup and the helper; none, having said why, where one is missing.
pub(crate) fn ground() -> Option<Ground> {
    if !is_root() {
        return skip("not root");
    }
    let Some(cgroup) = Cgroup::new() else {
        return skip("no cgroup v2 hierarchy that can be written");
    };
    let folder = TempDir::new().unwrap();
    let Some(helper) = helper(folder.path()) else {
        return skip("no C compiler that links statically");
    };
    Some(Ground { cgroup, folder, helper })
}

/// A container: its first process answers command lines.
pub(crate) struct Container {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) upper: PathBuf,
    pub(crate) pid: u32,
}

/// In a mount namespace of its own, so that nothing is left mounted, whatever happens.
const START: &str = r#"
set -e
echo $$ > "$1"
mount -t overlay overlay -o "lowerdir=$2/lower,upperdir=$2/upper,workdir=$2/work" "$2/merged"
cd "$2/merged"
pivot_root . old
exec /helper serve
"#;

impl Container {
    /// Starts one whose image has the helper as `/helper` and the given files.
    pub(crate) fn start(ground: &Ground, cgroup: &Cgroup, files: &[(&str, &[u8])]) -> Option<Self> {
        let base = ground.folder.path();
        for name in ["lower/old", "lower/bin", "upper", "work", "merged"] {
            fs::create_dir_all(base.join(name)).unwrap();
        }
        let lower = base.join("lower");
        fs::copy(&ground.helper, lower.join("helper")).unwrap();
        for (name, bytes) in files {
            write_program(&lower.join(name), bytes);
        }
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", START, "start"]);
        command.arg(cgroup.folder.join("cgroup.procs")).arg(base);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let pid = child.id();
        let mut container = Self { child, input, output, upper: base.join("upper"), pid };
        if container.line() == "ready" {
            return Some(container);
        }
        skip("no overlay can be mounted in a mount namespace of our own")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Runs a command line in it: its process id, and how it ended.
    pub(crate) fn run(&mut self, line: &str) -> (u32, String) {
        self.send(line);
        self.answer()
    }

    /// Sends a command line, and does not wait.
    pub(crate) fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn answer(&mut self) -> (u32, String) {
        let line = self.line();
        let (pid, outcome) = line.split_once(' ').unwrap();
        (pid.parse().unwrap(), outcome.to_owned())
    }

    /// Its root directory, as the host reaches it.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid))
    }

    /// A file in it, as the kernel tells it apart.
    pub(crate) fn identity(&self, path: &str) -> FileIdentity {
        identity(&self.root().join(path))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Without input it ends by itself; only this child of ours is killed where it does not.
        drop(self.input.take());
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn write_program(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A file as stat(2) tells it apart.
pub(crate) fn identity(path: &Path) -> FileIdentity {
    let metadata = fs::metadata(path).unwrap();
    let device = metadata.dev();
    let device = u64::from(libc::major(device)) << 20 | u64::from(libc::minor(device));
    FileIdentity { device, inode: metadata.ino() }
}
