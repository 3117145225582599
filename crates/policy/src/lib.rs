//! Turns findings, coverage and what people chose to ignore into a decision.
//!
//! In go a [`Policy`], the findings and coverage of a scan and today's date; out come the findings,
//! with those that policy adds itself, and a [`Decision`] with its reasons. It never prints, exits or
//! reads a clock. The one design decision: what could not be looked at has not passed, and what is
//! not what it claims to be is over the line whatever line was set ([`vocabulary::Always`]): each rule
//! says so itself, so that policy has no list of them.

mod conditions;
mod date;
mod file;
mod found;
mod ignore;
mod line;
mod rank;
mod rules;
mod tally;
mod verdict;
mod vex;

pub use conditions::{
    BaseRules, LicenceRules, Override, PackagePattern, PackageRule, Text, VersionBounds,
};
pub use date::{Date, DateError};
pub use file::{Include, PolicyError, PolicyProblem, nearest, parse_policy, schema};
pub use ignore::{Ignore, IgnoreError, LayerScope, parse_ignores, toml_reason};
pub use line::Matter;
pub use rank::rank;
pub use rules::{
    EXPIRED_IGNORE, FORBIDDEN_BASE_IMAGE, FORBIDDEN_LICENCE, FORBIDDEN_PACKAGE, MISSING_PACKAGE,
    RULES,
};
pub use verdict::{Verdict, verdicts};
pub use vex::{About, VexError, VexProduct, VexStatement, VexStatus, parse_vex, vex_coverage};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tally::Tally;
use vocabulary::diff::Likeness;
use vocabulary::{
    Class, Coverage, DatabaseInfo, Decision, Finding, Fingerprint, Location, OriginKind, Outcome,
    Overridden, Package, Risk, Rules, Severity, Stated, Status, Subject, Suppressed,
    VulnerableCode, counted,
};

/// The name of the list of exploited vulnerabilities among the databases.
const KEV: &str = "KEV";

/// Checks that one decision names before it only counts them: a reason is read by a person.
const NAMED_CHECKS: usize = 5;
/// Bytes of a reason of its own that one of them is named by: longer ones are in the coverage.
const PHRASE: usize = 100;

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
    /// Checks that could not read some files do not make the outcome incomplete, nor do packages that
    /// nobody publishes advisories for. Checks that did not run, or broke off, still do.
    pub allow_partial: bool,
    /// What people chose to silence.
    pub ignores: Vec<Ignore>,
    /// Only vulnerabilities that can be mended are over the line.
    pub only_fixed: bool,
    /// Vulnerabilities are not over the line where the program is shown not to hold what is
    /// vulnerable.
    pub only_linked: bool,
    /// Whose layers count.
    pub layers: Layers,
    /// Severities that count instead of the advisories'.
    pub overrides: Vec<Override>,
    /// Which licences packages may have.
    pub licences: Option<LicenceRules>,
    /// Packages that may not be there.
    pub forbidden_packages: Vec<PackageRule>,
    /// Packages that must be there.
    pub required_packages: Vec<PackageRule>,
    /// On which base images an image may be built.
    pub base_images: Option<BaseRules>,
    /// What publishers say of vulnerabilities in their products.
    pub vex: Vec<VexStatement>,
    /// By key of the policy file: file and line that say it.
    pub places: BTreeMap<String, String>,
    /// Names of the files above that nobody named: they were found. What they take away is said.
    pub found: BTreeSet<String>,
    /// What was found before: such findings are not over the line, unless no line lets them pass
    /// ([`vocabulary::Always`]). None: nothing is compared.
    pub known: Option<HashSet<Likeness>>,
    /// What the decision is about, for its words.
    pub matter: Matter,
}

/// Whose layers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// All.
    #[default]
    All,
    /// Those of the base image.
    Base,
    /// Those that the image's author added; what cannot be told counts.
    Own,
}

/// Findings of policy's own rules, and coverage of what it asks for and cannot know.
#[must_use]
pub fn conditions(
    policy: &Policy,
    subject: &Subject,
    packages: &[Package],
) -> (Vec<Finding>, Vec<Coverage>) {
    conditions::findings(policy, subject, packages)
}

/// Coverage of what a policy asks and nothing at hand answers: `databases` are those that the findings
/// were made and ranked by.
#[must_use]
pub fn gates(policy: &Policy, databases: &[DatabaseInfo]) -> Vec<Coverage> {
    let there = databases.iter().any(|info| info.ecosystem == KEV);
    if !policy.fail_on_exploited || there {
        return Vec::new();
    }
    let reason = "fail-on-exploited asks for CISA KEV, which is not in the database: not checked; run `lazaret db update kev`";
    vec![Coverage::skipped("risk:KEV", reason)]
}

impl Policy {
    /// The policy of a verification, where nobody draws a line. Medium: by then a file is not the one
    /// that was recorded, in content, kind, rights or presence. What comparing rates lower is what
    /// containers do all day, such as writing below `/var/log` and `/tmp`; it is listed, and passes.
    #[must_use]
    pub fn of_verification() -> Self {
        Self { fail_on: Some(Severity::Medium), matter: Matter::Differences, ..Self::default() }
    }
}

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

/// Where a rule stands among those that no line lets pass: first those of which every finding counts,
/// then by class, as they are listed. One that is not known is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    partly: bool,
    index: usize,
}

impl Place {
    fn of(rules: &Rules, finding: &Finding) -> Self {
        let place = rules.iter().enumerate().find(|(_, rule)| rule.id == finding.rule);
        place.map_or(Self { partly: true, index: usize::MAX }, |(index, rule)| {
            let from = rule.always.as_ref().map_or(Severity::Unknown, |always| always.from);
            Self { partly: from > Severity::Unknown, index }
        })
    }

    /// What such findings are called, one and many.
    pub(crate) fn words(self, rules: &Rules) -> (&str, &str) {
        let always = rules.iter().nth(self.index).and_then(|rule| rule.always.as_ref());
        always.map_or(
            ("finding of a rule that is not known", "findings of rules that are not known"),
            |always| (always.one.as_ref(), always.many.as_ref()),
        )
    }
}

/// Why a finding counts, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// No line lets it pass; place of its rule, in the order in which reasons name them.
    Always(Place),
    /// It is known to be exploited.
    Exploited,
    /// Its severity is over the line.
    Severity,
    /// It would be over the line, but was found before.
    Known,
    /// Nothing mends it, and only what can be mended counts.
    NotMended,
    /// The program does not hold what is vulnerable, and only what it holds counts.
    NotLinked,
    /// It lies in layers that do not count.
    OtherLayers,
    /// It is below the line, or there is none.
    Below,
}

impl Counts {
    pub(crate) fn of(policy: &Policy, rules: &Rules, finding: &Finding) -> Self {
        if rules.is_over_every_line(&finding.rule, finding.severity) {
            return Self::Always(Place::of(rules, finding));
        }
        let exploited = policy.fail_on_exploited
            && finding.risk.as_ref().is_some_and(|risk| risk.exploited.is_some());
        let severe = match policy.fail_on {
            Some(Severity::Unknown) => true,
            Some(_) | None if finding.severity == Severity::Unknown => policy.fail_on_unknown,
            Some(line) => finding.severity >= line,
            None => false,
        };
        let mended = finding.upgrade().is_some_and(vocabulary::fix::Upgrade::is_release);
        let elsewhere = match policy.layers {
            Layers::All => false,
            Layers::Base => finding.origin == OriginKind::Application,
            Layers::Own => finding.origin == OriginKind::Base,
        };
        let known = policy.known.as_ref().is_some_and(|known| known.contains(&finding.likeness()));
        match () {
            () if !(severe || exploited) => Self::Below,
            () if elsewhere => Self::OtherLayers,
            () if policy.only_fixed && !mended && finding.is_vulnerability() => Self::NotMended,
            () if policy.only_linked
                && finding.vulnerable_code() == Some(VulnerableCode::Absent) =>
            {
                Self::NotLinked
            }
            () if known => Self::Known,
            () if exploited => Self::Exploited,
            () => Self::Severity,
        }
    }
}

/// Files that could not be read, and packages that nobody publishes advisories for.
fn is_tolerable(coverage: &Coverage) -> bool {
    coverage.status == Status::Partial || coverage.check.starts_with(Coverage::UNMATCHED)
}

/// What a reason begins with; the rest stands with the check.
fn start(reason: &str) -> Option<&str> {
    let end = reason.find(": ").into_iter().chain(reason.find(';')).min().unwrap_or(reason.len());
    reason.get(..end)
}

/// Why a check is not complete, in a phrase: its own, where it has one that says what was not checked,
/// because the names of checks are words for programs.
fn why(coverage: &Coverage) -> String {
    let check = &coverage.check;
    match coverage.status {
        Status::Ran | Status::Partial => match coverage.general_problem().and_then(start) {
            Some(reason) => format!("{check}: {reason}"),
            None => format!("{check} could not read all files"),
        },
        Status::Failed => format!("{check} broke off"),
        Status::Skipped => {
            let Some(phrase) = phrase(coverage) else { return format!("{check} did not run") };
            let side = ["(before)", "(after)"].iter().find(|side| check.ends_with(**side));
            let side = side.map_or(String::new(), |side| format!(" {side}"));
            match check.strip_prefix(Coverage::UNMATCHED) {
                Some(ecosystem) => format!("{ecosystem}: {phrase}"),
                None => format!("{phrase}{side}"),
            }
        }
    }
}

/// What a reason says before it says that something was therefore not checked, and what to do.
fn phrase(coverage: &Coverage) -> Option<&str> {
    let reason = coverage.reason.as_deref()?;
    let ends =
        [": not checked", ": nothing was checked"].iter().find_map(|end| reason.find(end))?;
    let phrase = reason.get(..ends)?;
    let fits = (1..=PHRASE).contains(&phrase.len()) && !phrase.contains(char::is_control);
    fits.then_some(phrase)
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
            open.partition(|coverage| policy.allow_partial && is_tolerable(coverage));
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
            reasons.push(why(coverage));
        }
        let left = self.counted.len().saturating_sub(NAMED_CHECKS);
        if left > 0 {
            reasons.push(format!("{left} more checks are not complete"));
        }
        if self.tolerated > 0 {
            let tolerated = u64::try_from(self.tolerated).unwrap_or(u64::MAX);
            let checks = counted(tolerated, "check", "checks");
            reasons.push(format!("{checks} could not look at everything, which was allowed"));
        }
        reasons
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
