//! Artefacts that go out and come back, and those that lie.

use super::*;
use crate::update::{Changed, Quiet, Source};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use vocabulary::Ecosystem;

const NOW: &str = "2026-09-21T14:13:20Z";

fn record(id: &str, ecosystem: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"demo"}},
           "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    )
}

/// Databases of made-up records, brought up to date at a time.
fn build(folder: &Path, fixed: &str, now: &str) {
    let feed = folder.join("feed");
    for ecosystem in ["PyPI", "npm"] {
        let name = feed.join(ecosystem);
        std::fs::create_dir_all(&name).unwrap();
        let fixed = if ecosystem == "npm" { "1.0.0" } else { fixed };
        std::fs::write(name.join("X-1.json"), record("X-1", ecosystem, fixed)).unwrap();
    }
    let client = fetch::Client::new(fetch::Options::default()).unwrap();
    let db = folder.join("db");
    crate::update(&db, &Source::Directory(feed), &[], &client, now.parse().unwrap(), &Quiet)
        .unwrap();
}

struct Kept(BTreeMap<String, Vec<u8>>);

impl Kept {
    fn of(packed: &Packed) -> Self {
        let blobs = packed.layers.iter().map(|layer| &layer.bytes);
        Self(blobs.map(|bytes| (Digest::of(bytes).to_string(), bytes.clone())).collect())
    }
}

impl Blobs for Kept {
    fn blob(&self, digest: &Digest, _: u64) -> io::Result<Box<dyn Read>> {
        let bytes = self.0.get(&digest.to_string()).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes)))
    }
}

fn contents(packed: &Packed) -> Contents {
    let artefact = Artefact::parse(&packed.manifest, "oci://here/db").unwrap();
    assert_eq!(artefact.digest, packed.digest);
    statement::holds(&statement::of(packed), &artefact).unwrap();
    artefact.with_config(&packed.config).unwrap()
}

fn take(db: &Path, packed: &Packed, blobs: &dyn Blobs) -> Result<Pulled, ArtefactError> {
    let options = PullOptions { allow_older: false, now: NOW.parse().unwrap() };
    pull(db, &contents(packed), &[], blobs, options, &Quiet)
}

#[test]
fn databases_come_back_as_they_went_out_and_only_once() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    build(from.path(), "1.0", NOW);
    let packed = pack(&from.path().join("db"), &[]).unwrap();
    assert_eq!(pack(&from.path().join("db"), &[]).unwrap(), packed, "the same gives the same");
    let text = String::from_utf8(packed.config.clone()).unwrap();
    assert!(!text.contains(&from.path().display().to_string()), "no path leaves: {text}");
    let pulled = take(to.path(), &packed, &Kept::of(&packed)).unwrap();
    assert_eq!(pulled.updates.len(), 2);
    for file in ["pypi.lzdb", "npm.lzdb"] {
        let read = |folder: &Path| std::fs::read(folder.join("v1").join(file)).unwrap();
        assert!(read(to.path()) == read(&from.path().join("db")), "{file}");
    }
    // One has changed since: the other is not even asked for.
    build(from.path(), "2.0", "2026-09-21T15:00:00Z");
    let next = pack(&from.path().join("db"), &[]).unwrap();
    let mut blobs = Kept::of(&next);
    blobs.0.remove(&Digest::of(&packed.layers[1].bytes).to_string());
    let pulled = take(to.path(), &next, &blobs).unwrap();
    let changed: Vec<_> = pulled.updates.iter().map(|update| update.changed.clone()).collect();
    assert!(matches!(changed[0], Changed::Built { .. }) && changed[1] == Changed::Unchanged);
    assert!(
        pulled
            .updates
            .iter()
            .all(|update| { update.manifest.as_ref().unwrap().fetched == "2026-09-21T15:00:00Z" })
    );
    // And back in time only where that is said.
    let error = take(to.path(), &packed, &Kept::of(&packed)).unwrap_err();
    assert!(matches!(error, ArtefactError::Older { .. }), "{error}");
    let options = PullOptions { allow_older: true, now: NOW.parse().unwrap() };
    pull(to.path(), &contents(&packed), &[], &Kept::of(&packed), options, &Quiet).unwrap();
}

#[test]
fn what_is_not_in_it_any_more_is_kept_and_named() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    build(from.path(), "1.0", NOW);
    let db = from.path().join("db");
    let all = pack(&db, &[]).unwrap();
    take(to.path(), &all, &Kept::of(&all)).unwrap();
    let one = pack(&db, &[Ecosystem::new("npm")]).unwrap();
    let pulled = take(to.path(), &one, &Kept::of(&one)).unwrap();
    assert_eq!(pulled.kept, [(Ecosystem::new("PyPI"), NOW.to_owned())]);
    assert!(to.path().join("v1/pypi.lzdb").exists());
    let missing = pack(&db, &[Ecosystem::new("Go")]).unwrap_err().to_string();
    assert!(missing.contains("lazaret db update Go"), "{missing}");
    let options = PullOptions { allow_older: false, now: NOW.parse().unwrap() };
    let named = [Ecosystem::new("PyPI")];
    let pulled = pull(to.path(), &contents(&one), &named, &Kept::of(&one), options, &Quiet);
    assert_eq!(pulled.unwrap().updates[0].changed, Changed::NotThere);
}

#[test]
fn a_layer_that_lies_leaves_the_old_one() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    build(from.path(), "1.0", NOW);
    let old = pack(&from.path().join("db"), &[]).unwrap();
    take(to.path(), &old, &Kept::of(&old)).unwrap();
    let before = std::fs::read(to.path().join("v1/pypi.lzdb")).unwrap();
    build(from.path(), "2.0", "2026-09-21T15:00:00Z");
    let packed = pack(&from.path().join("db"), &[]).unwrap();
    let digest = Digest::of(&packed.layers[0].bytes).to_string();
    let good = packed.layers[0].bytes.clone();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cut = good[..good.len() / 2].to_vec();
    let endless = [good, vec![0; 1 << 20]].concat();
    for false_bytes in [flipped, cut, endless, Vec::new()] {
        let mut blobs = Kept::of(&packed);
        blobs.0.insert(digest.clone(), false_bytes);
        let error = take(to.path(), &packed, &blobs).unwrap_err();
        assert!(matches!(error, ArtefactError::Blob { .. }), "{error}");
        assert!(std::fs::read(to.path().join("v1/pypi.lzdb")).unwrap() == before);
        let names = std::fs::read_dir(to.path().join("v1")).unwrap().flatten();
        let left = names.filter(|name| name.path().extension().is_some_and(|it| it == "pull"));
        assert_eq!(left.count(), 0, "nothing is left behind");
    }
    assert_eq!(take(to.path(), &packed, &Kept::of(&packed)).unwrap().updates.len(), 2);
}

#[test]
fn a_manifest_or_configuration_that_lies_is_refused() {
    let from = tempfile::tempdir().unwrap();
    build(from.path(), "1.0", NOW);
    let packed = pack(&from.path().join("db"), &[]).unwrap();
    let text = String::from_utf8(packed.manifest.clone()).unwrap();
    for (old, new, words) in [
        (ARTIFACT_TYPE, "application/vnd.other", "of another kind"),
        (CREATED, "org.example.other", "when it was made"),
        ("\"PyPI\"", "\"../PyPI\"", "no database"),
        ("\"PyPI\"", "\"npm\"", "two databases"),
        ("\"size\":", "\"size\":9999999999", "cannot be read"),
    ] {
        let error =
            Artefact::parse(text.replace(old, new).as_bytes(), "x").unwrap_err().to_string();
        assert!(error.contains(words) || error.contains("than can be"), "{error}");
    }
    let config = String::from_utf8(packed.config.clone()).unwrap();
    let format = format!("\"format\":{}", crate::format::FORMAT);
    let with = |config: &str| {
        let manifest = text
            .replace(
                &Digest::of(&packed.config).to_string(),
                &Digest::of(config.as_bytes()).to_string(),
            )
            .replace(
                &format!("\"size\":{}", packed.config.len()),
                &format!("\"size\":{}", config.len()),
            );
        let artefact = Artefact::parse(manifest.as_bytes(), "oci://here/db").unwrap();
        artefact.with_config(config.as_bytes())
    };
    with(&config).unwrap();
    let other =
        config.replace(&format, "\"format\":99").replace("\"program\":\"", "\"program\":\"9.");
    let error = with(&other).unwrap_err().to_string();
    assert!(error.contains("made by lazaret 9.") && error.contains("in format 99"), "{error}");
    for (old, new, words) in [
        ("\"ecosystem\":\"npm\"", "\"ecosystem\":\"Go\"", "that it has not"),
        ("\"ecosystem\":\"npm\"", "\"ecosystem\":\"PyPI\"", "that it has not"),
        ("2026-09-21T14:13:20Z", "2027-01-01T00:00:00Z", "newer than itself"),
        ("\"bytes\":", "\"bytes\":99999999", "larger than can be"),
    ] {
        let error = with(&config.replace(old, new)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn an_artefact_of_tomorrow_is_not_taken() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    build(from.path(), "1.0", "2026-09-23T14:13:20Z");
    let packed = pack(&from.path().join("db"), &[]).unwrap();
    let error = take(to.path(), &packed, &Kept::of(&packed)).unwrap_err();
    assert!(matches!(error, ArtefactError::Future { .. }), "{error}");
}

#[test]
fn a_statement_of_another_artefact_does_not_hold() {
    let from = tempfile::tempdir().unwrap();
    build(from.path(), "1.0", NOW);
    let (all, one) = {
        let db = from.path().join("db");
        (pack(&db, &[]).unwrap(), pack(&db, &[Ecosystem::new("npm")]).unwrap())
    };
    let artefact = Artefact::parse(&all.manifest, "x").unwrap();
    assert!(statement::holds(&statement::of(&one), &artefact).is_err());
    let text = String::from_utf8(statement::of(&all)).unwrap();
    for (old, new) in [
        ("urn:lazaret:database:v1", "urn:lazaret:image-seal:v1"),
        (NOW, "2027-01-01T00:00:00Z"),
        ("\"npm\"", "\"Go\""),
    ] {
        let changed = text.replace(old, new);
        assert!(
            changed != text && statement::holds(changed.as_bytes(), &artefact).is_err(),
            "{new}"
        );
    }
    assert!(statement::holds(b"{}", &artefact).is_err());
    let manifest = signature(&all, b"envelope");
    assert_eq!(envelope_of(&manifest, &all.digest).unwrap().digest, Digest::of(b"envelope"));
    assert!(envelope_of(&manifest, &one.digest).is_none());
    assert!(envelope_of(&all.manifest, &all.digest).is_none());
}
