//! Turns findings, coverage and what people chose to ignore into a decision.
//!
//! In go a [`Policy`], the findings and coverage of a scan and today's date; out come the findings,
//! with those that policy adds itself, and a [`Decision`] with its reasons. It never prints, exits or
//! reads a clock. The one design decision: what could not be looked at has not passed, and what is
//! not what it claims to be is over the line whatever line was set ([`ALWAYS`]).

mod always;
mod date;
mod ignore;

pub use always::ALWAYS;
pub use date::{Date, DateError};
pub use ignore::{Ignore, IgnoreError, parse_ignores};

use std::collections::{BTreeMap, HashMap, HashSet};
use vocabulary::diff::Likeness;
use vocabulary::{
    Coverage, Decision, Finding, Fingerprint, Location, OriginKind, Outcome, Risk, Rule, Severity,
    Status, Suppressed, counted,
};

/// Checks that one decision names before it only counts them: a reason is read by a person.
const NAMED_CHECKS: usize = 5;

/// Where the line is, and what is not to be counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Findings of this severity or worse are over the line. None: there is no line for
    /// vulnerabilities. `Unknown` draws it below everything, unknown severities included.
    pub fail_on: Option<Severity>,
    /// Findings of unknown severity are over the line too.
    pub fail_on_unknown: bool,
    /// Vulnerabilities that are known to be exploited are over the line, whatever their severity.
    pub fail_on_exploited: bool,
    /// Checks that could not read some files do not make the outcome incomplete. Checks that did not
    /// run, or broke off, still do.
    pub allow_partial: bool,
    /// What people chose to silence.
    pub ignores: Vec<Ignore>,
    /// What was found before: such findings are not over the line, unless no line lets them pass
    /// ([`ALWAYS`]). None: nothing is compared.
    pub known: Option<HashSet<Likeness>>,
}

impl Policy {
    /// The policy of a verification, where nobody draws a line. Medium: by then a file is not the one
    /// that was recorded, in content, kind, rights or presence. What comparing rates lower is what
    /// containers do all day, such as writing below `/var/log` and `/tmp`; it is listed, and passes.
    #[must_use]
    pub fn of_verification() -> Self {
        Self { fail_on: Some(Severity::Medium), ..Self::default() }
    }
}

/// What policy made of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// All findings, silenced ones and policy's own too, worst first, then by id, package and place.
    pub findings: Vec<Finding>,
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

/// Decides.
#[must_use]
pub fn decide(
    policy: &Policy,
    mut findings: Vec<Finding>,
    coverage: &[Coverage],
    today: Date,
) -> Judgement {
    let (active, expired): (Vec<&Ignore>, Vec<&Ignore>) =
        policy.ignores.iter().partition(|rule| rule.holds_on(today));
    findings.extend(expired.into_iter().map(expired_ignore));
    sort(&mut findings);
    let suppressed = silence(&active, &findings);
    let silenced: HashSet<&Fingerprint> = suppressed.iter().map(|rule| &rule.fingerprint).collect();
    let open = findings.iter().filter(|finding| !silenced.contains(&finding.fingerprint));
    let mut tally = Tally::default();
    open.for_each(|finding| tally.count(policy, finding));
    let gaps = Gaps::of(policy, coverage);
    let outcome = match (tally.over.is_empty(), gaps.none()) {
        (false, _) => Outcome::Findings,
        (true, false) => Outcome::Incomplete,
        (true, true) => Outcome::Pass,
    };
    let mut reasons = tally.reasons(policy);
    reasons.extend(gaps.reasons());
    let decision = Decision { outcome, reasons, over_the_line: tally.over, suppressed };
    Judgement { findings, decision }
}

/// How urgent a finding is: what no line lets pass before all else, then by rank; what has none
/// ranks by its severity, as a vulnerability of which no more is known.
fn urgency(finding: &Finding) -> u32 {
    if ALWAYS.iter().any(|rule| rule.holds(finding)) {
        return u32::MAX;
    }
    match &finding.risk {
        Some(risk) => risk.rank,
        None => Risk::new(finding.severity, None, None, None, None).rank,
    }
}

/// The order of a report: most urgent first, then by severity, id, package and place.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|left, right| {
        urgency(right)
            .cmp(&urgency(left))
            .then_with(|| right.severity.cmp(&left.severity))
            .then_with(|| left.id.cmp(&right.id))
            .then_with(|| left.package.cmp(&right.package))
            .then_with(|| left.location.cmp(&right.location))
            .then_with(|| left.rule.cmp(&right.rule))
    });
}

/// The finding that an ignore rule has run out. It stays until the rule is renewed or removed.
fn expired_ignore(ignore: &Ignore) -> Finding {
    let rule = Rule::EXPIRED_IGNORE;
    let ended = ignore.expires.map(|date| date.to_string()).unwrap_or_default();
    let id = Some(ignore.id.as_str());
    Finding {
        rule: rule.id.to_owned(),
        id: id.map(str::to_owned),
        aliases: Vec::new(),
        severity: rule.severity,
        title: format!("the ignore of {} ended on {ended}; it said: {}", ignore.id, ignore.reason),
        location: Location::Subject,
        package: ignore.package.clone(),
        ecosystem: None,
        layer: None,
        origin: OriginKind::Unknown,
        fix: None,
        risk: None,
        evidence: Vec::new(),
        fingerprint: Fingerprint::new(rule.id, id, ignore.package.as_ref(), &Location::Subject),
    }
}

/// What the rules silence; the first rule that matches a finding gives the reason.
fn silence(rules: &[&Ignore], findings: &[Finding]) -> Vec<Suppressed> {
    let mut by_id: HashMap<String, Vec<&Ignore>> = HashMap::new();
    for rule in rules {
        by_id.entry(rule.id.to_ascii_uppercase()).or_default().push(rule);
    }
    if by_id.is_empty() {
        return Vec::new();
    }
    let silenced = findings.iter().filter_map(|finding| {
        let ids = finding.id.iter().chain(&finding.aliases);
        let rule = ids
            .filter_map(|id| by_id.get(&id.to_ascii_uppercase()))
            .flatten()
            .find(|rule| rule.covers(finding))?;
        Some(Suppressed {
            fingerprint: finding.fingerprint.clone(),
            id: rule.id.clone(),
            reason: rule.reason.clone(),
            owner: None,
            by: None,
            justification: None,
            expires: rule.expires.map(|date| date.to_string()),
        })
    });
    silenced.collect()
}

/// Open findings, sorted by why they count.
#[derive(Default)]
struct Tally {
    over: Vec<Fingerprint>,
    /// By place in [`ALWAYS`].
    always: BTreeMap<usize, u64>,
    over_by_severity: BTreeMap<Severity, u64>,
    /// Over the line because they are exploited.
    exploited: u64,
    below: u64,
    below_unknown: u64,
    /// Over the line, but found before.
    known: u64,
}

impl Tally {
    fn count(&mut self, policy: &Policy, finding: &Finding) {
        let unknown = finding.severity == Severity::Unknown;
        let over = match policy.fail_on {
            Some(Severity::Unknown) => true,
            Some(_) | None if unknown => policy.fail_on_unknown,
            Some(line) => finding.severity >= line,
            None => false,
        };
        let exploited = policy.fail_on_exploited
            && finding.risk.as_ref().is_some_and(|risk| risk.exploited.is_some());
        let known = |known: &HashSet<Likeness>| known.contains(&finding.likeness());
        if let Some(place) = ALWAYS.iter().position(|rule| rule.holds(finding)) {
            *self.always.entry(place).or_default() += 1;
        } else if (over || exploited) && policy.known.as_ref().is_some_and(known) {
            self.known += 1;
            return;
        } else if exploited {
            self.exploited += 1;
        } else if over {
            *self.over_by_severity.entry(finding.severity).or_default() += 1;
        } else {
            self.below += 1;
            self.below_unknown += u64::from(unknown);
            return;
        }
        self.over.push(finding.fingerprint.clone());
    }

    fn reasons(&self, policy: &Policy) -> Vec<String> {
        let mut reasons = Vec::new();
        for (place, number) in &self.always {
            let Some(rule) = ALWAYS.get(*place) else { continue };
            reasons.push(counted(*number, rule.one, rule.many));
        }
        if self.exploited > 0 {
            reasons.push(counted(
                self.exploited,
                "vulnerability that is known to be exploited",
                "vulnerabilities that are known to be exploited",
            ));
        }
        if !self.over_by_severity.is_empty() {
            let parts: Vec<_> = Severity::WORST_FIRST
                .iter()
                .filter_map(|level| Some(format!("{} {level}", self.over_by_severity.get(level)?)))
                .collect();
            let total: u64 = self.over_by_severity.values().sum();
            let findings = counted(total, "finding", "findings");
            reasons.push(format!("{findings} over the line: {}", parts.join(", ")));
        }
        if self.known > 0 {
            let findings = counted(self.known, "finding", "findings");
            reasons.push(format!("{findings} over the line found before, not counted"));
        }
        if self.over.is_empty() && self.below == 0 {
            if self.known == 0 {
                reasons.push("no findings".to_owned());
            }
        } else if self.over.is_empty() {
            let findings = counted(self.below, "finding", "findings");
            let line = match policy.fail_on {
                Some(line) => format!("none {line} or worse"),
                None if policy.fail_on_unknown => "none of unknown severity".to_owned(),
                None => "no line was set".to_owned(),
            };
            reasons.push(format!("{findings}, {line}"));
            if policy.fail_on.is_some() && self.below_unknown > 0 {
                reasons.push(format!("{} of unknown severity, not counted", self.below_unknown));
            }
        }
        reasons
    }
}

/// Checks that did not run in full.
struct Gaps<'coverage> {
    nothing: bool,
    counted: Vec<&'coverage Coverage>,
    tolerated: usize,
}

impl<'coverage> Gaps<'coverage> {
    fn of(policy: &Policy, coverage: &'coverage [Coverage]) -> Self {
        let open = coverage.iter().filter(|coverage| coverage.status != Status::Ran);
        let (tolerated, counted): (Vec<_>, Vec<_>) =
            open.partition(|coverage| policy.allow_partial && coverage.status == Status::Partial);
        Self { nothing: coverage.is_empty(), counted, tolerated: tolerated.len() }
    }

    fn none(&self) -> bool {
        !self.nothing && self.counted.is_empty()
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.nothing {
            reasons.push("nothing was checked".to_owned());
        }
        for coverage in self.counted.iter().take(NAMED_CHECKS) {
            let how = match coverage.status {
                Status::Ran | Status::Partial => "could not read all files",
                Status::Skipped => "did not run",
                Status::Failed => "broke off",
            };
            reasons.push(format!("{} {how}", coverage.check));
        }
        let left = self.counted.len().saturating_sub(NAMED_CHECKS);
        if left > 0 {
            reasons.push(format!("{left} more checks are not complete"));
        }
        if self.tolerated > 0 {
            let tolerated = u64::try_from(self.tolerated).unwrap_or(u64::MAX);
            let checks = counted(tolerated, "check", "checks");
            reasons.push(format!("{checks} could not read all files, which was allowed"));
        }
        reasons
    }
}

#[cfg(test)]
mod tests;
