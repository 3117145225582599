//! The real mirror: what is built of it, and whether matching agrees with a plain reading of the
//! records, written without any of the database's code.

mod samples;
mod severities;

use crate::feed;
use crate::osv::MAX_RECORD_BYTES;
use crate::{Advice, Database, Databases, Quiet, Source, purls};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use version::Scheme;
use vocabulary::{Distribution, Ecosystem, Evidence, Package};
use zip::LargeArchive;

fn mirror() -> Option<PathBuf> {
    testkit::shared().map(|shared| shared.join("osv-mirror"))
}

fn records(mirror: &Path, ecosystem: &str, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
    let file = File::open(mirror.join(ecosystem).join("all.zip")).unwrap();
    let mut all = Vec::new();
    let take = |_: &str, bytes: &[u8]| all.push(serde_json::from_slice(bytes).unwrap());
    LargeArchive::open(file, &feed::FEED).unwrap().read(MAX_RECORD_BYTES, wanted, take).unwrap();
    all
}

fn texts<'json>(value: &'json Value, key: &str) -> Vec<&'json str> {
    value[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The ids of the findings that a record makes.
fn ids(record: &Value, distribution: bool) -> Vec<String> {
    let own = record["id"].as_str().unwrap();
    if own.starts_with("MAL-") {
        return vec![own.to_owned()];
    }
    let mut all = vec![own];
    all.extend(texts(record, "aliases"));
    all.extend(texts(record, "upstream"));
    let mut cves: BTreeSet<String> =
        all.iter().filter(|id| id.starts_with("CVE-")).map(|id| (*id).to_owned()).collect();
    if cves.is_empty() && distribution {
        let related = texts(record, "related");
        cves.extend(related.iter().filter(|id| id.starts_with("CVE-")).map(|id| (*id).to_owned()));
    }
    if cves.is_empty() { vec![own.to_owned()] } else { cves.into_iter().collect() }
}

/// AlmaLinux's notices of bug fixes and enhancements.
fn is_no_notice_of_security(record: &Value) -> bool {
    let id = record["id"].as_str().unwrap();
    id.starts_with("ALBA-") || id.starts_with("ALEA-")
}

/// The algorithm of the OSV schema, word for word: sort the events, then read them one by one.
fn affected(scheme: Scheme, version: &str, entry: &Value) -> bool {
    let less = |left: &str, right: &str| {
        right != "0" && (left == "0" || scheme.compare(left, right) == Ok(Ordering::Less))
    };
    for range in entry["ranges"].as_array().into_iter().flatten() {
        if range["type"] == "GIT" {
            continue;
        }
        let mut events: Vec<(&str, &str)> = range["events"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|event| event.as_object().unwrap())
            .map(|(kind, version)| (kind.as_str(), version.as_str().unwrap()))
            .collect();
        // A bound that is no version has no place in the order; coverage says so, nothing matches.
        if events.iter().any(|(_, bound)| *bound != "*" && scheme.check(bound).is_err()) {
            continue;
        }
        for end in (0..events.len()).rev() {
            for at in 0..end {
                if less(events[at + 1].1, events[at].1) {
                    events.swap(at, at + 1);
                }
            }
        }
        let mut limits = events.iter().filter(|(kind, _)| *kind == "limit").peekable();
        let limited = limits.peek().is_some();
        if limited && !limits.any(|(_, limit)| *limit == "*" || less(version, limit)) {
            continue;
        }
        let mut vulnerable = false;
        for (kind, bound) in events {
            match kind {
                "introduced" if !less(version, bound) => vulnerable = true,
                "fixed" if !less(version, bound) => vulnerable = false,
                "last_affected" if less(bound, version) => vulnerable = false,
                _ => {}
            }
        }
        if vulnerable {
            return true;
        }
    }
    texts(entry, "versions")
        .iter()
        .any(|other| *other == version || scheme.compare(other, version) == Ok(Ordering::Equal))
}

/// Names and versions to try: every `step`th name of the records, each with versions around the
/// bounds that the records state for it.
fn sample(records: &[Value], ecosystem: &str, step: usize) -> Vec<(String, String)> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in records.iter().flat_map(|record| record["affected"].as_array().unwrap()) {
        if entry["package"]["ecosystem"] != ecosystem {
            continue;
        }
        let known = versions.entry(entry["package"]["name"].as_str().unwrap()).or_default();
        known.extend(texts(entry, "versions").iter().take(3));
        for range in entry["ranges"].as_array().into_iter().flatten() {
            if range["type"] != "GIT" {
                let events = range["events"].as_array().into_iter().flatten();
                known.extend(
                    events
                        .flat_map(|event| event.as_object().unwrap().values())
                        .filter_map(Value::as_str),
                );
            }
        }
    }
    let picked = versions.into_iter().step_by(step);
    picked
        .flat_map(|(name, versions)| {
            versions.into_iter().take(4).map(|version| (name.to_owned(), version.to_owned()))
        })
        .collect()
}

struct Built {
    folder: tempfile::TempDir,
}

impl Built {
    fn new(mirror: &Path, ecosystem: &Ecosystem) -> Self {
        Self::of(mirror, std::slice::from_ref(ecosystem))
    }

    fn of(mirror: &Path, ecosystems: &[Ecosystem]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client =
            fetch::Client::new(fetch::Options { offline: true, ..fetch::Options::default() });
        let source = Source::Directory(mirror.to_owned());
        crate::update(
            folder.path(),
            &source,
            ecosystems,
            &client.unwrap(),
            jiff::Timestamp::UNIX_EPOCH,
            &Quiet,
        )
        .unwrap();
        Self { folder }
    }

    /// The ids found for each package.
    fn found(
        &self,
        packages: Vec<Package>,
        distribution: Option<&Distribution>,
    ) -> Vec<(Package, BTreeSet<String>)> {
        let ecosystems = crate::ecosystems_of(&packages);
        let databases =
            Databases::open(self.folder.path(), ecosystems, jiff::Timestamp::UNIX_EPOCH);
        packages
            .into_iter()
            .map(|package| {
                let matched = databases.matches(std::slice::from_ref(&package), distribution);
                (package, matched.findings.into_iter().filter_map(|one| one.id).collect())
            })
            .collect()
    }
}

fn named(ecosystem: &Ecosystem, name: &str, version: &str) -> Package {
    let (mut package, _) = purls::package(&"pkg:npm/x@1".parse().unwrap(), None).unwrap();
    package.ecosystem = ecosystem.clone();
    package.name = name.to_owned();
    package.version = version.to_owned();
    package
}

/// The entries of an ecosystem's records that count, by name.
struct Plain<'json> {
    ecosystem: Ecosystem,
    scheme: Scheme,
    entries: BTreeMap<String, Vec<Said<'json>>>,
}

/// A record, its entry, and the version of a binary package at which it is mended.
type Said<'json> = (&'json Value, &'json Value, Option<&'json str>);

impl<'json> Plain<'json> {
    fn new(records: &'json [Value], ecosystem: &Ecosystem, full: &str) -> Self {
        let mut entries: BTreeMap<String, Vec<Said<'_>>> = BTreeMap::new();
        for record in records.iter().filter(|record| record["withdrawn"].is_null()) {
            for entry in record["affected"].as_array().unwrap() {
                let informational = &entry["database_specific"]["informational"];
                let name = entry["package"]["name"].as_str().unwrap();
                let malicious = record["id"].as_str().unwrap().starts_with("MAL-");
                if entry["package"]["ecosystem"] != full
                    || !(informational.is_null() || malicious)
                    || is_no_notice_of_security(record)
                {
                    continue;
                }
                let groups = entry["ecosystem_specific"]["binaries"].as_array();
                let pairs: Vec<(&String, &Value)> = groups
                    .into_iter()
                    .flatten()
                    .flat_map(|group| group.as_object().unwrap())
                    .collect();
                for (name, version) in &pairs {
                    let said = (record, entry, version.as_str());
                    entries.entry((*name).clone()).or_default().push(said);
                }
                if pairs.is_empty() {
                    let name = Self::key(ecosystem, name);
                    entries.entry(name).or_default().push((record, entry, None));
                }
            }
        }
        let scheme = Scheme::of_ecosystem(ecosystem.as_str()).unwrap();
        Self { ecosystem: ecosystem.clone(), scheme, entries }
    }

    fn key(ecosystem: &Ecosystem, name: &str) -> String {
        let name = crate::names::canonical(ecosystem.as_str(), name);
        if *ecosystem == Ecosystem::GO { name.to_lowercase() } else { name.into_owned() }
    }

    fn of(&self, name: &str) -> &[Said<'json>] {
        let name = Self::key(&self.ecosystem, name);
        self.entries.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Whether an entry holds a version.
    fn holds(&self, version: &str, (_, entry, binary): &Said<'json>) -> bool {
        let ranges = entry["ranges"].as_array().map_or(0, Vec::len);
        match binary {
            Some(fixed)
                if ranges == 1 && entry["versions"].as_array().is_none_or(Vec::is_empty) =>
            {
                self.scheme.compare(version, fixed) == Ok(Ordering::Less)
            }
            _ => affected(self.scheme, version, entry),
        }
    }

    /// The ids of a version's findings.
    fn found(&self, name: &str, version: &str) -> BTreeSet<String> {
        self.of(name)
            .iter()
            .filter(|said| self.holds(version, said))
            .flat_map(|(record, ..)| self.ids(name, record))
            .collect()
    }

    /// The ids of the findings that a record makes among those of the same package: without a CVE, the
    /// CVEs of records that it is joined to by aliases, else one id for all of them.
    fn ids(&self, name: &str, record: &Value) -> Vec<String> {
        let distribution = self.ecosystem.is_distribution();
        let own = ids(record, distribution);
        let id = record["id"].as_str().unwrap();
        if own != [id] || id.starts_with("CVE-") || id.starts_with("MAL-") {
            return own;
        }
        let mut joined: BTreeSet<&str> = [id].into();
        joined.extend(texts(record, "aliases"));
        let mut cves = BTreeSet::new();
        let mut alone = BTreeSet::from([id]);
        for _ in 0..8 {
            for (other, ..) in self.of(name) {
                let (id, of_other) = (other["id"].as_str().unwrap(), ids(other, distribution));
                let aliases = texts(other, "aliases");
                if !joined.contains(id) && !aliases.iter().any(|alias| joined.contains(alias)) {
                    continue;
                }
                let has_cve = of_other != [id] || id.starts_with("CVE-");
                if has_cve {
                    cves.extend(of_other.clone());
                } else {
                    alone.insert(id);
                }
                if of_other.len() < 2 {
                    joined.insert(id);
                    joined.extend(aliases.into_iter().filter(|alias| !alias.starts_with("CVE-")));
                }
            }
        }
        let malicious = alone.iter().find(|id| id.starts_with("MAL-"));
        match malicious {
            Some(malicious) => vec![(*malicious).to_owned()],
            None if !cves.is_empty() => cves.into_iter().collect(),
            None => {
                let known = alone.iter().find(|id| id.starts_with("GHSA-"));
                vec![(*known.or(alone.first()).unwrap()).to_owned()]
            }
        }
    }

    /// The versions that mend something.
    fn fixed(&self, name: &str) -> BTreeSet<&'json str> {
        let ranges = self.of(name).iter().flat_map(|(_, entry, _)| entry["ranges"].as_array());
        let ranges = ranges.flatten().filter(|range| range["type"] != "GIT");
        ranges
            .flat_map(|range| range["events"].as_array().unwrap())
            .filter_map(|event| event["fixed"].as_str())
            .collect()
    }
}

/// Packages to try, and the distribution that they are of.
fn tried(
    records: &[Value],
    ecosystem: &Ecosystem,
    release: Option<&str>,
    step: usize,
) -> (String, Vec<Package>, Option<Distribution>) {
    let full = release.map_or_else(|| ecosystem.to_string(), |name| format!("{ecosystem}:{name}"));
    let scheme = Scheme::of_ecosystem(ecosystem.as_str()).unwrap();
    let packages: Vec<Package> = sample(records, &full, step)
        .iter()
        .filter(|(_, version)| version != "0" && scheme.check(version).is_ok())
        .map(|(name, version)| named(ecosystem, name, version))
        .collect();
    assert!(packages.len() > 100, "{}", packages.len());
    let distribution = release.map(|name| {
        let id = ecosystem.as_str().to_lowercase();
        purls::distribution(&format!("{id}:{}", name.trim_start_matches('v'))).unwrap()
    });
    (full, packages, distribution)
}

/// Compares with the plain reading, for an ecosystem whose entries name the package itself.
fn compare(mirror: &Path, ecosystem: &Ecosystem, release: Option<&str>, step: usize) {
    let records = records(mirror, ecosystem.as_str(), |_| true);
    let (full, packages, distribution) = tried(&records, ecosystem, release, step);
    let plain = Plain::new(&records, ecosystem, &full);
    let mut total = 0;
    for (package, found) in Built::new(mirror, ecosystem).found(packages, distribution.as_ref()) {
        let expected = plain.found(&package.name, &package.version);
        assert_eq!(found, expected, "{} {}", package.name, package.version);
        total += found.len();
    }
    assert!(total > 100, "{total}");
}

/// Holds what is advised against the plain reading: what it says of both versions is so, and no other
/// version that a record names as mended is clean and nearer.
fn advised(mirror: &Path, ecosystem: &Ecosystem, release: Option<&str>, step: usize) {
    let records = records(mirror, ecosystem.as_str(), |_| true);
    let (full, packages, distribution) = tried(&records, ecosystem, release, step);
    let plain = Plain::new(&records, ecosystem, &full);
    let built = Built::new(mirror, ecosystem);
    let databases =
        Databases::open(built.folder.path(), [ecosystem.clone()], jiff::Timestamp::UNIX_EPOCH);
    let (mut steps, mut clean) = (0, 0);
    for package in packages {
        let Package { name, version, .. } = &package;
        let by = (distribution.as_ref(), &vocabulary::Programs::default());
        let advice = databases.upgrade(&[&package], None, by).unwrap();
        let here = plain.found(name, version);
        let less =
            |left: &str, right: &str| plain.scheme.compare(left, right) == Ok(Ordering::Less);
        let from_release = !plain.scheme.is_pre_release(version);
        let mut others = plain.fixed(name);
        others.retain(|other| less(version, other) && plain.found(name, other).is_empty());
        others.retain(|other| !(from_release && plain.scheme.is_pre_release(other)));
        let Advice::Go(target) = advice else {
            assert!(here.is_empty() || others.is_empty(), "{name} {version}: {others:?}");
            continue;
        };
        let ids = |found: &BTreeMap<String, vocabulary::Severity>| -> BTreeSet<String> {
            found.keys().cloned().collect()
        };
        assert_eq!(ids(&target.now), here, "{name} {version}");
        let there = plain.found(name, &target.version);
        assert_eq!(ids(&target.left), there, "{name} {version} → {}", target.version);
        assert!(less(version, &target.version), "{name} {version} → {}", target.version);
        steps += 1;
        clean += usize::from(there.is_empty());
        if there.is_empty() {
            others.retain(|other| less(other, &target.version));
            let major = |text: &str| text.split('.').next().map(str::to_owned);
            // A lower one that is clean too is farther: of another line.
            let nearer = |other: &&&str| major(other) == major(version);
            assert_eq!(
                others.iter().find(nearer).filter(|_| major(&target.version) != major(version)),
                None,
                "{name} {version} → {}",
                target.version
            );
        } else {
            assert!(others.is_empty(), "{name} {version} → {}: {others:?}", target.version);
        }
    }
    assert!(steps > 20 && clean > 10, "{ecosystem}: {steps} {clean}");
}

#[test]
fn what_is_advised_is_what_a_plain_reading_of_the_target_says() {
    let Some(mirror) = mirror() else { return };
    advised(&mirror, &Ecosystem::PYPI, None, 17);
    advised(&mirror, &Ecosystem::CRATES_IO, None, 3);
    advised(&mirror, &Ecosystem::MAVEN, None, 2);
    advised(&mirror, &Ecosystem::ALPINE, Some("v3.20"), 3);
}

#[test]
fn an_upgrade_goes_to_the_nearest_version_that_is_clean() {
    let Some(mirror) = mirror() else { return };
    let built = Built::new(&mirror, &Ecosystem::NPM);
    let bitnami = Ecosystem::new("Bitnami");
    let other = Built::new(&mirror, &bitnami);
    let go = Built::new(&mirror, &Ecosystem::GO);
    for (built, ecosystem, name, version) in [
        (&built, &Ecosystem::NPM, "axios", "0.18.0"),
        (&built, &Ecosystem::NPM, "next", "12.0.0"),
        (&other, &bitnami, "grafana", "8.0.0"),
        (&other, &bitnami, "valkey", "7.2.5"),
        (&go, &Ecosystem::GO, "github.com/traefik/traefik/v2", "v2.9.0"),
    ] {
        let databases =
            Databases::open(built.folder.path(), [ecosystem.clone()], jiff::Timestamp::UNIX_EPOCH);
        let package = named(ecosystem, name, version);
        let by = (None, &vocabulary::Programs::default());
        let advice = databases.upgrade(&[&package], None, by).unwrap();
        let Advice::Go(target) = advice else { panic!("{name}: {advice:?}") };
        assert!(target.left.len() < target.now.len(), "{name}: {target:?}");
        let there = named(ecosystem, name, &target.version);
        let left = databases.matches(&[there], None).findings;
        let left: BTreeSet<String> = left.into_iter().filter_map(|finding| finding.id).collect();
        assert!(left.iter().eq(target.left.keys()), "{name}: {left:?}");
        // Of traefik, some have no fix at all.
        assert!(left.is_empty() || ecosystem == &Ecosystem::GO, "{name}: {left:?}");
    }
}

#[test]
fn matching_agrees_with_a_plain_reading_of_python_records() {
    if let Some(mirror) = mirror() {
        compare(&mirror, &Ecosystem::PYPI, None, 25);
    }
}

#[test]
fn matching_agrees_with_a_plain_reading_of_rust_records() {
    if let Some(mirror) = mirror() {
        compare(&mirror, &Ecosystem::CRATES_IO, None, 3);
    }
}

#[test]
fn matching_agrees_with_a_plain_reading_of_java_records() {
    if let Some(mirror) = mirror() {
        compare(&mirror, &Ecosystem::MAVEN, None, 3);
    }
}

#[test]
fn matching_agrees_with_a_plain_reading_of_alpine_records() {
    if let Some(mirror) = mirror() {
        compare(&mirror, &Ecosystem::ALPINE, Some("v3.20"), 5);
    }
}

#[test]
fn debian_binaries_agree_with_a_plain_reading_of_the_notices() {
    let Some(mirror) = mirror() else { return };
    let records = records(&mirror, "Debian", |_| true);
    let mut fixed: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
    for record in &records {
        for entry in record["affected"].as_array().unwrap() {
            let groups = entry["ecosystem_specific"]["binaries"].as_array();
            if entry["package"]["ecosystem"] == "Debian:11" {
                let pairs =
                    groups.into_iter().flatten().flat_map(|group| group.as_object().unwrap());
                for (name, version) in pairs {
                    fixed.entry(name).or_default().push((version.as_str().unwrap(), record));
                }
            }
        }
    }
    let mut packages = Vec::new();
    for (name, notices) in fixed.iter().filter(|(name, _)| !name.starts_with("linux-")).step_by(40)
    {
        packages.extend(
            notices.iter().take(3).map(|(version, _)| named(&Ecosystem::DEBIAN, name, version)),
        );
    }
    let debian = purls::distribution("debian:11").unwrap();
    let built = Built::new(&mirror, &Ecosystem::DEBIAN);
    let (mut total, count) = (0, packages.len());
    for (package, found) in built.found(packages, Some(&debian)) {
        let expected: BTreeSet<String> = fixed[package.name.as_str()]
            .iter()
            .filter(|(version, _)| {
                Scheme::Debian.compare(&package.version, version) == Ok(Ordering::Less)
            })
            .flat_map(|(_, record)| ids(record, true))
            .collect();
        // A source of the same name may have entries without binaries; none of those is missed.
        assert!(found.is_superset(&expected), "{} {}", package.name, package.version);
        total += expected.len();
    }
    assert!(count > 100 && total > 100, "{count} {total}");
}

#[test]
fn the_fix_makes_the_finding_go_away() {
    let Some(mirror) = mirror() else { return };
    let records = records(&mirror, "Go", |_| true);
    let built = Built::new(&mirror, &Ecosystem::GO);
    let databases =
        Databases::open(built.folder.path(), [Ecosystem::GO], jiff::Timestamp::UNIX_EPOCH);
    let mut checked = 0;
    for (name, version) in sample(&records, "Go", 6) {
        let package = named(&Ecosystem::GO, &name, &version);
        for finding in databases.matches(&[package], None).findings {
            let Some(fix) = finding.upgrade().and_then(|fix| fix.version.clone()) else { continue };
            let mended = named(&Ecosystem::GO, &name, &fix);
            let left = databases.matches(&[mended], None).findings;
            assert!(left.iter().all(|other| other.id != finding.id), "{name} {version} {fix}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn what_is_built_of_a_feed_is_sound_and_the_same_each_time() {
    let Some(mirror) = mirror() else { return };
    // Counts taken from the records themselves: all, without bug fixes, informational or withdrawn.
    for (ecosystem, expected) in [
        (Ecosystem::ALPINE, 8455),
        (Ecosystem::CRATES_IO, 736),
        (Ecosystem::MAVEN, 366),
        (Ecosystem::RUBY_GEMS, 817),
    ] {
        let archive = mirror.join(ecosystem.as_str()).join("all.zip");
        let built = feed::from_archive(&archive, &ecosystem).unwrap().finish().unwrap();
        assert_eq!(built.records, expected, "{ecosystem}");
        let again = feed::from_archive(&archive, &ecosystem).unwrap().finish().unwrap();
        assert!(built.bytes == again.bytes, "{ecosystem}");
        let database = Database::from_bytes(built.bytes).unwrap();
        database.check().unwrap();
    }
}

#[test]
fn evidence_names_the_notice_and_its_range() {
    let Some(mirror) = mirror() else { return };
    let built = Built::new(&mirror, &Ecosystem::ALMA_LINUX);
    let databases =
        Databases::open(built.folder.path(), [Ecosystem::ALMA_LINUX], jiff::Timestamp::UNIX_EPOCH);
    let alma = purls::distribution("almalinux:8.5").unwrap();
    let package = named(&Ecosystem::ALMA_LINUX, "openssl", "1:1.1.1g-1.el8");
    let findings = databases.matches(&[package], Some(&alma)).findings;
    assert!(findings.len() > 5, "{}", findings.len());
    for finding in findings {
        assert!(finding.id.as_deref().is_some_and(|id| id.starts_with("CVE-")));
        assert!(finding.fix.is_some());
        for evidence in &finding.evidence {
            let Evidence::Advisory(advisory) = evidence else { continue };
            assert!(advisory.record.starts_with("ALSA-"), "{}", advisory.record);
            assert_eq!(advisory.ecosystem, "AlmaLinux:8");
            assert!(advisory.range.fixed.is_some());
        }
    }
}
