//! A check that keeps what it is shown, and short ways to walk.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test binary uses its own part"
)]

use image::blob::Blob;
use image::{
    Dispatch, Entry, Fact, Flow, Interest, PathHasher, Progress, ReadError, Reader, Reading,
    RecordLevel, WalkJob, Walked, Walker, Want,
};
use std::path::Path;
use vocabulary::Algorithm;

/// Keeps the content of files named `wanted`, whole, and of `*.stream`, in pieces; files named
/// `broken` cannot be read, `small` only up to four bytes, and `placed` counts only below `shop/`.
pub struct Spy;

struct Pieces(Vec<u8>);

impl Reading for Pieces {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.extend_from_slice(bytes);
        Flow::More
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        Ok(Some(self.0))
    }
}

impl Reader for Spy {
    fn id(&self) -> &'static str {
        "spy"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Name("wanted"),
            Interest::Name("broken"),
            Interest::Name("small"),
            Interest::Name("placed"),
            Interest::Extension("stream"),
            Interest::Under("below/"),
            Interest::Magic([b'S', b'P', b'Y', b'!']),
        ]
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        assert_eq!(head.len() as u64, entry.size.min(512), "the head of {}", entry.path);
        match entry.name() {
            "small" => Want::Whole { at_most: 4 },
            "placed" if !entry.path.starts_with("shop/") => Want::No,
            name if name.ends_with(".stream") => Want::Stream(Box::new(Pieces(Vec::new()))),
            _ => Want::Whole { at_most: u64::MAX },
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        assert_eq!(bytes.len() as u64, entry.size);
        match entry.name() {
            "broken" => Err(ReadError::new("broken on purpose")),
            _ => Ok(Some(bytes.to_vec())),
        }
    }
}

pub const HASHER: PathHasher = PathHasher::new([7; 16]);

pub fn walk_file(path: &Path, level: RecordLevel) -> Walked {
    let spy: [&dyn Reader; 1] = [&Spy];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, level, &progress);
    let blob = Blob::file(path.to_owned());
    walker.walk(&WalkJob { blob: &blob, algorithm: Algorithm::Sha256, number: 0, only: None })
}

pub fn walk_bytes(bytes: &[u8]) -> Walked {
    walk_at_level(bytes, RecordLevel::None)
}

pub fn walk_at_level(bytes: &[u8], level: RecordLevel) -> Walked {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    walk_file(file.path(), level)
}

/// Facts as `path=content`, in their order.
pub fn facts(walked: &Walked) -> Vec<String> {
    let facts = walked.facts.of("spy").map(|spy| &spy.facts);
    facts
        .into_iter()
        .flat_map(|kept| kept.iter())
        .map(|fact| format!("{}={}", fact.path, String::from_utf8_lossy(&fact.fact)))
        .collect()
}

/// Problems as `check path: reason`.
pub fn problems(walked: &Walked) -> Vec<String> {
    let all = walked.facts.unread();
    all.map(|(reader, problem)| format!("{reader} {}: {}", problem.path, problem.reason)).collect()
}
