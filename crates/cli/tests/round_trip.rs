//! A bill of ours that is scanned again says of its subject what the subject says of itself: packages,
//! who asks for what and for what, findings, exit code. Over all formats of lock files that there are
//! cases of, over folders that hold nothing and folders that say so, and over root file systems.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::{Bench, OS_RELEASE, STATUS, code, stderr};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The forms, by the name of a format and whether it is rewritten as tag-value.
const FORMS: [(&str, bool); 4] =
    [("cyclonedx", false), ("spdx", false), ("spdx", true), ("json", false)];

/// A bench whose feed has an advisory of every package of these subjects, for any version.
fn bench_for(subjects: &[PathBuf]) -> Bench {
    let bench = Bench::new();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for subject in subjects {
        let listed = bench.run(&["sbom", subject.to_str().unwrap(), "-o", "json=listed.json"]);
        assert!([0, 3].contains(&code(&listed)), "{}", stderr(&listed));
        for package in bench.json("listed.json")["packages"].as_array().unwrap() {
            let text = |key: &str| package[key].as_str().unwrap().to_owned();
            known.entry(text("ecosystem")).or_default().insert(text("name"));
        }
    }
    known.remove("program");
    for (at, (ecosystem, name)) in known
        .iter()
        .flat_map(|(ecosystem, names)| names.iter().map(move |name| (ecosystem, name)))
        .enumerate()
    {
        let release = match ecosystem.as_str() {
            "Debian" => "Debian:12",
            "Alpine" => "Alpine:v3.20",
            other => other,
        };
        let id = format!("TEST-2099-{at}");
        let advisory = json!({"id": id, "modified": "2026-01-01T00:00:00Z", "summary": "Made up",
            "affected": [{"package": {"ecosystem": release, "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]});
        bench.write(&format!("feed/{ecosystem}/{id}.json"), advisory.to_string());
    }
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    bench.write("feed/ecosystems.txt", names.join("\n"));
    let updated = bench.run(&["db", "update", "--from", "feed"]);
    assert_eq!(code(&updated), 0, "{}", stderr(&updated));
    bench
}

/// What has to be the same.
fn said(report: &Value) -> Value {
    let of = |package: &Value| {
        let keys = [
            "purl",
            "name",
            "version",
            "ecosystem",
            "location",
            "presence",
            "relation",
            "scope",
            "requires",
            "identified",
            "licences",
        ];
        keys.map(|key| package[key].clone())
    };
    let packages: Vec<_> = report["packages"].as_array().unwrap().iter().map(of).collect();
    json!({
        "packages": packages,
        "findings": report["findings"],
        "mending": report["mending"],
        "outcome": report["decision"]["outcome"],
    })
}

/// Scans a subject and each bill of it; the packages of the subject.
fn holds(bench: &Bench, subject: &Path) -> usize {
    let name = subject.to_str().unwrap();
    let scanned = bench.run(&["scan", name, "-o", "json=subject.json"]);
    assert!([0, 3].contains(&code(&scanned)), "{name}: {}", stderr(&scanned));
    let whole = bench.json("subject.json");
    for (format, as_tags) in FORMS {
        let shown = format!("{name} by {format}{}", if as_tags { " as tag-value" } else { "" });
        bench.run(&["sbom", name, "-o", &format!("{format}=bill.json")]);
        if as_tags {
            bench.write("bill.json", tag_value(&bench.json("bill.json")));
        }
        let again = bench.run(&["scan", "sbom:bill.json", "-o", "json=again.json"]);
        assert_eq!(code(&again), code(&scanned), "{shown}: {}", stderr(&again));
        let (of_bill, of_subject) = (said(&bench.json("again.json")), said(&whole));
        for part in ["packages", "findings"] {
            let (left, right) = (of_bill[part].as_array(), of_subject[part].as_array());
            let pairs = left.unwrap().iter().zip(right.unwrap());
            pairs.for_each(|(left, right)| assert_eq!(left, right, "{shown}"));
        }
        assert!(of_bill == of_subject, "{shown}: {of_bill:#}\n{of_subject:#}");
    }
    whole["packages"].as_array().unwrap().len()
}

/// The same document as tag-value: SPDX specification 2.3, clause 4.4.
fn tag_value(document: &Value) -> String {
    let mut text = String::new();
    let mut put = |tag: &str, value: &Value| {
        let Some(value) = value.as_str() else { return };
        match value.contains('\n') {
            true => writeln!(text, "{tag}: <text>{value}</text>").unwrap(),
            false => writeln!(text, "{tag}: {value}").unwrap(),
        }
    };
    let list = |of: &Value, key: &str| of[key].as_array().cloned().unwrap_or_default();
    let note = |put: &mut dyn FnMut(&str, &Value), about: &Value, all: Vec<Value>| {
        for one in all {
            put("Annotator", &one["annotator"]);
            put("AnnotationDate", &one["annotationDate"]);
            put("AnnotationType", &one["annotationType"]);
            put("SPDXREF", about);
            put("AnnotationComment", &one["comment"]);
        }
    };
    put("SPDXVersion", &document["spdxVersion"]);
    put("SPDXID", &document["SPDXID"]);
    put("DocumentName", &document["name"]);
    for creator in list(&document["creationInfo"], "creators") {
        put("Creator", &creator);
    }
    note(&mut put, &document["SPDXID"], list(document, "annotations"));
    for package in list(document, "packages") {
        for (tag, key) in [
            ("PackageName", "name"),
            ("SPDXID", "SPDXID"),
            ("PackageVersion", "versionInfo"),
            ("PrimaryPackagePurpose", "primaryPackagePurpose"),
            ("PackageLicenseDeclared", "licenseDeclared"),
            ("PackageSourceInfo", "sourceInfo"),
            ("PackageSummary", "summary"),
        ] {
            put(tag, &package[key]);
        }
        for one in list(&package, "externalRefs") {
            let locator = one["referenceLocator"].as_str().unwrap();
            put("ExternalRef", &json!(format!("PACKAGE-MANAGER purl {locator}")));
        }
        note(&mut put, &package["SPDXID"], list(&package, "annotations"));
    }
    for one in list(document, "hasExtractedLicensingInfos") {
        put("LicenseID", &one["licenseId"]);
        put("ExtractedText", &one["extractedText"]);
    }
    for one in list(document, "relationships") {
        let part = |key: &str| one[key].as_str().unwrap().to_owned();
        let parts = ["spdxElementId", "relationshipType", "relatedSpdxElement"].map(part);
        put("Relationship", &json!(parts.join(" ")));
    }
    text
}

#[test]
fn the_bill_of_every_kind_of_lock_file_is_as_its_folder() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/src/lockfile/cases");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(cases).unwrap().map(|one| one.unwrap().path()).collect();
    folders.sort();
    let bench = bench_for(&folders);
    for folder in &folders {
        assert!(holds(&bench, folder) > 0, "{}: a case has packages", folder.display());
    }
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn what_has_no_version_or_no_plain_place_is_the_same_in_a_bill() {
    let own = Bench::new();
    let workflow = format!(
        "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v3\n      - uses: team/tool@{COMMIT}\n      - uses: team/other@{COMMIT} # v1.2.3\n"
    );
    own.write("actions/.github/workflows/ci.yml", workflow);
    let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/left":{"version":"1.0.0"}}}"#;
    for place in ["lines/a\nb/package-lock.json", "lines/ c \r/package-lock.json"] {
        own.write(place, lock);
    }
    own.write("lines/\"d\"/package-lock.json", lock);
    own.write("unpinned/requirements.txt", "flask\nidna==3.15\n");
    own.write("unpinned/package.json", r#"{"dependencies":{"@scope/x":"^1"}}"#);
    let folders = ["actions", "lines", "unpinned"].map(|name| own.path().join(name));
    let bench = bench_for(&folders);
    let counts: Vec<usize> = folders.iter().map(|folder| holds(&bench, folder)).collect();
    assert_eq!(counts, [3, 3, 3]);
    // A bill of another tool keeps whose action it is, and is not taken for one that was checked.
    for kind in ["github", "githubactions"] {
        let bill = json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"type": "library", "name": "checkout", "group": "actions",
             "purl": format!("pkg:{kind}/actions/checkout@v3")}]});
        bench.write("other.json", bill.to_string());
        let scanned = bench.run(&["scan", "sbom:other.json", "-o", "json=other.out.json"]);
        assert_eq!(code(&scanned), 3, "{}", stderr(&scanned));
        let package = &bench.json("other.out.json")["packages"][0];
        assert_eq!(
            (&package["name"], &package["ecosystem"]),
            (&json!("actions/checkout"), &json!("GitHub Actions"))
        );
    }
}

#[test]
fn the_bill_of_a_root_file_system_is_as_the_file_system() {
    let own = Bench::new();
    own.write("debian/etc/os-release", OS_RELEASE);
    own.write("debian/var/lib/dpkg/status", STATUS);
    own.write(
        "debian/usr/local/lib/python3.11/dist-packages/demo_web-1.5.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: Demo_Web\nVersion: 1.5\nLicense: MIT\n\nText\n",
    );
    own.write(
        "debian/srv/node_modules/@scope/left/package.json",
        r#"{"name":"@scope/left","version":"1.0.0","license":"(MIT OR ISC)"}"#,
    );
    own.write("alpine/etc/os-release", "ID=alpine\nVERSION_ID=3.20.1\n");
    own.write(
        "alpine/lib/apk/db/installed",
        "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:busybox-binsh\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\n",
    );
    let folders = ["debian", "alpine"].map(|name| own.path().join(name));
    let bench = bench_for(&folders);
    let counts: Vec<usize> = folders.iter().map(|folder| holds(&bench, folder)).collect();
    assert_eq!(counts, [4, 1]);
}

#[test]
fn nothing_is_clean_only_where_a_file_says_that_it_is_nothing() {
    let own = Bench::new();
    let says = [
        ("npm/package-lock.json", r#"{"lockfileVersion":3,"packages":{"":{"name":"x"}}}"#),
        ("manifest/package.json", r#"{"name":"x"}"#),
        ("cargo/Cargo.lock", "version = 3\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\n"),
        ("requirements/requirements.txt", "# none\n"),
    ];
    let says_nothing = [
        ("blank/Cargo.lock", ""),
        ("blanks/requirements.txt", " \n\n"),
        ("workflow/.github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: make\n"),
        ("action/action.yml", "runs:\n  using: docker\n"),
        ("source/main.c", "int main(void) { return 0; }\n"),
    ];
    let bench = Bench::with_database();
    std::fs::create_dir(own.path().join("empty")).unwrap();
    let folder = |path: &str| own.path().join(path.split('/').next().unwrap());
    for (path, text) in says.iter().chain(&says_nothing) {
        own.write(path, text);
    }
    for (paths, expected) in [(says.as_slice(), 0), (&says_nothing, 3), (&[("empty", "")], 3)] {
        for (path, _) in paths {
            let folder = folder(path);
            assert_eq!(holds(&bench, &folder), 0, "{path}");
            let scanned = bench.run(&["scan", folder.to_str().unwrap()]);
            assert_eq!(code(&scanned), expected, "{path}: {}", stderr(&scanned));
        }
    }
    // A bill that merely lists none says nothing.
    bench.write("none.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#);
    assert_eq!(code(&bench.run(&["scan", "sbom:none.json"])), 3);
}

/// Name and version, relation and scope of all packages.
fn related(report: &Value) -> Vec<String> {
    let word = |one: &Value, key: &str| one[key].as_str().unwrap_or("-").to_owned();
    let line = |one: &Value| {
        let [name, version, relation, scope] =
            ["name", "version", "relation", "scope"].map(|key| word(one, key));
        format!("{name}@{version} {relation} {scope}")
    };
    report["packages"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn manifests_say_which_version_is_asked_for_and_for_what() {
    let own = Bench::new();
    let manifest =
        r#"{"dependencies":{"web":"^1.0.0"},"devDependencies":{"left":"^2.0.0","tool":"^1.0.0"}}"#;
    let classic = "# yarn lockfile v1\n\n\
        base@^1.0.0:\n  version \"1.0.0\"\n\n\
        left@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    base \"^1.0.0\"\n\n\
        left@^2.0.0:\n  version \"2.0.0\"\n  dependencies:\n    only \"^1.0.0\"\n\n\
        only@^1.0.0:\n  version \"1.0.0\"\n\n\
        tool@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    left \"^2.0.0\"\n\n\
        web@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    left \"^1.0.0\"\n";
    let old = r#"{"lockfileVersion":1,"dependencies":{
        "base":{"version":"1.0.0"},
        "left":{"version":"2.0.0","dev":true,"requires":{"only":"^1.0.0"}},
        "only":{"version":"1.0.0","dev":true},
        "tool":{"version":"1.0.0","dev":true,"requires":{"left":"^2.0.0"}},
        "web":{"version":"1.0.0","requires":{"left":"^1.0.0"},"dependencies":{
            "left":{"version":"1.0.0","requires":{"base":"^1.0.0"}}}}}}"#;
    let expected = [
        "base@1.0.0 indirect runtime",
        "left@1.0.0 indirect runtime",
        "left@2.0.0 direct development",
        "only@1.0.0 indirect development",
        "tool@1.0.0 direct development",
        "web@1.0.0 direct runtime",
    ];
    own.write("yarn/package.json", manifest);
    own.write("yarn/yarn.lock", classic);
    own.write("npm/package.json", manifest);
    own.write("npm/package-lock.json", old);
    own.write("alone/yarn.lock", classic);
    own.write(
        "cargo/Cargo.toml",
        "[package]\nname = \"own\"\nversion = \"1.0.0\"\n[dependencies]\nweb = \"1\"\n[dev-dependencies]\ntool = \"1\"\n[build-dependencies]\nmake = \"1\"\n",
    );
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    own.write(
        "cargo/Cargo.lock",
        format!(
            "version = 3\n[[package]]\nname = \"base\"\nversion = \"1.0.0\"\n{source}\n\
            [[package]]\nname = \"make\"\nversion = \"1.0.0\"\n{source}\n\
            [[package]]\nname = \"only\"\nversion = \"1.0.0\"\n{source}\n\
            [[package]]\nname = \"own\"\nversion = \"1.0.0\"\ndependencies = [\"make\", \"tool\", \"web\"]\n\
            [[package]]\nname = \"tool\"\nversion = \"1.0.0\"\n{source}\ndependencies = [\"base\", \"only\"]\n\
            [[package]]\nname = \"web\"\nversion = \"1.0.0\"\n{source}\ndependencies = [\"base\"]\n"
        ),
    );
    let folders = ["yarn", "npm", "alone", "cargo"].map(|name| own.path().join(name));
    let bench = bench_for(&folders);
    let told = |folder: &PathBuf| {
        assert!(holds(&bench, folder) > 0);
        related(&bench.json("subject.json"))
    };
    let [yarn, npm, alone, cargo] = folders.each_ref().map(told);
    assert_eq!(yarn, expected);
    assert_eq!(npm, expected);
    assert!(alone.iter().all(|one| one.ends_with(" -")), "without a manifest: {alone:?}");
    assert_eq!(
        cargo,
        [
            "base@1.0.0 indirect runtime",
            "make@1.0.0 direct development",
            "only@1.0.0 indirect development",
            "tool@1.0.0 direct development",
            "web@1.0.0 direct runtime",
        ]
    );
    // The root of a bill claims what is known to be asked for, and nothing else.
    bench.run(&["sbom", folders[0].to_str().unwrap(), "-o", "cyclonedx=bill.json"]);
    let claimed = bench.json("bill.json")["dependencies"][0]["dependsOn"].clone();
    assert_eq!(claimed, json!(["pkg:npm/left@2.0.0", "pkg:npm/tool@1.0.0", "pkg:npm/web@1.0.0"]));
}
