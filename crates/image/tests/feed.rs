//! The tar reader gives the same entries however its bytes are cut.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

use image::tar::{Meta, Sink, TarReader};
use proptest::prelude::*;
use testkit::tar::LongNames;
use testkit::{Entry, Tar};

#[derive(Default)]
struct Seen {
    entries: Vec<(String, Vec<u8>)>,
    open: bool,
}

impl Sink for Seen {
    fn entry(&mut self, meta: &Meta<'_>) {
        self.entries.push((format!("{} {:?} {}", meta.path, meta.kind, meta.link), Vec::new()));
    }

    fn whole(&mut self, meta: &Meta<'_>, content: &[u8]) {
        self.entries.push((meta.path.to_owned(), content.to_vec()));
    }

    fn start(&mut self, meta: &Meta<'_>, head: &[u8]) -> bool {
        assert!(!self.open);
        assert_eq!(head.len() as u64, meta.size.min(512));
        self.open = true;
        self.entries.push((meta.path.to_owned(), Vec::new()));
        true
    }

    fn data(&mut self, bytes: &[u8]) -> bool {
        assert!(self.open);
        self.entries.last_mut().unwrap().1.extend_from_slice(bytes);
        true
    }

    fn end(&mut self) {
        assert!(self.open);
        self.open = false;
    }

    fn unread(&mut self, meta: &Meta<'_>, _reason: &str) {
        self.entries.push((format!("{} unread {}", meta.path, meta.size), Vec::new()));
    }

    fn problem(&mut self, path: &str, reason: &str) {
        self.entries.push((format!("{path}: {reason}"), Vec::new()));
    }
}

fn entries(tar: &[u8], cuts: &[usize]) -> Vec<(String, Vec<u8>)> {
    let mut reader = TarReader::default();
    let mut seen = Seen::default();
    let mut rest = tar;
    for cut in cuts.iter().cycle() {
        let (front, back) = rest.split_at((*cut).min(rest.len()));
        reader.push(front, &mut seen).unwrap();
        rest = back;
        if rest.is_empty() {
            break;
        }
    }
    reader.finish().unwrap();
    assert!(!seen.open);
    seen.entries
}

proptest! {
    #[test]
    fn cutting_the_stream_anywhere_changes_nothing(
        sizes in prop::collection::vec(0_usize..3000, 0..6),
        cuts in prop::collection::vec(1_usize..1500, 1..8),
    ) {
        let mut tar = Tar::new()
            .entry(&Entry::directory("folder"))
            .entry(&Entry::symlink("folder/link", "../x"))
            .sparse_gnu("sparse", &[(0, b"abc"), (4096, b"def")], 8192);
        for (index, size) in sizes.iter().enumerate() {
            let content: Vec<u8> = (0..*size).map(|number| (number % 251) as u8).collect();
            let name = format!("{}/{index}", "n".repeat(index * 40));
            let long_names = if index % 2 == 0 { LongNames::Gnu } else { LongNames::Pax };
            tar.push(&Entry::file(name, content).long_names(long_names));
        }
        let tar = tar.finish();
        let whole = entries(&tar, &[tar.len()]);
        prop_assert_eq!(whole.len(), 3 + sizes.len());
        for (index, size) in sizes.iter().enumerate() {
            prop_assert_eq!(whole[3 + index].1.len(), *size);
        }
        prop_assert_eq!(entries(&tar, &cuts), whole);
    }
}
