//! Facts do not change without the `revision` of their check: else the cache would give old facts to
//! new code.
//!
//! `facts.txt` has a line for each sample: check, revision, path, and eight bytes each of the digests
//! of what went in and of the fact that came out. Where the same input gives another fact and the
//! revision is the same, nothing but raising it helps. All else is taken over by
//! `INSTA_UPDATE=always cargo test -p catalog --lib facts`.

use crate::fact_samples::samples;
use crate::view_tests::read_file;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Digest;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/facts.txt");

/// A sample: check and path, and what of its input, since one path may stand for several files.
type Key = (String, String, String);

/// The revision that made a fact, and the fact.
type Made = (u32, String);

fn brief(bytes: &[u8]) -> String {
    Digest::of(bytes).hex().chars().take(16).collect()
}

/// What every check makes of its samples now.
fn made() -> BTreeMap<Key, Made> {
    let mut made = BTreeMap::new();
    for cataloger in crate::catalogers() {
        let check = &cataloger.check;
        let mut facts = 0;
        let reader = check.readers()[0];
        for (path, bytes) in samples(&cataloger) {
            let fact = match read_file(reader, &path, &bytes) {
                Ok(Some(fact)) => {
                    facts += 1;
                    brief(&fact)
                }
                Ok(None) => "none".to_owned(),
                Err(_) => "refused".to_owned(),
            };
            let path = path.replace(' ', "_");
            made.insert((check.id().to_owned(), path, brief(&bytes)), (reader.revision(), fact));
        }
        let id = check.id();
        assert!(
            facts > 0,
            "`{id}` has no sample that gives a fact: give it some where it is listed"
        );
    }
    made
}

fn read(text: &str) -> BTreeMap<Key, Made> {
    let line = |line: &str| {
        let [check, revision, path, input, fact] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        (key(check, path, input), (revision.parse().unwrap(), String::from(fact)))
    };
    text.lines().map(line).collect()
}

fn key(check: &str, path: &str, input: &str) -> Key {
    (check.to_owned(), path.to_owned(), input.to_owned())
}

fn written(all: &BTreeMap<Key, Made>) -> String {
    let line = |((check, path, input), (revision, fact)): (&Key, &Made)| {
        format!("{check} {revision} {path} {input} {fact}\n")
    };
    all.iter().map(line).collect()
}

/// Checks whose facts differ from those of the same revision.
fn unraised(before: &BTreeMap<Key, Made>, now: &BTreeMap<Key, Made>) -> BTreeSet<String> {
    let differs = |(key, (revision, fact)): &(&Key, &Made)| {
        before.get(*key).is_some_and(|(old, was)| old == revision && was != fact)
    };
    now.iter().filter(differs).map(|((check, ..), _)| check.clone()).collect()
}

#[test]
fn facts_change_with_their_revision_alone() {
    let text = std::fs::read_to_string(FILE).unwrap_or_default();
    let (before, now) = (read(&text), made());
    let unraised = unraised(&before, &now);
    assert!(
        unraised.is_empty(),
        "the facts of {unraised:?} have changed: raise their `revision`, so that what is cached is \
         read anew, then run this again with INSTA_UPDATE=always"
    );
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        std::fs::write(FILE, written(&now)).unwrap();
        return;
    }
    let differing: Vec<_> = now
        .iter()
        .filter(|(key, made)| before.get(*key) != Some(made))
        .map(|(key, _)| key)
        .chain(before.keys().filter(|key| !now.contains_key(*key)))
        .collect();
    assert!(
        differing.is_empty(),
        "samples or revisions have changed: run this again with INSTA_UPDATE=always: {differing:#?}"
    );
}

#[test]
fn another_fact_of_the_same_revision_is_found_and_a_raised_one_is_not() {
    let of = |revision, fact: &str| {
        let key = key("apk", "lib/apk/db/installed", "0011");
        BTreeMap::from([(key, (revision, fact.to_owned()))])
    };
    assert_eq!(unraised(&of(1, "a"), &of(1, "b")), BTreeSet::from(["apk".to_owned()]));
    assert!(unraised(&of(1, "a"), &of(2, "b")).is_empty());
    assert!(unraised(&of(1, "a"), &of(1, "a")).is_empty());
    assert_eq!(read(&written(&of(3, "none"))), of(3, "none"));
}
