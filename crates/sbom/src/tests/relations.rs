//! Who needs whom, and for what, in every form.

use super::read;
use crate::Document;
use vocabulary::{Relation, Scope};

/// Package URL, relation, scope, and what it needs, of each component.
fn told(document: &Document) -> Vec<String> {
    let line = |one: &crate::Component| {
        let relation = one.relation.map_or("-", |relation| match relation {
            Relation::Direct => "direct",
            Relation::Indirect => "indirect",
        });
        let scope = one.scope.map_or("-", |scope| match scope {
            Scope::Runtime => "runtime",
            Scope::Optional => "optional",
            Scope::Development => "development",
        });
        let purl = one.purl.as_deref().unwrap_or(&one.name);
        format!("{purl} {relation} {scope} {}", one.requires.join(",")).trim_end().to_owned()
    };
    let mut lines: Vec<String> = document.components.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn cyclonedx_says_it_by_references_and_scopes() {
    let json = r#"{"bomFormat":"CycloneDX","specVersion":"1.6",
        "metadata":{"component":{"type":"application","name":"root","bom-ref":"root"}},
        "components":[{"type":"library","bom-ref":"1","name":"a","version":"1","purl":"pkg:npm/a@1","scope":"required"},
        {"type":"library","bom-ref":"2","name":"b","version":"1","purl":"pkg:npm/b@1","scope":"excluded"},
        {"type":"library","bom-ref":"3","name":"c","version":"1","purl":"pkg:npm/c@1","scope":"optional",
         "properties":[{"name":"lazaret:scope","value":"runtime"},{"name":"lazaret:relation","value":"direct"}]},
        {"type":"library","bom-ref":"4","name":"unasked","version":"1","purl":"pkg:npm/unasked@1"}],
        "dependencies":[{"ref":"root","dependsOn":["1","2"]},{"ref":"1","dependsOn":["3","1"]},{"ref":"2","dependsOn":["1","3"]}]}"#;
    assert_eq!(
        told(&read(json.as_bytes()).unwrap()),
        [
            "pkg:npm/a@1 direct runtime pkg:npm/c@1",
            "pkg:npm/b@1 direct development pkg:npm/a@1,pkg:npm/c@1",
            "pkg:npm/c@1 direct runtime",
            "pkg:npm/unasked@1 - -",
        ]
    );
    let xml = r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata><component type="application" bom-ref="root">
        <name>root</name></component></metadata><components>
        <component type="library" bom-ref="1"><name>a</name><version>1</version><scope>excluded</scope><purl>pkg:npm/a@1</purl></component>
        <component type="library" bom-ref="2"><name>b</name><version>1</version><purl>pkg:npm/b@1</purl></component></components>
        <dependencies><dependency ref="root"><dependency ref="1"/></dependency><dependency ref="1"><dependency ref="2"/></dependency></dependencies></bom>"#;
    assert_eq!(
        told(&read(xml.as_bytes()).unwrap()),
        ["pkg:npm/a@1 direct development pkg:npm/b@1", "pkg:npm/b@1 indirect -"]
    );
}

#[test]
fn below_a_root_whose_needs_are_not_known_nothing_is_direct() {
    let json = |composition: &str| {
        format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6",
            "metadata":{{"component":{{"type":"application","name":"root","bom-ref":"root"}}}},
            "components":[{{"type":"library","bom-ref":"1","name":"a","version":"1","purl":"pkg:npm/a@1"}},
            {{"type":"library","bom-ref":"2","name":"b","version":"1","purl":"pkg:npm/b@1"}}],
            "dependencies":[{{"ref":"root","dependsOn":["1"]}},{{"ref":"1","dependsOn":["2"]}}],
            "compositions":[{composition}]}}"#
        )
    };
    let xml = |composition: &str| {
        format!(
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata><component type="application" bom-ref="root">
            <name>root</name></component></metadata><components>
            <component type="library" bom-ref="1"><name>a</name><version>1</version><purl>pkg:npm/a@1</purl></component>
            <component type="library" bom-ref="2"><name>b</name><version>1</version><purl>pkg:npm/b@1</purl></component></components>
            <dependencies><dependency ref="root"><dependency ref="1"/></dependency><dependency ref="1"><dependency ref="2"/></dependency></dependencies>
            <compositions><composition>{composition}</composition></compositions></bom>"#
        )
    };
    let unknown = ["pkg:npm/a@1 - - pkg:npm/b@1", "pkg:npm/b@1 - -"];
    let known = ["pkg:npm/a@1 direct - pkg:npm/b@1", "pkg:npm/b@1 indirect -"];
    for (aggregate, named, expected) in [
        ("unknown", "root", unknown),
        ("incomplete", "root", unknown),
        ("incomplete_third_party_only", "root", unknown),
        ("not_specified", "", unknown),
        ("unknown", "1", known),
        ("complete", "root", known),
    ] {
        let list = if named.is_empty() { String::new() } else { format!("\"{named}\"") };
        let text = json(&format!(r#"{{"aggregate":"{aggregate}","dependencies":[{list}]}}"#));
        assert_eq!(told(&read(text.as_bytes()).unwrap()), expected, "{aggregate} {named}");
        let list = if named.is_empty() {
            String::new()
        } else {
            format!(r#"<dependencies><dependency ref="{named}"/></dependencies>"#)
        };
        let text = xml(&format!("<aggregate>{aggregate}</aggregate>{list}"));
        assert_eq!(told(&read(text.as_bytes()).unwrap()), expected, "{aggregate} {named}");
    }
}

#[test]
fn of_a_package_of_ours_only_what_is_said_counts() {
    let json = r#"{"bomFormat":"CycloneDX","specVersion":"1.6",
        "metadata":{"component":{"type":"application","name":"root","bom-ref":"root"}},
        "components":[{"type":"library","bom-ref":"1","name":"a","version":"1","purl":"pkg:npm/a@1","scope":"required",
         "properties":[{"name":"lazaret:ecosystem","value":"npm"}]}],
        "dependencies":[{"ref":"root","dependsOn":["1"]}]}"#;
    assert_eq!(told(&read(json.as_bytes()).unwrap()), ["pkg:npm/a@1 - -"]);
}

#[test]
fn nobody_asked_for_what_an_image_is_made_of() {
    let json = r#"{"bomFormat":"CycloneDX","specVersion":"1.6",
        "metadata":{"component":{"type":"container","name":"shop","bom-ref":"root"}},
        "components":[{"type":"library","bom-ref":"1","name":"a","version":"1","purl":"pkg:npm/a@1"}],
        "dependencies":[{"ref":"root","dependsOn":["1"]}]}"#;
    assert_eq!(told(&read(json.as_bytes()).unwrap()), ["pkg:npm/a@1 - -"]);
}

#[test]
fn spdx_says_it_by_relationships_of_many_names() {
    let tags = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\n\
        PackageName: root\nSPDXID: SPDXRef-root\nPrimaryPackagePurpose: APPLICATION\n\
        PackageVerificationCode: d6a770ba38583ed4bb4525bd96e50461655d2758 (excludes: ./package.spdx)\n\
        PackageLicenseComments: <text>Several\nlines: with a colon\nPackageName: not one</text>\n\
        PackageName: a\nSPDXID: SPDXRef-a\nPackageVersion: 1\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n\
        PackageName: b\nSPDXID: SPDXRef-b\nPackageVersion: 1\nExternalRef: PACKAGE_MANAGER purl pkg:npm/b@1\n\
        PackageName: c\nSPDXID: SPDXRef-c\nPackageVersion: 1\nExternalRef: PACKAGE-MANAGER purl pkg:npm/c@1\n\
        Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-root\n\
        RelationshipComment: <text>of two\nlines</text>\n\
        Relationship: SPDXRef-root DEPENDS_ON SPDXRef-a\n\
        Relationship: SPDXRef-b DEV_DEPENDENCY_OF SPDXRef-root\n\
        Relationship: SPDXRef-c OPTIONAL_DEPENDENCY_OF SPDXRef-a\n\
        Relationship: SPDXRef-c TEST_DEPENDENCY_OF SPDXRef-b\n\
        Relationship: SPDXRef-root CONTAINS NOASSERTION\n";
    let expected = [
        "pkg:npm/a@1 direct - pkg:npm/c@1",
        "pkg:npm/b@1 direct development pkg:npm/c@1",
        "pkg:npm/c@1 indirect optional",
    ];
    let document = read(tags.as_bytes()).unwrap();
    assert_eq!(told(&document), expected);
    assert!(document.problems.is_empty(), "{:?}", document.problems);
    let linked = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"SpdxDocument","spdxId":"urn:d","rootElement":["urn:root"]},
        {"type":"software_Package","spdxId":"urn:root","name":"root","software_primaryPurpose":"application"},
        {"type":"software_Package","spdxId":"urn:a","name":"a","software_packageUrl":"pkg:npm/a@1"},
        {"type":"software_Package","spdxId":"urn:b","name":"b","software_packageUrl":"pkg:npm/b@1"},
        {"type":"software_Package","spdxId":"urn:c","name":"c","software_packageUrl":"pkg:npm/c@1"},
        {"type":"Relationship","spdxId":"urn:1","from":"urn:root","relationshipType":"dependsOn","to":["urn:a"]},
        {"type":"LifecycleScopedRelationship","spdxId":"urn:2","scope":"development","from":"urn:root","relationshipType":"dependsOn","to":["urn:b"]},
        {"type":"Relationship","spdxId":"urn:3","from":"urn:a","relationshipType":"hasOptionalDependency","to":["urn:c"]},
        {"type":"LifecycleScopedRelationship","spdxId":"urn:4","scope":"test","from":"urn:b","relationshipType":"dependsOn","to":["urn:c"]}]}"#;
    assert_eq!(told(&read(linked.as_bytes()).unwrap()), expected);
}

#[test]
fn syft_and_github_say_it_their_own_way() {
    let syft = r#"{"schema":{"version":"16.0.33","url":"https://host.test/schema-16.0.33.json"},
        "source":{"id":"0","name":"shop","version":"sha256:0","type":"image","metadata":{"userInput":"shop:1"}},
        "artifacts":[{"id":"1","name":"a","version":"1","type":"npm","purl":"pkg:npm/a@1","locations":[{"path":"/a","accessPath":"/a","annotations":{"evidence":"primary"}}],
          "licenses":[{"value":"MIT","spdxExpression":"MIT","type":"declared","urls":[],"locations":[]}],"cpes":[{"cpe":"cpe:2.3:a","source":"x"}],
          "metadataType":"javascript-npm-package","metadata":{"name":"a"}},
         {"id":"2","name":"b","version":"1","type":"npm","purl":"pkg:npm/b@1","locations":null,"licenses":null,"metadata":null}],
        "artifactRelationships":[{"parent":"2","child":"1","type":"dependency-of"},{"parent":"0","child":"1","type":"contains"},
         {"parent":"1","child":"f","type":"evident-by","metadata":{"kind":"primary"}}]}"#;
    let document = read(syft.as_bytes()).unwrap();
    assert_eq!(told(&document), ["pkg:npm/a@1 - - pkg:npm/b@1", "pkg:npm/b@1 - -"]);
    assert_eq!(document.form, "Syft JSON 16.0.33");
    let github = r#"{"version":0,"detector":{"name":"x"},"manifests":{"package-lock.json":{"file":{"source_location":"package-lock.json"},
        "resolved":{"a":{"package_url":"pkg:npm/a@1","relationship":"direct","scope":"development","dependencies":["pkg:npm/b@1"]},
        "b":{"package_url":"pkg:npm/b@1","relationship":"indirect","scope":"runtime"}}}}}"#;
    assert_eq!(
        told(&read(github.as_bytes()).unwrap()),
        ["pkg:npm/a@1 direct development pkg:npm/b@1", "pkg:npm/b@1 indirect runtime"]
    );
}
