//! Whole outputs about running containers, and what holds for all of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

#[expect(dead_code, reason = "these tests need no other report")]
mod fixture;

use fixture::tampered::CONTAINER;
use fixture::{HOSTILE, form};
use report::{Format, Style, render_affected, render_running};
use vocabulary::running::{AFFECTED_SCHEMA, RUNNING_SCHEMA};
use vocabulary::{
    AffectedContainer, AffectedImage, AffectedPackage, AffectedReport, Container, Coverage,
    Decision, Digest, Engine, Finding, Location, NotChecked, Outcome, RunningContainer,
    RunningFinding, RunningReport, Summary, Use, Used, Watched,
};

fn container(name: &str, image: &str) -> Container {
    Container {
        engine: Engine::Docker,
        id: CONTAINER.to_owned(),
        name: name.to_owned(),
        image: image.to_owned(),
        image_id: Some(Digest::of(b"config")),
        pid: Some(4000),
        started: Some("2099-02-03T00:00:00Z".to_owned()),
    }
}

fn watched(complete: bool) -> Watched {
    Watched {
        since: "2099-02-03T00:00:00Z".to_owned(),
        until: "2099-02-03T01:00:00Z".to_owned(),
        complete,
        lost: u64::from(!complete) * 7,
    }
}

fn running() -> RunningReport {
    let scanned = fixture::report();
    let flaws: Vec<Finding> = scanned
        .findings
        .iter()
        .filter(|finding| finding.rule == "known-vulnerability")
        .cloned()
        .collect();
    let of = |finding: &Finding, usage: Use| {
        let source = (finding.layer == Some(0)).then(|| "cryptlib".to_owned());
        RunningFinding { finding: finding.clone(), source, usage }
    };
    let files = ["usr/lib/libcrypt1.so.1".to_owned(), format!("usr/lib/{HOSTILE}")];
    let findings: Vec<RunningFinding> = flaws
        .iter()
        .enumerate()
        .map(|(index, finding)| match index {
            0..3 => of(finding, Use::loaded(files.to_vec())),
            3..6 => of(finding, Use::unknown()),
            _ => of(finding, Use::none(Used::NotLoaded)),
        })
        .collect();
    let decision = |outcome, reason: &str| Decision {
        outcome,
        line: Some("--fail-on high".to_owned()),
        reasons: vec![reason.to_owned()],
        over_the_line: Vec::new(),
        suppressed: Vec::new(),
        overridden: Vec::new(),
        found: Vec::new(),
    };
    let first = RunningContainer {
        container: container("shop", "shop:1"),
        image: Some(scanned.subject.clone()),
        seal: Some(Digest::of(b"envelope")),
        watched: Some(watched(false)),
        layers: scanned.layers.clone(),
        summary: Summary::count(&flaws, &scanned.packages),
        findings,
        coverage: scanned.coverage.clone(),
        decision: decision(
            Outcome::Findings,
            "3 findings are over --fail-on high: 2 critical, 1 high",
        ),
    };
    let gone = RunningContainer {
        container: container("", &format!("old{HOSTILE}")),
        image: None,
        seal: None,
        watched: None,
        layers: Vec::new(),
        summary: Summary::default(),
        findings: Vec::new(),
        coverage: vec![Coverage::failed("image", "the engine has this image no more")],
        decision: decision(Outcome::Incomplete, "image broke off"),
    };
    RunningReport {
        schema: RUNNING_SCHEMA.to_owned(),
        tool: scanned.tool,
        containers: vec![first, gone],
        rules: scanned.rules,
        not_checked: vec![NotChecked {
            what: "containerd".to_owned(),
            reason: "cannot ask `/run/containerd/containerd.sock`: permission denied".to_owned(),
        }],
        problems: vec![NotChecked {
            what: "usage/other.json".to_owned(),
            reason: "it is about another container".to_owned(),
        }],
        databases: scanned.databases,
        outcome: Outcome::Findings,
    }
}

fn affected() -> AffectedReport {
    let scanned = fixture::report();
    let finding = &scanned.findings[2];
    let package = |usage: Use| AffectedPackage {
        id: finding.id.clone().unwrap(),
        aliases: finding.aliases.clone(),
        advisories: vec!["DSA-2099-0101".to_owned()],
        severity: finding.severity,
        title: finding.title.clone(),
        package: finding.package.clone().unwrap(),
        version: "3.0.9-1".to_owned(),
        location: Location::file("var/lib/dpkg/status", Some(0)),
        layer: Some(0),
        command: scanned.layers[0].command.clone(),
        origin: finding.origin,
        fix: finding.fix.clone(),
        usage,
    };
    let of = |name: &str, watched, usage| AffectedContainer {
        container: container(name, "shop:1"),
        watched,
        packages: vec![package(usage)],
    };
    let image = |names: &[&str], running| AffectedImage {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        image_id: Some(Digest::of(b"config")),
        known_by: vec!["docker".to_owned(), "seals".to_owned()],
        running,
        packages: vec![package(Use::unknown())],
    };
    AffectedReport {
        schema: AFFECTED_SCHEMA.to_owned(),
        tool: scanned.tool.clone(),
        id: "CVE-2099-0101".to_owned(),
        aliases: vec!["GHSA-2099-0101".to_owned()],
        advisories: vec!["DSA-2099-0101".to_owned()],
        running: vec![
            of("shop", Some(watched(true)), Use::loaded(vec!["usr/lib/libcrypt1.so.1".to_owned()])),
            of("idle", Some(watched(true)), Use::none(Used::NotLoaded)),
            of(HOSTILE, None, Use::unknown()),
        ],
        images: vec![image(&["registry.example/shop:1", "shop:1"], 3), image(&[], 0)],
        not_checked: vec![NotChecked {
            what: "image broken:1".to_owned(),
            reason: "layers broke off".to_owned(),
        }],
        problems: Vec::new(),
        containers_checked: 5,
        images_checked: 4,
        databases: scanned.databases,
        outcome: Outcome::Findings,
    }
}

fn nothing(outcome: Outcome, advisories: &[&str]) -> AffectedReport {
    AffectedReport {
        running: Vec::new(),
        images: Vec::new(),
        not_checked: Vec::new(),
        advisories: advisories.iter().map(|&id| id.to_owned()).collect(),
        aliases: Vec::new(),
        outcome,
        ..affected()
    }
}

fn of_running(format: Format, style: &Style) -> String {
    let mut out = Vec::new();
    render_running(&running(), format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn of_affected(report: &AffectedReport, format: Format, style: &Style) -> String {
    let mut out = Vec::new();
    render_affected(report, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn wide() -> Style {
    Style { width: Some(100), ..Style::default() }
}

#[test]
fn running_as_table() {
    insta::assert_snapshot!(of_running(Format::TABLE, &wide()));
}

#[test]
fn running_in_full() {
    let style = Style { verbose: 1, ..Style::default() };
    insta::assert_snapshot!(of_running(Format::TABLE, &style));
}

#[test]
fn affected_as_table() {
    insta::assert_snapshot!(of_affected(&affected(), Format::TABLE, &wide()));
}

#[test]
fn affected_as_json() {
    insta::assert_snapshot!(of_affected(&affected(), Format::JSON, &wide()));
}

#[test]
fn json_survives_a_round_trip() {
    let written = of_running(Format::JSON, &wide());
    let read: RunningReport = serde_json::from_str(&written).unwrap();
    assert_eq!(read, running());
    let written = of_affected(&affected(), Format::JSON, &wide());
    let read: AffectedReport = serde_json::from_str(&written).unwrap();
    assert_eq!(read, affected());
}

#[test]
fn not_affected_is_said_only_where_all_was_looked_at_and_the_id_is_known() {
    let last = |report: &AffectedReport| {
        of_affected(report, Format::TABLE, &Style::default()).lines().last().unwrap().to_owned()
    };
    assert_eq!(
        last(&nothing(Outcome::Pass, &["DSA-1"])),
        "NOT AFFECTED  5 running containers and 4 images were looked at, and nothing is affected"
    );
    for report in [nothing(Outcome::Incomplete, &["DSA-1"]), nothing(Outcome::Incomplete, &[])] {
        let text = of_affected(&report, Format::TABLE, &Style::default());
        assert!(!text.to_lowercase().contains("not affected"), "{text}");
    }
    assert!(last(&nothing(Outcome::Incomplete, &[])).starts_with("UNKNOWN ID  no advisory names"));
    assert!(last(&affected()).ends_with("1 container has loaded it; not all was checked"));
}

#[test]
fn containers_of_which_none_has_passed_are_not_called_so() {
    let table = |report: &RunningReport| {
        let mut out = Vec::new();
        render_running(report, Format::TABLE, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut report = running();
    report.not_checked.clear();
    report.containers.truncate(1);
    report.containers[0].decision.outcome = Outcome::NoLine;
    report.containers[0].decision.line = None;
    report.containers[0].decision.reasons.clear();
    report.outcome = Outcome::NoLine;
    let verdict = "NO VERDICT  1 container with findings; no --fail-on was given";
    let text = table(&report);
    assert_eq!((text.lines().next(), text.lines().last()), (Some(verdict), Some(verdict)));
    report.containers.clear();
    report.outcome = Outcome::Pass;
    let text = table(&report);
    assert!(
        text.starts_with("NOTHING RUNS  no container runs in the engines that answer"),
        "{text}"
    );
    assert!(!text.contains("PASS"), "{text}");
}

#[test]
fn forms_of_one_subject_are_refused_with_a_reason() {
    for format in [form("sarif"), form("cyclonedx")] {
        let mut out = Vec::new();
        let error = render_running(&running(), format, &wide(), &mut out).unwrap_err();
        assert!(error.to_string().contains("use table or json"), "{error}");
        let error = render_affected(&affected(), format, &wide(), &mut out).unwrap_err();
        assert!(error.to_string().contains("use table or json"), "{error}");
        assert!(out.is_empty());
    }
}

#[test]
fn no_text_of_a_container_reaches_the_terminal_as_a_command_or_over_its_edge() {
    use unicode_width::UnicodeWidthStr as _;
    for (verbose, columns) in [(0, 40), (1, 41), (2, 100)] {
        let style = Style { verbose, width: Some(columns), ..Style::default() };
        let all =
            [of_running(Format::TABLE, &style), of_affected(&affected(), Format::TABLE, &style)];
        for line in all.iter().flat_map(|text| text.lines()) {
            assert!(line.width() <= columns, "{} > {columns}: {line}", line.width());
            let hostile =
                |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2066}');
            assert_eq!(line.chars().find(|c| hostile(*c)), None);
        }
    }
}
