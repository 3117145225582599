//! Why the agent cannot run.

use std::io;
use std::path::PathBuf;

/// Why the agent cannot run. One line each, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The kernel's events cannot be had.
    #[error(transparent)]
    Sensor(#[from] sensor::SensorError),
    /// There are no control groups to tell containers apart by.
    #[error("no hierarchy of control groups is mounted; mount cgroup2 at /sys/fs/cgroup")]
    NoControlGroups,
    /// The folder for state cannot be used.
    #[error("cannot write to `{path}`: {source}; give another folder with --state")]
    State {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of the kernel cannot be read.
    #[error("cannot read `{path}`: {source}; is /proc mounted?")]
    Proc {
        /// The file.
        path: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}
