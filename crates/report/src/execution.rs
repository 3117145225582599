//! What ran, in words: shared by the table, SARIF and the line of an alert.

use std::fmt::Write as _;
use vocabulary::{
    Action, Evidence, Execution, ExecutionEvidence, Finding, Means, Process, Side, StandardInput,
};

/// The program as people write it: with its slash, but for one that lies in memory only.
pub(crate) fn program_of(execution: &Execution) -> String {
    match execution.side {
        Side::Memory => execution.path.clone(),
        _ => format!("/{}", execution.path),
    }
}

/// What was done, as it really came out.
pub(crate) fn outcome(action: &Action) -> String {
    match action {
        Action::Observed => "observed, not stopped".to_owned(),
        Action::Denied { means } => format!("denied by {}", means_name(*means)),
        Action::Killed { means } => format!("killed by {}", means_name(*means)),
        Action::TooLate => "too late: it had ended before it could be stopped".to_owned(),
        Action::Failed { reason } => format!("not stopped: {reason}"),
    }
}

const fn means_name(means: Means) -> &'static str {
    match means {
        Means::Fanotify => "fanotify, before it ran",
        Means::KernelSignal => "a signal of the kernel program, before its first instruction",
        Means::Signal => "a signal of the agent",
    }
}

/// Where a program lies, in words.
pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Image => "in a layer of the image",
        Side::Written => "written after the container began",
        Side::Memory => "in memory only",
        Side::Mounted => "on a volume or tmpfs",
        Side::Unknown => "it cannot be told where",
    }
}

/// What its standard input leads to, where that is a socket.
pub(crate) fn input_of(execution: &Execution) -> Option<String> {
    match &execution.input {
        StandardInput::Other => None,
        StandardInput::Socket { family, peer } => Some(match peer {
            Some(peer) => format!("{family} socket to {peer}"),
            None => format!("{family} socket"),
        }),
    }
}

/// `sh[12] < nginx[7]`: a process and its parents, nearest first.
pub(crate) fn tree_of(execution: &Execution) -> String {
    let shown = |process: &Process| match &process.path {
        Some(path) => format!("{}[{}] /{path}", process.name, process.pid),
        None => format!("{}[{}]", process.name, process.pid),
    };
    let mut text = format!("{}[{}]", execution.process.name, execution.process.pid);
    for parent in &execution.ancestors {
        let _ = write!(text, " < {}", shown(parent));
    }
    text
}

/// The execution that a finding is about.
pub(crate) fn ran(finding: &Finding) -> Option<&ExecutionEvidence> {
    finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Execution(ran) => Some(ran.as_ref()),
        _ => None,
    })
}
