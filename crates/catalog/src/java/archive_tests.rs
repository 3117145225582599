use super::archive::{Archive, ArchiveError, ENTRY_LIMIT};
use super::fixture::{Source, Style, zip, zip_as};
use proptest::prelude::*;

fn two() -> Vec<Source<'static>> {
    vec![("a.txt", b"stored".to_vec(), false), ("b.txt", vec![b'x'; 100_000], true)]
}

fn contents(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let archive = Archive::open(bytes)?;
    archive
        .entries()
        .map(|entry| {
            let entry = entry?;
            Ok((entry.shown(), archive.read(&entry, 1 << 20)?.into_owned()))
        })
        .collect()
}

#[test]
fn stored_and_deflated_entries_are_read_in_every_style() {
    let expected = contents(&zip(&two())).unwrap();
    assert_eq!(expected[0], ("a.txt".to_owned(), b"stored".to_vec()));
    assert_eq!(expected[1].1, vec![b'x'; 100_000]);
    let prefix = b"#!/bin/sh\nexec java -jar $0\n".as_slice();
    for style in [
        Style { prefix, ..Style::default() },
        Style { zip64: true, ..Style::default() },
        Style { zip64: true, prefix, ..Style::default() },
    ] {
        assert_eq!(contents(&zip_as(&two(), style)).unwrap(), expected);
    }
    let mut commented = zip(&two());
    let at = commented.len() - 2;
    commented[at..].copy_from_slice(&5_u16.to_le_bytes());
    commented.extend(b"PK\x05\x06!");
    assert_eq!(contents(&commented).unwrap(), expected);
}

#[test]
fn stored_entries_are_not_copied() {
    let bytes = zip(&two());
    let archive = Archive::open(&bytes).unwrap();
    let first = archive.entries().next().unwrap().unwrap();
    assert!(matches!(archive.read(&first, 10), Ok(std::borrow::Cow::Borrowed(b"stored"))));
    assert!(matches!(archive.read(&first, 5), Err(ArchiveError::EntryTooLarge { .. })));
}

#[test]
fn encrypted_and_unknown_entries_are_refused() {
    let encrypted = zip_as(&two(), Style { flags: 1, ..Style::default() });
    assert!(matches!(contents(&encrypted), Err(ArchiveError::Encrypted(_))));
    let odd = zip_as(&two(), Style { method: Some(12), ..Style::default() });
    assert!(matches!(contents(&odd), Err(ArchiveError::Method(_, 12))));
}

#[test]
fn an_entry_that_inflates_to_another_size_is_refused() {
    let bomb: Vec<Source<'_>> = vec![("b", vec![0; 10 << 20], true)];
    for plain in [0, 10, 10 << 20 | 1, u32::MAX - 1] {
        let bytes = zip_as(&bomb, Style { plain: Some(plain), ..Style::default() });
        let archive = Archive::open(&bytes).unwrap();
        let entry = archive.entries().next().unwrap().unwrap();
        let outcome = archive.read(&entry, u64::MAX);
        assert!(matches!(outcome, Err(ArchiveError::Inflate(_))), "{plain}");
    }
}

#[test]
fn a_cut_off_or_absurd_archive_is_refused() {
    let bytes = zip(&two());
    for length in 0..bytes.len() {
        assert!(contents(&bytes[..length]).is_err(), "{length}");
    }
    let mut many = zip_as(&[], Style { zip64: true, ..Style::default() });
    many[32..40].copy_from_slice(&(ENTRY_LIMIT + 1).to_le_bytes());
    assert!(matches!(Archive::open(&many), Err(ArchiveError::TooLarge(..))));
}

#[test]
fn a_count_that_wraps_hides_no_entry() {
    let mut bytes = zip(&two());
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    assert_eq!(contents(&bytes).unwrap().len(), 2);
    bytes[end + 8..end + 12].copy_from_slice(&[3, 0, 3, 0]);
    assert!(matches!(contents(&bytes), Err(ArchiveError::Damaged(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut bytes: Vec<u8>, edits: Vec<(u16, u8)>, zip64: bool) {
        let _ = contents(&bytes);
        bytes.extend(zip_as(&two(), Style { zip64, ..Style::default() }));
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let _ = contents(&bytes);
    }
}
