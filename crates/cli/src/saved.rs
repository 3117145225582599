//! Saved reports, as `scan … -o json=FILE` wrote them.

use crate::exit::Failure;
use crate::settings;
use report::Saved;
use std::collections::HashSet;
use std::path::Path;
use vocabulary::Report;
use vocabulary::diff::Likeness;
use vocabulary::report::SCHEMA;

/// Bytes of a saved report: one of 100,000 findings has some 200 MB.
pub(crate) const REPORT_BYTES: u64 = 1 << 30;

/// A saved report, if the reference names one; none for whatever else it may be.
pub(crate) fn named(reference: &str) -> Result<Option<Report>, Failure> {
    let path = Path::new(reference);
    let opens_json = || {
        let mut head = Vec::new();
        files::read_start(path, 256, &mut head).ok()?;
        let head = String::from_utf8_lossy(&head);
        Some(head.trim_start().starts_with('{') && head.contains("\"lazaret.report/"))
    };
    if !path.is_file() || !opens_json().unwrap_or(false) {
        return Ok(None);
    }
    load(path).map(Some)
}

/// Reads a saved report.
pub(crate) fn load(path: &Path) -> Result<Report, Failure> {
    let refused = |reason: String| Failure::usage(format!("`{}`: {reason}", path.display()));
    let text = settings::read_text(path, REPORT_BYTES)?;
    let saved = report::read_saved(text.as_bytes(), &crate::rules::all());
    match saved.map_err(|error| refused(error.to_string()))? {
        Saved::Report(report) => Ok(*report),
        Saved::Packages(_) => Err(refused(format!(
            "nothing was matched against its packages; make a report of it with `lazaret scan sbom:{} -o json=FILE`",
            path.display()
        ))),
        Saved::Reports(_) | Saved::Difference(_) => Err(refused(format!(
            "it is no report of one subject (`{SCHEMA}`); make it with `lazaret scan … -o json=FILE`"
        ))),
    }
}

/// What a saved report found, for `--new-since`. What was silenced there was not accepted for ever.
pub(crate) fn known(path: &Path) -> Result<HashSet<Likeness>, Failure> {
    let report = load(path)?;
    let silenced: HashSet<_> =
        report.decision.suppressed.iter().map(|rule| &rule.fingerprint).collect();
    let open = report.findings.iter().filter(|finding| !silenced.contains(&finding.fingerprint));
    Ok(open.map(vocabulary::Finding::likeness).collect())
}
