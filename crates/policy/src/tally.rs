//! Counts open findings by why they count, and says it in words that a person can act on.

use crate::counts::{Counts, Place};
use crate::policy::{Matter, Policy};
use std::collections::BTreeMap;
use vocabulary::{Count, Finding, Fingerprint, Rules, Severity, counted};

/// Open findings, sorted by why they count.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) over: Vec<Fingerprint>,
    /// No line lets them pass.
    always: BTreeMap<Place, u64>,
    over_by_severity: BTreeMap<Severity, u64>,
    /// Those over the line by a severity that is known, as people count them.
    severe: Count,
    /// Over the line because they are exploited.
    exploited: u64,
    /// Not over the line, or there is none.
    pub(crate) below: u64,
    below_by_severity: BTreeMap<Severity, u64>,
    unsevere: Count,
    /// Over the line, but found before.
    pub(crate) known: u64,
    /// Over the line, but nothing mends them.
    pub(crate) not_mended: u64,
    /// Over the line, but what is vulnerable is not in the program.
    pub(crate) not_linked: u64,
    /// Over the line, but in layers that do not count.
    pub(crate) elsewhere: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, policy: &Policy, rules: &Rules, finding: &Finding) {
        match Counts::of(policy, rules, finding) {
            Counts::Always(place) => *self.always.entry(place).or_default() += 1,
            Counts::Exploited => self.exploited += 1,
            Counts::Severity => {
                *self.over_by_severity.entry(finding.severity).or_default() += 1;
                if finding.severity != Severity::Unknown || policy.unknown_line().is_none() {
                    self.severe.add(finding);
                }
            }
            Counts::Known => return self.known += 1,
            Counts::NotMended => return self.not_mended += 1,
            Counts::NotLinked => return self.not_linked += 1,
            Counts::OtherLayers => return self.elsewhere += 1,
            Counts::Below => {
                self.below += 1;
                self.unsevere.add(finding);
                *self.below_by_severity.entry(finding.severity).or_default() += 1;
                return;
            }
        }
        self.over.push(finding.fingerprint.clone());
    }

    /// One line each. `silenced` is how many findings ignore rules and VEX took away before.
    pub(crate) fn reasons(&self, policy: &Policy, rules: &Rules, silenced: usize) -> Vec<String> {
        let mut reasons = self.over(policy, rules);
        reasons.extend(self.aside(policy));
        if self.over.is_empty() && policy.matter != Matter::Packages {
            reasons.extend(self.below(policy, silenced));
        }
        reasons
    }

    fn over(&self, policy: &Policy, rules: &Rules) -> Vec<String> {
        let mut reasons = Vec::new();
        for (place, number) in &self.always {
            let (one, many) = place.words(rules);
            reasons.push(counted(*number, one, many));
        }
        if self.exploited > 0 {
            let line = policy.exploited_line().unwrap_or_default();
            let exploited = counted(
                self.exploited,
                "vulnerability that is known to be exploited is",
                "vulnerabilities that are known to be exploited are",
            );
            reasons.push(format!("{exploited} over {line}"));
        }
        let (one, many) = policy.matter.noun();
        let mut severe = self.over_by_severity.clone();
        let unknown =
            policy.unknown_line().and_then(|line| Some((line, severe.remove(&Severity::Unknown)?)));
        let total: u64 = severe.values().sum();
        if let Some(line) = policy.severity_line().filter(|_| total > 0) {
            let are = if total == 1 { "is" } else { "are" };
            let findings = format!("{} {are}", self.severe.phrase_of(one, many));
            reasons.push(format!("{findings} over {line}: {}", by_severity(&severe)));
        }
        if let Some((line, number)) = unknown {
            let one = format!("{one} of unknown severity is");
            let many = format!("{many} of unknown severity are");
            reasons.push(format!("{} over {line}", counted(number, &one, &many)));
        }
        reasons
    }

    /// What is over the line and does not count.
    fn aside<'tally>(&'tally self, policy: &Policy) -> impl Iterator<Item = String> + 'tally {
        let line = policy.line().unwrap_or_default();
        let (one, many) = policy.matter.noun();
        let aside = [
            (self.known, "found before"),
            (self.not_mended, "without a fix"),
            (self.not_linked, "whose functions are not in the program"),
            (self.elsewhere, "in other layers"),
        ];
        aside.into_iter().filter(|(number, _)| *number > 0).map(move |(number, why)| {
            format!("{} over {line} {why}, not counted", counted(number, one, many))
        })
    }

    /// What is there and not over the line, where nothing is over it.
    fn below(&self, policy: &Policy, silenced: usize) -> Vec<String> {
        let (one, many) = policy.matter.noun();
        let aside = self.known + self.not_mended + self.not_linked + self.elsewhere;
        let mut reasons = Vec::new();
        if self.below == 0 && aside == 0 {
            reasons.push(match silenced {
                0 => format!("no {many}"),
                number => format!("no {many} but those that are ignored ({number})"),
            });
        } else if self.below > 0 {
            let findings = self.unsevere.phrase_of(one, many);
            let Some(line) = policy.line() else {
                reasons.push(format!("{findings}{}", self.worst()));
                reasons.push("no --fail-on was given".to_owned());
                let known = self.below_by_severity.len() > 1;
                let unknown = self.below_by_severity.get(&Severity::Unknown).filter(|_| known);
                reasons.extend(unknown.map(|number| format!("{number} of unknown severity")));
                return reasons;
            };
            let none = if self.below == 1 { "not" } else { "none" };
            let parts = by_severity(&self.below_by_severity);
            reasons.push(format!("{findings}, {none} over {line}: {parts}"));
            let unknown = self.below_by_severity.get(&Severity::Unknown);
            if let Some(number) = unknown.filter(|_| policy.fail_on.is_some()) {
                reasons.push(format!("{number} of unknown severity, not counted"));
            }
        }
        reasons
    }

    /// `, 74 of them critical`: how many there are of the worst that is known.
    fn worst(&self) -> String {
        let worst = Severity::WORST_FIRST
            .iter()
            .find_map(|level| Some((*level, *self.below_by_severity.get(level)?)));
        let Some((level, number)) = worst else { return String::new() };
        let what = match level {
            Severity::Unknown => "of unknown severity",
            rated => rated.name(),
        };
        match self.below {
            1 => format!(", {what}"),
            all if all == number => format!(", all of them {what}"),
            _ => format!(", {number} of them {what}"),
        }
    }
}

/// `2 critical, 1 high`.
fn by_severity(counts: &BTreeMap<Severity, u64>) -> String {
    let parts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .filter_map(|level| Some(format!("{} {level}", counts.get(level)?)))
        .collect();
    parts.join(", ")
}
