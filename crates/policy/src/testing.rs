//! Rules as other rooms have them, for tests: policy knows none of theirs by name.

use std::borrow::Cow::Borrowed;
use vocabulary::{Always, Class, Rule, Rules, Severity};

const fn rule(id: &'static str, class: Class, always: Option<Always>) -> Rule {
    Rule {
        id: Borrowed(id),
        class,
        title: Borrowed("Made up"),
        why: Borrowed("For a test."),
        severity: Severity::Critical,
        remedy: Borrowed("Nothing."),
        reference: None,
        always,
    }
}

pub(crate) static VULNERABILITY: Rule = rule("known-vulnerability", Class::Vulnerability, None);
pub(crate) static MALWARE: Rule =
    rule("malicious-package", Class::Malware, Some(Always::all("bad package", "bad packages")));
pub(crate) static MISMATCH: Rule =
    rule("digest-mismatch", Class::Integrity, Some(Always::all("other digest", "other digests")));
pub(crate) static INTRUDER: Rule =
    rule("intruder", Class::Runtime, Some(Always::all("stranger runs", "strangers run")));
pub(crate) static CHANGED: Rule = rule(
    "file-changed",
    Class::Integrity,
    Some(Always::from(Severity::High, "file that matters", "files that matter")),
);
pub(crate) static ADDED: Rule = rule(
    "file-added",
    Class::Integrity,
    Some(Always::from(Severity::High, "file that is new", "files that are new")),
);

/// One that the example of the documentation names.
static RETIRED: Rule = rule("end-of-life", Class::Vulnerability, None);

pub(crate) fn rules() -> Rules {
    Rules::of(&[&[&VULNERABILITY, &RETIRED, &MALWARE, &INTRUDER, &CHANGED, &ADDED, &MISMATCH]])
}
