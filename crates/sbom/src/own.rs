//! Lazaret's own JSON: packages whole, as they were cataloged.
//!
//! The packages of `lazaret.packages/1` and `lazaret.report/2`, and of the report before, are the vocabulary's own form; findings
//! of a report are left behind, since they are made anew; but for content that was seen not to be what
//! names it, which nobody can see again by a list of packages.

use crate::document::{Document, MISMATCH, Mismatch};
use crate::error::{SbomError, json};
use crate::limits::{COMPONENTS, FINDINGS};
use serde::Deserialize;
use vocabulary::{Coverage, Distribution, Finding, Package, Status, Subject};

#[derive(Deserialize)]
struct Own {
    subject: Subject,
    #[serde(default)]
    distribution: Option<Distribution>,
    packages: Vec<Package>,
    #[serde(default)]
    coverage: Vec<Coverage>,
    #[serde(default)]
    findings: Vec<Finding>,
    /// Those of a list of packages.
    #[serde(default)]
    mismatches: Vec<Finding>,
}

pub(crate) fn read(bytes: &[u8], schema: &str) -> Result<Document, SbomError> {
    // What both forms of a report have to say here is the same.
    if !matches!(schema, "lazaret.packages/1" | "lazaret.report/1" | "lazaret.report/2") {
        return Err(SbomError::Version {
            form: "Lazaret",
            version: schema.chars().take(100).collect(),
            known: "lazaret.packages/1, lazaret.report/1 or lazaret.report/2",
        });
    }
    let own: Own = json("Lazaret", bytes)?;
    if own.packages.len() > COMPONENTS {
        return Err(SbomError::TooMany);
    }
    let lacks = |one: &Coverage| one.check == "packages" && one.status != Status::Ran;
    let states_none =
        own.packages.is_empty() && !own.coverage.is_empty() && !own.coverage.iter().any(lacks);
    Ok(Document {
        states_none,
        form: schema.to_owned(),
        name: Some(own.subject.name),
        manifest_digest: own.subject.manifest_digest,
        config_digest: own.subject.config_digest,
        tags: own.subject.tags,
        platform: own.subject.platform,
        distribution: own.distribution,
        packages: own.packages,
        coverage: own.coverage,
        components: Vec::new(),
        problems: Vec::new(),
        mismatches: own
            .findings
            .into_iter()
            .chain(own.mismatches)
            .filter(|finding| finding.rule == MISMATCH)
            .take(FINDINGS)
            .map(|finding| Mismatch::Found(Box::new(finding)))
            .collect(),
    })
}
