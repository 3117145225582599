//! The answer: what of a machine the vulnerability concerns, and what was not checked.

use super::holdings::{Holdings, Known};
use super::id::Id;
use crate::usage::{usage, watched};
use advisories::Databases;
use jiff::Timestamp;
use scan::Usages;
use std::collections::BTreeSet;
use std::path::Path;
use vocabulary::running::AFFECTED_SCHEMA;
use vocabulary::{
    AffectedContainer, AffectedImage, AffectedPackage, AffectedReport, Container, Evidence,
    Finding, NotChecked, Outcome, Status, Tool, Use, Used,
};

/// What is asked, and by which advisories.
#[derive(Clone, Copy)]
pub struct Question<'asked> {
    /// The vulnerability.
    pub id: &'asked Id,
    /// The databases of what the images hold.
    pub databases: &'asked Databases,
    /// Every database that is there, to know an id by: one of an ecosystem that nothing here has is
    /// known all the same.
    pub all: &'asked Databases,
    /// The folder of what the agent saw.
    pub state: &'asked Path,
    /// The moment.
    pub now: Timestamp,
    /// The program, for the report.
    pub tool: &'asked Tool,
}

impl Holdings {
    /// Answers the question.
    #[must_use]
    pub fn answer(self, question: &Question<'_>) -> AffectedReport {
        question.answer(self)
    }
}

impl Question<'_> {
    fn answer(&self, holdings: Holdings) -> AffectedReport {
        let Holdings { containers, images, mut gaps } = holdings;
        let problems = &mut Vec::new();
        let mut report = AffectedReport {
            schema: AFFECTED_SCHEMA.to_owned(),
            tool: self.tool.clone(),
            id: self.id.as_str().to_owned(),
            aliases: Vec::new(),
            advisories: Vec::new(),
            running: Vec::new(),
            images: Vec::new(),
            not_checked: Vec::new(),
            problems: Vec::new(),
            containers_checked: 0,
            images_checked: images.len() as u64,
            databases: self.databases.infos().to_vec(),
            outcome: Outcome::Pass,
        };
        let mut found_ids = BTreeSet::new();
        let mut looked_at: BTreeSet<&str> = BTreeSet::new();
        for image in &images {
            let findings = self.findings(image, &mut gaps);
            for finding in &findings {
                found_ids.extend(finding.id.iter().chain(&finding.aliases).cloned());
            }
            let own: Vec<&Container> =
                containers.iter().filter(|container| image.is_of(container)).collect();
            let running = own.len() as u64;
            for container in own {
                looked_at.insert(&container.id);
                if !findings.is_empty() {
                    report.running.push(self.container(container, image, &findings, problems));
                }
            }
            if !findings.is_empty() {
                report.images.push(AffectedImage {
                    names: image.names.iter().cloned().collect(),
                    image_id: image.image_id.clone(),
                    known_by: image.known_by.iter().cloned().collect(),
                    running,
                    packages: findings
                        .iter()
                        .map(|finding| package(finding, image, Use::unknown()))
                        .collect(),
                });
            }
        }
        report.containers_checked = looked_at.len() as u64;
        gaps.extend(unseen(&containers, &looked_at, &gaps));
        self.name(&mut report, found_ids, &mut gaps);
        report.running.sort_by_key(|affected| {
            !affected.packages.iter().any(|own| own.usage.used == Used::Loaded)
        });
        report.images.sort_by(|left, right| left.names.cmp(&right.names));
        finish(&mut report, gaps, problems);
        report
    }

    /// The findings of an image that carry the id, and what of it was not checked.
    fn findings(&self, image: &Known, gaps: &mut Vec<NotChecked>) -> Vec<Finding> {
        let matched = self.databases.matches(&image.packages, image.distribution.as_ref());
        let sources =
            scan::unknown_sources(&image.packages, image.distribution.as_ref(), self.databases);
        for coverage in image.coverage.iter().chain(&matched.coverage).chain(&sources) {
            if coverage.status == Status::Ran {
                continue;
            }
            let first = coverage.problems.first();
            let reason = coverage
                .reason
                .clone()
                .or_else(|| first.map(|problem| format!("`{}`: {}", problem.path, problem.reason)));
            gaps.push(NotChecked {
                what: format!("image {}", image.shown()),
                reason: format!(
                    "{}: {}",
                    coverage.check,
                    reason.as_deref().unwrap_or("not all of it could be read")
                ),
            });
        }
        matched
            .findings
            .into_iter()
            .filter(|finding| finding.is_known_as(self.id.as_str()))
            .collect()
    }

    fn container(
        &self,
        container: &Container,
        image: &Known,
        findings: &[Finding],
        problems: &mut Vec<NotChecked>,
    ) -> AffectedContainer {
        let usage = usage(self.state, container, self.now, problems);
        let usages = Usages::new(&image.packages, &image.symlinks, usage.as_ref());
        let mut packages: Vec<AffectedPackage> = findings
            .iter()
            .map(|finding| {
                let used = finding.package.as_ref().map(|purl| usages.of(purl, &finding.location));
                package(finding, image, used.unwrap_or_else(Use::unknown))
            })
            .collect();
        packages.sort_by_key(|own| own.usage.used != Used::Loaded);
        AffectedContainer {
            container: container.clone(),
            watched: usage.as_ref().map(watched),
            packages,
        }
    }

    /// Other ids of the same, and the advisories that name it.
    fn name(
        &self,
        report: &mut AffectedReport,
        mut ids: BTreeSet<String>,
        gaps: &mut Vec<NotChecked>,
    ) {
        let packages = report
            .running
            .iter()
            .flat_map(|affected| &affected.packages)
            .chain(report.images.iter().flat_map(|affected| &affected.packages));
        let mut advisories: BTreeSet<String> =
            packages.flat_map(|own| own.advisories.iter().cloned()).collect();
        match self.all.advisories_naming(self.id.as_str()) {
            Ok(named) => advisories.extend(named),
            Err(error) => gaps.push(NotChecked {
                what: "database".to_owned(),
                reason: format!("{error}; run `lazaret db update`"),
            }),
        }
        ids.retain(|id| !id.eq_ignore_ascii_case(self.id.as_str()) && !advisories.contains(id));
        report.aliases = ids.into_iter().collect();
        report.advisories = advisories.into_iter().collect();
    }
}

/// Containers of images that were not read, unless a gap says so already.
fn unseen(
    containers: &[Container],
    looked_at: &BTreeSet<&str>,
    gaps: &[NotChecked],
) -> Vec<NotChecked> {
    let unseen = containers.iter().filter(|container| !looked_at.contains(container.id.as_str()));
    let listed = |what: &str| gaps.iter().any(|gap| gap.what == what);
    unseen
        .map(|container| NotChecked {
            what: format!("container {}", container.shown()),
            reason: format!(
                "its image `{}` could not be read, or the name leads to another one by now",
                container.image
            ),
        })
        .filter(|gap| !listed(&gap.what))
        .collect()
}

/// Sorts the lists and decides.
fn finish(report: &mut AffectedReport, mut gaps: Vec<NotChecked>, problems: &mut Vec<NotChecked>) {
    gaps.sort();
    gaps.dedup();
    problems.sort();
    problems.dedup();
    report.not_checked = gaps;
    report.problems = std::mem::take(problems);
    let affected = !report.running.is_empty() || !report.images.is_empty();
    let nothing = report.images_checked == 0 && report.containers_checked == 0;
    report.outcome = if affected {
        Outcome::Findings
    } else if report.not_checked.is_empty() && !report.advisories.is_empty() && !nothing {
        Outcome::Pass
    } else {
        Outcome::Incomplete
    };
}

fn records(finding: &Finding) -> impl Iterator<Item = &String> {
    finding.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Advisory(advisory) => Some(&advisory.record),
        _ => None,
    })
}

fn package(finding: &Finding, image: &Known, usage: Use) -> AffectedPackage {
    let layer = finding.layer;
    let command = image.layers.iter().find(|own| Some(own.index) == layer);
    let advisories: BTreeSet<String> = records(finding).cloned().collect();
    let purl = finding.package.clone().unwrap_or_else(|| vocabulary::Purl::new("generic", ""));
    AffectedPackage {
        id: finding.id.clone().unwrap_or_else(|| finding.rule.clone()),
        aliases: finding.aliases.clone(),
        advisories: advisories.into_iter().collect(),
        severity: finding.severity,
        title: finding.title.clone(),
        version: purl.version().unwrap_or_default().to_owned(),
        package: purl,
        location: finding.location.clone(),
        layer,
        command: command.and_then(|layer| layer.command.clone()),
        origin: finding.origin,
        fix: finding.fix.clone(),
        usage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{AffectedRange, Location, Severity, VulnerabilityEvidence};

    fn finding() -> Finding {
        let location = Location::file("var/lib/dpkg/status", Some(0));
        let evidence = VulnerabilityEvidence {
            record: "DSA-1-1".to_owned(),
            ecosystem: "Debian:12".to_owned(),
            matched_name: "opensel".to_owned(),
            matched_version: "1".to_owned(),
            range: AffectedRange {
                introduced: None,
                fixed: None,
                last_affected: None,
                listed: true,
            },
            cvss: None,
            score: None,
            severity_from: None,
            rated_as_bundle: false,
            url: None,
            code: None,
        };
        Finding {
            rule: "known-vulnerability".to_owned(),
            class: vocabulary::Class::Vulnerability,
            confidence: vocabulary::Confidence::High,
            id: Some("CVE-2099-0001".to_owned()),
            aliases: vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
            severity: Severity::High,
            title: String::new(),
            more_places: 0,
            fingerprint: vocabulary::Fingerprint::new("x", None, None, &location),
            location,
            package: None,
            ecosystem: None,
            layer: Some(0),
            origin: vocabulary::OriginKind::Base,
            fix: None,
            risk: None,
            evidence: vec![Evidence::Advisory(Box::new(evidence))],
        }
    }

    #[test]
    fn a_finding_is_known_by_its_id_its_aliases_and_its_advisories_in_any_case() {
        for id in ["CVE-2099-0001", "cve-2099-0001", "GHSA-AAAA-bbbb-cccc", "dsa-1-1"] {
            assert!(finding().is_known_as(id), "{id}");
        }
        for id in ["CVE-2099-00011", "CVE-2099-000", "DSA-1", ""] {
            assert!(!finding().is_known_as(id), "{id}");
        }
    }
}
