//! What becomes of components that documents state, and what is said of those that cannot be matched.

use super::*;
use vocabulary::Status;

fn of(components: &str) -> Inventory {
    scanned(components, None)
}

fn scanned(components: &str, given: Option<&str>) -> Inventory {
    let text =
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{components}]}}"#);
    let document = sbom::read(text.as_bytes()).unwrap();
    let given = given.map(|text| purls::distribution(text).unwrap());
    inventory("sbom:x", document, given.as_ref())
}

fn own(inventory: &Inventory) -> &Coverage {
    inventory.coverage.iter().find(|one| one.check == CHECK).unwrap()
}

fn reasons(inventory: &Inventory) -> String {
    let problems = own(inventory).problems.iter();
    problems.map(|one| format!("{}: {}\n", one.path, one.reason)).collect()
}

fn purls(inventory: &Inventory) -> Vec<String> {
    inventory.software.packages.iter().map(|package| package.purl.to_string()).collect()
}

const CURL: &str = r#"{"type":"library","name":"curl","version":"7.74.0-1",
    "purl":"pkg:deb/debian/curl@7.74.0-1?arch=amd64"}"#;

#[test]
fn a_package_whose_release_is_not_known_is_listed_and_counted() {
    let inventory = of(CURL);
    assert_eq!(purls(&inventory), ["pkg:deb/debian/curl@7.74.0-1?arch=amd64"]);
    assert_eq!(inventory.software.packages[0].ecosystem, Ecosystem::DEBIAN);
    assert!(inventory.software.distribution.is_none());
    assert!(reasons(&inventory).contains("--distro debian:12"), "{}", reasons(&inventory));
    let inventory = scanned(CURL, Some("debian:bullseye"));
    assert_eq!(inventory.software.packages[0].architecture.as_deref(), Some("amd64"));
    let distribution = inventory.software.distribution.as_ref().unwrap();
    assert_eq!(distribution.codename.as_deref(), Some("bullseye"));
    assert!(reasons(&inventory).contains("no source package is named"), "{}", reasons(&inventory));
}

#[test]
fn sources_are_asked_for_only_where_none_is_named() {
    let named = CURL.replace("arch=amd64", "arch=amd64&upstream=curl-source&distro=debian-11");
    let inventory = of(&format!("{named},{CURL}"));
    assert_eq!(own(&inventory).status, Status::Ran, "{}", reasons(&inventory));
    assert_eq!(inventory.software.packages.len(), 2);
}

#[test]
fn what_is_of_another_distribution_is_not_held_against_this_one() {
    let other = r#"{"name":"bash","version":"1","purl":"pkg:deb/ubuntu/bash@1?distro=ubuntu-22.04&upstream=b"},
        {"name":"zip","version":"1","purl":"pkg:deb/debian/zip@1?distro=debian-12&upstream=z"},
        {"type":"operating-system","name":"debian","version":"11"}"#;
    let inventory = of(&format!("{CURL},{other}"));
    assert_eq!(inventory.software.packages.len(), 3);
    let matched = |name: &str| {
        let package = inventory.software.packages.iter().find(|one| one.name == name).unwrap();
        package.ecosystem == Ecosystem::DEBIAN
    };
    assert!(matched("curl") && !matched("bash") && !matched("zip"));
    assert_eq!(reasons(&inventory).matches("of another distribution").count(), 2);
}

#[test]
fn a_release_that_is_asked_for_does_not_make_other_distributions_packages_its_own() {
    let own = CURL.replace("debian", "ubuntu").replace("curl", "own");
    let bare = CURL.replace("deb/debian/", "deb/").replace("curl", "bare");
    let inventory = scanned(&format!("{CURL},{own},{bare}"), Some("ubuntu:22.04"));
    let ecosystem = |name: &str| {
        let package = inventory.software.packages.iter().find(|one| one.name == name).unwrap();
        package.ecosystem.clone()
    };
    assert_eq!(ecosystem("own"), Ecosystem::UBUNTU);
    assert_eq!(ecosystem("bare"), Ecosystem::UBUNTU);
    assert_eq!(ecosystem("curl"), Ecosystem::PROGRAM);
    let said = reasons(&inventory);
    assert_eq!(
        said.matches("of another distribution than ubuntu 22.04, which --distro names").count(),
        1,
        "{said}"
    );
    // Of the same distribution, whoever asks knows better of which release.
    let other = CURL.replace("arch=amd64", "distro=debian-11");
    let inventory = scanned(&other, Some("debian:12"));
    assert_eq!(inventory.software.packages[0].ecosystem, Ecosystem::DEBIAN);
    assert!(!reasons(&inventory).contains("another distribution"), "{}", reasons(&inventory));
}

#[test]
fn what_cannot_be_matched_is_listed_by_its_name() {
    let inventory = of(r#"{"type":"library","name":"of our own","version":"1"},
        {"type":"application","name":"nginx","version":"1.18","cpe":"cpe:2.3:a:f5:nginx:1.18:*:*:*:*:*:*:*"},
        {"type":"firmware","name":"bios","version":"2"},
        {"type":"library","name":"broken","version":"3","purl":"not a purl"},
        {"type":"library","name":"bare","purl":"pkg:npm/bare"},
        {"type":"library"},
        {"type":"file","name":"/etc/passwd"},
        {"type":"application","name":"app/package-lock.json"}"#);
    assert_eq!(
        purls(&inventory),
        [
            "pkg:npm/bare",
            "pkg:generic/bios@2",
            "pkg:generic/broken@3",
            "pkg:generic/nginx@1.18",
            "pkg:generic/of%20our%20own@1"
        ]
    );
    // What only lacks a version is of its ecosystem all the same.
    let ecosystems: Vec<&Ecosystem> =
        inventory.software.packages.iter().map(|one| &one.ecosystem).collect();
    assert_eq!(ecosystems[0], &Ecosystem::NPM);
    assert!(ecosystems[1..].iter().all(|one| **one == Ecosystem::PROGRAM));
    assert_eq!(own(&inventory).problems.len(), 6);
    assert_eq!(own(&inventory).status, Status::Partial);
}

#[test]
fn a_bill_without_packages_is_not_checked() {
    for components in ["", r#"{"type":"file","name":"a"}"#] {
        assert_eq!(own(&of(components)).status, Status::Skipped);
    }
}
