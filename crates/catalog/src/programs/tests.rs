use super::rules::LITERAL_LIMIT;
use super::samples::{SAMPLES, Sample};
use super::*;
use crate::language::testing::{purls, read_in_pieces, resolve};
use memchr::memmem;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vocabulary::Confidence;

/// Programs that have no rule because another cataloger lists them, with the names that advisories
/// use: by the build information that Go's linker writes, or by their jars. Reviewed by hand.
const LISTED_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("alertmanager", "go", "github.com/prometheus/alertmanager"),
    ("caddy", "go", "github.com/caddyserver/caddy/v2"),
    ("consul", "go", "github.com/hashicorp/consul"),
    ("containerd", "go", "github.com/containerd/containerd"),
    ("esbuild", "go", "github.com/evanw/esbuild"),
    ("etcd", "go", "go.etcd.io/etcd/server/v3"),
    ("gitlab-runner", "go", "gitlab.com/gitlab-org/gitlab-runner"),
    ("go", "go", "stdlib"),
    ("grafana", "go", "github.com/grafana/grafana"),
    ("helm", "go", "helm.sh/helm/v3"),
    ("kubectl", "go", "k8s.io/kubernetes"),
    ("minio", "go", "github.com/minio/minio"),
    ("nats-server", "go", "github.com/nats-io/nats-server/v2"),
    ("prometheus", "go", "github.com/prometheus/prometheus"),
    ("rclone", "go", "github.com/rclone/rclone"),
    ("traefik", "go", "github.com/traefik/traefik/v3"),
    ("vault", "go", "github.com/hashicorp/vault"),
    ("activemq", "java", "org.apache.activemq:activemq-broker"),
    ("cassandra", "java", "org.apache.cassandra:cassandra-all"),
    ("elasticsearch", "java", "org.elasticsearch:elasticsearch"),
    ("gradle", "java", "org.gradle:gradle-core"),
    ("jenkins", "java", "org.jenkins-ci.main:jenkins-core"),
    ("jetty", "java", "org.eclipse.jetty:jetty-server"),
    ("kafka", "java", "org.apache.kafka:kafka-clients"),
    ("maven", "java", "org.apache.maven:maven-core"),
    ("solr", "java", "org.apache.solr:solr-core"),
    ("tomcat", "java", "org.apache.tomcat:tomcat-catalina"),
    ("wildfly", "java", "org.wildfly:wildfly-server"),
    ("zookeeper", "java", "org.apache.zookeeper:zookeeper"),
];

fn rule_of(id: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.id == id).unwrap_or_else(|| panic!("no rule `{id}`"))
}

/// A file of a sample: its text behind the beginning that the rule asks for.
fn file_of(sample: &Sample, text: &[u8]) -> Vec<u8> {
    let head = rule_of(sample.rule).head;
    if text.starts_with(head) { text.to_vec() } else { [head, b"\x02\x01\x01\0", text].concat() }
}

/// The rule and version that a file is recognised by.
fn recognised(name: &str, bytes: &[u8], piece: usize) -> Option<(String, String)> {
    let path = format!("opt/{name}");
    let fact = read_in_pieces(&Programs, &path, 0o755, bytes, piece).ok().flatten()?;
    let fact: ProgramFact<'_> = postcard::from_bytes(&fact).unwrap();
    Some((fact.rule.to_owned(), fact.version.to_owned()))
}

#[test]
fn every_rule_has_a_sample_and_samples_have_rules() {
    let sampled: BTreeSet<&str> = SAMPLES.iter().map(|sample| sample.rule).collect();
    let ruled: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(sampled, ruled);
}

#[test]
fn every_sample_is_recognised_and_every_near_miss_is_not() {
    for sample in SAMPLES {
        let expected = Some((sample.rule.to_owned(), sample.version.to_owned()));
        let content = file_of(sample, sample.content);
        assert_eq!(recognised(sample.file, &content, 64), expected, "{}", sample.rule);
        let near_miss = file_of(sample, sample.near_miss);
        assert_eq!(recognised(sample.file, &near_miss, 64), None, "{}", sample.rule);
    }
}

#[test]
fn a_sample_is_recognised_across_the_seam_of_two_steps() {
    const STEP: usize = 64 << 10;
    for sample in SAMPLES.iter().filter(|sample| rule_of(sample.rule).head == b"\x7fELF") {
        let expected = Some((sample.rule.to_owned(), sample.version.to_owned()));
        for cut in [1, sample.content.len() / 3, sample.content.len() / 2, sample.content.len() - 1]
        {
            let mut bytes = file_of(sample, b"");
            bytes.resize(2 * STEP - cut, 1);
            bytes.extend(sample.content);
            bytes.resize(5 * STEP, 1);
            for piece in [STEP, 1000, 3 * STEP] {
                let found = recognised(sample.file, &bytes, piece);
                assert_eq!(found, expected, "{} cut at {cut}, pieces of {piece}", sample.rule);
            }
        }
    }
}

#[test]
fn a_cut_never_shortens_a_version() {
    let text = b"MariaDB server\x00110.11.19-MariaDB\0";
    for offset in 65_000..66_600 {
        let mut bytes = b"\x7fELF".to_vec();
        bytes.resize(offset, b'x');
        bytes.extend(text);
        let found = recognised("mariadbd", &bytes, 64 << 10).map(|(_, version)| version);
        assert_eq!(found.as_deref(), Some("110.11.19"), "{offset}");
    }
}

#[test]
fn of_two_versions_none_is_guessed() {
    let bytes = b"\x7fELF\0memcached 1.6.18\0\0memcached 1.6.19\n";
    let (_, version) = recognised("memcached", bytes, 64).unwrap();
    assert_eq!(version, "");
}

#[test]
fn a_version_must_agree_with_the_file_s_name() {
    let python = b"\x7fELFPYTHONHOME\0Python %s\n\x003.11.2\0";
    assert!(recognised("python3.11", python, 64).is_some());
    assert!(recognised("python3", python, 64).is_some());
    assert_eq!(recognised("python3.1", python, 64), None);
    assert_eq!(stated("libpython3.11.so.1.0").as_deref(), Some("3.11"));
    assert_eq!(stated("redis-server"), None);
}

#[test]
fn a_file_of_another_name_or_beginning_is_not_looked_at() {
    let nginx = b"\x7fELF\0nginx version: nginx/1.22.1\n\0";
    assert!(recognised("nginx", nginx, 64).is_some());
    assert_eq!(recognised("nginx.bak", nginx, 64), None);
    assert_eq!(recognised("nginx", b"#!/bin/sh\necho '\0nginx version: nginx/1.22.1\n'", 64), None);
}

#[test]
fn packages_say_where_they_are_matched_and_by_what_they_were_told() {
    let redis = b"\x7fELF\0redis_version:%s\x007.0.11\0c11-builtin\0";
    let bash = b"\x7fELF@(#)Bash version 5.2.15(1) release GNU";
    let files: [(&str, &[u8]); 2] = [("usr/local/bin/redis-server", redis), ("bin/bash", bash)];
    let resolution = resolve(&Programs, &files);
    assert_eq!(purls(&resolution), ["pkg:bitnami/redis@7.0.11", "pkg:generic/bash@5.2.15"]);
    let by = |name: &str| resolution.packages.iter().find(|one| one.package.name == name).unwrap();
    assert_eq!(by("redis").package.ecosystem, Ecosystem::BITNAMI);
    assert_eq!(by("bash").package.ecosystem, Ecosystem::PROGRAM);
    let identified = by("redis").package.identified.clone().unwrap();
    assert_eq!((identified.by.as_str(), identified.confidence), ("content", Confidence::High));
    // Only where a distribution could own it is the file's proof made.
    assert!(by("redis").proof.is_none());
    assert!(by("bash").proof.is_some());
}

#[test]
fn rules_are_sorted_and_their_texts_bounded() {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
    for rule in RULES {
        let literals = rule
            .patterns
            .iter()
            .flat_map(|pattern| pattern.after.iter().copied().chain([pattern.before]));
        for literal in literals.chain(rule.also.iter().copied()).chain(rule.never.iter().copied()) {
            assert!(literal.len() <= LITERAL_LIMIT, "{}", rule.id);
        }
        for pattern in rule.patterns {
            let before = pattern.before.len() + pattern.lead.len();
            let shortest = pattern.after.iter().map(|after| after.len()).min().unwrap();
            assert!(before.max(shortest) >= 3, "{}: nothing to search for", rule.id);
        }
        for file in rule.files {
            assert!(file.matches('#').count() <= 1, "{file}");
        }
    }
}

#[test]
fn one_name_never_has_the_same_rule_twice() {
    for (name, rules) in BY_NAME.iter() {
        let ids: BTreeSet<&str> = rules.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), rules.len(), "{name}");
    }
}

#[test]
fn programs_that_another_cataloger_lists_have_no_rule() {
    let catalogers: Vec<&str> = crate::all().iter().map(|check| check.id()).collect();
    for (file, cataloger, name) in LISTED_ELSEWHERE {
        assert!(!BY_NAME.contains_key(file), "{file} is {name}");
        assert!(catalogers.contains(cataloger), "{cataloger}");
    }
}

/// Bitnami's records of the public mirror, where it is there: their ids are the names of the files
/// in the archive, `BIT-redis-2021-31294.json`.
#[test]
fn every_name_of_bitnami_s_is_in_its_feed() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/osv-mirror/Bitnami/all.zip");
    let Ok(archive) = std::fs::read(path) else {
        return testkit::skip_without(testkit::Part::Shared, "`../shared` is not here");
    };
    assert!(memmem::find(&archive, b"BIT-no-such-program-20").is_none());
    for rule in RULES {
        let Advisories::Bitnami(name) = rule.advisories else { continue };
        let record = format!("BIT-{name}-20");
        assert!(memmem::find(&archive, record.as_bytes()).is_some(), "{name}");
    }
}

/// Holds the rules against real programs: `LAZARET_PROGRAMS` names a folder with unpacked ones.
#[test]
#[ignore = "needs a folder of real programs in LAZARET_PROGRAMS"]
fn every_rule_that_is_called_seen_recognises_a_real_program() {
    let folder = std::env::var("LAZARET_PROGRAMS").unwrap();
    let mut folders = vec![PathBuf::from(folder)];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let kind = entry.file_type().unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && BY_NAME.contains_key(name.as_str()) {
                let bytes = std::fs::read(entry.path()).unwrap();
                let path = format!("opt/{name}");
                let fact = read_in_pieces(&Programs, &path, 0o755, &bytes, 64 << 10);
                let Ok(Some(fact)) = fact else {
                    println!("{}: {fact:?}", entry.path().display());
                    continue;
                };
                let fact: ProgramFact<'_> = postcard::from_bytes(&fact).unwrap();
                println!("{}: {} {}", entry.path().display(), fact.rule, fact.version);
                found.insert(fact.rule.to_owned());
            }
        }
    }
    let seen = RULES.iter().filter(|rule| rule.seen).map(|rule| rule.id);
    let missing: Vec<&str> = seen.filter(|id| !found.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(index: prop::sample::Index, edits: Vec<(u16, u8)>, piece in 1..300_usize) {
        let sample = index.get(SAMPLES);
        let mut bytes = file_of(sample, sample.content);
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let _ = recognised(sample.file, &bytes, piece);
    }

    #[test]
    fn the_size_of_pieces_does_not_matter(index: prop::sample::Index, before in 0..70_000_usize, piece in 100..70_000_usize) {
        let sample = index.get(SAMPLES);
        let mut bytes = file_of(sample, b"");
        bytes.resize(bytes.len() + before, b' ');
        bytes.extend(sample.content);
        prop_assert_eq!(recognised(sample.file, &bytes, piece), recognised(sample.file, &bytes, bytes.len()));
    }
}
