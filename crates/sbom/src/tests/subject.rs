//! What a document is about is none of its packages, in every form.

use super::{listed, read};

/// A document of each form about one thing, with the packages beside it.
fn documents(purl: &str, others: bool) -> [(&'static str, String); 5] {
    let when = |text: &str| if others { text.to_owned() } else { String::new() };
    let component = when(r#"{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"}"#);
    let json = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"component":{{"type":"application",
        "name":"root","purl":"{purl}"}}}},"components":[{component}],"dependencies":[{{"ref":"{purl}"}}]}}"#
    );
    let component =
        when("<component type=\"library\"><name>a</name><purl>pkg:npm/a@1</purl></component>");
    let xml = format!(
        r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><metadata><component type="application"><name>root</name>
        <purl>{purl}</purl></component></metadata><components>{component}</components></bom>"#
    );
    let reference =
        |purl: &str| format!(r#"[{{"referenceType":"purl","referenceLocator":"{purl}"}}]"#);
    let package = when(&format!(
        r#",{{"SPDXID":"a","name":"a","externalRefs":{}}}"#,
        reference("pkg:npm/a@1")
    ));
    let spdx = format!(
        r#"{{"spdxVersion":"SPDX-2.3","documentDescribes":["root"],"packages":[{{"SPDXID":"root","name":"root",
        "externalRefs":{}}}{package}]}}"#,
        reference(purl)
    );
    let package =
        when("PackageName: a\nSPDXID: a\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n");
    let tags = format!(
        "SPDXVersion: SPDX-2.3\nRelationship: root DESCRIBED_BY SPDXRef-DOCUMENT\nPackageName: root\nSPDXID: root\n\
        ExternalRef: PACKAGE-MANAGER purl {purl}\n{package}"
    );
    let package = when(
        r#",{"type":"software_Package","spdxId":"urn:a","name":"a","software_packageUrl":"pkg:npm/a@1"}"#,
    );
    let linked = format!(
        r#"{{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{{"type":"SpdxDocument",
        "spdxId":"urn:d","rootElement":["urn:root"]}},{{"type":"software_Package","spdxId":"urn:root","name":"root",
        "software_packageUrl":"{purl}","software_primaryPurpose":"application"}}{package}]}}"#
    );
    [("json", json), ("xml", xml), ("spdx", spdx), ("tags", tags), ("linked", linked)]
}

#[test]
fn a_subject_beside_its_packages_is_none_of_them() {
    for purl in ["pkg:npm/root", "pkg:npm/%40acme/root@1.0.0", "pkg:github/acme/root@main"] {
        for (form, text) in documents(purl, true) {
            let document = read(text.as_bytes()).unwrap();
            assert_eq!(listed(&document), ["pkg:npm/a@1"], "{form} {purl}");
            assert_eq!(document.name.as_deref(), Some("root"), "{form}");
            assert!(document.problems.is_empty(), "{form}: {:?}", document.problems);
        }
    }
}

#[test]
fn a_subject_that_is_all_there_is_stays_listed() {
    for purl in ["pkg:npm/root", "pkg:npm/root@1"] {
        for (form, text) in documents(purl, false) {
            assert_eq!(listed(&read(text.as_bytes()).unwrap()), [purl], "{form}");
        }
    }
}

#[test]
fn a_package_of_a_distribution_is_listed_though_the_document_is_about_it() {
    for purl in
        ["pkg:apk/wolfi/curl@8.1-r0", "pkg:deb/debian/curl@8.1-1", "pkg:rpm/fedora/curl@8.1-1"]
    {
        for (form, text) in documents(purl, true) {
            let document = read(text.as_bytes()).unwrap();
            assert!(listed(&document).iter().any(|one| one == purl), "{form} {purl}");
            assert_eq!(document.components.len(), 2, "{form} {purl}");
        }
    }
}

#[test]
fn what_lies_below_the_subject_is_listed_and_so_is_each_of_several() {
    let nested = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"application",
        "name":"root","purl":"pkg:npm/root","components":[{"type":"library","name":"member","version":"2",
        "purl":"pkg:npm/member@2"}]}},"components":[]}"#;
    assert_eq!(listed(&read(nested.as_bytes()).unwrap()), ["pkg:npm/member@2"]);
    let several = r#"{"spdxVersion":"SPDX-2.3","documentDescribes":["a","b"],"packages":[
        {"SPDXID":"a","name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]},
        {"SPDXID":"b","name":"b","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/b@1"}]}]}"#;
    assert_eq!(listed(&read(several.as_bytes()).unwrap()), ["pkg:npm/a@1", "pkg:npm/b@1"]);
}

#[test]
fn a_root_of_spdx_that_has_files_of_its_own_is_a_package_unless_it_is_an_application() {
    let document = |purpose: &str| {
        format!(
            r#"{{"spdxVersion":"SPDX-2.3","documentDescribes":["root"],"files":[{{"SPDXID":"f"}}],"packages":[
            {{"SPDXID":"root","name":"root","primaryPackagePurpose":"{purpose}","externalRefs":[{{"referenceType":"purl",
            "referenceLocator":"pkg:npm/root@1"}}]}},
            {{"SPDXID":"a","name":"a","externalRefs":[{{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}}]}}],
            "relationships":[{{"spdxElementId":"root","relationshipType":"CONTAINS","relatedSpdxElement":"f"}}]}}"#
        )
    };
    let of = |purpose: &str| listed(&read(document(purpose).as_bytes()).unwrap()).len();
    assert_eq!((of("LIBRARY"), of("APPLICATION")), (2, 1));
}
