//! Layers over each other: what stays is what a container would see.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod common;

use common::{HASHER, Spy, walk_at_level, walk_bytes};
use image::blob::Packing;
use image::{FactCache, LayerFacts, RecordLevel, Squash, SubjectShape};
use testkit::{Entry, Layer};

fn layers(layers: &[Layer]) -> Vec<LayerFacts> {
    layers.iter().map(|layer| walk_bytes(&layer.plain()).facts).collect()
}

/// Staying facts as `path@layer`.
fn staying(layers: &[LayerFacts]) -> Vec<String> {
    let squash = Squash::new(layers.iter().collect(), &HASHER);
    let view = squash.view("spy", None, SubjectShape::RootFileSystem);
    view.staying().map(|fact| format!("{}@{}", fact.path, fact.layer.unwrap())).collect()
}

#[test]
fn whiteouts_opaque_folders_and_replacements_hide_what_is_below() {
    let base = Layer::new()
        .file("a/wanted", "")
        .file("b/wanted", "")
        .file("c/d/wanted", "")
        .file("e/wanted", "")
        .file("f/wanted", "")
        .file("g/wanted", "")
        .file("keep/wanted", "");
    let upper = Layer::new()
        .whiteout("a/wanted")
        .whiteout("b")
        .opaque("c")
        .file("c/wanted", "")
        .file("e/wanted", "newer")
        .file("f", "a file where the folder was")
        .entry(Entry::directory("g/wanted"))
        .entry(Entry::directory("keep"));
    let layers = layers(&[base, upper]);
    assert_eq!(staying(&layers), ["keep/wanted@0", "c/wanted@1", "e/wanted@1"]);
    assert_eq!(staying(&layers[..1]).len(), 7);
}

#[test]
fn a_whiteout_hides_only_what_lies_below_its_own_layer() {
    let layers = layers(&[
        Layer::new().file("a/wanted", "1"),
        Layer::new().whiteout("a/wanted").file("b/wanted", "2"),
        Layer::new().file("a/wanted", "3"),
    ]);
    assert_eq!(staying(&layers), ["b/wanted@1", "a/wanted@2"]);
}

#[test]
fn every_layer_s_state_of_a_file_is_kept_for_history() {
    let layers = layers(&[Layer::new().file("wanted", "1"), Layer::new().file("wanted", "2")]);
    let squash = Squash::new(layers.iter().collect(), &HASHER);
    let view = squash.view("spy", None, SubjectShape::RootFileSystem);
    let states: Vec<_> =
        view.history("wanted").map(|fact| (fact.fact.to_vec(), fact.stays)).collect();
    assert_eq!(states, [(b"1".to_vec(), false), (b"2".to_vec(), true)]);
    assert_eq!(view.all().count(), 2);
}

#[test]
fn links_are_followed_inside_the_root_and_loops_end() {
    let layers = layers(&[
        Layer::new()
            .symlink("lib", "usr/lib")
            .symlink("etc/os-release", "../usr/lib/wanted")
            .symlink("abs", "/lib/x")
            .symlink("out", "../../../lib")
            .symlink("loop", "loop2")
            .symlink("loop2", "loop")
            .file("usr/lib/wanted", "w"),
        Layer::new().whiteout("abs"),
    ]);
    let squash = Squash::new(layers.iter().collect(), &HASHER);
    assert_eq!(squash.follow("lib/a/b"), "usr/lib/a/b");
    assert_eq!(squash.follow("etc/os-release"), "usr/lib/wanted");
    assert_eq!(squash.follow("out/y"), "usr/lib/y");
    assert_eq!(squash.follow("loop/x"), "loop/x");
    assert_eq!(squash.follow("abs"), "abs", "the link was removed");
    let view = squash.view("spy", None, SubjectShape::RootFileSystem);
    assert_eq!(view.at("etc/os-release").unwrap().path, "usr/lib/wanted");
    assert!(view.follow("loop").is_none());
}

#[test]
fn a_hard_link_to_a_lower_layer_has_its_facts() {
    let mut layers = layers(&[
        Layer::new().file("store/wanted", "w"),
        Layer::new().hard_link("app/wanted", "store/wanted"),
        Layer::new().whiteout("store"),
    ]);
    image::squash::link_across_layers(&mut layers);
    assert_eq!(staying(&layers), ["app/wanted@1"]);
}

#[test]
fn the_squashed_record_is_what_a_container_would_see() {
    let walked: Vec<_> = [
        Layer::new().directory("etc").file("etc/a", "1").file("etc/b", "2").file("gone/x", "3"),
        Layer::new()
            .directory("etc")
            .file("etc/b", "22")
            .whiteout("gone")
            .file("new", "4")
            .file("new", "44"),
    ]
    .iter()
    .map(|layer| walk_at_level(&layer.plain(), RecordLevel::Digests))
    .collect();
    let facts: Vec<_> = walked.iter().map(|walked| &walked.facts).collect();
    let records: Vec<_> = walked.iter().map(|walked| &walked.record).collect();
    let mut seen = Vec::new();
    Squash::new(facts, &HASHER).each_file(&records, |entry, layer| {
        seen.push(format!("{} {} {}", entry.path, entry.size, layer.unwrap()));
    });
    seen.sort();
    assert_eq!(seen, ["etc 0 1", "etc/a 1 0", "etc/b 2 1", "new 2 1"]);
}

#[test]
fn a_hard_link_keeps_the_content_that_it_was_made_of() {
    let walked: Vec<_> = [
        Layer::new().file("a", "first").hard_link("b", "a").hard_link("c", "b"),
        Layer::new().hard_link("d", "a").file("a", "second").hard_link("e", "a"),
        Layer::new().whiteout("a").hard_link("f", "none"),
    ]
    .iter()
    .map(|layer| walk_at_level(&layer.plain(), RecordLevel::Digests))
    .collect();
    let facts: Vec<_> = walked.iter().map(|walked| &walked.facts).collect();
    let records: Vec<_> = walked.iter().map(|walked| &walked.record).collect();
    let named = |digest: Option<[u8; 32]>| {
        let of = |text: &str| vocabulary::Digest::of(text.as_bytes());
        let digest = digest.map(vocabulary::Digest::sha256);
        ["first", "second"].into_iter().find(|text| digest == Some(of(text))).unwrap_or("none")
    };
    let mut seen = Vec::new();
    Squash::new(facts, &HASHER).each_file(&records, |entry, _| {
        seen.push(format!("{} {}", entry.path, named(entry.digest)))
    });
    seen.sort();
    assert_eq!(seen, ["b first", "c first", "d first", "e second", "f none"]);
}

#[test]
fn the_cache_gives_back_what_it_took_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let cache = FactCache::open(folder.path()).unwrap();
    let checks = vec![("spy".to_owned(), 1)];
    let walked = walk_bytes(
        &Layer::new().file("wanted", "w").symlink("l", "t").directory("d").whiteout("x").plain(),
    );
    let facts = &walked.facts;
    let diff_id = facts.diff_id.clone().unwrap();
    let packed = walked.packed_digest.as_ref();
    assert_eq!(cache.load(&diff_id, packed, &checks), None);
    cache.store(facts, packed, Packing::Plain, &checks).unwrap();
    let cached = cache.load(&diff_id, packed, &checks).unwrap();
    assert_eq!(&cached.facts, facts);
    assert_eq!((cached.packed_digest.as_ref(), cached.packing), (packed, Packing::Plain));
    assert_eq!(&cache.load(&diff_id, None, &checks).unwrap().facts, facts);

    let other = vocabulary::Digest::of(b"other");
    assert_eq!(cache.load(&diff_id, Some(&other), &checks), None, "packed bytes of another digest");
    assert_eq!(cache.load(&other, packed, &checks), None);
    assert_eq!(
        cache.load(&diff_id, packed, &vec![("spy".to_owned(), 2)]),
        None,
        "another revision"
    );
    assert_eq!(cache.load(&diff_id, packed, &vec![]), None);
    let again = FactCache::open(folder.path()).unwrap();
    assert_eq!(again.hasher(), cache.hasher(), "the key stays");
    let _ = Spy;
}

#[test]
fn a_damaged_cache_entry_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    let cache = FactCache::open(folder.path()).unwrap();
    let checks = vec![("spy".to_owned(), 1)];
    let walked = walk_bytes(&Layer::new().file("wanted", "w").directory("d").plain());
    let diff_id = walked.facts.diff_id.clone().unwrap();
    for name in ["facts", "paths"] {
        cache.store(&walked.facts, None, Packing::Plain, &checks).unwrap();
        let file = folder.path().join("v1").join(format!("{}.{name}", diff_id.hex()));
        let good = std::fs::read(&file).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x40;
            std::fs::write(&file, &bad).unwrap();
            assert_eq!(cache.load(&diff_id, None, &checks), None, "byte {place} of {name}");
            std::fs::write(&file, &good[..place]).unwrap();
            assert_eq!(cache.load(&diff_id, None, &checks), None, "{name} cut at {place}");
        }
    }
}
