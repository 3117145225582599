//! What the kernel programs report, in plain values.

use vocabulary::{FileIdentity, Process, Side, StandardInput};

/// Something that a process did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelEvent {
    /// A program began to run.
    Exec(Box<Exec>),
    /// A process was made. Threads are not reported.
    Fork(Fork),
    /// A process ended.
    Exit(Exit),
}

/// A program that began to run: its first instruction comes after this event was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// Nanoseconds since boot.
    pub at_ns: u64,
    /// The process; its path is that of `file`.
    pub process: Process,
    /// Its parents, nearest first, at most eight.
    pub ancestors: Vec<Process>,
    /// Effective user id, in the host's numbering.
    pub uid: u32,
    /// Effective group id, in the host's numbering.
    pub gid: u32,
    /// Id of its v2 cgroup.
    pub cgroup: u64,
    /// Id of its v1 pids cgroup; 0 where there is no such controller.
    pub pids_cgroup: u64,
    /// Inode number of its mount namespace. A container's runtime runs in the container's cgroup for
    /// a moment while it still has the host's (see [`crate::mount_namespace`]).
    pub mount_namespace: u32,
    /// Device of the file system at its root directory. The process chooses its root: hold it against
    /// the container's own before relying on [`Side::Image`].
    pub root_device: u64,
    /// The program: for a script, its interpreter.
    pub file: ProgramFile,
    /// The script, where the program is run as the interpreter of one (`#!`, binfmt_misc).
    pub script: Option<Script>,
    /// What its standard input leads to.
    pub input: StandardInput,
    /// Whether the kernel program sent it SIGKILL, which comes before its first instruction.
    pub stopped: bool,
}

/// The file of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFile {
    /// Its path from the root of its mount namespace, without a leading slash; `memfd:NAME` where it
    /// lies in memory only. Bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// The inode, and the device of its file system.
    pub identity: FileIdentity,
    /// Where it lies.
    pub side: Side,
    /// Magic number of its file system.
    pub file_system: u64,
    /// Whether no name leads to it any more.
    pub unlinked: bool,
    /// Whether the path lacks its first directories: it was too long, or led out of its mount.
    pub truncated: bool,
}

/// A script whose interpreter runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name by which it was called, as the caller typed it.
    pub name: String,
    /// Its file; none where the kernel does not give it.
    pub file: Option<ProgramFile>,
}

/// A process that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Nanoseconds since boot.
    pub at_ns: u64,
    /// Id of its v2 cgroup.
    pub cgroup: u64,
    /// Id of its v1 pids cgroup; 0 unless [`crate::CgroupKey::Pids`] was asked for.
    pub pids_cgroup: u64,
    /// The new process.
    pub process: Process,
    /// Process id of its maker.
    pub parent_pid: u32,
    /// When its maker began, in nanoseconds since boot.
    pub parent_started_ns: u64,
}

/// A process that ended, with its last thread. Two last threads that end together may both say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Nanoseconds since boot.
    pub at_ns: u64,
    /// Id of its v2 cgroup.
    pub cgroup: u64,
    /// Id of its v1 pids cgroup; 0 unless [`crate::CgroupKey::Pids`] was asked for.
    pub pids_cgroup: u64,
    /// The process.
    pub process: Process,
    /// As wait(2) gives it: the signal in the low seven bits, the exit status above the eighth.
    pub code: u32,
}
