//! Policy files, right and wrong; what they make of findings.

use super::*;
use crate::testing::{MALWARE, VULNERABILITY, rules};
use crate::{decide, verdicts};
use vocabulary::{
    BaseImage, Coverage, Ecosystem, Finding, Fingerprint, Location, Outcome, Package, Purl,
    Severity, Subject, SubjectKind,
};

fn none(_: &str, path: &str) -> Result<(String, String), String> {
    Err(format!("`{path}` is not here"))
}

fn policy(text: &str) -> Policy {
    parse_policy("lazaret.yaml", text, &rules(), &none).unwrap()
}

fn refused(text: &str) -> String {
    parse_policy("lazaret.yaml", text, &rules(), &none).unwrap_err().to_string()
}

/// The example of the documentation, between its marks.
fn example() -> String {
    let page = include_str!("../../../../docs/policy.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_of_the_documentation_is_right_and_uses_every_key() {
    let text = example();
    let included = |_: &str, path: &str| Ok((path.to_owned(), "version: 1\n".to_owned()));
    let policy = parse_policy("lazaret.yaml", &text, &rules(), &included).unwrap();
    for key in keys::FILE {
        assert!(
            text.contains(&format!("\n{}:", key.name)) || text.starts_with(key.name),
            "{}",
            key.name
        );
    }
    assert_eq!(policy.fail_on, Some(Severity::High));
    assert_eq!(policy.ignores.len(), 2);
    assert_eq!(policy.places["fail-on"], format!("lazaret.yaml:{}", line_of(&text, "fail-on:")));
}

fn line_of(text: &str, begins: &str) -> usize {
    text.lines().position(|line| line.starts_with(begins)).unwrap() + 1
}

#[test]
fn checks_are_words_in_their_order_and_never_none() {
    let policy = policy("version: 1\nchecks: [packages, -java]\n");
    assert_eq!(policy.checks, ["packages", "-java"]);
    assert_eq!(policy.places["checks"], "lazaret.yaml:2");
    assert!(refused("version: 1\nchecks: []\n").contains("line 2: `checks` names none"));
    assert!(refused("version: 1\nchecks: packages\n").contains("is a list of texts"));
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_right_word() {
    insta::assert_snapshot!(
        [
            "fail-on: high",
            "version: 2",
            "version: 1\nfailon: high\nlicenses: {}",
            "version: 1\nfail-on: severe\nonly-fixed: yes\nlayers: mine",
            "version: 1\nignore:\n  - id: CVE-2099-1",
            "version: 1\nignore:\n  - reason: x\n    expires: soon\n    ower: me",
            "version: 1\nignore: CVE-2099-1",
            "version: 1\nignore:\n  - {package: lodash, reason: x}",
            "version: 1\nignore:\n  - {id: CVE-2099-1, reason: x, layer: top}",
            "version: 1\nlicences: {allow: [Apache 2], deny: MIT}",
            "version: 1\npackages:\n  forbid:\n    - {package: 'pkg:npm/a', versions: '1.0', reason: x}",
            "version: 1\nseverity:\n  - {rule: no-rule, severity: low, reason: x}\n  - {severity: low, reason: x}",
            "version: 1\ninclude: [other.yaml]",
            "version: 1\nversion: 1",
            "a: &x 1\nb: *x",
            "- 1\n- 2",
            "version: 1\n  bad: [",
        ]
        .map(refused)
        .join("\n--\n")
    );
}

#[test]
fn absurd_files_end_with_an_error() {
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(50_000),
        format!("version: 1\n{}", "#".repeat(FILE_BYTES)),
    ] {
        assert!(parse_policy("x", &text, &rules(), &none).is_err());
    }
}

#[test]
fn includes_count_before_the_file_itself_and_end() {
    let include = |_: &str, path: &str| match path {
        "loop.yaml" => {
            Ok(("loop.yaml".to_owned(), "version: 1\ninclude: [loop.yaml]\n".to_owned()))
        }
        _ => Ok((path.to_owned(), "version: 1\nfail-on: low\nfail-on-unknown: true\n".to_owned())),
    };
    let text = "version: 1\ninclude: [team.yaml]\nfail-on: critical\n";
    let policy = parse_policy("lazaret.yaml", text, &rules(), &include).unwrap();
    assert_eq!(policy.fail_on, Some(Severity::Critical));
    assert!(policy.fail_on_unknown);
    assert_eq!(policy.places["fail-on-unknown"], "team.yaml:3");
    let text = "version: 1\ninclude: [loop.yaml]\n";
    let error = parse_policy("lazaret.yaml", text, &rules(), &include).unwrap_err().to_string();
    assert_eq!(
        error,
        "`loop.yaml`, line 2: what is included here is included already; leave it out"
    );
}

fn package(purl: &str, licences: &[&str]) -> Package {
    let purl: Purl = purl.parse().unwrap();
    let (name, version) = (purl.name().to_owned(), purl.version().unwrap_or_default().to_owned());
    let licences = licences.iter().map(|&text| text.to_owned()).collect();
    let location = Location::file("app/package.json", Some(1));
    Package { licences, ..Package::new(purl, Ecosystem::NPM, name, version, location) }
}

fn image(base: Option<&str>) -> Subject {
    Subject {
        kind: SubjectKind::Image,
        name: "app:1".to_owned(),
        manifest_digest: None,
        config_digest: None,
        tags: Vec::new(),
        platform: None,
        base: base.map(|name| BaseImage { name: name.to_owned(), digest: None }),
        source: None,
        checkout: None,
        version: None,
    }
}

fn asked(text: &str, packages: &[Package], base: Option<&str>) -> (Vec<String>, usize) {
    let (findings, coverage) = crate::conditions(&policy(text), &image(base), packages);
    let titles = findings.into_iter().map(|one| format!("{}: {}", one.rule, one.title)).collect();
    (titles, coverage.iter().filter(|one| one.status != vocabulary::Status::Ran).count())
}

#[test]
fn packages_are_forbidden_and_required_by_pattern_and_version() {
    let text = "version: 1\npackages:\n  forbid:\n    - {package: 'pkg:npm/left-*', versions: '>= 1.0, < 1.2', reason: old}\n  require:\n    - {package: 'pkg:npm/helmet', reason: headers}\n";
    let some = [package("pkg:npm/left-pad@1.1.9", &[]), package("pkg:npm/left-pad@1.2.0", &[])];
    assert_eq!(
        asked(text, &some, None).0,
        [
            "forbidden-package: left-pad 1.1.9 is forbidden: old (lazaret.yaml:4)",
            "missing-package: pkg:npm/helmet is not there: headers (lazaret.yaml:6)"
        ]
    );
    let strange =
        [package("pkg:npm/left-pad@not-a-version", &[]), package("pkg:npm/helmet@1", &[])];
    assert_eq!(
        asked(text, &strange, None).0.len(),
        1,
        "what has no order is not shown to be allowed"
    );
}

#[test]
fn licences_are_judged_as_expressions() {
    let judge = |rules: &str, licences: &[&str]| {
        let text = format!("version: 1\nlicences: {rules}\n");
        asked(&text, &[package("pkg:npm/a@1", licences)], None).0.pop()
    };
    let allow = "{allow: [MIT, Apache-2.0]}";
    assert_eq!(judge(allow, &["MIT"]), None);
    assert_eq!(judge(allow, &["GPL-3.0-only OR MIT"]), None);
    assert!(judge(allow, &["GPL-3.0-only AND MIT"]).unwrap().contains("not among those"));
    assert_eq!(judge(allow, &["no licence at all"]), None, "unknown is allowed unless denied");
    let strict = "{allow: [MIT], unknown: deny}";
    assert!(
        judge(strict, &[])
            .unwrap()
            .ends_with("its licence is not known (none stated) (lazaret.yaml:2)")
    );
    assert!(judge(strict, &["some text"]).unwrap().contains("(some text)"));
    let deny = "{deny: [GPL-3.0-only]}";
    assert!(judge(deny, &["GPL-3.0-only"]).unwrap().contains("denied"));
    assert_eq!(judge(deny, &["GPL-3.0-only OR MIT"]), None);
    let except = "{deny: [MIT], except: [{package: 'pkg:npm/*', reason: x}]}";
    assert_eq!(judge(except, &["MIT"]), None);
}

#[test]
fn base_images_are_judged_by_name_and_an_unknown_one_never_passes() {
    let text = "version: 1\nbase-images:\n  allow: ['docker.io/library/debian:*']\n  forbid: ['*:latest']\n";
    assert_eq!(asked(text, &[], Some("docker.io/library/debian:12")), (Vec::new(), 0));
    let (findings, _) = asked(text, &[], Some("docker.io/library/debian:latest"));
    assert_eq!(
        findings,
        [
            "forbidden-base-image: base image docker.io/library/debian:latest is forbidden (lazaret.yaml:4)"
        ]
    );
    let (findings, _) = asked(text, &[], Some("evil.example/debian:12"));
    assert!(findings[0].contains("not allowed"), "{findings:?}");
    assert_eq!(asked(text, &[], None), (Vec::new(), 1));
}

fn vulnerability(
    id: &str,
    severity: Severity,
    fixed: bool,
    origin: vocabulary::OriginKind,
) -> Finding {
    let purl: Purl = "pkg:npm/a@1".parse().unwrap();
    let location = Location::file("app/package.json", Some(1));
    Finding {
        id: Some(id.to_owned()),
        severity,
        package: Some(purl.clone()),
        origin,
        fix: fixed.then(|| {
            vocabulary::Fix::Upgrade(vocabulary::fix::Upgrade {
                title: "upgrade".to_owned(),
                safety: vocabulary::Safety::Review,
                version: Some("2".to_owned()),
                after: None,
                to: None,
                subscription: None,
            })
        }),
        more_places: 0,
        fingerprint: Fingerprint::new(&VULNERABILITY.id, Some(id), Some(&purl), &location),
        ..Finding::of(&VULNERABILITY, None, id.to_owned(), location, Vec::new())
    }
}

/// The same of a program that does not hold what is vulnerable.
fn not_linked(finding: Finding) -> Finding {
    let advisory = vocabulary::VulnerabilityEvidence {
        record: "GO-2099-6".to_owned(),
        ecosystem: "Go".to_owned(),
        matched_name: "example.org/m".to_owned(),
        matched_version: "1.0.0".to_owned(),
        range: vocabulary::AffectedRange {
            introduced: Some("0".to_owned()),
            fixed: None,
            last_affected: None,
            listed: false,
        },
        cvss: None,
        score: None,
        severity_from: None,
        rated_as_bundle: false,
        url: None,
        code: Some(vocabulary::CodeEvidence {
            state: vocabulary::VulnerableCode::Absent,
            found: Vec::new(),
            named: 2,
            systems: Vec::new(),
        }),
    };
    Finding { evidence: vec![vocabulary::Evidence::Advisory(Box::new(advisory))], ..finding }
}

#[test]
fn every_verdict_names_the_line_that_decided() {
    use vocabulary::OriginKind::{Application, Base};
    let policy = policy(
        "version: 1\nfail-on: medium\nonly-fixed: true\nonly-linked: true\nlayers: own\nseverity:\n  - {id: CVE-2099-5, severity: low, reason: not reachable}\nignore:\n  - {id: CVE-2099-1, reason: accepted, owner: team a}\n  - {path: nowhere/, reason: unused}\n",
    );
    let findings = vec![
        vulnerability("CVE-2099-1", Severity::Critical, true, Application),
        vulnerability("CVE-2099-2", Severity::High, true, Application),
        vulnerability("CVE-2099-3", Severity::High, false, Application),
        vulnerability("CVE-2099-4", Severity::High, true, Base),
        vulnerability("CVE-2099-5", Severity::High, true, Application),
        not_linked(vulnerability("CVE-2099-6", Severity::High, true, Application)),
    ];
    let today = "2099-01-01".parse().unwrap();
    let judgement = decide(&policy, &rules(), findings, &[Coverage::ran("npm")], today);
    assert_eq!(judgement.decision.outcome, Outcome::Findings);
    let (verdicts, unused) = verdicts(&policy, &judgement, today);
    let lines: Vec<String> = judgement
        .findings
        .iter()
        .zip(&verdicts)
        .map(|(finding, verdict)| {
            let by = verdict.by.as_deref().unwrap_or("-");
            format!("{} {} {} [{by}]", finding.id.as_deref().unwrap(), verdict.over, verdict.why)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(unused, ["nowhere/ (lazaret.yaml:10)"]);
    assert_eq!(judgement.decision.overridden[0].severity, Severity::High);
}

#[test]
fn an_ignore_of_a_whole_package_silences_no_tampering() {
    let policy = policy("version: 1\nignore:\n  - {package: 'pkg:npm/*', reason: dev only}\n");
    let mut malware =
        vulnerability("MAL-2099-1", Severity::Critical, false, vocabulary::OriginKind::Unknown);
    malware.rule = MALWARE.id.clone().into_owned();
    malware.class = MALWARE.class;
    let flaw = vulnerability("CVE-2099-1", Severity::High, true, vocabulary::OriginKind::Unknown);
    let today = "2099-01-01".parse().unwrap();
    let decision =
        decide(&policy, &rules(), vec![malware, flaw], &[Coverage::ran("npm")], today).decision;
    assert_eq!(decision.outcome, Outcome::Findings);
    assert_eq!(decision.suppressed.len(), 1);
    assert_eq!(decision.suppressed[0].by.as_deref(), Some("lazaret.yaml:3"));
}

#[test]
fn all_that_a_found_file_takes_away_is_said_by_its_name() {
    let own = vocabulary::OriginKind::Application;
    let said = |text: &str, status: vocabulary::Status, found: bool| {
        let mut policy = policy(text);
        policy.fail_on.get_or_insert(Severity::High);
        if found {
            policy.found.insert("lazaret.yaml".to_owned());
        }
        let findings = vec![
            vulnerability("CVE-2099-1", Severity::High, false, own),
            vulnerability("CVE-2099-2", Severity::Unknown, false, own),
        ];
        let mut coverage = Coverage::ran("packages");
        coverage.status = status;
        let judged =
            decide(&policy, &rules(), findings, &[coverage], Date::new(2026, 1, 1).unwrap());
        let decision = judged.decision;
        assert!(decision.found.iter().all(|line| decision.reasons.contains(line)));
        decision.found
    };
    use vocabulary::Status::{Partial, Ran};
    for (text, status, expected) in [
        ("only-fixed: true", Ran, "1 finding is not counted by `only-fixed` of lazaret.yaml"),
        ("layers: base", Ran, "1 finding is not counted by `layers` of lazaret.yaml"),
        (
            "allow-partial: true",
            Partial,
            "1 check may be incomplete by `allow-partial` of lazaret.yaml",
        ),
        (
            "ignore: [{package: 'pkg:npm/*', reason: x}]",
            Ran,
            "2 findings are silenced by lazaret.yaml",
        ),
        (
            "severity: [{package: 'pkg:npm/*', severity: low, reason: x}]",
            Ran,
            "2 findings are rated lower by lazaret.yaml",
        ),
    ] {
        let text = format!("version: 1\n{text}\n");
        assert_eq!(said(&text, status, true), [format!("{expected}, which was found")]);
        assert_eq!(said(&text, status, false), [""; 0]);
    }
    for tightening in [
        "fail-on: low",
        "only-fixed: false",
        "severity: [{id: CVE-2099-1, severity: critical, reason: x}]",
    ] {
        assert_eq!(said(&format!("version: 1\n{tightening}\n"), Ran, true), [""; 0]);
    }
}
