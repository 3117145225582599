//! What happens inside a running container: the events that a sensor reports and detectors judge.
//!
//! A program is known by the file that the kernel runs (device, inode, and which side of the overlay
//! it lies on), never by the path that the caller typed.

use crate::{Container, Digest, Finding};
use serde::{Deserialize, Serialize};

/// A process, as it was when the event happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    /// Process id in the host's numbering.
    pub pid: u32,
    /// Nanoseconds since boot at which it began: with the pid, an identity.
    #[serde(default)]
    pub started_ns: u64,
    /// The kernel's short name, at most 15 bytes.
    pub name: String,
    /// The program that it runs, where known: its path as the container sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Which side of a container's file system a program lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// In a layer of the image, untouched since.
    Image,
    /// In the container's own writable layer: created, or changed, after it was made.
    Written,
    /// In memory only, without a name in any file system (`memfd_create`).
    Memory,
    /// On another file system: a volume, or a tmpfs.
    Mounted,
    /// It cannot be told here.
    Unknown,
}

/// A file as the kernel tells it apart from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Device number, in the kernel's form (`major << 20 | minor`).
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

/// What a process's standard input leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StandardInput {
    /// A socket.
    Socket {
        /// `inet`, `inet6`, `unix`, or the family's number.
        family: String,
        /// The other end, `address:port`, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<String>,
    },
    /// Anything else: a terminal, a pipe, a file, nothing.
    #[default]
    Other,
}

/// A program that began to run in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Nanoseconds since boot.
    pub at_ns: u64,
    /// The process.
    pub process: Process,
    /// Its parents, nearest first, as far as they were known.
    pub ancestors: Vec<Process>,
    /// Effective user id, in the host's numbering.
    pub uid: u32,
    /// Effective group id, in the host's numbering.
    pub gid: u32,
    /// The program's path as the container sees it, without a leading slash; `memfd:NAME` for one
    /// that lies in memory only.
    pub path: String,
    /// The file.
    pub file: FileIdentity,
    /// Where it lies.
    pub side: Side,
    /// What its standard input leads to.
    pub input: StandardInput,
    /// SHA-256 of the program, where it could be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// By which means a program was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// fanotify refused the open for execution.
    Fanotify,
    /// A signal sent by the kernel program before the first instruction.
    KernelSignal,
    /// A signal sent by the agent.
    Signal,
}

/// What was done about a finding, as it really came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Action {
    /// Nothing: the agent only observes.
    Observed,
    /// It never ran.
    Denied {
        /// By what.
        means: Means,
    },
    /// It had begun to run, and was ended.
    Killed {
        /// By what.
        means: Means,
    },
    /// It had ended by itself before it could be stopped.
    TooLate,
    /// It could not be stopped.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Version of the JSON form of an alert.
pub const ALERT_SCHEMA: &str = "lazaret.alert/1";

/// A finding in a running container, with what was done: one line of the agent's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// [`ALERT_SCHEMA`].
    pub schema: String,
    /// When the event happened, RFC 3339, UTC.
    pub time: String,
    /// Microseconds from the event in the kernel to this alert.
    pub latency_us: u64,
    /// Where.
    pub container: Container,
    /// What.
    pub finding: Finding,
    /// What was done.
    pub action: Action,
}
