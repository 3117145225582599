//! From an execution to findings.
//!
//! Two rules: `program-not-in-image` holds what ran against the sealed record, by content and place,
//! and `reverse-shell` needs no record. Where the image is not sealed nothing is guessed: only what
//! cannot be in any image, a program in memory, is reported.

use crate::response::{Cause, Moment, Response, Socket};
use crate::{AllowList, shell};
use vocabulary::{
    Container, Digest, Evidence, Execution, ExecutionEvidence, Finding, Location, Rule, Severity,
    Side, StandardInput,
};

/// What a container is held against.
#[derive(Clone, Copy, Debug)]
pub enum Baseline<'seal> {
    /// The record of its sealed image, and the digest of the seal's envelope.
    Sealed {
        /// The programs of the image.
        programs: &'seal AllowList,
        /// Which seal says so.
        seal: &'seal Digest,
    },
    /// Its image is not sealed.
    NotSealed,
}

/// Why a program counts as not in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The image has no program at that path.
    Dropped,
    /// The image has another content at that path.
    Changed,
    /// The image has that content, but at another path.
    Copied,
    /// It lies in memory only.
    Memory,
    /// It lies on a volume or tmpfs, not in the image.
    Mounted,
    /// A script, started by its own name, that the image does not hold.
    Script,
    /// Its content could not be read, so that nothing says it is the sealed one.
    NoDigest,
    /// The sealed record has no digest for it.
    NotOnRecord,
}

impl Reason {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Dropped => "dropped file",
            Self::Changed => "changed file",
            Self::Copied => "copy of a program of the image under another name",
            Self::Memory => "in memory only",
            Self::Mounted => "on a mounted volume or tmpfs",
            Self::Script => "script that is not in the image",
            Self::NoDigest => "no digest to be had",
            Self::NotOnRecord => "the sealed record has no digest for it",
        }
    }

    /// What cannot be read, or is the image's own content, is less sure to be an attack.
    const fn severity(self) -> Severity {
        match self {
            Self::Copied | Self::NoDigest => Severity::High,
            Self::NotOnRecord => Severity::Medium,
            Self::Dropped | Self::Changed | Self::Memory | Self::Mounted | Self::Script => {
                Severity::Critical
            }
        }
    }
}

/// A finding, with what enforcing does about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What is told.
    pub finding: Finding,
    /// Why.
    pub cause: Cause,
    /// Whether the program may be stopped for it.
    pub response: Response,
}

/// Judges executions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judge;

impl Judge {
    /// What is wrong with this execution, if anything.
    ///
    /// A script that was started by its own name is judged by an execution of its own, whose `path`
    /// is the script's and whose `process.path` is the interpreter's.
    #[must_use]
    pub fn execution(
        container: &Container,
        execution: &Execution,
        baseline: Baseline<'_>,
        moment: Moment,
    ) -> Vec<Judged> {
        let mut judged = Vec::new();
        let mut add = |finding, cause: Cause| {
            let response = cause.response(execution.side, moment);
            judged.push(Judged { finding, cause, response });
        };
        if let Some(reason) = Self::reason(execution, baseline) {
            let finding = program(container, execution, baseline, reason);
            add(finding, Cause::Program(reason));
        }
        if !is_script(execution)
            && let StandardInput::Socket { family, peer } = &execution.input
            && is_shell(execution, baseline)
        {
            let socket = Socket::of(family);
            let input = (socket, family.as_str(), peer.as_deref());
            add(reverse_shell(container, execution, baseline, input), Cause::Shell(socket));
        }
        judged
    }

    /// What enforcing does about a program alone; leaves it where nothing is wrong with it.
    #[must_use]
    pub fn response(execution: &Execution, baseline: Baseline<'_>, moment: Moment) -> Response {
        match Self::reason(execution, baseline) {
            Some(reason) => Cause::Program(reason).response(execution.side, moment),
            None => Response::Leave,
        }
    }

    /// Why the program is not one of the image; none where it is, or where that cannot be said.
    #[must_use]
    pub fn reason(execution: &Execution, baseline: Baseline<'_>) -> Option<Reason> {
        if execution.side == Side::Memory {
            return Some(Reason::Memory);
        }
        let Baseline::Sealed { programs, .. } = baseline else { return None };
        if !programs.holds(&execution.path) {
            return Some(elsewhere(execution, programs));
        }
        match (programs.digest(&execution.path), &execution.digest) {
            (Some(expected), Some(found)) if expected == *found => None,
            (Some(_), Some(_)) => Some(Reason::Changed),
            (Some(_), None) => Some(Reason::NoDigest),
            // In its layer and untouched, it is what was sealed; the record just cannot prove it.
            (None, _) => Some(Reason::NotOnRecord),
        }
    }
}

/// Why, for a program at a path where the image has none.
fn elsewhere(execution: &Execution, programs: &AllowList) -> Reason {
    let copied = execution.digest.as_ref().is_some_and(|digest| programs.path_of(digest).is_some());
    match execution.side {
        _ if copied => Reason::Copied,
        _ if is_script(execution) => Reason::Script,
        Side::Mounted => Reason::Mounted,
        Side::Image | Side::Written | Side::Unknown | Side::Memory => Reason::Dropped,
    }
}

/// The process runs another file, the interpreter.
fn is_script(execution: &Execution) -> bool {
    execution.process.path.as_ref().is_some_and(|path| *path != execution.path)
}

fn is_shell(execution: &Execution, baseline: Baseline<'_>) -> bool {
    shell::is_shell(execution)
        || match (baseline, &execution.digest) {
            (Baseline::Sealed { programs, .. }, Some(digest)) => programs.is_shell(digest),
            _ => false,
        }
}

fn program(
    container: &Container,
    execution: &Execution,
    baseline: Baseline<'_>,
    reason: Reason,
) -> Finding {
    let title = match reason {
        Reason::NoDigest => format!("`{}` ran and could not be hashed", execution.path),
        Reason::NotOnRecord => format!("`{}` ran without a sealed digest", execution.path),
        Reason::Dropped
        | Reason::Changed
        | Reason::Copied
        | Reason::Memory
        | Reason::Mounted
        | Reason::Script => {
            format!("`{}` ran and is not in the image: {}", execution.path, reason.text())
        }
    };
    let expected = match baseline {
        Baseline::Sealed { programs, .. } => programs.digest(&execution.path),
        Baseline::NotSealed => None,
    };
    let reason_text = match (reason, baseline, &execution.digest) {
        (Reason::Copied, Baseline::Sealed { programs, .. }, Some(digest)) => {
            let original = programs.path_of(digest).unwrap_or_default();
            format!("{}: `{original}`", reason.text())
        }
        _ => reason.text().to_owned(),
    };
    let rule = &Rule::PROGRAM_NOT_IN_IMAGE;
    let evidence = (reason_text, expected);
    finding(rule, reason.severity(), title, container, execution, baseline, evidence)
}

fn reverse_shell(
    container: &Container,
    execution: &Execution,
    baseline: Baseline<'_>,
    (socket, family, peer): (Socket, &str, Option<&str>),
) -> Finding {
    let (severity, words) = match socket {
        Socket::Network => (Severity::Critical, "a network socket"),
        // Session servers and init systems hand unix sockets to shells too, on the same machine.
        Socket::Unix => (Severity::Medium, "a unix socket"),
        Socket::Other => (Severity::High, "a socket"),
    };
    let other_end = peer.map(|peer| format!(" to {peer}")).unwrap_or_default();
    let title = format!("shell `{}` takes its input from {words}{other_end}", execution.path);
    let reason = match socket {
        Socket::Network | Socket::Unix => format!("standard input is {words}{other_end}"),
        Socket::Other => format!("standard input is a socket of family {family}{other_end}"),
    };
    let rule = &Rule::REVERSE_SHELL;
    finding(rule, severity, title, container, execution, baseline, (reason, None))
}

fn finding(
    rule: &Rule,
    severity: Severity,
    title: String,
    container: &Container,
    execution: &Execution,
    baseline: Baseline<'_>,
    (reason, expected): (String, Option<Digest>),
) -> Finding {
    let location = Location::Process {
        container: container.id.clone(),
        pid: execution.process.pid,
        path: execution.path.clone(),
    };
    let seal = match baseline {
        Baseline::Sealed { seal, .. } => Some(seal.clone()),
        Baseline::NotSealed => None,
    };
    let evidence = ExecutionEvidence { execution: execution.clone(), reason, expected, seal };
    let evidence = vec![Evidence::Execution(Box::new(evidence))];
    Finding { severity, ..Finding::of(rule, None, title, location, evidence) }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
