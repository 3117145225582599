//! Readers of every file and of text: one pass over the bytes serves them all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod common;

use common::HASHER;
use image::{
    Dispatch, Entry, Fact, Flow, Interest, LayerFacts, Progress, ReadError, Reader, Reading,
    RecordLevel, Walker, Want,
};
use std::sync::atomic::Ordering;
use testkit::Layer;

/// Keeps the length of what it is shown.
struct Lengths {
    id: &'static str,
    interests: &'static [Interest],
    stream: bool,
}

struct Length(usize);

impl Reading for Length {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0 += bytes.len();
        Flow::More
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        Ok(Some(self.0.to_string().into_bytes()))
    }
}

impl Reader for Lengths {
    fn id(&self) -> &'static str {
        self.id
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        self.interests
    }

    fn wants(&self, _entry: &Entry<'_>, _head: &[u8]) -> Want {
        match self.stream {
            true => Want::Stream(Box::new(Length(0))),
            false => Want::Whole { at_most: u64::MAX },
        }
    }

    fn read(&self, _entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        Ok(Some(bytes.len().to_string().into_bytes()))
    }
}

const EVERY: Lengths = Lengths { id: "every", interests: &[Interest::Every], stream: true };
const TEXT: Lengths =
    Lengths { id: "text", interests: &[Interest::Text { at_most: 1 << 20 }], stream: false };
const SHORT: Lengths =
    Lengths { id: "short", interests: &[Interest::Text { at_most: 4 }], stream: true };
/// Text, and whatever has that name.
const NAMED: Lengths = Lengths {
    id: "named",
    interests: &[Interest::Name("blob"), Interest::Text { at_most: 1 << 20 }],
    stream: false,
};

const LARGE: usize = 300 << 10;

fn layer() -> Layer {
    let mut late = vec![b'a'; LARGE];
    *late.last_mut().unwrap() = 0;
    Layer::new()
        .file("blob", [0xff_u8, 0, 1].as_slice())
        .file("empty", "")
        .file("late", late.as_slice())
        .file("latin", b"gr\xfcn".as_slice())
        .file("long", "l".repeat(LARGE).as_str())
        .file("note", "gr\u{fc}n")
        .symlink("link", "note")
}

fn walk(readers: &[&dyn Reader]) -> (LayerFacts, u64) {
    let dispatch = Dispatch::new(readers);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::None, &progress);
    let walked = walker.walk_plain(&layer().plain());
    assert_eq!(walked.failure, None);
    (walked.facts, progress.handed.load(Ordering::Relaxed))
}

fn of(facts: &LayerFacts, reader: &str) -> Vec<String> {
    let facts = facts.of(reader).unwrap().facts.iter();
    facts.map(|one| format!("{}={}", one.path, String::from_utf8_lossy(&one.fact))).collect()
}

#[test]
fn every_regular_file_is_shown_and_text_alone_to_those_who_want_text() {
    let (facts, _) = walk(&[&EVERY, &NAMED, &SHORT, &TEXT]);
    let long = format!("long={LARGE}");
    let late = format!("late={LARGE}");
    assert_eq!(of(&facts, "every"), ["blob=3", "empty=0", &late, "latin=4", &long, "note=5"]);
    assert_eq!(of(&facts, "text"), ["empty=0", &long, "note=5"]);
    assert_eq!(of(&facts, "named"), ["blob=3", "empty=0", &long, "note=5"]);
    assert_eq!(of(&facts, "short"), ["empty=0"], "what is longer is of no concern");
    assert_eq!(facts.unread().count(), 0, "what is no text is no problem");
}

#[test]
fn a_file_is_handed_on_once_however_many_want_it() {
    let all = (3 + LARGE + 4 + LARGE + 5) as u64;
    assert_eq!(walk(&[&EVERY]).1, all);
    assert_eq!(walk(&[&EVERY, &NAMED, &SHORT, &TEXT]).1, all);
    assert_eq!(walk(&[&TEXT]).1, (LARGE + 5) as u64, "what is no text is handed to nobody");
    assert_eq!(walk(&[&SHORT]).1, 0);
    assert_eq!(walk(&[]).1, 0);
}

#[test]
fn a_folder_shows_the_same_files_as_a_layer() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("blob"), [0xff, 0, 1]).unwrap();
    std::fs::write(root.join("long"), "l".repeat(LARGE)).unwrap();
    std::fs::write(root.join("note"), "gr\u{fc}n").unwrap();
    std::fs::hard_link(root.join("note"), root.join("other")).unwrap();
    let readers: [&dyn Reader; 2] = [&EVERY, &TEXT];
    let dispatch = Dispatch::new(&readers);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::None, &progress);
    let (facts, _) = image::directory::walk(&walker, root).unwrap();
    let long = format!("long={LARGE}");
    assert_eq!(of(&facts, "every"), ["blob=3", &long, "note=5"]);
    assert_eq!(of(&facts, "text"), [&long, "note=5"]);
    assert_eq!(facts.hard_links[..], [("other".to_owned(), "note".to_owned())]);
}
