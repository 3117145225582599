//! Documents as tools write them, and such as nobody should.

mod relations;
mod several;
mod subject;

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
    let often = format!("{}{SYFT}{}", r#"{"sbom":"#.repeat(9), "}".repeat(9));
    assert!(matches!(read(often.as_bytes()), Err(SbomError::Unknown { .. })));
}

/// As the Maven plugin writes it.
const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.4" serialNumber="urn:uuid:1" version="1">
  <metadata><component type="library" bom-ref="pkg:maven/org.acme/shop@1"><group>org.acme</group>
    <name>shop</name><version>1</version><purl>pkg:maven/org.acme/shop@1</purl></component></metadata>
  <components>
    <component type="operating-system"><name>debian</name><version>11 (bullseye)</version></component>
    <component type="library" bom-ref="a"><group>org.acme</group><name>lib</name><version>1.0&amp;b</version>
      <hashes><hash alg="MD5">00</hash></hashes>
      <licenses><license><id>MIT</id></license><license><name><![CDATA[Of <our> own]]></name></license></licenses>
      <purl>pkg:maven/org.acme/lib@1.0?type=jar</purl>
      <properties><property name="aquasecurity:trivy:FilePath">/srv/lib.jar</property></properties>
      <components><component type="library"><name>inner</name><version>2</version></component></components>
    </component>
  </components>
  <dependencies><dependency ref="pkg:maven/org.acme/shop@1"><dependency ref="a"/>
    <dependency ref="pkg:maven/org.acme/other@3"/><dependency ref="lost"/></dependency></dependencies>
</bom>"#;

/// As the SPDX tools write it.
const TAGS: &str = "SPDXVersion: SPDX-2.2
SPDXID: SPDXRef-DOCUMENT
DocumentName: shop
Creator: Tool: tools-1

PackageName: debian
SPDXID: SPDXRef-os
PackageVersion: 11

# a remark
PackageName: lodash
SPDXID: SPDXRef-Package-lodash
PackageVersion: 4.17.20
PackageLicenseDeclared: MIT
PackageComment: <text>Of several
lines: one
PackageName: not one</text>
ExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.20
ExternalRef: SECURITY cpe23Type cpe:2.3:a:lodash:lodash:4.17.20

FileName: ./a.js
SPDXID: SPDXRef-File
Relationship: SPDXRef-Package-lodash CONTAINS SPDXRef-File
Relationship: SPDXRef-DOCUMENT DESCRIBES DocumentRef-base:SPDXRef-all
SPDXREF: SPDXRef-Package-lodash
AnnotationComment: <text>lazaret:origin=base</text>
";

/// SPDX 3.
const LINKED: &str = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
  {"type":"CreationInfo","@id":"_:creation","specVersion":"3.0.1"},
  {"type":"SpdxDocument","spdxId":"urn:d","rootElement":["urn:sbom"]},
  {"type":"software_Sbom","spdxId":"urn:sbom","rootElement":["urn:shop"]},
  {"type":"software_Package","spdxId":"urn:shop","name":"shop","software_primaryPurpose":"container"},
  {"type":"software_Package","spdxId":"urn:a","name":"lodash","software_packageVersion":"4.17.20",
   "software_packageUrl":"pkg:npm/lodash@4.17.20","externalIdentifier":null},
  {"type":"software_Package","spdxId":"urn:b","name":"b","externalIdentifier":[
   {"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:npm/b@1"}]},
  {"type":"simplelicensing_LicenseExpression","spdxId":"urn:mit","simplelicensing_licenseExpression":"MIT"},
  {"type":"Relationship","spdxId":"urn:r","from":"urn:a","relationshipType":"hasDeclaredLicense","to":["urn:mit"]},
  {"type":"Relationship","spdxId":"urn:s","from":"urn:a","relationshipType":"dependsOn","to":["urn:b","urn:lost"]}]}"#;

/// Syft's own.
const SYFT_JSON: &str = r#"{"artifacts":[{"id":"x","name":"libopensel3","version":"3.0.1-1","type":"deb",
  "purl":"pkg:deb/debian/libopensel3@3.0.1-1?arch=amd64&distro=debian-12","locations":[{"path":"/var/lib/dpkg/status"}],
  "licenses":["MIT",{"value":"x","spdxExpression":"ISC"},{"value":"Own","spdxExpression":""}],
  "metadata":{"source":"opensel","sourceVersion":"3.0.1-2","architecture":"amd64","files":[1]}},
  {"id":"y","name":"lodash","version":"1","purl":"pkg:npm/lodash@1","locations":null,"licenses":null,"metadata":null}],
  "artifactRelationships":[],"source":{"type":"image","target":{"userInput":"shop:1"}},
  "distro":{"prettyName":"Debian 12","id":"debian","versionID":"12","versionCodename":"bookworm","idLike":["x"]},
  "descriptor":{"name":"syft","version":"1"},"schema":{"version":"16.0.0","url":"https://x.example/schema.json"}}"#;

fn listed(document: &Document) -> Vec<String> {
    let one = |component: &Component| {
        component
            .purl
            .clone()
            .unwrap_or_else(|| format!("{} {}", component.name, component.version))
    };
    document.components.iter().map(one).collect()
}

#[test]
fn cyclonedx_as_xml_is_read_like_its_json() {
    let document = read(XML.as_bytes()).unwrap();
    assert_eq!(document.form, "CycloneDX 1.4");
    assert_eq!(document.name.as_deref(), Some("shop"));
    assert_eq!(
        listed(&document),
        ["pkg:maven/org.acme/lib@1.0?type=jar", "inner 2", "pkg:maven/org.acme/other@3"]
    );
    let library = &document.components[0];
    assert_eq!(library.version, "1.0&b");
    assert_eq!(library.licences, ["MIT", "Of <our> own"]);
    assert_eq!(library.stated.path.as_deref(), Some("srv/lib.jar"));
    let distribution = document.distribution.unwrap();
    assert_eq!((distribution.id.as_str(), distribution.version.as_str()), ("debian", "11"));
    assert_eq!(document.problems.len(), 1);
    assert_eq!(document.problems[0].path, "lost");
}

#[test]
fn spdx_as_tags_and_as_linked_data_is_read_like_its_json() {
    let document = read(TAGS.as_bytes()).unwrap();
    assert_eq!(document.form, "SPDX 2.2");
    assert_eq!(listed(&document), ["pkg:npm/lodash@4.17.20"]);
    let package = &document.components[0];
    assert_eq!((package.name.as_str(), &package.licences[..]), ("lodash", &["MIT".to_owned()][..]));
    assert_eq!(package.stated.origin, Some(OriginKind::Base));
    assert_eq!(document.distribution.unwrap().version, "11");
    assert!(document.problems[0].reason.contains("in another document"), "{:?}", document.problems);
    let document = read(LINKED.as_bytes()).unwrap();
    assert_eq!(document.form, "SPDX 3.0.1");
    assert_eq!(document.name.as_deref(), Some("shop"));
    assert_eq!(listed(&document), ["pkg:npm/lodash@4.17.20", "pkg:npm/b@1"]);
    assert_eq!(document.components[0].licences, ["MIT"]);
    assert_eq!(document.problems[0].path, "urn:lost");
}

#[test]
fn syfts_own_json_gives_packages_with_their_sources() {
    let document = read(SYFT_JSON.as_bytes()).unwrap();
    assert_eq!(
        (document.form.as_str(), document.name.as_deref()),
        ("Syft JSON 16.0.0", Some("shop:1"))
    );
    let [library, lodash] = document.components.as_slice() else { panic!() };
    assert_eq!(library.stated.source(), Some(("opensel".into(), Some("3.0.1-2".into()))));
    assert_eq!(library.stated.path.as_deref(), Some("var/lib/dpkg/status"));
    assert_eq!(library.licences, ["MIT", "ISC", "Own"]);
    assert_eq!(lodash.purl.as_deref(), Some("pkg:npm/lodash@1"));
    assert_eq!(document.distribution.unwrap().codename.as_deref(), Some("bookworm"));
}

#[test]
fn a_dependency_snapshot_gives_its_packages_at_their_manifests() {
    let text = r#"{"version":0,"sha":"x","detector":{"name":"d"},"manifests":{"package-lock.json":
        {"file":{"source_location":"src/package-lock.json"},"resolved":{"a":{"package_url":"pkg:npm/a@1"},
        "b":{"dependencies":[]}}},"empty":{"resolved":null}}}"#;
    let document = read(text.as_bytes()).unwrap();
    assert_eq!(listed(&document), ["pkg:npm/a@1", "b "]);
    assert_eq!(document.components[0].stated.path.as_deref(), Some("src/package-lock.json"));
}

#[test]
fn null_is_what_is_empty_in_every_form() {
    let component = r#"{"type":"library","name":"a","purl":"pkg:npm/a@1","licenses":null,"properties":null,
        "evidence":null,"components":null,"group":null,"version":null,"hashes":null}"#;
    for (members, count) in [
        (r#""components":null"#.to_owned(), 0),
        (format!(r#""components":[{component}],"metadata":null,"compositions":null"#), 1),
        (format!(r#""components":[{component},null],"dependencies":null,"services":null"#), 2),
        (
            format!(
                r#""components":[{component}],"metadata":{{"component":null,"properties":null}},
                "dependencies":[{{"ref":null,"dependsOn":null}}]"#
            ),
            1,
        ),
    ] {
        let text = format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.4",{members}}}"#);
        let document = read(text.as_bytes()).unwrap();
        assert_eq!(document.components.len(), count, "{text}");
        assert!(document.problems.is_empty());
    }
    for members in [
        r#""packages":null"#,
        r#""packages":[{"name":"a","externalRefs":null,"annotations":null,"licenseDeclared":null}],"relationships":null"#,
        r#""files":null,"snippets":null,"documentDescribes":null,"creationInfo":null,"annotations":null"#,
        r#""creationInfo":{"creators":null}"#,
    ] {
        let text = format!(r#"{{"spdxVersion":"SPDX-2.3",{members}}}"#);
        assert!(read(text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn what_lies_around_a_document_is_unpacked() {
    use base64::Engine as _;
    let code = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let statement = |predicate: &str| {
        format!(
            r#"{{"_type":"x","predicateType":"https://cyclonedx.org/bom","predicate":{predicate}}}"#
        )
    };
    let envelope = |statement: &str| {
        let payload = code(statement);
        format!(
            r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#
        )
    };
    let text = serde_json::to_string(TAGS).unwrap();
    for (whole, count) in [
        (envelope(&statement(TRIVY)), 4),
        (envelope(&statement(&format!(r#"{{"Data":{TRIVY},"Timestamp":"x"}}"#))), 4),
        (format!(r#"{{"mediaType":"x","dsseEnvelope":{}}}"#, envelope(&statement(&text))), 1),
    ] {
        let document = read(whole.as_bytes()).unwrap();
        assert_eq!(document.components.len(), count);
        assert!(document.form.ends_with("signatures were not verified"), "{}", document.form);
    }
}

#[test]
fn packed_documents_and_those_of_other_encodings_are_read() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(XML.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let wide = |text: &str, mark: bool| -> Vec<u8> {
        let mark = if mark { "\u{feff}" } else { "" };
        mark.encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let big: Vec<u8> = XML.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin = XML.replace("UTF-8", "ISO-8859-1").replace("lib</name>", "\u{e9}</name>");
    let latin: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    for bytes in [
        packed,
        wide(TRIVY, true),
        wide(SYFT, false),
        wide(TAGS, true),
        big,
        format!("\u{feff}{TAGS}").into_bytes(),
        latin.clone(),
    ] {
        assert!(looks_like_one(&bytes), "{:?}", &bytes[..8]);
        assert!(!read(&bytes).unwrap().components.is_empty(), "{:?}", &bytes[..8]);
    }
    assert_eq!(read(&latin).unwrap().components[0].name, "\u{e9}");
    for other in [&b"{"[..0], b"\x7fELF", b"PK\x03\x04", b"#!/bin/sh", b"\x1f\x8b\x08"] {
        assert!(!looks_like_one(other));
    }
}

#[test]
fn two_components_of_one_reference_are_both_read() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
        {"bom-ref":"a","name":"a","purl":"pkg:npm/a@1"},{"bom-ref":"a","name":"b","purl":"pkg:npm/b@1"}],
        "dependencies":[{"ref":"a","dependsOn":["pkg:npm/c@1","pkg:npm/c@1"]}]}"#;
    let document = read(text.as_bytes()).unwrap();
    assert_eq!(listed(&document), ["pkg:npm/a@1", "pkg:npm/b@1", "pkg:npm/c@1"]);
}

#[test]
fn every_package_url_of_a_package_is_listed() {
    let purls = |text: &str| {
        let document = read(text.as_bytes()).unwrap();
        let mut purls: Vec<_> =
            document.components.iter().filter_map(|one| one.purl.clone()).collect();
        purls.sort();
        purls
    };
    let both = ["pkg:npm/lodash@4.17.20", "pkg:npm/own@1"];
    let reference = |purl: &str| {
        format!(
            r#"{{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"{purl}"}}"#
        )
    };
    let references = [both[1], both[0], both[0]].map(reference).join(",");
    let json = format!(
        r#"{{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[{{"SPDXID":"SPDXRef-a",
            "name":"own","versionInfo":"1","externalRefs":[{references}]}}]}}"#
    );
    assert_eq!(purls(&json), both);
    let tags = "SPDXVersion: SPDX-2.3\nPackageName: own\nSPDXID: SPDXRef-a\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:npm/own@1\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.20\n";
    assert_eq!(purls(tags), both);
    let linked = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"software_Package","spdxId":"urn:a","name":"own","software_packageUrl":"pkg:npm/own@1",
         "externalIdentifier":[{"externalIdentifierType":"packageUrl","identifier":"pkg:npm/own@1"},
          {"externalIdentifierType":"packageUrl","identifier":"pkg:npm/lodash@4.17.20"}]}]}"#;
    assert_eq!(purls(linked), both);
}

#[test]
fn other_documents_that_one_names_are_said_not_to_be_read() {
    let problems = |text: &str| {
        let problems = read(text.as_bytes()).unwrap().problems;
        problems.into_iter().map(|one| format!("{}: {}", one.path, one.reason)).collect::<Vec<_>>()
    };
    let json = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","externalDocumentRefs":[
        {"externalDocumentId":"DocumentRef-a","spdxDocument":"https://a.test/a"},
        {"externalDocumentId":"DocumentRef-b","spdxDocument":"https://a.test/b"}]}"#;
    let several = problems(json);
    assert_eq!(several.len(), 1);
    assert!(several[0].starts_with("https://a.test/a: the first of 2 other"), "{several:?}");
    let tags = "SPDXVersion: SPDX-2.3\n\
        ExternalDocumentRef: DocumentRef-a https://a.test/a SHA1: 00\n";
    let one = "https://a.test/a: another document that this one names, and that was not read: \
        scan it, too";
    assert_eq!(problems(tags), [one]);
    let linked = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"SpdxDocument","spdxId":"urn:d","import":[{"externalSpdxId":"https://a.test/a"},
         {"externalSpdxId":"http://spdx.org/licenses/MIT"}]}]}"#;
    assert_eq!(problems(linked), [one]);
}

#[test]
fn a_release_is_told_from_every_tools_words() {
    for (name, release, id, version, codename) in [
        ("debian", "11.6", "debian", "11.6", None),
        ("debian", "11 (bullseye)", "debian", "11", Some("bullseye")),
        ("Debian GNU/Linux", "bullseye", "debian", "", Some("bullseye")),
        ("Ubuntu", "22.04 LTS", "Ubuntu", "22.04", None),
        ("Alpine Linux 3.18", "", "alpine", "3.18", None),
        ("redhat", "8.9", "rhel", "8.9", None),
    ] {
        let told = distribution(name, release);
        assert_eq!(
            (told.id.as_str(), told.version.as_str(), told.codename.as_deref()),
            (id, version, codename),
            "{name} {release}"
        );
    }
}

#[test]
fn a_second_distribution_is_said_to_be_there() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
        {"type":"operating-system","name":"debian","version":"12"},{"type":"operating-system","name":"alpine","version":"3.20"}]}"#;
    let document = read(text.as_bytes()).unwrap();
    assert_eq!(document.distribution.unwrap().id, "debian");
    assert_eq!(document.problems[0].path, "alpine 3.20");
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
            refused(r#"{"version":"2.1.0","runs":[]}"#),
            refused(r#"{"SchemaVersion":2,"Results":[]}"#),
            refused(r#"{"_type":"x","predicateType":"https://slsa.dev/provenance/v1","predicate":{}}"#),
            refused("spdxVersion: SPDX-2.3"),
            refused("hello"),
            refused("<?xml version='1.0'?><project/>"),
            refused("<!DOCTYPE bom [<!ENTITY a 'b'>]><bom>&a;</bom>"),
            refused("<bom xmlns='http://cyclonedx.org/schema/bom/1.4'><components><component><name>&own;"),
            refused("<bom xmlns='http://cyclonedx.org/schema/bom/1.4'><components>"),
            refused("<bom xmlns='http://cyclonedx.org/schema/bom/9.9'/>"),
            refused("SPDXVersion: SPDX-2.1"),
            refused("SPDXVersion: SPDX-2.3\nRelationship: a"),
            refused("BZh91AY"),
            refused(r#"{"schema":"lazaret.packages/9"}"#),
        ]
        .join("\n")
    );
}

#[test]
fn a_document_cut_or_changed_anywhere_is_no_panic() {
    for text in [TRIVY, SYFT, XML, TAGS, LINKED, SYFT_JSON] {
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

#[test]
fn the_tools_that_made_a_document_are_described_in_it() {
    let with = |tools: &str| {
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"tools":{tools}}},
            "components":[{{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"}}],
            "dependencies":[{{"ref":"t","dependsOn":["u"]}}]}}"#
        );
        read(text.as_bytes()).unwrap().problems.len()
    };
    let described =
        r#"{"components":[{"bom-ref":"t","name":"x"},{"bom-ref":"u","components":null}]}"#;
    assert_eq!(with(described), 0);
    assert_eq!(with(r#"{"services":[{"bom-ref":"t"},{"bom-ref":"u"}],"components":null}"#), 0);
    assert!(with(r#"[{"vendor":"x","name":"y"}]"#) > 0);
}
