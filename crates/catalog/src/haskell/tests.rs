use super::*;
use crate::language::testing::{purls, resolve};
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const AESON: &str = "name:                 aeson\nversion:              2.1.2.1\nvisibility:           public\nid:                   aeson-2.1.2.1-AbC\nkey:                  aeson-2.1.2.1-AbC\nlicense:              BSD-3-Clause\ncopyright:            (c) A\ndescription:\n    A JSON library\n    .\n    name: other\nexposed:              True\nexposed-modules:\n    Data.Aeson Data.Aeson.Types\n";
const PLACE: &str = "usr/lib/ghc/lib/package.conf.d/aeson-2.1.2.1.conf";

#[test]
fn registered_packages_are_listed() {
    let library = AESON.replace("name:                 aeson", "name:                 z-attoparsec-z-internal\npackage-name:         attoparsec\nlib-name:             internal");
    let whole = AESON.replace("name:                 aeson", "name: attoparsec");
    let found = resolve(
        &Haskell,
        &[
            (PLACE, AESON.as_bytes()),
            (
                "root/.cabal/store/ghc-9.4.7/package.db/attoparsec-1-internal.conf",
                library.as_bytes(),
            ),
            ("root/.cabal/store/ghc-9.4.7/package.db/attoparsec-1.conf", whole.as_bytes()),
        ],
    );
    assert!(found.problems.is_empty());
    assert_eq!(purls(&found), ["pkg:hackage/aeson@2.1.2.1", "pkg:hackage/attoparsec@2.1.2.1"]);
    let aeson = found.packages.iter().find(|one| one.package.name == "aeson").unwrap();
    assert_eq!(aeson.package.licences, ["BSD-3-Clause"]);
    assert!(aeson.proof.is_some());
    let removed = Layers::default().layer().file(PLACE, AESON).layer().whiteout(PLACE);
    assert!(removed.resolve(&Haskell).packages.is_empty());
}

#[test]
fn what_is_no_registration_is_left_out_or_a_problem() {
    for path in ["etc/nginx/nginx.conf", "a.conf", "usr/lib/ghc/package.conf.d/a/b.conf"] {
        assert_eq!(read_file(&Haskell, path, AESON.as_bytes()).unwrap(), None, "{path}");
    }
    for text in ["", "name: a\n", "name: ../a\nversion: 1\n", "name: a\nversion: 1\x1b[2J\n", "\0"]
    {
        assert!(read_file(&Haskell, PLACE, text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(read_file(&Haskell, PLACE, b"name: a\xff\nversion: 1\n").is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(name:|version:|package-name:|license:|\n| |a|1){0,40}") {
        let _ = parse(&bytes);
        let _ = parse(text.as_bytes());
    }
}
