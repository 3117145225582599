//! Plans what mends an image; see [`vocabulary::upgrade`].
//!
//! A vulnerability that several packages have counts for each of them, and is cleared only by the step
//! that changes the last of them: ids are counted as cleared where all their open findings are in
//! steps, and named under each step that takes part. A security update of the archive that no
//! vulnerability explains has no id: it is counted beside them, by the package that it is for.
//!
//! Where to go is [`aim`]'s. What the project does not ask for itself is mended where it is asked for: the
//! step names that, and what is known of it; see [`crate::bringers`].

mod aim;

use crate::asked::Asked;
use crate::bringers::{Bringers, Brought, Wanted, words};
use crate::inside::Insides;
use advisories::Advice;
use aim::{Aim, Key};
use freshness::SECURITY_UPDATE_AVAILABLE;
use std::collections::{BTreeMap, BTreeSet};
use version::Scheme;
use vocabulary::upgrade::{Change, Mending, Replaced, Upgrade};
use vocabulary::{Finding, OriginKind, Package, Safety};

pub(crate) use aim::{Aims, Titles};

/// Ids of one step that are listed: a hostile image has any number.
const IDS: usize = 100_000;

/// Where to go from the version of some packages of one source, to a version at least.
pub(crate) type Advisor<'advise> = dyn Fn(&[&Package], Option<&str>) -> Advice + 'advise;

/// What mends the open findings, by what is aimed at, and what steps are called that mend a package by
/// another one.
pub(crate) fn plan<'report>(
    open: impl Iterator<Item = &'report Finding>,
    packages: &'report [Package],
    asked: &Asked,
    aims: &Aims,
) -> (Mending, Titles) {
    let by_purl = aim::by_purl(packages);
    let mut groups: BTreeMap<Key<'_>, Vec<&Finding>> = BTreeMap::new();
    for finding in open {
        if let Some(key) = aim::key_of(finding, &by_purl) {
            groups.entry(key).or_default().push(finding);
        }
    }
    let open = groups.values().flatten().filter_map(|finding| finding.package.as_ref());
    let bringers = Bringers::new(asked, open);
    let mut members = aim::members(&groups, packages);
    let insides = Insides::new(packages, members.values().flatten().copied());
    let (mut mending, mut titles) = (Mending::default(), Titles::default());
    let mut left = Left::default();
    let mut moves = Vec::new();
    for (key, findings) in groups {
        let everywhere = members.remove(&key).unwrap_or_default();
        let mut moved = Move::find(key, findings, aims.of(key));
        moved.bring(&bringers, &insides, &everywhere);
        left.add(&moved);
        if moved.changes() {
            if moved.brought.is_elsewhere() {
                titles.add(key, moved.title());
            }
            moves.push(moved);
        }
    }
    let (base, own): (Vec<_>, Vec<_>) =
        moves.into_iter().partition(|one| one.origin == OriginKind::Base);
    mending.upgrades.extend(own.iter().map(step));
    mending.upgrades.extend(base_step(&base));
    mending.upgrades.sort_by(|left, right| {
        right
            .exploited
            .cmp(&left.exploited)
            .then_with(|| right.clears.len().cmp(&left.clears.len()))
            .then_with(|| right.updates.len().cmp(&left.updates.len()))
            .then_with(|| right.rank.cmp(&left.rank))
            .then_with(|| left.title.cmp(&right.title))
    });
    left.into(&mut mending);
    (mending, titles)
}

/// Ids that no step clears.
#[derive(Default)]
struct Left {
    base: BTreeSet<String>,
    own: BTreeSet<String>,
    not_offered: BTreeSet<String>,
}

impl Left {
    fn add(&mut self, moved: &Move<'_>) {
        for finding in &moved.stay {
            let Some(id) = &finding.id else { continue };
            let list = match finding.is_mendable() {
                // What subscribers are offered stands in the step, where there is one.
                true if finding.offered().is_some() && moved.changes() => continue,
                true => &mut self.not_offered,
                false if moved.origin == OriginKind::Base => &mut self.base,
                false => &mut self.own,
            };
            list.insert(id.clone());
        }
    }

    fn into(self, mending: &mut Mending) {
        mending.only_another_base = self.base.into_iter().collect();
        mending.without_fix = self.own.into_iter().collect();
        mending.not_offered = self.not_offered.into_iter().collect();
    }
}

/// One package that is changed, with what is open in it.
struct Move<'report> {
    origin: OriginKind,
    replaced: Replaced,
    /// Whether the version to go to is one, and not any after another.
    named: bool,
    cleared: Vec<&'report Finding>,
    stay: Vec<&'report Finding>,
    new: BTreeSet<String>,
    brought: Brought,
}

impl<'report> Move<'report> {
    fn find(
        (ecosystem, name, from, origin): Key<'_>,
        findings: Vec<&'report Finding>,
        aim: Option<&Aim>,
    ) -> Self {
        let clears = |finding: &&Finding| aim.is_some_and(|aim| aim.clears(finding));
        let (cleared, stay): (Vec<_>, Vec<_>) = findings.into_iter().partition(clears);
        let mut fixes = cleared.iter().filter_map(|finding| finding.fix.as_ref());
        let safe = fixes.all(|fix| fix.safety() == Safety::Safe);
        let major = aim.is_some_and(Aim::major);
        let doubt = aim.and_then(Aim::doubt);
        let settled = safe && !major && doubt.is_none();
        let replaced = Replaced {
            ecosystem: vocabulary::Ecosystem::new(ecosystem),
            name: name.to_owned(),
            from: from.to_owned(),
            to: aim.and_then(|aim| aim.to.clone()).unwrap_or_default(),
            safety: if settled { Safety::Safe } else { Safety::Review },
            major,
            doubt: doubt.map(str::to_owned),
            subscription: aim.and_then(|aim| aim.subscription.clone()),
            brought_by: Vec::new(),
            brought_by_more: 0,
            inside: Vec::new(),
            with_subscription: aim.and_then(|aim| aim.with_subscription(&stay, IDS)),
        };
        let new = aim.into_iter().flat_map(Aim::new_ids).collect();
        let named = aim.is_some_and(Aim::is_named);
        Self { origin, replaced, named, cleared, stay, new, brought: Brought::default() }
    }

    /// Says who brings the package, where the project does not ask for it itself, or what it lies inside.
    fn bring(&mut self, bringers: &Bringers<'_>, insides: &Insides<'_>, everywhere: &[&Package]) {
        if !self.changes() {
            return;
        }
        let Replaced { ecosystem, name, from, to, .. } = &self.replaced;
        let wanted = Wanted {
            scheme: Scheme::of_ecosystem(ecosystem.as_str()),
            name,
            from,
            to: Some(to.as_str()).filter(|_| self.named),
        };
        let mut brought = bringers.of(everywhere, wanted);
        let (inside, all) = insides.of_all(everywhere);
        brought.inside = all && !inside.is_empty();
        if !inside.is_empty() {
            self.replaced.safety = Safety::Review;
        }
        self.replaced.inside = inside;
        let refreshed = brought.by.iter().all(|one| one.change == Change::Refresh);
        if !brought.by.is_empty() && !refreshed {
            self.replaced.safety = Safety::Review;
        }
        self.replaced.brought_by.clone_from(&brought.by);
        self.replaced.brought_by_more = brought.more;
        self.brought = brought;
    }

    /// Whether it is worth a step.
    fn changes(&self) -> bool {
        !self.cleared.is_empty()
    }

    /// Whether it is mended by changing another package.
    fn title(&self) -> String {
        let Replaced { major, doubt, .. } = &self.replaced;
        words::title(&self.replaced, &self.brought, &aim::remark(*major, doubt.as_deref()))
    }
}

fn step(one: &Move<'_>) -> Upgrade {
    made(one.title(), one.origin, std::slice::from_ref(one))
}

fn base_step(base: &[Move<'_>]) -> Option<Upgrade> {
    if base.is_empty() {
        return None;
    }
    let packages: BTreeSet<&Replaced> = base.iter().map(|one| &one.replaced).collect();
    let number = u64::try_from(packages.len()).unwrap_or(u64::MAX);
    let title = format!(
        "rebuild on a newer base image, or upgrade its {}",
        vocabulary::counted(number, "package", "packages")
    );
    Some(made(title, OriginKind::Base, base))
}

fn made(title: String, origin: OriginKind, moves: &[Move<'_>]) -> Upgrade {
    // What stays in one of the packages is not cleared by the step.
    let stay = moves.iter().flat_map(|one| &one.stay);
    let stays: BTreeSet<String> = stay.filter_map(|finding| finding.id.clone()).collect();
    let mut clears = BTreeSet::new();
    let mut updates = BTreeSet::new();
    let mut exploited = BTreeSet::new();
    let (mut rank, mut findings) = (0, 0_u64);
    for finding in moves.iter().flat_map(|one| &one.cleared) {
        if finding.rule == SECURITY_UPDATE_AVAILABLE.id {
            updates.extend(finding.package.as_ref().map(|purl| purl.name().to_owned()));
            continue;
        }
        let Some(id) = finding.id.as_ref().filter(|id| !stays.contains(*id)) else { continue };
        findings += 1;
        if let Some(risk) = &finding.risk {
            rank = rank.max(risk.rank);
            if risk.exploited.is_some() {
                exploited.insert(id);
            }
        }
        clears.insert(id.clone());
    }
    let listed = |ids: BTreeSet<String>| ids.into_iter().take(IDS).collect();
    let new = moves.iter().flat_map(|one| one.new.iter().cloned());
    let new = new.filter(|id| !clears.contains(id) && !stays.contains(id)).collect();
    let packages: BTreeSet<Replaced> = moves.iter().map(|one| one.replaced.clone()).collect();
    Upgrade {
        title,
        origin,
        packages: packages.into_iter().collect(),
        exploited: u64::try_from(exploited.len()).unwrap_or(u64::MAX),
        clears: listed(clears),
        findings,
        stays: listed(stays),
        new: listed(new),
        updates: listed(updates),
        rank,
    }
}

#[cfg(test)]
mod tests;
