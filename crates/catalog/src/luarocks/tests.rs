use super::*;
use crate::language::testing::{purls, resolve};
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const ROCKSPEC: &str = "package = \"LuaSocket\"\nversion = \"3.1.0-1\"\nsource = {\n   url = \"git+https://a.test/luasocket.git\"\n}\ndescription = {\n   summary = \"Network support\",\n   license = \"MIT\",\n}\nbuild = { type = \"builtin\" }\n";
const PLACE: &str = "usr/local/lib/luarocks/rocks-5.4/luasocket/3.1.0-1/luasocket-3.1.0-1.rockspec";

#[test]
fn an_installed_rock_is_listed() {
    let found = resolve(&Luarocks, &[(PLACE, ROCKSPEC.as_bytes())]);
    assert!(found.problems.is_empty());
    assert_eq!(purls(&found), ["pkg:luarocks/luasocket@3.1.0-1"]);
    assert_eq!(found.packages[0].package.licences, ["MIT"]);
    let removed = Layers::default().layer().file(PLACE, ROCKSPEC).layer().whiteout(PLACE);
    assert!(removed.resolve(&Luarocks).packages.is_empty());
}

#[test]
fn a_specification_elsewhere_is_no_installed_rock() {
    for path in [
        "src/luasocket-3.1.0-1.rockspec",
        "lib/luarocks/rocks-5.4/luasocket/3.1.0-1/other-3.1.0-1.rockspec",
        "lib/luarocks/rocks-5.4/luasocket/3.1.0-2/luasocket-3.1.0-1.rockspec",
        "lib/luarocks/other/luasocket/3.1.0-1/luasocket-3.1.0-1.rockspec",
        "rocks-5.4.rockspec",
    ] {
        assert_eq!(read_file(&Luarocks, path, ROCKSPEC.as_bytes()).unwrap(), None, "{path}");
    }
    let hostile = "lib/luarocks/rocks-5.4/a\x1b[2J/1-1/a\x1b[2J-1-1.rockspec";
    assert!(read_file(&Luarocks, hostile, b"").is_err());
    assert!(read_file(&Luarocks, PLACE, &vec![b'a'; 8 << 20]).is_err());
    assert!(read_file(&Luarocks, PLACE, b"license = \"\xff\"").is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(license|=|\"|'|,|\n| |a){0,40}", path in "[a-z0-9./-]{0,60}") {
        let _ = licence(&bytes);
        let _ = licence(text.as_bytes());
        let _ = rock(&path);
    }
}
