//! The node daemon: sensor to behaviour to policy to action.
//!
//! In go the engines, the store of seals and a state folder; out come alerts while it runs, and files
//! that say what each container used. Everything happens in one thread that looks every 10 ms, but for
//! what could make it late: engines are asked, files of containers opened, lists written and fanotify's
//! questions answered in threads of their own, of which those that may hang for ever hold nothing that
//! others wait for. It opens no port and takes no orders: what it does is decided at its start.

mod answers;
mod asking;
mod case;
mod cgroup;
mod clock;
mod containers;
mod content;
mod digests;
mod error;
mod floods;
mod guard;
mod judging;
mod known;
mod left_behind;
mod opens;
mod places;
mod process;
mod readers;
mod reading;
mod report;
mod root;
mod run;
mod seals;
mod status;
mod stopping;
mod usage;
mod using;
mod watched;
mod writing;

pub use error::AgentError;
pub use report::{REPORT_SCHEMA, Report, Unread};
pub use run::run;
pub use status::{
    AgentStatus, Capability, ContainerStatus, EngineStatus, STATUS_SCHEMA, Status, status,
};

use engine::Endpoints;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use vocabulary::Alert;

/// Whether findings are acted upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are reported.
    #[default]
    Observe,
    /// In containers of sealed images, the program is stopped too.
    Enforce,
}

/// What the agent is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the engines listen.
    pub endpoints: Endpoints,
    /// The folder of the seals.
    pub store: PathBuf,
    /// The folder for what containers used: `usage/<container id>.json` in it.
    pub state: PathBuf,
    /// Whether to act.
    pub mode: Mode,
    /// For how long; none is until told to stop.
    pub duration: Option<Duration>,
    /// How often the agent was started again because it stood still or failed.
    pub restarts: u32,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A finding.
    Alert(Box<Alert>),
    /// What an operator should know about the watching itself, one line.
    Notice(String),
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Containers that were watched.
    pub containers: u64,
    /// Of these, containers whose image is sealed.
    pub sealed: u64,
    /// Programs of containers that began.
    pub executions: u64,
    /// Findings that were told.
    pub alerts: u64,
    /// Findings that came again, and were counted only.
    pub repeats: u64,
    /// Findings that were not told because a container gave too many.
    pub left_out: u64,
    /// Programs that were stopped or refused, repeats among them.
    pub stopped: u64,
    /// Files of containers that there was no room or time to read: what ran was judged without digest.
    pub unread: u64,
    /// Events that did not reach the agent: what they would have shown is not known.
    pub lost: u64,
}
