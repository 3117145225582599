//! What a policy asks for of packages, licences, base images and databases, held against what there is.
//!
//! In go packages and what is known of an image, out come findings of policy's own rules, each with the
//! line that asks for it. What cannot be known, such as the base image of an image that does not name it,
//! is coverage and never passes.

use crate::policy::Policy;
use crate::rules::{FORBIDDEN_BASE_IMAGE, FORBIDDEN_LICENCE, FORBIDDEN_PACKAGE, MISSING_PACKAGE};
use vocabulary::{
    Coverage, DatabaseInfo, Finding, Fingerprint, Location, OriginKind, Package, Rule, Subject,
    SubjectKind,
};

/// The name of the list of exploited vulnerabilities among the databases.
const KEV: &str = "KEV";

/// Findings of policy's own rules, and coverage of what it asks for and cannot know.
#[must_use]
pub fn conditions(
    policy: &Policy,
    subject: &Subject,
    packages: &[Package],
) -> (Vec<Finding>, Vec<Coverage>) {
    let mut findings = Vec::new();
    for package in packages {
        for rule in policy.forbidden_packages.iter().filter(|rule| rule.matches(package, true)) {
            let title = format!(
                "{} {} is forbidden: {} ({})",
                package.name, package.version, rule.reason, rule.by
            );
            findings.push(of_package(
                &FORBIDDEN_PACKAGE,
                &rule.package.to_string(),
                title,
                package,
            ));
        }
        if let Some(rules) = &policy.licences {
            let place = policy.places.get("licences").map_or("", String::as_str);
            if let Some((reason, by)) = rules.refuse(package, place) {
                let title = format!("{} {}: {reason} ({by})", package.name, package.version);
                findings.push(of_package(&FORBIDDEN_LICENCE, "licence", title, package));
            }
        }
    }
    for rule in &policy.required_packages {
        if !packages.iter().any(|package| rule.matches(package, false)) {
            let versions =
                if rule.versions.is_some() { " in a version that is asked for" } else { "" };
            let title =
                format!("{} is not there{versions}: {} ({})", rule.package, rule.reason, rule.by);
            findings.push(Finding::of(
                &MISSING_PACKAGE,
                Some(&rule.package.to_string()),
                title,
                Location::Subject,
                Vec::new(),
            ));
        }
    }
    let (base, coverage) = base(policy, subject);
    findings.extend(base);
    (findings, coverage)
}

fn of_package(rule: &Rule, identity: &str, title: String, package: &Package) -> Finding {
    Finding {
        package: Some(package.purl.clone()),
        ecosystem: Some(package.ecosystem.clone()),
        layer: package.layer,
        origin: package.origin,
        more_places: 0,
        fingerprint: Fingerprint::new(
            &rule.id,
            Some(identity),
            Some(&package.purl),
            &package.location,
        ),
        ..Finding::of(rule, Some(identity), title, package.location.clone(), Vec::new())
    }
}

fn base(policy: &Policy, subject: &Subject) -> (Option<Finding>, Vec<Coverage>) {
    let Some(rules) = &policy.base_images else { return (None, Vec::new()) };
    match subject.kind {
        SubjectKind::Image | SubjectKind::Container => {}
        SubjectKind::Sbom => {
            let reason = "a bill of materials does not say on which base an image was built: not checked; scan the image";
            return (None, vec![Coverage::skipped("base-image", reason)]);
        }
        // Folders and machines are built on no image.
        _ => return (None, Vec::new()),
    }
    let Some(base) = &subject.base else {
        let reason =
            "the image does not name its base (org.opencontainers.image.base.name): not checked";
        return (None, vec![Coverage::skipped("base-image", reason)]);
    };
    let refused = |title: String| {
        let finding = Finding::of(
            &FORBIDDEN_BASE_IMAGE,
            Some(&base.name),
            title,
            Location::Subject,
            Vec::new(),
        );
        Some(Finding { origin: OriginKind::Base, ..finding })
    };
    let ran = vec![Coverage::ran("base-image")];
    if let Some((_, by)) = rules.forbid.iter().find(|(text, _)| text.matches(&base.name)) {
        return (refused(format!("base image {} is forbidden ({by})", base.name)), ran);
    }
    if !rules.allow.is_empty() && !rules.allow.iter().any(|(text, _)| text.matches(&base.name)) {
        let place = policy.places.get("base-images").map_or("", String::as_str);
        return (refused(format!("base image {} is not allowed ({place})", base.name)), ran);
    }
    (None, ran)
}

/// Coverage of what a policy asks and nothing at hand answers: `databases` are those that the findings
/// were made and ranked by.
#[must_use]
pub fn gates(policy: &Policy, databases: &[DatabaseInfo]) -> Vec<Coverage> {
    let there = databases.iter().any(|info| info.ecosystem == KEV);
    if !policy.fail_on_exploited || there {
        return Vec::new();
    }
    let reason = "fail-on-exploited asks for CISA KEV, which is not in the database: not checked; run `lazaret db update kev`";
    vec![Coverage::skipped("risk:KEV", reason)]
}
