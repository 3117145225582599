//! The database of dpkg over layers.

use super::*;
use crate::view_tests::Layers;
use image::OwnedDigest;

const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn stanza(name: &str, version: &str, more: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n{more}Version: {version}\nDescription: x\n y: z\n\n"
    )
}

fn debian() -> Layers {
    Layers::default().distribution("debian", "12").layer()
}

fn find<'a>(out: &'a Resolution, name: &str) -> &'a Cataloged {
    out.packages.iter().find(|found| found.package.name == name).unwrap()
}

#[test]
fn an_installed_package_is_told_in_full() {
    let status = stanza("libc6", "2.36-9+deb12u4", "Multi-Arch: same\nSource: glibc (2.36-9)\n");
    let out = debian()
        .file("var/lib/dpkg/status", status)
        .file(
            "var/lib/dpkg/info/libc6:amd64.list",
            "/.\n/lib\n/lib/libc.so.6\n/etc\n/etc/libc.conf\n",
        )
        .file("var/lib/dpkg/info/libc6:amd64.md5sums", format!("{EMPTY}  lib/libc.so.6\n"))
        .file("usr/share/doc/libc6/copyright", "See /usr/share/common-licenses/LGPL-2.1.")
        .resolve(&Dpkg);
    assert_eq!(out.packages.len(), 1);
    assert!(out.problems.is_empty());
    let Cataloged { package, owned, .. } = &out.packages[0];
    assert_eq!(
        package.purl.to_string(),
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc%402.36-9"
    );
    assert_eq!(package.ecosystem, Ecosystem::DEBIAN);
    assert_eq!(package.version, "2.36-9+deb12u4");
    let source = package.source.as_ref().unwrap();
    assert_eq!((source.name.as_str(), source.version.as_str()), ("glibc", "2.36-9"));
    assert_eq!(package.architecture.as_deref(), Some("amd64"));
    assert_eq!(package.licences, ["LGPL-2.1"]);
    assert_eq!(package.location, Location::file("var/lib/dpkg/status", Some(0)));
    assert_eq!(package.layer, Some(0));
    let paths: Vec<&str> = owned.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["etc/libc.conf", "lib/libc.so.6"]);
    assert!(matches!(owned[1].digest, Some(OwnedDigest::Md5([0xd4, 0x1d, ..]))));
    assert_eq!(owned[0].digest, None);
}

#[test]
fn what_a_package_depends_on_is_named_as_it_is_installed() {
    let status = [
        stanza("app", "1", "Pre-Depends: dpkg (>= 1.17)\nDepends: libc6 (>= 2.3), mta | postfix\n"),
        stanza("libc6", "2.36-9", ""),
        stanza("exim4", "4", "Depends: libc6\nProvides: mta\n"),
        stanza("dpkg", "1.21", ""),
    ];
    let out = debian().file("var/lib/dpkg/status", status.concat()).resolve(&Dpkg);
    let needed = |name: &str| -> Vec<String> {
        let requires = &find(&out, name).package.requires;
        requires.iter().map(|purl| purl.name().to_owned()).collect()
    };
    assert_eq!(needed("app"), ["dpkg", "exim4", "libc6"]);
    assert_eq!(needed("exim4"), ["libc6"]);
    let all: Vec<_> = out.packages.iter().map(|one| one.package.purl.clone()).collect();
    assert!(out.packages.iter().flat_map(|one| &one.package.requires).all(|one| all.contains(one)));
}

#[test]
fn status_and_list_meet_across_layers() {
    let out = debian()
        .file("var/lib/dpkg/status", stanza("a", "1", "") + &stanza("b", "1", ""))
        .file("var/lib/dpkg/info/a.list", "/usr/bin/a\n")
        .layer()
        .file(
            "var/lib/dpkg/status",
            stanza("a", "1", "") + &stanza("b", "2", "") + &stanza("c", "1", ""),
        )
        .layer()
        .file("var/lib/dpkg/status", stanza("a", "1", "") + &stanza("b", "2", ""))
        .resolve(&Dpkg);
    assert_eq!(out.packages.len(), 2);
    let a = find(&out, "a");
    assert_eq!((a.package.layer, a.package.location.layer()), (Some(0), Some(2)));
    assert_eq!(a.owned.len(), 1);
    assert_eq!(find(&out, "b").package.layer, Some(1));
}

#[test]
fn two_architectures_of_one_package_are_two_packages() {
    let foreign = stanza("libz", "1", "").replace("amd64", "i386");
    let status = stanza("libz", "1", "") + &foreign + &foreign;
    let out = debian()
        .file("var/lib/dpkg/status", status)
        .file("var/lib/dpkg/info/libz:amd64.list", "/usr/lib/x86_64-linux-gnu/libz\n")
        .file("var/lib/dpkg/info/libz:i386.list", "/usr/lib/i386-linux-gnu/libz\n")
        .resolve(&Dpkg);
    let purls: Vec<String> =
        out.packages.iter().map(|found| found.package.purl.to_string()).collect();
    assert_eq!(
        purls,
        [
            "pkg:deb/debian/libz@1?arch=amd64&distro=debian-12",
            "pkg:deb/debian/libz@1?arch=i386&distro=debian-12"
        ]
    );
    assert_eq!(out.packages[1].owned[0].path, "usr/lib/i386-linux-gnu/libz");
}

#[test]
fn conffiles_have_the_digests_of_the_status_file() {
    let more = format!("Conffiles:\n /etc/a.conf {EMPTY}\n /etc/gone {EMPTY} obsolete\n");
    let out = debian()
        .file("var/lib/dpkg/status", stanza("a", "1", &more))
        .file("var/lib/dpkg/info/a.list", "/etc/a.conf\n/etc/b.conf\n")
        .resolve(&Dpkg);
    let owned = &out.packages[0].owned;
    assert_eq!(owned.len(), 2);
    assert!(owned[0].digest.is_some() && owned[1].digest.is_none());
}

#[test]
fn a_folder_of_status_files_tells_packages_each_with_its_layer() {
    let control = "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n";
    let out = debian()
        .file("var/lib/dpkg/status.d/tzdata", control)
        .file(
            "var/lib/dpkg/status.d/tzdata.md5sums",
            format!("{EMPTY}  ./usr/share/zoneinfo/UTC\n"),
        )
        .layer()
        .file("var/lib/dpkg/status.d/bGliYzY", "Package: libc6\nVersion: 2.36-9\nSource: glibc\n")
        .file("var/lib/dpkg/status.d/bGliYzY.md5sums", format!("{EMPTY}  lib/libc.so.6\n"))
        .resolve(&Dpkg);
    assert_eq!(out.packages.len(), 2);
    let tzdata = find(&out, "tzdata");
    assert_eq!(tzdata.package.location, Location::file("var/lib/dpkg/status.d/tzdata", Some(0)));
    assert_eq!(tzdata.owned[0].path, "usr/share/zoneinfo/UTC");
    let libc = find(&out, "libc6");
    assert_eq!(libc.package.layer, Some(1));
    assert_eq!(libc.owned[0].path, "lib/libc.so.6");
    assert_eq!(libc.package.purl.qualifier("upstream"), Some("glibc"));
}

#[test]
fn a_removed_status_file_tells_nothing() {
    let out = debian()
        .file("var/lib/dpkg/status", stanza("a", "1", ""))
        .file("var/lib/dpkg/status.d/b", "Package: b\nVersion: 1\n")
        .layer()
        .whiteout("var/lib/dpkg/status")
        .whiteout("var/lib/dpkg/status.d/b")
        .resolve(&Dpkg);
    assert!(out.packages.is_empty());
}

#[test]
fn licences_are_found_behind_a_link_between_documents() {
    let out = debian()
        .file("var/lib/dpkg/status", stanza("libgcc-s1", "12", ""))
        .file("usr/share/doc/gcc-12-base/copyright", "/usr/share/common-licenses/GPL-3")
        .link("usr/share/doc/libgcc-s1", "gcc-12-base")
        .resolve(&Dpkg);
    assert_eq!(out.packages[0].package.licences, ["GPL-3"]);
}

#[test]
fn a_distribution_without_advisories_keeps_its_own_ecosystem() {
    let status = stanza("a", "1", "");
    let kali = Layers::default()
        .distribution("kali", "2024.1")
        .layer()
        .file("var/lib/dpkg/status", &status)
        .resolve(&Dpkg);
    assert_eq!(kali.packages[0].package.ecosystem.as_str(), "Kali");
    let unknown = Layers::default().layer().file("var/lib/dpkg/status", &status).resolve(&Dpkg);
    let package = &unknown.packages[0].package;
    assert_eq!(package.purl.to_string(), "pkg:deb/linux/a@1?arch=amd64");
    assert_eq!(package.ecosystem.as_str(), "Linux");
}

#[test]
fn damaged_paragraphs_are_a_problem_of_the_file() {
    let out = debian()
        .file(
            "var/lib/dpkg/status",
            stanza("a", "1", "") + "Package: b\nStatus: install ok installed\n",
        )
        .resolve(&Dpkg);
    assert_eq!(out.packages.len(), 1);
    assert_eq!(out.problems.len(), 1);
    assert_eq!(out.problems[0].path, "var/lib/dpkg/status");
}

#[test]
fn damaged_facts_never_panic() {
    let symlinks = HashMap::new();
    for fact in [&b"\x01\xff"[..], b"", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"] {
        let facts = [STATUS, "var/lib/dpkg/status.d/a", "var/lib/dpkg/info/a.list"]
            .map(|path| FactAt { path, layer: Some(0), fact, stays: true });
        let shape = image::SubjectShape::RootFileSystem;
        let out = image::Resolver::resolve(
            &Dpkg,
            &View::new(facts.to_vec(), &symlinks, image::About::tree(shape), 1),
        );
        assert!(out.packages.is_empty() && out.problems.len() == 2);
    }
}

#[test]
fn documents_of_no_package_are_not_wanted() {
    assert_eq!(Kind::of("usr/share/doc/a/copyright"), Some(Kind::Copyright));
    assert_eq!(Kind::of("usr/share/doc/a/b/copyright"), None);
    assert_eq!(Kind::of("opt/copyright"), None);
    assert_eq!(Kind::of("var/lib/dpkg/info/a.postinst"), None);
}

#[test]
fn a_package_in_both_forms_of_the_database_counts_once() {
    let out = debian()
        .file("var/lib/dpkg/status.d/a", "Package: a\nVersion: 1\nArchitecture: amd64\n")
        .file("var/lib/dpkg/status.d/b", "Package: b\nVersion: 1\nArchitecture: amd64\n")
        .layer()
        .file("var/lib/dpkg/status", stanza("a", "1", ""))
        .resolve(&Dpkg);
    let names: Vec<&str> = out.packages.iter().map(|found| found.package.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_control_file_of_its_own_may_be_packed_and_must_name_a_package() {
    let stanza = stanza("a", "1", "");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, stanza.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let out = debian().file("var/lib/dpkg/status.d/a", &packed).resolve(&Dpkg);
    assert_eq!(out.packages[0].package.name, "a");
    for damaged in [&packed[..packed.len() - 3], b"", b"\xff\xfe", b"#!/bin/sh\nexit 0\n"] {
        assert!(
            crate::view_tests::read_file(&Dpkg, "var/lib/dpkg/status.d/a", damaged).is_err(),
            "{damaged:?}"
        );
    }
    for beside in ["a.postinst", "a.conffiles", "a.triggers"] {
        let path = format!("var/lib/dpkg/status.d/{beside}");
        assert_eq!(crate::view_tests::read_file(&Dpkg, &path, b"x\n").unwrap(), None, "{beside}");
    }
}

#[test]
fn a_status_that_breaks_off_is_a_problem_and_one_with_other_line_ends_is_none() {
    let whole = stanza("a", "1", "") + &stanza("b", "2", "");
    let cut = debian().file(STATUS, whole.split_at(whole.len() - 9).0).resolve(&Dpkg);
    assert_eq!(cut.packages.len(), 2);
    assert_eq!(cut.problems[0].reason, "is cut short: its last line does not end");
    let other = debian().file(STATUS, whole.replace('\n', "\r\n")).resolve(&Dpkg);
    assert_eq!((other.packages.len(), other.problems.len()), (2, 0));
    let old = debian().file("var/lib/dpkg/status-old", whole).resolve(&Dpkg);
    assert!(old.packages.is_empty());
}

#[test]
fn what_an_interrupted_dpkg_changed_is_laid_over_status() {
    let gone = |name: &str, more: &str| {
        format!("Package: {name}\nStatus: purge ok not-installed\n{more}\n#padding\n")
    };
    let foreign = stanza("both", "1", "").replace("amd64", "i386");
    let status = ["a", "b", "c", "d", "both"].map(|name| stanza(name, "1", "")).concat() + &foreign;
    let out = debian()
        .file(STATUS, status)
        .file("var/lib/dpkg/updates/0000", stanza("a", "2", "") + &stanza("new", "1", ""))
        .file("var/lib/dpkg/updates/0001", stanza("a", "3", ""))
        .file("var/lib/dpkg/updates/0002", gone("b", "") + &gone("both", "Architecture: amd64\n"))
        .file("var/lib/dpkg/updates/0003", gone("c", ""))
        .file("var/lib/dpkg/updates/0010", stanza("c", "4", ""))
        .file("var/lib/dpkg/updates/tmp.i", stanza("d", "9", ""))
        .file("var/lib/dpkg/updates/0011", "#padding\n#padding\n")
        .resolve(&Dpkg);
    let mut listed: Vec<String> = out
        .packages
        .iter()
        .map(|one| {
            let package = &one.package;
            let place = package.location.path().unwrap().rsplit('/').next().unwrap();
            let architecture = package.architecture.as_deref().unwrap();
            format!("{} {} {architecture} {place}", package.name, package.version)
        })
        .collect();
    listed.sort();
    assert_eq!(
        listed,
        [
            "a 3 amd64 0001",
            "both 1 i386 status",
            "c 4 amd64 0010",
            "d 1 amd64 status",
            "new 1 amd64 0000"
        ]
    );
    assert!(out.problems.is_empty(), "{:?}", out.problems);
}

#[test]
fn an_update_that_cannot_be_read_is_a_problem() {
    let cut = stanza("a", "2", "").trim_end().to_owned();
    let out = debian().file("var/lib/dpkg/updates/0000", cut).resolve(&Dpkg);
    assert_eq!((out.packages.len(), out.problems.len()), (1, 1));
    let path = "var/lib/dpkg/updates/0000";
    assert!(crate::view_tests::read_file(&Dpkg, path, b"\x00\x00\x00\n").is_err());
}

#[test]
fn records_are_handed_over_as_they_were_kept() {
    let text = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n\
        Package: b\nStatus: install ok installed\nVersion: 2\nSource: c (3)\n\n";
    let status = super::status::read(text.as_bytes());
    let kept = postcard::to_stdvec(&status).unwrap();
    let mut taken = Vec::new();
    let problem = super::status::each(&kept, |record| taken.push(record)).unwrap();
    assert_eq!((taken, problem), (status.packages, status.problem));
    assert!(super::status::each(&kept[..kept.len() - 3], |_| ()).is_err());
}
