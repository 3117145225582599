//! Documents as tools write them, and such as nobody should.

use super::*;
use vocabulary::{OriginKind, Presence};

/// As Trivy writes it: source package in properties, the distribution as a component.
const TRIVY: &str = r#"{
  "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
  "metadata": {"component": {"type": "container", "name": "shop:1", "properties": [
    {"name": "aquasecurity:trivy:ImageID", "value": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"name": "aquasecurity:trivy:RepoTag", "value": "shop:1"}]}},
  "components": [
    {"type": "operating-system", "name": "debian", "version": "12.5"},
    {"type": "application", "name": "app/package-lock.json"},
    {"type": "library", "name": "libopensel3", "version": "3.0.1-1", "purl": "pkg:deb/debian/libopensel3@3.0.1-1?arch=amd64&distro=debian-12.5",
     "licenses": [{"license": {"name": "Apache-2.0"}}, {"expression": "MIT OR ISC"}],
     "properties": [
      {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"},
      {"name": "aquasecurity:trivy:SrcName", "value": "opensel"},
      {"name": "aquasecurity:trivy:SrcRelease", "value": "2"},
      {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.1"}]},
    {"type": "library", "name": "outer", "version": "1", "purl": "pkg:npm/outer@1", "components": [
      {"type": "library", "name": "inner", "version": "2", "purl": "pkg:npm/inner@2",
       "properties": [{"name": "aquasecurity:trivy:FilePath", "value": "/srv/app/node_modules/inner/package.json"}]}]},
    {"type": "library", "name": "no-address", "version": "3"}
  ]}"#;

/// As Syft writes SPDX.
const SYFT: &str = r#"{
  "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "shop",
  "packages": [
    {"name": "demo-web", "SPDXID": "SPDXRef-Package-python", "versionInfo": "1.5",
     "sourceInfo": "acquired package info from installed python package manifest file: /usr/lib/demo/METADATA, /usr/lib/demo/RECORD",
     "licenseDeclared": "MIT", "licenseConcluded": "NOASSERTION",
     "externalRefs": [{"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x"},
      {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:pypi/demo-web@1.5"}]},
    {"name": "shop", "SPDXID": "SPDXRef-DocumentRoot-Image-shop", "versionInfo": "1", "primaryPackagePurpose": "CONTAINER"}],
  "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-DocumentRoot-Image-shop", "relationshipType": "DESCRIBES"}]}"#;

#[test]
fn a_document_of_trivy_gives_packages_with_their_sources() {
    let document = read(TRIVY.as_bytes()).unwrap();
    assert_eq!(document.form, "CycloneDX 1.5");
    assert_eq!(document.name.as_deref(), Some("shop:1"));
    assert_eq!(document.tags, ["shop:1"]);
    assert!(document.config_digest.is_some());
    let distribution = document.distribution.unwrap();
    assert_eq!((distribution.id.as_str(), distribution.version.as_str()), ("debian", "12.5"));
    let names: Vec<_> = document.components.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["libopensel3", "outer", "inner", "no-address"]);
    let library = &document.components[0];
    assert_eq!(library.licences, ["Apache-2.0", "MIT OR ISC"]);
    assert_eq!(library.stated.source(), Some(("opensel".into(), Some("1:3.0.1-2".into()))));
    let inner = &document.components[2];
    assert_eq!(inner.stated.path.as_deref(), Some("srv/app/node_modules/inner/package.json"));
    assert_eq!(document.components[3].purl, None);
}

#[test]
fn a_document_of_syft_gives_packages_at_their_places() {
    let document = read(SYFT.as_bytes()).unwrap();
    assert_eq!(document.form, "SPDX 2.3");
    assert_eq!(document.name.as_deref(), Some("shop"));
    let [package] = document.components.as_slice() else { panic!("{:?}", document.components) };
    assert_eq!(package.purl.as_deref(), Some("pkg:pypi/demo-web@1.5"));
    assert_eq!(package.licences, ["MIT"]);
    assert_eq!(package.stated.path.as_deref(), Some("usr/lib/demo/METADATA"));
}

#[test]
fn an_attestation_and_an_export_hold_their_document() {
    for (before, after) in [
        (
            r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://spdx.dev/Document","predicate":"#,
            "}",
        ),
        (r#"{"sbom":"#, "}"),
    ] {
        let document = read(format!("{before}{SYFT}{after}").as_bytes()).unwrap();
        assert_eq!(document.components.len(), 1);
    }
    let twice = format!(r#"{{"sbom":{{"sbom":{SYFT}}}}}"#);
    assert!(matches!(read(twice.as_bytes()), Err(SbomError::Unknown)));
}

#[test]
fn what_lazaret_states_of_a_component_is_read_back() {
    let mut stated = Stated::default();
    for (name, value) in [
        ("lazaret:ecosystem", "npm"),
        ("lazaret:location", "srv/a.json:7"),
        ("lazaret:location:path", "srv/a.json"),
        ("lazaret:location:line", "7"),
        ("lazaret:location:layer", "2"),
        ("lazaret:layer:index", "1"),
        ("lazaret:origin", "base"),
        ("lazaret:presence", "declared"),
        ("lazaret:source", "opensel 3.0.1-1"),
        ("lazaret:identified", "file name, low"),
    ] {
        stated.take(name, value);
    }
    assert_eq!(stated.path.as_deref(), Some("srv/a.json"));
    assert_eq!((stated.line, stated.location_layer, stated.layer), (Some(7), Some(2), Some(1)));
    assert_eq!(stated.origin, Some(OriginKind::Base));
    assert_eq!(stated.presence, Some(Presence::Declared));
    assert_eq!(stated.identified, Some(("file name".into(), "low".into())));
}

#[test]
fn an_identity_that_is_not_certain_is_read_in_every_shape() {
    let identified = |evidence: &str, more: &str| {
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"type":"library",
                "name":"a","version":"1","purl":"pkg:npm/a@1","evidence":{evidence}{more}}}]}}"#
        );
        let document = read(text.as_bytes()).unwrap();
        let identified = document.components[0].stated.identified.clone();
        identified.map(|(by, how)| format!("{by}: {how}"))
    };
    let by = r#""methods":[{"technique":"filename","confidence":0.3,"value":"file name"}]"#;
    for (evidence, expected) in [
        (format!(r#"{{"identity":[{{"field":"purl","confidence":0.3,{by}}}]}}"#), "file name: low"),
        (
            format!(r#"{{"identity":{{"field":"name","confidence":0.6,{by}}}}}"#),
            "file name: medium",
        ),
        (
            r#"{"identity":[{"field":"hash","confidence":0.1},{"field":"purl","confidence":0.9}]}"#
                .into(),
            "its maker: high",
        ),
        (
            r#"{"identity":[{"field":"purl","confidence":0,"methods":[{"technique":"other"}]}]}"#
                .into(),
            "other: none",
        ),
    ] {
        assert_eq!(identified(&evidence, "").as_deref(), Some(expected), "{evidence}");
        let own = r#","properties":[{"name":"lazaret:identified","value":"content, high"}]"#;
        assert_eq!(identified(&evidence, own).as_deref(), Some("content: high"));
    }
    for evidence in [
        r#"{"identity":[{"field":"purl","confidence":1}]}"#,
        r#"{"identity":[{"field":"purl","confidence":-1}]}"#,
        r#"{"identity":[{"field":"purl"}]}"#,
        r#"{"identity":[{"field":"hash","confidence":0.5}]}"#,
        r#"{"identity":7}"#,
        r#"{"identity":{"field":[]}}"#,
        r#"{"identity":[]}"#,
        "{}",
    ] {
        assert_eq!(identified(evidence, ""), None, "{evidence}");
    }
}

#[test]
fn what_is_incomplete_by_its_maker_is_said_to_be() {
    let document = read(
        br#"{"bomFormat":"CycloneDX","specVersion":"1.6","compositions":[{"aggregate":"incomplete_first_party_only"}]}"#,
    )
    .unwrap();
    assert_eq!(document.coverage[0].status, vocabulary::Status::Partial);
    let document = read(
        br#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"properties":[
            {"name":"lazaret:coverage:dpkg","value":"failed: layer 1"},
            {"name":"lazaret:coverage:vulnerabilities:npm","value":"skipped: no database"}]}}"#,
    )
    .unwrap();
    assert_eq!(document.coverage.len(), 1);
    assert_eq!(document.coverage[0].check, "dpkg");
}

#[test]
fn what_is_no_bill_says_so_and_what_to_do() {
    let refused = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            refused(""),
            refused("{}"),
            refused("[1]"),
            refused(r#"{"bomFormat":"CycloneDX","specVersion":"9.9"}"#),
            refused(r#"{"bomFormat":"CycloneDX","components":7}"#),
            refused(r#"{"spdxVersion":"SPDX-1.0"}"#),
            refused(r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#),
            refused(r#"{"schema":"lazaret.packages/9"}"#),
        ]
        .join("\n")
    );
}

#[test]
fn a_document_cut_or_changed_anywhere_is_no_panic() {
    for text in [TRIVY, SYFT] {
        for end in 0..text.len() {
            let _ = read(&text.as_bytes()[..end]);
            let mut bytes = text.as_bytes().to_vec();
            bytes[end] ^= 0x15;
            let _ = read(&bytes);
        }
    }
    for open in [r#"{"components":["#, "[", r#"{"predicate":"#] {
        let head = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":["#;
        assert!(read(format!("{head}{}", open.repeat(100_000)).as_bytes()).is_err());
    }
}
