//! Documents of both forms, and what they silence.

use super::*;
use crate::testing::{MALWARE, VULNERABILITY, rules};
use crate::{Policy, decide_for};
use vocabulary::{Coverage, Fingerprint, Location, Outcome, Severity, SubjectKind, Suppressed};

const OPENVEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","author":"x","timestamp":"2099-01-01T00:00:00Z",
 "statements":[
  {"vulnerability":{"name":"CVE-2099-1","aliases":["GHSA-2099-1"]},"status":"not_affected","justification":"vulnerable_code_not_in_execute_path",
   "products":[{"@id":"pkg:npm/a@1"}]},
  {"vulnerability":{"name":"CVE-2099-2"},"status":"not_affected","products":[{"@id":"pkg:npm/a@1"}],"impact_statement":"not reachable"},
  {"vulnerability":{"name":"CVE-2099-2"},"status":"affected","products":[{"@id":"pkg:npm/a@1"}],"timestamp":"2099-02-01T00:00:00Z"},
  {"vulnerability":{"name":"CVE-2099-3"},"status":"fixed","products":[{"@id":"pkg:oci/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subcomponents":[{"@id":"pkg:npm/b"}]}]},
  {"vulnerability":{"name":"CVE-2099-4"},"status":"not_affected","products":[{"@id":"pkg:oci/app@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}]},
  {"vulnerability":"CVE-2099-5","status":"not_affected","products":["pkg:npm/b@9"]}]}"#;

const CSAF: &str = r#"{"document":{"category":"csaf_vex","tracking":{"current_release_date":"2099-01-01T00:00:00Z"}},
 "product_tree":{"branches":[{"branches":[{"product":{"product_id":"P1","product_identification_helper":{"purl":"pkg:npm/a@1"}}}]}],
  "relationships":[{"full_product_name":{"product_id":"P1:OS"},"product_reference":"P1","relates_to_product_reference":"OS","category":"default_component_of"}]},
 "vulnerabilities":[{"cve":"CVE-2099-1","product_status":{"known_not_affected":["P1:OS"],"known_affected":["other"]},
  "flags":[{"label":"component_not_present","product_ids":["P1:OS"]}],"threats":[{"category":"impact","details":"left out","product_ids":["P1:OS"]}]}]}"#;

fn finding(id: &str, purl: &str) -> Finding {
    let purl: Purl = purl.parse().unwrap();
    Finding {
        id: Some(id.to_owned()),
        severity: Severity::High,
        more_places: 0,
        fingerprint: Fingerprint::new("x", Some(id), Some(&purl), &Location::Subject),
        package: Some(purl),
        ..Finding::of(&VULNERABILITY, None, id.to_owned(), Location::Subject, Vec::new())
    }
}

fn subject() -> Subject {
    Subject {
        kind: SubjectKind::Image,
        name: "app".to_owned(),
        manifest_digest: format!("sha256:{}", "a".repeat(64)).parse().ok(),
        config_digest: None,
        tags: Vec::new(),
        platform: None,
        base: None,
        source: None,
        checkout: None,
        version: None,
    }
}

fn silenced(document: &str, findings: Vec<Finding>) -> Vec<Suppressed> {
    silenced_in(document, findings, &[])
}

fn silenced_in(document: &str, findings: Vec<Finding>, packages: &[Package]) -> Vec<Suppressed> {
    let vex = parse_vex("own.vex.json", document.as_bytes()).unwrap();
    let policy = Policy { fail_on: Some(Severity::Low), vex, ..Policy::default() };
    let subject = subject();
    let today = "2099-01-01".parse().unwrap();
    let judged = {
        let about = About { subject: &subject, packages, programs: None };
        decide_for(&policy, &rules(), Some(&about), findings, &[Coverage::ran("npm")], today)
    };
    if judged.findings.len() == judged.decision.suppressed.len() {
        assert_eq!(judged.decision.outcome, Outcome::Pass);
    }
    judged.decision.suppressed
}

#[test]
fn openvex_silences_what_it_says_is_not_affected_with_its_justification() {
    let [one] = &silenced(OPENVEX, vec![finding("GHSA-2099-1", "pkg:npm/a@1")])[..] else {
        panic!()
    };
    assert_eq!(one.justification.as_deref(), Some("vulnerable_code_not_in_execute_path"));
    assert_eq!(one.by.as_deref(), Some("own.vex.json"));
    assert!(silenced(OPENVEX, vec![finding("CVE-2099-1", "pkg:npm/a@2")]).is_empty());
    assert!(silenced(OPENVEX, vec![finding("CVE-2099-1", "pkg:npm/b@1")]).is_empty());
    assert_eq!(silenced(OPENVEX, vec![finding("CVE-2099-5", "pkg:npm/b@9?arch=x")]).len(), 1);
}

#[test]
fn the_newest_statement_counts() {
    assert!(silenced(OPENVEX, vec![finding("CVE-2099-2", "pkg:npm/a@1")]).is_empty());
}

#[test]
fn a_statement_about_the_image_needs_its_digest_and_covers_the_parts_it_names() {
    assert_eq!(silenced(OPENVEX, vec![finding("CVE-2099-3", "pkg:npm/b@7")]).len(), 1);
    assert!(silenced(OPENVEX, vec![finding("CVE-2099-3", "pkg:npm/c@7")]).is_empty());
    assert!(silenced(OPENVEX, vec![finding("CVE-2099-4", "pkg:npm/b@7")]).is_empty());
}

#[test]
fn csaf_names_products_in_its_tree() {
    let [one] = &silenced(CSAF, vec![finding("CVE-2099-1", "pkg:npm/a@1")])[..] else { panic!() };
    assert_eq!(one.justification.as_deref(), Some("component_not_present"));
    assert_eq!(one.reason, "not affected: left out");
}

#[test]
fn malware_is_silenced_by_no_statement() {
    let mut malware = finding("CVE-2099-1", "pkg:npm/a@1");
    malware.rule = MALWARE.id.clone().into_owned();
    malware.class = MALWARE.class;
    assert!(silenced(OPENVEX, vec![malware]).is_empty());
}

/// As govulncheck writes it, with the main module filled in.
const GOVULNCHECK: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2099-01-01T00:00:00Z","statements":[
  {"vulnerability":{"@id":"https://pkg.go.dev/vuln/GO-2099-1","name":"GO-2099-1","aliases":["CVE-2099-1"]},
   "products":[{"@id":"pkg:golang/example.org%2FAcme%2Fapp","subcomponents":[{"@id":"pkg:golang/example.org%2Fx%2Ftext@v0.3.0"}]}],
   "status":"not_affected","justification":"vulnerable_code_not_in_execute_path"},
  {"vulnerability":{"name":"CVE-2099-2","aliases":null},"status":"not_affected",
   "products":[{"@id":"Unknown Product","subcomponents":null}]}]}"#;

fn module(path: &str, version: &str, program: &str) -> Package {
    let (namespace, name) = path.rsplit_once('/').unwrap();
    let purl = Purl::new("golang", name).with_namespace(namespace).with_version(version);
    let location = Location::File { path: program.to_owned(), layer: None, line: None };
    let bare = version.trim_start_matches('v').to_owned();
    Package::new(purl, Ecosystem::GO, path.to_owned(), bare, location)
}

fn in_program(id: &str, package: &Package) -> Finding {
    let found = finding(id, &package.purl.to_string());
    Finding { location: package.location.clone(), ..found }
}

#[test]
fn a_statement_about_a_module_in_a_main_module_holds_in_that_program_alone() {
    let text = |program: &str| module("example.org/x/text", "v0.3.0", program);
    let packages = [
        module("example.org/acme/app", "", "app"),
        text("app"),
        module("example.org/acme/other", "", "other"),
        // Built in, and not the main module.
        module("example.org/acme/app", "v1.0.0", "other"),
        text("other"),
    ];
    let silenced = |finding: Finding| silenced_in(GOVULNCHECK, vec![finding], &packages).len();
    assert_eq!(silenced(in_program("CVE-2099-1", &packages[1])), 1);
    assert_eq!(silenced(in_program("CVE-2099-1", &packages[4])), 0);
    assert_eq!(silenced(in_program("CVE-2099-1", &packages[0])), 0, "the product is not the part");
    assert_eq!(silenced(in_program("CVE-2099-9", &packages[1])), 0);
    let newer = module("example.org/x/text", "v0.4.0", "app");
    assert_eq!(silenced(in_program("CVE-2099-1", &newer)), 0);
}

#[test]
fn a_main_module_without_a_version_is_named_with_any_word_for_that() {
    let packages =
        [module("example.org/acme/app", "", "app"), module("example.org/x/text", "v0.3.0", "app")];
    for (written, expected) in
        [("", 1), ("@v0.0.0", 1), ("@(devel)", 1), ("@%28devel%29", 1), ("@v1.0.0", 0)]
    {
        let document = GOVULNCHECK.replace("Acme%2Fapp", &format!("Acme%2Fapp{written}"));
        let silenced =
            silenced_in(&document, vec![in_program("CVE-2099-1", &packages[1])], &packages);
        assert_eq!(silenced.len(), expected, "{written}");
    }
}

#[test]
fn the_main_module_is_the_one_that_the_main_package_lies_in() {
    let packages = [
        module("example.org/acme/app", "v1.0.0", "app"),
        module("example.org/acme", "v0.9.0", "app"),
        module("example.org/x/text", "", "app"),
    ];
    let mut programs = Programs::default();
    let program = vocabulary::Program {
        system: "linux".to_owned(),
        architecture: None,
        main: "example.org/acme/app/cmd/run".to_owned(),
        replaced: Vec::new(),
        functions: None,
    };
    programs.insert("app", program);
    let subject = subject();
    let about = About { subject: &subject, packages: &packages, programs: Some(&programs) };
    let mains = Products::new(&about).mains;
    assert_eq!(mains["app"], &packages[0].purl);
}

#[test]
fn statements_that_meet_nothing_are_counted_by_their_document() {
    let statements = parse_vex("go.vex.json", GOVULNCHECK.as_bytes()).unwrap();
    assert_eq!(statements.len(), 2);
    let subject = subject();
    let packages = [module("example.org/acme/app", "", "app")];
    let about = About { subject: &subject, packages: &packages, programs: None };
    let coverage = vex_coverage(&statements, &about).unwrap();
    let reason = coverage.reason.as_deref();
    assert_eq!(
        reason,
        Some(
            "2 of 2 statements of go.vex.json met no package: GO-2099-1 of `pkg:golang/example.org%2Fx%2Ftext@v0.3.0 in pkg:golang/example.org%2FAcme%2Fapp`, CVE-2099-2 of `Unknown Product`"
        )
    );
    // The main module is there, and so is the part that the first statement is about.
    let packages = [packages[0].clone(), module("example.org/x/text", "v0.3.0", "app")];
    let about = About { packages: &packages, ..about };
    let coverage = vex_coverage(&statements, &about).unwrap();
    let reason = coverage.reason.as_deref();
    assert_eq!(
        reason,
        Some("1 of 2 statements of go.vex.json met no package: CVE-2099-2 of `Unknown Product`")
    );
    assert_eq!(coverage.status, vocabulary::Status::Ran);
    assert_eq!(vex_coverage(&[], &about), None);
}

#[test]
fn an_image_is_named_by_its_digest_or_by_the_very_tag_in_its_repository() {
    let named = |product: &str| {
        let text = OPENVEX.replace(
            "pkg:oci/app@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            product,
        );
        let vex = parse_vex("x", text.as_bytes()).unwrap();
        let mut subject = subject();
        subject.tags = vec!["shop/app:1.2".to_owned()];
        let about = About { subject: &subject, packages: &[], programs: None };
        let policy = Policy { vex, ..Policy::default() };
        let findings = vec![finding("CVE-2099-4", "pkg:npm/b@7")];
        let today = "2099-01-01".parse().unwrap();
        decide_for(&policy, &rules(), Some(&about), findings, &[], today).decision.suppressed.len()
    };
    assert_eq!(named("pkg:oci/app?repository_url=docker.io/shop/app&tag=1.2"), 1);
    assert_eq!(named("pkg:oci/app?repository_url=index.docker.io/shop/app&tag=1.2"), 1);
    assert_eq!(named("pkg:oci/app?repository_url=docker.io/shop/app&tag=1.3"), 0);
    assert_eq!(named("pkg:oci/app?repository_url=ghcr.io/shop/app&tag=1.2"), 0);
    assert_eq!(named("pkg:oci/app?tag=1.2"), 0);
    assert_eq!(named("pkg:oci/app"), 0);
    let other =
        format!("pkg:oci/app@sha256:{}?repository_url=docker.io/shop/app&tag=1.2", "c".repeat(64));
    assert_eq!(named(&other), 0, "the digest counts where there is one");
}

#[test]
fn a_part_of_a_product_of_csaf_is_meant_in_that_product_alone() {
    for (digit, expected) in [("a", 1), ("b", 0)] {
        let whole = format!(
            r#""branches":[{{"product":{{"product_id":"OS","product_identification_helper":
            {{"purl":"pkg:oci/app@sha256:{}"}}}}}},{{"branches":["#,
            digit.repeat(64)
        );
        let text = CSAF.replacen(r#""branches":[{"branches":["#, &whole, 1);
        assert_eq!(
            silenced(&text, vec![finding("CVE-2099-1", "pkg:npm/a@1")]).len(),
            expected,
            "{text}"
        );
        assert!(silenced(&text, vec![finding("CVE-2099-1", "pkg:npm/b@1")]).is_empty());
    }
}

#[test]
fn a_statement_about_a_package_from_elsewhere_is_not_about_that_of_the_registry() {
    let text = OPENVEX.replace("pkg:npm/b@9", "pkg:npm/b@9?vcs_url=git%2Bhttps://host.test/b.git");
    assert!(silenced(&text, vec![finding("CVE-2099-5", "pkg:npm/b@9")]).is_empty());
    let own = "pkg:npm/b@9?vcs_url=git%2Bhttps://host.test/b.git";
    assert_eq!(silenced(&text, vec![finding("CVE-2099-5", own)]).len(), 1);
}

#[test]
fn damaged_documents_are_errors_and_no_panics() {
    for text in [OPENVEX, CSAF] {
        for end in 0..text.len() {
            let _ = parse_vex("x", &text.as_bytes()[..end]);
            let mut bytes = text.as_bytes().to_vec();
            bytes[end] ^= 0x11;
            let _ = parse_vex("x", &bytes);
        }
    }
    for text in [
        "",
        "[]",
        "{}",
        r#"{"@context":"https://openvex.dev/ns"}"#,
        r#"{"document":{},"vulnerabilities":7}"#,
    ] {
        assert!(parse_vex("x", text.as_bytes()).is_err(), "{text}");
    }
}
