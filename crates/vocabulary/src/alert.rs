//! Alerts: a finding in a running container, and what was done about it.
//!
//! In go a finding and its outcome, out comes one line of the agent's output. It carries its rule whole,
//! so that whoever reads one line needs no table.

use crate::{Container, Finding, Rule};
use serde::{Deserialize, Serialize};

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
pub const ALERT_SCHEMA: &str = "lazaret.alert/2";

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
    /// The rule that the finding is of.
    pub rule: Rule,
    /// What was done.
    pub action: Action,
}
