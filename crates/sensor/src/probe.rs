//! Finds out what this kernel can do, by doing it: each capability is loaded, attached, exercised and
//! taken away again. What attaches but is never called does not work.

use crate::process::pidfd_open;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::fanotify::{EventFFlags, Fanotify, FanotifyResponse, InitFlags, MarkFlags};
use nix::sys::fanotify::{MaskFlags, Response};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;

#[cfg(bpf_object)]
mod kernel;
#[cfg(not(bpf_object))]
mod kernel {
    //! Without programs there is nothing to try.

    /// The capabilities that need a program.
    const NAMES: [&str; 9] = [
        "tp_btf exec",
        "tp_btf fork",
        "tp_btf exit",
        "ring buffer",
        "kill from the kernel",
        "lsm",
        "fentry",
        "kprobe",
        "cgroup connect4",
    ];

    pub(super) fn all() -> Vec<super::Capability> {
        let detail = crate::SensorError::NotBuilt.to_string();
        let capability = |name| super::Capability { name, works: false, detail: detail.clone() };
        NAMES.into_iter().map(capability).collect()
    }
}

/// Something that a kernel can, or cannot, do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// What.
    pub name: &'static str,
    /// Whether it was seen to work.
    pub works: bool,
    /// What was seen, or the kernel's reason.
    pub detail: String,
}

impl Capability {
    fn of(name: &'static str, outcome: Result<String, String>) -> Self {
        let works = outcome.is_ok();
        let (Ok(detail) | Err(detail)) = outcome;
        Self { name, works, detail }
    }
}

/// Tries everything that the agent could use. Takes well under a second.
#[must_use]
pub fn probe() -> Vec<Capability> {
    let mut found = vec![Capability::of("BTF", btf())];
    found.extend(kernel::all());
    found.push(Capability::of("fanotify exec permission", permission()));
    found.push(Capability::of("fanotify open", notification()));
    found.push(Capability::of("pidfd", pidfd()));
    found.push(Capability::of("process ids", process_ids()));
    found
}

fn btf() -> Result<String, String> {
    let path = "/sys/kernel/btf/vmlinux";
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(format!("{path}, {} KiB", metadata.len() / 1024)),
        Err(error) => Err(format!("`{path}`: {error} (CONFIG_DEBUG_INFO_BTF)")),
    }
}

fn process_ids() -> Result<String, String> {
    match crate::process_ids() {
        Ok(()) => Ok("those that the kernel reports are those seen here".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn pidfd() -> Result<String, String> {
    match pidfd_open(std::process::id()) {
        Ok(Some(_)) => Ok("pidfd_open opens this process".to_owned()),
        Ok(None) => Err("pidfd_open does not find this process".to_owned()),
        Err(error) => Err(format!("pidfd_open: {error}")),
    }
}

/// How long an event of our own making may take.
const EVENT_MS: u16 = 1000;

/// Opens a group and marks a file that only this process has, so that nobody else can be held up.
fn marked(class: InitFlags, mask: MaskFlags) -> Result<(Fanotify, OwnedFd), String> {
    let flags = class | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK;
    let group = Fanotify::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC);
    let group = group.map_err(|error| format!("fanotify_init: {}", error.desc()))?;
    let file = memfd_create(c"lazaret-probe", MFdFlags::MFD_CLOEXEC);
    let file = file.map_err(|error| format!("memfd_create: {}", error.desc()))?;
    let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_INODE;
    let mark = group.mark::<_, Path>(flags, mask, &file, None);
    mark.map_err(|error| format!("fanotify_mark: {}", error.desc()))?;
    Ok((group, file))
}

/// The first event of a group, which is answered where it asks.
fn answered(group: &Fanotify, asks: bool) -> Result<(), String> {
    let mut descriptors = [PollFd::new(group.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut descriptors, PollTimeout::from(EVENT_MS));
    if ready.map_err(|error| format!("poll: {}", error.desc()))? == 0 {
        return Err("marked, but no event came".to_owned());
    }
    let events = group.read_events().map_err(|error| format!("read: {}", error.desc()))?;
    for descriptor in events.iter().filter_map(|event| event.fd()).filter(|_| asks) {
        let answer = group.write_response(FanotifyResponse::new(descriptor, Response::FAN_DENY));
        answer.map_err(|error| format!("answer: {}", error.desc()))?;
    }
    Ok(())
}

fn notification() -> Result<String, String> {
    let (group, file) = marked(InitFlags::FAN_CLASS_NOTIF, MaskFlags::FAN_OPEN)?;
    let opened = File::open(format!("/proc/self/fd/{}", file.as_raw_fd()));
    opened.map_err(|error| format!("a file of our own: {error}"))?;
    answered(&group, false)?;
    let flags =
        MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_IGNORE_SURV | MarkFlags::FAN_MARK_EVICTABLE;
    // On another file: a mark that stays cannot become one that may go.
    let other = memfd_create(c"lazaret-probe", MFdFlags::MFD_CLOEXEC);
    let other = other.map_err(|error| format!("memfd_create: {}", error.desc()))?;
    let ignores = group.mark::<_, Path>(flags, MaskFlags::FAN_OPEN, &other, None).is_ok();
    let ignores = if ignores { "ignores" } else { "cannot cheaply ignore" };
    Ok(format!("an open was reported; {ignores} files that were seen"))
}

/// Has a child execute our empty file, and denies it.
fn permission() -> Result<String, String> {
    let (group, file) = marked(InitFlags::FAN_CLASS_CONTENT, MaskFlags::FAN_OPEN_EXEC_PERM)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::thread::scope(|scope| {
        let child = scope.spawn(|| Command::new(path).spawn());
        let outcome = answered(&group, true);
        // Whatever still asks is allowed by closing the group, so that the thread ends.
        drop(group);
        let spawned = child.join().map_err(|_| "the trial ended by itself".to_owned())?;
        outcome?;
        match spawned {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                Ok("an execution was asked about and denied".to_owned())
            }
            Err(error) => Err(format!("denied, but it failed otherwise: {error}")),
            Ok(mut child) => {
                let _ = child.wait();
                Err("denied, but it ran".to_owned())
            }
        }
    })
}
