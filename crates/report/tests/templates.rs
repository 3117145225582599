//! The templates that the project ships, filled with whole reports, and what holds of any template.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

mod fixture;

use fixture::tampered::{guarded, verified};
use fixture::{HOSTILE, clean, form, many, project, report};
use report::{Filling, Template};
use vocabulary::{NotChecked, Report, Reports};

/// A template of `docs/templates`.
fn shipped(name: &str) -> Template {
    let path = format!("{}/../../docs/templates/{name}", env!("CARGO_MANIFEST_DIR"));
    Template::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

fn fill(template: &Template, filling: &Filling) -> String {
    String::from_utf8(template.render(filling).unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

fn several() -> Reports {
    let failed = NotChecked { what: "gone:1".to_owned(), reason: "it is not there".to_owned() };
    Reports {
        schema: vocabulary::report::REPORTS_SCHEMA.to_owned(),
        reports: vec![report(), clean()],
        failed: vec![failed],
    }
}

/// The report, with the text that an image would write to do harm in every place that is shown.
fn hostile() -> Report {
    let mut report = report();
    report.subject.name = HOSTILE.to_owned();
    report.decision.reasons.push(HOSTILE.to_owned());
    for finding in &mut report.findings {
        finding.title = format!("=1+1,\"{HOSTILE}</td><script>\u{ffff}");
    }
    report
}

#[test]
fn the_page_and_the_lines_are_what_their_templates_make() {
    for (name, template) in [("html", "report.html.j2"), ("csv", "findings.csv.j2")] {
        let mut rendered = Vec::new();
        report::render(&report(), form(name), &report::Style::default(), &mut rendered).unwrap();
        let filled = fill(&shipped(template), &Filling::report(&report()));
        assert_eq!(String::from_utf8(rendered).unwrap(), filled, "{name}");
    }
}

#[test]
fn page() {
    insta::assert_snapshot!(fill(&shipped("report.html.j2"), &Filling::report(&report())));
}

#[test]
fn spreadsheet() {
    insta::assert_snapshot!(fill(&shipped("findings.csv.j2"), &Filling::reports(&several())));
}

#[test]
fn chat() {
    insta::assert_snapshot!(fill(&shipped("chat.txt.j2"), &Filling::reports(&several())));
}

#[test]
fn the_shipped_templates_take_every_report() {
    for name in ["report.html.j2", "findings.csv.j2", "chat.txt.j2"] {
        let template = shipped(name);
        assert!(!template.is_about_one(), "{name}");
        for report in [clean(), project(), verified(), guarded(), hostile()] {
            assert!(fill(&template, &Filling::report(&report)).contains("\n"), "{name}");
        }
    }
}

#[test]
fn the_shipped_templates_know_every_outcome_and_only_one_is_a_pass() {
    use vocabulary::Outcome;
    for outcome in [Outcome::Pass, Outcome::NoLine, Outcome::Findings, Outcome::Incomplete] {
        let mut report = clean();
        report.decision.outcome = outcome;
        report.decision.reasons = vec!["6 findings; no --fail-on was given".to_owned()];
        let passed = outcome == Outcome::Pass;
        let chat = fill(&shipped("chat.txt.j2"), &Filling::report(&report));
        assert_eq!(chat.contains("✅"), passed, "{chat}");
        let page = fill(&shipped("report.html.j2"), &Filling::report(&report));
        assert_eq!(page.contains("Pass"), passed, "{page}");
        for made in [chat, page] {
            assert!(made.contains("6 findings; no --fail-on was given"), "{made}");
        }
    }
}

#[test]
fn no_text_of_an_image_leaves_its_place() {
    let page = fill(&shipped("report.html.j2"), &Filling::report(&hostile()));
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
    let rows = fill(&shipped("findings.csv.j2"), &Filling::report(&hostile()));
    assert!(rows.contains(",\"'=1+1,\"\""), "{rows}");
    let chat = fill(&shipped("chat.txt.j2"), &Filling::report(&hostile()));
    assert!(!chat.contains("\nPASS"), "{chat}");
    for made in [page, rows, chat] {
        let acts = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2066}' | '\u{ffff}')
        };
        assert_eq!(made.chars().find(|c| acts(*c)), None, "{made}");
        assert!(made.contains("\\x1b[2J"), "{made}");
    }
}

#[test]
fn no_shipped_templates_own_text_is_escaped() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/templates");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        // Printed as the template's own strings are, through the filter that every value goes through.
        let signs: String = text.chars().filter(|sign| !sign.is_ascii()).collect();
        let template = Template::parse("signs.txt", &format!("{{{{ \"{signs}\" }}}}")).unwrap();
        assert_eq!(fill(&template, &Filling::report(&clean())), signs);
        read += 1;
    }
    assert_eq!(read, 3);
    for name in ["report.html.j2", "findings.csv.j2", "chat.txt.j2"] {
        let made = fill(&shipped(name), &Filling::report(&clean()));
        assert!(!made.contains("\\u{") && !made.contains("\\x"), "{made}");
    }
}

#[test]
fn a_template_sees_what_json_says() {
    let template = Template::parse("all.json", "{{ report | tojson }}").unwrap();
    for report in [report(), verified(), guarded()] {
        let made: serde_json::Value =
            serde_json::from_str(&fill(&template, &Filling::report(&report))).unwrap();
        assert_eq!(made, serde_json::to_value(&report).unwrap());
    }
}

#[test]
fn a_bill_has_packages_and_no_findings() {
    let text = "{{ report.schema }} {{ report.packages | length }}{{ report.findings is defined }}";
    let template = Template::parse("x", text).unwrap();
    assert_eq!(fill(&template, &Filling::packages(&report())), "lazaret.packages/1 9False");
}

#[test]
fn long_reports_are_within_the_budget() {
    let large = many(2_000, 10);
    let start = std::time::Instant::now();
    for name in ["report.html.j2", "findings.csv.j2", "chat.txt.j2"] {
        let made = fill(&shipped(name), &Filling::report(&large));
        assert!(name == "chat.txt.j2" || made.lines().count() > 20_000, "{name}");
    }
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}
