//! Says of each finding which line of the policy decided what.
//!
//! In go the policy and what it made of a scan, out comes a verdict for each finding, in the order of
//! the report, and the ignore rules that silenced nothing: those can go.

use crate::counts::Counts;
use crate::date::Date;
use crate::decide::Judgement;
use crate::policy::Policy;
use crate::rules::{FORBIDDEN_BASE_IMAGE, FORBIDDEN_LICENCE, FORBIDDEN_PACKAGE, MISSING_PACKAGE};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use vocabulary::{Fingerprint, Severity};

/// What was decided of one finding, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// The finding.
    pub fingerprint: Fingerprint,
    /// Whether it is over the line.
    pub over: bool,
    /// What decided, in words.
    pub why: String,
    /// File and line, where one decided.
    pub by: Option<String>,
}

/// A verdict for each finding, and what each ignore rule that silences nothing is about, with its
/// place.
#[must_use]
pub fn verdicts(
    policy: &Policy,
    judgement: &Judgement,
    today: Date,
) -> (Vec<Verdict>, Vec<String>) {
    let decision = &judgement.decision;
    let silenced: HashMap<&Fingerprint, _> =
        decision.suppressed.iter().map(|rule| (&rule.fingerprint, rule)).collect();
    let overridden: HashMap<&Fingerprint, _> =
        decision.overridden.iter().map(|change| (&change.fingerprint, change)).collect();
    let place = |key: &str| policy.places.get(key).cloned();
    let list = judgement.findings.iter().map(|finding| {
        let verdict = |over, why: String, by| Verdict {
            fingerprint: finding.fingerprint.clone(),
            over,
            why,
            by,
        };
        if let Some(rule) = silenced.get(&finding.fingerprint) {
            let owner = rule.owner.as_ref().map(|owner| format!(", says {owner}"));
            let why = format!("silenced: {}{}", rule.reason, owner.unwrap_or_default());
            return verdict(false, why, rule.by.clone());
        }
        let mut severity = finding.severity.to_string();
        if let Some(change) = overridden.get(&finding.fingerprint) {
            severity =
                format!("{severity}, which {} says instead of {}", change.by, change.severity);
        }
        let line = policy.line();
        match Counts::of(policy, &judgement.rules, finding) {
            Counts::Always(_) => {
                let by = match finding.rule.as_str() {
                    id if id == FORBIDDEN_PACKAGE.id || id == MISSING_PACKAGE.id => {
                        place("packages")
                    }
                    id if id == FORBIDDEN_LICENCE.id => place("licences"),
                    id if id == FORBIDDEN_BASE_IMAGE.id => place("base-images"),
                    _ => None,
                };
                verdict(true, format!("over every line: {}", finding.rule), by)
            }
            Counts::Exploited => {
                verdict(true, "known to be exploited".to_owned(), place("fail-on-exploited"))
            }
            Counts::Severity => {
                let key = match (finding.severity, policy.fail_on) {
                    (Severity::Unknown, line) if line != Some(Severity::Unknown) => {
                        "fail-on-unknown"
                    }
                    _ => "fail-on",
                };
                let line = match key {
                    "fail-on" => policy.fail_on.map(|level| format!("--fail-on {level}")),
                    _ => Some("--fail-on-unknown".to_owned()),
                };
                verdict(true, format!("over {}: {severity}", line.unwrap_or_default()), place(key))
            }
            Counts::Known => verdict(false, "found before".to_owned(), None),
            Counts::NotMended => verdict(false, "nothing mends it".to_owned(), place("only-fixed")),
            Counts::NotLinked => verdict(
                false,
                "its functions are not in the program".to_owned(),
                place("only-linked"),
            ),
            Counts::OtherLayers => {
                verdict(false, "in layers that do not count".to_owned(), place("layers"))
            }
            Counts::Below => match &line {
                Some(line) => {
                    verdict(false, format!("not over {line}: {severity}"), place("fail-on"))
                }
                None => verdict(false, format!("no --fail-on was given: {severity}"), None),
            },
        }
    });
    let used: HashSet<(Option<&String>, &String)> =
        decision.suppressed.iter().map(|rule| (rule.by.as_ref(), &rule.reason)).collect();
    let unused = policy
        .ignores
        .iter()
        .filter(|rule| rule.holds_on(today) && !used.contains(&(rule.by.as_ref(), &rule.reason)))
        .map(|rule| match &rule.by {
            Some(by) => format!("{} ({by})", rule.shown()),
            None => rule.shown(),
        })
        .collect();
    (list.collect(), unused)
}
