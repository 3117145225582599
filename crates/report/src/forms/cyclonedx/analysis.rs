//! What policy silenced of a vulnerability, in the words of CycloneDX.
//!
//! In goes why a finding was silenced, out comes an analysis. A publisher's VEX statement is a statement
//! about exploitability, and keeps its justification in the vocabulary of CycloneDX; the reason of an
//! ignore rule is none: the vulnerability is there, and somebody decided to live with it. Sources:
//! CycloneDX specification 1.6, `vulnerabilities[].analysis`; OpenVEX specification 0.2.0, "Status
//! Justifications", whose terms are those of CSAF 2.0, 3.2.3.5, too.

use serde::Serialize;
use vocabulary::{Stated, Suppressed};

/// Terms of VEX, and those of CycloneDX that say the same or, where none does, the least that they say.
const JUSTIFICATIONS: [(&str, &str); 5] = [
    ("component_not_present", "code_not_present"),
    ("vulnerable_code_not_present", "code_not_present"),
    ("vulnerable_code_not_in_execute_path", "code_not_reachable"),
    ("vulnerable_code_cannot_be_controlled_by_adversary", "requires_environment"),
    ("inline_mitigations_already_exist", "protected_by_mitigating_control"),
];

#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Analysis {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    response: &'static [&'static str],
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Analysis {
    pub(super) fn of(suppressed: &Suppressed) -> Self {
        let term = suppressed.justification.as_deref();
        // A report that was saved before says only of some where it was stated.
        let stated = suppressed.vex.or(term.map(|_| Stated::NotAffected));
        let justification = term.and_then(|term| {
            JUSTIFICATIONS.iter().find(|(own, _)| *own == term).map(|(_, word)| *word)
        });
        let (state, response): (_, &[&str]) = match stated {
            Some(Stated::NotAffected) => ("not_affected", &[]),
            Some(Stated::Fixed) => ("resolved", &[]),
            None => ("exploitable", &["will_not_fix"]),
        };
        Self {
            state,
            // The schema knows a justification of what is not affected alone.
            justification: justification.filter(|_| stated == Some(Stated::NotAffected)),
            response,
            detail: detail(suppressed, term),
        }
    }
}

/// The reason in its own words, who answers for it, until when, and where it was said.
fn detail(suppressed: &Suppressed, term: Option<&str>) -> String {
    let Suppressed { reason, owner, by, expires, .. } = suppressed;
    let parts = [
        Some(reason.clone()).filter(|reason| !reason.is_empty()),
        term.map(str::to_owned),
        owner.as_ref().map(|owner| format!("owner: {owner}")),
        expires.as_ref().map(|day| format!("until {day}")),
        by.as_ref().map(|by| format!("said by {by}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Fingerprint, Location};

    fn silenced(vex: Option<Stated>, justification: Option<&str>) -> String {
        let suppressed = Suppressed {
            fingerprint: Fingerprint::new("rule", None, None, &Location::Subject),
            id: "CVE-2099-1".to_owned(),
            reason: "because".to_owned(),
            owner: None,
            by: Some("vex.json".to_owned()),
            vex,
            justification: justification.map(str::to_owned),
            expires: None,
        };
        serde_json::to_string(&Analysis::of(&suppressed)).unwrap()
    }

    #[test]
    fn a_statement_keeps_its_justification_and_an_ignore_rule_is_no_statement() {
        let not_affected = Some(Stated::NotAffected);
        for (term, word) in JUSTIFICATIONS {
            let expected = format!(
                r#"{{"state":"not_affected","justification":"{word}","detail":"because; {term}; said by vex.json"}}"#
            );
            assert_eq!(silenced(not_affected, Some(term)), expected);
            assert_eq!(silenced(None, Some(term)), expected, "an older report");
        }
        assert_eq!(
            silenced(not_affected, None),
            r#"{"state":"not_affected","detail":"because; said by vex.json"}"#
        );
        assert_eq!(
            silenced(not_affected, Some("of their own")),
            r#"{"state":"not_affected","detail":"because; of their own; said by vex.json"}"#
        );
        assert_eq!(
            silenced(Some(Stated::Fixed), None),
            r#"{"state":"resolved","detail":"because; said by vex.json"}"#
        );
        assert_eq!(
            silenced(None, None),
            r#"{"state":"exploitable","response":["will_not_fix"],"detail":"because; said by vex.json"}"#
        );
    }
}
