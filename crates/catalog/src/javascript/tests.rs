use super::*;
use crate::language::testing::{purls, resolve};
use proptest::prelude::*;

const PLAIN: &[u8] = br#"{"name":"a","version":"1.0.0"}"#;

#[test]
fn every_layout_of_node_modules_is_a_package() {
    for path in [
        "app/node_modules/a/package.json",
        "node_modules/@s/a/package.json",
        "app/node_modules/b/node_modules/a/package.json",
        "app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json",
        "app/node_modules/.store/a@1/node_modules/@s/a/package.json",
        "usr/lib/node_modules/npm/package.json",
        "usr/lib/node_modules/npm/node_modules/a/package.json",
        "usr/share/nodejs/a/package.json",
        "usr/share/nodejs/@s/a/package.json",
        "src/test/fixtures/node_modules/a/package.json",
    ] {
        assert!(is_package(path), "{path}");
    }
}

#[test]
fn a_manifest_elsewhere_is_no_installed_package() {
    for path in [
        "package.json",
        "app/package.json",
        "app/node_modules/package.json",
        "app/node_modules/a/esm/package.json",
        "app/node_modules/@s/package.json",
        "app/node_modules/@s/a/esm/package.json",
        "app/node_modules/.bin/package.json",
        "app/node_modules/resolve/test/x/node_modules/a/package.json",
        "app/old_node_modules/a/package.json",
        "usr/share/nodejs/a/dist/package.json",
        "usr/share/nodejs/package.json",
    ] {
        assert!(!is_package(path), "{path}");
    }
}

#[test]
fn scope_is_the_namespace_and_the_alias_folder_does_not_rename() {
    let scoped = br#"{"name":"@babel/core","version":"7.1.0","license":"MIT"}"#;
    let alias = "\u{feff}{\"name\":\"string-width\",\"version\":\"4.2.3\"}".as_bytes();
    let resolution = resolve(
        &Javascript,
        &[
            ("app/node_modules/@babel/core/package.json", scoped),
            ("app/node_modules/string-width-cjs/package.json", alias),
        ],
    );
    assert_eq!(purls(&resolution), ["pkg:npm/%40babel/core@7.1.0", "pkg:npm/string-width@4.2.3"]);
    let core = resolution.packages.iter().find(|one| one.package.name == "@babel/core").unwrap();
    assert_eq!(core.package.licences, ["MIT"]);
}

#[test]
fn licences_are_read_in_all_their_forms() {
    let licences = |json: &str| {
        let text = format!(r#"{{"name":"a","version":"1",{json}}}"#);
        manifest::parse(text.as_bytes()).unwrap().unwrap().licences
    };
    assert_eq!(licences(r#""license":"MIT""#), ["MIT"]);
    assert_eq!(licences(r#""license":{"type":"BSD","url":"x"}"#), ["BSD"]);
    assert_eq!(licences(r#""licenses":[{"type":"MIT","url":"x"},"ISC"]"#), ["MIT", "ISC"]);
    assert_eq!(licences(r#""license":"MIT","license":"ISC""#), ["ISC"]);
    assert!(licences(r#""license":7"#).is_empty());
}

#[test]
fn a_manifest_without_name_or_version_is_no_package() {
    for json in [
        "{}",
        r#"{"name":"a"}"#,
        r#"{"version":"1"}"#,
        r#"{"name":7,"version":"1"}"#,
        r#"{"name":"a b","version":"1"}"#,
        r#"{"name":"../../etc","version":"1"}"#,
        r#"{"name":"a","version":""}"#,
        r#"{"name":"a","version":"1\u001b"}"#,
    ] {
        assert_eq!(manifest::parse(json.as_bytes()).unwrap(), None, "{json}");
    }
}

#[test]
fn a_manifest_that_is_no_json_is_a_problem() {
    for json in ["", "[]", "{", "{\"name\":\"a\"", "<<<<<<< HEAD"] {
        assert!(manifest::parse(json.as_bytes()).is_err(), "{json}");
    }
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    assert!(manifest::parse(deep.as_bytes()).is_err());
    let deep = format!("{{\"license\":{}", "[".repeat(100_000));
    assert!(manifest::parse(deep.as_bytes()).is_err());
}

#[test]
fn only_distribution_paths_carry_a_proof() {
    let resolution = resolve(
        &Javascript,
        &[("usr/share/nodejs/a/package.json", PLAIN), ("app/node_modules/a/package.json", PLAIN)],
    );
    let proved: Vec<bool> = resolution.packages.iter().map(|one| one.proof.is_some()).collect();
    assert_eq!(proved, [true, false]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"name":|"version":|"license":|"a"|,|1|\\){0,40}"#, path in "(node_modules/|@|/|a|package.json|usr/share/nodejs/|é){0,9}") {
        let _ = manifest::parse(&bytes);
        let _ = manifest::parse(text.as_bytes());
        let _ = is_package(&path);
    }
}
