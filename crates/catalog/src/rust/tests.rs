use super::*;
use crate::binary::fixture::elf;
use crate::language::testing::{purls, read_in_pieces, resolve};
use proptest::prelude::*;
use std::io::Write as _;

const LIST: &str = r#"{"packages":[
    {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
    {"name":"serde","version":"1.0.1","source":"crates.io","kind":"runtime","features":["x"]},
    {"name":"forked","version":"0.2.0","source":"git"},
    {"name":"app","version":"0.3.0","source":"local","root":true,"dependencies":[0,1]},
    {"name":"libc","version":"0.2.1","source":"crates.io","dependencies":[]}],"format":3}"#;
const EXPECTED: [&str; 4] = [
    "pkg:cargo/app@0.3.0",
    "pkg:cargo/forked@0.2.0",
    "pkg:cargo/libc@0.2.1",
    "pkg:cargo/serde@1.0.1",
];

fn minified() -> String {
    LIST.lines().map(str::trim).collect()
}

fn zlib(text: &str, level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn program(before: &[u8], packed: &[u8]) -> Vec<u8> {
    elf(b"", &[before, packed, &[3; 700]].concat(), b"data").0
}

#[test]
fn crates_that_run_are_packages_and_build_dependencies_are_not() {
    for level in [1, 6, 9] {
        let bytes = program(b"code", &zlib(&minified(), level));
        let resolution = resolve(&Rust, &[("opt/app", &bytes)]);
        assert_eq!(purls(&resolution), EXPECTED);
        let ecosystem = |name: &str| {
            let one = resolution.packages.iter().find(|one| one.package.name == name);
            one.unwrap().package.ecosystem.to_string()
        };
        assert_eq!(
            (ecosystem("serde").as_str(), ecosystem("app").as_str()),
            ("crates.io", "cargo")
        );
    }
}

#[test]
fn the_size_of_pieces_makes_no_difference() {
    let long = minified().replace("\"format\":3", &format!("\"x\":\"{}\"", "abc123".repeat(3000)));
    let decoys =
        [zlib("no list at all", 6), b"\x78\x9c\x78\xda\x78".to_vec(), vec![0; 3000]].concat();
    for at_end in [false, true] {
        let mut bytes = program(&decoys, &zlib(&long, 6));
        if at_end {
            bytes = elf(b"", &decoys, &zlib(&long, 6)).0;
        }
        let whole = read_in_pieces(&Rust, "opt/a", 0o755, &bytes, bytes.len()).unwrap().unwrap();
        for piece in [1, 3, 100, 511, 512, 513, 1024, 4096] {
            let pieces = read_in_pieces(&Rust, "opt/a", 0o755, &bytes, piece).unwrap();
            assert_eq!(pieces.as_ref(), Some(&whole), "{piece}");
        }
    }
}

#[test]
fn a_program_where_a_distribution_puts_it_is_proved() {
    let bytes = program(b"", &zlib(&minified(), 6));
    let proof = |path: &str| resolve(&Rust, &[(path, &bytes)]).packages[0].proof.clone();
    assert_eq!(proof("usr/bin/app"), crate::language::proof("usr/bin/app", &bytes).map(Box::new));
    assert!(proof("usr/bin/app").is_some());
    assert_eq!(proof("opt/app"), None);
}

#[test]
fn a_damaged_or_cut_off_list_is_a_problem() {
    let packed = zlib(&minified(), 6);
    let cut = elf(b"", b"", &packed[..packed.len() - 20]).0;
    assert!(read_in_pieces(&Rust, "opt/a", 0o755, &cut, 64).is_err());
    let mut damaged = packed;
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert!(read_in_pieces(&Rust, "opt/a", 0o755, &program(b"", &damaged), 64).is_err());
    let other = zlib("{\"packages\":[{\"name\":1}]}", 6);
    assert!(read_in_pieces(&Rust, "opt/a", 0o755, &program(b"", &other), 64).is_err());
    let bomb = zlib(&format!("{{\"packages\":[{}", " ".repeat(20 << 20)), 9);
    assert!(read_in_pieces(&Rust, "opt/a", 0o755, &program(b"", &bomb), 64).is_err());
}

#[test]
fn a_crate_that_cannot_be_shown_is_a_problem() {
    let list = minified().replace("\"libc\"", "\"\\u001b\"");
    let resolution = resolve(&Rust, &[("opt/app", &program(b"", &zlib(&list, 6)))]);
    assert_eq!((resolution.packages.len(), resolution.problems.len()), (3, 1));
}

#[test]
fn a_program_without_a_list_is_of_no_concern() {
    let bytes = program(&zlib("{\"packagez\":[]}", 6), b"");
    assert_eq!(read_in_pieces(&Rust, "opt/a", 0o755, &bytes, 4096).unwrap(), None);
    assert_eq!(read_in_pieces(&Rust, "opt/a", 0o755, b"#!/bin/sh", 4096).unwrap(), None);
}

#[test]
fn a_file_of_nothing_but_beginnings_ends() {
    let bytes = program(&b"\x78\x9c\x05".repeat(300_000), b"");
    assert!(read_in_pieces(&Rust, "opt/a", 0o755, &bytes, 4096).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(edits: Vec<(u16, u8)>, piece in 1_usize..9000) {
        let mut bytes = program(b"", &zlib(&minified(), 6));
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let _ = read_in_pieces(&Rust, "opt/a", 0o755, &bytes, piece);
    }
}
