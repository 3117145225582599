//! What a form tells people to do is what the step does, which was matched. The first version that an
//! advisory calls mended is a fact, and no form makes an instruction of it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

#[expect(dead_code, reason = "other tests use more of it")]
mod fixture;

use fixture::form;

use report::{Format, Style, render};
use vocabulary::upgrade::{Mending, Replaced, Upgrade};
use vocabulary::{
    Always, Class, Confidence, Ecosystem, Edit, Evidence, Finding, Fix, Location, MatchEvidence,
    OriginKind, Redacted, Report, Safety, Setting, Severity, Span, Summary,
};

const FIRST: &str = "0.31.0";
const STEP: &str = "1.18.0";

/// One finding that is fixed in 0.31.0 and cleared by the step to 1.18.0, or by none.
fn report_of(to: Option<&str>) -> Report {
    let mut report = fixture::project();
    report.findings.truncate(1);
    for finding in &mut report.findings {
        let fix = finding.fix.as_mut().unwrap().upgrade_mut().unwrap();
        fix.version = Some(FIRST.to_owned());
        fix.to = to.map(str::to_owned);
        fix.title = match to {
            Some(to) => format!("upgrade coin to {to}, another major version"),
            None => format!("no upgrade is known to help; fixed in {FIRST}"),
        };
        finding.evidence.clear();
    }
    let replaced = |to: &str| Replaced {
        ecosystem: Ecosystem::NPM,
        name: "coin".to_owned(),
        from: "1.0.0".to_owned(),
        to: to.to_owned(),
        safety: Safety::Review,
        major: true,
        doubt: None,
        subscription: None,
        inside: Vec::new(),
        brought_by: Vec::new(),
        brought_by_more: 0,
        with_subscription: None,
    };
    report.summary = Summary::count(&report.findings, &report.packages);
    let id = report.findings.iter().find_map(|finding| finding.id.clone()).unwrap();
    let step = to.map(|to| Upgrade {
        title: format!("upgrade coin from 1.0.0 to {to}, another major version"),
        origin: OriginKind::Unknown,
        packages: vec![replaced(to)],
        clears: vec![id.clone()],
        findings: 1,
        stays: Vec::new(),
        new: Vec::new(),
        updates: Vec::new(),
        exploited: 0,
        rank: 700,
    });
    report.mending = Mending {
        not_offered: if to.is_none() { vec![id] } else { Vec::new() },
        upgrades: step.into_iter().collect(),
        ..Mending::default()
    };
    report
}

fn text(report: &Report, format: Format) -> String {
    let style = Style { width: Some(200), ..fixture_style() };
    let mut out = Vec::new();
    render(report, format, &style, &mut out).unwrap();
    String::from_utf8(out).unwrap().replace('\\', "")
}

fn fixture_style() -> Style {
    Style { verbose: 2, ..Style::default() }
}

/// All forms that say anything of findings.
fn forms() -> impl Iterator<Item = Format> {
    let packages_alone = [form("spdx"), form("github")];
    Format::all().filter(move |format| !packages_alone.contains(format))
}

/// What comes just before a version where it is an instruction.
const INSTRUCTS: [&str; 5] =
    ["upgrade coin to ", "Upgrade coin to ", " → ", "upgrade to ", "1.0.0 to "];

#[test]
fn every_instruction_of_every_form_names_the_target_of_the_step() {
    let report = report_of(Some(STEP));
    for format in forms() {
        let text = text(&report, format);
        // JUnit says what to do of what is over the line alone.
        assert!(text.contains(STEP) || format == form("junit"), "{format:?}: {text}");
        for before in INSTRUCTS {
            assert!(!text.contains(&format!("{before}{FIRST}")), "{format:?}: {text}");
        }
    }
}

#[test]
fn no_form_tells_people_to_go_where_no_step_leads() {
    let report = report_of(None);
    for format in forms() {
        let text = text(&report, format);
        for before in INSTRUCTS {
            assert!(!text.contains(&format!("{before}{FIRST}")), "{format:?}: {text}");
        }
        assert!(!text.contains("Fix: upgrade"), "{format:?}: {text}");
    }
    assert!(text(&report, Format::TABLE).contains("NO UPGRADE KNOWN TO HELP (1 package)"));
    assert!(text(&report, Format::TABLE).contains("0 of 1 can be mended by an upgrade"));
    assert!(!text(&report, form("gitlab")).contains("\"solution\""));
    assert!(!text(&report, form("cyclonedx")).contains("\"recommendation\""));
}

#[test]
fn a_failure_says_what_to_do_or_that_nothing_known_helps() {
    for (to, expected) in [
        (Some(STEP), "upgrade coin to 1.18.0"),
        (None, "no upgrade is known to help; fixed in 0.31.0"),
    ] {
        let mut report = report_of(to);
        report.decision.over_the_line =
            report.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
        let text = text(&report, form("junit"));
        assert!(text.contains(expected), "{text}");
    }
}

/// A secret in a file and a fault of a configuration, as the checks that find such things will have them.
fn written_by_people(secret: &str) -> Report {
    let rule = |id: &'static str, class, always| vocabulary::Rule {
        id: id.into(),
        class,
        title: "Made up".into(),
        why: "For a test.".into(),
        severity: Severity::High,
        remedy: "Change it.".into(),
        reference: None,
        always,
    };
    let secrets = Always::all("secret", "secrets");
    let leaked = rule("leaked-secret", Class::Secret, Some(secrets));
    let root = rule("runs-as-root", Class::Configuration, None);
    let span = Span { line: 3, column: 7, end_line: 3, end_column: 41 };
    let part = MatchEvidence {
        file: "app/.env".to_owned(),
        layer: Some(2),
        span: Some(span),
        redacted: Redacted::new(secret),
    };
    let place = |path: &str, line| Location::File { path: path.to_owned(), layer: Some(2), line };
    let found = Evidence::Match(Box::new(part));
    let of = |rule, title: &str, place, evidence| {
        Finding::of(rule, None, title.to_owned(), place, evidence)
    };
    let findings = vec![
        Finding {
            fix: Some(Fix::Setting(Setting {
                title: "hand the token over when the container starts".to_owned(),
                safety: Safety::Review,
                name: "--env-file".to_owned(),
                value: "/run/secrets/app".to_owned(),
                place: "docker run".to_owned(),
            })),
            confidence: Confidence::Medium,
            ..of(&leaked, "a token in a file of the image", place("app/.env", Some(3)), vec![found])
        },
        Finding {
            fix: Some(Fix::Edit(Edit {
                title: "name a user in the Dockerfile".to_owned(),
                safety: Safety::Review,
                file: "Dockerfile".to_owned(),
                span: Span { line: 9, column: 1, end_line: 9, end_column: 1 },
                replacement: "USER 65532\n".to_owned(),
            })),
            ..of(&root, "the image starts as root", place("Dockerfile", Some(9)), Vec::new())
        },
    ];
    let mut report = fixture::project();
    report.rules = [leaked, root].into_iter().collect();
    report.decision.suppressed.clear();
    report.decision.over_the_line =
        findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    report.findings = findings;
    report
}

#[test]
fn edits_and_settings_are_said_by_every_form_that_says_what_to_do_and_no_form_tells_a_secret() {
    let secret = "made_up_token_0123456789_ABCDEFGHIJ";
    let report = written_by_people(secret);
    for format in forms() {
        let written = text(&report, format);
        for (start, _) in secret.char_indices().take(secret.len() - 5) {
            let part = secret.get(start..start + 6).unwrap();
            assert!(!written.contains(part), "{format} tells `{part}`");
        }
        let name = format.to_string();
        if ["table", "json", "sarif", "junit", "csv", "html"].contains(&name.as_str()) {
            for fix in ["hand the token over when", "name a user in the Dockerfile"] {
                assert!(written.contains(fix), "{format}: {written}");
            }
        }
    }
    insta::assert_snapshot!(text(&report, Format::TABLE));
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}
