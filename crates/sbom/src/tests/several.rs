//! Several documents of one thing: lines of attestations, and bills that are put together.

use super::{listed, read};
use crate::merged;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn line(kind: &str, predicate: &str) -> String {
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"{kind}","subject":[],"predicate":{predicate}}}"#
    );
    let payload = STANDARD.encode(statement);
    format!(
        r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[{{"sig":"eA=="}}]}}"#
    )
}

fn bill(components: &str) -> String {
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{components}]}}"#)
}

const A: &str = r#"{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"}"#;
const B: &str = r#"{"type":"library","name":"b","version":"1","purl":"pkg:npm/b@1"}"#;
const CYCLONEDX: &str = "https://cyclonedx.org/bom";

#[test]
fn lines_of_attestations_are_read_each_and_other_statements_are_none() {
    let lines = [
        line("https://slsa.dev/provenance/v1", "{}"),
        line(CYCLONEDX, &bill(A)),
        String::new(),
        line(CYCLONEDX, &bill(&format!("{A},{B}"))),
    ];
    let document = read(lines.join("\n").as_bytes()).unwrap();
    assert_eq!(listed(&document), ["pkg:npm/a@1", "pkg:npm/b@1"]);
    assert!(document.form.contains("signatures were not verified"), "{}", document.form);
    assert!(document.problems.is_empty(), "{:?}", document.problems);
    // None among them is an error that says what was found.
    let none = [line("https://slsa.dev/provenance/v1", "{}"), line("https://other.test", "{}")];
    let error = read(none.join("\n").as_bytes()).unwrap_err().to_string();
    assert!(error.contains("`https://slsa.dev/provenance/v1`"), "{error}");
    // One that cannot be read is said, and so are more than there is room for.
    let torn = [line(CYCLONEDX, &bill(A)), r#"{"payloadType":"x","payload":"!"}"#.to_owned()];
    let document = read(torn.join("\n").as_bytes()).unwrap();
    assert_eq!(document.problems[0].path, "line 2");
    let many = vec![line(CYCLONEDX, &bill(A)); 65].join("\n");
    let document = read(many.as_bytes()).unwrap();
    assert_eq!(document.components.len(), 1);
    assert_eq!(document.problems[0].path, "line 65");
}

#[test]
fn a_document_of_several_lines_is_one() {
    let pretty = bill(&format!("{A},\n{B}")).replace(",\"", ",\n\"");
    assert_eq!(listed(&read(pretty.as_bytes()).unwrap()).len(), 2);
    let torn = format!("{}\n}}", bill(A));
    assert!(read(torn.as_bytes()).is_err());
}

#[test]
fn bills_that_are_put_together_hide_nothing_of_each_other() {
    let of = |components: &str| read(bill(components).as_bytes()).unwrap();
    let deb = |more: &str| {
        format!(
            r#"{{"name":"libx","version":"1","purl":"pkg:deb/debian/libx@1?arch=amd64{more}"}}"#
        )
    };
    let os = |release: &str| {
        format!(r#"{{"type":"operating-system","name":"debian","version":"{release}"}}"#)
    };
    let whole = merged(vec![
        of(&format!("{A},{},{}", deb(""), os("12"))),
        of(&format!("{B},{}", os("11"))),
        of(&deb("&upstream=x-source")),
        of(&deb("&upstream=another&distro=debian-12")),
    ]);
    assert_eq!(
        listed(&whole),
        [
            "pkg:npm/a@1",
            "pkg:deb/debian/libx@1?arch=amd64",
            "pkg:npm/b@1",
            "pkg:deb/debian/libx@1?arch=amd64&upstream=x-source"
        ]
    );
    assert!(whole.problems[0].reason.contains("second distribution"), "{:?}", whole.problems);
    assert_eq!(whole.form, "CycloneDX 1.5");
    assert_eq!(merged(Vec::new()), crate::Document::default());
}
