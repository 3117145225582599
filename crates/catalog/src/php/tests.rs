use super::*;
use crate::language::testing::{purls, resolve};
use proptest::prelude::*;

/// Written by Composer 2.5.
const SECOND: &[u8] = include_bytes!("cases/composer-2.json");
/// The same in the form of Composer 1.
const FIRST: &[u8] =
    br#"[{"name":"acme/a","version":"1.2.3","version_normalized":"1.2.3.0","license":"MIT"},
{"name":"Acme/B_c","version":"v2.0.0-beta2","license":["MIT","GPL-2.0-only"]},
{"name":"acme/local","version":"1.0.0","dist":{"type":"path","url":"packages/local"}},
{"name":"no-vendor","version":"1"},{"name":"acme/none"},{"version":"1"}]"#;

#[test]
fn both_forms_name_the_packages() {
    let second = resolve(&Php, &[("app/vendor/composer/installed.json", SECOND)]);
    let expected = [
        "pkg:composer/acme/a@1.2.3",
        "pkg:composer/acme/b_c@v2.0.0-beta2",
        "pkg:composer/acme/branch@dev-main",
        "pkg:composer/acme/meta@3.0",
    ];
    assert_eq!(purls(&second), expected);
    let first = resolve(&Php, &[("app/lib/composer/installed.json", FIRST)]);
    let linked = "pkg:composer/acme/local@1.0.0".to_owned();
    assert_eq!(
        purls(&first),
        [&[expected[0].to_owned(), expected[1].to_owned()][..], &[linked]].concat()
    );
    assert!(first.problems[0].reason.starts_with("3 of its packages"), "{:?}", first.problems);
    let both = first.packages.iter().find(|one| one.package.name == "acme/b_c").unwrap();
    assert_eq!(both.package.licences, ["MIT", "GPL-2.0-only"]);
}

#[test]
fn only_composers_own_file_counts() {
    let found =
        resolve(&Php, &[("app/installed.json", FIRST), ("composer/x/installed.json", FIRST)]);
    assert!(found.packages.is_empty() && found.problems.is_empty());
    assert!(!resolve(&Php, &[("composer/installed.json", FIRST)]).packages.is_empty());
}

#[test]
fn packages_of_a_distribution_carry_a_proof() {
    let found = resolve(&Php, &[("usr/share/tool/vendor/composer/installed.json", FIRST)]);
    assert!(found.packages.iter().all(|one| one.proof.is_some()));
}

#[test]
fn what_is_no_installed_json_is_a_problem() {
    for json in ["", "{", "7", "{}", "[{\"name\":7}]", "{\"packages\":{}}", "\u{0}"] {
        assert!(installed::parse(json.as_bytes()).is_err(), "{json}");
    }
    for empty in ["[]", "{\"packages\":null}"] {
        assert_eq!(installed::parse(empty.as_bytes()).unwrap(), (vec![], 0));
    }
    for deep in ["[".repeat(100_000), format!("[{{\"extra\":{}", "{\"a\":".repeat(100_000))] {
        assert!(installed::parse(deep.as_bytes()).is_err());
    }
    let many = format!("[{}{{}}]", "{},".repeat(50_000));
    assert!(installed::parse(many.as_bytes()).is_err());
}

#[test]
fn names_and_versions_that_are_no_plain_text_are_counted() {
    for entry in [
        r#"{"name":"a/../b","version":"1"}"#,
        r#"{"name":"a/b c","version":"1"}"#,
        r#"{"name":"a/b","version":"1\u001b[2J"}"#,
        r#"{"name":"a/","version":"1"}"#,
    ] {
        let read = installed::parse(format!("[{entry}]").as_bytes()).unwrap();
        assert_eq!(read, (vec![], 1), "{entry}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"packages":|"name":|"version":|"license":|"a/b"|,|1|\\){0,40}"#) {
        let _ = installed::parse(&bytes);
        let _ = installed::parse(text.as_bytes());
    }
}
