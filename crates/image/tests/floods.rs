//! Bounds under floods: whatever a layer holds, each file that a check wanted is a fact, a problem,
//! or counted as left out. Nothing is dropped in silence.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod common;

use common::HASHER;
use image::{
    Dispatch, Entry, Fact, Gap, Interest, LayerBounds, LayerFacts, Progress, ReadError, Reader,
    RecordLevel, Walker, Want,
};
use proptest::prelude::*;
use testkit::made::{Made, unpack};
use testkit::tar::Entry as TarEntry;
use testkit::{Layer, Tar};

/// Reads files of a name, but only in some folders; those whose content begins with `!` cannot be
/// read, and with `-` concern nobody.
struct Named {
    id: &'static str,
    interests: &'static [Interest],
    inside: &'static str,
}

impl Reader for Named {
    fn id(&self) -> &'static str {
        self.id
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        self.interests
    }

    fn wants(&self, entry: &Entry<'_>, _head: &[u8]) -> Want {
        if entry.path.contains(self.inside) { Want::Whole { at_most: 1 << 20 } } else { Want::No }
    }

    fn read(&self, _entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        match bytes.first() {
            Some(b'!') => Err(ReadError::new("cannot be read")),
            Some(b'-') => Ok(None),
            _ => Ok(Some(bytes.to_vec())),
        }
    }
}

const ANY: Named = Named { id: "any", interests: &[Interest::Name("w")], inside: "" };
const INSIDE: Named = Named { id: "inside", interests: &[Interest::Name("w")], inside: "app/" };

/// Room for as many facts as twenty bytes of paths and contents have.
const FEW_BYTES: u64 = 20 + 2 * image::limits::FACT_COST as u64;

fn walk(tar: &[u8], checks: &[&dyn Reader], bounds: LayerBounds) -> LayerFacts {
    let dispatch = Dispatch::new(checks);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::None, &progress).with_bounds(bounds);
    let walked = walker.walk_plain(tar);
    assert_eq!(walked.failure, None);
    walked.facts
}

fn usual(tar: &[u8], checks: &[&dyn Reader]) -> LayerFacts {
    walk(tar, checks, LayerBounds::default())
}

#[test]
fn every_hard_link_of_a_large_store_is_read() {
    let mut tar = Tar::new();
    for number in 0..2_500 {
        tar.push(&TarEntry::file(format!("store/{number}"), format!("content {number}")));
    }
    for number in 0..2_500 {
        let path = format!("app/{number}/w");
        tar.push(&TarEntry::hard_link(path, format!("store/{number}")));
    }
    let facts = usual(&tar.finish(), &[&ANY]);
    assert_eq!(facts.of("any").unwrap().facts.len(), 2_500);
    assert!(facts.gaps().is_empty() && facts.unread().next().is_none());
}

#[test]
fn a_name_that_told_a_check_nothing_does_not_hide_the_others() {
    let tar = Tar::new()
        .file("cache/w", "package")
        .entry(&TarEntry::hard_link("app/w", "cache/w"))
        .entry(&TarEntry::hard_link("app/deep/w", "app/w"))
        .finish();
    let facts = usual(&tar, &[&ANY, &INSIDE]);
    let paths = |check: &str| {
        let mut paths: Vec<_> =
            facts.of(check).unwrap().facts.iter().map(|fact| fact.path.as_str()).collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(paths("any"), ["app/deep/w", "app/w", "cache/w"]);
    assert_eq!(paths("inside"), ["app/deep/w", "app/w"]);
}

#[test]
fn a_flood_of_one_check_hides_no_problem_of_another() {
    const OTHER: Named = Named { id: "other", interests: &[Interest::Name("x")], inside: "" };
    let mut layer = Layer::new();
    for number in 0..1_500 {
        layer = layer.file(format!("flood/{number}/w"), "!");
    }
    let facts = usual(&layer.file("x", "!").plain(), &[&ANY, &OTHER]);
    assert_eq!(facts.of("other").unwrap().problems.len(), 1);
    let left_out = Gap { reader: "any".into(), what: "unreadable files", count: 500 };
    assert_eq!(facts.gaps(), [left_out]);
}

#[test]
fn each_bound_that_is_passed_is_counted() {
    let bounds = LayerBounds { facts: 2, links: 2, problems: 2, ..LayerBounds::default() };
    let mut layer = Layer::new();
    for number in 0..5 {
        layer = layer
            .file(format!("f{number}/w"), "fact")
            .file(format!("p{number}/w"), "!")
            .symlink(format!("s{number}"), "x")
            .hard_link(format!("h{number}"), "f0/w")
            .whiteout(&format!("gone{number}"))
            .opaque(&format!("opaque{number}"));
    }
    let gaps = walk(&layer.plain(), &[&ANY], bounds).gaps();
    let shown: Vec<String> =
        gaps.iter().map(|gap| format!("{} {} {}", gap.reader, gap.count, gap.what)).collect();
    assert_eq!(
        shown,
        [
            "walk 3 whiteouts",
            "walk 3 opaque folders",
            "walk 3 symbolic links",
            "walk 3 hard links",
            "any 3 files",
            "any 3 unreadable files",
        ]
    );
    let few_bytes = LayerBounds { fact_bytes: FEW_BYTES, ..LayerBounds::default() };
    let gaps = walk(&layer.plain(), &[&ANY], few_bytes).gaps();
    assert_eq!((gaps.len(), gaps[0].count), (1, 3), "{gaps:?}");
}

#[test]
fn a_hard_link_to_a_symbolic_link_is_one() {
    let tar = Tar::new()
        .entry(&TarEntry::symlink("a", "target"))
        .entry(&TarEntry::hard_link("b", "a"))
        .entry(&TarEntry::hard_link("c", "b"))
        .finish();
    let facts = usual(&tar, &[&ANY]);
    let link = |path: &str| (path.to_owned(), "target".to_owned());
    assert_eq!(facts.symlinks[..], [link("a"), link("b"), link("c")]);
}

#[test]
fn a_link_that_a_file_replaces_is_none() {
    let tar = Tar::new().entry(&TarEntry::symlink("a/w", "elsewhere")).file("a/w", "here").finish();
    let facts = usual(&tar, &[&ANY]);
    assert!(facts.symlinks.is_empty());
    assert_eq!(facts.of("any").unwrap().facts.len(), 1);
}

const PATHS: [&str; 7] = ["app/w", "app/x/w", "cache/w", "store/1", "store/2", "store/3", "lib/w"];

fn made() -> impl Strategy<Value = Vec<Made>> {
    let path = || prop::sample::select(&PATHS[..]);
    let one = prop_oneof![
        3 => (path(), any::<u16>()).prop_map(|(path, content)| Made::File(path, content)),
        3 => (path(), path()).prop_map(|(path, target)| Made::HardLink(path, target)),
        1 => path().prop_map(Made::Symlink),
    ];
    prop::collection::vec(one, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// For every layer and check, facts and problems together cover each file that it wanted, and
    /// what a bound left out is counted.
    #[test]
    fn facts_and_problems_cover_each_file_that_was_wanted(
        entries in made(),
        facts in 0_usize..40,
        problems in 0_usize..40,
        links in 0_usize..40,
    ) {
        let (tar, unpacked) = unpack(&entries);
        let checks: [&dyn Reader; 2] = [&ANY, &INSIDE];
        let bounds = LayerBounds { facts, problems, links, ..LayerBounds::default() };
        for bounds in [LayerBounds::default(), bounds] {
            let layer = walk(&tar, &checks, bounds);
            let gaps = layer.gaps();
            let counted = |check: &str| {
                gaps.iter().any(|gap| gap.reader == check || gap.reader == "walk")
            };
            for (check, inside) in [("any", ""), ("inside", "app/")] {
                let facts = layer.of(check).map_or(&[][..], |of| &of.facts[..]);
                let problems = layer.of(check).map_or(&[][..], |of| &of.problems[..]);
                for (path, content) in &unpacked {
                    if !path.ends_with("/w") || !path.contains(inside) { continue }
                    let fact = facts.iter().find(|fact| fact.path == *path);
                    let problem = problems.iter().any(|problem| problem.path == *path);
                    let Some(content) = content else {
                        prop_assert!(fact.is_none(), "{check} {path}: a link has no content");
                        continue;
                    };
                    if let Some(fact) = fact {
                        prop_assert_eq!(&fact.fact, content.as_bytes(), "{} {}", check, path);
                    } else if content.starts_with('-') {
                        continue;
                    } else {
                        prop_assert!(problem || counted(check), "{check} {path}: {content}");
                    }
                }
                for fact in facts {
                    let content = unpacked[fact.path.as_str()].as_deref().unwrap_or_default();
                    prop_assert!(fact.fact == content.as_bytes(), "{} is not there", fact.path);
                }
            }
        }
    }
}

#[test]
fn files_lie_where_links_of_their_own_layer_lead() {
    let of = |tar: Tar| {
        let facts = usual(&tar.finish(), &[&ANY]);
        let all = facts.of("any").map_or(&[][..], |of| &of.facts[..]);
        let text = |fact: &[u8]| String::from_utf8(fact.to_vec()).unwrap();
        let mut shown: Vec<String> =
            all.iter().map(|fact| format!("{}={}", fact.path, text(&fact.fact))).collect();
        shown.sort();
        shown
    };
    let link = |path: &str, to: &str| TarEntry::symlink(path, to);
    // Written through a link.
    assert_eq!(of(Tar::new().entry(&link("lib", "usr/lib")).file("lib/w", "1")), ["usr/lib/w=1"]);
    let deep =
        Tar::new().entry(&link("a/l", "../b")).entry(&link("b", "/c/d")).file("a/l/x/w", "1");
    assert_eq!(of(deep), ["c/d/x/w=1"]);
    let linked = Tar::new()
        .file("usr/lib/w", "1")
        .entry(&link("lib", "usr/lib"))
        .entry(&TarEntry::hard_link("x/w", "lib/w"));
    assert_eq!(of(linked), ["usr/lib/w=1", "x/w=1"]);
    // A link takes the place of a folder, and a folder that of a link.
    let replaced = Tar::new().file("db/w", "old").file("data/w", "new").entry(&link("db", "/data"));
    assert_eq!(of(replaced), ["data/w=new"]);
    let back = Tar::new()
        .entry(&link("db", "/data"))
        .entry(&TarEntry::directory("db"))
        .file("db/w", "here");
    assert_eq!(of(back), ["db/w=here"]);
    // A file below a folder that a file has replaced, and again.
    let again = Tar::new().file("db/w", "old").file("db", "x").file("db/w", "new");
    assert_eq!(of(again), ["db/w=new"]);
}

#[test]
fn an_empty_record_of_an_extended_header_says_nothing() {
    let tar = Tar::new()
        .entry(&TarEntry::file("app/w", "1").pax("path", ""))
        .entry(&TarEntry::hard_link("b/w", "app/w").pax("linkpath", ""))
        .entry(&TarEntry::file("", "nameless"))
        .finish();
    let facts = usual(&tar, &[&ANY]);
    let paths: Vec<&str> =
        facts.of("any").unwrap().facts.iter().map(|fact| fact.path.as_str()).collect();
    assert_eq!(paths, ["app/w", "b/w"]);
    assert!(facts.problems[0].reason.contains("without a name"));
}

#[test]
fn what_a_reader_learns_does_not_depend_on_which_others_are_there() {
    const FLOOD: Named = Named { id: "flood", interests: &[Interest::Extension("f")], inside: "" };
    let bounds = LayerBounds { facts: 3, problems: 3, declined: 3, ..LayerBounds::default() };
    let mut layer = Layer::new();
    for number in 0..9 {
        layer = layer.file(format!("{number}.f"), "fact").file(format!("{number}/x.f"), "!");
        layer = layer.file(format!("app/{number}/w"), if number % 2 == 0 { "!" } else { "-" });
        layer = layer.hard_link(format!("other/{number}/w"), format!("{number}.f"));
    }
    let tar = layer.plain();
    let together = walk(&tar, &[&ANY, &FLOOD, &INSIDE], bounds);
    for reader in [&ANY, &FLOOD, &INSIDE] {
        let alone = walk(&tar, &[reader], bounds);
        assert_eq!(alone.of(reader.id), together.of(reader.id), "{}", reader.id);
        let own = |facts: &LayerFacts| LayerFacts { readers: Default::default(), ..facts.clone() };
        assert_eq!(own(&alone), own(&together));
    }
    assert!(!together.gaps().is_empty());
}
