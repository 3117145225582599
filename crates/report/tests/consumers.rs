//! What each reader of our forms documents that it asks for, held against reports of every kind: of
//! many findings, of several subjects, of folders and images, and of nothing at all.
//!
//! Each rule is an assertion of its own, under the page that says it. Schemas are another matter
//! (`schemas.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

mod fixture;
#[path = "fixture/reading.rs"]
mod reading;

use fixture::{clean, form, many, project, report};
use reading::{TIME, bill, items, json, reports, style, text};
use report::{render, render_reports};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::report::REPORTS_SCHEMA;
use vocabulary::{NotChecked, Outcome, Report, Reports, Severity};

/// The program's own page.
const PAGE: &str = env!("CARGO_PKG_HOMEPAGE");

fn several(reports: Vec<Report>, failed: &[&str]) -> Reports {
    let failed = failed
        .iter()
        .map(|what| NotChecked { what: (*what).to_owned(), reason: "it is not there".to_owned() });
    Reports { schema: REPORTS_SCHEMA.to_owned(), reports, failed: failed.collect() }
}

fn sarif_of(reports: &Reports) -> Value {
    let mut out = Vec::new();
    render_reports(reports, form("sarif"), &style(), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// GitHub, "SARIF support for code scanning".
fn takes_as_github_does(log: &Value) {
    assert_eq!(text(log, "/version"), "2.1.0");
    let runs = items(log, "/runs");
    assert!((1..=20).contains(&runs.len()), "{} runs", runs.len());
    let mut categories = BTreeSet::new();
    for run in runs {
        // "runAutomationDetails": the category is what stands before the last `/`, and a file with two
        // runs of one tool and category is refused.
        let id = text(run, "/automationDetails/id");
        assert!(id.ends_with('/') && categories.insert(id.to_owned()), "{id}");
        takes_tool(run);
        let results = items(run, "/results");
        assert!(results.len() <= 25_000);
        for result in results {
            takes_result(run, result);
        }
        let counts = &run["properties"]["results"];
        assert_eq!(counts["written"], results.len());
        assert_eq!(counts["shownByGithub"], results.len().min(5_000));
    }
}

fn takes_tool(run: &Value) {
    let driver = &run["tool"]["driver"];
    assert!(!text(driver, "/name").is_empty());
    assert!(text(driver, "/semanticVersion").split('.').count() == 3);
    assert_eq!(text(driver, "/informationUri"), PAGE);
    let rules = items(driver, "/rules");
    assert!(rules.len() <= 25_000);
    for rule in rules {
        let length = |at: &str| text(rule, at).chars().count();
        assert!((1..=255).contains(&length("/name")));
        for at in ["/shortDescription/text", "/fullDescription/text"] {
            assert!((1..=1_024).contains(&length(at)), "{at}: {rule}");
        }
        // Shown beside the alert; Markdown in place of the text, where it is there.
        assert!(length("/help/text") > 0 && length("/help/markdown") > 0);
        assert!(
            ["none", "note", "warning", "error"]
                .contains(&text(rule, "/defaultConfiguration/level"))
        );
        assert!(items(rule, "/properties/tags").len() <= 10);
        assert!(items(rule, "/properties/tags").contains(&"security".into()));
        // Above 9.0 critical, from 7.0 high, from 4.0 medium, from 0.1 low; zero is none.
        if let Some(score) = rule["properties"].get("security-severity") {
            let score: f64 = score.as_str().unwrap().parse().unwrap();
            assert!((0.1..=10.0).contains(&score), "{score}");
        }
    }
}

fn takes_result(run: &Value, result: &Value) {
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    let rule = &run["tool"]["driver"]["rules"][index];
    assert_eq!(rule["id"], result["ruleId"]);
    assert!(!text(result, "/message/text").is_empty());
    // "Only the first value of this array is used", and a result without a place is not shown.
    assert_eq!(items(result, "/locations").len(), 1);
    let place = &result["locations"][0]["physicalLocation"];
    let uri = text(place, "/artifactLocation/uri");
    // Relative to the root of the repository; no other one, and no way out of it.
    assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains(':'), "{uri}");
    assert!(uri.split('/').all(|part| part != ".."), "{uri}");
    assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    if let Some(base) = place["artifactLocation"].get("uriBaseId") {
        assert!(run["originalUriBaseIds"].get(base.as_str().unwrap()).is_some());
    }
    // "Data for preventing duplicated alerts".
    assert!(!text(result, "/partialFingerprints/primaryLocationLineHash").is_empty());
}

#[test]
fn github_takes_every_sarif_log() {
    for report in reports() {
        takes_as_github_does(&json(&report, form("sarif")));
    }
    takes_as_github_does(&sarif_of(&several(reports(), &["gone:1", "gone:1", "docker:gone"])));
    takes_as_github_does(&sarif_of(&several(Vec::new(), &["gone:1"])));
}

#[test]
fn no_alerts_of_a_log_fall_together() {
    let log = json(&report(), form("sarif"));
    let run = &log["runs"][0];
    let prints: BTreeSet<_> = items(run, "/results")
        .iter()
        .map(|result| text(result, "/partialFingerprints/primaryLocationLineHash").to_owned())
        .collect();
    assert_eq!(prints.len(), report().findings.len());
}

#[test]
fn what_is_left_out_of_a_sarif_log_is_the_mildest_and_counted() {
    let mut large = many(2_600, 10);
    let severities = [Severity::Low, Severity::Unknown, Severity::Critical, Severity::Medium];
    for (index, finding) in large.findings.iter_mut().enumerate() {
        finding.severity = severities[index % severities.len()];
    }
    let log = json(&large, form("sarif"));
    takes_as_github_does(&log);
    let run = &log["runs"][0];
    let order = ["critical", "high", "medium", "unknown", "low", "negligible"];
    let places: Vec<_> = items(run, "/results")
        .iter()
        .map(|result| {
            let severity = text(result, "/properties/severity");
            order.iter().position(|one| *one == severity).unwrap()
        })
        .collect();
    assert!(places.is_sorted(), "worst first, so that the 5,000 that are shown are the worst");
    assert_eq!(places.len(), 25_000);
    assert_eq!(run["properties"]["results"]["leftOut"], 1_000);
    let said = text(run, "/invocations/0/toolExecutionNotifications/0/message/text");
    assert!(said.starts_with("1000 results left out, of 26000"), "{said}");
    let lines = report::left_out(std::slice::from_ref(&large), &[], form("sarif"));
    assert!(lines[0].contains("1000 results left out"), "{lines:?}");
    assert!(report::left_out(&[report()], &[], form("sarif")).is_empty());
}

#[test]
fn twenty_runs_are_the_most_urgent_and_the_others_are_named() {
    let subject = |number: usize, outcome| {
        let mut report = clean();
        report.subject.name = format!("app-{number:02}");
        report.decision.outcome = outcome;
        report
    };
    let mut all: Vec<Report> = (0..24).map(|number| subject(number, Outcome::Pass)).collect();
    all.push(subject(24, Outcome::Findings));
    let reports = several(all, &["gone"]);
    let log = sarif_of(&reports);
    takes_as_github_does(&log);
    let names: Vec<&str> =
        items(&log, "/runs").iter().map(|run| text(run, "/properties/subject")).collect();
    assert_eq!(names.len(), 20);
    assert!(names.contains(&"app-24") && names.contains(&"gone"));
    let first = &log["runs"][0];
    assert_eq!(items(first, "/properties/subjectsLeftOut").len(), 6);
    assert_eq!(first["invocations"][0]["executionSuccessful"], false);
    let said = text(first, "/invocations/0/toolExecutionNotifications/0/message/text");
    assert!(said.starts_with("6 subjects left out") && said.contains("app-23"), "{said}");
    let lines = report::left_out(&reports.reports, &reports.failed, form("sarif"));
    assert!(lines[0].starts_with("6 subjects left out"), "{lines:?}");
}

#[test]
fn the_category_of_an_image_outlives_its_tag() {
    let named = |name: &str| {
        let mut report = report();
        report.subject.name = name.to_owned();
        report
    };
    let category =
        |log: &Value, run: usize| text(&log["runs"][run], "/automationDetails/id").to_owned();
    let alone = json(&named("registry:host:5000/team/app:1"), form("sarif"));
    let later = json(&named("registry:host:5000/team/app:2"), form("sarif"));
    assert_eq!(category(&alone, 0), "lazaret/host:5000/team/app/");
    assert_eq!(category(&alone, 0), category(&later, 0));
    let both = sarif_of(&several(vec![named("app:1"), named("app:2"), named("app:2")], &[]));
    assert_eq!(category(&both, 0), "lazaret/app:1/");
    assert_eq!(category(&both, 1), "lazaret/app:2/");
    assert_eq!(category(&both, 2), "lazaret/app:2-2/");
}

#[test]
fn files_of_a_folder_are_named_from_the_root_of_its_checkout() {
    let log = json(&project(), form("sarif"));
    let run = &log["runs"][0];
    assert_eq!(text(run, "/automationDetails/id"), "lazaret/sub/shop/");
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(text(place, "/artifactLocation/uri"), "sub/shop/package-lock.json");
    assert_eq!(text(place, "/artifactLocation/uriBaseId"), "%SRCROOT%");
    assert_eq!(place["region"]["startLine"], 20);
    let gitlab = json(&project(), form("gitlab"));
    assert_eq!(text(&gitlab, "/vulnerabilities/0/location/file"), "sub/shop/package-lock.json");
    assert_eq!(gitlab["vulnerabilities"][0]["location"]["start_line"], 20);
    let github = bill(&project(), form("github"));
    let file = &github["manifests"]["sub/shop/package-lock.json"];
    assert_eq!(text(file, "/file/source_location"), "sub/shop/package-lock.json");
}

/// GitLab, "Security scanner integration".
#[test]
fn gitlab_takes_a_report_of_the_subjects_kind_with_the_verdicts_status() {
    for report in reports() {
        let document = json(&report, form("gitlab"));
        let is_folder = report.subject.kind == vocabulary::SubjectKind::SourceDirectory;
        let kind = if is_folder { "dependency_scanning" } else { "container_scanning" };
        assert_eq!(text(&document, "/scan/type"), kind);
        let ids: BTreeSet<_> =
            items(&document, "/vulnerabilities").iter().map(|one| text(one, "/id")).collect();
        assert_eq!(ids.len(), items(&document, "/vulnerabilities").len(), "each id is one");
        for one in items(&document, "/vulnerabilities") {
            assert!(items(one, "/identifiers").len() <= 20);
            assert!(text(one, "/name").chars().count() <= 255);
            // What the location is told apart by.
            assert!(!text(one, "/location/dependency/package/name").is_empty());
            let other = if is_folder { "/location/file" } else { "/location/operating_system" };
            assert!(!text(one, other).is_empty());
        }
        // "Either \"success\" or \"failure\"": that something was found is no failure.
        for outcome in [Outcome::Pass, Outcome::Findings, Outcome::NoLine, Outcome::Incomplete] {
            let mut report = report.clone();
            report.decision.outcome = outcome;
            let expected = if outcome == Outcome::Incomplete { "failure" } else { "success" };
            assert_eq!(text(&json(&report, form("gitlab")), "/scan/status"), expected);
        }
    }
}

#[test]
fn gitlab_is_told_by_whom_a_package_is_brought() {
    let document = json(&project(), form("gitlab"));
    let files: BTreeMap<&str, &Value> = items(&document, "/dependency_files")
        .iter()
        .map(|file| (text(file, "/path"), file))
        .collect();
    let lock = files["sub/shop/package-lock.json"];
    assert_eq!(text(lock, "/package_manager"), "npm");
    let coin = &lock["dependencies"][1];
    assert_eq!(coin["direct"], false);
    assert_eq!(coin["dependency_path"], serde_json::json!([{ "iid": 1 }]));
    let foil = &lock["dependencies"][2];
    assert_eq!(foil["dependency_path"], serde_json::json!([{ "iid": 1 }, { "iid": 2 }]));
    assert_eq!(lock["dependencies"][0]["direct"], true);
    // Nothing is known of the other file, and nothing is said.
    let other = files["sub/shop/site/yarn.lock"];
    assert_eq!(text(other, "/package_manager"), "yarn");
    assert!(other["dependencies"][0].get("direct").is_none());
    assert_eq!(document["vulnerabilities"][0]["location"]["dependency"], *coin);
}

/// GitHub REST API, "Create a snapshot of dependencies for a repository".
#[test]
fn github_takes_a_snapshot_with_scope_and_relationship() {
    let document = bill(&project(), form("github"));
    assert_eq!(text(&document, "/detector/url"), PAGE);
    assert_eq!(text(&document, "/detector/version"), project().tool.version);
    assert_eq!(text(&document, "/scanned"), TIME);
    let file = &document["manifests"]["sub/shop/package-lock.json"]["resolved"];
    let of = |name: &str| &file[format!("pkg:npm/{name}@1.0.0")];
    assert_eq!(
        (text(of("bank"), "/relationship"), text(of("bank"), "/scope")),
        ("direct", "runtime")
    );
    assert_eq!(of("bank")["dependencies"], serde_json::json!(["pkg:npm/coin@1.0.0"]));
    assert_eq!(
        (text(of("foil"), "/relationship"), text(of("foil"), "/scope")),
        ("indirect", "runtime")
    );
    assert_eq!(text(of("judge"), "/scope"), "development");
    for one in file.as_object().unwrap().values() {
        for needed in items(one, "/dependencies") {
            assert!(file.get(needed.as_str().unwrap()).is_some(), "{needed}");
        }
    }
    let other = &document["manifests"]["sub/shop/site/yarn.lock"]["resolved"]["pkg:npm/bank@1.0.0"];
    assert!(other.get("relationship").is_none() && other.get("scope").is_none());
}

/// A file of an image is no file of the repository, to which `source_location` leads.
#[test]
fn a_snapshot_of_an_image_names_no_files_of_the_repository() {
    for (report, expected) in [(project(), true), (report(), false)] {
        assert!(report.packages.iter().any(|one| one.presence == vocabulary::Presence::Declared));
        let document = bill(&report, form("github"));
        let manifests = document["manifests"].as_object().unwrap();
        assert!(!manifests.is_empty());
        assert_eq!(manifests.values().any(|one| one.get("file").is_some()), expected);
    }
}

/// SARIF 2.1.0, 3.58.4 and its schema: what has `uniqueItems` has nothing twice.
#[test]
fn no_list_of_a_sarif_log_has_a_place_twice() {
    fn lists(value: &Value, found: &mut Vec<Vec<String>>) {
        let unique = ["locations", "logicalLocations", "rules", "tags", "suppressions"];
        for (key, one) in value.as_object().into_iter().flatten() {
            if let Some(list) = one.as_array().filter(|_| unique.contains(&key.as_str())) {
                found.push(list.iter().map(Value::to_string).collect());
            }
            lists(one, found);
        }
        value.as_array().into_iter().flatten().for_each(|one| lists(one, found));
    }
    for mut report in reports() {
        let again: Vec<_> = report.coverage.iter().flat_map(|one| one.problems.clone()).collect();
        for coverage in &mut report.coverage {
            let mut twice = again.clone();
            twice.iter_mut().for_each(|problem| problem.reason.push_str(", again"));
            coverage.problems.extend(again.iter().cloned().chain(twice));
            coverage.status = vocabulary::Status::Partial;
        }
        let mut found = Vec::new();
        lists(&json(&report, form("sarif")), &mut found);
        assert!(!found.is_empty());
        for list in found {
            let unique: BTreeSet<&String> = list.iter().collect();
            assert_eq!(unique.len(), list.len(), "{list:?}");
        }
    }
}

#[test]
fn an_action_has_the_type_that_github_knows_it_by() {
    let mut report = project();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    report.packages[4].purl = format!("pkg:github/team/tool@{commit}").parse().unwrap();
    report.packages[4].version = "4.1.1".to_owned();
    let document = bill(&report, form("github"));
    let resolved = &document["manifests"]["sub/shop/site/yarn.lock"]["resolved"];
    let address = format!("pkg:githubactions/team/tool@{commit}");
    assert_eq!(text(&resolved[&address], "/package_url"), address);
    // Bills have the type of the specification, and the version that is matched beside it.
    let document = bill(&report, form("cyclonedx"));
    let action = items(&document, "/components").last().unwrap();
    assert_eq!(text(action, "/purl"), format!("pkg:github/team/tool@{commit}"));
    assert_eq!(text(action, "/version"), "4.1.1");
}

/// What is mended after its last affected version is mended in every form.
#[test]
fn a_fix_without_a_version_is_said_in_every_form() {
    let mut report = project();
    for finding in &mut report.findings {
        finding.fix = Some(vocabulary::Fix::Upgrade(vocabulary::fix::Upgrade {
            title: "upgrade coin to a version after 1.0.0".to_owned(),
            safety: vocabulary::Safety::Review,
            version: None,
            after: Some("1.0.0".to_owned()),
            to: Some("a version after 1.0.0".to_owned()),
            subscription: None,
        }));
    }
    let log = json(&report, form("sarif"));
    let run = &log["runs"][0];
    assert_eq!(text(run, "/results/0/properties/lastAffected"), "1.0.0");
    assert!(run["results"][0]["properties"].get("fixedVersion").is_none());
    let help = &run["tool"]["driver"]["rules"][0]["help"];
    assert!(text(help, "/text").contains("Upgrade coin to a version after 1.0.0."), "{help}");
    assert!(text(help, "/markdown").contains("| after 1.0.0 |"), "{help}");
    let gitlab = json(&report, form("gitlab"));
    assert_eq!(
        text(&gitlab, "/vulnerabilities/0/solution"),
        "upgrade coin to a version after 1.0.0"
    );
    for format in [form("csv"), form("html"), form("markdown")] {
        let mut out = Vec::new();
        render(&report, format, &style(), &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(written.contains("after 1.0.0"), "{written}");
    }
}

#[test]
fn an_empty_table_or_page_is_not_taken_for_a_pass() {
    let empty = Report { packages: Vec::new(), findings: Vec::new(), ..report() };
    let reports = several(vec![empty], &["gone:1"]);
    for format in [form("csv"), form("html")] {
        let mut out = Vec::new();
        render_reports(&reports, format, &style(), &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(written.contains("gone:1") && written.contains("it is not there"), "{written}");
        assert!(written.contains("vulnerabilities:npm"), "{written}");
        assert!(written.contains("run `lazaret db update`"), "{written}");
    }
}
