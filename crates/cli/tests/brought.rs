//! What comes indirectly: the step names what brings it, and says no more of that than lock files tell.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr, stdout};

/// `client` is mended in 0.21.9 and, from 1.0 on, in 1.18.0.
fn feed(bench: &Bench) {
    for (ecosystem, kind) in [("npm", "SEMVER"), ("PyPI", "ECOSYSTEM"), ("crates.io", "SEMVER")] {
        let record = |id: &str, introduced: &str, fixed: &str| {
            format!(
                r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","aliases":[],"summary":"Made up",
                "affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"client"}},
                "ranges":[{{"type":"{kind}","events":[{{"introduced":"{introduced}"}},{{"fixed":"{fixed}"}}]}}]}}],
                "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]}}"#
            )
        };
        let name = ecosystem.replace('.', "-").to_uppercase();
        for (number, introduced, fixed) in [(1, "0", "0.21.9"), (2, "1.0.0", "1.18.0")] {
            let id = format!("EX-{name}-{number}");
            bench.write(&format!("feed/{ecosystem}/{id}.json"), record(&id, introduced, fixed));
        }
    }
    bench.write("feed/ecosystems.txt", "PyPI\ncrates.io\nnpm\n");
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
}

/// The titles of the steps, each with what is said of those that bring it.
fn steps(bench: &Bench, files: &[(&str, &str)]) -> Vec<String> {
    let project = bench.path().join("project");
    if project.exists() {
        std::fs::remove_dir_all(&project).unwrap();
    }
    for (name, text) in files {
        bench.write(&format!("project/{name}"), text);
    }
    let scanned = bench.run(&["scan", "project", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let report = bench.json("report.json");
    let table = stdout(&bench.run(&["scan", "project"]));
    let markdown = stdout(&bench.run(&["scan", "project", "--format", "markdown"]));
    let mut said = Vec::new();
    for step in report["mending"]["upgrades"].as_array().unwrap() {
        let title = step["title"].as_str().unwrap();
        // The table cuts what is long.
        let begin: String = title.chars().take(50).collect();
        assert!(table.contains(&begin), "{title}: {table}");
        assert!(markdown.replace('\\', "").contains(&begin), "{title}: {markdown}");
        said.push(title.to_owned());
        for one in step["packages"].as_array().unwrap() {
            for by in one["brought_by"].as_array().into_iter().flatten() {
                let text = |key: &str| by[key].as_str().unwrap_or("-").to_owned();
                let through: Vec<&str> = by["through"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|one| one.as_str())
                    .collect();
                let change = by["change"]["do"].as_str().unwrap();
                said.push(format!(
                    "  {} {} [{}] asks {}: {change}: {}",
                    text("name"),
                    text("version"),
                    through.join(", "),
                    text("asks"),
                    text("command"),
                ));
                assert!(
                    table.contains(&format!("{} {}", text("name"), text("version"))),
                    "{table}"
                );
            }
        }
    }
    said
}

fn package_lock(range: &str, more: &str) -> String {
    format!(
        r#"{{"lockfileVersion":3,"packages":{{
        "":{{"dependencies":{{"server":"^4.0.0"}}}},
        "node_modules/server":{{"version":"4.1.0","dependencies":{{"middle":"^1.0.0"}}}},
        "node_modules/middle":{{"version":"1.2.0","dependencies":{{"client":"{range}"}}}},
        {more}
        "node_modules/client":{{"version":"0.21.0"}}}}}}"#
    )
}

#[test]
fn a_range_that_allows_the_version_asks_for_a_refresh_and_one_that_does_not_for_another_bringer() {
    let bench = Bench::new();
    feed(&bench);
    assert_eq!(
        steps(&bench, &[("package-lock.json", &package_lock("^0.21.0", ""))]),
        [
            "refresh client from 0.21.0 to 0.21.9 in the lock file: server 4.1.0 allows it",
            "  server 4.1.0 [middle 1.2.0] asks ^0.21.0: refresh: npm update client",
        ]
    );
    assert_eq!(
        steps(&bench, &[("package-lock.json", &package_lock("0.21.0", ""))]),
        [
            "refresh middle 1.2.0, which holds client at 0.21.0: 0.21.9 is needed",
            "  server 4.1.0 [middle 1.2.0] asks 0.21.0: renew: npm update middle client",
        ]
    );
    // What the project asks for itself is upgraded itself.
    let direct = r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"client":"*"}},
        "node_modules/client":{"version":"0.21.0"}}}"#;
    assert_eq!(
        steps(&bench, &[("package-lock.json", direct)]),
        ["upgrade client from 0.21.0 to 0.21.9"]
    );
}

#[test]
fn what_is_bundled_is_held_by_what_bundles_it_and_a_refresh_to_another_major_version_says_so() {
    let bench = Bench::new();
    feed(&bench);
    let bundled = r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"server":"^4.0.0"}},
        "node_modules/server":{"version":"4.1.0","dependencies":{"client":"^0.21.0"},"bundleDependencies":["client"]},
        "node_modules/server/node_modules/client":{"version":"0.21.0","inBundle":true}}}"#;
    assert_eq!(
        steps(&bench, &[("package-lock.json", bundled)]),
        [
            "upgrade server 4.1.0, which holds client at 0.21.0: 0.21.9 is needed",
            "  server 4.1.0 [] asks 0.21.0: outgrow: -",
        ]
    );
    let any = package_lock("*", "").replace("0.21.0", "0.22.0");
    bench.write(
        "feed/npm/EX-NPM-3.json",
        r#"{"id":"EX-NPM-3","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"client"},
        "ranges":[{"type":"SEMVER","events":[{"introduced":"0.22.0"},{"fixed":"1.18.0"}]}]}]}"#,
    );
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    assert_eq!(
        steps(&bench, &[("package-lock.json", &any)]),
        [
            "refresh client from 0.22.0 to 1.18.0 in the lock file, another major version: server 4.1.0 allows it",
            "  server 4.1.0 [middle 1.2.0] asks *: refresh: npm update client",
        ]
    );
    let step = &bench.json("report.json")["mending"]["upgrades"][0]["packages"][0];
    assert_eq!((step["major"].as_bool(), step["safety"].as_str()), (Some(true), Some("review")));
}

#[test]
fn a_later_version_of_the_bringer_is_named_only_where_a_lock_file_holds_it_and_what_it_brings_is_clean()
 {
    let bench = Bench::new();
    feed(&bench);
    let other = |client: &str| {
        format!(
            r#"{{"lockfileVersion":3,"packages":{{"":{{"dependencies":{{"server":"^5.0.0"}}}},
            "node_modules/server":{{"version":"5.2.1","dependencies":{{"client":"^1.0.0"}}}},
            "node_modules/client":{{"version":"{client}"}}}}}}"#
        )
    };
    let first = package_lock("0.21.0", "");
    let said = steps(
        &bench,
        &[("a/package-lock.json", &first), ("b/package-lock.json", &other("1.18.0"))],
    );
    assert_eq!(
        said,
        [
            "upgrade server to 5.2.1: brings client 1.18.0",
            "  server 4.1.0 [middle 1.2.0] asks 0.21.0: upgrade: -",
        ]
    );
    let said = steps(
        &bench,
        &[("a/package-lock.json", &first), ("b/package-lock.json", &other("1.17.0"))],
    );
    let held = "refresh middle 1.2.0, which holds client at 0.21.0: 0.21.9 is needed".to_owned();
    assert!(said.contains(&held), "{said:?}");
    assert!(
        !said.iter().any(|line| line.contains("5.2.1") && line.starts_with("upgrade server to")),
        "{said:?}"
    );
}

#[test]
fn every_lock_file_that_tells_who_brings_what_is_believed_as_far_as_it_tells() {
    let bench = Bench::new();
    feed(&bench);
    let cargo = r#"version = 4
[[package]]
name = "client"
version = "0.21.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "own"
version = "0.1.0"
dependencies = ["server"]
[[package]]
name = "server"
version = "4.1.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["client"]
"#;
    assert_eq!(
        steps(&bench, &[("Cargo.lock", cargo)]),
        [
            "upgrade client from 0.21.0 to 0.21.9, brought by server 4.1.0",
            "  server 4.1.0 [] asks -: untold: cargo update -p client@0.21.0 --precise 0.21.9",
        ]
    );
    let poetry = r#"[[package]]
name = "server"
version = "4.1.0"
[package.dependencies]
client = ">=0.21,<0.22"
[[package]]
name = "client"
version = "0.21.0"
[metadata]
lock-version = "2.0"
"#;
    let manifest = |more: &str| format!("[tool.poetry.dependencies]\nserver = \"^4\"\n{more}");
    assert_eq!(
        steps(&bench, &[("poetry.lock", poetry), ("pyproject.toml", &manifest(""))]),
        [
            "refresh client from 0.21.0 to 0.21.9 in the lock file: server 4.1.0 allows it",
            "  server 4.1.0 [] asks >=0.21,<0.22: refresh: poetry update client",
        ]
    );
    // Without the manifest nobody knows whether the project asks for it too.
    assert_eq!(
        steps(&bench, &[("poetry.lock", poetry)]),
        [
            "refresh client from 0.21.0 to 0.21.9 in the lock file: server 4.1.0 allows it; whether the project asks for it itself is not told",
            "  server 4.1.0 [] asks >=0.21,<0.22: refresh: poetry update client",
        ]
    );
    assert_eq!(
        steps(
            &bench,
            &[("poetry.lock", poetry), ("pyproject.toml", &manifest("client = \"<0.22\"\n"))]
        ),
        ["upgrade client from 0.21.0 to 0.21.9"]
    );
    let yarn = "# yarn lockfile v1\n\n\nclient@^0.21.0:\n  version \"0.21.0\"\n\nserver@^4.0.0:\n  version \"4.1.0\"\n  dependencies:\n    client \"^0.21.0\"\n";
    assert_eq!(
        steps(
            &bench,
            &[("yarn.lock", yarn), ("package.json", r#"{"dependencies":{"server":"^4.0.0"}}"#)]
        ),
        [
            "refresh client from 0.21.0 to 0.21.9 in the lock file: server 4.1.0 allows it",
            "  server 4.1.0 [] asks ^0.21.0: refresh: -",
        ]
    );
    let pnpm = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      server:\n        specifier: ^4.0.0\n        version: 4.1.0\npackages:\n  client@0.21.0: {}\n  server@4.1.0: {}\nsnapshots:\n  client@0.21.0: {}\n  server@4.1.0:\n    dependencies:\n      client: 0.21.0\n";
    assert_eq!(
        steps(&bench, &[("pnpm-lock.yaml", pnpm)]),
        [
            "upgrade client from 0.21.0 to 0.21.9, brought by server 4.1.0",
            "  server 4.1.0 [] asks -: untold: -",
        ]
    );
}

#[test]
fn the_package_whose_range_forbids_is_the_one_to_change_as_far_as_it_may() {
    let bench = Bench::new();
    feed(&bench);
    let poetry = |server: &str| {
        format!(
            r#"[[package]]
name = "server"
version = "4.1.0"
[package.dependencies]
middle = "{server}"
[[package]]
name = "middle"
version = "2.25.1"
[package.dependencies]
client = ">=0.20,<0.21.9"
[[package]]
name = "client"
version = "0.21.0"
[metadata]
lock-version = "2.0"
"#
        )
    };
    let manifest = "[tool.poetry.dependencies]\nserver = \"^4\"\n";
    let of = |lock: &str| steps(&bench, &[("poetry.lock", lock), ("pyproject.toml", manifest)]);
    assert_eq!(
        of(&poetry(">=2.14.2,!=2.18.0")),
        [
            "refresh middle 2.25.1, which holds client at 0.21.0: 0.21.9 is needed",
            "  server 4.1.0 [middle 2.25.1] asks >=0.20,<0.21.9: renew: poetry update middle client",
        ]
    );
    let table = stdout(&bench.run(&["scan", "project"]));
    assert!(table.contains("a later middle may be taken"), "{table}");
    assert_eq!(
        of(&poetry("==2.25.1")),
        [
            "upgrade server 4.1.0, through which client is held at 0.21.0: 0.21.9 is needed",
            "  server 4.1.0 [middle 2.25.1] asks >=0.20,<0.21.9: outgrow: -",
        ]
    );
}

#[test]
fn a_version_that_stands_twice_in_a_lock_file_of_yarn_is_brought_by_who_asks_for_it() {
    let bench = Bench::new();
    feed(&bench);
    let yarn = "# yarn lockfile v1\n\n\nclient@0.21.0:\n  version \"0.21.0\"\n\nclient@^0.21.9, client@^0.21.10:\n  version \"0.21.10\"\n\nheld@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    client \"0.21.0\"\n\nserver@^4.0.0:\n  version \"4.1.0\"\n  dependencies:\n    client \"^0.21.9\"\n    held \"^1.0.0\"\n";
    let manifest = r#"{"dependencies":{"server":"^4.0.0","client":"^0.21.10"}}"#;
    assert_eq!(
        steps(&bench, &[("yarn.lock", yarn), ("package.json", manifest)]),
        [
            "refresh held 1.0.0, which holds client at 0.21.0: 0.21.9 is needed",
            "  server 4.1.0 [held 1.0.0] asks 0.21.0: renew: -",
        ]
    );
}

#[test]
fn a_version_that_stands_twice_in_a_lock_file_of_berry_is_brought_by_who_asks_for_it() {
    let bench = Bench::new();
    feed(&bench);
    let block = |key: &str, name: &str, version: &str, needs: &str| {
        let needs =
            if needs.is_empty() { String::new() } else { format!("  dependencies:\n{needs}") };
        format!(
            "\"{key}\":\n  version: {version}\n  resolution: \"{name}@npm:{version}\"\n{needs}  languageName: node\n  linkType: hard\n\n"
        )
    };
    let yarn = [
        "__metadata:\n  version: 8\n\n".to_owned(),
        block("client@npm:^0.21.0", "client", "0.21.0", ""),
        block("client@npm:^0.21.9", "client", "0.21.10", ""),
        block("old@npm:^1.0.0", "old", "1.0.0", "    client: \"npm:^0.21.0\"\n"),
        block(
            "server@npm:^4.0.0",
            "server",
            "4.1.0",
            "    client: \"npm:^0.21.9\"\n    old: \"npm:^1.0.0\"\n",
        ),
        "\"shop@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"shop@workspace:.\"\n  dependencies:\n    server: \"npm:^4.0.0\"\n  languageName: unknown\n  linkType: soft\n".to_owned(),
    ]
    .concat();
    let manifest = r#"{"name":"shop","dependencies":{"server":"^4.0.0"}}"#;
    assert_eq!(
        steps(&bench, &[("yarn.lock", &yarn), ("package.json", manifest)]),
        [
            "refresh client from 0.21.0 to 0.21.9 in the lock file: server 4.1.0 allows it",
            "  server 4.1.0 [old 1.0.0] asks ^0.21.0: refresh: -",
        ]
    );
}

#[test]
fn cargo_is_told_nothing_that_it_refuses() {
    let bench = Bench::new();
    feed(&bench);
    let cargo = |own: &str, version: &str| {
        format!(
            r#"version = 4
[[package]]
name = "client"
version = "{version}"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "own"
version = "0.1.0"
dependencies = ["{own}"]
[[package]]
name = "middle"
version = "1.3.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["client"]
[[package]]
name = "server"
version = "4.1.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["middle"]
"#
        )
    };
    // 0.20 and 0.21 are incompatible: what asks for the one does not allow the other.
    assert_eq!(
        steps(&bench, &[("Cargo.lock", &cargo("server", "0.20.3"))]),
        [
            "upgrade client from 0.20.3 to 0.21.9, another major version: middle 1.3.0 has to go to a version that asks for it",
            "  server 4.1.0 [middle 1.3.0] asks -: incompatible: cargo update -p middle@1.3.0",
        ]
    );
    assert_eq!(
        steps(&bench, &[("Cargo.lock", &cargo("client\", \"server", "0.20.3"))])[0],
        "upgrade client from 0.20.3 to 0.21.9, another major version: Cargo.toml has to ask for 0.21.9; middle 1.3.0 holds it at 0.20.3 too"
    );
    assert_eq!(
        steps(&bench, &[("Cargo.lock", &cargo("server", "0.21.1"))])[1],
        "  server 4.1.0 [middle 1.3.0] asks -: untold: cargo update -p client@0.21.1 --precise 0.21.9"
    );
}

#[test]
fn what_another_tools_bill_says_of_who_brings_what_is_said_and_that_ranges_are_not_told_by_the_bill()
 {
    let bench = Bench::new();
    feed(&bench);
    let component = |name: &str, version: &str| {
        format!(
            r#"{{"type":"library","bom-ref":"shop|{name}@{version}","name":"{name}","version":"{version}","purl":"pkg:npm/{name}@{version}"}}"#
        )
    };
    let bill = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,
        "metadata":{{"component":{{"type":"application","bom-ref":"shop","name":"shop","version":"1.0.0"}}}},
        "components":[{},{}],
        "dependencies":[{{"ref":"shop","dependsOn":["shop|server@4.1.0"]}},
        {{"ref":"shop|server@4.1.0","dependsOn":["shop|client@0.21.0"]}},{{"ref":"shop|client@0.21.0"}}]}}"#,
        component("server", "4.1.0"),
        component("client", "0.21.0")
    );
    bench.write("bill.json", bill);
    let scanned = bench.run(&["scan", "sbom:bill.json", "-o", "json=report.json"]);
    assert_eq!(code(&scanned), 0, "{}", stderr(&scanned));
    let step = &bench.json("report.json")["mending"]["upgrades"][0];
    assert_eq!(step["title"], "upgrade client from 0.21.0 to 0.21.9, brought by server 4.1.0");
    let table = stdout(&bench.run(&["scan", "sbom:bill.json"]));
    let told = "server 4.1.0 > client 0.21.0; whether it allows 0.21.9 is not told by the bill";
    assert!(table.contains(told), "{table}");
}

#[test]
fn what_is_installed_below_a_lock_file_is_brought_as_that_says() {
    let bench = Bench::new();
    feed(&bench);
    let lock = package_lock("^0.21.0", "");
    let installed = r#"{"name":"client","version":"0.21.0"}"#;
    assert_eq!(
        steps(
            &bench,
            &[("package-lock.json", &lock), ("node_modules/client/package.json", installed)]
        ),
        [
            "refresh client from 0.21.0 to 0.21.9 in the lock file: server 4.1.0 allows it",
            "  server 4.1.0 [middle 1.2.0] asks ^0.21.0: refresh: npm update client",
        ]
    );
    let report = bench.json("report.json");
    let packages = report["packages"].as_array().unwrap();
    let client = packages.iter().find(|one| one["name"] == "client").unwrap();
    assert_eq!((&client["relation"], &client["scope"]), (&"indirect".into(), &"runtime".into()));
    // It is of another place than what needs it.
    let middle = packages.iter().find(|one| one["name"] == "middle").unwrap();
    assert!(middle.get("requires").is_none(), "{middle}");
}

#[test]
fn a_name_that_a_shell_would_run_is_in_no_command() {
    let bench = Bench::new();
    feed(&bench);
    let lock = package_lock("^0.21.0", "").replace(
        r#""node_modules/client":{"version":"0.21.0"}"#,
        r#""node_modules/client":{"name":"client","version":"0.21.0"},"node_modules/$(id)":{"version":"1.0.0"}"#,
    );
    let said = steps(&bench, &[("package-lock.json", &lock)]);
    assert!(!said.iter().any(|line| line.contains("$(")), "{said:?}");
}

#[test]
fn what_a_tool_that_is_installed_globally_has_inside_is_upgraded_with_that() {
    let bench = Bench::new();
    feed(&bench);
    let tool = r#"{"name":"tool","version":"9.1.0"}"#;
    let client = r#"{"name":"client","version":"0.21.0"}"#;
    let said = steps(
        &bench,
        &[
            ("usr/lib/node_modules/tool/package.json", tool),
            ("usr/lib/node_modules/tool/node_modules/client/package.json", client),
        ],
    );
    assert_eq!(said, ["upgrade tool 9.1.0, which has client 0.21.0 inside: 0.21.9 is needed"]);
    let table = stdout(&bench.run(&["scan", "project"]));
    let told = "inside usr/lib/node_modules/tool, which belongs to tool 9.1.0";
    assert!(table.contains(told), "{table}");
}
