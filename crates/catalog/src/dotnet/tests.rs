use super::bundle::fixture::program;
use super::*;
use crate::language::testing::{purls, read_in_pieces, resolve};
use proptest::prelude::*;

const SHOP: &str = r#"{
  "runtimeTarget": { "name": ".NETCoreApp,Version=v8.0/linux-x64", "signature": "" },
  "compilationOptions": {},
  "targets": {
    ".NETCoreApp,Version=v8.0": {},
    ".NETCoreApp,Version=v8.0/linux-x64": {
      "Shop/1.0.0": { "dependencies": { "Newtonsoft.Json": "12.0.1" }, "runtime": { "Shop.dll": {} } },
      "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {
        "runtime": { "System.Private.CoreLib.dll": { "assemblyVersion": "8.0.0.0", "fileVersion": "8.0.123.58001" } },
        "native": { "libcoreclr.so": { "fileVersion": "0.0.0.0" } }
      },
      "Newtonsoft.Json/12.0.1": {
        "runtime": { "lib/netstandard2.0/Newtonsoft.Json.dll": { "assemblyVersion": "12.0.0.0" } }
      },
      "SQLitePCLRaw.lib.e_sqlite3/2.1.6": {
        "runtimeTargets": { "runtimes/linux-x64/native/libe_sqlite3.so": { "rid": "linux-x64", "assetType": "native" } }
      },
      "System.Net.Http/4.3.0": { "dependencies": { "System.IO": "4.3.0" } },
      "System.Placeholder/4.3.0": { "runtime": { "lib/net8.0/_._": {} } },
      "Shop.Data/1.0.0": { "runtime": { "Shop.Data.dll": {} } }
    }
  },
  "libraries": {
    "Shop/1.0.0": { "type": "project", "serviceable": false, "sha512": "" },
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": { "type": "runtimepack", "serviceable": false, "sha512": "" },
    "Newtonsoft.Json/12.0.1": { "type": "package", "serviceable": true, "sha512": "sha512-x", "path": "newtonsoft.json/12.0.1" },
    "SQLitePCLRaw.lib.e_sqlite3/2.1.6": { "type": "package", "serviceable": true, "sha512": "sha512-x" },
    "System.Net.Http/4.3.0": { "type": "package", "serviceable": true, "sha512": "sha512-x" },
    "System.Placeholder/4.3.0": { "type": "package", "serviceable": true, "sha512": "sha512-x" },
    "System.Legacy/1.0.0": { "type": "reference", "serviceable": false, "sha512": "" },
    "Shop.Data/1.0.0": { "type": "project", "serviceable": false, "sha512": "" }
  }
}"#;

#[test]
fn packages_with_files_are_listed_and_the_programs_own_parts_are_not() {
    let found = resolve(&Dotnet, &[("app/Shop.deps.json", SHOP.as_bytes())]);
    let expected = [
        "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1",
        "pkg:nuget/Newtonsoft.Json@12.0.1",
        "pkg:nuget/SQLitePCLRaw.lib.e_sqlite3@2.1.6",
    ];
    assert_eq!(purls(&found), expected);
    let windows = format!("\u{feff}{}", SHOP.replace('\n', "\r\n"));
    assert_eq!(purls(&resolve(&Dotnet, &[("app/Shop.deps.json", windows.as_bytes())])), expected);
}

#[test]
fn without_a_target_everything_counts() {
    let shop = SHOP.replace("v8.0/linux-x64\", \"sig", "v9.9\", \"sig");
    let found = resolve(&Dotnet, &[("app/Shop.deps.json", shop.as_bytes())]);
    assert_eq!(found.packages.len(), 5);
    let old = r#"{"runtimeTarget":"x","targets":{"x":{"A/1.0.0":{"native":{"a.so":{}}}}},
        "libraries":{"A/1.0.0":{"type":"package"},"B/1.0.0":{"type":"package"}}}"#;
    assert_eq!(deps::parse(old.as_bytes()).unwrap().0.len(), 1);
}

#[test]
fn other_json_is_not_read() {
    for path in ["app/deps.json", "app/.deps.json", "app/a.json", "app/Shop.deps.json.bak"] {
        let found = resolve(&Dotnet, &[(path, SHOP.as_bytes())]);
        assert!(found.packages.is_empty(), "{path}");
    }
}

#[test]
fn what_is_no_deps_json_is_a_problem() {
    for json in ["", "[]", "{", "{}", "{\"libraries\":{}}", "{\"targets\":7,\"libraries\":{}}"] {
        assert!(deps::parse(json.as_bytes()).is_err(), "{json}");
    }
    let deep = format!("{{\"targets\":{}", "{\"a\":".repeat(100_000));
    assert!(deps::parse(deep.as_bytes()).is_err());
}

#[test]
fn names_and_versions_that_are_no_plain_text_are_counted() {
    for key in ["a b/1", "../1", "A/", "A", "A/1\\u001b", "/1"] {
        let json = format!(r#"{{"targets":{{}},"libraries":{{"{key}":{{"type":"package"}}}}}}"#);
        assert_eq!(deps::parse(json.as_bytes()).unwrap(), (vec![], 1), "{key}");
        assert_eq!(resolve(&Dotnet, &[("a.deps.json", json.as_bytes())]).problems.len(), 1);
    }
}

#[test]
fn null_stands_for_nothing() {
    let json = r#"{"runtimeTarget":null,"targets":null,"libraries":{"A/1.0.0":{"type":"package"},"B/1":null}}"#;
    assert_eq!(deps::parse(json.as_bytes()).unwrap().0.len(), 1);
    let json = r#"{"runtimeTarget":{"name":"x"},"targets":{"x":{"A/1.0.0":{"runtime":null,"native":{"a":{}}},"B/1":null}},
        "libraries":{"A/1.0.0":{"type":"package"},"B/1":{"type":"package"}}}"#;
    assert_eq!(deps::parse(json.as_bytes()).unwrap().0.len(), 1);
    assert_eq!(deps::parse(br#"{"targets":{},"libraries":null}"#).unwrap(), (vec![], 0));
}

const EXPECTED: [&str; 3] = [
    "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1",
    "pkg:nuget/Newtonsoft.Json@12.0.1",
    "pkg:nuget/SQLitePCLRaw.lib.e_sqlite3@2.1.6",
];

#[test]
fn a_program_in_a_single_file_is_read_in_every_version_of_the_bundle() {
    let decoy = SHOP.replace("12.0.1", "1.1.1");
    let windows = format!("\u{feff}{}", SHOP.replace('\n', "\r\n"));
    for (major, deps) in [(1, SHOP), (2, SHOP), (6, SHOP), (6, &windows)] {
        let files: [(u8, &[u8], bool); 3] =
            [(1, decoy.as_bytes(), true), (3, deps.as_bytes(), false), (4, b"{}", false)];
        let bytes = program(major, &files);
        assert_eq!(purls(&resolve(&Dotnet, &[("app/shop", &bytes)])), EXPECTED, "{major}");
        let whole = read_in_pieces(&Dotnet, "app/shop", 0o755, &bytes, bytes.len()).unwrap();
        for piece in [1, 7, 39, 95, 4096] {
            let pieces = read_in_pieces(&Dotnet, "app/shop", 0o755, &bytes, piece).unwrap();
            assert_eq!(pieces, whole, "{piece}");
        }
    }
}

#[test]
fn a_single_file_whose_packages_cannot_be_told_is_a_problem() {
    let reason = |bytes: &[u8]| {
        read_in_pieces(&Dotnet, "app/shop", 0o755, bytes, 4096).unwrap_err().to_string()
    };
    assert!(reason(&program(6, &[(1, b"x", false)])).contains("holds no deps.json"));
    assert!(reason(&program(7, &[(3, SHOP.as_bytes(), false)])).contains("version 7"));
    assert!(reason(&program(6, &[(3, b"packed away", true)])).contains("not plain text"));
    let whole = program(6, &[(3, SHOP.as_bytes(), false)]);
    assert!(reason(&whole[..whole.len() - 60]).contains("damaged"));
    let other = program(6, &[(3, b"{\"targets\":1}                                                                                              ", false)]);
    assert!(reason(&other).contains("not a deps.json"));
}

#[test]
fn other_programs_are_of_no_concern() {
    let mut empty = program(6, &[(3, SHOP.as_bytes(), false)]);
    let at = memchr::memmem::find(&empty, b"\x8b\x12\x02\xb9").unwrap();
    empty[at - 8..at].fill(0);
    for bytes in [&empty, &crate::binary::fixture::elf(b"", b"text", b"data").0] {
        assert_eq!(read_in_pieces(&Dotnet, "app/shop", 0o755, bytes, 100).unwrap(), None);
    }
}

/// Where the program's head says that its data ends before the signature, no size of pieces finds it.
#[test]
fn pieces_do_not_decide_what_is_found() {
    let whole = program(2, &[(3, SHOP.as_bytes(), false)]);
    let read = |bytes: &[u8], piece| read_in_pieces(&Dotnet, "app/shop", 0o755, bytes, piece);
    for at in 0..512 {
        let mut bytes = whole.clone();
        bytes[at] = 236;
        let (one, many) = (read(&bytes, bytes.len()), read(&bytes, 2050));
        assert_eq!(one, many, "{at}");
    }
}

proptest! {
    #[test]
    fn no_bundle_makes_it_panic(edits: Vec<(u16, u8)>, major in 0_u32..8, piece in 1_usize..9000) {
        let mut bytes = program(major, &[(3, SHOP.as_bytes(), false), (1, b"x", true)]);
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let whole = read_in_pieces(&Dotnet, "app/shop", 0o755, &bytes, bytes.len());
        prop_assert_eq!(read_in_pieces(&Dotnet, "app/shop", 0o755, &bytes, piece), whole);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"runtimeTarget":|"targets":|"libraries":|"a/1":|"type":|"package"|"x"|,|1|\\){0,40}"#) {
        let _ = deps::parse(&bytes);
        let _ = deps::parse(text.as_bytes());
    }
}
