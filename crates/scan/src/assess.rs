//! Matches an inventory against advisories and decides on it: the report.

use crate::host;
use crate::imported::Imported;
use crate::inventory::{ATTACHED, Files, Inventory, Runs, Software};
use crate::mend;
use crate::rank::{self, Known};
use crate::sources;
use crate::unexplained::unexplained;
use advisories::{Advice, Databases, Risks};
use freshness::Freshness;
use image::source::attached::Attached;
use policy::{About, Policy};
use vocabulary::{
    Coverage, DatabaseInfo, Finding, Package, Problem, Report, Summary, Tool, Usage, report::SCHEMA,
};

/// What an inventory is assessed by: a part for each room that has a say.
pub struct Assessment<'assess> {
    /// The program, for the report.
    pub tool: Tool,
    /// What is known of vulnerabilities; none lists packages without matching them.
    pub matching: Option<Matching<'assess>>,
    /// What others than the advisories say.
    pub elsewhere: Elsewhere<'assess>,
    /// What counts.
    pub judging: Judging<'assess>,
}

/// By what packages are matched, and what was found of them is ranked.
#[derive(Clone, Copy)]
pub struct Matching<'assess> {
    /// The advisories.
    pub databases: &'assess Databases,
    /// What is known of exploitation; none ranks by severity alone.
    pub risks: Option<&'assess Risks>,
    /// What a container of the image used, where an agent watched one.
    pub usage: Option<&'assess Usage>,
}

/// What others say of a subject.
#[derive(Clone, Copy, Default)]
pub struct Elsewhere<'assess> {
    /// What the distribution's archive says, where it was asked.
    pub freshness: Option<&'assess Freshness>,
    /// What other tools found.
    pub imported: Option<&'assess Imported>,
}

/// By what it is decided.
#[derive(Clone, Copy)]
pub struct Judging<'assess> {
    /// What counts.
    pub policy: &'assess Policy,
    /// The day on which it counts, for ignores that expire.
    pub today: policy::Date,
}

/// What is gathered of a subject until it is decided.
struct Gathered {
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
    databases: Vec<DatabaseInfo>,
}

/// Matches, decides and counts: the report.
#[must_use]
pub fn assess(inventory: Inventory, by: &Assessment<'_>) -> Report {
    let Inventory { subject, layers, mut software, files, runs, source, .. } = inventory;
    let (findings, coverage) = (inventory.findings, inventory.coverage);
    let mut gathered = Gathered { findings, coverage, databases: Vec::new() };
    if let Some(imported) = by.elsewhere.imported {
        gathered.findings.extend(imported.findings.iter().cloned());
        gathered.coverage.extend(imported.coverage.iter().cloned());
    }
    if let Some(matching) = &by.matching {
        if let Some(platform) = &subject.platform {
            software.programs.assume(&platform.os);
        }
        gathered.matches(&software, &runs, matching, by.judging.today);
        gathered.ranks(&software, &runs, &files, matching);
        gathered.coverage.extend(policy::gates(by.judging.policy, &gathered.databases));
    }
    if let Some(fresh) = by.elsewhere.freshness {
        gathered.findings.extend(unexplained(&fresh.findings, &gathered.findings));
        gathered.coverage.push(fresh.coverage.clone());
    }
    let Gathered { mut findings, mut coverage, databases } = gathered;
    let Software { distribution, packages, asked: who_asks, programs } = software;
    let with_attached = with_attached(by.judging.policy, &source.attached, &mut coverage);
    let policy = with_attached.as_ref().unwrap_or(by.judging.policy);
    let (asked, unknown) = policy::conditions(policy, &subject, &packages);
    findings.extend(asked);
    coverage.extend(unknown);
    let about = About { subject: &subject, packages: &packages, programs: Some(&programs) };
    coverage.extend(policy::vex_coverage(&policy.vex, &about));
    coverage.sort_by(|left, right| left.check.cmp(&right.check));
    // What is offered counts for the gate.
    let advisor = |members: &[&Package], least: Option<&str>| {
        // A database that cannot be read said so where it was matched.
        let by_what = (distribution.as_ref(), &programs);
        let databases = by.matching.as_ref().map(|matching| matching.databases);
        let advice = databases.map(|advisories| advisories.upgrade(members, least, by_what));
        // What could not be held against advisories is not offered.
        advice.map_or(Advice::Unknown, |advice| advice.unwrap_or(Advice::Stay))
    };
    let aims = mend::Aims::find(&findings, &packages, &advisor);
    aims.offer(&mut findings, &packages);
    let today = by.judging.today;
    let rules = crate::rules::all();
    let mut judgement =
        policy::decide_for(policy, &rules, Some(&about), findings, &coverage, today);
    if packages.is_empty() {
        // So that nobody takes "no findings" for a verdict on software that was never seen.
        judgement.decision.reasons.push("no packages were found".to_owned());
    }
    let summary = Summary::count(judgement.open(), &packages);
    let (mending, titles) = mend::plan(judgement.open(), &packages, &who_asks, &aims);
    aims.retitle(&mut judgement.findings, &packages, &titles);
    Report {
        schema: SCHEMA.to_owned(),
        tool: by.tool.clone(),
        subject,
        seal: None,
        distribution,
        layers,
        packages,
        rules: judgement.rules,
        findings: judgement.findings,
        coverage,
        databases,
        summary,
        decision: judgement.decision,
        mending,
        files: files.record,
    }
}

impl Gathered {
    /// Adds what advisories say of the packages, and what has come to its end.
    fn matches(
        &mut self,
        software: &Software,
        runs: &Runs,
        by: &Matching<'_>,
        today: policy::Date,
    ) {
        let Software { distribution, packages, programs, .. } = software;
        let distribution = distribution.as_ref();
        let matched = by.databases.matches_in(packages, distribution, programs);
        self.findings.extend(matched.findings);
        host::mark_kernels(&mut self.findings, runs.kernel.as_deref());
        self.coverage.extend(matched.coverage);
        self.coverage.extend(sources::coverage(packages, distribution, by.databases));
        self.databases = by.databases.infos().to_vec();
        self.databases.extend(by.risks.into_iter().flat_map(Risks::infos).cloned());
        let (ended, lifetime) =
            advisories::lifetimes::end_of_life(distribution, &today.to_string());
        self.findings.extend(ended);
        self.coverage.extend(lifetime);
    }

    /// Ranks what was found.
    fn ranks(&mut self, software: &Software, runs: &Runs, files: &Files, by: &Matching<'_>) {
        let known = Known {
            risks: by.risks,
            usage: by.usage,
            entry: runs.entry.as_ref(),
            packages: &software.packages,
            symlinks: &files.symlinks,
        };
        rank::rank(&mut self.findings, &known);
    }
}

/// The policy with the documents that are attached to the image, each named by its digest.
fn with_attached(
    policy: &Policy,
    attached: &[Attached],
    coverage: &mut [Coverage],
) -> Option<Policy> {
    if attached.is_empty() {
        return None;
    }
    let mut policy = policy.clone();
    let mut problems = Vec::new();
    for document in attached {
        let signed = if document.signed { "signature not verified" } else { "unsigned" };
        let name = format!("attached {}, {signed}", document.digest);
        match policy::parse_vex(&name, &document.bytes) {
            Ok(statements) => policy.vex.extend(statements),
            Err(error) => problems.push(Problem {
                path: document.digest.to_string(),
                layer: None,
                reason: error.to_string(),
            }),
        }
    }
    if let Some(own) = coverage.iter_mut().find(|one| one.check == ATTACHED) {
        problems.append(&mut own.problems);
        *own = Coverage::with_problems(ATTACHED, problems);
    }
    Some(policy)
}
