use super::*;
use crate::language::testing::{purls, resolve};
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const NUMPY: &str = r#"{
  "arch": "x86_64", "build": "py312heda63a1_0", "build_number": 0,
  "channel": "https://conda.anaconda.org/conda-forge/linux-64",
  "constrains": ["numpy-base <0a0"], "depends": ["libblas >=3.9.0,<4.0a0", "python >=3.12"],
  "extracted_package_dir": "/opt/conda/pkgs/numpy-1.26.4-py312heda63a1_0",
  "files": ["bin/f2py", "lib/python3.12/site-packages/numpy/__init__.py", "../../etc/passwd", "/etc/shadow", "a//b"],
  "fn": "numpy-1.26.4-py312heda63a1_0.conda", "license": "BSD-3-Clause", "license_family": "BSD",
  "link": {"source": "/opt/conda/pkgs/numpy-1.26.4-py312heda63a1_0", "type": 1},
  "md5": "d41d8cd98f00b204e9800998ecf8427e", "name": "numpy", "paths_data": {"paths": [], "paths_version": 1},
  "subdir": "linux-64", "timestamp": 1707225359967, "version": "1.26.4"
}"#;
const PLACE: &str = "opt/conda/envs/app/conda-meta/numpy-1.26.4-py312heda63a1_0.json";

#[test]
fn an_installed_package_is_told_in_full() {
    let found = resolve(&Conda, &[(PLACE, NUMPY.as_bytes())]);
    assert!(found.problems.is_empty());
    assert_eq!(
        purls(&found),
        [
            "pkg:conda/numpy@1.26.4?build=py312heda63a1_0&channel=conda-forge&subdir=linux-64&type=conda"
        ]
    );
    let package = &found.packages[0].package;
    assert_eq!(package.licences, ["BSD-3-Clause"]);
    let files = ["bin/f2py", "lib/python3.12/site-packages/numpy/__init__.py"];
    assert_eq!(package.files, files.map(|file| format!("opt/conda/envs/app/{file}")));
}

#[test]
fn null_stands_for_nothing() {
    let record = "\u{feff}{\"name\":\"a\",\"version\":\"1\",\"files\":null,\"license\":null}";
    assert_eq!(purls(&resolve(&Conda, &[(PLACE, record.as_bytes())])), ["pkg:conda/a@1"]);
}

#[test]
fn a_removed_package_is_not_listed() {
    let layers = Layers::default().layer().file(PLACE, NUMPY).layer().whiteout(PLACE);
    assert!(layers.resolve(&Conda).packages.is_empty());
}

#[test]
fn only_records_of_an_environment_are_read() {
    assert_eq!(environment("conda-meta/a.json"), Some(""));
    for path in ["a/conda-meta/history", "a/xconda-meta/a.json", "conda-meta/a/b.json", "a.json"] {
        assert_eq!(read_file(&Conda, path, NUMPY.as_bytes()).unwrap(), None, "{path}");
    }
}

#[test]
fn channels_are_named_without_their_address() {
    for (address, name) in [
        ("https://repo.anaconda.com/pkgs/main/linux-64", "main"),
        ("https://conda.anaconda.org/bioconda", "bioconda"),
        ("conda-forge", "conda-forge"),
        ("", ""),
    ] {
        assert_eq!(channel(address, "linux-64"), name, "{address}");
    }
}

#[test]
fn what_is_no_record_is_a_problem() {
    for text in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"name":"a"}"#,
        r#"{"name":"","version":"1"}"#,
        r#"{"name":"../a","version":"1"}"#,
        r#"{"name":"a","version":"1\u001b[2J"}"#,
        r#"{"name":"a","version":1}"#,
        "\u{0}",
    ] {
        assert!(read_file(&Conda, PLACE, text.as_bytes()).is_err(), "{text}");
    }
    assert!(read_file(&Conda, PLACE, b"{\"name\":\"a\xff\",\"version\":\"1\"}").is_err());
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    assert!(read_file(&Conda, PLACE, deep.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"name":|"version":|"files":|"a/b"|,|1|\\){0,40}"#) {
        let _ = fact("a", &bytes);
        let _ = fact("", text.as_bytes());
    }
}
