//! The category of a run: what its results are held against in earlier runs of the same kind.
//!
//! GitHub takes `automationDetails.id` up to its last `/` for the category, and refuses a file in which
//! two runs of a tool have the same one. An image keeps its category from one tag to the next: with the
//! tag in it the alerts of the image before would stay open for ever. Where a log has two tags of one
//! image, both are told apart by them. Source: GitHub, "SARIF support for code scanning",
//! `runAutomationDetails`; SARIF 2.1.0, 3.17.3.

use super::limits::Subject;
use std::collections::{HashMap, HashSet};
use vocabulary::SubjectKind;

/// Characters of a name that are kept.
const CHARACTERS: usize = 200;

/// The id of each run, in order, all different.
pub(super) fn of_all(subjects: &[Subject<'_>]) -> Vec<String> {
    let names: Vec<(String, String)> = subjects.iter().map(|subject| names(*subject)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (short, _) in &names {
        *counts.entry(short).or_default() += 1;
    }
    let mut taken = HashSet::new();
    names
        .iter()
        .map(|(short, full)| {
            let is_alone = counts.get(short.as_str()).is_some_and(|count| *count == 1);
            let name = if is_alone { short } else { full };
            let mut unique = name.clone();
            let mut number = 1_u64;
            while !taken.insert(unique.clone()) {
                number += 1;
                unique = format!("{name}-{number}");
            }
            format!("lazaret/{unique}/")
        })
        .collect()
}

/// What stays from one run to the next, and all that is known.
fn names(subject: Subject<'_>) -> (String, String) {
    let name = subject.name();
    let full = plain(without_scheme(name));
    let short = match subject {
        Subject::Read(report) => match (&report.subject.checkout, report.subject.kind) {
            (Some(folder), _) if !folder.is_empty() => plain(folder),
            (_, SubjectKind::Image | SubjectKind::Container) => plain(without_tag(name)),
            _ => plain(report.subject.short_name()),
        },
        Subject::Failed(_) => full.clone(),
    };
    (short, full)
}

fn without_scheme(name: &str) -> &str {
    const SCHEMES: [&str; 10] = [
        "docker:",
        "containerd:",
        "podman:",
        "registry:",
        "docker-archive:",
        "oci-archive:",
        "oci-dir:",
        "oci:",
        "dir:",
        "sbom:",
    ];
    SCHEMES.iter().find_map(|scheme| name.strip_prefix(scheme)).unwrap_or(name)
}

/// The name of an image without tag and digest. A port, which has a path behind it, stays.
fn without_tag(name: &str) -> &str {
    let name = without_scheme(name);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}

/// A name of plain characters, without the parts that only lead elsewhere.
fn plain(name: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() || ".-_:@/".contains(c) { c } else { '-' };
    let name: String = name.chars().map(sign).take(CHARACTERS).collect();
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
    if parts.is_empty() { "subject".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::NotChecked;

    #[test]
    fn no_two_runs_of_a_log_have_one_category() {
        let failed: Vec<NotChecked> =
            ["a:1", "a:1", "a:1-2", "", "../..", "registry:a:1", "x\u{202e}/y z"]
                .into_iter()
                .map(|what| NotChecked { what: what.to_owned(), reason: String::new() })
                .collect();
        let subjects: Vec<Subject<'_>> = failed.iter().map(Subject::Failed).collect();
        let ids = of_all(&subjects);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
        assert_eq!(ids.last().unwrap(), "lazaret/x-/y-z/");
        assert!(ids.iter().all(|id| id.ends_with('/')));
    }

    #[test]
    fn a_tag_is_no_part_of_the_category() {
        assert_eq!(without_tag("registry:host:5000/a/b:1.2@sha256:00"), "host:5000/a/b");
        assert_eq!(without_tag("app:1"), "app");
        assert_eq!(without_tag("host:5000/app"), "host:5000/app");
    }
}
