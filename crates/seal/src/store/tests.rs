use super::*;
use crate::Name;
use crate::identity::standing;
use std::fs;
use testkit::files::file;
use vocabulary::{Finding, Origin, SubjectKind};

fn image(name: &str) -> (Subject, Vec<Layer>) {
    let subject = Subject {
        kind: SubjectKind::Image,
        name: name.to_owned(),
        manifest_digest: None,
        config_digest: Some(Digest::of(name.as_bytes())),
        tags: Vec::new(),
        platform: None,
        base: None,
        source: None,
        checkout: None,
        version: None,
    };
    let layer = Layer {
        index: 0,
        digest: None,
        diff_id: Digest::of(format!("layer of {name}").as_bytes()),
        media_type: String::new(),
        packed_bytes: 1,
        plain_bytes: 1,
        entries: 1,
        command: None,
        origin: Origin::default(),
        from_cache: false,
    };
    (subject, vec![layer])
}

fn key() -> SigningKey {
    SigningKey::from_private(&crate::key::generate().unwrap().0).unwrap()
}

fn seal(
    store: &mut Store,
    repository: &str,
    name: &str,
    key: &SigningKey,
) -> Result<Seal, StoreError> {
    seal_as(store, &Name::untagged(repository), name, key)
}

fn seal_as(
    store: &mut Store,
    sealed_as: &Name,
    name: &str,
    key: &SigningKey,
) -> Result<Seal, StoreError> {
    let (subject, layers) = image(name);
    let files = [file("etc/name", name.as_bytes()), file("usr/bin/tool", b"tool")];
    let draft = Draft {
        subject: &subject,
        layers: &layers,
        files: &files,
        packages: &[],
        scan: None,
        name: sealed_as,
        time: "2026-01-02T03:04:05Z",
    };
    store.seal(&draft, key)
}

/// A store with three seals.
fn three(folder: &Path) -> (Store, SigningKey) {
    let key = key();
    let mut store = Store::open(folder).unwrap();
    seal(&mut store, "app", "app:1", &key).unwrap();
    seal(&mut store, "other", "other:1", &key).unwrap();
    seal(&mut store, "app", "app:2", &key).unwrap();
    (store, key)
}

fn titles(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.title.as_str()).collect()
}

#[test]
fn what_was_sealed_is_there_again_and_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = three(folder.path());
    let again = Store::open(folder.path()).unwrap();
    assert_eq!(again.all(), store.all());
    assert_eq!(again.head(), store.head());
    assert_eq!(again.trusted().unwrap(), [key.public().clone()]);
    assert_eq!(titles(&again.check(&again.trusted().unwrap())), [""; 0]);
    let newest = again.newest("app").unwrap();
    assert_eq!((newest.statement.predicate.counter, newest.entry), (2, 3));
    assert_eq!(newest.verify(&[key.public().clone()]), Ok(key.public()));
    let record = again.load(newest).unwrap();
    let paths: Vec<String> = record.files().map(|file| file.path).collect();
    assert_eq!(paths, ["etc/name", "usr/bin/tool"]);
    assert_eq!(again.by_image(&Digest::of(b"app:1")).count(), 1);
    assert!(again.newest("none").is_none());
}

#[test]
fn a_store_that_was_cut_at_any_byte_of_its_last_entry_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = three(folder.path());
    let log = fs::read(folder.path().join("log")).unwrap();
    let head = fs::read(folder.path().join("head")).unwrap();
    let before = &store.all()[1];
    let last = {
        let body = store.all()[2].envelope.to_json().unwrap();
        log::frame(Some(&before.head), &body).len()
    };
    let start = log.len() - last;
    let acknowledged = Head { entries: 2, digest: before.head.clone() };
    for cut in start..log.len() {
        // The machine went down while the third entry was written: nothing names it yet.
        let torn = log::parse(&log[..cut], Some(&acknowledged));
        assert_eq!((torn.damages.len(), torn.seals.len()), (0, 2), "cut at {cut}");
        assert_eq!((torn.end, torn.torn), (start as u64, (cut - start) as u64));
        // Somebody cut it: the third entry was acknowledged.
        let missing = log::parse(&log[..cut], serde_json::from_slice(&head).ok().as_ref());
        assert_eq!(missing.damages.len(), 1, "cut at {cut}");
        assert_eq!(missing.damages[0].entry, 3);
    }
    // The next seal cuts it off, on disk too.
    fs::write(folder.path().join("log"), &log[..log.len() - 9]).unwrap();
    fs::write(folder.path().join("head"), serde_json::to_vec(&acknowledged).unwrap()).unwrap();
    let mut again = Store::open(folder.path()).unwrap();
    assert_eq!(again.all().len(), 2);
    seal(&mut again, "app", "app:3", &key).unwrap();
    let again = Store::open(folder.path()).unwrap();
    assert_eq!(titles(&again.check(&again.trusted().unwrap())), [""; 0]);
    assert_eq!(again.newest("app").unwrap().statement.predicate.counter, 2);
}

#[test]
fn an_entry_that_was_written_but_not_acknowledged_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = three(folder.path());
    let second = Head { entries: 2, digest: store.all()[1].head.clone() };
    fs::write(folder.path().join("head"), serde_json::to_vec(&second).unwrap()).unwrap();
    let mut again = Store::open(folder.path()).unwrap();
    assert_eq!(again.all().len(), 3);
    assert_eq!(seal(&mut again, "app", "app:3", &key).unwrap().statement.predicate.counter, 3);
}

#[test]
fn every_changed_byte_of_the_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    three(folder.path());
    let log = fs::read(folder.path().join("log")).unwrap();
    let head: Head =
        serde_json::from_slice(&fs::read(folder.path().join("head")).unwrap()).unwrap();
    for at in 0..log.len() {
        let mut changed = log.clone();
        changed[at] ^= 0x10;
        let read = log::parse(&changed, Some(&head));
        assert!(!read.damages.is_empty(), "byte {at}");
        assert_eq!(read.seals.len(), 2, "byte {at}: the others can still be read");
    }
}

#[test]
fn damage_is_named_and_nothing_is_added_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = three(folder.path());
    let path = folder.path().join("log");
    let log = fs::read(&path).unwrap();
    let mut changed = log.clone();
    let place = log::frame(None, &store.all()[0].envelope.to_json().unwrap()).len() + 100;
    changed[place] ^= 1;
    fs::write(&path, &changed).unwrap();
    let mut again = Store::open(folder.path()).unwrap();
    let found = again.check(&again.trusted().unwrap());
    assert!(titles(&found)[0].starts_with("Entry 2 of the seals"), "{found:?}");
    assert_eq!(found.len(), 1);
    assert!(matches!(seal(&mut again, "app", "x", &key), Err(StoreError::Damaged(_))));
    // An entry that was taken out, one put twice, and a log without its end.
    let ends: Vec<usize> = {
        let read = log::parse(&log, None);
        let mut at = 0;
        let mut ends = Vec::new();
        for seal in &read.seals {
            at += log::frame(None, &seal.envelope.to_json().unwrap()).len();
            ends.push(at);
        }
        ends
    };
    let pieces = [&log[..ends[0]], &log[ends[0]..ends[1]], &log[ends[1]..]];
    for (what, order) in [
        ("gone", vec![0, 2]),
        ("twice", vec![0, 1, 1, 2]),
        ("swapped", vec![0, 2, 1]),
        ("cut", vec![0, 1]),
    ] {
        let bytes: Vec<u8> = order.into_iter().flat_map(|piece| pieces[piece].to_vec()).collect();
        fs::write(&path, bytes).unwrap();
        assert!(!Store::open(folder.path()).unwrap().damages().is_empty(), "{what}");
    }
    fs::write(&path, &log).unwrap();
    fs::remove_file(folder.path().join("head")).unwrap();
    assert!(!Store::open(folder.path()).unwrap().damages().is_empty(), "no head");
}

#[test]
fn a_record_that_was_changed_or_taken_away_breaks_its_seal() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = three(folder.path());
    let keys = store.trusted().unwrap();
    let record = &store.newest("app").unwrap().statement.predicate.record.digest;
    let path = folder.path().join("records").join(record.hex());
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let found = store.check(&keys);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].title.contains("Seal 2 of `app`")
            && found[0].title.contains("is not what was sealed")
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(store.check(&keys).len(), 1);
}

#[test]
fn only_a_trusted_signature_over_the_whole_statement_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (store, signer) = three(folder.path());
    let good = store.newest("app").unwrap().clone();
    let stranger = key();
    assert_eq!(good.verify(&[]), Err(SignatureError::NoKey));
    assert!(matches!(good.verify(&[stranger.public().clone()]), Err(SignatureError::Untrusted(_))));
    let mut forged = good.clone();
    forged.envelope.payload = String::from_utf8(good.envelope.payload.clone())
        .unwrap()
        .replace("\"counter\":2", "\"counter\":9")
        .into_bytes();
    assert!(forged.verify(&[signer.public().clone()]).is_err());
    // Signed by a trusted key that says it is another one.
    let mut posing = good;
    let signature = stranger.sign(&pae(&posing.envelope.payload)).unwrap();
    posing.envelope.signatures = vec![signature];
    let error = posing.verify(&[stranger.public().clone()]).unwrap_err();
    assert!(matches!(error, SignatureError::Signer { .. }));
}

#[test]
fn a_counter_that_does_not_grow_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, key) = three(folder.path());
    // Whoever holds the key replays an old statement as a new entry.
    let old = store.all()[0].clone();
    store.append(old.envelope.clone(), old.statement).unwrap();
    let again = Store::open(folder.path()).unwrap();
    let found = again.check(&[key.public().clone()]);
    assert_eq!(titles(&found), ["Entry 4 of the seals: the counter of `app` does not grow"]);
    assert_eq!(again.newest("app").unwrap().statement.predicate.counter, 2);
}

#[test]
fn an_image_stands_under_the_seal_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = three(folder.path());
    let stand = |name: &str, layers: &[Layer]| {
        let (subject, _) = image(name);
        let standing =
            standing(&store, &Name::untagged("app"), subject.config_digest.as_ref(), Some(layers))
                .unwrap();
        let rules: Vec<String> = standing.findings.iter().map(|one| one.rule.clone()).collect();
        (standing.baseline.statement.predicate.counter, rules)
    };
    let layers = |name| image(name).1;
    assert_eq!(stand("app:2", &layers("app:2")), (2, Vec::new()));
    assert_eq!(stand("app:1", &layers("app:1")), (1, vec!["rolled-back-image".to_owned()]));
    let mismatch = || "seal-mismatch".to_owned();
    assert_eq!(stand("evil", &layers("app:2")), (2, vec![mismatch()]));
    let mut more = layers("app:2");
    more.extend(layers("evil"));
    assert_eq!(stand("evil", &more), (2, vec![mismatch(), mismatch()]));
    assert_eq!(stand("app:2", &[]), (2, vec![mismatch()]));
    assert!(standing(&store, &Name::untagged("none"), None, None).is_none());
}

#[test]
fn tags_are_used_side_by_side_and_none_can_be_moved_back() {
    let folder = tempfile::tempdir().unwrap();
    let key = key();
    let mut store = Store::open(folder.path()).unwrap();
    let tagged = |tag: &str| Name { repository: "app".to_owned(), tag: Some(tag.to_owned()) };
    for (tag, name) in
        [("1", "one"), ("2", "two"), ("prod", "one"), ("prod", "two"), ("3", "three")]
    {
        seal_as(&mut store, &tagged(tag), name, &key).unwrap();
    }
    let stand = |tag: &str, name: &str| {
        let config = image(name).0.config_digest;
        let standing = standing(&store, &tagged(tag), config.as_ref(), None)?;
        let rules: Vec<String> = standing.findings.iter().map(|one| one.rule.clone()).collect();
        Some((standing.newest.statement.predicate.counter, rules.join(" ")))
    };
    let is = |counter, rules: &str| Some((counter, rules.to_owned()));
    assert_eq!(stand("1", "one"), is(1, ""));
    assert_eq!(stand("2", "two"), is(2, ""));
    assert_eq!(stand("prod", "two"), is(4, ""));
    assert_eq!(stand("prod", "one"), is(4, "rolled-back-image"));
    assert_eq!(stand("prod", "three"), is(4, "seal-mismatch"), "sealed later, as another tag");
    assert_eq!(stand("1", "evil"), is(1, "seal-mismatch"));
    assert_eq!(stand("new", "one"), is(5, "rolled-back-image"));
    assert_eq!(stand("new", "three"), is(5, ""));
    assert_eq!(stand("new", "evil"), None, "never sealed");
}

#[test]
fn writers_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let key = key();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (folder, key) = (folder.path(), &key);
            scope.spawn(move || {
                let mut store = Store::open(folder).unwrap();
                for number in 0..5 {
                    seal(&mut store, "app", &format!("app:{writer}.{number}"), key).unwrap();
                }
            });
        }
    });
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(titles(&store.check(&store.trusted().unwrap())), [""; 0]);
    let counters: Vec<u64> =
        store.all().iter().map(|seal| seal.statement.predicate.counter).collect();
    assert_eq!(counters, (1..=20).collect::<Vec<u64>>());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_store_is_not_waited_for() {
    for name in ["log", "head", "keys/other.pub", "record"] {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = three(folder.path());
        let record = store.all()[0].statement.predicate.record.digest.hex().to_owned();
        let name = if name == "record" { format!("records/{record}") } else { name.to_owned() };
        let path = folder.path().join(name);
        let _ = fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let text = match Store::open(folder.path()) {
            Err(error) => error.to_string(),
            Ok(store) => match store.trusted() {
                Err(error) => error.to_string(),
                Ok(keys) => titles(&store.check(&keys)).join(" "),
            },
        };
        let shown = path.display().to_string();
        assert!(text.contains(&shown) && text.contains("no regular file"), "{text}");
    }
}
