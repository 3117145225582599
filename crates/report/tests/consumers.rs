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

use fixture::tampered::{guarded, verified};
use fixture::{HOSTILE, clean, many, project, report};
use report::{Build, Format, Style, render, render_packages, render_reports};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::report::REPORTS_SCHEMA;
use vocabulary::{NotChecked, Outcome, Report, Reports, Severity};

const TIME: &str = "2099-01-02T03:04:05Z";
/// The program's own page.
const PAGE: &str = env!("CARGO_PKG_HOMEPAGE");

fn style() -> Style {
    Style {
        moment: Some(TIME.to_owned()),
        build: Some(Build {
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            reference: "refs/heads/main".to_owned(),
            run: "17".to_owned(),
            correlator: "ci image".to_owned(),
        }),
        ..Style::default()
    }
}

fn json(report: &Report, format: Format) -> Value {
    let mut out = Vec::new();
    render(report, format, &style(), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn bill(report: &Report, format: Format) -> Value {
    let mut out = Vec::new();
    render_packages(report, format, &style(), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn several(reports: Vec<Report>, failed: &[&str]) -> Reports {
    let failed = failed
        .iter()
        .map(|what| NotChecked { what: (*what).to_owned(), reason: "it is not there".to_owned() });
    Reports { schema: REPORTS_SCHEMA.to_owned(), reports, failed: failed.collect() }
}

fn sarif_of(reports: &Reports) -> Value {
    let mut out = Vec::new();
    render_reports(reports, Format::Sarif, &style(), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// One of each: with everything, hostile, empty, of a folder, of tampering.
fn reports() -> Vec<Report> {
    let mut hostile = report();
    hostile.subject.name = HOSTILE.to_owned();
    for finding in &mut hostile.findings {
        finding.title = format!("{HOSTILE}{}", "long ".repeat(2_000));
    }
    let empty = Report { packages: Vec::new(), findings: Vec::new(), ..report() };
    vec![report(), hostile, empty, clean(), project(), verified(), guarded()]
}

fn items<'value>(value: &'value Value, at: &str) -> &'value [Value] {
    value.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'value>(value: &'value Value, at: &str) -> &'value str {
    let text = value.pointer(at).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no text at {at}: {value}"))
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
        takes_as_github_does(&json(&report, Format::Sarif));
    }
    takes_as_github_does(&sarif_of(&several(reports(), &["gone:1", "gone:1", "docker:gone"])));
    takes_as_github_does(&sarif_of(&several(Vec::new(), &["gone:1"])));
}

#[test]
fn no_alerts_of_a_log_fall_together() {
    let log = json(&report(), Format::Sarif);
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
    let log = json(&large, Format::Sarif);
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
    let lines = report::left_out(std::slice::from_ref(&large), &[], Format::Sarif);
    assert!(lines[0].contains("1000 results left out"), "{lines:?}");
    assert!(report::left_out(&[report()], &[], Format::Sarif).is_empty());
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
    let lines = report::left_out(&reports.reports, &reports.failed, Format::Sarif);
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
    let alone = json(&named("registry:host:5000/team/app:1"), Format::Sarif);
    let later = json(&named("registry:host:5000/team/app:2"), Format::Sarif);
    assert_eq!(category(&alone, 0), "lazaret/host:5000/team/app/");
    assert_eq!(category(&alone, 0), category(&later, 0));
    let both = sarif_of(&several(vec![named("app:1"), named("app:2"), named("app:2")], &[]));
    assert_eq!(category(&both, 0), "lazaret/app:1/");
    assert_eq!(category(&both, 1), "lazaret/app:2/");
    assert_eq!(category(&both, 2), "lazaret/app:2-2/");
}

#[test]
fn files_of_a_folder_are_named_from_the_root_of_its_checkout() {
    let log = json(&project(), Format::Sarif);
    let run = &log["runs"][0];
    assert_eq!(text(run, "/automationDetails/id"), "lazaret/sub/shop/");
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(text(place, "/artifactLocation/uri"), "sub/shop/package-lock.json");
    assert_eq!(text(place, "/artifactLocation/uriBaseId"), "%SRCROOT%");
    assert_eq!(place["region"]["startLine"], 20);
    let gitlab = json(&project(), Format::Gitlab);
    assert_eq!(text(&gitlab, "/vulnerabilities/0/location/file"), "sub/shop/package-lock.json");
    assert_eq!(gitlab["vulnerabilities"][0]["location"]["start_line"], 20);
    let github = bill(&project(), Format::Github);
    let file = &github["manifests"]["sub/shop/package-lock.json"];
    assert_eq!(text(file, "/file/source_location"), "sub/shop/package-lock.json");
}

/// GitLab, "Security scanner integration".
#[test]
fn gitlab_takes_a_report_of_the_subjects_kind_with_the_verdicts_status() {
    for report in reports() {
        let document = json(&report, Format::Gitlab);
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
            assert_eq!(text(&json(&report, Format::Gitlab), "/scan/status"), expected);
        }
    }
}

#[test]
fn gitlab_is_told_by_whom_a_package_is_brought() {
    let document = json(&project(), Format::Gitlab);
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
    let document = bill(&project(), Format::Github);
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
        let document = bill(&report, Format::Github);
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
        lists(&json(&report, Format::Sarif), &mut found);
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
    let document = bill(&report, Format::Github);
    let resolved = &document["manifests"]["sub/shop/site/yarn.lock"]["resolved"];
    let address = format!("pkg:githubactions/team/tool@{commit}");
    assert_eq!(text(&resolved[&address], "/package_url"), address);
    // Bills have the type of the specification, and the version that is matched beside it.
    let document = bill(&report, Format::CycloneDx);
    let action = items(&document, "/components").last().unwrap();
    assert_eq!(text(action, "/purl"), format!("pkg:github/team/tool@{commit}"));
    assert_eq!(text(action, "/version"), "4.1.1");
}

/// NTIA, "The Minimum Elements For a Software Bill of Materials", in CycloneDX 1.6.
#[test]
fn cyclonedx_has_what_ntia_asks_for() {
    for report in reports() {
        for document in [bill(&report, Format::CycloneDx), json(&report, Format::CycloneDx)] {
            assert_eq!(text(&document, "/metadata/timestamp"), TIME);
            assert!(!text(&document, "/metadata/authors/0/name").is_empty());
            assert!(!text(&document, "/metadata/tools/components/0/version").is_empty());
            assert!(!text(&document, "/metadata/component/name").is_empty());
            let root = text(&document, "/metadata/component/bom-ref");
            let components = items(&document, "/components");
            let mut references: BTreeSet<&str> =
                components.iter().map(|one| text(one, "/bom-ref")).collect();
            references.insert(root);
            assert_eq!(references.len(), components.len() + 1, "each reference is one");
            for one in components {
                assert!(!text(one, "/name").is_empty() && !text(one, "/version").is_empty());
                assert!(
                    one["type"] == "operating-system" || text(one, "/purl").starts_with("pkg:")
                );
                let supplier = one.pointer("/supplier/name");
                assert!(one["type"] != "operating-system" || supplier.is_some(), "{one}");
            }
            let mut nodes = BTreeSet::new();
            for node in items(&document, "/dependencies") {
                assert!(nodes.insert(text(node, "/ref")), "each node is one");
                for needed in items(node, "/dependsOn") {
                    assert!(references.contains(needed.as_str().unwrap()), "{needed}");
                }
            }
            assert!(nodes.contains(root));
            // What is no node is said to be unknown, and only that.
            let unknown: BTreeSet<&str> = items(&document, "/compositions")
                .iter()
                .filter(|one| one["aggregate"] == "unknown")
                .flat_map(|one| items(one, "/dependencies"))
                .map(|one| one.as_str().unwrap())
                .collect();
            assert!(nodes.intersection(&unknown).all(|one| *one == root));
            assert_eq!(nodes.union(&unknown).copied().collect::<BTreeSet<_>>(), references);
        }
    }
}

#[test]
fn cyclonedx_says_who_needs_whom_and_for_what() {
    let document = bill(&project(), Format::CycloneDx);
    assert_eq!(text(&document, "/metadata/component/name"), "shop");
    assert_eq!(text(&document, "/metadata/component/version"), "2.1.0");
    let scopes: Vec<_> =
        items(&document, "/components").iter().map(|one| one.get("scope").cloned()).collect();
    let scope = |name: &str| Some(Value::from(name));
    assert_eq!(
        scopes,
        [scope("required"), scope("required"), scope("optional"), scope("excluded"), None]
    );
    let other = "pkg:npm/bank@1.0.0|site/yarn.lock:7";
    let bank = "pkg:npm/bank@1.0.0";
    let expected = serde_json::json!([
        { "ref": "subject", "dependsOn": [bank, "pkg:npm/judge@1.0.0", other] },
        { "ref": bank, "dependsOn": ["pkg:npm/coin@1.0.0"] },
        { "ref": "pkg:npm/coin@1.0.0", "dependsOn": ["pkg:npm/foil@1.0.0"] },
        { "ref": "pkg:npm/foil@1.0.0", "dependsOn": [] },
        { "ref": "pkg:npm/judge@1.0.0", "dependsOn": ["pkg:npm/coin@1.0.0"] },
    ]);
    assert_eq!(document["dependencies"], expected);
    let compositions = serde_json::json!([
        { "aggregate": "unknown", "dependencies": ["subject", other] },
    ]);
    assert_eq!(document["compositions"], compositions);
}

/// NTIA's minimum in SPDX 2.3.
#[test]
fn spdx_has_what_ntia_asks_for() {
    for report in reports() {
        let document = bill(&report, Format::Spdx);
        assert_eq!(text(&document, "/creationInfo/created"), TIME);
        assert!(text(&document, "/creationInfo/creators/0").starts_with("Tool: lazaret-"));
        let packages = items(&document, "/packages");
        let ids: BTreeSet<&str> = packages.iter().map(|one| text(one, "/SPDXID")).collect();
        assert_eq!(ids.len(), packages.len());
        for one in packages {
            assert!(!text(one, "/name").is_empty());
            let supplier = text(one, "/supplier");
            assert!(supplier == "NOASSERTION" || supplier.starts_with("Organization: "));
            let is_distribution = one["SPDXID"] == "SPDXRef-Distribution";
            assert!(!is_distribution || supplier != "NOASSERTION", "{one}");
            let is_package = text(one, "/SPDXID").starts_with("SPDXRef-Package-");
            let purl = one.pointer("/externalRefs/0/referenceLocator");
            assert_eq!(purl.is_some(), is_package);
            assert!(!is_package || !text(one, "/versionInfo").is_empty());
        }
        let mut related = BTreeSet::new();
        for one in items(&document, "/relationships") {
            let (from, to) = (text(one, "/spdxElementId"), text(one, "/relatedSpdxElement"));
            assert!(ids.contains(from) || from == "SPDXRef-DOCUMENT", "{one}");
            assert!(ids.contains(to) || ["NONE", "NOASSERTION"].contains(&to), "{one}");
            related.insert((from, text(one, "/relationshipType"), to));
        }
        assert!(related.contains(&("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Subject")));
        for id in ids.iter().filter(|id| id.starts_with("SPDXRef-Package-")) {
            assert!(related.contains(&("SPDXRef-Subject", "CONTAINS", *id)), "{id}");
            let says = related.iter().any(|(from, how, _)| from == id && *how == "DEPENDS_ON");
            assert!(says, "what {id} needs, or that nobody knows");
        }
    }
}

#[test]
fn spdx_says_who_needs_whom_and_for_what() {
    let document = bill(&project(), Format::Spdx);
    let related: BTreeSet<_> = items(&document, "/relationships")
        .iter()
        .map(|one| {
            let short = |at| text(one, at).trim_start_matches("SPDXRef-").to_owned();
            format!(
                "{} {} {}",
                short("/spdxElementId"),
                text(one, "/relationshipType"),
                short("/relatedSpdxElement")
            )
        })
        .filter(|one| !one.contains("CONTAINS"))
        .collect();
    let expected = [
        "DOCUMENT DESCRIBES Subject",
        "Package-0 DEPENDS_ON Package-1",
        "Package-1 DEPENDS_ON Package-2",
        "Package-2 DEPENDS_ON NONE",
        "Package-3 DEPENDS_ON Package-1",
        "Package-3 DEV_DEPENDENCY_OF Subject",
        "Package-4 DEPENDS_ON NOASSERTION",
        "Subject DEPENDS_ON Package-0",
    ];
    assert_eq!(related.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn whom_the_user_names_answers_for_the_bill() {
    for (author, name, creator) in [
        ("ACME", "ACME", "Organization: ACME"),
        ("Person: Jane Doe", "Jane Doe", "Person: Jane Doe"),
    ] {
        let style = Style { author: Some(author.to_owned()), ..style() };
        let written = |format| -> Value {
            let mut out = Vec::new();
            render_packages(&project(), format, &style, &mut out).unwrap();
            serde_json::from_slice(&out).unwrap()
        };
        assert_eq!(text(&written(Format::CycloneDx), "/metadata/authors/0/name"), name);
        let spdx = written(Format::Spdx);
        assert_eq!(text(&spdx, "/creationInfo/creators/1"), creator);
        assert!(text(&spdx, "/creationInfo/creators/0").starts_with("Tool: "));
    }
}

/// NTIA's supplier of the subject itself: who is named, or else who answers for the bill.
#[test]
fn the_subject_has_a_supplier_and_a_plain_name() {
    for (author, supplier, name, spdx) in [
        (None, None, None, "NOASSERTION"),
        (Some("ACME"), None, Some("ACME"), "Organization: ACME"),
        (Some("ACME"), Some("Person: Jane Doe"), Some("Jane Doe"), "Person: Jane Doe"),
    ] {
        let style = Style {
            author: author.map(str::to_owned),
            supplier: supplier.map(str::to_owned),
            ..style()
        };
        let written = |format| -> Value {
            let mut out = Vec::new();
            render_packages(&report(), format, &style, &mut out).unwrap();
            serde_json::from_slice(&out).unwrap()
        };
        let cyclonedx = written(Format::CycloneDx);
        let found = cyclonedx.pointer("/metadata/component/supplier/name");
        assert_eq!(found.and_then(Value::as_str), name);
        assert_eq!(text(&cyclonedx, "/metadata/component/name"), "registry.example/team/shop");
        let document = written(Format::Spdx);
        assert_eq!(text(&document, "/packages/0/SPDXID"), "SPDXRef-Subject");
        assert_eq!(text(&document, "/packages/0/supplier"), spdx);
        assert_eq!(text(&document, "/packages/0/name"), "registry.example/team/shop");
    }
}

/// OCI image specification 1.1: `org.opencontainers.image.ref.name` of a layout may be a tag alone.
#[test]
fn a_tag_is_not_taken_for_the_name_of_an_image() {
    let mut report = report();
    report.subject.name = "oci-dir:/x/shop".to_owned();
    report.subject.tags = vec!["latest".to_owned()];
    let document = bill(&report, Format::CycloneDx);
    assert_eq!(text(&document, "/metadata/component/name"), "shop");
    assert!(text(&document, "/metadata/component/purl").starts_with("pkg:oci/shop@sha256:"));
    let document = json(&report, Format::Gitlab);
    assert_eq!(text(&document, "/vulnerabilities/0/location/image"), "shop:latest");
    report.subject.tags = vec!["1.2".to_owned()];
    let document = json(&report, Format::Gitlab);
    assert_eq!(text(&document, "/vulnerabilities/0/location/image"), "shop:1.2");
}

/// CycloneDX 1.6, `vulnerabilities[].analysis`: of all that an entry affects.
#[test]
fn what_is_silenced_has_an_analysis_and_what_is_open_has_none() {
    let mut report = report();
    let silenced = |report: &Report, index: usize| {
        let of = |finding: &&vocabulary::Finding| finding.id.as_deref() == Some("CVE-2099-0103");
        let finding = report.findings.iter().filter(of).nth(index).unwrap();
        vocabulary::Suppressed {
            fingerprint: finding.fingerprint.clone(),
            vex: Some(vocabulary::Stated::NotAffected),
            justification: Some("vulnerable_code_not_in_execute_path".to_owned()),
            ..report.decision.suppressed[0].clone()
        }
    };
    // One of two places.
    let one = silenced(&report, 1);
    report.decision.suppressed.push(one);
    let document = json(&report, Format::CycloneDx);
    let of = |id: &str| -> Vec<&Value> {
        items(&document, "/vulnerabilities").iter().filter(|one| one["id"] == id).collect()
    };
    let both = of("CVE-2099-0103");
    assert_eq!(both.len(), 2);
    assert!(both[0].get("analysis").is_none());
    assert_eq!(text(both[1], "/analysis/state"), "not_affected");
    assert_eq!(text(both[1], "/analysis/justification"), "code_not_reachable");
    assert!(both.iter().all(|one| items(one, "/affects").len() == 1));
    assert_ne!(both[0]["bom-ref"], both[1]["bom-ref"]);
    let [ignored] = of("CVE-2099-0108")[..] else { panic!("one entry") };
    assert_eq!(text(ignored, "/analysis/state"), "exploitable");
    assert_eq!(ignored["analysis"]["response"], serde_json::json!(["will_not_fix"]));
    assert!(text(ignored, "/analysis/detail").contains("not reachable from outside"));
    assert_eq!(document["vulnerabilities"].to_string().matches("\"analysis\"").count(), 2);
}

/// CycloneDX 1.6, `vulnerabilities[].ratings`: score, severity and vector are those of one source.
#[test]
fn a_vector_stands_beside_the_severity_that_was_computed_from_it() {
    let mut report = report();
    let at = report.findings.iter().position(|one| one.id.as_deref() == Some("CVE-2099-0101"));
    let finding = &mut report.findings[at.unwrap()];
    // The distribution's word counts, and another record has a vector.
    finding.severity = Severity::Low;
    let own = finding.evidence[0].clone();
    if let vocabulary::Evidence::Advisory(own) = &mut finding.evidence[0] {
        (own.record, own.ecosystem) = ("WORD-1".to_owned(), "Words".to_owned());
        (own.cvss, own.score, own.url) = (None, None, None);
    }
    finding.evidence.push(own);
    let fingerprint = finding.fingerprint.clone();
    let ratings = |report: &Report| {
        let document = json(report, Format::CycloneDx);
        let one =
            items(&document, "/vulnerabilities").iter().find(|one| one["id"] == "CVE-2099-0101");
        items(one.unwrap(), "/ratings").to_vec()
    };
    let found = ratings(&report);
    assert_eq!(found[0], serde_json::json!({"source": {"name": "Words"}, "severity": "low"}));
    assert_eq!((text(&found[1], "/severity"), text(&found[1], "/method")), ("critical", "CVSSv31"));
    assert_eq!(found[1]["score"], 9.8);
    // What policy says is its own word.
    report.findings[at.unwrap()].severity = Severity::Medium;
    report.decision.overridden.push(vocabulary::Overridden {
        fingerprint,
        severity: Severity::Low,
        reason: "ours".to_owned(),
        by: "lazaret.yaml:3".to_owned(),
    });
    let found = ratings(&report);
    let policy = serde_json::json!({"source": {"name": "lazaret.yaml:3"}, "severity": "medium"});
    assert_eq!(found[0], policy);
    assert_eq!(text(&found[1], "/severity"), "low");
    for report in reports() {
        for one in items(&json(&report, Format::CycloneDx), "/vulnerabilities") {
            for rating in items(one, "/ratings").iter().filter(|one| one.get("vector").is_some()) {
                let score = rating["score"].as_f64().unwrap();
                let level = Severity::from_score(score).name();
                let level = if level == "negligible" { "info" } else { level };
                assert_eq!(text(rating, "/severity"), level);
            }
        }
    }
}

/// What is mended after its last affected version is mended in every form.
#[test]
fn a_fix_without_a_version_is_said_in_every_form() {
    let mut report = project();
    for finding in &mut report.findings {
        finding.fix = Some(vocabulary::Fix {
            title: "upgrade coin to a version after 1.0.0".to_owned(),
            safety: vocabulary::Safety::Review,
            version: None,
            after: Some("1.0.0".to_owned()),
            subscription: None,
        });
    }
    let log = json(&report, Format::Sarif);
    let run = &log["runs"][0];
    assert_eq!(text(run, "/results/0/properties/lastAffected"), "1.0.0");
    assert!(run["results"][0]["properties"].get("fixedVersion").is_none());
    let help = &run["tool"]["driver"]["rules"][0]["help"];
    assert!(text(help, "/text").contains("Upgrade coin to a version after 1.0.0."), "{help}");
    assert!(text(help, "/markdown").contains("| after 1.0.0 |"), "{help}");
    let gitlab = json(&report, Format::Gitlab);
    assert_eq!(
        text(&gitlab, "/vulnerabilities/0/solution"),
        "upgrade coin to a version after 1.0.0"
    );
    for format in [Format::Csv, Format::Html, Format::Markdown, Format::Junit] {
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
    for format in [Format::Csv, Format::Html] {
        let mut out = Vec::new();
        render_reports(&reports, format, &style(), &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(written.contains("gone:1") && written.contains("it is not there"), "{written}");
        assert!(written.contains("vulnerabilities:npm"), "{written}");
        assert!(written.contains("run `lazaret db update`"), "{written}");
    }
}
