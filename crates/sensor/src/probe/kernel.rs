//! The capabilities that need a kernel program.

use super::Capability;
use crate::programs;
use libbpf_rs::{Link, MapCore as _, MapFlags, MapHandle, Object, ProgramMut};
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use vocabulary::counted;

/// One to try: its name for people, its program, how to make the kernel call it, how to attach it, and
/// what it needs beside root: often the kernel's own reason is a bare error number.
struct Trial {
    name: &'static str,
    program: &'static str,
    exercise: fn(),
    attach: fn(&ProgramMut<'_>) -> Result<Link, String>,
    needs: &'static str,
}

/// What programs on tracepoints need.
const TRACING: &str = "Linux 5.8 with BTF";

const TRIALS: [Trial; 9] = [
    Trial { name: "tp_btf exec", program: "probe_exec", exercise: run, attach, needs: TRACING },
    Trial { name: "tp_btf fork", program: "probe_fork", exercise: thread, attach, needs: TRACING },
    Trial { name: "tp_btf exit", program: "probe_exit", exercise: thread, attach, needs: TRACING },
    Trial { name: "ring buffer", program: "probe_ring", exercise: thread, attach, needs: TRACING },
    Trial {
        name: "kill from the kernel",
        program: "probe_signal",
        exercise: run,
        attach,
        needs: TRACING,
    },
    Trial {
        name: "lsm",
        program: "probe_lsm",
        exercise: open,
        attach,
        needs: "CONFIG_BPF_LSM, CONFIG_FUNCTION_TRACER, and `bpf` among the LSMs of the boot line",
    },
    Trial {
        name: "fentry",
        program: "probe_fentry",
        exercise: open,
        attach,
        needs: "CONFIG_FUNCTION_TRACER",
    },
    Trial {
        name: "kprobe",
        program: "probe_kprobe",
        exercise: open,
        attach,
        needs: "CONFIG_KPROBES",
    },
    Trial {
        name: "cgroup connect4",
        program: "probe_connect",
        exercise: connect,
        attach: attach_cgroup,
        needs: "CONFIG_CGROUP_BPF and cgroup v2",
    },
];

pub(super) fn all() -> Vec<Capability> {
    let outcome = |trial: &Trial| {
        attempt(trial).map_err(|reason| format!("{reason}; it needs root and {}", trial.needs))
    };
    TRIALS.iter().map(|trial| Capability::of(trial.name, outcome(trial))).collect()
}

/// Loads the one program, attaches it, has the kernel call it, and looks at its counter.
fn attempt(trial: &Trial) -> Result<String, String> {
    let mut open = programs::probe().map_err(|error| error.to_string())?;
    for mut program in open.progs_mut() {
        let wanted = program.name() == trial.program;
        program.set_autoload(wanted);
    }
    let object = open.load().map_err(|error| format!("not loaded: {error:#}"))?;
    let pid = std::process::id().to_ne_bytes();
    let prober = map(&object, "prober")?;
    prober.update(&[0; 4], &pid, MapFlags::ANY).map_err(|error| format!("{error:#}"))?;
    let program = object.progs_mut().find(|program| program.name() == trial.program);
    let program = program.ok_or("the object has no such program")?;
    let link =
        (trial.attach)(&program).map_err(|error| format!("loaded, not attached: {error}"))?;
    (trial.exercise)();
    drop(link);
    let calls = map(&object, "calls")?.lookup(&[0; 4], MapFlags::ANY);
    let calls = calls.map_err(|error| format!("{error:#}"))?.unwrap_or_default();
    match calls.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes)) {
        // The programs count calls of this process alone, by its id.
        0 if crate::process_ids().is_err() => {
            Err("attached, but its calls cannot be told: see `process ids`".to_owned())
        }
        0 => Err("loaded and attached, but never called".to_owned()),
        count => Ok(format!("loaded, attached, called {}", counted(count, "time", "times"))),
    }
}

fn map(object: &Object, name: &str) -> Result<MapHandle, String> {
    let map = object.maps().find(|map| map.name() == name).ok_or("the object has no such map")?;
    MapHandle::try_from(&map).map_err(|error| format!("{error:#}"))
}

fn attach(program: &ProgramMut<'_>) -> Result<Link, String> {
    program.attach().map_err(|error| format!("{error:#}"))
}

fn attach_cgroup(program: &ProgramMut<'_>) -> Result<Link, String> {
    let root = unified_root().ok_or("no cgroup v2 hierarchy is mounted")?;
    let folder = File::open(&root).map_err(|error| format!("`{}`: {error}", root.display()))?;
    program.attach_cgroup(folder.as_raw_fd()).map_err(|error| format!("{error:#}"))
}

/// Where the v2 hierarchy is mounted.
fn unified_root() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

/// Runs a program that does nothing.
fn run() {
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        let _ = child.wait();
    }
}

fn thread() {
    let _ = std::thread::spawn(|| ()).join();
}

fn open() {
    let _ = File::open("/proc/self/stat");
}

/// Connects to the discard port of this host, where nobody need listen.
fn connect() {
    let _ = std::net::TcpStream::connect_timeout(
        &std::net::SocketAddr::from(([127, 0, 0, 1], 9)),
        std::time::Duration::from_millis(100),
    );
}
