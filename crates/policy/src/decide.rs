//! Makes a decision of findings and coverage.

use crate::conditions::{Override, PackagePattern};
use crate::date::Date;
use crate::found;
use crate::gaps::Gaps;
use crate::ignore::Ignore;
use crate::policy::Policy;
use crate::rank::rank;
use crate::rules::{EXPIRED_IGNORE, RULES};
use crate::tally::Tally;
use crate::vex::{self, About, VexStatus};
use std::collections::{HashMap, HashSet};
use vocabulary::{
    Class, Coverage, Decision, Finding, Fingerprint, Location, Outcome, Overridden, Risk, Rules,
    Stated, Suppressed,
};

/// What policy made of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// All findings, silenced ones and policy's own too, worst first, then by id, package and place.
    pub findings: Vec<Finding>,
    /// The rules that they are of.
    pub rules: Rules,
    /// The decision.
    pub decision: Decision,
}

impl Judgement {
    /// The findings that nobody silenced: what a summary counts.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        let silenced: HashSet<&Fingerprint> =
            self.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
        self.findings.iter().filter(move |finding| !silenced.contains(&finding.fingerprint))
    }
}

/// Decides on what is of no image, or of one that no VEX document need name. `rules` are those that
/// findings can be of, policy's own left out: a finding of none of them passes no line.
#[must_use]
pub fn decide(
    policy: &Policy,
    rules: &Rules,
    findings: Vec<Finding>,
    coverage: &[Coverage],
    today: Date,
) -> Judgement {
    decide_for(policy, rules, None, findings, coverage, today)
}

/// Decides on the findings of a subject.
#[must_use]
pub fn decide_for(
    policy: &Policy,
    rules: &Rules,
    about: Option<&About<'_>>,
    mut findings: Vec<Finding>,
    coverage: &[Coverage],
    today: Date,
) -> Judgement {
    let rules = &rules.and(&Rules::of(&[RULES]));
    let (active, expired): (Vec<&Ignore>, Vec<&Ignore>) =
        policy.ignores.iter().partition(|rule| rule.holds_on(today));
    findings.extend(expired.into_iter().map(expired_ignore));
    let overridden = override_severities(&policy.overrides, &mut findings);
    sort(rules, &mut findings);
    let mut suppressed = silence(rules, &active, &findings);
    suppressed.extend(silence_by_vex(policy, about, &findings, &suppressed));
    let silenced: HashSet<&Fingerprint> = suppressed.iter().map(|rule| &rule.fingerprint).collect();
    let open = findings.iter().filter(|finding| !silenced.contains(&finding.fingerprint));
    let mut tally = Tally::default();
    open.for_each(|finding| tally.count(policy, rules, finding));
    let gaps = Gaps::of(policy, coverage);
    let line = policy.line();
    let outcome = match (tally.over.is_empty(), gaps.none()) {
        (false, _) => Outcome::Findings,
        (true, false) => Outcome::Incomplete,
        (true, true) if line.is_none() && tally.below > 0 => Outcome::NoLine,
        (true, true) => Outcome::Pass,
    };
    let mut reasons = tally.reasons(policy, rules, suppressed.len());
    reasons.extend(gaps.reasons());
    let found = found::said(policy, &findings, &suppressed, &overridden, &tally, gaps.tolerated);
    // First where nothing else would make anybody read on: long texts are cut.
    let place = if outcome == Outcome::Pass { 0 } else { reasons.len() };
    reasons.splice(place..place, found.iter().cloned());
    let over_the_line = tally.over;
    let decision =
        Decision { outcome, line, reasons, over_the_line, suppressed, overridden, found };
    let rules = rules.used(findings.iter().map(|finding| finding.rule.as_str()));
    Judgement { findings, rules, decision }
}

/// How urgent a finding is: what no line lets pass before all else, then by rank; what has none
/// ranks by its severity, as a vulnerability of which no more is known.
fn urgency(rules: &Rules, finding: &Finding) -> u32 {
    if is_alarm(rules, finding) {
        return u32::MAX;
    }
    match &finding.risk {
        Some(risk) => risk.rank,
        None => rank(finding.severity, None, None, None, None, None).rank,
    }
}

/// Whether no line lets it pass, and it is not what policy itself asks for.
fn is_alarm(rules: &Rules, finding: &Finding) -> bool {
    finding.class != Class::Policy && rules.is_over_every_line(&finding.rule, finding.severity)
}

/// The order of a report: most urgent first, then by severity, id, package and place.
fn sort(rules: &Rules, findings: &mut [Finding]) {
    findings.sort_by(|left, right| {
        urgency(rules, right)
            .cmp(&urgency(rules, left))
            .then_with(|| right.severity.cmp(&left.severity))
            .then_with(|| left.id.cmp(&right.id))
            .then_with(|| left.package.cmp(&right.package))
            .then_with(|| left.location.cmp(&right.location))
            .then_with(|| left.rule.cmp(&right.rule))
    });
}

/// Gives findings the severity that the first matching override names; says how they were.
fn override_severities(overrides: &[Override], findings: &mut [Finding]) -> Vec<Overridden> {
    if overrides.is_empty() {
        return Vec::new();
    }
    let mut changed = Vec::new();
    for finding in findings {
        let Some(given) = overrides.iter().find(|given| given.matches(finding)) else { continue };
        if given.severity == finding.severity {
            continue;
        }
        changed.push(Overridden {
            fingerprint: finding.fingerprint.clone(),
            severity: finding.severity,
            reason: given.reason.clone(),
            by: given.by.clone(),
        });
        finding.severity = given.severity;
        finding.risk = finding.risk.take().map(|risk| {
            let Risk { exploited, epss, used, exposed, code, .. } = risk;
            rank(given.severity, exploited, epss, used, exposed, code)
        });
    }
    changed
}

/// The finding that an ignore rule has run out. It stays until the rule is renewed or removed.
fn expired_ignore(ignore: &Ignore) -> Finding {
    let rule = &EXPIRED_IGNORE;
    let ended = ignore.expires.map(|date| date.to_string()).unwrap_or_default();
    let package = ignore.package.as_ref().and_then(PackagePattern::purl);
    // A rule that names more than an id and a package is told apart by all that it names.
    let identity = match (&ignore.id, package) {
        (Some(id), Some(_)) => id.clone(),
        (Some(id), None) if ignore.package.is_none() => id.clone(),
        _ => ignore.shown(),
    };
    let owner = ignore.owner.as_ref().map(|owner| format!("; owner: {owner}")).unwrap_or_default();
    let title = format!(
        "the ignore of {} ended on {ended}; it said: {}{owner}",
        ignore.shown(),
        ignore.reason
    );
    Finding {
        id: ignore.id.clone(),
        package: package.cloned(),
        more_places: 0,
        fingerprint: Fingerprint::new(&rule.id, Some(&identity), package, &Location::Subject),
        ..Finding::of(rule, None, title, Location::Subject, Vec::new())
    }
}

/// What the rules silence; the first rule that matches a finding gives the reason.
fn silence(rules: &Rules, ignores: &[&Ignore], findings: &[Finding]) -> Vec<Suppressed> {
    let mut by_id: HashMap<String, Vec<&Ignore>> = HashMap::new();
    let mut general: Vec<&Ignore> = Vec::new();
    for rule in ignores {
        match &rule.id {
            Some(id) => {
                for id in [Some(id.as_str()), vocabulary::cve_of(id)].into_iter().flatten() {
                    by_id.entry(id.to_ascii_uppercase()).or_default().push(rule);
                }
            }
            None => general.push(rule),
        }
    }
    if by_id.is_empty() && general.is_empty() {
        return Vec::new();
    }
    let silenced = findings.iter().filter_map(|finding| {
        // What was tampered with can be silenced by naming it alone.
        let named_only = is_alarm(rules, finding);
        let rule = finding
            .ids()
            .filter_map(|id| by_id.get(&id.to_ascii_uppercase()))
            .flatten()
            .chain(general.iter().filter(|_| !named_only))
            .find(|rule| rule.covers(finding))?;
        Some(Suppressed {
            fingerprint: finding.fingerprint.clone(),
            id: rule.id.clone().unwrap_or_else(|| rule.shown()),
            reason: rule.reason.clone(),
            owner: rule.owner.clone(),
            by: rule.by.clone(),
            vex: None,
            justification: None,
            expires: rule.expires.map(|date| date.to_string()),
        })
    });
    silenced.collect()
}

/// What publishers say is not affected, and no rule has silenced. Only vulnerabilities: no publisher
/// has a say in what was tampered with.
fn silence_by_vex(
    policy: &Policy,
    about: Option<&About<'_>>,
    findings: &[Finding],
    done: &[Suppressed],
) -> Vec<Suppressed> {
    let Some(about) = about.filter(|_| !policy.vex.is_empty()) else { return Vec::new() };
    let products = vex::Products::new(about);
    let done: HashSet<&Fingerprint> = done.iter().map(|rule| &rule.fingerprint).collect();
    let open = findings
        .iter()
        .filter(|finding| finding.is_vulnerability() && !done.contains(&finding.fingerprint));
    let silenced = open.filter_map(|finding| {
        let statement = vex::of(&policy.vex, finding, &products)?;
        let (status, stated) = match statement.status {
            VexStatus::Fixed => ("fixed", Stated::Fixed),
            VexStatus::NotAffected | VexStatus::Affected | VexStatus::UnderInvestigation => {
                ("not affected", Stated::NotAffected)
            }
        };
        let reason = statement
            .impact
            .as_ref()
            .map_or_else(|| status.to_owned(), |impact| format!("{status}: {impact}"));
        Some(Suppressed {
            fingerprint: finding.fingerprint.clone(),
            id: finding.id.clone().unwrap_or_default(),
            reason,
            owner: None,
            by: Some(statement.by.clone()),
            vex: Some(stated),
            justification: statement.justification.clone(),
            expires: None,
        })
    });
    silenced.collect()
}
