//! The database of opkg over layers.

use super::*;
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const STATUS: &str = "Package: busybox\nVersion: 1.36.1-1\nDepends: libc\nStatus: install user installed\nArchitecture: x86_64\nInstalled-Time: 1\n\nPackage: gone\nVersion: 1\nStatus: deinstall user not-installed\nArchitecture: x86_64\n\n";
const CONTROL: &str = "Package: dropbear\nVersion: 2022.82-6\nSource: package/network/services/dropbear\nLicense: MIT\nArchitecture: x86_64\n";

fn openwrt() -> Layers {
    Layers::default().distribution("openwrt", "23.05.5").layer()
}

fn purls(out: &Resolution) -> Vec<String> {
    out.packages.iter().map(|one| one.package.purl.to_string()).collect()
}

const BUSYBOX: &str = "pkg:opkg/openwrt/busybox@1.36.1-1?arch=x86_64&distro=openwrt-23.05.5";
const DROPBEAR: &str = "pkg:opkg/openwrt/dropbear@2022.82-6?arch=x86_64&distro=openwrt-23.05.5";

#[test]
fn status_and_control_files_tell_the_packages_that_are_installed() {
    let layers = openwrt()
        .file("usr/lib/opkg/status", STATUS)
        .file("usr/lib/opkg/info/busybox.control", STATUS.split("\n\n").next().unwrap())
        .file("usr/lib/opkg/info/busybox.list", "/bin/busybox\n/bin/sh\n")
        .file("usr/lib/opkg/info/dropbear.control", CONTROL);
    let out = layers.resolve(&Opkg);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    assert_eq!(purls(&out), [BUSYBOX, DROPBEAR]);
    let owned: Vec<&str> = out.packages[0].owned.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(owned, ["bin/busybox", "bin/sh"]);
    let deleted = layers.layer().whiteout("usr/lib/opkg/status").resolve(&Opkg);
    assert_eq!(purls(&deleted), [BUSYBOX, DROPBEAR]);
}

#[test]
fn every_place_is_read() {
    for folder in FOLDERS {
        let out = openwrt().file(&format!("{folder}status"), STATUS).resolve(&Opkg);
        assert_eq!(purls(&out), [BUSYBOX], "{folder}");
    }
}

#[test]
fn what_is_damaged_is_a_problem() {
    let out = openwrt().file("var/lib/opkg/status", "Package: a\nStatus: install ok installed\n");
    assert_eq!(out.resolve(&Opkg).problems.len(), 1);
    assert!(read_file(&Opkg, "usr/lib/opkg/info/a.control", b"").is_err());
    assert_eq!(read_file(&Opkg, "usr/lib/opkg/info/a.postinst", b"x").unwrap(), None);
    assert_eq!(read_file(&Opkg, "usr/lib/opkg/status", b"").unwrap(), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        for path in ["usr/lib/opkg/status", "usr/lib/opkg/info/a.control", "usr/lib/opkg/info/a.list"] {
            let _ = read_file(&Opkg, path, &bytes);
        }
    }
}
