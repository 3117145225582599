//! Whole outputs of every format, and what holds for all of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

mod fixture;

use fixture::tampered::{guarded, verified};
use fixture::{clean, form, many, project, report};
use report::{Format, Style, render, render_packages};
use vocabulary::Report;

fn text(report: &Report, format: Format, style: &Style) -> String {
    let mut out = Vec::new();
    render(report, format, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn packages(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    render_packages(report, format, &Style::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn of_width(width: usize) -> Style {
    Style { width: Some(width), ..Style::default() }
}

#[test]
fn table_at_a_hundred_columns() {
    insta::assert_snapshot!(text(&report(), Format::TABLE, &of_width(100)));
}

#[test]
fn table_at_sixty_columns() {
    insta::assert_snapshot!(text(&report(), Format::TABLE, &of_width(60)));
}

#[test]
fn table_in_full() {
    let style = Style { verbose: 2, ..Style::default() };
    insta::assert_snapshot!(text(&report(), Format::TABLE, &style));
}

#[test]
fn table_in_colour() {
    let style = Style { colour: true, ..of_width(100) };
    insta::assert_snapshot!(text(&report(), Format::TABLE, &style).replace('\u{1b}', "␛"));
}

#[test]
fn table_of_a_clean_folder() {
    insta::assert_snapshot!(text(&clean(), Format::TABLE, &Style::default()));
}

#[test]
fn table_of_a_verified_image() {
    insta::assert_snapshot!(text(&verified(), Format::TABLE, &of_width(100)));
}

#[test]
fn table_of_a_verified_image_in_full() {
    let style = Style { verbose: 1, ..Style::default() };
    insta::assert_snapshot!(text(&verified(), Format::TABLE, &style));
}

#[test]
fn sarif_of_a_verified_image() {
    insta::assert_snapshot!(text(&verified(), form("sarif"), &Style::default()));
}

#[test]
fn table_of_a_guarded_container() {
    insta::assert_snapshot!(text(&guarded(), Format::TABLE, &of_width(100)));
}

#[test]
fn sarif_of_a_guarded_container() {
    insta::assert_snapshot!(text(&guarded(), form("sarif"), &Style::default()));
}

#[test]
fn a_bill_of_materials_says_that_the_material_is_not_the_one() {
    let text = text(&verified(), form("cyclonedx"), &Style::default());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> = document["metadata"]["properties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|property| property["name"].as_str().unwrap())
        .collect();
    for rule in ["broken-seal", "seal-mismatch", "rolled-back-image", "file-changed", "file-added"]
    {
        assert!(names.contains(&format!("lazaret:{rule}").as_str()), "{rule}: {names:?}");
    }
}

#[test]
fn every_rule_has_its_words_in_sarif_and_a_place_in_the_table() {
    for rule in &fixture::rules::all() {
        let mut report = verified();
        report.findings.truncate(1);
        report.findings[0].rule = rule.id.clone().into_owned();
        report.findings[0].class = rule.class;
        report.rules = [rule.clone()].into_iter().collect();
        let written = text(&report, form("sarif"), &Style::default());
        let document: serde_json::Value = serde_json::from_str(&written).unwrap();
        let shown = &document["runs"][0]["tool"]["driver"]["rules"][0];
        assert_eq!(shown["id"], rule.id.as_ref());
        assert!(shown["fullDescription"]["text"].as_str().unwrap().contains(rule.why.as_ref()));
        assert!(shown["help"]["text"].as_str().unwrap().contains(rule.remedy.as_ref()));
        let tag = &shown["properties"]["tags"][1];
        let of_policy = matches!(
            rule.id.as_ref(),
            "expired-ignore"
                | "forbidden-base-image"
                | "forbidden-licence"
                | "forbidden-package"
                | "missing-package"
        );
        assert_eq!(tag == "policy", of_policy, "{}", rule.id);
        if rule.id == "known-vulnerability" {
            report.findings[0].id = Some("CVE-2099-0001".to_owned());
        }
        let table = text(&report, Format::TABLE, &Style::default());
        let own = rule.title.to_uppercase();
        let heading = match rule.id.as_ref() {
            "file-added" | "file-changed" | "file-removed" => "PROGRAMS, LIBRARIES AND SECURITY",
            "known-vulnerability" => "NO FIX KNOWN (1 package)",
            "end-of-life" | "imported" | "security-update-available" => "ALSO (1)",
            _ if of_policy => "ALSO (1)",
            _ => own.as_str(),
        };
        assert!(table.contains(&format!("\n{heading}")), "{}: {table}", rule.id);
    }
}

#[test]
fn markdown() {
    insta::assert_snapshot!(text(&report(), form("markdown"), &Style::default()));
}

#[test]
fn junit() {
    insta::assert_snapshot!(text(&report(), form("junit"), &Style::default()));
}

/// The style of a run in a CI service.
fn in_ci() -> Style {
    let build = report::Build {
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        reference: "refs/heads/main".to_owned(),
        run: "7".to_owned(),
        correlator: "build scan".to_owned(),
    };
    Style { build: Some(build), ..Style::default() }
}

#[test]
fn github() {
    insta::assert_snapshot!(text(&report(), form("github"), &in_ci()));
}

#[test]
fn a_folder_in_every_form() {
    for format in Format::all() {
        insta::assert_snapshot!(format!("folder_as_{format}"), text(&project(), format, &in_ci()));
    }
}

#[test]
fn github_without_a_commit_says_what_to_set() {
    let error = render(&report(), form("github"), &Style::default(), &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("set GITHUB_SHA"), "{error}");
}

#[test]
fn gitlab() {
    insta::assert_snapshot!(text(&report(), form("gitlab"), &Style::default()));
}

#[test]
fn spdx() {
    insta::assert_snapshot!(text(&report(), form("spdx"), &Style::default()));
}

#[test]
fn json() {
    insta::assert_snapshot!(text(&report(), Format::JSON, &Style::default()));
}

#[test]
fn cyclonedx() {
    insta::assert_snapshot!(text(&report(), form("cyclonedx"), &Style::default()));
}

#[test]
fn sarif() {
    insta::assert_snapshot!(text(&report(), form("sarif"), &Style::default()));
}

#[test]
fn packages_as_table() {
    insta::assert_snapshot!(packages(&report(), Format::TABLE));
}

#[test]
fn packages_as_json() {
    insta::assert_snapshot!(packages(&report(), Format::JSON));
}

#[test]
fn packages_as_cyclonedx() {
    insta::assert_snapshot!(packages(&report(), form("cyclonedx")));
}

#[test]
fn packages_as_sarif_are_refused_with_a_reason() {
    let mut out = Vec::new();
    let error = render_packages(&report(), form("sarif"), &Style::default(), &mut out).unwrap_err();
    assert!(
        error.to_string().contains("use table, json, cyclonedx, spdx, github or template:FILE"),
        "{error}"
    );
    assert!(out.is_empty());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr as _;
    for columns in [40, 41, 60, 80, 133] {
        let style = Style { verbose: 2, ..of_width(columns) };
        for report in [report(), verified(), guarded()] {
            for line in text(&report, Format::TABLE, &style).lines() {
                assert!(line.width() <= columns, "{} > {columns}: {line}", line.width());
            }
        }
    }
}

#[test]
fn no_text_of_an_image_reaches_the_terminal_as_a_command() {
    for verbose in 0..3 {
        let style = Style { verbose, ..Style::default() };
        let mut all = text(&report(), Format::TABLE, &style);
        all.push_str(&text(&verified(), Format::TABLE, &style));
        all.push_str(&text(&guarded(), Format::TABLE, &style));
        all.push_str(&packages(&report(), Format::TABLE));
        let hostile = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2066}')
        };
        let found = all.chars().find(|c| hostile(*c));
        assert_eq!(found, None);
        assert!(!all.contains("\nPASS"), "an image wrote a decision of its own");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let plain = text(&report(), Format::TABLE, &of_width(100));
    let colour = text(&report(), Format::TABLE, &Style { colour: true, ..of_width(100) });
    let mut bare = String::new();
    let mut rest = colour.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    assert_eq!(bare, plain);
}

#[test]
fn the_short_table_says_what_it_leaves_out_and_the_long_one_leaves_out_nothing() {
    let report = many(60, 8);
    let short = text(&report, Format::TABLE, &Style::default());
    assert!(
        short.contains("UPGRADE (30 packages)") && short.contains("NO FIX KNOWN (30 packages)")
    );
    assert_eq!(short.matches("… and 10 more packages").count(), 2);
    assert_eq!(short.matches("… and 3 more vulnerabilities").count(), 20);
    let long = text(&report, Format::TABLE, &Style { verbose: 1, ..Style::default() });
    assert!(!long.contains("more packages") && !long.contains("more vulnerabilities"));
    for finding in &report.findings {
        assert!(long.contains(finding.id.as_deref().unwrap()));
    }
}

#[test]
fn large_reports_are_written_in_linear_time() {
    // What this thread has worked, in nanoseconds, whatever else the machine does: the kernel's
    // Documentation/scheduler/sched-stats.rst.
    let worked = || -> u64 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    let cost = |packages| {
        let (report, before) = (many(packages, 10), worked());
        for format in Format::all() {
            render(&report, format, &in_ci(), &mut std::io::sink()).unwrap();
        }
        worked() - before
    };
    // Eight times as much: quadratic work would cost 64 times as much.
    let (few, eight_times) = (cost(250), cost(2_000));
    assert!(eight_times < few * 24, "{few} and {eight_times} ns");
}

#[test]
fn same_input_gives_the_same_bytes() {
    for format in Format::all() {
        let style = in_ci();
        assert_eq!(text(&report(), format, &style), text(&report(), format, &style), "{format}");
    }
}

#[test]
fn json_survives_a_round_trip() {
    let written = text(&report(), Format::JSON, &Style::default());
    assert!(written.ends_with("}\n"));
    let read: Report = serde_json::from_str(&written).unwrap();
    assert_eq!(text(&read, Format::JSON, &Style::default()), written);
}

#[test]
fn serial_number_follows_the_content() {
    let number = |report: &Report| {
        let text = text(report, form("cyclonedx"), &Style::default());
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["serialNumber"].as_str().unwrap().to_owned()
    };
    let mut other = report();
    other.packages.pop();
    assert_ne!(number(&report()), number(&other));
}

#[test]
fn every_finding_is_in_sarif_and_points_to_its_rule() {
    let text = text(&report(), form("sarif"), &Style::default());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &document["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), report().findings.len());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let silenced = |result: &&serde_json::Value| {
        result["suppressions"].as_array().is_some_and(|list| !list.is_empty())
    };
    assert_eq!(results.iter().filter(silenced).count(), 1);
}

/// GitHub refuses a run of more than 25,000 results.
#[test]
fn sarif_holds_the_worst_25_000_results_and_says_how_many_it_left_out() {
    let mut report = report();
    let first = report.findings[0].clone();
    let silenced = report.decision.suppressed[0].fingerprint.clone();
    let own = report.findings.len();
    report.findings.extend((own..25_100).map(|number| {
        let fingerprint = vocabulary::Fingerprint::new(
            "x",
            Some(&number.to_string()),
            None,
            &vocabulary::Location::Subject,
        );
        vocabulary::Finding { fingerprint, evidence: Vec::new(), ..first.clone() }
    }));
    let text = text(&report, form("sarif"), &Style::default());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &document["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    let of = |result: &serde_json::Value| result["partialFingerprints"]["lazaret/v1"].clone();
    assert_eq!(of(&results[0]), serde_json::json!(report.findings[0].fingerprint));
    assert!(!results.iter().any(|result| of(result) == serde_json::json!(silenced)));
    let said = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(said.as_str().unwrap().starts_with("100 results left out"), "{said}");
}

#[test]
fn every_affected_component_of_cyclonedx_exists_once() {
    let text = text(&report(), form("cyclonedx"), &Style::default());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut references: Vec<_> = document["components"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&document["metadata"]["component"]])
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    let all = references.len();
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), all);
    for vulnerability in document["vulnerabilities"].as_array().unwrap() {
        for affected in vulnerability["affects"].as_array().unwrap() {
            assert!(references.contains(&affected["ref"].as_str().unwrap()), "{affected}");
        }
    }
}

/// Findings, all checks ran, and nobody drew a line.
fn without_a_line() -> Report {
    let mut report = many(3, 2);
    // A command in it has the word.
    report.layers.clear();
    report.coverage = vec![vocabulary::Coverage::ran("dpkg")];
    report.decision = vocabulary::Decision {
        outcome: vocabulary::Outcome::NoLine,
        line: None,
        reasons: vec![
            "6 findings, all of them high".to_owned(),
            "no --fail-on was given".to_owned(),
        ],
        over_the_line: Vec::new(),
        suppressed: Vec::new(),
        overridden: Vec::new(),
        found: Vec::new(),
    };
    report
}

#[test]
fn without_a_line_no_form_says_that_anything_passed() {
    let report = without_a_line();
    let reason = "6 findings, all of them high; no --fail-on was given";
    for format in [Format::TABLE, form("markdown"), form("junit"), form("gitlab")] {
        let written = text(&report, format, &Style::default()).replace("\\", "");
        assert!(written.contains(reason), "{format}: {written}");
    }
    for format in Format::all() {
        let written = text(&report, format, &in_ci());
        for word in ["PASS", "Pass", "\"pass\""] {
            assert!(!written.contains(word), "{format}: {written}");
        }
    }
    let sarif: serde_json::Value =
        serde_json::from_str(&text(&report, form("sarif"), &Style::default())).unwrap();
    assert_eq!(sarif["runs"][0]["properties"]["outcome"], "no-line");
    // Neither passed nor failed.
    let junit = text(&report, form("junit"), &Style::default());
    assert!(junit.contains("tests=\"7\" failures=\"0\" errors=\"0\" skipped=\"6\""), "{junit}");
    assert_eq!(junit.matches("<skipped message=\"no --fail-on was given\"/>").count(), 6);
}

#[test]
fn the_verdict_is_the_first_and_the_last_thing_that_is_read() {
    let verdicts = [
        (without_a_line(), "NO VERDICT  6 findings, all of them high; no --fail-on was given"),
        (clean(), "PASS  no findings"),
    ];
    for (report, verdict) in verdicts {
        let table = text(&report, Format::TABLE, &Style::default());
        assert_eq!(table.lines().next(), Some(verdict));
        assert_eq!(table.lines().last(), Some(verdict));
    }
    let markdown = text(&without_a_line(), form("markdown"), &Style::default());
    let first = markdown.lines().next().unwrap();
    let last = markdown.lines().last().unwrap();
    assert!(first.starts_with("### :grey_question: No verdict: "), "{first}");
    assert!(last.starts_with(":grey_question: **No verdict**: 6 findings"), "{last}");
}

#[test]
fn a_subject_that_could_not_be_read_is_in_every_form_of_several() {
    let reports = vocabulary::Reports {
        schema: vocabulary::report::REPORTS_SCHEMA.to_owned(),
        reports: vec![clean()],
        failed: vec![vocabulary::NotChecked {
            what: "gone:1".to_owned(),
            reason: "it is not there".to_owned(),
        }],
    };
    let of = |format| {
        let mut out = Vec::new();
        report::render_reports(&reports, format, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for format in Format::all().filter(|format| format.has_several()) {
        let written = of(format);
        assert!(written.contains("gone:1") && written.contains("it is not there"), "{format}");
    }
    let sarif: serde_json::Value = serde_json::from_str(&of(form("sarif"))).unwrap();
    let runs = sarif["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[1]["invocations"][0]["executionSuccessful"], false);
    assert!(of(form("junit")).contains("name=\"gone:1\" tests=\"1\" failures=\"0\" errors=\"1\""));
}

#[test]
fn junit_of_a_report_without_any_check_is_an_error() {
    let report = Report { coverage: Vec::new(), ..clean() };
    let junit = text(&report, form("junit"), &Style::default());
    assert!(junit.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{junit}");
    assert!(junit.contains("message=\"nothing was checked\""), "{junit}");
}

#[test]
fn formats_are_named_as_on_the_command_line() {
    for format in Format::all() {
        assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
    }
    let error = "xml".parse::<Format>().unwrap_err().to_string();
    let names: Vec<&str> = Format::all().map(Format::name).collect();
    assert!(error.ends_with(&format!("use {} or template:FILE", names.join(", "))), "{error}");
}

#[test]
fn a_form_says_rightly_what_it_can_tell_of() {
    let reports = vocabulary::Reports {
        schema: vocabulary::report::REPORTS_SCHEMA.to_owned(),
        reports: vec![report(), clean()],
        failed: Vec::new(),
    };
    let difference = vocabulary::diff::DiffReport {
        schema: vocabulary::diff::DIFF_SCHEMA.to_owned(),
        tool: report().tool,
        before: side(&clean()),
        after: side(&report()),
        packages: Vec::new(),
        rules: vocabulary::Rules::default(),
        findings: Vec::new(),
        outcome: vocabulary::Outcome::Pass,
        reasons: Vec::new(),
        line: None,
        over_the_line: Vec::new(),
        suppressed: Vec::new(),
        gaps: Vec::new(),
    };
    let style = Style::default();
    for format in Format::all() {
        let several = report::render_reports(&reports, format, &style, &mut Vec::new());
        assert_eq!(several.is_ok(), format.has_several(), "{format}");
        let two = report::render_diff(&difference, format, &style, &mut Vec::new());
        assert_eq!(two.is_ok(), format.has_differences(), "{format}");
    }
}

fn side(report: &Report) -> vocabulary::diff::Side {
    vocabulary::diff::Side {
        subject: report.subject.clone(),
        distribution: report.distribution.clone(),
        packages: 0,
        findings: 0,
        databases: Vec::new(),
        incomplete: Vec::new(),
    }
}
