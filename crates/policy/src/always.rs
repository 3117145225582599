//! What is over the line whatever line was set, and in which words the decision says so.
//!
//! A line is for faults that everybody has some of. What stands here is none of those: evidence that
//! an image or a container is not what it was approved as, or that somebody else is in it, or what
//! the policy itself forbids.

use vocabulary::{Finding, Rule, RuleKind, Severity};

/// Findings of one rule that no line lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Always {
    /// Id of the rule.
    pub rule: &'static str,
    /// From this severity on; `Unknown` takes every one.
    pub from: Severity,
    /// Behind the number one: what it is.
    pub one: &'static str,
    /// The same behind greater numbers.
    pub many: &'static str,
}

impl Always {
    const fn all(rule: Rule, one: &'static str, many: &'static str) -> Self {
        Self { rule: rule.id, from: Severity::Unknown, one, many }
    }

    /// Comparing rates programs, libraries and security settings high, and other files lower: those
    /// are left to the line.
    const fn high(rule: Rule, one: &'static str, many: &'static str) -> Self {
        Self { rule: rule.id, from: Severity::High, one, many }
    }

    /// Whether it holds for a finding.
    #[must_use]
    pub fn holds(&self, finding: &Finding) -> bool {
        finding.rule == self.rule && finding.severity >= self.from
    }
}

/// Whether a rule is one by which policy says what it asks for, not that something was tampered with.
#[must_use]
pub fn is_of_policy(rule: &str) -> bool {
    Rule::ALL.iter().any(|own| own.id == rule && own.kind == RuleKind::Policy)
}

/// All of them, in the order in which reasons name them.
pub const ALWAYS: &[Always] = &[
    Always::all(Rule::BROKEN_SEAL, "seal does not hold", "seals do not hold"),
    Always::all(Rule::SEAL_MISMATCH, "difference from the seal", "differences from the seal"),
    Always::all(
        Rule::ROLLED_BACK_IMAGE,
        "name points at an image that a newer seal has replaced",
        "names point at images that newer seals have replaced",
    ),
    Always::all(
        Rule::DIGEST_MISMATCH,
        "content differs from its digest",
        "contents differ from their digests",
    ),
    Always::all(
        Rule::PROGRAM_NOT_IN_IMAGE,
        "program ran that is not in the image",
        "programs ran that are not in the image",
    ),
    Always::all(
        Rule::REVERSE_SHELL,
        "shell takes its input from a socket",
        "shells take their input from sockets",
    ),
    Always::all(Rule::MALICIOUS_PACKAGE, "malicious package", "malicious packages"),
    Always::high(
        Rule::FILE_CHANGED,
        "file that matters was changed",
        "files that matter were changed",
    ),
    Always::all(Rule::FORBIDDEN_PACKAGE, "forbidden package", "forbidden packages"),
    Always::all(
        Rule::MISSING_PACKAGE,
        "package that must be there is not",
        "packages that must be there are not",
    ),
    Always::all(
        Rule::FORBIDDEN_BASE_IMAGE,
        "base image is not allowed",
        "base images are not allowed",
    ),
    Always::all(Rule::FORBIDDEN_LICENCE, "licence is not allowed", "licences are not allowed"),
    Always::high(Rule::FILE_ADDED, "file that matters was added", "files that matter were added"),
    Always::high(
        Rule::FILE_REMOVED,
        "file that matters was removed",
        "files that matter were removed",
    ),
];
