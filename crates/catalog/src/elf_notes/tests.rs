//! Package notes in programs that are built here, hostile ones too.

use super::*;
use crate::binary::fixture;
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const FEDORA: &str = r#"{"type":"rpm","name":"hello","version":"2.12-1.fc39","architecture":"x86_64","osCpe":"cpe:/o:fedoraproject:fedora:39"}"#;
const DEBIAN: &str = r#"{"type":"deb","os":"debian","osVersion":"13","name":"curl","version":"8.14.1-2","architecture":"amd64"}"#;

/// A note as linkers write it.
fn note(owner: &[u8], kind: u32, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap();
    for number in [length(owner), length(text), kind] {
        out.extend(number.to_le_bytes());
    }
    for part in [owner, text] {
        out.extend(part);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

/// A program with a build id before its package note.
fn program(text: &str) -> Vec<u8> {
    let mut notes = note(b"GNU\0", 3, &[7; 20]);
    notes.extend(note(b"FDO\0", 0xcafe_1a7e, format!("{text}\0\0").as_bytes()));
    fixture::elf(&notes, b"text", b"data").0
}

fn purls(layers: &Layers) -> Vec<(String, String)> {
    let out = layers.resolve(&ElfNotes);
    assert!(out.problems.is_empty());
    let all = out.packages.iter();
    all.map(|one| (one.package.purl.to_string(), one.package.ecosystem.to_string())).collect()
}

#[test]
fn a_note_names_the_package_that_a_file_was_built_as() {
    let layers = Layers::default()
        .distribution("debian", "13")
        .layer()
        .file("opt/bin/curl", program(DEBIAN))
        .file("opt/lib/libcurl.so.4", program(DEBIAN))
        .file("opt/bin/hello", program(FEDORA))
        .file("opt/bin/plain", fixture::elf(b"", b"text", b"data").0);
    assert_eq!(
        purls(&layers),
        [
            ("pkg:deb/debian/curl@8.14.1-2?arch=amd64&distro=debian-13".into(), "Debian".into()),
            // Of another distribution than the image: nobody is asked.
            (
                "pkg:rpm/fedora/hello@2.12-1.fc39?arch=x86_64&distro=fedora-39".into(),
                "program".into()
            ),
        ]
    );
    let out = layers.resolve(&ElfNotes);
    let curl = &out.packages[0].package;
    assert_eq!(curl.files, ["opt/bin/curl", "opt/lib/libcurl.so.4"]);
    assert_eq!(curl.location.path(), Some("opt/bin/curl"));
    assert_eq!(curl.identified.as_ref().unwrap().by, BY);
    let removed = layers.layer().whiteout("opt/bin/hello");
    assert_eq!(purls(&removed).len(), 1);
}

#[test]
fn the_file_arrives_in_pieces_of_any_size() {
    let bytes = program(DEBIAN);
    for piece in [1, 7, 64, 4095, 4096, 4097, bytes.len()] {
        let mut notes = Notes::default();
        let mut seen = 0;
        for chunk in bytes.chunks(piece) {
            seen += chunk.len();
            if notes.push(chunk) == Flow::Enough {
                break;
            }
        }
        assert!(seen <= 4096 + piece, "no more is read than the notes");
        assert_eq!(notes.finish().unwrap().name, "curl", "{piece}");
    }
}

#[test]
fn a_note_behind_the_head_is_found() {
    let mut bytes = program(DEBIAN);
    let at = bytes.len() + 10_000;
    let notes = bytes[0x400..0xc00].to_vec();
    bytes[0x400..0xc00].fill(0);
    bytes.resize(at, 0);
    bytes.extend(notes);
    bytes[64 + 8..64 + 16].copy_from_slice(&(at as u64).to_le_bytes());
    let fact = read_file(&ElfNotes, "a", &bytes).unwrap().unwrap();
    assert_eq!(postcard::from_bytes::<Note>(&fact).unwrap().version, "8.14.1-2");
}

#[test]
fn what_is_no_package_note_says_nothing() {
    let odd = |text: &str| read_file(&ElfNotes, "a", &program(text)).unwrap();
    for text in [
        "",
        "{}",
        "7",
        "{\"type\":\"rpm\"}",
        r#"{"type":"exe","name":"a","version":"1"}"#,
        r#"{"type":"rpm","name":"../a","version":"1"}"#,
        r#"{"type":"rpm","name":"a","version":"1\u001b[2J"}"#,
        r#"{"type":"rpm","name":"","version":"1"}"#,
    ] {
        assert_eq!(odd(text), None, "{text}");
    }
    let of = |owner: &[u8], kind| fixture::elf(&note(owner, kind, DEBIAN.as_bytes()), b"", b"").0;
    assert_eq!(read_file(&ElfNotes, "a", &of(b"GNU\0", 0xcafe_1a7e)).unwrap(), None);
    assert_eq!(read_file(&ElfNotes, "a", &of(b"FDO\0", 1)).unwrap(), None);
    let mut huge = program(DEBIAN);
    huge[64 + 32..64 + 40].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(read_file(&ElfNotes, "a", &huge).unwrap(), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(edits: Vec<(u16, u8)>, cut: u16) {
        let mut bytes = program(FEDORA);
        for (at, byte) in edits {
            let at = usize::from(at) % 0x500;
            bytes[at] = byte;
        }
        bytes.truncate(usize::from(cut));
        let _ = read_file(&ElfNotes, "a", &bytes);
    }
}
