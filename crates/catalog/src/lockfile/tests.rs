//! Every case folder, and what holds for all formats.
//!
//! A case is `cases/<check id>/<case>/<file>`; what it declares is a snapshot of that name.

use super::*;
use crate::language::testing::read_in_pieces;
use image::{FactAt, SubjectShape};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn check(id: &str) -> &'static Lockfile {
    ALL.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check `{id}`"))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// What a file declares in a folder of this shape.
fn resolve(check: &Lockfile, path: &str, bytes: &[u8], shape: SubjectShape) -> Resolution {
    let fact = read_in_pieces(check, path, 0o644, bytes, 4096).unwrap();
    let facts = fact.as_deref().map(|fact| FactAt { path, layer: None, fact, stays: true });
    let links = std::collections::HashMap::new();
    if !image::Reader::counts(check).hold(image::Place::of_directory(shape)) {
        return Resolution::default();
    }
    check.resolve(&View::new(facts.into_iter().collect(), &links, image::About::tree(shape), 0))
}

fn listed(check: &Lockfile, path: &str, bytes: &[u8]) -> String {
    let resolution = resolve(check, path, bytes, SubjectShape::Source);
    let mut text = String::new();
    for cataloged in &resolution.packages {
        let package = &cataloged.package;
        let Package { purl, name, version, location, licences, .. } = package;
        let _ = writeln!(text, "{purl}  {name} {version}  {location}  {}", licences.join(", "));
        let Package { relation, scope, requires, .. } = package;
        let told = [relation.map(|one| format!("{one:?}")), scope.map(|one| format!("{one:?}"))];
        let told: Vec<String> = told.into_iter().flatten().collect();
        if !told.is_empty() {
            let _ = writeln!(text, "    {}", told.join(", "));
        }
        for (at, needed) in requires.iter().enumerate() {
            let ranges = cataloged.ranges.get(at).map(|ranges| ranges.join(" and "));
            let _ = writeln!(text, "    needs {needed}  {}", ranges.unwrap_or_default());
        }
    }
    for problem in &resolution.problems {
        let _ = writeln!(text, "problem: {}: {}", problem.path, problem.reason);
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn every_case_declares_what_its_snapshot_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/cases");
    let mut formats = Vec::new();
    for format in sorted(&root) {
        let check = check(name(&format));
        formats.push(check.id);
        for case in sorted(&format) {
            for file in sorted(&case) {
                let bytes = std::fs::read(&file).unwrap();
                let snapshot = format!("{}-{}", check.id, name(&case));
                insta::assert_snapshot!(snapshot, listed(check, name(&file), &bytes));
            }
        }
    }
    let all: Vec<_> = ALL.iter().map(|check| check.id).collect();
    assert_eq!(formats, all, "a format without a case");
}

#[test]
fn declarations_count_in_source_folders_alone() {
    let bytes = b"requests==2.0\n";
    let check = check("requirements");
    let path = "requirements.txt";
    assert_eq!(resolve(check, path, bytes, SubjectShape::Source).packages.len(), 1);
    let image = resolve(check, path, bytes, SubjectShape::RootFileSystem);
    assert!(image.packages.is_empty() && image.problems.is_empty());
}

#[test]
fn a_broken_file_is_a_problem_in_a_source_folder_and_nothing_in_an_image() {
    for check in ALL.iter().filter(|check| check.id != "requirements") {
        let Interest::Name(path) = check.interests[0] else { panic!("{}", check.id) };
        for bytes in [b"{ \x00 [".as_slice(), b"\xff\xfe\x00"] {
            let source = resolve(check, path, bytes, SubjectShape::Source);
            assert_eq!(source.problems.len(), 1, "{}", check.id);
            assert!(!source.problems[0].reason.contains('\n'));
            assert!(resolve(check, path, bytes, SubjectShape::RootFileSystem).problems.is_empty());
        }
    }
}

#[test]
fn a_file_that_is_too_large_is_a_problem_in_a_source_folder_alone() {
    let small = Lockfile { at_most: 8, ..requirements::CHECK };
    let path = "requirements.txt";
    let problems = |shape| resolve(&small, path, b"requests==2.0\n", shape).problems.len();
    assert_eq!(problems(SubjectShape::Source), 1);
    assert_eq!(problems(SubjectShape::RootFileSystem), 0);
}

#[test]
fn lock_files_of_installed_packages_are_not_the_projects() {
    let wanted = |path| {
        let entry = Entry { path, kind: vocabulary::FileKind::File, mode: 0, size: 1 };
        ALL.iter().any(|check| !matches!(image::Reader::wants(check, &entry, b""), Want::No))
    };
    assert!(wanted("yarn.lock") && wanted("sub/project/Cargo.lock"));
    assert!(wanted("requirements/dev.txt") && wanted("x/dev-requirements.txt"));
    assert!(!wanted("node_modules/a/yarn.lock"));
    assert!(!wanted(".venv/lib/python3.11/site-packages/x/requirements.txt"));
    assert!(!wanted("notes.md"));
}

#[test]
fn empty_files_declare_nothing() {
    for check in ALL {
        let empty = match check.id {
            "composer-lock" => br#"{"packages":null}"#.as_slice(),
            "nuget-lock" => br#"{"dependencies":null}"#,
            "project-assets" => br#"{"libraries":null}"#,
            "sbt-lock" => br#"{"dependencies":null}"#,
            "package-lock" => br#"{"lockfileVersion":3}"#,
            "pipfile-lock" => br#"{"_meta":{}}"#,
            _ => b"",
        };
        assert_eq!(check.listing(empty).map(|one| one.packages), Ok(Vec::new()), "{}", check.id);
    }
}

#[test]
fn a_file_that_is_not_empty_and_yields_nothing_is_a_problem() {
    // Empty where people write it themselves, or where it is the whole file that lists.
    let by_hand = ["conda-environment", "github-actions", "pom-xml", "requirements"];
    let texts =
        [r#"{"unknown":{"a":"1.0"}}"#, "unknown:\n  - a: 1.0\n", "[unknown]\na = \"1.0\"\n"];
    for check in ALL.iter().filter(|check| !by_hand.contains(&check.id)) {
        for text in texts {
            let listing = check.listing(text.as_bytes());
            assert!(
                listing.as_ref().is_err() || !listing.as_ref().unwrap().problems().is_empty(),
                "{}: {text}: {listing:?}",
                check.id
            );
        }
    }
}

#[test]
fn deep_and_endless_files_end_without_harm() {
    let texts = [
        format!("{{\"dependencies\":{}", "{\"a\":{\"dependencies\":".repeat(20_000)),
        "[".repeat(200_000),
        format!("package = {}", "[".repeat(20_000)),
        format!("a = {}", "{a=".repeat(20_000)),
        "packages:\n".repeat(20_000),
        "&a ".repeat(20_000),
        format!("x@{}:\n", "y, ".repeat(20_000)),
        "a==1\\\n".repeat(20_000),
        "require (\n".repeat(20_000),
        "@".repeat(20_000),
        format!("<packages>{}", "<package id='a' ".repeat(20_000)),
        format!("<packages>{}", "<!--".repeat(20_000)),
    ];
    for check in ALL {
        for text in &texts {
            let _ = check.listing(text.as_bytes());
        }
    }
}

#[test]
fn names_that_are_no_plain_text_are_left_out() {
    let text = "lockfileVersion: '9.0'\npackages:\n  a\u{1b}[2J@1.0.0:\n  b@1.0.0:\n";
    let found = check("pnpm-lock").listing(text.as_bytes()).unwrap().packages;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "b");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/cases");
    for format in sorted(&root) {
        let check = check(name(&format));
        for case in sorted(&format) {
            for file in sorted(&case) {
                let plain = std::fs::read_to_string(&file).unwrap();
                let windows = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
                assert_eq!(
                    check.listing(windows.as_bytes()),
                    check.listing(plain.as_bytes()),
                    "{}",
                    file.display()
                );
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_reader_fail_badly(text in "(?s).{0,200}", lines in "[a@/:\"' \\n=().,v0-9#>~_-]{0,300}") {
        for check in ALL {
            let _ = check.listing(text.as_bytes());
            let _ = check.listing(lines.as_bytes());
        }
    }
}

#[test]
fn a_swift_package_is_named_by_its_address_without_secrets() {
    let named = |address: &str| {
        let json = format!(
            r#"{{"pins":[{{"location":"{address}","state":{{"version":"1.0.0"}}}}],"version":2}}"#
        );
        let found = check("package-resolved").listing(json.as_bytes()).unwrap().packages;
        found.into_iter().find(|one| one.elsewhere.is_none()).map(|one| one.name)
    };
    for address in [
        "https://host.test/a/b.git",
        "https://user:obviously-fake@host.test/a/b",
        "ssh://git@host.test/a/b/",
        "git@host.test:a/b.git",
    ] {
        assert_eq!(named(address).as_deref(), Some("host.test/a/b"), "{address}");
    }
    for address in ["", "/home/user/b", "../b", "file:///a/b", "https://host.test/../b", "https://"]
    {
        assert_eq!(named(address), None, "{address}");
    }
}

#[test]
fn a_dart_name_that_no_package_can_have_is_left_out() {
    let text = |name| format!("packages:\n  {name}:\n    source: hosted\n    version: \"1.0.0\"\n");
    let count = |name| check("pubspec-lock").listing(text(name).as_bytes()).unwrap().packages.len();
    assert_eq!(["a_1", "a/", "\"a b\"", "../a", "\"\""].map(count), [1, 0, 0, 0, 0]);
}

#[test]
fn the_binary_form_of_bun_is_named_and_what_to_do() {
    let mut bytes = b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n".to_vec();
    bytes.extend([2, 0, 0, 0, 0xf7, 0x0e, 0xb5, 0x24]);
    let problems = resolve(check("bun-lock"), "bun.lockb", &bytes, SubjectShape::Source).problems;
    assert!(problems[0].reason.contains("--save-text-lockfile"), "{problems:?}");
}

#[test]
fn a_lock_file_of_an_unknown_version_is_a_problem() {
    for (id, text) in [
        ("conda-lock", "version: 7\npackage:\n- name: a\n"),
        ("deno-lock", r#"{"version":"77"}"#),
        ("pnpm-lock", "lockfileVersion: '77.0'\n"),
    ] {
        let reason = check(id).listing(text.as_bytes()).unwrap_err();
        assert!(reason.contains("is not known"), "{reason}");
    }
}

#[test]
fn entries_of_conda_lock_are_divided_however_they_are_indented() {
    for indent in ["", "  "] {
        let text = format!(
            "version: 1\npackage:\n{indent}- manager: conda\n{indent}  name: a\n{indent}  dependencies:\n\
             {indent}  - name: x\n{indent}    version: 9\n{indent}  version: '1.0'\n\
             {indent}- name: b\n{indent}  version: 2.0\n{indent}  manager: conda\nother: 1\n"
        );
        let found = check("conda-lock").listing(text.as_bytes()).unwrap().packages;
        let found: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.version.as_str())).collect();
        assert_eq!(found, [("a", "1.0"), ("b", "2.0")], "{text}");
    }
}

#[test]
fn a_conda_entry_that_names_no_single_version_is_listed_without_one() {
    let version = |item: &str| {
        let text = format!("dependencies: [{item}]\n");
        let found = check("conda-environment").listing(text.as_bytes()).unwrap();
        assert_eq!((found.packages.len(), found.packages[0].name.as_str()), (1, "a"), "{item}");
        found.packages[0].version.clone()
    };
    for item in ["a==1.2.3", "a=1.2.3=h_0", "a=1.2.3", "'c::a=1.2.3'", "a =1.2.3"] {
        assert_eq!(version(item), "1.2.3", "{item}");
    }
    for item in
        ["a", "a=1.0", "'a>=1.2.3'", "'a==1.*'", "a=1.2.3|1.2.4", "a<=1.2.3", "a!=1.2.3", "a=="]
    {
        assert_eq!(version(item), "", "{item}");
    }
}

#[test]
fn texts_and_comments_of_opam_are_no_packages() {
    let found = |text: &str| check("opam-locked").listing(text.as_bytes());
    let text = "depends: [ \"a\" {= \"1\\\"x\"} # \"b\" {= \"2\"}\n (* \"c\" {= \"2\"} *) ]\nx: [\"d\" {= \"3\"}]";
    assert_eq!(found(text).unwrap().packages.len(), 1);
    for broken in ["depends: [ \"a", "(* a", "\"\"\"a\"", "\u{1}"] {
        assert!(found(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_text_of_a_pom_is_whole_though_comments_divide_it() {
    let text = "<project><dependencies><dependency><groupId>a</groupId><artifactId>b<!-- c --></artifactId>\
        <version>1<![CDATA[.2]]></version></dependency></dependencies></project>";
    let found = check("pom-xml").listing(text.as_bytes()).unwrap().packages;
    assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("a:b", "1.2"));
}

#[test]
fn many_references_of_conan_end_soon() {
    let all: Vec<_> = (0..60_000).map(|at| format!("\"name-{at}/1.0#revision\"")).collect();
    let text = format!("{{\"requires\":[\n{}]}}", all.join(",\n"));
    let found = check("conan-lock").listing(text.as_bytes()).unwrap().packages;
    assert_eq!((found.len(), found[59_999].line), (60_000, 60_001));
}

/// Names and versions as package URLs, in the order of the file.
fn purls(id: &str, text: &str) -> Vec<String> {
    let check = check(id);
    let Interest::Name(path) = check.interests[0] else { panic!("{id}") };
    let resolution = resolve(check, path, text.as_bytes(), SubjectShape::Source);
    assert!(resolution.problems.is_empty(), "{id}: {:?}", resolution.problems);
    resolution.packages.iter().map(|one| one.package.purl.to_string()).collect()
}

#[test]
fn a_yarn_lock_as_npm_rewrites_it_lists_the_same() {
    let yarn = "# yarn lockfile v1\n\n\nlodash@^4.17.0, lodash@~4.17.1:\n  version \"4.17.20\"\n  resolved \"https://r.test/lodash/-/lodash-4.17.20.tgz\"\n  dependencies:\n    version \"^1\"\n\n\"@s/a@1\":\n  version \"1.0.0\"\n";
    let npm = "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n\"lodash@^4.17.0\", \"lodash@~4.17.1\":\n  \"integrity\" \"sha512-x==\"\n  \"resolved\" \"https://r.test/lodash/-/lodash-4.17.20.tgz\"\n  \"version\" \"4.17.20\"\n  \"dependencies\":\n    \"version\" \"^1\"\n\n\"@s/a@1\":\n  \"version\" \"1.0.0\"\n";
    let expected = ["pkg:npm/lodash@4.17.20", "pkg:npm/%40s/a@1.0.0"];
    assert_eq!(purls("yarn-lock", yarn), expected);
    assert_eq!(purls("yarn-lock", npm), expected);
    assert_eq!(purls("yarn-lock", &npm.replace("\n  ", "\n\t")), expected);
    assert_eq!(purls("yarn-lock", &npm.replace("  ", "    ").replace('\n', "\r\n")), expected);
    let commented = yarn.replace("  version \"4", "  # a comment\n  version \"4");
    assert_eq!(purls("yarn-lock", &commented), expected);
}

#[test]
fn a_yarn_lock_of_berry_is_yaml_of_any_layout() {
    let block = "__metadata:\n    version: 8\n'lodash@npm:^4':\n    resolution: 'lodash@npm:4.17.20'\n    version: 4.17.20\n    dependencies:\n        version: npm:1\n";
    let flow = "{__metadata: {version: 8}, \"lodash@npm:^4\": {version: 4.17.20, resolution: \"lodash@npm:4.17.20\"}}";
    for text in [block, flow] {
        assert_eq!(purls("yarn-lock", text), ["pkg:npm/lodash@4.17.20"]);
    }
    let others = "__metadata:\n  version: 8\n\"a@link:./a::locator=own%40workspace%3A.\":\n  version: 0.0.0-use.local\n  resolution: \"a@link:./a::locator=own%40workspace%3A.\"\n\"b@patch:b@npm%3A2.0.1#./b.patch\":\n  version: 2.0.1\n  resolution: \"b@patch:b@npm%3A2.0.1#./b.patch::version=2.0.1\"\n\"c@https://r.test/is-odd/-/is-odd-3.0.1.tgz\":\n  version: 3.0.1\n  resolution: \"c@https://r.test/is-odd/-/is-odd-3.0.1.tgz\"\n\"own@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"own@workspace:.\"\n";
    assert_eq!(
        purls("yarn-lock", others),
        ["pkg:npm/a?download_url=file:./a", "pkg:npm/b@2.0.1", "pkg:npm/is-odd@3.0.1"]
    );
}

#[test]
fn a_pnpm_lock_is_yaml_of_any_layout_and_of_several_documents() {
    let flow =
        "{lockfileVersion: '9.0', packages: {'lodash@4.17.20': {resolution: {integrity: x}}}}";
    let wide = "lockfileVersion: \"9.0\"\n\"packages\":\n    lodash@4.17.20: {resolution: {integrity: x}}\n";
    let several = "---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    configDependencies: {}\n---\nlockfileVersion: '9.0'\npackages:\n  lodash@4.17.20:\n    resolution: {integrity: x}\n";
    for text in [flow, wide, several] {
        assert_eq!(purls("pnpm-lock", text), ["pkg:npm/lodash@4.17.20"], "{text}");
    }
    assert!(purls("pnpm-lock", "lockfileVersion: 5.4\nspecifiers: {}\n").is_empty());
}

#[test]
fn packages_of_pnpm_from_elsewhere_say_where() {
    let fifth = "lockfileVersion: 5.4\ndependencies:\n  linked: link:../linked\npackages:\n  registry.acme.test/@s/a/1.0.0_peer@2.0.0:\n    resolution: {integrity: x}\n  github.com/o/is-negative/1d7e288222b53a0cab90a331f1865220ec29560c:\n    resolution: {tarball: https://codeload.github.com/o/is-negative/tar.gz/1d7e288}\n    name: is-negative\n    version: 2.1.0\n";
    assert_eq!(
        purls("pnpm-lock", fifth),
        [
            "pkg:npm/%40s/a@1.0.0?repository_url=https://registry.acme.test/",
            "pkg:npm/is-negative@2.1.0?download_url=https://codeload.github.com/o/is-negative/tar.gz/1d7e288",
            "pkg:npm/linked?download_url=file:../linked",
        ]
    );
    let ninth = "lockfileVersion: '9.0'\nimporters:\n  packages/a:\n    dependencies:\n      b:\n        specifier: workspace:*\n        version: link:../b\n      c:\n        specifier: link:../../out\n        version: link:../../out\n  packages/b: {}\npackages:\n  d@git+https://u:obviously-fake@host.test/d.git#01:\n    resolution: {commit: '01', repo: 'https://u:obviously-fake@host.test/d.git', type: git}\n    version: 1.0.1\n  e@https://host.test/e-1.2.3.tgz?token=obviously-fake:\n    resolution: {tarball: 'https://host.test/e-1.2.3.tgz?token=obviously-fake'}\n";
    assert_eq!(
        purls("pnpm-lock", ninth),
        [
            "pkg:npm/d@1.0.1?vcs_url=git%2Bhttps://host.test/d.git%4001",
            "pkg:npm/e@1.2.3?download_url=https://host.test/e-1.2.3.tgz",
            "pkg:npm/c?download_url=file:out",
        ]
    );
}

#[test]
fn a_package_lock_tells_members_links_archives_and_mirrors_apart() {
    let text = r#"{"lockfileVersion":3,"packages":{
        "":{"workspaces":{"packages":["packages/*","tools/**"]}},
        "../out":{"version":"2.0.0"},
        "node_modules/a":{"version":"1.0.0","resolved":"https://mirror.test/npm/a/-/a-1.0.0.tgz"},
        "node_modules/b":{"version":"1.0.0","resolved":"https://host.test/b.tgz#00"},
        "node_modules/c":{"version":"1.0.0","resolved":"file:vendor/c-1.0.0.tgz"},
        "node_modules/d":{"resolved":"../out","link":true},
        "node_modules/e":{"resolved":"lib/e","link":true},
        "node_modules/f":{"optional":true,"link":null,"license":null},
        "node_modules/m":{"resolved":"packages/m","link":true},
        "node_modules/n":{"resolved":"tools/deep/n","link":true},
        "packages/m":{"version":"1.0.0"}},"dependencies":null}"#;
    assert_eq!(
        purls("package-lock", text),
        [
            "pkg:npm/a@1.0.0",
            "pkg:npm/b@1.0.0?download_url=https://host.test/b.tgz",
            "pkg:npm/c@1.0.0?download_url=file:vendor/c-1.0.0.tgz",
            "pkg:npm/d@2.0.0?download_url=file:../out",
            "pkg:npm/e?download_url=file:lib/e",
            "pkg:npm/f",
        ]
    );
    let first = r#"{"lockfileVersion":1,"dependencies":{
        "a":{"version":"https://r.test/@s/real/-/real-1.0.0.tgz","integrity":"x"},
        "b":{"version":"github:o/b#01","dependencies":null},
        "c":{"version":"https://host.test/c-2.0.0.tgz","requires":true}}}"#;
    assert_eq!(
        purls("package-lock", first),
        [
            "pkg:npm/%40s/real@1.0.0",
            "pkg:npm/b?vcs_url=git%2Bhttps://github.com/o/b.git%4001",
            "pkg:npm/c@2.0.0?download_url=https://host.test/c-2.0.0.tgz",
        ]
    );
}

#[test]
fn a_bun_lock_may_have_comments() {
    let text = "// of Bun\n{ /* text */ \"packages\": {\n \"a\": [\"a@1.0.0\", \"\", {}, \"x//y\"], // one\n \"b\": [\"b@https://host.test/b-2.0.0.tgz\", {}],\n \"c\": [\"c@link:../c\", {},],\n},}";
    assert_eq!(
        purls("bun-lock", text),
        [
            "pkg:npm/a@1.0.0",
            "pkg:npm/b@2.0.0?download_url=https://host.test/b-2.0.0.tgz",
            "pkg:npm/c?download_url=file:../c",
        ]
    );
}

#[test]
fn every_version_of_a_deno_lock_lists_its_modules() {
    let first = r#"{"https://deno.land/std@0.200.0/a.ts":"00","https://deno.land/std@0.200.0/b.ts":"00",
        "https://esm.sh/v135/lodash@4.17.20/es2022/lodash.mjs":"00","https://unpkg.com/@s/a@1.0.0/x.js":"00"}"#;
    assert_eq!(
        purls("deno-lock", first),
        [
            "pkg:generic/deno.land/std@0.200.0?download_url=https://deno.land/std%400.200.0",
            "pkg:npm/lodash@4.17.20?download_url=https://esm.sh/v135/lodash%404.17.20",
            "pkg:npm/%40s/a@1.0.0?download_url=https://unpkg.com/%40s/a%401.0.0",
        ]
    );
    let second = r#"{"version":"2","remote":{},"npm":{"specifiers":{"a":"a@1.0.0"},"packages":{"a@1.0.0":{}}}}"#;
    assert_eq!(purls("deno-lock", second), ["pkg:npm/a@1.0.0"]);
    let third = r#"{"version":"3","packages":{"npm":{"a@1.0.0":{}},"jsr":{"@std/path@1.0.0":{}}},"remote":null}"#;
    assert_eq!(purls("deno-lock", third), ["pkg:npm/a@1.0.0", "pkg:jsr/%40std/path@1.0.0"]);
}

#[test]
fn a_file_of_an_unfinished_merge_is_a_problem_in_every_format() {
    let text = "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n";
    for check in ALL {
        assert!(
            check.listing(text.as_bytes()).is_err_and(|reason| reason.contains("line 2")),
            "{}",
            check.id
        );
    }
}

#[test]
fn a_package_of_composer_says_its_repository_or_folder_where_no_registry_serves_it() {
    let text = r#"{"packages":[
        {"name":"acme/fork","version":"dev-main","source":{"type":"git","url":"https://u:obviously-fake@host.test/f.git","reference":"01"}},
        {"name":"acme/own","version":"1.0.0","dist":{"type":"path","url":"../own","reference":"x"}},
        {"name":"acme/public","version":"1.0.0","source":{"type":"git","url":"https://host.test/p.git","reference":"01"},"notification-url":"https://packagist.org/downloads/"}]}"#;
    let resolution =
        resolve(check("composer-lock"), "composer.lock", text.as_bytes(), SubjectShape::Source);
    let listed: Vec<_> = resolution
        .packages
        .iter()
        .map(|one| (one.package.purl.to_string(), one.package.version.as_str()))
        .collect();
    let listed: Vec<_> = listed.iter().map(|(purl, version)| (purl.as_str(), *version)).collect();
    assert_eq!(
        listed,
        [
            (
                "pkg:composer/acme/fork@dev-main?vcs_url=git%2Bhttps://host.test/f.git%4001",
                "dev-main"
            ),
            ("pkg:composer/acme/own@1.0.0?download_url=file:../own", "1.0.0"),
            ("pkg:composer/acme/public@1.0.0", "1.0.0"),
        ]
    );
}

#[test]
fn other_layouts_of_the_same_lock_file_list_the_same() {
    let names = |id: &str, text: &str| -> Vec<String> {
        let listing = check(id).listing(text.as_bytes()).unwrap();
        assert!(listing.problems().is_empty(), "{text}");
        listing.packages.iter().map(|one| format!("{}@{}", one.name, one.version)).collect()
    };
    let pub_block = "packages:\n    a:\n        source: hosted\n        version: '1.0.0'\n";
    let pub_flow = "{packages: {a: {source: hosted, version: \"1.0.0\"}}, sdks: {}}";
    assert_eq!(names("pubspec-lock", pub_block), names("pubspec-lock", pub_flow));
    let conda = "{version: 1, package: [{name: a, version: '1.0', manager: conda}]}";
    assert_eq!(names("conda-lock", conda), ["a@1.0"]);
    let mix = "%{\"a\": {:hex, :a, \"1.0.0\", \"00\", [:mix], [{:c, \"~> 1\", []}], \"hexpm\", \"00\"}, \"b\":\n  {:hex,\n   :b, \"2.0.0\",\n \"00\"}}";
    assert_eq!(names("mix-lock", mix), ["a@1.0.0", "b@2.0.0"]);
    for (id, text) in [("pubspec-lock", "packages:\nsdks: {}\n"), ("mix-lock", "%{\n}\n")] {
        assert!(names(id, text).is_empty());
    }
}
