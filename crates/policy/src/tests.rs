//! What is decided, and why.

use crate::testing::{ADDED, CHANGED, INTRUDER, MALWARE, MISMATCH, VULNERABILITY, rules};
use crate::*;
use std::collections::{BTreeMap, HashSet};
use vocabulary::{
    Coverage, Ecosystem, Finding, Fingerprint, Location, Outcome, Problem, Purl, Rule, Severity,
    Summary,
};

const TODAY: &str = "2099-06-15";

fn finding(id: &str, severity: Severity, purl: &str, path: &str) -> Finding {
    let rule = if id.starts_with("MAL-") { &MALWARE } else { &VULNERABILITY };
    let package: Purl = purl.parse().unwrap();
    let location = Location::file(path, None);
    Finding {
        id: Some(id.to_owned()),
        aliases: vec![id.replace("CVE", "GHSA")],
        severity,
        fingerprint: Fingerprint::new(&rule.id, Some(id), Some(&package), &location),
        package: Some(package),
        ecosystem: Some(Ecosystem::NPM),
        ..Finding::of(rule, None, id.to_owned(), location, Vec::new())
    }
}

fn mismatch() -> Finding {
    Finding {
        rule: MISMATCH.id.clone().into_owned(),
        class: MISMATCH.class,
        id: None,
        aliases: Vec::new(),
        package: None,
        ..finding("CVE-0", Severity::Critical, "pkg:npm/a@1", "x")
    }
}

fn some() -> Vec<Finding> {
    vec![
        finding("CVE-2099-1", Severity::High, "pkg:npm/a@1", "app/a/package.json"),
        finding("CVE-2099-2", Severity::Medium, "pkg:npm/a@1", "app/a/package.json"),
        finding("CVE-2099-3", Severity::Unknown, "pkg:npm/b@2", "lib/b/package.json"),
    ]
}

fn ran() -> Vec<Coverage> {
    vec![Coverage::ran("npm"), Coverage::ran("vulnerabilities:npm")]
}

fn judge(policy: &Policy, findings: Vec<Finding>, coverage: &[Coverage]) -> Judgement {
    decide(policy, &rules(), findings, coverage, TODAY.parse().unwrap())
}

fn ignoring(text: &str) -> Policy {
    Policy {
        fail_on: Some(Severity::Low),
        fail_on_unknown: true,
        ignores: parse_ignores(text, &rules()).unwrap(),
        ..Policy::default()
    }
}

#[test]
fn without_a_line_nobody_has_passed_and_the_reason_names_the_option() {
    let reasons = |findings| {
        let decision = judge(&Policy::default(), findings, &ran()).decision;
        assert_eq!(decision.outcome, Outcome::NoLine);
        assert!(decision.over_the_line.is_empty() && decision.line.is_none());
        decision.reasons.join("; ")
    };
    assert_eq!(
        reasons(some()),
        "3 findings, 1 of them high; no --fail-on was given; 1 of unknown severity"
    );
    let many = |number: usize, critical: usize| -> Vec<Finding> {
        let level = |n| if n < critical { Severity::Critical } else { Severity::Low };
        (0..number).map(|n| finding(&format!("CVE-{n}"), level(n), "pkg:npm/a@1", "a")).collect()
    };
    assert_eq!(reasons(many(372, 74)), "372 findings, 74 of them critical; no --fail-on was given");
    assert_eq!(reasons(many(2, 2)), "2 findings, all of them critical; no --fail-on was given");
    assert_eq!(reasons(many(1, 0)), "1 finding, low; no --fail-on was given");
    assert_eq!(
        reasons(vec![finding("CVE-0", Severity::Unknown, "pkg:npm/a@1", "a")]),
        "1 finding, of unknown severity; no --fail-on was given"
    );
}

#[test]
fn what_only_says_which_findings_count_is_no_line() {
    let policy = Policy {
        only_fixed: true,
        only_linked: true,
        layers: Layers::Own,
        allow_partial: true,
        known: Some(HashSet::new()),
        ..Policy::default()
    };
    assert_eq!(judge(&policy, some(), &ran()).decision.outcome, Outcome::NoLine);
    for lined in [
        Policy { fail_on: Some(Severity::Critical), ..Policy::default() },
        Policy { fail_on_exploited: true, ..Policy::default() },
    ] {
        assert_eq!(judge(&lined, some(), &ran()).decision.outcome, Outcome::Pass);
    }
}

#[test]
fn without_a_line_and_without_findings_all_that_was_looked_at_passes() {
    let decision = judge(&Policy::default(), Vec::new(), &ran()).decision;
    assert_eq!(
        (decision.outcome, decision.reasons),
        (Outcome::Pass, vec!["no findings".to_owned()])
    );
    let all = "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\n";
    let policy = Policy { ignores: parse_ignores(all, &rules()).unwrap(), ..Policy::default() };
    let decision = judge(&policy, some().drain(..1).collect(), &ran()).decision;
    assert_eq!(decision.outcome, Outcome::Pass);
    assert_eq!(decision.reasons, ["no findings but those that are ignored (1)"]);
}

#[test]
fn what_is_incomplete_without_a_line_is_incomplete_and_says_both() {
    let coverage = [Coverage::failed("rpm", "damaged")];
    let decision = judge(&Policy::default(), some(), &coverage).decision;
    assert_eq!(decision.outcome, Outcome::Incomplete);
    assert_eq!(
        decision.reasons[1..],
        ["no --fail-on was given", "1 of unknown severity", "rpm broke off"]
    );
}

#[test]
fn the_line_is_named_by_its_option_and_by_the_file_that_gave_it() {
    let policy = Policy {
        fail_on: Some(Severity::High),
        fail_on_unknown: true,
        fail_on_exploited: true,
        places: [("fail-on".to_owned(), "lazaret.yaml:2".to_owned())].into(),
        ..Policy::default()
    };
    let decision = judge(&policy, some(), &ran()).decision;
    let line = "--fail-on high (lazaret.yaml:2) or --fail-on-unknown or --fail-on-exploited";
    assert_eq!(decision.line.as_deref(), Some(line));
    assert_eq!(
        decision.reasons,
        [
            "1 finding is over --fail-on high (lazaret.yaml:2): 1 high",
            "1 finding of unknown severity is over --fail-on-unknown",
        ]
    );
    let policy = Policy { places: BTreeMap::new(), fail_on: Some(Severity::Medium), ..policy };
    let decision = judge(&policy, some(), &ran()).decision;
    assert_eq!(decision.reasons[0], "2 findings are over --fail-on medium: 1 high, 1 medium");
    // The line below everything takes unknown severities too, by one option.
    let policy = Policy { fail_on: Some(Severity::Unknown), ..policy };
    let reasons = judge(&policy, some(), &ran()).decision.reasons;
    assert_eq!(reasons, ["3 findings are over --fail-on unknown: 1 high, 1 medium, 1 unknown"]);
}

#[test]
fn findings_at_the_line_or_worse_are_over_it() {
    let policy = Policy { fail_on: Some(Severity::High), ..Policy::default() };
    let decision = judge(&policy, some(), &ran()).decision;
    assert_eq!(decision.outcome, Outcome::Findings);
    assert_eq!(decision.over_the_line, [some()[0].fingerprint.clone()]);
    assert_eq!(decision.reasons, ["1 finding is over --fail-on high: 1 high"]);
    let policy = Policy { fail_on: Some(Severity::Critical), ..Policy::default() };
    let decision = judge(&policy, some(), &ran()).decision;
    assert_eq!(decision.outcome, Outcome::Pass);
    assert_eq!(
        decision.reasons,
        [
            "3 findings, none over --fail-on critical: 1 high, 1 medium, 1 unknown",
            "1 of unknown severity, not counted"
        ]
    );
}

#[test]
fn unknown_severity_is_never_read_as_low() {
    let unknown = || vec![finding("CVE-2099-3", Severity::Unknown, "pkg:npm/b@2", "x")];
    let outcome = |fail_on, fail_on_unknown| {
        let policy = Policy { fail_on, fail_on_unknown, ..Policy::default() };
        judge(&policy, unknown(), &ran()).decision.outcome
    };
    assert_eq!(outcome(Some(Severity::Negligible), false), Outcome::Pass);
    assert_eq!(outcome(Some(Severity::Critical), true), Outcome::Findings);
    assert_eq!(outcome(None, true), Outcome::Findings);
    assert_eq!(outcome(Some(Severity::Unknown), false), Outcome::Findings);
}

#[test]
fn malicious_packages_and_wrong_digests_are_over_every_line() {
    let malicious = finding("MAL-2099-1", Severity::Critical, "pkg:npm/evil@1", "x");
    let decision = judge(&Policy::default(), vec![malicious, mismatch()], &ran()).decision;
    assert_eq!(decision.outcome, Outcome::Findings);
    assert_eq!(decision.over_the_line.len(), 2);
    assert_eq!(decision.reasons, ["1 other digest", "1 bad package"]);
}

#[test]
fn what_was_not_checked_is_no_pass() {
    let problem = Problem { path: "a".to_owned(), layer: None, reason: "torn".to_owned() };
    let partial = vec![Coverage::with_problems("npm", vec![problem])];
    let skipped = vec![Coverage::skipped("vulnerabilities:npm", "no database")];
    let failed = vec![Coverage::ran("npm"), Coverage::failed("rpm", "damaged")];
    let outcome = |allow_partial, coverage: &[Coverage]| {
        let policy = Policy { allow_partial, ..Policy::default() };
        judge(&policy, Vec::new(), coverage).decision.outcome
    };
    for coverage in [&partial, &skipped, &failed, &Vec::new()] {
        assert_eq!(outcome(false, coverage), Outcome::Incomplete);
    }
    assert_eq!(outcome(true, &partial), Outcome::Pass);
    assert_eq!(outcome(true, &skipped), Outcome::Incomplete);
    assert_eq!(outcome(true, &failed), Outcome::Incomplete);
    assert_eq!(outcome(true, &[]), Outcome::Incomplete);
}

#[test]
fn findings_outrank_incomplete_and_both_are_named() {
    let policy = Policy { fail_on: Some(Severity::High), ..Policy::default() };
    let coverage = [Coverage::failed("rpm", "damaged")];
    let decision = judge(&policy, some(), &coverage).decision;
    assert_eq!(decision.outcome, Outcome::Findings);
    assert_eq!(decision.reasons, ["1 finding is over --fail-on high: 1 high", "rpm broke off"]);
}

#[test]
fn many_open_checks_are_counted_not_listed() {
    let coverage: Vec<_> = (0..9).map(|n| Coverage::skipped(format!("c{n}"), "x")).collect();
    let reasons = judge(&Policy::default(), Vec::new(), &coverage).decision.reasons;
    assert_eq!(reasons.len(), 7);
    assert_eq!(reasons[6], "4 more checks are not complete");
}

#[test]
fn a_check_that_did_not_run_is_named_by_its_own_reason_where_that_is_short() {
    let why = |check: &str, reason: &str| {
        let coverage = [Coverage::skipped(check, reason)];
        judge(&Policy::default(), Vec::new(), &coverage).decision.reasons.pop().unwrap()
    };
    let database = "debian 12: no package database was found";
    assert_eq!(why("packages", &format!("{database}: not checked")), database);
    assert_eq!(
        why("packages (after)", &format!("{database}: not checked")),
        format!("{database} (after)")
    );
    let said = why("unmatched:program", "1 package identified, no advisory source: not checked");
    assert_eq!(said, "program: 1 package identified, no advisory source");
    assert_eq!(why("sbom", "it names no packages: nothing was checked; x"), "it names no packages");
    let exploited = Policy { fail_on_exploited: true, ..Policy::default() };
    let [kev] = gates(&exploited, &[]).try_into().unwrap();
    assert!(why(&kev.check, &kev.reason.unwrap()).contains("KEV, which is not in the database"));
    let long = "x".repeat(200);
    for reason in [
        "",
        "--offline is set",
        ": not checked",
        &format!("{long}: not checked"),
        "a\nb: not checked",
    ] {
        assert_eq!(why("seal", reason), "seal did not run", "{reason}");
    }
}

#[test]
fn an_ignored_finding_stays_in_the_list_and_leaves_the_counts() {
    let policy = ignoring("[[ignore]]\nid = \"ghsa-2099-1\"\nreason = \"unreachable\"");
    let judgement = judge(&policy, some(), &ran());
    assert_eq!(judgement.findings.len(), 3);
    assert_eq!(judgement.decision.over_the_line.len(), 2);
    let suppressed = &judgement.decision.suppressed;
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0].fingerprint, some()[0].fingerprint);
    assert_eq!(suppressed[0].reason, "unreachable");
    let summary = Summary::count(judgement.open(), &[]);
    assert_eq!(summary.total.get(&Severity::High), None);
    assert_eq!(summary.total.values().sum::<u64>(), 2);
}

#[test]
fn package_and_path_narrow_an_ignore() {
    let silenced = |rest: &str| {
        let rule = format!("[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\n{rest}");
        !judge(&ignoring(&rule), some(), &ran()).decision.suppressed.is_empty()
    };
    assert!(silenced("package = \"pkg:npm/a\""));
    assert!(silenced("package = \"pkg:npm/a@1\""));
    assert!(!silenced("package = \"pkg:npm/a@2\""));
    assert!(!silenced("package = \"pkg:pypi/a\""));
    assert!(silenced("path = \"app/\""));
    assert!(silenced("path = \"/app/a/package.json\""));
    assert!(!silenced("path = \"app/a\""));
    assert!(!silenced("path = \"ap/\""));
}

#[test]
fn an_ignore_holds_through_its_last_day_and_then_becomes_a_finding() {
    let rule = |day: &str| {
        ignoring(&format!("[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\nexpires = {day}"))
    };
    let holds = judge(&rule("2099-06-15"), some(), &ran());
    assert_eq!(holds.decision.suppressed.len(), 1);
    assert_eq!(holds.decision.suppressed[0].expires.as_deref(), Some("2099-06-15"));
    let expired = judge(&rule("2099-06-14"), some(), &ran());
    assert!(expired.decision.suppressed.is_empty());
    let own: Vec<_> =
        expired.findings.iter().filter(|finding| finding.rule == "expired-ignore").collect();
    assert_eq!(own.len(), 1);
    assert!(own[0].title.contains("CVE-2099-1 ended on 2099-06-14"), "{}", own[0].title);
    assert_ne!(own[0].fingerprint, some()[0].fingerprint);
    assert_eq!(expired.decision.over_the_line.len(), 4);
}

#[test]
fn an_expired_ignore_cannot_be_ignored() {
    let rules = "[[ignore]]\nid = \"CVE-2099-9\"\nreason = \"x\"\nexpires = 2000-01-01\n\
                 [[ignore]]\nid = \"CVE-2099-9\"\nreason = \"y\"";
    let judgement = judge(&ignoring(rules), Vec::new(), &ran());
    assert_eq!(judgement.open().count(), 1);
}

#[test]
fn findings_come_worst_first_whatever_their_order() {
    let mut reversed = some();
    reversed.reverse();
    let policy = Policy::default();
    assert_eq!(judge(&policy, reversed, &ran()), judge(&policy, some(), &ran()));
    let severities: Vec<_> =
        judge(&policy, some(), &ran()).findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::High, Severity::Medium, Severity::Unknown]);
}

fn of_rule(rule: &Rule, severity: Severity, path: &str) -> Finding {
    let location = Location::file(path, Some(0));
    Finding {
        rule: rule.id.clone().into_owned(),
        class: rule.class,
        id: None,
        aliases: Vec::new(),
        package: None,
        more_places: 0,
        fingerprint: Fingerprint::new(&rule.id, None, None, &location),
        location,
        ..finding("CVE-0", severity, "pkg:npm/a@1", "x")
    }
}

#[test]
fn what_is_not_what_was_sealed_or_runs_uninvited_is_over_every_line() {
    for (rule, reason) in [(&MISMATCH, "1 other digest"), (&INTRUDER, "1 stranger runs")] {
        for severity in Severity::WORST_FIRST {
            let findings = vec![of_rule(rule, severity, "x")];
            let decision = judge(&Policy::default(), findings, &ran()).decision;
            assert_eq!(decision.outcome, Outcome::Findings, "{} {severity}", rule.id);
            assert_eq!(decision.reasons, [reason]);
        }
    }
}

#[test]
fn drift_of_what_matters_is_over_every_line_and_the_rest_follows_the_line() {
    for rule in [&ADDED, &CHANGED] {
        let outcome = |policy: &Policy, severity| {
            judge(policy, vec![of_rule(rule, severity, "x")], &ran()).decision.outcome
        };
        let none = Policy::default();
        assert_eq!(outcome(&none, Severity::Critical), Outcome::Findings);
        assert_eq!(outcome(&none, Severity::High), Outcome::Findings);
        assert_eq!(outcome(&none, Severity::Medium), Outcome::NoLine);
        let verification = Policy::of_verification();
        assert_eq!(outcome(&verification, Severity::Medium), Outcome::Findings);
        assert_eq!(outcome(&verification, Severity::Low), Outcome::Pass);
    }
    let findings = vec![
        of_rule(&CHANGED, Severity::High, "bin/a"),
        of_rule(&CHANGED, Severity::Critical, "bin/b"),
        of_rule(&ADDED, Severity::Medium, "etc/c"),
        of_rule(&ADDED, Severity::Low, "var/log/d"),
    ];
    let decision = judge(&Policy::of_verification(), findings, &ran()).decision;
    assert_eq!(
        decision.reasons,
        ["2 files that matter", "1 difference is over what a verification lets pass: 1 medium"]
    );
    assert_eq!(decision.over_the_line.len(), 3);
}

#[test]
fn a_finding_whose_rule_nobody_named_passes_no_line() {
    let mut stranger = of_rule(&CHANGED, Severity::Negligible, "x");
    stranger.rule = "of-a-later-version".to_owned();
    let decision = judge(&Policy::default(), vec![stranger], &ran()).decision;
    assert_eq!(decision.outcome, Outcome::Findings);
    assert_eq!(decision.reasons, ["1 finding of a rule that is not known"]);
}

#[test]
fn what_comes_out_carries_the_rules_of_its_findings_and_no_others() {
    let judgement = judge(&ignoring(EXPIRED), some(), &ran());
    let ids: Vec<&str> = judgement.rules.iter().map(|rule| rule.id.as_ref()).collect();
    assert_eq!(ids, ["known-vulnerability", "expired-ignore"]);
}

#[test]
fn what_was_not_selected_has_not_passed_unless_that_is_allowed() {
    let with = |left_out: &[&str], allow_partial: bool| {
        let skipped = left_out.iter().map(|id| Coverage::skipped(*id, Coverage::NOT_SELECTED));
        let coverage: Vec<Coverage> = skipped.chain([Coverage::ran("apk")]).collect();
        let policy = Policy { allow_partial, ..Policy::default() };
        let decision = judge(&policy, Vec::new(), &coverage).decision;
        (decision.outcome, decision.reasons.join("; "))
    };
    let said = |outcome, reasons: &str| (outcome, reasons.to_owned());
    assert_eq!(with(&["go"], false), said(Outcome::Incomplete, "no findings; go was not selected"));
    assert_eq!(
        with(&["go", "java"], false),
        said(Outcome::Incomplete, "no findings; 2 checks were not selected")
    );
    assert_eq!(
        with(&["go", "java"], true),
        said(Outcome::Pass, "no findings; 2 checks not selected, which was allowed")
    );
}

const EXPIRED: &str = "[[ignore]]\nid = 'CVE-2099-9'\nreason = 'x'\nexpires = 2099-01-01\n";
