use super::store::{KEY, KEY_BYTES, VERSION};
use super::*;
use crate::facts::FactRecord;
use crate::kept::Kept;
use std::os::unix::fs::{PermissionsExt as _, symlink};

#[test]
fn room_is_made_of_files_of_our_own_making_only() {
    let outer = tempfile::tempdir().unwrap();
    let cache = FactCache::open(outer.path()).unwrap();
    let inside = outer.path().join(VERSION);
    let hex = "ab".repeat(32);
    let ours = [format!("{hex}.walk"), format!("{hex}.again-0123456789abcdef")];
    let upper = format!("{}.walk", "AB".repeat(32));
    let others = ["thesis.doc", "key.walk", &upper, ".bashrc", &format!("{hex}.txt"), &hex];
    let folder = format!("{hex}.paths");
    for name in ours.iter().map(String::as_str).chain(others) {
        std::fs::write(inside.join(name), [0; 1000]).unwrap();
    }
    std::fs::create_dir(inside.join(&folder)).unwrap();
    cache.store.make_room_for(10).unwrap();
    assert!(ours.iter().all(|name| !inside.join(name).exists()));
    for name in others.into_iter().chain([folder.as_str(), KEY]) {
        assert!(inside.join(name).exists(), "{name}");
    }
}

#[test]
fn a_key_that_others_could_know_or_put_there_is_replaced() {
    let outer = tempfile::tempdir().unwrap();
    let hasher = *FactCache::open(outer.path()).unwrap().hasher();
    assert_eq!(FactCache::open(outer.path()).unwrap().hasher(), &hasher);
    let key = outer.path().join(VERSION).join(KEY);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_ne!(FactCache::open(outer.path()).unwrap().hasher(), &hasher);
    std::fs::write(&key, [7; KEY_BYTES - 1]).unwrap();
    FactCache::open(outer.path()).unwrap();
    assert_eq!(std::fs::read(&key).unwrap().len(), KEY_BYTES);
    std::fs::rename(&key, outer.path().join("elsewhere")).unwrap();
    symlink("../elsewhere", &key).unwrap();
    assert!(FactCache::open(outer.path()).is_err(), "a link is no key");
}

fn key(id: &str, revision: u32, options: &str) -> ReaderKey {
    ReaderKey { id: id.to_owned(), revision, options: options.to_owned() }
}

fn layer(readers: &[(&str, &str)]) -> LayerFacts {
    let of = |fact: &str| {
        let record = FactRecord { path: "a".to_owned(), fact: fact.as_bytes().to_vec() };
        ReaderFacts { facts: Kept::from(vec![record]), ..ReaderFacts::default() }
    };
    let readers = readers.iter().map(|(id, fact)| ((*id).to_owned(), of(fact))).collect();
    LayerFacts { diff_id: Some(Digest::of(b"layer")), readers, ..LayerFacts::default() }
}

fn facts_of(known: &BTreeMap<String, ReaderFacts>) -> Vec<String> {
    let of = |(id, of_reader): (&String, &ReaderFacts)| {
        let facts = of_reader.facts.iter().map(|one| String::from_utf8_lossy(&one.fact));
        format!("{id}={}", facts.collect::<String>())
    };
    known.iter().map(of).collect()
}

#[test]
fn what_each_reader_learned_is_found_by_its_own_key_whoever_read_with_it() {
    let outer = tempfile::tempdir().unwrap();
    let diff_id = Digest::of(b"layer");
    let keys = [key("a", 1, ""), key("b", 1, "")];
    let store = |facts: &LayerFacts, keys: &[ReaderKey]| {
        let cache = FactCache::open(outer.path()).unwrap();
        cache.store(facts, (None, 0), Packing::Plain, keys).unwrap();
    };
    let load = |keys: &[ReaderKey]| {
        facts_of(&FactCache::open(outer.path()).unwrap().load_readers(&diff_id, keys))
    };
    store(&layer(&[("a", "1"), ("b", "2")]), &keys);
    assert_eq!(load(&keys), ["a=1", "b=2"]);
    assert_eq!(load(&keys[1..]), ["b=2"]);
    // Another revision, other options and a new reader: each misses alone.
    let others = [key("a", 2, ""), key("b", 1, "rules 7"), key("c", 1, "")];
    assert!(load(&others).is_empty());
    store(&layer(&[("b", "3")]), &others[1..2]);
    assert_eq!(load(&others), ["b=3"]);
    assert_eq!(load(&[others[1].clone(), keys[0].clone()]), ["a=1", "b=3"]);
    assert_eq!(load(&keys), ["a=1", "b=2"], "two sets of options do not evict each other");
}

#[test]
fn what_the_walk_learned_needs_no_reader() {
    let outer = tempfile::tempdir().unwrap();
    let cache = FactCache::open(outer.path()).unwrap();
    let facts = LayerFacts { files: vec![1, 2], directories: vec![3], ..layer(&[("a", "1")]) };
    cache.store(&facts, (Some(&Digest::of(b"packed")), 7), Packing::Gzip, &[]).unwrap();
    let diff_id = Digest::of(b"layer");
    let known = cache.load(&diff_id, Some(&Digest::of(b"packed"))).unwrap();
    assert_eq!((known.facts.files, known.packed_bytes), (vec![1, 2], 7));
    assert!(known.facts.readers.is_empty());
    assert!(cache.load(&diff_id, Some(&Digest::of(b"other"))).is_none());
}

#[test]
fn a_damaged_entry_is_a_miss() {
    let outer = tempfile::tempdir().unwrap();
    let keys = [key("a", 1, "")];
    let cache = FactCache::open(outer.path()).unwrap();
    cache.store(&layer(&[("a", "1")]), (None, 0), Packing::Plain, &keys).unwrap();
    for entry in std::fs::read_dir(outer.path().join(VERSION)).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != KEY {
            let mut bytes = std::fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
    }
    let diff_id = Digest::of(b"layer");
    assert!(cache.load(&diff_id, None).is_none());
    assert!(cache.load_readers(&diff_id, &keys).is_empty());
}
