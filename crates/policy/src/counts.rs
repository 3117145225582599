//! Why a finding counts, or does not.

use crate::policy::{Layers, Policy};
use vocabulary::{Finding, OriginKind, Rules, Severity, VulnerableCode};

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
