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
    let view = squash.view("spy", image::About::tree(SubjectShape::RootFileSystem));
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
    let view = squash.view("spy", image::About::tree(SubjectShape::RootFileSystem));
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
    let view = squash.view("spy", image::About::tree(SubjectShape::RootFileSystem));
    assert_eq!(view.at("etc/os-release").unwrap().path, "usr/lib/wanted");
    assert!(view.follow("loop").is_none());
}

/// What links lead to, and the layers that are read again for it: `path=content@layer` or problems.
fn followed(layers: &[Layer]) -> Vec<String> {
    let tars: Vec<Vec<u8>> = layers.iter().map(Layer::plain).collect();
    let checks: [&dyn image::Reader; 1] = [&Spy];
    let dispatch = image::Dispatch::new(&checks);
    let progress = image::Progress::default();
    let walker = image::Walker::new(&dispatch, &HASHER, RecordLevel::None, &progress);
    let facts: Vec<LayerFacts> = tars.iter().map(|tar| walker.walk_plain(tar).facts).collect();
    let squash = Squash::new(facts.iter().collect(), &HASHER);
    let plan = image::again::plan(&squash, &dispatch, SubjectShape::RootFileSystem);
    let mut all = plan.followed;
    for (layer, aliases) in plan.again.iter().enumerate().filter(|(_, one)| !one.is_empty()) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &tars[layer]).unwrap();
        let blob = image::blob::Blob::file(file.path().to_owned());
        let job = image::WalkJob {
            blob: &blob,
            algorithm: vocabulary::Algorithm::Sha256,
            number: 0,
            only: None,
        };
        let mut walked = walker.walk(&job);
        all.extend(image::followed::followed(
            layer,
            &walker.walk_again(&job, aliases, &mut walked),
        ));
        assert_eq!(walked.failure, None);
    }
    let squash = Squash::new(facts.iter().collect(), &HASHER).with_followed(&all);
    let view = squash.view("spy", image::About::tree(SubjectShape::RootFileSystem));
    let text = |fact: &[u8]| String::from_utf8(fact.to_vec()).unwrap();
    let stays =
        view.staying().map(|at| format!("{}={}@{}", at.path, text(at.fact), at.layer.unwrap()));
    let problem = |one: &image::followed::Followed| {
        Some(format!("{}: {}", one.path, one.outcome.as_ref().err()?))
    };
    let mut shown: Vec<String> = stays.chain(all.iter().filter_map(problem)).collect();
    shown.sort();
    shown
}

#[test]
fn a_hard_link_to_a_lower_layer_has_its_facts() {
    let layers = [
        Layer::new().file("store/wanted", "w").file("store/plain", "p"),
        Layer::new().hard_link("app/wanted", "store/wanted").hard_link("b/wanted", "store/plain"),
        Layer::new().whiteout("store"),
    ];
    assert_eq!(followed(&layers), ["app/wanted=w@0", "b/wanted=p@0"]);
    let chained = [
        Layer::new().file("plain", "p").hard_link("other", "plain"),
        Layer::new().hard_link("x/wanted", "other"),
        Layer::new().file("plain", "newer"),
    ];
    assert_eq!(followed(&chained), ["x/wanted=p@0"]);
    let broken = [
        Layer::new().file("broken", "b").hard_link("d/wanted", "nowhere"),
        Layer::new().hard_link("x/broken", "broken"),
    ];
    assert_eq!(
        followed(&broken),
        ["d/wanted: a hard link to what is not there", "x/broken: broken on purpose"]
    );
}

#[test]
fn a_file_that_is_gone_under_its_first_name_stays_under_another() {
    let layers = [
        Layer::new().file("bin/a", "SPY!1").hard_link("bin/b", "bin/a").hard_link("bin/c", "bin/a"),
        Layer::new().whiteout("bin/a"),
    ];
    assert_eq!(followed(&layers), ["bin/b=SPY!1@0"], "once, under the first name that stays");
    assert_eq!(followed(&layers[..1]), ["bin/a=SPY!1@0"]);
}

#[test]
fn what_a_check_names_is_read_behind_links_of_any_form() {
    let target = Layer::new().file("opt/real/data", "d").file("opt/real/deep/x", "x");
    // A file that is a link, relative, absolute, over several hops and layers.
    for links in [
        Layer::new().symlink("a/wanted", "../opt/real/data"),
        Layer::new().symlink("a/wanted", "/opt/real/data"),
        Layer::new()
            .symlink("a/wanted", "one")
            .symlink("a/one", "/two")
            .symlink("two", "opt/real/data"),
        Layer::new().symlink("a/wanted", "/up/data").symlink("up", "opt/real"),
        Layer::new().symlink("a/wanted", "../../../opt/real/data"),
    ] {
        assert_eq!(followed(&[target.clone(), links.clone()]), ["a/wanted=d@0"]);
        assert_eq!(followed(&[links, target.clone()]), ["a/wanted=d@1"]);
    }
    // A folder that is a link, or lies below one.
    for links in [
        Layer::new().symlink("below", "opt/real"),
        Layer::new().symlink("below", "/hop").symlink("hop", "opt/./real"),
    ] {
        let expected = ["below/data=d@0", "below/deep/x=x@0"];
        assert_eq!(followed(&[target.clone(), links]), expected);
    }
    let inner = Layer::new().file("below/own", "o").symlink("below/there", "../opt/real/deep");
    assert_eq!(followed(&[target.clone(), inner]), ["below/own=o@1", "below/there/x=x@0"]);
    // What is no longer there, what is read by its own name, and loops.
    assert!(
        followed(&[
            target,
            Layer::new().symlink("a/wanted", "/opt/real/data").whiteout("opt/real")
        ])
        .is_empty()
    );
    let own = Layer::new().file("b/wanted", "b").symlink("a/wanted", "../b/wanted");
    assert_eq!(followed(&[own]), ["b/wanted=b@0"]);
    assert!(followed(&[Layer::new().symlink("a/wanted", "wanted")]).is_empty());
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
    let keys = [image::cache::ReaderKey::of(&Spy)];
    let walked = walk_bytes(
        &Layer::new().file("wanted", "w").symlink("l", "t").directory("d").whiteout("x").plain(),
    );
    let facts = &walked.facts;
    let diff_id = facts.diff_id.clone().unwrap();
    let packed = walked.packed_digest.as_ref();
    assert_eq!(cache.load(&diff_id, packed), None);
    cache.store(facts, (packed, 7), Packing::Plain, &keys).unwrap();
    let cached = cache.load(&diff_id, packed).unwrap();
    let own = LayerFacts { readers: Default::default(), ..facts.clone() };
    assert_eq!(cached.facts, own);
    assert_eq!(cache.load_readers(&diff_id, &keys), facts.readers);
    assert_eq!((cached.packed_digest.as_ref(), cached.packing), (packed, Packing::Plain));
    assert_eq!(cached.packed_bytes, 7);
    assert_eq!(cache.load(&diff_id, None).unwrap().facts, own);

    let other = vocabulary::Digest::of(b"other");
    assert_eq!(cache.load(&diff_id, Some(&other)), None, "packed bytes of another digest");
    assert_eq!(cache.load(&other, packed), None);
    assert!(cache.load_readers(&other, &keys).is_empty());
    let again = FactCache::open(folder.path()).unwrap();
    assert_eq!(again.hasher(), cache.hasher(), "the key stays");
    let _ = Spy;
}

/// The file of a layer whose kind begins so.
fn entry(cache: &std::path::Path, layer: &vocabulary::Digest, kind: &str) -> std::path::PathBuf {
    let begins = format!("{}.{kind}", layer.hex());
    let mut files = std::fs::read_dir(cache.join("v3")).unwrap().map(|file| file.unwrap().path());
    let is = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with(&begins)
    };
    files.find(is).unwrap()
}

#[test]
fn a_damaged_cache_entry_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    let cache = FactCache::open(folder.path()).unwrap();
    let keys = [image::cache::ReaderKey::of(&Spy)];
    let walked = walk_bytes(&Layer::new().file("wanted", "w").directory("d").plain());
    let diff_id = walked.facts.diff_id.clone().unwrap();
    let knows = |id: &vocabulary::Digest| {
        cache.load(id, None).is_some() && !cache.load_readers(id, &keys).is_empty()
    };
    for name in ["walk", "paths", "read-"] {
        cache.store(&walked.facts, (None, 7), Packing::Plain, &keys).unwrap();
        let file = entry(folder.path(), &diff_id, name);
        let good = std::fs::read(&file).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x40;
            std::fs::write(&file, &bad).unwrap();
            assert!(!knows(&diff_id), "byte {place} of {name}");
            std::fs::write(&file, &good[..place]).unwrap();
            assert!(!knows(&diff_id), "{name} cut at {place}");
        }
    }
}

#[test]
fn an_entry_of_another_key_or_moved_to_another_name_is_a_miss() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = FactCache::open(folder.path()).unwrap();
    let keys = [image::cache::ReaderKey::of(&Spy)];
    let one = walk_bytes(&Layer::new().file("wanted", "w").plain());
    let two = walk_bytes(&Layer::new().file("wanted", "x").plain());
    let [id, second] = [&one, &two].map(|walked| walked.facts.diff_id.clone().unwrap());
    for walked in [&one, &two] {
        cache.store(&walked.facts, (None, 7), Packing::Plain, &keys).unwrap();
    }
    let at = |digest: &vocabulary::Digest, kind| entry(folder.path(), digest, kind);
    let knows = |id: &vocabulary::Digest| {
        cache.load(id, None).is_some() && !cache.load_readers(id, &keys).is_empty()
    };
    // The paths of one layer under the name of another would hide what that one has.
    let good = std::fs::read(at(&id, "paths")).unwrap();
    std::fs::copy(at(&second, "paths"), at(&id, "paths")).unwrap();
    assert!(!knows(&id));
    std::fs::write(at(&id, "paths"), good).unwrap();
    assert!(knows(&id));
    // So would what readers learned of another.
    let good = std::fs::read(at(&id, "read-")).unwrap();
    std::fs::copy(at(&second, "read-"), at(&id, "read-")).unwrap();
    assert!(!knows(&id));
    std::fs::write(at(&id, "read-"), good).unwrap();

    let foreign = FactCache::open(other.path()).unwrap();
    foreign.store(&one.facts, (None, 7), Packing::Plain, &keys).unwrap();
    for kind in ["walk", "paths", "read-"] {
        let made = entry(other.path(), &id, kind);
        std::fs::copy(made, at(&id, kind)).unwrap();
        assert!(!knows(&id), "{kind}");
        cache.store(&one.facts, (None, 7), Packing::Plain, &keys).unwrap();
    }
}

#[test]
fn folders_that_are_links_show_their_files_at_other_places() {
    // `broken` in a name that the check takes anywhere; `linked` only below `shop/`.
    let layers = [
        Layer::new()
            .file("srv/a/placed", "p")
            .file("srv/b/x/placed", "q")
            .file("shop/own/placed", "o"),
        Layer::new().symlink("shop/a", "../srv/a").symlink("shop/b", "/srv/b"),
    ];
    assert_eq!(
        followed(&layers),
        ["shop/a/placed=p@0", "shop/b/x/placed=q@0", "shop/own/placed=o@0"]
    );
    let gone = [layers[0].clone(), layers[1].clone(), Layer::new().whiteout("srv/a")];
    assert_eq!(followed(&gone), ["shop/b/x/placed=q@0", "shop/own/placed=o@0"]);
}

#[test]
fn a_hard_link_to_a_symbolic_link_of_a_lower_layer_is_one() {
    let layers = [
        Layer::new().symlink("y", "/data/status").file("data/status", "s"),
        Layer::new().hard_link("a/wanted", "y"),
    ];
    assert_eq!(followed(&layers), ["a/wanted=s@0"]);
}

#[test]
fn what_was_read_again_is_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let cache = FactCache::open(folder.path()).unwrap();
    let keys = [image::cache::ReaderKey::of(&Spy)];
    let of = |target: &str| {
        let facts = layers(&[Layer::new()
            .file("opt/x", "w")
            .file("opt/y", "w")
            .symlink("a/wanted", target)]);
        let spy: [&dyn image::Reader; 1] = [&Spy];
        let squash = Squash::new(facts.iter().collect(), &HASHER);
        image::again::plan(&squash, &image::Dispatch::new(&spy), SubjectShape::RootFileSystem)
    };
    let (one, other) = (of("../opt/x"), of("/opt/y"));
    assert!(!one.again[0].is_empty() && one.again != other.again);
    let facts = walk_bytes(&Layer::new().file("wanted", "w").plain()).facts;
    let diff_id = facts.diff_id.clone().unwrap();
    let (one, other) = (one.again[0].of_reader(0), other.again[0].of_reader(0));
    let spy = facts.of("spy").unwrap();
    cache.store_again(&diff_id, &keys[0], &one, spy).unwrap();
    let load = |names: &[_]| cache.load_again(&diff_id, &keys[0], names);
    assert_eq!(load(&one).as_ref(), Some(spy));
    assert_eq!(load(&other), None, "other files");
    assert!(cache.load_readers(&diff_id, &keys).is_empty(), "not the layer itself");
}
