//! Random packages of every ecosystem of the mirror: what is found and advised is what a second, plain
//! matcher says.

use super::{Built, Plain, mirror, named, records};
use crate::{Advice, Databases, purls};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use version::Scheme;
use vocabulary::{Ecosystem, Programs};

/// Packages of one seed.
const PACKAGES: usize = 300;

/// A sequence of numbers that is the same for the same seed. Source: Knuth, MMIX.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Each ecosystem, with the release and distribution that are tried.
fn ecosystems() -> Vec<(Ecosystem, Option<(&'static str, &'static str)>)> {
    vec![
        (Ecosystem::PYPI, None),
        (Ecosystem::CRATES_IO, None),
        (Ecosystem::GO, None),
        (Ecosystem::MAVEN, None),
        (Ecosystem::NPM, None),
        (Ecosystem::NUGET, None),
        (Ecosystem::RUBY_GEMS, None),
        (Ecosystem::new("Bitnami"), None),
        (Ecosystem::ALPINE, Some(("v3.20", "alpine:3.20"))),
        (Ecosystem::ALMA_LINUX, Some(("9", "almalinux:9.4"))),
        (Ecosystem::DEBIAN, Some(("11", "debian:11"))),
        (Ecosystem::UBUNTU, Some(("22.04:LTS", "ubuntu:22.04"))),
    ]
}

#[test]
fn random_packages_are_matched_and_advised_as_a_second_matcher_says() {
    let Some(mirror) = mirror() else { return };
    let all = ecosystems();
    let each = PACKAGES.div_ceil(all.len());
    for (ecosystem, release) in &all {
        let records = records(&mirror, ecosystem.as_str(), |_| true);
        let full = release.map_or(ecosystem.to_string(), |(name, _)| format!("{ecosystem}:{name}"));
        let distribution = release.map(|(_, text)| purls::distribution(text).unwrap());
        let plain = Plain::new(&records, ecosystem, &full);
        let names: Vec<&String> =
            plain.entries.keys().filter(|name| plain.is_plain(name)).collect();
        let built = Built::new(&mirror, ecosystem);
        let databases =
            Databases::open(built.folder.path(), [ecosystem.clone()], jiff::Timestamp::UNIX_EPOCH);
        let by = (distribution.as_ref(), &Programs::default());
        let (mut found, mut steps) = (0, 0);
        for seed in [2_026, 76_543] {
            let mut numbers = Numbers(seed);
            for _ in 0..each {
                let name = names[numbers.below(names.len())];
                let versions: Vec<&str> = plain.bounds(name).into_iter().collect();
                if versions.is_empty() {
                    continue;
                }
                let version = versions[numbers.below(versions.len())];
                let package = named(ecosystem, name, version);
                let here = plain.found(name, version);
                let matched = databases.matches(std::slice::from_ref(&package), by.0).findings;
                let ids: BTreeSet<String> = matched.into_iter().filter_map(|one| one.id).collect();
                assert_eq!(ids, here, "{seed}: {ecosystem} {name} {version}");
                found += here.len();
                let advice = databases.upgrade(&[&package], None, by).unwrap();
                let Advice::Go(target) = advice else { continue };
                let up = plain.scheme.compare(version, &target.version) == Ok(Ordering::Less);
                assert!(up, "{seed}: {name} {version} → {}", target.version);
                let there = plain.found(name, &target.version);
                assert!(target.now.keys().eq(&here), "{seed}: {ecosystem} {name} {version}");
                let target_ids: BTreeSet<String> = target.left.keys().cloned().collect();
                assert_eq!(target_ids, there, "{seed}: {name} {version} → {}", target.version);
                steps += 1;
            }
        }
        println!("{full}: {found} findings, {steps} steps");
        assert!(found > 5, "{full}: {found} {steps}");
    }
}

impl Plain<'_> {
    /// Whether the plain reading speaks of all that matching knows: not of bounds that follow no order,
    /// of module streams, of several branches in one notice, and of kernels.
    fn is_plain(&self, name: &str) -> bool {
        let entries = self.of(name);
        let mut seen = BTreeSet::new();
        let several = entries.iter().any(|(record, _, _)| !seen.insert(record["id"].as_str()));
        let rpm = self.scheme == Scheme::Rpm;
        let custom =
            |entry: &serde_json::Value| !entry["ecosystem_specific"]["custom_ranges"].is_null();
        let modular = |entry: &serde_json::Value| entry["ranges"].to_string().contains("module");
        let kernel = name.starts_with("linux-") || name.starts_with("kernel");
        let unordered =
            entries.iter().any(|(_, entry, _)| custom(entry) || (rpm && modular(entry)));
        !(kernel || unordered || (several && rpm))
    }

    /// Versions that its entries name, as far as they have an order.
    fn bounds(&self, name: &str) -> BTreeSet<&str> {
        let mut all = BTreeSet::new();
        for (_, entry, binary) in self.of(name) {
            all.extend(binary);
            all.extend(super::texts(entry, "versions").into_iter().take(3));
            for range in entry["ranges"].as_array().into_iter().flatten() {
                if range["type"] != "GIT" {
                    let events = range["events"].as_array().into_iter().flatten();
                    let bounds = events.flat_map(|event| event.as_object().unwrap().values());
                    all.extend(bounds.filter_map(serde_json::Value::as_str));
                }
            }
        }
        all.retain(|version| *version != "0" && self.scheme.check(version).is_ok());
        all
    }
}
