//! What goes into a log, and what is left out of it.
//!
//! GitHub refuses a file with more than 20 runs, a run with more than 25,000 results, and a file of more
//! than 10 MB once it is packed; of each run it shows the 5,000 most severe results. So the worst come
//! first, and what is over a limit is left out and counted: in the log, and to whoever wrote it.
//! Source: GitHub, "SARIF support for code scanning" and "SARIF results exceed one or more limits".

use std::collections::HashSet;
use vocabulary::{Finding, Fingerprint, NotChecked, Outcome, Report, Severity, counted};

/// Most results of a run.
pub(super) const RESULTS: usize = 25_000;
/// Results of a run that GitHub shows.
pub(super) const SHOWN: usize = 5_000;
/// Most runs of a file.
pub(super) const RUNS: usize = 20;
/// Most results of a file, of all runs together. A result, with the rule that it may be alone with, takes
/// some 250 bytes of a packed file, so that this many stay below 10 MB.
pub(super) const RESULTS_OF_A_LOG: usize = 30_000;

/// A run of a log: a subject, or one that could not be read.
#[derive(Clone, Copy)]
pub(super) enum Subject<'report> {
    Read(&'report Report),
    Failed(&'report NotChecked),
}

impl<'report> Subject<'report> {
    pub(super) fn name(self) -> &'report str {
        match self {
            Self::Read(report) => &report.subject.name,
            Self::Failed(failed) => &failed.what,
        }
    }

    /// The less, the sooner it must be seen.
    const fn urgency(self) -> u8 {
        match self {
            Self::Read(report) => match report.decision.outcome {
                Outcome::Findings => 0,
                Outcome::Incomplete => 1,
                Outcome::NoLine => 2,
                Outcome::Pass => 3,
            },
            Self::Failed(_) => 1,
        }
    }
}

/// What a log holds.
pub(super) struct Chosen<'report> {
    /// In the order in which they were named.
    pub(super) subjects: Vec<Subject<'report>>,
    /// Subjects that did not fit.
    pub(super) left_out: Vec<&'report str>,
    /// Most results of each run.
    pub(super) room: usize,
}

pub(super) fn choose<'report>(
    reports: &'report [Report],
    failed: &'report [NotChecked],
) -> Chosen<'report> {
    let all = reports.iter().map(Subject::Read).chain(failed.iter().map(Subject::Failed));
    let mut by_urgency: Vec<(usize, Subject<'report>)> = all.enumerate().collect();
    by_urgency.sort_by_key(|(_, subject)| subject.urgency());
    let mut others = by_urgency.split_off(by_urgency.len().min(RUNS));
    by_urgency.sort_by_key(|(index, _)| *index);
    others.sort_by_key(|(index, _)| *index);
    let subjects: Vec<Subject<'_>> = by_urgency.into_iter().map(|(_, subject)| subject).collect();
    Chosen {
        room: room(&subjects),
        left_out: others.iter().map(|(_, subject)| subject.name()).collect(),
        subjects,
    }
}

/// The most results that each run may have, so that all together fit.
fn room(subjects: &[Subject<'_>]) -> usize {
    let mut wanted: Vec<usize> = subjects
        .iter()
        .map(|subject| match subject {
            Subject::Read(report) => report.findings.len().min(RESULTS),
            Subject::Failed(_) => 0,
        })
        .collect();
    wanted.sort_unstable();
    let (mut left, mut runs) = (RESULTS_OF_A_LOG, wanted.len());
    for want in wanted {
        // The small ones take what they want, and the others share the rest.
        if want > left / runs.max(1) {
            return left / runs.max(1);
        }
        left -= want;
        runs -= 1;
    }
    RESULTS
}

/// The findings that become results: those that nobody silenced before the others, and the worst first.
/// Of the same severity the most urgent are first, as the report has them.
pub(super) fn findings(report: &Report, room: usize) -> Vec<&Finding> {
    let silenced: HashSet<&Fingerprint> =
        report.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings
        .sort_by_key(|finding| (silenced.contains(&finding.fingerprint), order(finding.severity)));
    findings.truncate(room);
    findings
}

/// The place of a severity, worst first. What is not rated may be anything, and stands where its level
/// stands.
const fn order(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Unknown => 3,
        Severity::Low => 4,
        Severity::Negligible => 5,
    }
}

/// What a log of these subjects does not hold, a line for each subject, and one for the subjects that it
/// leaves out.
pub(crate) fn left_out(reports: &[Report], failed: &[NotChecked]) -> Vec<String> {
    let chosen = choose(reports, failed);
    let results = chosen.subjects.iter().filter_map(|subject| match subject {
        Subject::Read(report) => {
            Some(format!("{}: {}", subject.name(), results_left_out(report, chosen.room)?))
        }
        Subject::Failed(_) => None,
    });
    results.chain(subjects_left_out(&chosen.left_out)).collect()
}

/// How many results of a run are left out, where any are.
pub(super) fn results_left_out(report: &Report, room: usize) -> Option<String> {
    let all = report.findings.len();
    let left = all.checked_sub(room).filter(|left| *left > 0)?;
    Some(format!(
        "{} left out, of {all}: a run has at most {room} here, the worst of them; write the report as JSON for all",
        counted(left, "result", "results"),
    ))
}

/// Which subjects are left out, where any are.
pub(super) fn subjects_left_out(names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| {
        format!(
            "{} left out: a log has at most {RUNS} runs, the most urgent of them; write a file for each, as in -o {{name}}.sarif: {}",
            counted(names.len(), "subject", "subjects"),
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_share_a_log_and_none_that_is_small_is_cut() {
        let report = |findings: usize| -> Report {
            let text = r#"{"schema":"","tool":{"name":"","version":""},"subject":{"kind":"image","name":"a"},
                "layers":[],"packages":[],"findings":[],"coverage":[],"databases":[],
                "summary":{"total":{},"by_origin":{},"fixable":0,"packages":0},
                "decision":{"outcome":"findings","reasons":[],"over_the_line":[],"suppressed":[]}}"#;
            let mut report: Report = serde_json::from_str(text).unwrap();
            let finding = r#"{"rule":"x","severity":"low","title":"","location":{"kind":"subject"},
                "origin":"base","evidence":[],"fingerprint":"00"}"#;
            let finding: Finding = serde_json::from_str(finding).unwrap();
            report.findings = vec![finding; findings];
            report
        };
        let room_of = |sizes: &[usize]| {
            let reports: Vec<Report> = sizes.iter().map(|size| report(*size)).collect();
            choose(&reports, &[]).room
        };
        assert_eq!(room_of(&[30_000]), RESULTS);
        assert_eq!(room_of(&[10, 25_000]), RESULTS);
        assert_eq!(room_of(&[10, 20_000, 20_000]), (RESULTS_OF_A_LOG - 10) / 2);
        assert_eq!(room_of(&[40_000, 40_000]), RESULTS_OF_A_LOG / 2);
    }
}
