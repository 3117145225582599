//! `evidence` of a component: where it lies, and by what it was told.
//!
//! A package that a database or a record of its own names has no `identity`: nothing was concluded.
//! What was told by other signs has one, whose confidence is a number for a word: 0.9 high, 0.6 medium,
//! 0.3 low. Source: CycloneDX specification 1.6, `componentEvidence`.

use serde::Serialize;
use vocabulary::{Confidence, Identified, Location, Package};

#[derive(Serialize)]
pub(super) struct Evidence<'report> {
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<[Identity<'report>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrences: Option<[Occurrence<'report>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'report> {
    field: &'static str,
    confidence: f64,
    concluded_value: String,
    methods: Vec<Method<'report>>,
}

#[derive(Serialize)]
struct Method<'report> {
    technique: &'static str,
    confidence: f64,
    value: &'report str,
}

#[derive(Serialize)]
struct Occurrence<'report> {
    location: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

/// The words of [`Identified::by`], and the technique of the standard that each stands for.
const TECHNIQUES: [(&str, &str); 4] = [
    ("content", "binary-analysis"),
    ("file name", "filename"),
    ("folder", "filename"),
    ("MANIFEST.MF", "manifest-analysis"),
];

/// The evidence of a package; none where nothing is known of it but its name.
pub(super) fn of(package: &Package) -> Option<Evidence<'_>> {
    let identity = package.identified.as_ref().map(|identified| [identity(package, identified)]);
    let line = match &package.location {
        Location::File { line, .. } => *line,
        Location::Subject | Location::Layer { .. } | Location::Process { .. } => None,
    };
    let occurrences = package.location.path().map(|location| [Occurrence { location, line }]);
    (identity.is_some() || occurrences.is_some()).then_some(Evidence { identity, occurrences })
}

fn identity<'report>(package: &Package, identified: &'report Identified) -> Identity<'report> {
    let confidence = number(identified.confidence);
    let mut techniques: Vec<&str> = TECHNIQUES
        .iter()
        .filter(|(word, _)| identified.by.contains(word))
        .map(|(_, technique)| *technique)
        .collect();
    techniques.dedup();
    if techniques.is_empty() {
        techniques.push("other");
    }
    let method = |technique| Method { technique, confidence, value: &identified.by };
    Identity {
        field: "purl",
        confidence,
        concluded_value: package.purl.to_string(),
        methods: techniques.into_iter().map(method).collect(),
    }
}

/// How sure it is, of 1. None is wholly sure: that is what has no identity.
const fn number(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::Confirmed => 1.0,
        Confidence::High => 0.9,
        Confidence::Medium => 0.6,
        Confidence::Low => 0.3,
        Confidence::None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Ecosystem;

    #[test]
    fn every_sign_that_was_compared_is_a_method() {
        let package = |by: &str| {
            let purl = "pkg:maven/org.z/my@1".parse().unwrap();
            let mut package =
                Package::new(purl, Ecosystem::MAVEN, "org.z:my", "1", Location::Subject);
            package.identified =
                Some(Box::new(Identified { by: by.to_owned(), confidence: Confidence::Medium }));
            package
        };
        for (by, expected) in [
            ("content", vec!["binary-analysis"]),
            ("content, a package note", vec!["binary-analysis"]),
            ("file name and MANIFEST.MF", vec!["filename", "manifest-analysis"]),
            ("folders of a Maven repository", vec!["filename"]),
            ("file name and folder under META-INF/maven", vec!["filename"]),
            ("a word of its own", vec!["other"]),
        ] {
            let package = package(by);
            let [identity] = of(&package).unwrap().identity.unwrap();
            let techniques: Vec<&str> =
                identity.methods.iter().map(|method| method.technique).collect();
            assert_eq!(techniques, expected, "{by}");
            assert_eq!(identity.concluded_value, "pkg:maven/org.z/my@1");
        }
    }

    #[test]
    fn what_is_named_outright_has_no_identity() {
        let purl = "pkg:npm/a@1".parse().unwrap();
        let mut package = Package::new(purl, Ecosystem::NPM, "a", "1", Location::Subject);
        assert!(of(&package).is_none());
        package.location = Location::file("a.json", None);
        assert!(of(&package).unwrap().identity.is_none());
    }
}
