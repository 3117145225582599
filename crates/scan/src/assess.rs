//! Matches an inventory against advisories and decides on it: the report.

use crate::freshness;
use crate::host;
use crate::imported::Imported;
use crate::inventory::Inventory;
use crate::mend;
use crate::rank::{self, Known};
use crate::read::ATTACHED;
use crate::sources;
use advisories::{Advice, Databases, Risks};
use archive::Freshness;
use image::source::attached::Attached;
use policy::{About, Policy};
use vocabulary::{Coverage, Package, Problem, Report, Summary, Tool, Usage, report::SCHEMA};

/// What an inventory is assessed by.
pub struct Assessment<'assess> {
    /// The program, for the report.
    pub tool: Tool,
    /// The advisories; none lists packages without matching them.
    pub databases: Option<&'assess Databases>,
    /// What is known of exploitation; none ranks by severity alone.
    pub risks: Option<&'assess Risks>,
    /// What a container of the image used, where an agent watched one.
    pub usage: Option<&'assess Usage>,
    /// What the distribution's archive says, where it was asked.
    pub freshness: Option<&'assess Freshness>,
    /// What other tools found.
    pub imported: &'assess Imported,
    /// What counts.
    pub policy: &'assess Policy,
    /// The day on which it counts, for ignores that expire.
    pub today: policy::Date,
}

/// Matches, decides and counts: the report.
#[must_use]
pub fn assess(inventory: Inventory, by: &Assessment<'_>) -> Report {
    let Inventory {
        subject,
        distribution,
        layers,
        packages,
        asked: who_asks,
        findings,
        coverage,
        files,
        symlinks,
        entry,
        apt: _,
        kernel,
        mut programs,
        attached,
        packed: _,
    } = inventory;
    let (mut findings, mut coverage) = (findings, coverage);
    findings.extend(by.imported.findings.iter().cloned());
    coverage.extend(by.imported.coverage.iter().cloned());
    let mut databases = Vec::new();
    if let Some(advisories) = by.databases {
        if let Some(platform) = &subject.platform {
            programs.assume(&platform.os);
        }
        let matched = advisories.matches_in(&packages, distribution.as_ref(), &programs);
        findings.extend(matched.findings);
        host::mark_kernels(&mut findings, kernel.as_deref());
        coverage.extend(matched.coverage);
        coverage.extend(sources::coverage(&packages, distribution.as_ref(), advisories));
        databases = advisories.infos().to_vec();
        databases.extend(by.risks.into_iter().flat_map(Risks::infos).cloned());
        let (ended, lifetime) =
            advisories::lifetimes::end_of_life(distribution.as_ref(), &by.today.to_string());
        findings.extend(ended);
        coverage.extend(lifetime);
        let known = Known {
            risks: by.risks,
            usage: by.usage,
            entry: entry.as_ref(),
            packages: &packages,
            symlinks: &symlinks,
        };
        rank::rank(&mut findings, &known);
        coverage.extend(policy::gates(by.policy, &databases));
    }
    if let Some(fresh) = by.freshness {
        findings.extend(freshness::unexplained(&fresh.findings, &findings));
        coverage.push(fresh.coverage.clone());
    }
    let with_attached = with_attached(by.policy, &attached, &mut coverage);
    let policy = with_attached.as_ref().unwrap_or(by.policy);
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
        let advice = by.databases.map(|advisories| advisories.upgrade(members, least, by_what));
        // What could not be held against advisories is not offered.
        advice.map_or(Advice::Unknown, |advice| advice.unwrap_or(Advice::Stay))
    };
    let aims = mend::Aims::find(&findings, &packages, &advisor);
    aims.offer(&mut findings, &packages);
    let rules = crate::rules();
    let mut judgement =
        policy::decide_for(policy, &rules, Some(&about), findings, &coverage, by.today);
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
        files,
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
