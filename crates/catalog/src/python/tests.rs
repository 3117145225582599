use super::*;
use crate::language::testing::{purls, read_in_pieces, resolve};
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
    let view = View::new(vec![fact], &links, image::About::tree(SubjectShape::RootFileSystem), 0);
    assert_eq!(Python.resolve(&view).problems.len(), 1);
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let sources: Vec<_> =
        entries.iter().map(|(name, content)| (*name, content.to_vec(), true)).collect();
    testkit::zip::zip(&sources)
}

#[test]
fn eggs_and_wheels_are_opened() {
    let egg =
        zip(&[("EGG-INFO/PKG-INFO", b"Metadata-Version: 1.0\nName: requests\nVersion: 2.19.1\n")]);
    let wheel = zip(&[("Foo.Bar_baz-1.2.dist-info/METADATA", METADATA), ("foo/a.py", b"")]);
    let resolution = resolve(
        &Python,
        &[
            ("usr/lib/python3/site-packages/requests-2.19.1-py3.9.egg", &egg),
            ("wheels/foo_bar_baz-1.2.post3-py3-none-any.whl", &wheel),
        ],
    );
    assert_eq!(purls(&resolution), ["pkg:pypi/foo-bar-baz@1.2.post3", "pkg:pypi/requests@2.19.1"]);
    let [egg, wheel] = &resolution.packages[..] else { panic!("{resolution:?}") };
    assert!(egg.proof.is_some() && egg.package.identified.is_none());
    assert!(wheel.package.identified.as_ref().unwrap().by.contains("not installed"));
    assert!(egg.package.location.to_string().ends_with(".egg!/EGG-INFO/PKG-INFO"));
}

#[test]
fn an_egg_without_metadata_is_known_by_its_name_or_is_a_problem() {
    let empty = zip(&[("a.py", b"x")]);
    let named = resolve(&Python, &[("opt/six-1.16.0-py3.9.egg", &empty)]);
    assert_eq!(purls(&named), ["pkg:pypi/six@1.16.0"]);
    let nameless = resolve(&Python, &[("opt/six.egg", &empty)]);
    assert_eq!((nameless.packages.len(), nameless.problems.len()), (0, 1));
    let broken = zip(&[("EGG-INFO/PKG-INFO", b"Name: a\n")]);
    assert_eq!(resolve(&Python, &[("opt/a.egg", &broken)]).problems.len(), 2);
    assert!(resolve(&Python, &[("opt/a.egg", b"EGGA")]).problems.is_empty());
    let cut = &zip(&[("a.py", b"x")])[..30];
    assert!(read_in_pieces(&Python, "opt/a-1.egg", 0o644, cut, 9).is_err());
}

#[test]
fn programs_packed_as_one_file_are_opened() {
    let wheel = zip(&[("b-2.dist-info/METADATA", b"Name: b\nVersion: 2\n")]);
    let packed = zip(&[
        (".deps/a-1-py3-none-any.whl/a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n"),
        (".deps/b-2-py3-none-any.whl", &wheel),
    ]);
    let script = [b"#!/usr/bin/env python3\n".as_slice(), &packed].concat();
    for (path, bytes) in
        [("opt/tool", &script), ("opt/tool.pex", &script), ("opt/tool.pyz", &packed)]
    {
        let resolution = resolve(&Python, &[(path, bytes)]);
        assert_eq!(purls(&resolution), ["pkg:pypi/a@1", "pkg:pypi/b@2"], "{path}");
    }
    let plain = [b"#!/usr/bin/env python3\n".as_slice(), b"print('PK')"].concat();
    assert!(resolve(&Python, &[("opt/tool", &plain)]).packages.is_empty());
}

#[test]
fn what_is_only_pointed_to_is_listed_by_the_name_of_the_pointer() {
    let site = "usr/lib/python3/site-packages";
    let listed = |files: &[(&str, &str)]| {
        let files: Vec<(String, &[u8])> = files
            .iter()
            .map(|(path, text)| (path.replace("SITE", site), text.as_bytes()))
            .collect();
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
        purls(&resolve(&Python, &files))
    };
    let info = "Name: foo-bar\nVersion: 1.2\n";
    let link = ("SITE/foo-bar.egg-link", "/app/src\n../\n");
    assert_eq!(listed(&[link]), ["pkg:pypi/foo-bar"]);
    assert_eq!(listed(&[("SITE/a.egg-link", "")]), ["pkg:pypi/a"]);
    let at_target = ("app/src/foo_bar.egg-info/PKG-INFO", info);
    assert_eq!(listed(&[link, at_target]), ["pkg:pypi/foo-bar@1.2"]);
    let relative = ("SITE/foo-bar.egg-link", "../../../../app/./src\n.\n");
    assert_eq!(listed(&[relative, at_target]), ["pkg:pypi/foo-bar@1.2"]);
    let elsewhere = ("venv/foo_bar.egg-info/PKG-INFO", info);
    assert_eq!(listed(&[link, elsewhere]).len(), 2);
    let path = ("SITE/__editable__.foo_bar-1.2.pth", "/app/src\n");
    let finder = ("SITE/__editable___foo_bar_1_2_finder.py", "MAPPING = {}\n");
    assert_eq!(listed(&[path, finder]), ["pkg:pypi/foo-bar@1.2"]);
    assert_eq!(listed(&[finder]), ["pkg:pypi/foo-bar"]);
    let beside = ("SITE/foo_bar-1.2.dist-info/METADATA", info);
    assert_eq!(listed(&[path, finder, beside]), ["pkg:pypi/foo-bar@1.2"]);
    assert_eq!(listed(&[("SITE/distutils-precedence.pth", "x"), ("SITE/a.py", "x")]), [""; 0]);
}

#[test]
fn the_archive_on_the_path_of_every_python_is_opened() {
    let packed = zip(&[("a.py", b"x"), ("b-2.dist-info/METADATA", b"Name: b\nVersion: 2\n")]);
    for (path, found) in [
        ("usr/lib/python311.zip", vec!["pkg:pypi/b@2"]),
        ("usr/lib/python.zip", vec![]),
        ("srv/python-docs.zip", vec![]),
    ] {
        assert_eq!(purls(&resolve(&Python, &[(path, &packed)])), found, "{path}");
    }
    let library = zip(&[("os.py", b"x")]);
    let plain = resolve(&Python, &[("usr/lib/python312.zip", &library)]);
    assert!(plain.packages.is_empty() && plain.problems.is_empty());
}

#[test]
fn archives_nested_too_deep_are_a_problem() {
    let mut bytes = zip(&[("a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n")]);
    for _ in 0..5 {
        bytes = zip(&[("x.pex", &bytes)]);
    }
    let resolution = resolve(&Python, &[("opt/x.pex", &bytes)]);
    assert!(resolution.packages.is_empty());
    assert!(resolution.problems[0].reason.contains("nested deeper"));
}

#[test]
fn a_wheel_too_large_to_be_held_is_known_by_its_name() {
    let entry = |path, size| Entry { path, kind: vocabulary::FileKind::File, mode: 0o644, size };
    let large = ARCHIVE_LIMIT + 1;
    let Want::Stream(reading) =
        Python.wants(&entry("w/torch-2.1.0-cp311-none-any.whl", large), b"PK\x03\x04")
    else {
        panic!("it is held")
    };
    assert!(reading.finish().unwrap().is_some());
    assert!(matches!(
        Python.wants(&entry("w/torch.pex", large), b"PK\x03\x04"),
        Want::Whole { .. }
    ));
}

#[test]
fn metadata_of_either_name_counts_once_in_every_folder_of_an_installation() {
    let info =
        |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\n").into_bytes();
    let resolution = resolve(
        &Python,
        &[
            ("a/a-1.egg-info/METADATA", &info("a")),
            ("a/a-1.egg-info/PKG-INFO", &info("a")),
            ("b/b-1.dist-info/PKG-INFO", &info("b")),
            ("c/EGG-INFO/METADATA", &info("c")),
            ("cache/archive/METADATA", &info("d")),
            ("src/e-1/PKG-INFO", &info("e")),
            ("src/e-1/e.egg-info/PKG-INFO", &info("e")),
            ("src/f-1/PKG-INFO", &info("f")),
            ("other/METADATA", b"a mail\n"),
        ],
    );
    let names: Vec<String> =
        ["a", "b", "c", "d", "e", "f"].iter().map(|name| format!("pkg:pypi/{name}@1")).collect();
    assert_eq!(purls(&resolution), names);
}

#[test]
fn an_installation_without_metadata_is_named_by_its_folder() {
    let folder = "usr/local/lib/python3/site-packages";
    let record = b"a/__init__.py,,\n";
    let resolution = resolve(
        &Python,
        &[
            (&format!("{folder}/Foo_bar-1.2.dist-info/RECORD"), record),
            (&format!("{folder}/odd.dist-info/RECORD"), record),
        ],
    );
    assert_eq!(purls(&resolution), ["pkg:pypi/foo-bar@1.2"]);
    assert_eq!(resolution.packages[0].package.files, [format!("{folder}/a/__init__.py")]);
    assert_eq!(resolution.problems.len(), 1);
}

#[test]
fn a_header_may_be_folded_and_end_its_lines_as_it_likes() {
    for text in [
        "Name:\n a\nVersion:\r\n\t1\n\nx",
        "NAME: a\rversion: 1\rSummary: x\r\r",
        "\u{feff}Name: a\r\nVersion: 1",
        "Description: x\n Name: b\nName: a\nVersion: 1\n",
    ] {
        let metadata = metadata::parse(text.as_bytes()).unwrap();
        assert_eq!((&*metadata.name, &*metadata.version), ("a", "1"), "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(Name: |Version: |License: |[a-z.\"/,]|\n|é){0,80}") {
        for input in [&bytes[..], text.as_bytes()] {
            let _ = metadata::parse(input);
            let _ = record::from_record("a/b", input);
            let _ = record::from_installed_files("", input);
            let _ = (pointer::read("a/b.egg-link", input), pointer::read(&text, input));
            let _ = (zipped::read("a-1.whl", input), metadata::from_name(&text));
            let _ = zipped::read("a.pex", &zip(&[("a.dist-info/METADATA", input), ("b.whl", input)]));
        }
    }
}
