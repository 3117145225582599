//! What bills of materials must have, by their standards and by NTIA: who answers for what, who needs
//! whom, how severe a vulnerability is by whose word, and what was made of it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on stops, with the place where it stood"
)]

#[expect(dead_code, reason = "this test needs the large report no more than the other kinds")]
mod fixture;
#[path = "fixture/reading.rs"]
mod reading;

use fixture::{form, project, report};
use reading::{TIME, bill, items, json, reports, style, text};
use report::{Style, render_packages};
use serde_json::Value;
use std::collections::BTreeSet;
use vocabulary::{Report, Severity};

/// NTIA, "The Minimum Elements For a Software Bill of Materials", in CycloneDX 1.6.
#[test]
fn cyclonedx_has_what_ntia_asks_for() {
    for report in reports() {
        for document in [bill(&report, form("cyclonedx")), json(&report, form("cyclonedx"))] {
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
    let document = bill(&project(), form("cyclonedx"));
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
        { "ref": "subject", "dependsOn": [bank, "pkg:npm/judge@1.0.0"] },
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
        let document = bill(&report, form("spdx"));
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
    let document = bill(&project(), form("spdx"));
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
        assert_eq!(text(&written(form("cyclonedx")), "/metadata/authors/0/name"), name);
        let spdx = written(form("spdx"));
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
        let cyclonedx = written(form("cyclonedx"));
        let found = cyclonedx.pointer("/metadata/component/supplier/name");
        assert_eq!(found.and_then(Value::as_str), name);
        assert_eq!(text(&cyclonedx, "/metadata/component/name"), "registry.example/team/shop");
        let document = written(form("spdx"));
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
    let document = bill(&report, form("cyclonedx"));
    assert_eq!(text(&document, "/metadata/component/name"), "shop");
    assert!(text(&document, "/metadata/component/purl").starts_with("pkg:oci/shop@sha256:"));
    let document = json(&report, form("gitlab"));
    assert_eq!(text(&document, "/vulnerabilities/0/location/image"), "shop:latest");
    report.subject.tags = vec!["1.2".to_owned()];
    let document = json(&report, form("gitlab"));
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
    let document = json(&report, form("cyclonedx"));
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
        let document = json(report, form("cyclonedx"));
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
        for one in items(&json(&report, form("cyclonedx")), "/vulnerabilities") {
            for rating in items(one, "/ratings").iter().filter(|one| one.get("vector").is_some()) {
                let score = rating["score"].as_f64().unwrap();
                let level = Severity::from_score(score).name();
                let level = if level == "negligible" { "info" } else { level };
                assert_eq!(text(rating, "/severity"), level);
            }
        }
    }
}
