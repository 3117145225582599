//! What can go wrong in this room, in one line each.

use std::path::PathBuf;

/// Why the sensor, or a guard, does not work.
#[derive(Debug, thiserror::Error)]
pub enum SensorError {
    /// The kernel counts processes otherwise than this process does.
    #[error(
        "the kernel reports process ids that are not those seen from here: {reason}; run it in the first PID namespace, with its /proc (for a container: `--pid=host`)"
    )]
    ProcessIds {
        /// How that was seen.
        reason: String,
    },
    /// There are no programs in this build.
    #[error(
        "built without eBPF: clang was missing; install clang, libelf-dev, zlib1g-dev and build again"
    )]
    NotBuilt,
    /// The kernel did not take a program.
    #[error(
        "cannot load the eBPF programs: {reason}; they need root (CAP_BPF, CAP_PERFMON, CAP_SYS_RESOURCE) and a kernel of 5.8 or newer with BTF"
    )]
    Load {
        /// The kernel's, or libbpf's, words.
        reason: String,
    },
    /// A program was loaded, but could not be attached.
    #[error("cannot attach the eBPF program `{program}`: {reason}")]
    Attach {
        /// Its name.
        program: String,
        /// Why.
        reason: String,
    },
    /// Kernel programs and this code are not of one build.
    #[error("the eBPF object does not fit this build: {reason}; build again from clean sources")]
    Layout {
        /// What differs.
        reason: String,
    },
    /// A map could not be read or written.
    #[error("cannot {verb} the map `{map}`: {reason}")]
    Map {
        /// What was tried.
        verb: &'static str,
        /// Its name.
        map: &'static str,
        /// Why.
        reason: String,
    },
    /// The ring buffer could not be read.
    #[error("cannot read the kernel's events: {reason}")]
    Read {
        /// Why.
        reason: String,
    },
    /// Statistics could not be switched on.
    #[error("cannot switch on the kernel's statistics of eBPF programs: {reason}")]
    Stats {
        /// Why.
        reason: String,
    },
    /// fanotify refused.
    #[error("cannot {verb} with fanotify: {reason}; it needs root (CAP_SYS_ADMIN)")]
    Fanotify {
        /// What was tried.
        verb: &'static str,
        /// Why.
        reason: String,
    },
    /// A path could not be opened.
    #[error("cannot open `{path}`: {reason}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A process could not be opened or stopped.
    #[error("cannot {verb} process {pid}: {reason}")]
    Process {
        /// What was tried.
        verb: &'static str,
        /// Which.
        pid: u32,
        /// Why.
        reason: String,
    },
}
