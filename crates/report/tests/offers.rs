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
use vocabulary::{Ecosystem, OriginKind, Report, Safety, Summary};

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
