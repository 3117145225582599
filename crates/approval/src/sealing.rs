//! Seals what was read: in full, and found to be what it says it is.

use crate::name;
use crate::refusal::ApprovalError;
use jiff::Timestamp;
use scan::{Inventory, Progress, ReadOptions, RecordLevel};
use seal::{Draft, Name, ScanSummary, Seal, SigningKey, Store};
use std::collections::BTreeMap;
use std::path::Path;
use vocabulary::{Status, SubjectKind};

/// Checks without which the record of the files would not be whole.
const MUST_RUN: [&str; 2] = ["layers", "walk"];

/// An image that was read in full, and is what it says it is. There is no other way to a seal.
#[derive(Debug)]
pub struct Whole(Inventory);

impl Whole {
    /// Reads an image with the digest of every file.
    ///
    /// # Errors
    /// Where it cannot be read, is no image, has a digest that differs, or could not be read in full.
    pub fn read(
        reference: &str,
        options: &ReadOptions,
        progress: &Progress,
    ) -> Result<Self, ApprovalError> {
        let options = ReadOptions { files: RecordLevel::Digests, ..options.clone() };
        Self::of(scan::read(reference, &options, progress)?)
    }

    fn of(inventory: Inventory) -> Result<Self, ApprovalError> {
        let Inventory { subject, findings, coverage, .. } = &inventory;
        let name = || subject.name.clone();
        if !matches!(subject.kind, SubjectKind::Image) {
            return Err(ApprovalError::NotSealable(name()));
        }
        let mismatch = findings.iter().find(|finding| finding.rule == scan::DIGEST_MISMATCH.id);
        if let Some(mismatch) = mismatch {
            return Err(ApprovalError::Mismatch { name: name(), reason: mismatch.title.clone() });
        }
        let gap = coverage
            .iter()
            .find(|one| MUST_RUN.contains(&one.check.as_str()) && one.status != Status::Ran);
        if let Some(gap) = gap {
            let problem = gap.problems.first().map(|one| format!("{}: {}", one.path, one.reason));
            let reason = problem.or_else(|| gap.reason.clone()).unwrap_or_default();
            return Err(ApprovalError::NotWhole { name: name(), reason });
        }
        Ok(Self(inventory))
    }

    /// The name under which it is sealed: as given, else its own.
    ///
    /// # Errors
    /// Where none is given, and it has none of its own, or several.
    pub fn name(&self, given: Option<&str>) -> Result<Name, ApprovalError> {
        name::of_subject(given, &self.0.subject)
    }

    /// What the advisories in this folder say of it; none where there are none. Nothing is fetched to
    /// seal.
    #[must_use]
    pub fn scanned(&self, databases: &Path, now: Timestamp) -> Option<ScanSummary> {
        let software = &self.0.software;
        let databases = advisories::Databases::open(databases, software.ecosystems(), now);
        if databases.is_empty() {
            return None;
        }
        let matched = databases.matches(&software.packages, software.distribution.as_ref());
        let mut findings = BTreeMap::new();
        for finding in &matched.findings {
            *findings.entry(finding.severity).or_default() += 1;
        }
        Some(ScanSummary { findings, databases: databases.infos().to_vec() })
    }

    /// Seals it under a name.
    ///
    /// # Errors
    /// Where the store is damaged or cannot be written, or the key does not sign.
    pub fn seal(
        &self,
        store: &mut Store,
        key: &SigningKey,
        name: &Name,
        scan: Option<ScanSummary>,
        now: Timestamp,
    ) -> Result<Seal, ApprovalError> {
        let Inventory { subject, layers, software, files, .. } = &self.0;
        let draft = Draft {
            subject,
            layers,
            files: &files.record,
            packages: &software.packages,
            scan,
            name,
            time: &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        Ok(store.seal(&draft, key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Coverage, Problem, Subject};

    fn read(kind: SubjectKind, coverage: Vec<Coverage>) -> Inventory {
        let subject = Subject {
            kind,
            name: "shop".to_owned(),
            manifest_digest: None,
            config_digest: None,
            tags: Vec::new(),
            platform: None,
            base: None,
            source: None,
            checkout: None,
            version: None,
        };
        Inventory {
            subject,
            layers: Vec::new(),
            software: scan::Software::default(),
            files: scan::Files::default(),
            runs: scan::Runs::default(),
            apt: Default::default(),
            source: scan::Source::default(),
            findings: Vec::new(),
            coverage,
        }
    }

    #[test]
    fn only_an_image_that_was_read_in_full_may_be_sealed() {
        let image = |coverage| Whole::of(read(SubjectKind::Image, coverage));
        let whole = vec![Coverage::ran("layers"), Coverage::ran("walk")];
        assert!(image(whole.clone()).is_ok());
        // Packages that a cataloger could not read leave the record of the files whole.
        let other = Coverage::failed("dpkg", "its database is damaged");
        assert!(image([whole.clone(), vec![other]].concat()).is_ok());
        let folder = Whole::of(read(SubjectKind::RootDirectory, whole)).unwrap_err();
        assert_eq!(folder.to_string(), "`shop` is no image; only images can be sealed");
        let path = "etc/x".to_owned();
        let problem = Problem { path, layer: None, reason: "denied".to_owned() };
        let partial = Coverage::with_problems("walk", vec![problem]);
        assert_eq!(
            image(vec![Coverage::ran("layers"), partial]).unwrap_err().to_string(),
            "`shop` is not sealed, it could not be read in full: etc/x: denied"
        );
        let skipped = image(vec![Coverage::skipped("layers", "not there")]).unwrap_err();
        assert!(matches!(skipped, ApprovalError::NotWhole { .. }), "{skipped}");
    }
}
