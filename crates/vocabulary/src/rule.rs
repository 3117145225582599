//! A rule: what kind of finding this is, why it matters, and what no line lets pass of it.
//!
//! In goes what the room says that finds it, out come the words by which every reader shows it. Each
//! rule stands beside its check, as a constant, and each room lists its own: there is no table of all
//! of them here. A report carries the rules that its findings are of, so that whoever reads it later,
//! or with another version, needs no table either. That is why the texts are ones that can be read.

use crate::Severity;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What kind of fault a rule finds. Every rule says its own, so that none falls into another's by default.
///
/// In the order of what no line lets pass: whether the thing is the one that was approved, who else is in
/// it, and then the faults that everybody has some of.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Something that is not what it was.
    Integrity,
    /// Something that a running container does.
    Runtime,
    /// Something made to do harm.
    Malware,
    /// Something that whoever reads it can use as if it were theirs.
    Secret,
    /// Something that an advisory or its publisher warns of.
    Vulnerability,
    /// Something that is set up so that it helps an attacker.
    Configuration,
    /// Somebody who may do what they should not, or does it.
    Access,
    /// Something that the policy forbids or asks for.
    Policy,
    /// Something in source code, as another tool says.
    Code,
    /// A class that this version does not know, or none that was said.
    #[default]
    #[serde(other)]
    Other,
}

impl Class {
    /// The word by which services sort rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Runtime => "runtime",
            Self::Malware => "malware",
            Self::Secret => "secret",
            Self::Vulnerability => "vulnerability",
            Self::Configuration => "configuration",
            Self::Access => "access",
            Self::Policy => "policy",
            Self::Code => "code",
            Self::Other => "other",
        }
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Kebab-case id, such as `known-vulnerability`.
    pub id: Cow<'static, str>,
    /// What kind of fault it finds.
    pub class: Class,
    /// One line.
    pub title: Cow<'static, str>,
    /// Why it matters.
    pub why: Cow<'static, str>,
    /// Severity unless the evidence says otherwise.
    pub severity: Severity,
    /// What to do.
    pub remedy: Cow<'static, str>,
    /// A page that says more, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Cow<'static, str>>,
    /// What is over the line whatever line was set; none where the line decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always: Option<Always>,
}

/// Findings that no line lets pass, and in which words a decision says so.
///
/// A line is for faults that everybody has some of. These are none of those: evidence that an image or a
/// container is not what it was approved as, or that somebody else is in it, or what the policy itself
/// forbids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Always {
    /// From this severity on; `unknown` takes every one.
    pub from: Severity,
    /// Behind the number one: what it is.
    pub one: Cow<'static, str>,
    /// The same behind greater numbers.
    pub many: Cow<'static, str>,
}

impl Always {
    /// Every finding, in these words.
    #[must_use]
    pub const fn all(one: &'static str, many: &'static str) -> Self {
        Self::from(Severity::Unknown, one, many)
    }

    /// Findings of this severity or worse, in these words.
    #[must_use]
    pub const fn from(from: Severity, one: &'static str, many: &'static str) -> Self {
        Self { from, one: Cow::Borrowed(one), many: Cow::Borrowed(many) }
    }
}

impl Rule {
    /// Whether no line lets a finding of it pass that is as bad as this.
    #[must_use]
    pub fn is_over_every_line(&self, severity: Severity) -> bool {
        self.always.as_ref().is_some_and(|always| severity >= always.from)
    }

    /// Whether it finds that something was tampered with, or that somebody else is in it, and never
    /// anything less: what the policy itself asks for is none of these.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.class != Class::Policy && self.is_over_every_line(Severity::Unknown)
    }
}

/// Rules in the order in which they are shown: by class, then as their rooms list them. No id is there
/// twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// How many rules are taken: a hostile report must not make of each finding a search through
    /// thousands.
    pub const MOST: usize = 1000;

    /// What several rooms list.
    #[must_use]
    pub fn of(lists: &[&[&Rule]]) -> Self {
        lists.iter().flat_map(|list| list.iter().copied().cloned()).collect()
    }

    /// The rule of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.id == id)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and those; where both have one, these have it.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        self.iter().chain(others).cloned().collect()
    }

    /// Those of these ids: what a report carries of the rules of its findings.
    #[must_use]
    pub fn used<'ids>(&self, ids: impl IntoIterator<Item = &'ids str>) -> Self {
        let used: BTreeSet<&str> = ids.into_iter().collect();
        self.iter().filter(|rule| used.contains(rule.id.as_ref())).cloned().collect()
    }

    /// Whether no line lets a finding pass of this rule and severity. One whose rule is not here passes
    /// none: what cannot be told has not passed.
    #[must_use]
    pub fn is_over_every_line(&self, rule: &str, severity: Severity) -> bool {
        self.get(rule).is_none_or(|rule| rule.is_over_every_line(severity))
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<Items: IntoIterator<Item = Rule>>(items: Items) -> Self {
        let mut rules: Vec<Rule> = Vec::new();
        for rule in items.into_iter().take(Self::MOST) {
            if rules.iter().all(|known| known.id != rule.id) {
                rules.push(rule);
            }
        }
        rules.sort_by_key(|rule| rule.class);
        Self(rules)
    }
}

impl<'rules> IntoIterator for &'rules Rules {
    type Item = &'rules Rule;
    type IntoIter = std::slice::Iter<'rules, Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rules = Vec::<Rule>::deserialize(deserializer)?;
        if rules.len() > Self::MOST {
            return Err(serde::de::Error::custom("it carries more than 1,000 rules"));
        }
        Ok(rules.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow::Borrowed;

    static SEAL: Rule = Rule {
        id: Borrowed("seal"),
        class: Class::Integrity,
        title: Borrowed("Seal"),
        why: Borrowed("It does not hold."),
        severity: Severity::Critical,
        remedy: Borrowed("Look at it."),
        reference: None,
        always: Some(Always::from(Severity::High, "seal", "seals")),
    };
    static FLAW: Rule = Rule {
        id: Borrowed("flaw"),
        class: Class::Vulnerability,
        title: Borrowed("Flaw"),
        why: Borrowed("It is known."),
        severity: Severity::Unknown,
        remedy: Borrowed("Upgrade."),
        reference: Some(Borrowed("https://example.com/flaw")),
        always: None,
    };

    #[test]
    fn rules_are_shown_by_class_and_each_once() {
        let rules = Rules::of(&[&[&FLAW], &[&SEAL, &FLAW]]);
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_ref()).collect();
        assert_eq!(ids, ["seal", "flaw"]);
        assert_eq!(rules.used(["flaw", "other"]).iter().count(), 1);
        assert_eq!(Rules::of(&[&[&FLAW]]).and(&Rules::of(&[&[&SEAL]])), rules);
    }

    #[test]
    fn what_a_report_carries_reads_back_and_a_flood_of_rules_is_refused() {
        let rules = Rules::of(&[&[&FLAW, &SEAL]]);
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
        let rule = serde_json::to_string(&FLAW).unwrap();
        let flood = format!("[{}{rule}]", format!("{rule},").repeat(Rules::MOST));
        assert!(serde_json::from_str::<Rules>(&flood).unwrap_err().to_string().contains("1,000"));
    }

    #[test]
    fn a_class_of_a_later_version_is_read() {
        assert_eq!(serde_json::from_str::<Class>("\"quantum\"").unwrap(), Class::Other);
    }

    #[test]
    fn a_finding_whose_rule_is_not_known_passes_no_line() {
        let rules = Rules::of(&[&[&SEAL, &FLAW]]);
        assert!(rules.is_over_every_line("seal", Severity::High));
        assert!(!rules.is_over_every_line("seal", Severity::Medium));
        assert!(!rules.is_over_every_line("flaw", Severity::Critical));
        assert!(Rules::default().is_over_every_line("flaw", Severity::Low));
        assert!(!SEAL.is_alarm(), "below that severity the line decides");
    }
}
