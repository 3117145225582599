use super::*;
use crate::language::testing::{purls, resolve};
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const COHTTP: &str = "opam-version: \"2.0\"\nname: \"cohttp\"\nversion: \"5.3.1\"\nsynopsis: \"An OCaml library\"\nmaintainer: \"a@a.test\"\nlicense: \"ISC\"\ndepends: [\n  \"ocaml\" {>= \"4.08\"}\n]\n";
const PLACE: &str = "home/opam/.opam/5.1/.opam-switch/packages/cohttp.5.3.1/opam";

#[test]
fn an_installed_package_is_listed() {
    let other = PLACE.replace("cohttp.5.3.1", "ocaml-base-compiler.5.1.0~rc2");
    let system = PLACE.replace("cohttp.5.3.1", "conf-gmp.4");
    let found = resolve(
        &Opam,
        &[(PLACE, COHTTP.as_bytes()), (&other, b"license: [\"a\" \"b\"]"), (&system, b"")],
    );
    assert!(found.problems.is_empty());
    assert_eq!(purls(&found), ["pkg:opam/cohttp@5.3.1", "pkg:opam/ocaml-base-compiler@5.1.0~rc2"]);
    let cohttp = found.packages.iter().find(|one| one.package.name == "cohttp").unwrap();
    assert_eq!(cohttp.package.licences, ["ISC"]);
    let removed = Layers::default().layer().file(PLACE, COHTTP).layer().whiteout(PLACE);
    assert!(removed.resolve(&Opam).packages.is_empty());
}

#[test]
fn a_definition_elsewhere_is_no_installed_package() {
    for path in [
        "opam",
        "src/opam",
        "home/opam/.opam/repo/default/packages/cohttp/cohttp.5.3.1/opam",
        "home/opam/.opam/5.1/.opam-switch/packages/cohttp/opam",
        "home/opam/.opam/5.1/.opam-switch/packages/cohttp.5.3.1/files/opam",
    ] {
        assert_eq!(read_file(&Opam, path, COHTTP.as_bytes()).unwrap(), None, "{path}");
    }
    for folder in [".5.3.1", "cohttp.", "cohttp.1\x1b[2J"] {
        let path = PLACE.replace("cohttp.5.3.1", folder);
        assert!(read_file(&Opam, &path, COHTTP.as_bytes()).is_err(), "{folder}");
    }
    assert!(read_file(&Opam, PLACE, &vec![b'a'; 8 << 20]).is_err());
    assert!(read_file(&Opam, PLACE, b"license: \"\xff\"").is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(license:|\"|\\[|\n| |a){0,40}", path in "[a-z0-9./-]{0,60}") {
        let _ = licence(&bytes);
        let _ = licence(text.as_bytes());
        let _ = package(&path);
    }
}
