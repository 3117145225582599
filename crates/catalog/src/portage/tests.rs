//! The database of portage over layers, hostile ones too.

use super::*;
use crate::view_tests::{Layers, read_file};
use image::OwnedDigest;
use proptest::prelude::*;
use vocabulary::Ecosystem;

const PLACE: &str = "var/db/pkg/dev-libs/openssl-3.0.13-r2";
const CONTENTS: &str = "dir /usr\ndir /usr/bin\nobj /usr/bin/openssl d41d8cd98f00b204e9800998ecf8427e 1700000000\nobj /usr/share/a b.txt 0cc175b9c0f1b6a831c399e269772661 1700000000\nsym /usr/lib64/libssl.so -> libssl.so.3 1700000000\ndev /dev/x\n";

fn gentoo() -> Layers {
    Layers::default()
        .distribution("gentoo", "2.17")
        .layer()
        .file(&format!("{PLACE}/PF"), "openssl-3.0.13-r2\n")
        .file(&format!("{PLACE}/SLOT"), "0/3\n")
        .file(&format!("{PLACE}/LICENSE"), "Apache-2.0\n")
        .file(&format!("{PLACE}/CONTENTS"), CONTENTS)
        .file(&format!("{PLACE}/environment.bz2"), "BZh")
}

#[test]
fn an_installed_package_is_told_in_full() {
    let out = gentoo().resolve(&Portage);
    assert!(out.problems.is_empty());
    assert_eq!(out.packages.len(), 1);
    let Cataloged { package, owned, .. } = &out.packages[0];
    assert_eq!(
        package.purl.to_string(),
        "pkg:ebuild/dev-libs/openssl@3.0.13-r2?distro=gentoo-2.17"
    );
    assert_eq!(package.ecosystem, Ecosystem::GENTOO);
    assert_eq!(package.name, "dev-libs/openssl");
    assert_eq!(package.licences, ["Apache-2.0"]);
    assert_eq!(package.location, Location::file(format!("{PLACE}/PF"), Some(0)));
    let paths: Vec<&str> = owned.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["usr/bin/openssl", "usr/share/a b.txt", "usr/lib64/libssl.so"]);
    assert!(matches!(owned[1].digest, Some(OwnedDigest::Md5([0x0c, 0xc1, ..]))));
    assert_eq!(owned[2].digest, None);
}

#[test]
fn any_file_of_the_folder_proves_the_package() {
    for file in ["SLOT", "CONTENTS", "LICENSE"] {
        let out = Layers::default().layer().file(&format!("{PLACE}/{file}"), "0").resolve(&Portage);
        assert_eq!(out.packages.len(), 1, "{file}");
    }
}

#[test]
fn a_removed_package_is_not_listed() {
    let mut layers = gentoo().layer();
    for file in ["PF", "SLOT", "LICENSE", "CONTENTS"] {
        layers = layers.whiteout(&format!("{PLACE}/{file}"));
    }
    assert!(layers.resolve(&Portage).packages.is_empty());
}

#[test]
fn a_folder_that_is_named_as_no_package_is_a_problem() {
    for folder in ["sys-libs/glibc", "sys-libs/glibc-2.38-foo", "sys\x1b[2J/glibc-2.38"] {
        assert!(read_file(&Portage, &format!("{FOLDER}{folder}/PF"), b"x").is_err(), "{folder}");
    }
    let merging = format!("{FOLDER}sys-libs/-MERGING-glibc-2.38/PF");
    assert!(read_file(&Portage, &merging, b"x").unwrap().is_none());
}

#[test]
fn names_and_versions_are_divided_as_portage_does() {
    for (folder, expected) in [
        ("sys-libs/glibc-2.38-r13", Some(("glibc", "2.38-r13"))),
        ("x11-libs/gtk+-3.24.41-r1", Some(("gtk+", "3.24.41-r1"))),
        ("media-fonts/font-adobe-100dpi-1.0.4", Some(("font-adobe-100dpi", "1.0.4"))),
        ("dev-lang/python-3.12.3_p1", Some(("python", "3.12.3_p1"))),
        ("acct-group/audio-0-r3", Some(("audio", "0-r3"))),
        ("sys-libs/-MERGING-glibc-2.38", None),
        ("sys-libs/glibc", None),
        ("sys-libs/glibc-", None),
        ("sys-libs/glibc-2.38-foo", None),
        ("/glibc-2.38", None),
        ("sys\x1b[2J/glibc-2.38", None),
    ] {
        let path = format!("{FOLDER}{folder}/PF");
        assert_eq!(part_of(&path).map(|part| (part.name, part.version)), expected, "{folder}");
    }
    for path in ["var/db/pkg/a/b-1/c/PF", "var/db/pkg/a/PF", "srv/var/db/pkg/a/b-1/PF"] {
        assert!(read_file(&Portage, path, b"").unwrap().is_none(), "{path}");
    }
    assert!(read_file(&Portage, &format!("{PLACE}/LICENSE"), &vec![b'x'; 1 << 20]).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(obj |sym |dir | -> |/|a| |\n|[0-9a-f]{32}){0,40}", path in "[a-z0-9./_-]{0,40}") {
        let _ = contents(&bytes);
        let _ = contents(text.as_bytes());
        let _ = part_of(&format!("{FOLDER}{path}/PF"));
    }
}
