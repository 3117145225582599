use super::*;
use crate::language::testing::{purls, resolve};
use proptest::prelude::*;

const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: Foo.Bar_baz\nVersion: 1.2.post3\n\
    License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n\
    Classifier: Programming Language :: Python\n\nName: not-this\nVersion: 9\n";

#[test]
fn a_dist_info_is_a_package_with_normalised_name_and_files() {
    let record = b"foo/__init__.py,sha256=x,1\n../../../bin/foo,,\n\"odd,\"\"name.py\",,\n\
        /abs/file,,\n../../../../../../../etc/passwd,,\n";
    let base = "usr/local/lib/python3.11/site-packages";
    let resolution = resolve(
        &Python,
        &[
            (&format!("{base}/Foo.Bar_baz-1.2.dist-info/METADATA"), METADATA),
            (&format!("{base}/Foo.Bar_baz-1.2.dist-info/RECORD"), record),
        ],
    );
    let [one] = &resolution.packages[..] else { panic!("{resolution:?}") };
    assert_eq!(one.package.purl.to_string(), "pkg:pypi/foo-bar-baz@1.2.post3");
    assert_eq!(one.package.name, "foo-bar-baz");
    assert_eq!(one.package.licences, ["MIT License"]);
    assert_eq!(one.package.layer, Some(0));
    assert_eq!(one.proof, None);
    assert_eq!(
        one.package.files,
        [
            &format!("{base}/foo/__init__.py"),
            "usr/local/bin/foo",
            &format!("{base}/odd,\"name.py"),
            "abs/file"
        ]
    );
}

#[test]
fn every_form_of_egg_is_a_package() {
    let info = |name: &str| format!("Name: {name}\r\nVersion: 1\r\n\r\nText").into_bytes();
    let resolution = resolve(
        &Python,
        &[
            ("usr/lib/python3/dist-packages/a-1.egg-info/PKG-INFO", &info("a")),
            (
                "usr/lib/python3/dist-packages/a-1.egg-info/installed-files.txt",
                b"../a.py\nPKG-INFO",
            ),
            ("usr/lib/python3/dist-packages/b-1-py3.egg-info", &info("b")),
            ("opt/c-1-py3.egg/EGG-INFO/PKG-INFO", &info("c")),
            ("src/elsewhere/PKG-INFO", &info("d")),
            ("src/METADATA", &info("e")),
            ("usr/lib/python2.7/lib-dynload/Python-2.7.18.egg-info", &info("Python")),
        ],
    );
    assert_eq!(purls(&resolution), ["pkg:pypi/a@1", "pkg:pypi/b@1", "pkg:pypi/c@1"]);
    let a = resolution.packages.iter().find(|one| one.package.name == "a").unwrap();
    assert!(a.proof.is_some());
    assert_eq!(
        a.package.files,
        [
            "usr/lib/python3/dist-packages/a.py",
            "usr/lib/python3/dist-packages/a-1.egg-info/PKG-INFO"
        ]
    );
}

#[test]
fn the_expression_counts_before_the_licence_and_a_licence_text_is_no_name() {
    let licences = |text: &str| {
        metadata::parse(format!("Name: a\nVersion: 1\n{text}\n\n").as_bytes()).unwrap().licences
    };
    assert_eq!(
        licences("License: Old\nLicense-Expression: MIT OR Apache-2.0"),
        ["MIT OR Apache-2.0"]
    );
    assert_eq!(
        licences("License: BSD\nClassifier: License :: OSI Approved :: MIT License"),
        ["BSD"]
    );
    let long = format!("License: {}\nClassifier: License :: Public Domain", "word ".repeat(50));
    assert_eq!(licences(&long), ["Public Domain"]);
}

#[test]
fn a_header_without_name_or_version_is_a_problem() {
    for text in
        ["", "Name: a\n", "Version: 1\n", "Name: a\n\nVersion: 1\n", "Name: -\nVersion: 1\n"]
    {
        assert!(metadata::parse(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_damaged_fact_is_a_problem() {
    use image::{FactAt, SubjectShape};
    let links = std::collections::HashMap::new();
    let fact = FactAt { path: "a.egg-info", layer: None, fact: &[9, 9], stays: true };
    let view = View::new(vec![fact], &links, None, SubjectShape::RootFileSystem, 0);
    assert_eq!(Python.resolve(&view).problems.len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(Name: |Version: |License: |[a-z.\"/,]|\n|é){0,80}") {
        for input in [&bytes[..], text.as_bytes()] {
            let _ = metadata::parse(input);
            let _ = record::from_record("a/b", input);
            let _ = record::from_installed_files("", input);
        }
    }
}
