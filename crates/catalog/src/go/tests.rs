use super::*;
use crate::binary::fixture::{BASE, READ_ONLY, elf};
use crate::language::testing::{purls, read_in_pieces, resolve};
use proptest::prelude::*;

const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
const NOTE: &[u8] = b"\x04\0\0\0\x04\0\0\0\x04\0\0\0Go\0\0abcd";
const TEXT: &str = "path\tx.org/app/cmd\nmod\tx.org/app\t(devel)\t\n\
    dep\tgithub.com/Foo/bar\tv1.2.3\th1:a=\ndep\told.org/a\tv0.1.0\n=>\tnew.org/a/v2\tv2.0.0\th1:b=\n\
    dep\tlocal.org/b\tv1.0.0\n=>\t./b\t(devel)\t\nbuild\tGOOS=linux\n";

fn framed(text: &str) -> Vec<u8> {
    [START, text.as_bytes(), END].concat()
}

fn varint(length: usize) -> Vec<u8> {
    let byte = |value: usize| u8::try_from(value).unwrap();
    if length < 128 {
        vec![byte(length)]
    } else {
        vec![byte(length & 0x7f) | 0x80, byte(length >> 7)]
    }
}

/// The data segment of a program of Go 1.18 or later.
fn inline(version: &str, text: &str) -> Vec<u8> {
    let mut data = vec![7; 48];
    data.extend(b"\xff Go buildinf:\x08\x02");
    data.extend([0; 16]);
    data.extend(varint(version.len()));
    data.extend(version.as_bytes());
    let text = framed(text);
    data.extend(varint(text.len()));
    data.extend(text);
    data.extend([0; 100]);
    data
}

/// A program of Go 1.17 or before: texts in read-only data, headers behind the blob.
fn old(version: &str, text: &str) -> Vec<u8> {
    let read_only =
        [b"xgo1.9go1.5".as_slice(), version.as_bytes(), &framed(text), b"tail"].concat();
    let (_, start) = elf(NOTE, &read_only, b"");
    let address = |offset: usize| (BASE + offset as u64).to_le_bytes();
    let header = start + 200;
    let mut data = Vec::new();
    data.extend(b"\xff Go buildinf:\x08\x00");
    data.extend(address(header));
    data.extend(address(header + 16));
    data.resize(200, 0);
    data.extend(address(READ_ONLY + 11));
    data.extend((version.len() as u64).to_le_bytes());
    data.extend(address(READ_ONLY + 11 + version.len()));
    data.extend((framed(text).len() as u64).to_le_bytes());
    elf(NOTE, &read_only, &data).0
}

const EXPECTED: [&str; 5] = [
    "pkg:golang/github.com/Foo/bar@v1.2.3",
    "pkg:golang/local.org/b",
    "pkg:golang/new.org/a/v2@v2.0.0",
    "pkg:golang/stdlib@1.21.3",
    "pkg:golang/x.org/app",
];

#[test]
fn modules_replacements_and_the_standard_library_are_packages() {
    let (bytes, _) = elf(b"", b"text", &inline("go1.21.3", TEXT));
    let resolution = resolve(&Go, &[("opt/app", &bytes)]);
    assert_eq!(purls(&resolution), EXPECTED);
    let bar = resolution.packages.iter().find(|one| one.package.name == "github.com/Foo/bar");
    assert_eq!(bar.unwrap().package.version, "1.2.3");
    assert!(resolution.problems.is_empty());
}

#[test]
fn programs_before_go_1_18_are_read_through_their_pointers() {
    assert_eq!(purls(&resolve(&Go, &[("opt/app", &old("go1.21.3", TEXT))])), EXPECTED);
    let unreleased = purls(&resolve(&Go, &[("opt/app", &old("devel +abcdef", TEXT))]));
    assert_eq!(unreleased.len(), 4);
}

#[test]
fn the_size_of_pieces_makes_no_difference() {
    let long = format!("{TEXT}{}", "dep\tx.org/y\tv1.0.0\th1:x\n".repeat(300));
    for bytes in [elf(NOTE, &[1; 9000], &inline("go1.21.3", &long)).0, old("go1.17.1", &long)] {
        let whole = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, bytes.len()).unwrap().unwrap();
        for piece in [1, 2, 7, 31, 512, 4096, 8191] {
            let pieces = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, piece).unwrap();
            assert_eq!(pieces.as_ref(), Some(&whole), "{piece}");
        }
    }
}

#[test]
fn a_noted_program_where_a_distribution_puts_it_is_proved() {
    let (bytes, _) = elf(NOTE, b"text", &inline("go1.21.3", TEXT));
    let proof = |path: &str| resolve(&Go, &[(path, &bytes)]).packages[0].proof;
    assert_eq!(proof("usr/bin/app"), crate::language::proof("usr/bin/app", &bytes));
    assert!(proof("usr/bin/app").is_some());
    assert_eq!(proof("usr/local/bin/app"), None);
}

#[test]
fn programs_without_the_blob_and_false_blobs_are_of_no_concern() {
    let mut unaligned = vec![0; 5];
    unaligned.extend(inline("go1.21.3", TEXT));
    let magic = b"\xff Go buildinf:".as_slice();
    for data in
        [&b""[..], &unaligned, magic, &[magic, &[9; 100]].concat(), &[magic, &[0; 18]].concat()]
    {
        let (bytes, _) = elf(NOTE, b"text", data);
        assert_eq!(read_in_pieces(&Go, "bin/a", 0o755, &bytes, 4096).unwrap(), None);
    }
    let mut after_false = [magic, &[9; 34]].concat();
    after_false.extend(inline("go1.21.3", TEXT));
    assert_eq!(purls(&resolve(&Go, &[("a", &elf(b"", b"", &after_false).0)])), EXPECTED);
}

#[test]
fn releases_become_semantic_versions() {
    for (text, expected) in [
        ("go1.21.3", Some("1.21.3")),
        ("go1.20", Some("1.20.0")),
        ("go1.22rc1", Some("1.22.0-rc.1")),
        ("go1.21.3 X:boringcrypto", Some("1.21.3")),
        ("go1.20.4-vendor", Some("1.20.4")),
        ("devel go1.23-abc", None),
        ("go1.x", None),
        ("go", None),
    ] {
        assert_eq!(build_info::semantic(text).as_deref(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(edits: Vec<(u16, u8)>, old_form: bool, piece in 1_usize..9000, text in "(mod|dep|=>|\t|\n|a|é|\\./){0,40}", version in "[go0-9.a-z é-]{0,12}") {
        let mut bytes = if old_form { old("go1.17.1", &text) } else { elf(NOTE, b"x", &inline("go1.2", &text)).0 };
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let _ = read_in_pieces(&Go, "usr/bin/a", 0o755, &bytes, piece);
        let _ = build_info::semantic(&version);
    }
}
