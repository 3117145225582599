use super::*;
use proptest::prelude::*;
use testkit::zip::{Source, Style, zip, zip_as};

const BOUNDS: Bounds =
    Bounds { entries: 2_000, directory: 1 << 20, plain: 1 << 30, ratio: 200, grace: 32 << 20 };

fn two() -> Vec<Source<'static>> {
    vec![("a.txt", b"stored".to_vec(), false), ("b.txt", vec![b'x'; 100_000], true)]
}

/// The same by the reader of what is too large for memory.
fn placed(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let mut all = Vec::new();
    let take = |name: &str, bytes: &[u8]| all.push((name.to_owned(), bytes.to_vec()));
    LargeArchive::open(bytes, &BOUNDS)?.read(1 << 20, |_| true, take)?;
    Ok(all)
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
        assert_eq!(placed(&zip_as(&two(), style)).unwrap(), expected);
    }
    let mut commented = zip(&two());
    let at = commented.len() - 2;
    commented[at..].copy_from_slice(&5_u16.to_le_bytes());
    commented.extend(b"PK\x05\x06!");
    assert_eq!(contents(&commented).unwrap(), expected);
    assert_eq!(placed(&commented).unwrap(), expected);
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

/// An archive of one stored content that `members` entries of the directory name, each `step` bytes
/// behind the one before.
fn shared(members: u16, step: u32) -> Vec<u8> {
    let sources: Vec<Source<'_>> = vec![("a.json", b"content".to_vec(), false); 2];
    let whole = zip(&sources);
    // A local header and its content take 43 bytes, an entry of the directory 52.
    let mut file = whole[..2 * 43].to_vec();
    for number in 0..members {
        let mut entry = whole[2 * 43..2 * 43 + 52].to_vec();
        entry[42..46].copy_from_slice(&(u32::from(number) * step).to_le_bytes());
        file.extend(entry);
    }
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([members.to_le_bytes(), members.to_le_bytes()].concat());
    file.extend((u32::from(members) * 52).to_le_bytes());
    file.extend(86_u32.to_le_bytes());
    file.extend([0, 0]);
    file
}

#[test]
fn entries_that_share_bytes_are_refused_before_any_is_read() {
    assert_eq!(placed(&shared(2, 43)).unwrap().len(), 2, "side by side");
    for (number, step) in [(2, 0), (1_000, 0), (2, 42), (2, 1), (3, 43)] {
        let refused = placed(&shared(number, step));
        assert!(matches!(refused, Err(ArchiveError::Overlap(_))), "{number} {step}: {refused:?}");
    }
}

#[test]
fn bounds_hold_for_the_whole_archive() {
    let many = shared(2_001, 43);
    assert!(matches!(placed(&many), Err(ArchiveError::TooLarge("count of entries", 2_000))));
    let tight = Bounds { directory: 100, ..BOUNDS };
    let two = shared(2, 43);
    let open = |bytes, bounds: &Bounds| LargeArchive::open(bytes, bounds).map(|_| ());
    assert!(matches!(open(&two[..], &tight), Err(ArchiveError::TooLarge("directory", 100))));
    let small = Bounds { plain: 13, ..BOUNDS };
    assert!(matches!(open(&two[..], &small), Err(ArchiveError::TooLarge("content", 13))));
    let bomb: Vec<Source<'_>> = vec![("b", vec![0; 10 << 20], true)];
    let careful = Bounds { grace: 1 << 20, ..BOUNDS };
    let refused = open(&zip(&bomb), &careful);
    assert!(matches!(refused, Err(ArchiveError::Bomb { plain: 10_485_760, .. })), "{refused:?}");
    assert!(matches!(placed(&zip(&bomb)), Err(ArchiveError::EntryTooLarge { .. })));
}

#[test]
fn an_archive_is_read_from_a_file_in_the_order_of_names() {
    let sources: Vec<Source<'_>> = vec![
        ("z", b"last".to_vec(), true),
        ("a/", Vec::new(), false),
        ("a/b", b"first".to_vec(), true),
    ];
    let path = std::env::temp_dir().join(format!("lazaret-zip-{}", std::process::id()));
    std::fs::write(&path, zip(&sources)).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut read = Vec::new();
    let archive = LargeArchive::open(file, &BOUNDS).unwrap();
    archive.read(9, |_| true, |name, bytes| read.push((name.to_owned(), bytes.to_vec()))).unwrap();
    assert_eq!(read, [("a/b".to_owned(), b"first".to_vec()), ("z".to_owned(), b"last".to_vec())]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_both_readers_say_the_same(
        mut bytes: Vec<u8>, edits: Vec<(u16, u8)>, zip64: bool,
    ) {
        let _ = (contents(&bytes), placed(&bytes));
        bytes.extend(zip_as(&two(), Style { zip64, ..Style::default() }));
        for (at, byte) in edits {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        let in_memory = contents(&bytes);
        if let Ok(large) = placed(&bytes) {
            let in_memory = in_memory.unwrap();
            let found = |content: &Vec<u8>| in_memory.iter().any(|(_, bytes)| bytes == content);
            prop_assert!(large.iter().all(|(_, content)| found(content)));
        }
    }

    #[test]
    fn every_content_comes_back_as_it_went_in(
        contents_in in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), any::<bool>()), 0..12),
        zip64: bool,
    ) {
        let names: Vec<String> = (0..contents_in.len()).map(|number| format!("{number:03}")).collect();
        let sources: Vec<Source<'_>> = names
            .iter()
            .zip(&contents_in)
            .map(|(name, (content, deflated))| (name.as_str(), content.clone(), *deflated))
            .collect();
        let expected: Vec<(String, Vec<u8>)> =
            names.iter().cloned().zip(contents_in.iter().map(|(content, _)| content.clone())).collect();
        let bytes = zip_as(&sources, Style { zip64, ..Style::default() });
        prop_assert_eq!(&contents(&bytes).unwrap(), &expected);
        prop_assert_eq!(&placed(&bytes).unwrap(), &expected);
    }
}
