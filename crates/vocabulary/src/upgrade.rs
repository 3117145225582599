//! What mends an image: upgrades, each with what it clears.
//!
//! In go the open findings of a report, out comes a list in which each step clears what no other does,
//! the one that clears the most urgent and the most first: so its beginning is the shortest list that
//! clears the most. Packages of the base image are one step, since its author mends them together.

use crate::{Ecosystem, OriginKind, Safety, counted, counted_ids};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// What is done, in one line, such as `upgrade django from 2.2 to 4.2.16`.
    pub title: String,
    /// Packages of the base image, of the image's own layers, or of layers whose origin is not known.
    pub origin: OriginKind,
    /// The packages that it changes.
    pub packages: Vec<Replaced>,
    /// Ids of the vulnerabilities that it clears, sorted.
    pub clears: Vec<String>,
    /// How many findings these are: a vulnerability is one in each package and place.
    #[serde(default)]
    pub findings: u64,
    /// Ids of open vulnerabilities of the same packages that are in the new version too, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<String>,
    /// Ids of vulnerabilities that only the new version has, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<String>,
    /// Names of the packages, sorted, that get a security update of the distribution's archive by it for
    /// which no vulnerability is known here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<String>,
    /// How many of them are known to be exploited.
    pub exploited: u64,
    /// The highest rank among them.
    pub rank: u32,
}

impl Upgrade {
    /// What comes of it, in a few words.
    #[must_use]
    pub fn effect(&self) -> String {
        let count = |list: &[String]| u64::try_from(list.len()).unwrap_or(u64::MAX);
        let (cleared, updates) = (count(&self.clears), count(&self.updates));
        let mut words = Vec::new();
        if cleared > 0 {
            let all = counted_ids(self.clears.iter().chain(&self.stays));
            let all = if self.stays.is_empty() { all } else { format!("{cleared} of {all}") };
            let findings = match self.findings > cleared {
                true => format!(" ({} findings)", self.findings),
                false => String::new(),
            };
            words.push(format!("clears {all}{findings}"));
        } else if !self.stays.is_empty() {
            words.push(format!("{} stay", count(&self.stays)));
        }
        if updates > 0 {
            let updates = counted(updates, "security update", "security updates");
            words.push(format!("installs {updates}"));
        }
        if !self.new.is_empty() {
            words.push(format!("brings {} new", count(&self.new)));
        }
        words.extend(self.subscriptions());
        words.join(", ")
    }
}

impl Upgrade {
    /// What needs a subscription: the step itself, or what it leaves.
    fn subscriptions(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut paid = self.packages.iter().filter_map(|one| one.subscription.as_deref());
        if let Some(subscription) = paid.next() {
            let all = self.packages.iter().all(|one| one.subscription.is_some());
            let part = if all { "" } else { "in part " };
            words.push(format!("{part}with {subscription}"));
        }
        let mut more: BTreeMap<&str, (BTreeSet<&str>, &str)> = BTreeMap::new();
        for with in self.packages.iter().filter_map(|one| one.with_subscription.as_ref()) {
            let (ids, to) = more.entry(&with.subscription).or_default();
            ids.extend(with.clears.iter().map(String::as_str));
            *to = if self.packages.len() == 1 { with.to.as_str() } else { "" };
        }
        words.extend(more.into_iter().map(|(subscription, (ids, to))| {
            let to = if to.is_empty() { String::new() } else { format!(" ({to})") };
            format!("{} more need {subscription}{to}", ids.len())
        }));
        words
    }
}

/// One package that a step changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replaced {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// The source package where there is one, else the package.
    pub name: String,
    /// The version that is there.
    pub from: String,
    /// The nearest version that no advisory holds, else the one that leaves the least; `a version after
    /// 1.2.3` where advisories know only the last one that has the vulnerability.
    pub to: String,
    /// Whether that may be done without a look.
    pub safety: Safety,
    /// Whether it is another major version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub major: bool,
    /// What makes it doubtful whether it is a later version at all, in a few words: another numbering, or
    /// a commit that no tag can be held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// Named where the version is served only to subscribers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// What the project asks for that brings it, what has to change first, where it does not ask for it
    /// itself; where it does, what else brings it and does not allow the version to go to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brought_by: Vec<Bringer>,
    /// How many more bring it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub brought_by_more: u64,
    /// The archives and tools that it lies inside of: what has to change is what they belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Inside>,
    /// What subscribers get beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_subscription: Option<WithSubscription>,
}

/// Ways that a form for people has of one package.
const WAYS: usize = 5;

impl Replaced {
    /// By which ways it comes, so many lines as people read; the others are counted.
    #[must_use]
    pub fn ways(&self) -> Vec<String> {
        let brought = self.brought_by.iter().map(|bringer| bringer.way(self));
        let all = brought.chain(self.inside.iter().map(Inside::way));
        let mut ways: Vec<String> = all.take(WAYS).collect();
        let known = self.brought_by.len() + self.inside.len();
        let left = u64::try_from(known.saturating_sub(WAYS)).unwrap_or(u64::MAX);
        let left = left.saturating_add(self.brought_by_more);
        if left > 0 {
            ways.push(format!("and {}", counted(left, "more way", "more ways")));
        }
        ways
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// An archive, or the folder of a tool, that has a package inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Inside {
    /// Its path.
    pub file: String,
    /// Name and version of the package that it belongs to; none of an application's own archive, and
    /// where nothing says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl Inside {
    fn way(&self) -> String {
        match &self.owner {
            Some(owner) => format!("inside {}, which belongs to {owner}", self.file),
            None => format!("inside {}", self.file),
        }
    }
}

/// A package that the project asks for, and through which another comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bringer {
    /// Its name.
    pub name: String,
    /// The version that is there.
    pub version: String,
    /// The lock file that says so.
    pub file: String,
    /// The packages between the two, each with its version, from this one on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
    /// What the last of them asks for, where the lock file tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
    /// What is to be done with it.
    pub change: Change,
    /// How, in a command, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether a bill of materials says it all, and no lock file itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_bill: bool,
}

/// What is to be done with a package so that what it brings is mended, as far as lock files tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Change {
    /// Nothing but to refresh the lock file: what is asked for allows the version to go to.
    Refresh,
    /// To go to a version that a lock file holds, and that needs no vulnerable version there.
    Upgrade {
        /// That version.
        to: String,
        /// What it brings instead.
        brings: String,
    },
    /// What is asked for does not allow the version to go to, and all on the way hold the one below in
    /// its version: another version of this one has to ask for another, and no lock file tells which does.
    Outgrow,
    /// What is asked for does not allow the version to go to, but a package on the way, which it is that
    /// asks or holds that in its version, may go to a later version itself; no lock file tells which of
    /// these allows it.
    Renew {
        /// The package that may.
        name: String,
        /// The version that is there.
        version: String,
        /// Whether the lock file tells that it may; else it does not tell what is asked of it.
        told: bool,
    },
    /// What is asked for is not told, and the tool's usual requirement does not allow the version to go
    /// to: another version of what asks for it has to.
    Incompatible,
    /// Whether it allows the version to go to is not told.
    Untold,
}

impl Bringer {
    /// Name and version.
    #[must_use]
    pub fn named(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// By which way it brings a package, and what is known of that, in one line.
    #[must_use]
    pub fn way(&self, brought: &Replaced) -> String {
        let mut way = self.named();
        for between in &self.through {
            way.push_str(" > ");
            way.push_str(between);
        }
        way.push_str(&format!(" > {} {}", brought.name, brought.from));
        let asks = self.asks.as_deref().map_or(String::new(), |asks| format!(" ({asks})"));
        let to = &brought.to;
        let by = if self.in_bill { "the bill" } else { "the lock file" };
        let asking = self.through.last().cloned().unwrap_or_else(|| self.named());
        let known = match &self.change {
            Change::Refresh if brought.major => {
                format!("{asks} allows {to}, another major version")
            }
            Change::Refresh => format!("{asks} allows {to}"),
            Change::Upgrade { to, brings } => format!("; {to} brings {brings}"),
            Change::Outgrow => {
                format!("{asks} does not allow {to}; which version does is not told by {by}")
            }
            Change::Renew { name, told: true, .. } => format!(
                "{asks} does not allow {to}; a later {name} may be taken, and which of them allows it is not told by {by}"
            ),
            Change::Renew { name, .. } => format!(
                "{asks} does not allow {to}; whether a later {name} may be taken, and which of them allows it, is not told by {by}"
            ),
            Change::Incompatible => {
                let how = if self.through.is_empty() {
                    "; where none that Cargo.toml allows does, change that"
                } else {
                    ""
                };
                format!(
                    "; {to} is incompatible for Cargo, so that another version of {asking} has to ask for it{how}"
                )
            }
            Change::Untold if self.asks.is_some() => {
                format!("{asks}; whether that allows {to} is not known")
            }
            Change::Untold => format!("; whether it allows {to} is not told by {by}"),
        };
        let command = self.command.as_deref().map_or(String::new(), |how| format!(": {how}"));
        format!("{way}{known}{command}")
    }
}

/// A version for subscribers, beside one that everybody can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WithSubscription {
    /// Which subscription.
    pub subscription: String,
    /// The version.
    pub to: String,
    /// Ids of the vulnerabilities that it clears and the other version does not, sorted.
    pub clears: Vec<String>,
}

/// All steps, and what they leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mending {
    /// Most urgent, then most cleared, first.
    pub upgrades: Vec<Upgrade>,
    /// Ids without any fix in this release that lie in the base image: only another base image, of a
    /// newer release or another maker, can clear them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_another_base: Vec<String>,
    /// Ids without any fix elsewhere: no advisory names an end of them, and no step clears them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_fix: Vec<String>,
    /// Ids that an advisory names a fix of, which no step reaches: it is a pre-release, malicious, as
    /// vulnerable itself, or only subscribers get it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_offered: Vec<String>,
}

impl Mending {
    /// Whether nothing is to be mended.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.upgrades.is_empty()
            && self.only_another_base.is_empty()
            && self.without_fix.is_empty()
            && self.not_offered.is_empty()
    }
}
