//! What verifying came to, and the report that is made of it.

use policy::Policy;
use scan::{Inventory, Software};
use seal::{Differences, Seal};
use vocabulary::{
    Coverage, Finding, Problem, Report, Rules, SealInfo, Summary, Tool, report::SCHEMA,
};

/// Checks of a scan that say how far the files were read. Those of packages are no part of this.
const READING: [&str; 3] = ["layers", "walk", "written-layers"];

/// What verifying came to.
#[derive(Debug)]
pub struct Verified {
    pub(crate) inventory: Inventory,
    pub(crate) findings: Vec<Finding>,
    pub(crate) coverage: Vec<Coverage>,
    pub(crate) seal: Option<SealInfo>,
}

impl Verified {
    pub(crate) fn of(mut inventory: Inventory) -> Self {
        let findings = std::mem::take(&mut inventory.findings);
        let coverage = std::mem::take(&mut inventory.coverage)
            .into_iter()
            .filter(|coverage| READING.contains(&coverage.check.as_str()))
            .collect();
        Self { inventory, findings, coverage, seal: None }
    }

    pub(crate) fn takes(&mut self, what: &str, differences: Differences) {
        self.coverage.push(covered(what, &differences));
        self.findings.extend(differences.findings);
    }

    /// Decides: whatever differs is over the line, and what could not be asked is no pass.
    #[must_use]
    pub fn report(self, tool: Tool, today: policy::Date) -> Report {
        let Self { inventory, findings, mut coverage, seal } = self;
        let Inventory { subject, layers, software, .. } = inventory;
        let Software { distribution, packages, .. } = software;
        coverage.sort_by(|left, right| left.check.cmp(&right.check));
        let rules = Rules::of(&[seal::RULES]).and(&scan::rules());
        let judgement =
            policy::decide(&Policy::of_verification(), &rules, findings, &coverage, today);
        let summary = Summary::count(judgement.open(), &packages);
        Report {
            schema: SCHEMA.to_owned(),
            tool,
            subject,
            seal,
            distribution,
            layers,
            packages,
            rules: judgement.rules,
            findings: judgement.findings,
            coverage,
            databases: Vec::new(),
            summary,
            decision: judgement.decision,
            mending: vocabulary::upgrade::Mending::default(),
            files: Vec::new(),
        }
    }
}

/// What a report says of a seal.
pub(crate) fn info(seal: &Seal) -> SealInfo {
    let predicate = &seal.statement.predicate;
    SealInfo {
        name: predicate.name().to_string(),
        counter: predicate.counter,
        time: predicate.time.clone(),
        signer: predicate.signer.fingerprint.clone(),
        digest: seal.digest.clone(),
    }
}

/// How far files were held against each other.
fn covered(what: &str, differences: &Differences) -> Coverage {
    let Differences { left_out, excused, unread, compared, .. } = differences;
    let problems = unread.iter().map(|path| Problem {
        path: path.clone(),
        layer: None,
        reason: "its content could not be read".to_owned(),
    });
    let mut coverage = Coverage::with_problems(what, problems.collect());
    let mut remarks = vec![format!("{compared} files")];
    if !excused.is_empty() {
        remarks.push(format!("{} that the engine makes itself left out", excused.len()));
    }
    if *left_out > 0 {
        remarks.push(format!("{left_out} more differences are not listed"));
    }
    coverage.reason = Some(remarks.join(", "));
    coverage
}
