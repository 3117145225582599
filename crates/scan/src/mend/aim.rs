//! Where to go from each version that is there: the one place that says so.
//!
//! What is aimed at is found once, of all findings and before policy decides, so that what a finding is
//! offered, what the gate counts, and what the steps say are the same. A version has been matched, is what
//! the distribution's archive has, or it is not aimed at; the first version that an advisory calls mended
//! stays a fact ([`Upgrade::version`]).

use super::Advisor;
use advisories::{Advice, MALICIOUS_PACKAGE, Target};
use freshness::SECURITY_UPDATE_AVAILABLE;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use version::Scheme;
use vocabulary::fix::Upgrade;
use vocabulary::upgrade::WithSubscription;
use vocabulary::{Evidence, Finding, Fix, OriginKind, Package, Purl, Safety};

/// Packages that one upgrade changes: ecosystem, name, version and origin.
pub(super) type Key<'report> = (&'report str, &'report str, &'report str, OriginKind);

/// Packages by their purls.
pub(super) type ByPurl<'report> = HashMap<&'report Purl, &'report Package>;

pub(super) fn by_purl(packages: &[Package]) -> ByPurl<'_> {
    packages.iter().map(|package| (&package.purl, package)).collect()
}

/// Name and version that an upgrade is said of: the source's, where there is one.
pub(super) fn named(package: &Package) -> (&str, &str) {
    let source = package.source.as_ref();
    source.map_or((&package.name, &package.version), |source| (&source.name, &source.version))
}

/// What a finding is about, where an upgrade could mend it.
pub(super) fn key_of<'report>(
    finding: &'report Finding,
    packages: &ByPurl<'report>,
) -> Option<Key<'report>> {
    let is_mended = finding.is_vulnerability() || finding.rule == SECURITY_UPDATE_AVAILABLE.id;
    let purl = finding.package.as_ref().filter(|_| is_mended)?;
    let (name, version) = packages.get(purl).map_or_else(
        || (purl.name(), purl.version().unwrap_or_default()),
        |package| named(package),
    );
    let ecosystem = finding.ecosystem.as_ref().map_or("", |ecosystem| ecosystem.as_str());
    Some((ecosystem, name, version, finding.origin))
}

/// All packages of these keys.
pub(super) fn members<'report, T>(
    groups: &BTreeMap<Key<'report>, T>,
    packages: &'report [Package],
) -> HashMap<Key<'report>, Vec<&'report Package>> {
    let mut members: HashMap<Key<'_>, Vec<&Package>> = HashMap::new();
    for package in packages {
        let (name, version) = named(package);
        let key = (package.ecosystem.as_str(), name, version, package.origin);
        if groups.contains_key(&key) {
            members.entry(key).or_default().push(package);
        }
    }
    members
}

/// Where to go from all that something was found in.
#[derive(Debug, Default)]
pub(crate) struct Aims(HashMap<(String, String, String, OriginKind), Aim>);

impl Aims {
    /// Finds them, of all findings: what policy silences has to be offered the same as what it does not.
    pub(crate) fn find(findings: &[Finding], packages: &[Package], advisor: &Advisor<'_>) -> Self {
        let by_purl = by_purl(packages);
        let mut groups: BTreeMap<Key<'_>, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            if let Some(key) = key_of(finding, &by_purl) {
                groups.entry(key).or_default().push(finding);
            }
        }
        let mut members = members(&groups, packages);
        let aims = groups.into_iter().map(|(key, findings)| {
            let each: BTreeMap<&Purl, &Package> = members
                .remove(&key)
                .unwrap_or_default()
                .into_iter()
                .map(|package| (&package.purl, package))
                .collect();
            let each: Vec<&Package> = each.into_values().collect();
            (owned(key), Aim::find(key, &findings, &each, advisor))
        });
        Self(aims.collect())
    }

    pub(super) fn of(&self, key: Key<'_>) -> Option<&Aim> {
        self.0.get(&owned(key))
    }

    /// Says of each finding what is offered, or that nothing is.
    pub(crate) fn offer(&self, findings: &mut [Finding], packages: &[Package]) {
        let by_purl = by_purl(packages);
        for finding in findings {
            if finding.rule == MALICIOUS_PACKAGE.id {
                // No other version of what was made to do harm is to be trusted, whatever is said of it.
                if let Some(fix) = finding.fix.as_mut().and_then(Fix::upgrade_mut) {
                    "remove it".clone_into(&mut fix.title);
                    (fix.version, fix.after) = (None, None);
                }
                continue;
            }
            let Some(key) = key_of(finding, &by_purl) else { continue };
            let package = finding.package.as_ref().and_then(|purl| by_purl.get(purl));
            let name = package.map_or(key.1, |package| &package.name);
            let fix = self.of(key).map(|aim| aim.offer(finding, name));
            if let Some(fix) = fix {
                finding.fix = fix.map(Fix::Upgrade);
            }
        }
    }

    /// Says how, where something else has to be upgraded: what the steps of these keys are called.
    pub(crate) fn retitle(&self, findings: &mut [Finding], packages: &[Package], titles: &Titles) {
        if titles.0.is_empty() {
            return;
        }
        let by_purl = by_purl(packages);
        for finding in findings {
            let Some(key) = key_of(finding, &by_purl) else { continue };
            let title = titles
                .0
                .get(&owned(key))
                .filter(|_| self.of(key).is_some_and(|aim| aim.clears(finding)));
            let title = title.cloned();
            let fix = finding.fix.as_mut().and_then(Fix::upgrade_mut);
            if let (Some(fix), Some(title)) = (fix, title) {
                fix.title = title;
            }
        }
    }
}

/// What steps are called that mend a package by another one.
#[derive(Debug, Default)]
pub(crate) struct Titles(HashMap<(String, String, String, OriginKind), String>);

impl Titles {
    pub(super) fn add(&mut self, key: Key<'_>, title: String) {
        self.0.insert(owned(key), title);
    }
}

fn owned((ecosystem, name, version, origin): Key<'_>) -> (String, String, String, OriginKind) {
    (ecosystem.to_owned(), name.to_owned(), version.to_owned(), origin)
}

/// Where to go from one version.
#[derive(Debug)]
pub(super) struct Aim {
    pub(super) scheme: Option<Scheme>,
    /// The version to go to, or `a version after` one.
    pub(super) to: Option<String>,
    /// That one, where none is known by name.
    after: Option<String>,
    target: Option<Target>,
    pub(super) subscription: Option<String>,
}

impl Aim {
    fn find(
        (ecosystem, ..): Key<'_>,
        findings: &[&Finding],
        members: &[&Package],
        advisor: &Advisor<'_>,
    ) -> Self {
        let scheme = Scheme::of_ecosystem(ecosystem);
        let least = findings.iter().filter_map(|finding| archived(finding));
        let least = least.max_by(|left, right| order(scheme, left, right));
        let (mut aim, after) =
            (Self { scheme, to: None, after: None, target: None, subscription: None }, |last| {
                (Some(format!("a version after {last}")), Some(last))
            });
        match advisor(members, least) {
            Advice::Go(target) => {
                aim.to = Some(target.version.clone());
                aim.subscription.clone_from(&target.subscription);
                aim.target = Some(target);
            }
            Advice::After(last) => {
                (aim.to, aim.after) = after(last);
                if !findings.iter().any(|finding| aim.clears(finding)) {
                    (aim.to, aim.after) = (None, None);
                }
            }
            Advice::Stay => {}
            // There is no advisory that it could be held against.
            Advice::Unknown => match highest(scheme, findings) {
                Some((fix, version)) => {
                    aim.to = Some(version.to_owned());
                    aim.subscription.clone_from(&fix.subscription);
                }
                None => {
                    let last = last_affected(scheme, findings).map(str::to_owned);
                    (aim.to, aim.after) = last.map_or((None, None), after);
                }
            },
        }
        aim
    }

    /// Whether the version to go to is one, and not any after another.
    pub(super) const fn is_named(&self) -> bool {
        self.to.is_some() && self.after.is_none()
    }

    pub(super) fn major(&self) -> bool {
        self.target.as_ref().is_some_and(|target| !target.same_major)
    }

    pub(super) fn doubt(&self) -> Option<&str> {
        self.target.as_ref()?.doubt.as_deref()
    }

    /// Whether going there clears a finding.
    pub(super) fn clears(&self, finding: &Finding) -> bool {
        if let Some(after) = &self.after {
            let last = finding.upgrade().and_then(|fix| fix.after.as_deref());
            return last.is_some_and(|last| order(self.scheme, last, after) != Ordering::Greater);
        }
        let id = finding.id.as_deref().unwrap_or_default();
        match &self.target {
            Some(target) if target.left.contains_key(id) => false,
            Some(target) if target.now.contains_key(id) => true,
            _ => self.reaches(finding),
        }
    }

    /// Whether it is as high as what mends a finding that the advisories say nothing of.
    fn reaches(&self, finding: &Finding) -> bool {
        // What only subscribers get is not in what everybody can have.
        let for_all = self.target.is_some() && self.subscription.is_none();
        let wanted = wanted(finding).filter(|(fix, _)| !for_all || fix.subscription.is_none());
        wanted
            .zip(self.to.as_deref())
            .is_some_and(|((_, wanted), to)| order(self.scheme, wanted, to) != Ordering::Greater)
    }

    /// The version that clears a finding for subscribers alone.
    fn for_subscribers(&self, finding: &Finding) -> Option<(&str, &str)> {
        let target = self.target.as_ref()?;
        let (id, paid) = (finding.id.as_deref()?, target.for_subscribers.as_ref()?);
        let cleared = target.now.contains_key(id) && !paid.left.contains_key(id);
        cleared.then_some((paid.version.as_str(), paid.subscription.as_str()))
    }

    /// What subscribers get beyond what everybody can have: of these findings, which stay.
    pub(super) fn with_subscription(
        &self,
        stay: &[&Finding],
        ids: usize,
    ) -> Option<WithSubscription> {
        let paid = self.target.as_ref()?.for_subscribers.as_ref()?;
        let clears = stay.iter().filter_map(|finding| finding.id.clone());
        let clears: std::collections::BTreeSet<String> =
            clears.filter(|id| !paid.left.contains_key(id)).take(ids).collect();
        (!clears.is_empty()).then(|| WithSubscription {
            subscription: paid.subscription.clone(),
            to: paid.version.clone(),
            clears: clears.into_iter().collect(),
        })
    }

    /// Ids that only the version to go to has.
    pub(super) fn new_ids(&self) -> impl Iterator<Item = String> {
        self.target.iter().flat_map(|target| {
            target.left.keys().filter(|id| !target.now.contains_key(*id)).cloned()
        })
    }

    /// What else is to be said of going there.
    pub(super) fn remark(&self) -> String {
        remark(self.major(), self.doubt())
    }

    /// What mends a finding, as it is offered.
    fn offer(&self, finding: &Finding, name: &str) -> Option<Upgrade> {
        let known = finding.upgrade();
        let upgrade = |to: &str, subscription: Option<&str>| {
            let distribution = finding.ecosystem.as_ref().is_some_and(|one| one.is_distribution());
            let safe = known.map_or(distribution, |fix| fix.safety == Safety::Safe);
            let settled = safe && !self.major() && self.doubt().is_none();
            Upgrade {
                title: format!("upgrade {name} to {to}{}", self.remark()),
                safety: if settled { Safety::Safe } else { Safety::Review },
                version: known.and_then(|fix| fix.version.clone()),
                after: known.and_then(|fix| fix.after.clone()),
                to: Some(to.to_owned()),
                subscription: subscription.map(str::to_owned),
            }
        };
        if let Some(to) = self.to.as_deref().filter(|_| self.clears(finding)) {
            // The archive's own version of the package, where that is the source's.
            let own = archived(finding).filter(|source| *source == to);
            let own = own.and_then(|_| known?.version.as_deref());
            return Some(upgrade(own.unwrap_or(to), self.subscription.as_deref()));
        }
        if let Some((to, subscription)) = self.for_subscribers(finding) {
            return Some(upgrade(to, Some(subscription)));
        }
        let mut fix = known?.clone();
        if let Some(fact) = fix.fact() {
            fix.title = match &self.to {
                Some(to) => format!("{to} leaves it; {fact}"),
                None => format!("no upgrade is known to help; {fact}"),
            };
            fix.to = None;
        }
        Some(fix)
    }
}

/// What else is to be said of a version to go to.
pub(super) fn remark(major: bool, doubt: Option<&str>) -> String {
    let major = if major { ", another major version" } else { "" };
    let doubt = doubt.map_or_else(String::new, |doubt| format!(", {doubt}"));
    format!("{major}{doubt}")
}

/// The version of the source that the archive has.
fn archived(finding: &Finding) -> Option<&str> {
    finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Archive(archive) => Some(archive.source_version.as_str()),
        _ => None,
    })
}

/// To which version a finding asks to go. That of the archive is said of the source package, as that of
/// an advisory is.
fn wanted(finding: &Finding) -> Option<(&Upgrade, &str)> {
    let fix = finding.upgrade()?;
    Some((fix, archived(finding).or(fix.version.as_deref())?))
}

/// The highest version that findings ask for; one that everybody can have before those for subscribers.
fn highest<'report>(
    scheme: Option<Scheme>,
    findings: &[&'report Finding],
) -> Option<(&'report Upgrade, &'report str)> {
    let fixes = || findings.iter().filter_map(|finding| wanted(finding));
    let free = fixes().any(|(fix, _)| fix.subscription.is_none());
    fixes()
        .filter(|(fix, _)| !free || fix.subscription.is_none())
        .max_by(|(_, left), (_, right)| order(scheme, left, right))
}

/// The last affected version that the highest of the findings without a mended version know.
fn last_affected<'report>(
    scheme: Option<Scheme>,
    findings: &[&'report Finding],
) -> Option<&'report str> {
    let lasts = findings.iter().filter_map(|finding| finding.upgrade()?.after.as_deref());
    lasts.max_by(|left, right| order(scheme, left, right))
}

fn order(scheme: Option<Scheme>, left: &str, right: &str) -> Ordering {
    scheme.and_then(|scheme| scheme.compare(left, right).ok()).unwrap_or_else(|| left.cmp(right))
}
