//! Files as bbolt writes them, and files as nobody should.

use super::*;
use std::cell::{Cell, RefCell};
use testkit::bolt::{BoltEntry, PAGE, bucket, containerd_images, file, header, meta};

fn value(text: &str) -> BoltEntry {
    BoltEntry::Value(text.as_bytes().to_vec())
}

fn get(bytes: &[u8], path: &[&[u8]], key: &str) -> Result<Option<String>, BoltError> {
    consistent(&bytes, |bolt| {
        let Some(bucket) = bolt.bucket(path)? else { return Ok(None) };
        Ok(bolt.get(&bucket, key.as_bytes())?.map(|value| match value {
            Value::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            Value::Bucket(_) => "a bucket".to_owned(),
        }))
    })
}

fn keys(bytes: &[u8], path: &[&[u8]]) -> Result<Vec<String>, BoltError> {
    consistent(&bytes, |bolt| {
        let bucket = bolt.bucket(path)?.unwrap();
        let entries = bolt.entries(&bucket)?;
        Ok(entries.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect())
    })
}

#[test]
fn keys_are_found_through_branches_and_small_buckets() {
    let names: Vec<String> = (0..100).map(|number| format!("image-{number:03}")).collect();
    let images: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "d")).collect();
    let bytes = file(&containerd_images("default", &images), 7);
    let path: [&[u8]; 3] = [b"v1", b"default", b"images"];
    assert_eq!(keys(&bytes, &path).unwrap(), names);
    for name in &names {
        let path: [&[u8]; 5] = [b"v1", b"default", b"images", name.as_bytes(), b"target"];
        assert_eq!(get(&bytes, &path, "digest").unwrap().as_deref(), Some("d"));
    }
    for absent in ["a", "image-0500", "image-999"] {
        assert_eq!(get(&bytes, &path, absent).unwrap(), None);
    }
    assert_eq!(get(&bytes, &[b"v1", b"other"], "x").unwrap(), None);
}

#[test]
fn a_value_may_take_several_pages() {
    let long = "x".repeat(3 * PAGE);
    let bytes = file(&bucket([("long", value(&long)), ("short", value("1"))]), 2);
    assert_eq!(get(&bytes, &[], "long").unwrap(), Some(long));
    assert_eq!(get(&bytes, &[], "short").unwrap().as_deref(), Some("1"));
}

#[test]
fn the_newer_valid_root_counts() {
    let mut bytes = file(&bucket([("a", value("new"))]), 9);
    // The page of an even transaction is the first.
    let old = u64::try_from(bytes.len() / PAGE).unwrap();
    let mut page = file(&bucket([("a", value("old"))]), 9)[3 * PAGE..].to_vec();
    page[..8].copy_from_slice(&old.to_le_bytes());
    bytes.extend(page);
    let first = meta(0, old, old + 1, 8);
    bytes[..first.len()].copy_from_slice(&first);
    assert_eq!(get(&bytes, &[], "a").unwrap().as_deref(), Some("new"));
    let mut torn = bytes.clone();
    torn[PAGE + 70] ^= 1;
    assert_eq!(get(&torn, &[], "a").unwrap().as_deref(), Some("old"));
    // Without the first, the second is found by trying sizes.
    bytes[..100].fill(0);
    assert_eq!(get(&bytes, &[], "a").unwrap().as_deref(), Some("new"));
    bytes[PAGE..PAGE + 100].fill(0);
    assert!(matches!(get(&bytes, &[], "a"), Err(BoltError::NoMeta)));
}

/// A file that somebody writes once each time its metas were read twice, `times` times.
struct Written {
    bytes: RefCell<Vec<u8>>,
    next: Vec<u8>,
    reads: Cell<usize>,
    times: Cell<usize>,
}

impl Bytes for Written {
    fn fill(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.reads.set(self.reads.get() + 1);
        if offset >= 3 * PAGE as u64 && self.times.get() > 0 {
            self.times.set(self.times.get() - 1);
            let mut next = self.next.clone();
            let transaction = 10 + self.reads.get() as u64;
            let end = (next.len() / PAGE) as u64;
            let page = transaction % 2;
            let meta = meta(page, 3, end, transaction);
            let at = usize::try_from(page).unwrap() * PAGE;
            next[at..at + meta.len()].copy_from_slice(&meta);
            *self.bytes.borrow_mut() = next;
        }
        self.bytes.borrow().as_slice().fill(buffer, offset)
    }
}

#[test]
fn what_changes_while_it_is_read_is_read_again_as_one_state() {
    let (before, after) =
        (file(&bucket([("a", value("1"))]), 4), file(&bucket([("a", value("2"))]), 4));
    for (times, expected) in [(0, Some(b"1")), (3, Some(b"2")), (usize::MAX, None)] {
        let bytes = Written {
            bytes: RefCell::new(before.clone()),
            next: after.clone(),
            reads: Cell::new(0),
            times: Cell::new(times),
        };
        let read = consistent(&bytes, |bolt| {
            let root = bolt.bucket(&[])?.unwrap();
            bolt.get(&root, b"a")
        });
        match (read, expected) {
            (Ok(Some(Value::Bytes(found))), Some(expected)) => assert_eq!(found, expected),
            (Err(BoltError::Changing), None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn cycles_are_refused() {
    // Page 3 is a branch of one key that leads to itself.
    let branch = [16_u32, 0].map(u32::to_le_bytes).concat();
    let mut page = [header(3, 1, 1, 0), branch, 3_u64.to_le_bytes().to_vec()].concat();
    page.resize(PAGE, 0);
    let mut bytes = vec![0; 3 * PAGE];
    bytes.extend(page);
    let root = meta(0, 3, 4, 2);
    bytes[..root.len()].copy_from_slice(&root);
    assert!(matches!(get(&bytes, &[], "a"), Err(BoltError::Limit { .. })));
    let error = keys(&bytes, &[]).unwrap_err().to_string();
    assert_eq!(error, "page 3 is damaged: it is reached by two ways");
}

/// A page of the given kind, whose elements are keys with the pages or values that they stand for.
fn made(number: u64, kind: u16, entries: &[(&str, u64)]) -> Vec<u8> {
    let short = |value: usize| u32::try_from(value).unwrap();
    let mut page = header(number, kind, u16::try_from(entries.len()).unwrap(), 0);
    let mut at = 16 + entries.len() * 16;
    for (index, (key, below)) in entries.iter().enumerate() {
        let from = short(at - 16 - index * 16);
        let words = if kind == 1 { [from, short(key.len())] } else { [0, from] };
        page.extend(words.map(u32::to_le_bytes).concat());
        if kind == 1 {
            page.extend(below.to_le_bytes());
        } else {
            page.extend([short(key.len()), 0].map(u32::to_le_bytes).concat());
        }
        at += key.len();
    }
    page.extend(entries.iter().flat_map(|(key, _)| key.bytes()));
    page.resize(PAGE, 0);
    page
}

/// A file of pages from the third on, which is the root.
fn of_pages(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 3 * PAGE];
    bytes.extend(pages.concat());
    let root = meta(0, 3, (bytes.len() / PAGE) as u64, 2);
    bytes[..root.len()].copy_from_slice(&root);
    bytes
}

#[test]
fn a_key_that_is_listed_is_found_or_the_page_is_damaged() {
    let root = made(3, 1, &[("b", 4), ("d", 5)]);
    let with = |left: &[(&str, u64)], right: &[(&str, u64)]| {
        of_pages(&[root.clone(), made(4, 2, left), made(5, 2, right)])
    };
    let good = with(&[("b", 0), ("c", 0)], &[("d", 0), ("f", 0)]);
    assert_eq!(keys(&good, &[]).unwrap(), ["b", "c", "d", "f"]);
    assert_eq!(get(&good, &[], "f").unwrap().as_deref(), Some(""));
    assert_eq!(get(&good, &[], "a").unwrap(), None);
    // `e` would be listed before `f`, and looked for on the right where it is not.
    let cases = [
        (with(&[("b", 0), ("e", 0)], &[("f", 0)]), 4, "c"),
        (with(&[("a", 0), ("c", 0)], &[("d", 0)]), 4, "a"),
        (with(&[("b", 0)], &[("c", 0), ("f", 0)]), 5, "f"),
    ];
    for (bytes, page, key) in cases {
        let expected =
            format!("page {page} is damaged: its keys are not those that the page above it names");
        assert_eq!(keys(&bytes, &[]).unwrap_err().to_string(), expected);
        assert_eq!(get(&bytes, &[], key).unwrap_err().to_string(), expected);
    }
    // The bound of a page holds for those below its last entry too.
    let deep = of_pages(&[
        root,
        made(4, 1, &[("b", 6)]),
        made(5, 2, &[("f", 0)]),
        made(6, 2, &[("b", 0), ("e", 0)]),
    ]);
    for outcome in [keys(&deep, &[]).map(|_| ()), get(&deep, &[], "b").map(|_| ())] {
        assert!(outcome.unwrap_err().to_string().starts_with("page 6 is damaged"));
    }
}

#[test]
fn pages_above_each_other_have_an_end() {
    let mut pages: Vec<Vec<u8>> = (3..43).map(|at| made(at, 1, &[("a", at + 1)])).collect();
    pages.push(made(43, 2, &[("a", 0)]));
    let bytes = of_pages(&pages);
    assert!(matches!(get(&bytes, &[], "a"), Err(BoltError::Limit { limit: 32, .. })));
    assert!(matches!(keys(&bytes, &[]), Err(BoltError::Limit { limit: 32, .. })));
}

#[test]
fn one_large_page_cannot_be_read_without_end() {
    // A bucket whose root is the largest page that is read.
    let pages = PAGE_BYTES / PAGE as u64;
    let mut bytes = vec![0; 3 * PAGE];
    bytes.extend(header(3, 2, 0, u32::try_from(pages - 1).unwrap()));
    bytes.resize(3 * PAGE + usize::try_from(PAGE_BYTES).unwrap(), 0);
    let root = meta(0, 3, 3 + pages, 2);
    bytes[..root.len()].copy_from_slice(&root);
    let mut read = 0;
    let outcome = consistent(&bytes.as_slice(), |bolt| {
        let root = bolt.bucket(&[])?.unwrap();
        for _ in 0..1000 {
            bolt.get(&root, b"a")?;
            read += 1;
        }
        Ok(())
    });
    assert!(matches!(outcome, Err(BoltError::Limit { limit: STATE_BYTES, .. })));
    assert_eq!(read, STATE_BYTES / PAGE_BYTES);
}

#[test]
fn a_page_that_lies_nowhere_is_damage_and_no_error_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    for (root, reason) in [
        (1 << 51, "it lies nowhere"),
        (1 << 52, "it lies nowhere"),
        (1 << 50, "the file ends before it does"),
    ] {
        let mut bytes = vec![0; 4 * PAGE];
        let first = meta(0, root, u64::MAX, 2);
        bytes[..first.len()].copy_from_slice(&first);
        std::fs::write(&path, &bytes).unwrap();
        let file = File::open(&path).unwrap();
        let error = consistent(&file, |bolt| bolt.get(&bolt.bucket(&[])?.unwrap(), b"a"));
        assert_eq!(error.unwrap_err().to_string(), format!("page {root} is damaged: {reason}"));
    }
}

#[test]
fn damaged_pages_are_named() {
    let good = file(&bucket([("a", value("1")), ("b", value("2"))]), 2);
    let page = 3 * PAGE;
    let cases: [(usize, u8, &str); 6] = [
        (page, 4, "it says that it is another"),
        (page + 8, 4, "it is neither branch nor leaf"),
        (page + 10, 9, "an entry lies outside of it"),
        (page + 16 + 5, 0xff, "an entry lies outside of it"),
        (page + 16 + 16 + 4, 16, "its keys are not in order"),
        (page + 12, 1, "the file ends before it does"),
    ];
    for (at, byte, reason) in cases {
        let mut bytes = good.clone();
        bytes[at] = byte;
        let error = get(&bytes, &[], "b").unwrap_err().to_string();
        assert_eq!(error, format!("page 3 is damaged: {reason}"));
    }
    let mut bytes = good;
    bytes[page + 14] = 1;
    assert!(matches!(get(&bytes, &[], "b"), Err(BoltError::Limit { .. })));
}

#[test]
fn entries_that_lie_over_each_other_cannot_fill_the_memory() {
    // 10,000 entries of one page, whose values are the rest of the page each.
    let (count, size) = (10_000_usize, 256 * PAGE);
    let mut page = header(3, 2, u16::try_from(count).unwrap(), 255);
    let bodies = 16 + count * 16;
    let short = |value: usize| u32::try_from(value).unwrap();
    for index in 0..count {
        let key = bodies + index * 2;
        for word in [0, short(key - 16 - index * 16), 2, short(size - key - 2)] {
            page.extend(word.to_le_bytes());
        }
    }
    for index in 0..count {
        page.extend(u16::try_from(index).unwrap().to_be_bytes());
    }
    page.resize(size, 0);
    let mut bytes = vec![0; 3 * PAGE];
    bytes.extend(page);
    let root = meta(0, 3, 259, 2);
    bytes[..root.len()].copy_from_slice(&root);
    assert!(matches!(keys(&bytes, &[]), Err(BoltError::Limit { .. })));
}
