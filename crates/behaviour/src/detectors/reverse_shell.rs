//! Notices a shell whose input comes over a connection. It needs no record.

use crate::detector::{Baseline, Detector, Seen, Verdict};
use crate::response::{Cause, Socket};
use crate::shell::{self, is_script};
use std::borrow::Cow::Borrowed;
use vocabulary::{Act, Always, Class, Execution, Finding, Rule, Severity, StandardInput};

/// A shell whose input comes over a connection.
pub(crate) static RULE: Rule = Rule {
    id: Borrowed("reverse-shell"),
    class: Class::Runtime,
    title: Borrowed("Shell that takes its input from a socket"),
    why: Borrowed("Whoever holds the other end of the connection types commands in the container."),
    severity: Severity::Critical,
    remedy: Borrowed(
        "Stop the container, block the other end, and look for how the shell was started in the parent processes.",
    ),
    reference: Some(Borrowed("https://attack.mitre.org/techniques/T1059/004/")),
    always: Some(Always::all(
        "shell takes its input from a socket",
        "shells take their input from sockets",
    )),
};

pub(crate) const DETECTOR: Detector = Detector { name: "reverse-shell", rules: &[&RULE], observe };

fn observe(seen: &Seen<'_>) -> Vec<Verdict> {
    let Act::Execution(execution) = &seen.event.act else { return Vec::new() };
    let StandardInput::Socket { family, peer } = &execution.input else { return Vec::new() };
    if is_script(seen.event, execution) || !is_shell(seen, execution) {
        return Vec::new();
    }
    let socket = Socket::of(family);
    let cause = Cause::Shell(socket);
    let response = cause.response(execution.side, seen.moment);
    let finding = finding(seen, execution, (socket, family, peer.as_deref()));
    vec![Verdict { finding, rule: &RULE, cause, response }]
}

fn is_shell(seen: &Seen<'_>, execution: &Execution) -> bool {
    shell::is_shell(seen.event, execution)
        || match (seen.baseline, &execution.digest) {
            (Baseline::Sealed { programs, .. }, Some(digest)) => programs.is_shell(digest),
            _ => false,
        }
}

fn finding(
    seen: &Seen<'_>,
    execution: &Execution,
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
    seen.finding(&RULE, severity, title, &execution.path, (reason, None))
}
