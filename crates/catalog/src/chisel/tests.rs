//! Manifests whole, cut, damaged and packed.

use super::*;
use crate::view_tests::{Layers, read_file};
use image::OwnedDigest;
use proptest::prelude::*;

const WALL: &str = r#"{"jsonwall":"1.0","schema":"1.0","count":9}
{"kind":"content","slice":"libc6_libs","path":"/usr/lib/libc.so.6"}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.3","sha256":"00","arch":"amd64"}
{"kind":"package","name":"openssl","version":"3.0.13-0ubuntu3.4","sha256":"00","arch":"amd64"}
{"kind":"path","path":"/etc/","mode":"0755","slices":["libc6_config","openssl_config"]}
{"kind":"path","path":"/etc/ssl/openssl.cnf","mode":"0644","slices":["openssl_config","libc6_x"],"sha256":"0000000000000000000000000000000000000000000000000000000000000000","final_sha256":"1111111111111111111111111111111111111111111111111111111111111111","size":1}
{"kind":"path","path":"/usr/lib/libc.so.6","mode":"0777","link":"x","slices":["libc6_libs"]}
{"kind":"path","path":"/x","mode":"0777","slices":null,"sha256":null}
{"kind":"slice","name":"libc6_libs"}
"#;

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

fn ubuntu() -> Layers {
    Layers::default().distribution("ubuntu", "24.04").layer()
}

fn reasons(out: &Resolution) -> Vec<&str> {
    out.problems.iter().map(|problem| problem.reason.as_str()).collect()
}

#[test]
fn packages_have_the_files_of_their_slices_with_the_digest_that_was_left() {
    let out = ubuntu().file(PLACE, packed(WALL)).resolve(&Chisel);
    assert_eq!(reasons(&out), Vec::<&str>::new());
    let purls: Vec<String> = out.packages.iter().map(|one| one.package.purl.to_string()).collect();
    assert_eq!(
        purls,
        [
            "pkg:deb/ubuntu/libc6@2.39-0ubuntu8.3?arch=amd64&distro=ubuntu-24.04",
            "pkg:deb/ubuntu/openssl@3.0.13-0ubuntu3.4?arch=amd64&distro=ubuntu-24.04"
        ]
    );
    assert!(out.packages.iter().all(|one| one.package.source.is_none()));
    let owned = |at: usize| -> Vec<(&str, Option<OwnedDigest>)> {
        out.packages[at].owned.iter().map(|file| (file.path.as_str(), file.digest)).collect()
    };
    let left = Some(OwnedDigest::Sha256([0x11; 32]));
    assert_eq!(owned(0), [("etc/ssl/openssl.cnf", left), ("usr/lib/libc.so.6", None)]);
    assert_eq!(owned(1), [("etc/ssl/openssl.cnf", left)]);
}

#[test]
fn a_manifest_at_another_place_is_read_and_doubles_are_one() {
    let other = WALL.replace("libc6", "libc7");
    let out = ubuntu()
        .file(PLACE, packed(WALL))
        .file("opt/release/manifest.wall", packed(&other))
        .resolve(&Chisel);
    let mut names: Vec<&str> = out.packages.iter().map(|one| one.package.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["libc6", "libc7", "openssl"]);
    let source = ubuntu().source().file("tests/manifest.wall", packed(WALL)).resolve(&Chisel);
    assert!(source.packages.is_empty());
}

#[test]
fn what_is_missing_of_a_manifest_is_a_problem() {
    let whole =
        packed(&(WALL.to_owned() + &"{\"kind\":\"slice\",\"name\":\"a_b\"}\n".repeat(5000)));
    let cut = ubuntu().file(PLACE, &whole[..whole.len() - 9]).resolve(&Chisel);
    let is_told = |reason: &&str| reason.starts_with("cannot be unpacked to its end");
    assert!(cut.packages.len() == 2 && reasons(&cut).iter().any(is_told), "{:?}", cut.problems);
    let short: String = WALL.lines().take(4).map(|line| format!("{line}\n")).collect();
    let short = ubuntu().file(PLACE, packed(&short)).resolve(&Chisel);
    assert_eq!(short.packages.len(), 2);
    assert!(reasons(&short)[0].starts_with("is cut short: it has 4 lines"));
    let damaged = WALL.replace("\"libc6\",\"version\"", "\"libc6\",\"revision\"") + "{\"kind\n";
    let damaged = ubuntu().file(PLACE, packed(&damaged)).resolve(&Chisel);
    assert_eq!(reasons(&damaged), ["2 lines are damaged and left out"]);
    let later = ubuntu().file(PLACE, WALL.replace(r#""schema":"1.0""#, r#""schema":"2.0""#));
    assert!(reasons(&later.resolve(&Chisel))[0].starts_with("is of schema `2.0`"));
    let none = ubuntu().file(PLACE, packed("{\"jsonwall\":\"1.0\",\"count\":1}\n"));
    assert_eq!(reasons(&none.resolve(&Chisel)), ["names no package"]);
}

#[test]
fn what_is_no_manifest_is_refused() {
    for text in ["", "x", "{}", "[]\n", "{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\"}"] {
        assert!(read_file(&Chisel, PLACE, text.as_bytes()).is_err(), "{text}");
    }
    let bomb = packed(&" ".repeat(70 << 20));
    assert!(read_file(&Chisel, PLACE, &bomb).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, cut in 0_usize..WALL.len()) {
        let _ = manifest::read(&bytes);
        let _ = manifest::read(WALL.get(..cut).unwrap_or_default().as_bytes());
        let packed = packed(WALL);
        let _ = manifest::read(&packed[..cut.min(packed.len())]);
    }
}
