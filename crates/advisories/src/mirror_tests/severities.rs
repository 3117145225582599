//! Severities of the mirror's CVEs, held against a plain reading of the records that are about one CVE.

use super::{Built, ids, mirror, named, records};
use crate::{Databases, cvss, purls};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Ecosystem, Evidence, Package, Severity};

/// The level that a record states: of its newest vector, else its word.
fn level(record: &Value) -> Option<Severity> {
    let entries = || record["affected"].as_array().into_iter().flatten();
    let lists = [&record["severity"]].into_iter().chain(entries().map(|entry| &entry["severity"]));
    let mut vectors: Vec<&str> = lists
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(|rating| rating["score"].as_str())
        .collect();
    vectors.extend(entries().filter_map(|entry| entry["database_specific"]["cvss"].as_str()));
    let best = vectors
        .into_iter()
        .filter_map(|vector| Some((cvss::version_of(vector)?, cvss::score(vector)?)))
        .max();
    if let Some((_, tenths)) = best {
        return Some(Severity::from_score(f64::from(tenths) / 10.0));
    }
    match record["database_specific"]["severity"].as_str()?.to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "high" => Some(Severity::High),
        "medium" | "moderate" => Some(Severity::Medium),
        "low" => Some(Severity::Low),
        _ => None,
    }
}

/// The levels of records that are about a CVE alone, by CVE.
type Alone = BTreeMap<String, BTreeSet<Severity>>;

fn alone(records: &[Value], distribution: bool) -> Alone {
    let mut alone = Alone::new();
    for record in records.iter().filter(|record| record["withdrawn"].is_null()) {
        let own = ids(record, distribution);
        if let ([cve], Some(level)) = (own.as_slice(), level(record))
            && cve.starts_with("CVE-")
        {
            alone.entry(cve.clone()).or_default().insert(level);
        }
    }
    alone
}

/// Holds the severities of a release's findings against the records of the CVEs alone: the
/// distribution's own, else the makers', else Bitnami's.
fn held_against_records_of_the_cve(ecosystem: &Ecosystem, release: &str, distribution: &str) {
    let Some(mirror) = mirror() else { return };
    let bitnami = Ecosystem::new("Bitnami");
    let others = [Ecosystem::PYPI, Ecosystem::MAVEN, Ecosystem::GO, bitnami.clone()];
    let built = Built::of(&mirror, &[std::slice::from_ref(ecosystem), &others].concat());
    let own_records = records(&mirror, ecosystem.as_str(), |_| true);
    let own = alone(&own_records, true);
    let mut makers = Alone::new();
    for other in others.iter().filter(|other| **other != bitnami) {
        for (cve, levels) in alone(&records(&mirror, other.as_str(), |_| true), false) {
            makers.entry(cve).or_default().extend(levels);
        }
    }
    let packers = alone(&records(&mirror, bitnami.as_str(), |_| true), false);

    let mut names = BTreeSet::new();
    let mut bundled: BTreeMap<String, BTreeSet<Severity>> = BTreeMap::new();
    for record in &own_records {
        let cves = ids(record, true);
        for entry in record["affected"].as_array().unwrap() {
            let known = |cve: &String| makers.contains_key(cve) || packers.contains_key(cve);
            if entry["package"]["ecosystem"] != release || !cves.iter().any(known) {
                continue;
            }
            let groups = entry["ecosystem_specific"]["binaries"].as_array().into_iter().flatten();
            let binary = groups.flat_map(|group| group.as_object().unwrap().keys()).next();
            names.extend(binary.filter(|name| !name.starts_with("linux-")));
            if cves.len() > 1 {
                for cve in &cves {
                    bundled.entry(cve.clone()).or_default().extend(level(record));
                }
            }
        }
    }
    let packages: Vec<Package> =
        names.into_iter().take(400).map(|name| named(ecosystem, name, "0")).collect();
    let distribution = purls::distribution(distribution).unwrap();
    let databases =
        Databases::open(built.folder.path(), [ecosystem.clone()], jiff::Timestamp::UNIX_EPOCH);
    let (mut checked, mut were_wrong) = (BTreeSet::new(), BTreeSet::new());
    for finding in databases.matches(&packages, Some(&distribution)).findings {
        let id = finding.id.clone().unwrap();
        let expected = [&own, &makers, &packers].into_iter().find_map(|alone| alone.get(&id));
        let Some(expected) = expected else {
            let unrated = finding.severity == Severity::Unknown;
            assert!(unrated || finding.is_rated_as_bundle(), "{id}: {:?}", finding.evidence);
            continue;
        };
        assert!(expected.contains(&finding.severity), "{id}: {} {expected:?}", finding.severity);
        assert!(!finding.is_rated_as_bundle(), "{id}");
        for evidence in &finding.evidence {
            let Evidence::Advisory(advisory) = evidence else { continue };
            let score = advisory.score.map(Severity::from_score);
            assert!(score.is_none_or(|level| expected.contains(&level)), "{id}: {advisory:?}");
        }
        if bundled.get(&id).is_some_and(|levels| levels.iter().any(|one| !expected.contains(one))) {
            were_wrong.insert(id.clone());
        }
        checked.insert(id);
    }
    println!("{release}: {} CVEs, of {} a notice says otherwise", checked.len(), were_wrong.len());
    assert!(
        checked.len() >= 60 && were_wrong.len() >= 20,
        "{} {}",
        checked.len(),
        were_wrong.len()
    );
}

#[test]
fn cves_of_debian_have_the_severity_of_their_own_records() {
    held_against_records_of_the_cve(&Ecosystem::DEBIAN, "Debian:11", "debian:11");
}

#[test]
fn cves_of_ubuntu_have_the_severity_of_their_own_records() {
    held_against_records_of_the_cve(&Ecosystem::UBUNTU, "Ubuntu:20.04:LTS", "ubuntu:20.04");
}
