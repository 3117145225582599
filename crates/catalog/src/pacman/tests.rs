//! The database of pacman over layers, hostile ones too.

use super::*;
use crate::view_tests::{Layers, read_file};
use image::OwnedDigest;
use proptest::prelude::*;
use vocabulary::Ecosystem;

const DESC: &str = "%NAME%\nlibxml2-utils\n\n%VERSION%\n1:2.13.5-2\n\n%BASE%\nlibxml2\n\n%DESC%\nTools\n\n%ARCH%\nx86_64\n\n%BUILDDATE%\n1732000000\n\n%LICENSE%\nMIT\nLGPL-2.1-or-later\n\n%VALIDATION%\npgp\n\n%DEPENDS%\nglibc\n\n%XDATA%\npkgtype=split\n\n";
const FILES: &str = "%FILES%\netc/\netc/xml.conf\nusr/\nusr/bin/\nusr/bin/xmllint\n\n%BACKUP%\netc/xml.conf\td41d8cd98f00b204e9800998ecf8427e\n\n";
const PLACE: &str = "var/lib/pacman/local/libxml2-utils-1:2.13.5-2";

fn arch() -> Layers {
    Layers::default()
        .distribution("arch", "")
        .layer()
        .file("var/lib/pacman/local/ALPM_DB_VERSION", "9\n")
        .file(&format!("{PLACE}/desc"), DESC)
        .file(&format!("{PLACE}/files"), FILES)
        .file(&format!("{PLACE}/mtree"), b"\x1f\x8b\x08\x00")
}

#[test]
fn an_installed_package_is_told_in_full() {
    let out = arch().resolve(&Pacman);
    assert!(out.problems.is_empty());
    assert_eq!(out.packages.len(), 1);
    let Cataloged { package, owned, .. } = &out.packages[0];
    assert_eq!(
        package.purl.to_string(),
        "pkg:alpm/arch/libxml2-utils@1:2.13.5-2?arch=x86_64&distro=arch&upstream=libxml2"
    );
    assert_eq!(
        (&package.ecosystem, package.version.as_str()),
        (&Ecosystem::ARCH_LINUX, "1:2.13.5-2")
    );
    assert_eq!(package.source.as_ref().unwrap().name, "libxml2");
    assert_eq!(package.licences, ["MIT", "LGPL-2.1-or-later"]);
    let paths: Vec<&str> = owned.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["etc/xml.conf", "usr/bin/xmllint"]);
    assert!(matches!(owned[0].digest, Some(OwnedDigest::Md5([0xd4, 0x1d, ..]))));
    assert_eq!(owned[1].digest, None);
}

#[test]
fn an_upgrade_and_a_removal_in_a_later_layer_count() {
    let newer = "var/lib/pacman/local/libxml2-utils-1:2.13.6-1";
    let upgraded = arch()
        .layer()
        .whiteout(&format!("{PLACE}/desc"))
        .whiteout(&format!("{PLACE}/files"))
        .file(&format!("{newer}/desc"), DESC.replace("2.13.5-2", "2.13.6-1"));
    let out = upgraded.resolve(&Pacman);
    let found: Vec<_> =
        out.packages.iter().map(|one| (one.package.version.as_str(), one.package.layer)).collect();
    assert_eq!(found, [("1:2.13.6-1", Some(1))]);
    assert!(
        upgraded.layer().whiteout(&format!("{newer}/desc")).resolve(&Pacman).packages.is_empty()
    );
}

#[test]
fn what_is_no_description_is_a_problem() {
    for text in [
        "",
        "%NAME%\n\n%VERSION%\n1\n",
        "%NAME%\na\n",
        "%NAME%\n../../etc\n\n%VERSION%\n1\n",
        "%NAME%\na\x1b[2J\n\n%VERSION%\n1\n",
    ] {
        assert!(read_file(&Pacman, &format!("{PLACE}/desc"), text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(
        read_file(&Pacman, &format!("{PLACE}/desc"), b"%NAME%\na\xff\n\n%VERSION%\n1\n").is_err()
    );
    let huge = vec![b'x'; 2 << 20];
    assert!(read_file(&Pacman, &format!("{PLACE}/desc"), &huge).is_err());
    for path in [
        "var/lib/pacman/local/desc",
        "var/lib/pacman/local/a/b/desc",
        "x/var/lib/pacman/local/a/desc",
    ] {
        assert_eq!(read_file(&Pacman, path, DESC.as_bytes()).unwrap(), None, "{path}");
    }
}

#[test]
fn a_package_without_its_description_is_a_problem() {
    let out = Layers::default()
        .layer()
        .file(&format!("{PLACE}/files"), "%FILES%\nusr/bin/a\n")
        .resolve(&Pacman);
    assert!(out.packages.is_empty());
    assert!(out.problems[0].reason.starts_with("has no readable `desc`"));
}

#[test]
fn a_value_that_looks_like_a_key_is_a_value() {
    let text = "%DESC%\n%NAME%\nother\n\n%NAME%\na\n\n%VERSION%\n1-1\n";
    assert_eq!(parse::description(text.as_bytes()).unwrap().name, "a");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(%NAME%|%FILES%|%BACKUP%|%VERSION%|\n|\n\n|a|/|\t|%){0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let _ = parse::description(bytes);
            let _ = parse::files(bytes);
        }
    }
}
