//! What real package managers install: Nix, opam and portage, each in a folder of its own, without
//! network, from a package that is written here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod common;

use common::{Bench, code, stderr};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use testkit::engine::{is_installed, is_root, output_of};
use testkit::skip;

/// Packages that are found in a folder: package URL, place, licences.
fn listed(bench: &Bench, folder: &str) -> Vec<(String, String, Vec<String>)> {
    let listed = bench.run(&["sbom", &format!("dir:{folder}"), "--format", "json", "--offline"]);
    assert_eq!(code(&listed), 0, "{}", stderr(&listed));
    let report: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let packages = report["packages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    packages
        .map(|one| {
            let licences = one["licences"].as_array().into_iter().flatten().map(text).collect();
            (text(&one["purl"]), text(&one["location"]["path"]), licences)
        })
        .collect()
}

#[test]
fn what_nix_built_is_one_package_whatever_its_outputs() {
    if !is_installed("nix-build") {
        return skip("nix-build is not installed");
    }
    let bench = Bench::new();
    bench.write(
        "demo.nix",
        r#"derivation {
  name = "demo-tool-2.10.1";
  system = builtins.currentSystem;
  outputs = [ "out" "dev" "man" ];
  builder = "/bin/sh";
  args = [ "-c" "/bin/mkdir -p $out/bin $dev/include $man/share/man; for at in $out/bin/demo $dev/include/demo.h $man/share/man/demo.1; do echo demo > $at; done" ];
}
"#,
    );
    let at = |name: &str| bench.path().join("root/nix").join(name);
    let mut build = Command::new("nix-build");
    build.args(["--option", "sandbox", "false", "--option", "build-users-group", ""]);
    build.arg("--no-out-link").arg(bench.path().join("demo.nix"));
    build.env("NIX_STORE_DIR", at("store")).env("NIX_STATE_DIR", at("var/nix"));
    build.env("NIX_LOG_DIR", at("var/log")).env("NIX_CONF_DIR", at("etc"));
    build.env("HOME", bench.path());
    output_of(&mut build).unwrap();
    let stored = std::fs::read_dir(at("store")).unwrap().count();
    assert!(stored >= 4, "three outputs and the derivation: {stored}");
    let listed = listed(&bench, "root");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].0, "pkg:nix/demo-tool@2.10.1");
    assert!(listed[0].1.ends_with("-demo-tool-2.10.1/bin/demo"), "{listed:?}");
}

#[test]
fn what_opam_installed_is_listed_and_what_stands_for_the_system_is_not() {
    if !is_installed("opam") {
        return skip("opam is not installed");
    }
    let bench = Bench::new();
    bench.write("repo/repo", "opam-version: \"2.0\"\n");
    for (name, version, rest) in [
        (
            "demo-lib",
            "1.2.3",
            "depends: [\"conf-demo\"]\ninstall: [[\"mkdir\" \"-p\" \"%{lib}%/demo-lib\"] [\"touch\" \"%{lib}%/demo-lib/META\"]]\n",
        ),
        ("conf-demo", "1", ""),
    ] {
        bench.write(
            &format!("repo/packages/{name}/{name}.{version}/opam"),
            format!(
                "opam-version: \"2.0\"\nmaintainer: \"nobody@example.org\"\nlicense: \"ISC\"\nsynopsis: \"Made up for a test\"\n{rest}"
            ),
        );
    }
    let source = format!("file://{}", bench.path().join("repo").display());
    let opam = |arguments: &[&str]| {
        let mut opam = Command::new("opam");
        opam.args(arguments).env("OPAMROOT", bench.path().join("root/home/.opam"));
        opam.env("HOME", bench.path()).env("OPAMYES", "1").env("OPAMROOTISOK", "1");
        output_of(&mut opam).unwrap();
    };
    opam(&["init", "--bare", "--no-setup", "--disable-sandboxing", "-a", "default", &source]);
    opam(&["switch", "create", "empty", "--empty"]);
    opam(&["install", "demo-lib"]);
    let place = "home/.opam/empty/.opam-switch/packages/demo-lib.1.2.3/opam";
    assert!(bench.path().join("root").join(place).is_file());
    let expected = ("pkg:opam/demo-lib@1.2.3".to_owned(), place.to_owned(), vec!["ISC".to_owned()]);
    assert_eq!(listed(&bench, "root"), [expected]);
}

#[test]
fn what_portage_merged_is_listed() {
    // It installs below its own prefix, in the root that it is given.
    let Some(ebuild) = program("ebuild") else {
        return skip("portage is not installed");
    };
    if !is_root() {
        return skip("portage merges as root alone");
    }
    let prefix = ebuild.parent().and_then(|bin| bin.parent()).unwrap();
    let prefix = prefix.to_string_lossy();
    let prefix = prefix.trim_start_matches("/usr").trim_start_matches("/");
    let bench = Bench::new();
    let at = |name: &str| bench.path().join(name).display().to_string();
    bench.write("repo/profiles/repo_name", "demo\n");
    bench.write("repo/profiles/categories", "demo-cat\n");
    bench.write("repo/profiles/arch.list", "amd64\n");
    bench.write("repo/profiles/base/eapi", "8\n");
    bench.write(
        "repo/profiles/base/make.defaults",
        "ARCH=\"amd64\"\nACCEPT_KEYWORDS=\"amd64\"\nCHOST=\"x86_64-pc-linux-gnu\"\n",
    );
    bench.write("repo/metadata/layout.conf", "masters =\nthin-manifests = true\n");
    let recipe = bench.write(
        "repo/demo-cat/demo-tool/demo-tool-1.2.3_p4-r1.ebuild",
        "EAPI=8\nDESCRIPTION=\"Made up for a test\"\nSLOT=\"0\"\nLICENSE=\"MIT\"\nKEYWORDS=\"amd64\"\nS=\"${WORKDIR}\"\nsrc_install() {\n\tmkdir -p \"${ED}/usr/share/demo\" || die\n\techo demo > \"${ED}/usr/share/demo/demo.txt\" || die\n}\n",
    );
    bench.write(
        "etc/portage/repos.conf",
        format!("[DEFAULT]\nmain-repo = demo\n[demo]\nlocation = {}\n", at("repo")),
    );
    bench.write(
        "etc/portage/make.conf",
        format!(
            "FEATURES=\"-sandbox -usersandbox -userpriv -ipc-sandbox -network-sandbox -pid-sandbox -mount-sandbox\"\nPORTAGE_TMPDIR=\"{}\"\nDISTDIR=\"{}\"\nPKGDIR=\"{}\"\nPORTAGE_USERNAME=root\nPORTAGE_GRPNAME=root\n",
            at("tmp"),
            at("dist"),
            at("pkg")
        ),
    );
    std::os::unix::fs::symlink(at("repo/profiles/base"), at("etc/portage/make.profile")).unwrap();
    let root = format!("root/{prefix}");
    bench.write(&format!("{root}/etc/os-release"), "ID=gentoo\n");
    for folder in ["tmp", "dist", "pkg"] {
        std::fs::create_dir_all(at(folder)).unwrap();
    }
    for step in ["manifest", "merge"] {
        let mut merge = Command::new(&ebuild);
        merge.arg(&recipe).arg(step).env("HOME", bench.path());
        merge.env("PORTAGE_CONFIGROOT", bench.path()).env("ROOT", at("root"));
        output_of(&mut merge).unwrap();
    }
    let found = listed(&bench, &root);
    let (purl, place, licences) = &found[0];
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(purl, "pkg:ebuild/demo-cat/demo-tool@1.2.3_p4-r1?distro=gentoo");
    assert_eq!(place, "var/db/pkg/demo-cat/demo-tool-1.2.3_p4-r1/PF");
    assert_eq!(licences, &["MIT"]);
}

/// Where a program of the search path lies.
fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}
