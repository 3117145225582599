//! How a command ends.

use nix::errno::Errno;
use std::process::ExitCode;
use vocabulary::{Outcome, Report};

/// The exit codes, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Clean,
    Findings,
    Usage,
    Incomplete,
    NoDatabase,
    /// Space, memory, threads, open files or time ran out, or nothing could be printed.
    Exhausted,
    Internal,
}

/// The code of [`Exit::Exhausted`], which is also given where there is no way back to `main`.
pub(crate) const EXHAUSTED: u8 = 5;

impl Exit {
    /// The code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::NoDatabase => 4,
            Self::Exhausted => EXHAUSTED,
            Self::Internal => 70,
        }
    }

    /// What another process of this program ended with.
    pub(crate) fn of(code: u8) -> Self {
        let all = [
            Self::Clean,
            Self::Findings,
            Self::Usage,
            Self::Incomplete,
            Self::NoDatabase,
            Self::Exhausted,
        ];
        all.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Internal)
    }

    /// The same, where something was not looked at.
    pub(crate) const fn or_incomplete(self) -> Self {
        match self {
            Self::Clean => Self::Incomplete,
            other => other,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error with the exit code that it leads to.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// How the command ends by it: what the system had no more of is nobody's wrong argument.
    pub(crate) fn exit(&self) -> Exit {
        if self.exit != Exit::Internal && ran_out(&self.error.to_string()) {
            return Exit::Exhausted;
        }
        let of_system = |error: &std::io::Error| error.raw_os_error().is_some_and(is_exhaustion);
        let mut causes = self.error.chain();
        let ran_out = causes.any(|cause| cause.downcast_ref().is_some_and(of_system));
        if ran_out { Exit::Exhausted } else { self.exit }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::Error::msg(text.into()) }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Internal, error }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { exit: Exit::Internal, error: error.into() }
    }
}

/// What the system says where it has no more of something: open files, threads, memory, space.
const EXHAUSTION: [Errno; 7] = [
    Errno::EMFILE,
    Errno::ENFILE,
    Errno::EAGAIN,
    Errno::ENOMEM,
    Errno::ENOSPC,
    Errno::EDQUOT,
    Errno::EFBIG,
];

fn is_exhaustion(code: i32) -> bool {
    EXHAUSTION.iter().any(|errno| *errno as i32 == code)
}

/// Whether a text holds such an error of the system, as the standard library writes it. Most errors on
/// their way up are texts, and a wrong guess gives one failing exit code for another.
pub(crate) fn ran_out(text: &str) -> bool {
    if text.ends_with(": out of memory") {
        return true;
    }
    text.match_indices("(os error ").any(|(at, found)| {
        let rest = text.get(at + found.len()..).unwrap_or_default();
        rest.split_once(')').and_then(|(code, _)| code.parse().ok()).is_some_and(is_exhaustion)
    })
}

/// How a command ends by the outcome of what it decided.
pub(crate) fn of_outcome(outcome: Outcome) -> Exit {
    match outcome {
        // What nobody drew a line for is no failure, and what is printed says that it is no pass.
        Outcome::Pass | Outcome::NoLine => Exit::Clean,
        Outcome::Findings => Exit::Findings,
        Outcome::Incomplete => Exit::Incomplete,
    }
}

/// The same by a report: what ran out is told from what could not be looked at.
pub(crate) fn of_report(report: &Report) -> Exit {
    let reasons = report.coverage.iter().flat_map(|coverage| {
        let problems = coverage.problems.iter().map(|problem| problem.reason.as_str());
        problems.chain(coverage.reason.as_deref())
    });
    match of_outcome(report.decision.outcome) {
        Exit::Incomplete if reasons.clone().any(ran_out) => Exit::Exhausted,
        exit => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_out_is_told_from_what_is_wrong() {
        for code in [11, 12, 23, 24, 28, 122] {
            let error = std::io::Error::from_raw_os_error(code);
            assert!(ran_out(&format!("cannot write `x`: {error}; try again")), "{error}");
            assert_eq!(Failure::new(Exit::Usage, error).exit(), Exit::Exhausted);
        }
        for text in ["No such file (os error 2)", "(os error", "(os error 999999999999)", ""] {
            assert!(!ran_out(text), "{text}");
        }
        assert_eq!(Failure::usage("no").exit(), Exit::Usage);
    }
}
