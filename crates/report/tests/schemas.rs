//! Holds the documents against the official schemas, where validators are installed.
//!
//! CycloneDX: the PyPI package `cyclonedx-python-lib[json-validation]` ships the schema; the
//! interpreter that has it is `python3`, or what `LAZARET_TEST_PYTHON` names. SARIF, JUnit, GitHub: the
//! schemas that `fetch_schemas.py` put into the folder that `LAZARET_TEST_SCHEMAS` names, checked with
//! the PyPI packages `jsonschema` and `xmlschema`. GitLab publishes its schema in no package, so what
//! it asks for is written here; where `gitlab.json` lies in that folder, it is used too.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

#[expect(dead_code, reason = "this test needs the large report no more than the hostile text")]
mod fixture;

use fixture::tampered::{guarded, verified};
use fixture::{clean, form, project, report};
use report::{Format, Style, render, render_packages};
use std::io::Write as _;
use std::process::Command;
use testkit::{Part, skip, skip_without};

const GITLAB: [&str; 2] = ["gitlab.json", "gitlab-dependencies.json"];

const CYCLONEDX: &str = "
import sys
try:
    from cyclonedx.validation.json import JsonStrictValidator
    from cyclonedx.schema import SchemaVersion
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    validator.validate_str('{}')
except Exception as error:
    sys.exit(print('missing', error))
print('valid' if (e := validator.validate_str(open(sys.argv[1]).read())) is None else e)
";

const JSON: &str = "
import sys, json
try:
    import jsonschema
except Exception as error:
    sys.exit(print('missing', error))
schema = json.load(open(sys.argv[2]))
validator = jsonschema.validators.validator_for(schema, jsonschema.Draft7Validator)
validator.check_schema(schema)
errors = list(validator(schema).iter_errors(json.load(open(sys.argv[1]))))
print('valid' if not errors else [(list(e.absolute_path), e.message) for e in errors][:5])
";

const XML: &str = "
import sys
try:
    import xmlschema
except Exception as error:
    sys.exit(print('missing', error))
errors = list(xmlschema.XMLSchema(sys.argv[2]).iter_errors(sys.argv[1]))
print('valid' if not errors else [(e.path, e.reason) for e in errors][:5])
";

/// The validator of the SPDX project.
const SPDX: &str = "
import sys
try:
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
except ImportError:
    print('missing')
    sys.exit()
import os
name = sys.argv[1] + '.spdx.json'
os.rename(sys.argv[1], name)
try:
    errors = validate_full_spdx_document(parse_file(name))
finally:
    os.rename(name, sys.argv[1])
print('valid' if not errors else [error.validation_message for error in errors][:5])
";

/// What the validator says; none where it is not installed.
fn verdict(script: &str, document: &[u8], schema: &str) -> Option<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(document).unwrap();
    let python = std::env::var("LAZARET_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output =
        Command::new(python).args(["-c", script]).arg(file.path()).arg(schema).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    (!text.starts_with("missing")).then(|| text.trim().to_owned())
}

#[test]
fn cyclonedx_keeps_to_its_schema() {
    for report in reports() {
        for timestamp in [None, Some("2099-01-02T03:04:05Z".to_owned())] {
            let style = Style { timestamp, ..Style::default() };
            let mut documents = [Vec::new(), Vec::new()];
            render(&report, form("cyclonedx"), &style, &mut documents[0]).unwrap();
            render_packages(&report, form("cyclonedx"), &style, &mut documents[1]).unwrap();
            for document in documents {
                let Some(verdict) = verdict(CYCLONEDX, &document, "") else {
                    return skip("cyclonedx-python-lib[json-validation] is not installed");
                };
                assert_eq!(verdict, "valid");
            }
        }
    }
}

#[test]
fn spdx_keeps_to_its_specification() {
    for report in reports() {
        let timestamp = Some("2099-01-02T03:04:05Z".to_owned());
        let supplier = Some("Person: Jane Doe".to_owned());
        let style = Style { timestamp, supplier, ..Style::default() };
        let mut document = Vec::new();
        render_packages(&report, form("spdx"), &style, &mut document).unwrap();
        let Some(verdict) = verdict(SPDX, &document, "") else {
            return skip("the Python package `spdx-tools` is not installed");
        };
        assert_eq!(verdict, "valid");
    }
}

/// Holds documents against a schema of the folder of schemas, where it is there.
fn hold(documents: &[Vec<u8>], script: &str, schema: &str) {
    let folder = std::env::var("LAZARET_TEST_SCHEMAS").unwrap_or_default();
    let schema = std::path::Path::new(&folder).join(schema);
    if folder.is_empty() || !schema.is_file() {
        let why = format!("`LAZARET_TEST_SCHEMAS` names no folder with `{}`", schema.display());
        // The one schema that `fetch_schemas.py` finds nowhere.
        let gitlab = GITLAB.iter().any(|one| schema.ends_with(one));
        return if gitlab { skip_without(Part::GitlabSchema, &why) } else { skip(&why) };
    }
    for document in documents {
        let Some(verdict) = verdict(script, document, &schema.to_string_lossy()) else {
            return skip("the Python package `jsonschema` or `xmlschema` is not installed");
        };
        assert_eq!(verdict, "valid");
    }
    let other = if script == XML { "<other/>" } else { "{\"other\": 1}" };
    let refused = verdict(script, other.as_bytes(), &schema.to_string_lossy());
    assert_ne!(refused.as_deref(), Some("valid"), "anything would be");
}

/// Every report of the fixtures, and one in which each problem is told twice and each finding is
/// silenced.
fn reports() -> Vec<vocabulary::Report> {
    let mut twice = report();
    for coverage in &mut twice.coverage {
        let again = coverage.problems.clone();
        coverage.problems.extend(again);
    }
    let silenced = twice.decision.suppressed[0].clone();
    let of = |finding: &vocabulary::Finding| vocabulary::Suppressed {
        fingerprint: finding.fingerprint.clone(),
        vex: Some(vocabulary::Stated::NotAffected),
        justification: Some("component_not_present".to_owned()),
        ..silenced.clone()
    };
    twice.decision.suppressed = twice.findings.iter().map(of).collect();
    vec![report(), clean(), project(), verified(), guarded(), twice]
}

/// Every report in a form.
fn documents(format: Format) -> Vec<Vec<u8>> {
    let build = report::Build {
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        reference: "refs/heads/main".to_owned(),
        run: "17".to_owned(),
        correlator: "ci image".to_owned(),
    };
    let time = Some("2099-01-02T03:04:05Z".to_owned());
    let style =
        Style { timestamp: time.clone(), moment: time, build: Some(build), ..Style::default() };
    reports()
        .iter()
        .map(|report| {
            let mut document = Vec::new();
            render(report, format, &style, &mut document).unwrap();
            document
        })
        .collect()
}

#[test]
fn sarif_keeps_to_its_schema() {
    let mut documents = documents(form("sarif"));
    let failed = vocabulary::NotChecked { what: "gone:1".to_owned(), reason: "gone".to_owned() };
    let reports = vocabulary::Reports {
        schema: vocabulary::report::REPORTS_SCHEMA.to_owned(),
        reports: reports(),
        failed: vec![failed],
    };
    let mut several = Vec::new();
    report::render_reports(&reports, form("sarif"), &Style::default(), &mut several).unwrap();
    documents.push(several);
    hold(&documents, JSON, "sarif.json");
}

#[test]
fn junit_keeps_to_the_schema_of_ci_services() {
    hold(&documents(form("junit")), XML, "junit.xsd");
}

#[test]
fn a_dependency_snapshot_keeps_to_the_schema_of_the_api() {
    hold(&documents(form("github")), JSON, "github.json");
}

#[test]
fn gitlabs_report_keeps_to_its_schema() {
    let documents = documents(form("gitlab"));
    let parsed =
        |document: &Vec<u8>| -> serde_json::Value { serde_json::from_slice(document).unwrap() };
    let kinds = ["container_scanning", "dependency_scanning"];
    for (kind, schema) in kinds.into_iter().zip(GITLAB) {
        let own = documents.iter().filter(|document| parsed(document)["scan"]["type"] == kind);
        let own: Vec<Vec<u8>> = own.cloned().collect();
        assert!(!own.is_empty(), "{kind}");
        hold(&own, JSON, schema);
    }
    for document in documents {
        gitlab(&parsed(&document));
    }
}

/// What GitLab's schemas ask for, 15: security-report-schemas, container-scanning-report-format and
/// dependency-scanning-report-format.
fn gitlab(report: &serde_json::Value) {
    let text = |value: &serde_json::Value, at: &str, longest: usize| {
        let text = value.pointer(at).and_then(serde_json::Value::as_str);
        let text = text.unwrap_or_else(|| panic!("no text at {at}: {value}"));
        let length = text.chars().count();
        assert!((1..=longest).contains(&length), "{at} has {length} characters: {text}");
        text.to_owned()
    };
    let numbers = text(report, "/version", 20);
    assert!(
        numbers.split('.').count() == 3 && numbers.split('.').all(|one| one.parse::<u32>().is_ok())
    );
    assert!(is_address(&text(report, "/schema", 1000)));
    for tool in ["/scan/analyzer", "/scan/scanner"] {
        for field in ["id", "name", "version", "vendor/name"] {
            text(report, &format!("{tool}/{field}"), 255);
        }
    }
    for time in ["/scan/start_time", "/scan/end_time"] {
        let time = text(report, time, 19);
        let shape: String =
            time.chars().map(|one| if one.is_ascii_digit() { '9' } else { one }).collect();
        assert_eq!(shape, "9999-99-99T99:99:99", "without a zone");
    }
    assert!(["success", "failure"].contains(&text(report, "/scan/status", 20).as_str()));
    let kind = text(report, "/scan/type", 40);
    assert!(text(report, "/schema", 1000).contains(&kind.replace('_', "-")));
    for one in report["vulnerabilities"].as_array().unwrap() {
        text(one, "/id", 255);
        text(one, "/name", 255);
        text(one, "/description", 1 << 20);
        let severities = ["Info", "Unknown", "Low", "Medium", "High", "Critical"];
        assert!(severities.contains(&text(one, "/severity", 20).as_str()), "{one}");
        if one.get("solution").is_some() {
            text(one, "/solution", 7000);
        }
        let identifiers = one["identifiers"].as_array().unwrap();
        assert!(!identifiers.is_empty());
        for identifier in identifiers {
            for field in ["/type", "/name", "/value"] {
                text(identifier, field, 255);
            }
            let url = identifier.get("url").map(|url| url.as_str().unwrap());
            assert!(url.is_none_or(is_address), "{identifier}");
        }
        for link in one.get("links").and_then(|links| links.as_array()).into_iter().flatten() {
            assert!(is_address(&text(link, "/url", 4000)));
        }
        text(one, "/location/dependency/package/name", 4000);
        assert!(one.pointer("/location/dependency/version").is_some_and(|one| one.is_string()));
        if kind == "container_scanning" {
            text(one, "/location/operating_system", 255);
            text(one, "/location/image", 4000);
        } else {
            text(one, "/location/file", 4000);
        }
        assert!(one["identifiers"].as_array().unwrap().len() <= 20);
    }
    // Required of dependencies up to 15.0, and of no others.
    assert_eq!(report.get("dependency_files").is_some(), kind == "dependency_scanning");
    for file in report["dependency_files"].as_array().into_iter().flatten() {
        text(file, "/path", 4000);
        text(file, "/package_manager", 255);
        let dependencies = file["dependencies"].as_array().unwrap();
        let numbers: Vec<_> = dependencies.iter().map(|one| one["iid"].as_u64().unwrap()).collect();
        for one in dependencies {
            text(one, "/package/name", 4000);
            assert!(one["version"].is_string());
            for step in
                one.get("dependency_path").and_then(|path| path.as_array()).into_iter().flatten()
            {
                assert!(numbers.contains(&step["iid"].as_u64().unwrap()), "{one}");
            }
        }
    }
}

fn is_address(text: &str) -> bool {
    text.strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .is_some_and(|rest| !rest.is_empty())
}
