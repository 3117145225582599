//! What happened in a container, in words: shared by the table, SARIF and the line of an alert.

use std::fmt::Write as _;
use vocabulary::{
    Act, Action, Direction, Event, EventEvidence, Evidence, Execution, FileAccess, Finding, Means,
    Process, Side, StandardInput,
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
pub(crate) fn tree_of(event: &Event) -> String {
    let shown = |process: &Process| match &process.path {
        Some(path) => format!("{}[{}] /{path}", process.name, process.pid),
        None => format!("{}[{}]", process.name, process.pid),
    };
    let mut text = format!("{}[{}]", event.process.name, event.process.pid);
    for parent in &event.ancestors {
        let _ = write!(text, " < {}", shown(parent));
    }
    text
}

/// What was done, in a few words: a program as people write it, a file with what became of it, the other
/// end of a connection.
pub(crate) fn act_of(act: &Act) -> String {
    match act {
        Act::Execution(ran) => program_of(ran),
        Act::File(used) => {
            let verb = match used.access {
                FileAccess::Read => "read",
                FileAccess::Write => "written",
                FileAccess::Remove => "removed",
                FileAccess::Rename => "renamed",
                FileAccess::Attributes => "changed in its rights",
            };
            let to = used.to.as_ref().map_or_else(String::new, |to| format!(" to /{to}"));
            format!("/{} {verb}{to}", used.path)
        }
        Act::Connection(made) => match made.direction {
            Direction::Outgoing => format!("connection to {}", made.peer),
            Direction::Incoming => format!("connection from {}", made.peer),
        },
        Act::Resolution(asked) => format!("question for {}", asked.name),
        Act::Listen(place) => format!("listening on {}", place.local),
        Act::Capability(used) if used.granted => format!("use of {}", used.capability),
        Act::Capability(used) => format!("use of {}, refused", used.capability),
    }
}

/// The execution, where it was one.
pub(crate) const fn execution_of(event: &Event) -> Option<&Execution> {
    match &event.act {
        Act::Execution(ran) => Some(ran),
        _ => None,
    }
}

/// The event that a finding is about.
pub(crate) fn happened(finding: &Finding) -> Option<&EventEvidence> {
    finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Event(happened) => Some(happened.as_ref()),
        _ => None,
    })
}
