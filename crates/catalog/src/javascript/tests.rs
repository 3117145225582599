use super::place::is_package;
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

/// A zip of stored entries, as Yarn packs at level 0.
fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let offset = u32::try_from(zip.len()).unwrap();
        let size = u32::try_from(bytes.len()).unwrap();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        zip.extend(b"PK\x03\x04");
        zip.extend(&common);
        zip.extend(name.as_bytes());
        zip.extend(*bytes);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, at) = (u16::try_from(files.len()).unwrap(), u32::try_from(zip.len()).unwrap());
    let size = u32::try_from(directory.len()).unwrap();
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend(count.to_le_bytes());
    zip.extend(count.to_le_bytes());
    zip.extend(size.to_le_bytes());
    zip.extend(at.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// An asar of these files.
fn asar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut root = serde_json::json!({"files": {}});
    let mut body: Vec<u8> = Vec::new();
    for (path, bytes) in files {
        let mut node = &mut root;
        for part in path.split('/') {
            node = &mut node["files"][part];
        }
        *node = serde_json::json!({"size": bytes.len(), "offset": body.len().to_string()});
        body.extend(*bytes);
    }
    let list = root.to_string().into_bytes();
    let padded = list.len().next_multiple_of(4);
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut asar = number(4).to_vec();
    asar.extend(number(padded + 8));
    asar.extend(number(padded + 4));
    asar.extend(number(list.len()));
    asar.extend(&list);
    asar.resize(16 + padded, 0);
    asar.extend(body);
    asar
}

const LODASH: &[u8] =
    br#"{"name":"lodash","version":"4.17.20","license":"MIT","dependencies":null}"#;

#[test]
fn packages_of_plug_and_play_are_listed_by_their_archives_and_by_the_map() {
    let archive = zip_of(&[
        ("node_modules/", b""),
        ("node_modules/alias/package.json", LODASH),
        ("node_modules/alias/esm/package.json", br#"{"name":"esm","version":"1"}"#),
        ("node_modules/alias/node_modules/b/package.json", br#"{"name":"b","version":"2.0.0"}"#),
    ]);
    let map = br#"{"packageRegistryData":[[null,[[null,{"packageLocation":"./"}]]],
        ["alias",[["https://r.test/x.tgz",{"packageLocation":"./.yarn/cache/alias-https-0123456789-10c0.zip/node_modules/alias/"}]]],
        ["gone",[["npm:3.0.0",{"packageLocation":"../root/.yarn/berry/cache/gone.zip/node_modules/gone/"}]]],
        ["of-git",[["https://host.test/g.git#commit=01",{"packageLocation":"./elsewhere/"}]]]]}"#;
    let resolution = resolve(
        &Javascript,
        &[
            ("app/.pnp.cjs", b"require('./.pnp.data.json')".as_slice()),
            ("app/.pnp.data.json", map),
            ("app/.yarn/cache/alias-https-0123456789-10c0.zip", &archive),
        ],
    );
    assert_eq!(
        purls(&resolution),
        [
            "pkg:npm/b@2.0.0",
            "pkg:npm/gone@3.0.0",
            "pkg:npm/lodash@4.17.20",
            "pkg:npm/of-git?vcs_url=git%2Bhttps://host.test/g.git%4001",
        ]
    );
    assert!(resolution.problems.is_empty(), "{:?}", resolution.problems);
    let paths: Vec<_> =
        resolution.packages.iter().filter_map(|one| one.package.location.path()).collect();
    assert!(paths.contains(&"app/.yarn/cache/alias-https-0123456789-10c0.zip"), "{paths:?}");
}

#[test]
fn an_archive_that_cannot_be_read_is_named_by_its_name_and_is_a_problem() {
    let resolution = resolve(
        &Javascript,
        &[("app/.yarn/cache/lodash-npm-4.17.20-8b4b0f2d1a-10c0.zip", b"PK".as_slice())],
    );
    assert_eq!(purls(&resolution), ["pkg:npm/lodash@4.17.20"]);
    assert_eq!(resolution.problems.len(), 1, "{:?}", resolution.problems);
    let split = resolve(&Javascript, &[("app/.pnp.cjs", b"'.pnp.data.json'".as_slice())]);
    assert_eq!(split.problems.len(), 1, "{:?}", split.problems);
}

#[test]
fn a_package_in_a_cache_counts_where_it_is_not_installed_from_it() {
    let cached = "root/.bun/install/cache/lodash@4.17.20@@@1/package.json";
    let at = |files: &[(&str, &[u8])]| {
        let resolution = resolve(&Javascript, files);
        let paths = resolution.packages.iter().filter_map(|one| one.package.location.path());
        paths.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(at(&[(cached, LODASH)]), [cached]);
    let installed = "app/node_modules/lodash/package.json";
    assert_eq!(at(&[(cached, LODASH), (installed, LODASH)]), [installed]);
    let old = br#"{"name":"lodash","version":"4.17.4"}"#;
    assert_eq!(at(&[(cached, LODASH), (installed, old)]), [installed, cached]);
}

#[test]
fn what_npm_wrote_down_and_is_not_there_is_listed_as_declared() {
    let lock = br#"{"lockfileVersion":3,"packages":{"node_modules/lodash":{"version":"4.17.20"},
        "node_modules/bare":{"version":"1.0.0","resolved":"git+ssh://git@host.test/bare.git#01"},
        "node_modules/own":{"resolved":"packages/own","link":true},"packages/own":{"version":"1.0.0"}}}"#;
    let resolution = resolve(
        &Javascript,
        &[
            ("app/node_modules/.package-lock.json", lock.as_slice()),
            ("app/node_modules/lodash/package.json", LODASH),
        ],
    );
    let listed: Vec<_> = resolution
        .packages
        .iter()
        .map(|one| (one.package.name.as_str(), one.package.presence))
        .collect();
    assert_eq!(listed, [("lodash", Presence::Installed), ("bare", Presence::Declared)]);
}

#[test]
fn an_application_of_electron_is_read_as_it_comes() {
    use crate::language::testing::read_in_pieces;
    let asar = asar_of(&[
        ("main.js", &[b'x'; 700]),
        ("package.json", br#"{"name":"own","version":"1.0.0"}"#),
        ("node_modules/lodash/package.json", LODASH),
        ("node_modules/lodash/lodash.js", &[b'y'; 9_000]),
        ("node_modules/@s/a/package.json", br#"{"name":"@s/a","version":"2.0.0"}"#),
    ]);
    let path = "opt/app/resources/app.asar";
    let whole = read_in_pieces(&Javascript, path, 0o644, &asar, usize::MAX).unwrap();
    for piece in [1, 7, 64, 1_000] {
        assert_eq!(read_in_pieces(&Javascript, path, 0o644, &asar, piece).unwrap(), whole);
    }
    let resolution = resolve(&Javascript, &[(path, &asar)]);
    assert_eq!(purls(&resolution), ["pkg:npm/%40s/a@2.0.0", "pkg:npm/lodash@4.17.20"]);
    for end in 0..asar.len() - 1 {
        let _ = read_in_pieces(&Javascript, path, 0o644, &asar[..end], 64);
    }
    assert!(read_in_pieces(&Javascript, path, 0o644, &asar[..800], 64).is_err());
    assert!(read_in_pieces(&Javascript, path, 0o644, b"no asar at all, it is", 64).is_err());
}

#[test]
fn a_manifest_of_windows_in_utf_16_is_read() {
    let text = "\u{feff}{\"name\":\"a\",\"version\":\"1.0.0\",\"license\":null}";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        let resolution = resolve(&Javascript, &[("app/node_modules/a/package.json", &bytes)]);
        assert_eq!(purls(&resolution), ["pkg:npm/a@1.0.0"]);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"(\{|\}|\[|\]|"name":|"version":|"license":|"a"|,|1|\\){0,40}"#, path in "(node_modules/|@|/|a|package.json|usr/share/nodejs/|é){0,9}") {
        let _ = manifest::parse(&bytes);
        let _ = manifest::parse(text.as_bytes());
        let _ = is_package(&path);
        let _ = place::of(&path);
        let _ = pnp::parse(&bytes);
        let _ = pnp::parse(text.as_bytes());
        let _ = archives::zip(&path, &bytes);
    }
}
