//! The report of what is new between two subjects, for the forms that tell of nothing else.

use vocabulary::diff::{Change, DiffReport};
use vocabulary::report::SCHEMA;
use vocabulary::upgrade::Mending;
use vocabulary::{Coverage, Decision, Finding, Report, Summary};

/// A report of the later subject with what is new in it.
pub(crate) fn fresh(report: &DiffReport) -> Report {
    let new = report.findings.iter().filter(|one| one.change == Change::New);
    let findings: Vec<Finding> = new.map(|one| one.finding.clone()).collect();
    let silenced = |finding: &&Finding| {
        report.suppressed.iter().any(|one| one.fingerprint == finding.fingerprint)
    };
    let mut coverage = report.gaps.clone();
    coverage.push(Coverage::ran("diff"));
    Report {
        schema: SCHEMA.to_owned(),
        tool: report.tool.clone(),
        subject: report.after.subject.clone(),
        seal: None,
        distribution: report.after.distribution.clone(),
        layers: Vec::new(),
        packages: Vec::new(),
        summary: Summary::count(findings.iter().filter(|one| !silenced(one)), &[]),
        rules: report.rules.used(findings.iter().map(|one| one.rule.as_str())),
        findings,
        coverage,
        databases: report.after.databases.clone(),
        decision: Decision {
            outcome: report.outcome,
            line: report.line.clone(),
            reasons: report.reasons.clone(),
            over_the_line: report.over_the_line.clone(),
            suppressed: report.suppressed.clone(),
            overridden: Vec::new(),
            found: Vec::new(),
        },
        mending: Mending::default(),
        files: Vec::new(),
    }
}
