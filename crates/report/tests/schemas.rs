//! Holds the documents against the official schemas, where validators are installed.
//!
//! CycloneDX: the PyPI package `cyclonedx-python-lib[json-validation]` ships the schema; the
//! interpreter that has it is `python3`, or what `LAZARET_TEST_PYTHON` names. SARIF: the schema file
//! that `LAZARET_TEST_SARIF_SCHEMA` names, checked with the PyPI package `jsonschema`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

#[expect(dead_code, reason = "this test needs the large report no more than the hostile text")]
mod fixture;

use fixture::tampered::{guarded, verified};
use fixture::{clean, report};
use report::{Format, Style, render, render_packages};
use std::io::Write as _;
use std::process::Command;

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

const SARIF: &str = "
import sys, json
try:
    import jsonschema
except Exception as error:
    sys.exit(print('missing', error))
schema = json.load(open(sys.argv[2]))
errors = list(jsonschema.Draft7Validator(schema).iter_errors(json.load(open(sys.argv[1]))))
print('valid' if not errors else [(list(e.absolute_path), e.message) for e in errors][:5])
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
    for report in [report(), clean(), verified(), guarded()] {
        for timestamp in [None, Some("2099-01-02T03:04:05Z".to_owned())] {
            let style = Style { timestamp, ..Style::default() };
            let mut documents = [Vec::new(), Vec::new()];
            render(&report, Format::CycloneDx, &style, &mut documents[0]).unwrap();
            render_packages(&report, Format::CycloneDx, &style, &mut documents[1]).unwrap();
            for document in documents {
                let Some(verdict) = verdict(CYCLONEDX, &document, "") else {
                    eprintln!("skipped: cyclonedx-python-lib[json-validation] is not installed");
                    return;
                };
                assert_eq!(verdict, "valid");
            }
        }
    }
}

#[test]
fn spdx_keeps_to_its_specification() {
    for report in [report(), clean(), verified(), guarded()] {
        let style =
            Style { timestamp: Some("2099-01-02T03:04:05Z".to_owned()), ..Style::default() };
        let mut document = Vec::new();
        render_packages(&report, Format::Spdx, &style, &mut document).unwrap();
        let Some(verdict) = verdict(SPDX, &document, "") else {
            eprintln!("skipped: spdx-tools is not installed");
            return;
        };
        assert_eq!(verdict, "valid");
    }
}

#[test]
fn sarif_keeps_to_its_schema() {
    let Ok(schema) = std::env::var("LAZARET_TEST_SARIF_SCHEMA") else {
        eprintln!("skipped: LAZARET_TEST_SARIF_SCHEMA names no schema");
        return;
    };
    for report in [report(), clean(), verified(), guarded()] {
        let style =
            Style { timestamp: Some("2099-01-02T03:04:05Z".to_owned()), ..Style::default() };
        let mut document = Vec::new();
        render(&report, Format::Sarif, &style, &mut document).unwrap();
        let Some(verdict) = verdict(SARIF, &document, &schema) else {
            eprintln!("skipped: jsonschema is not installed");
            return;
        };
        assert_eq!(verdict, "valid");
    }
}
