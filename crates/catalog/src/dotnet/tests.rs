use super::*;
use crate::language::testing::{purls, resolve};
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
    assert_eq!(deps::parse(old.as_bytes()).unwrap().len(), 1);
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
fn names_and_versions_that_are_no_plain_text_are_left_out() {
    for key in ["a b/1", "../1", "A/", "A", "A/1\\u001b", "/1"] {
        let json = format!(r#"{{"targets":{{}},"libraries":{{"{key}":{{"type":"package"}}}}}}"#);
        assert_eq!(deps::parse(json.as_bytes()).unwrap(), [], "{key}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"runtimeTarget":|"targets":|"libraries":|"a/1":|"type":|"package"|"x"|,|1|\\){0,40}"#) {
        let _ = deps::parse(&bytes);
        let _ = deps::parse(text.as_bytes());
    }
}
