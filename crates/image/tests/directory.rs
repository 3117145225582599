//! A directory is walked like a layer, without leaving it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod common;

use common::{HASHER, Spy};
use image::{Dispatch, Progress, Reader, RecordLevel, Walker};
use std::os::unix::fs::{PermissionsExt as _, symlink};

#[test]
fn files_of_interest_are_found_at_any_depth_and_links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("wanted"), "outside").unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("a/b c/d")).unwrap();
    std::fs::write(root.join("wanted"), "top").unwrap();
    std::fs::write(root.join("a/b c/d/wanted"), "deep").unwrap();
    std::fs::write(root.join("a/big.stream"), vec![b'x'; 600_000]).unwrap();
    std::fs::write(root.join("a/data"), "SPY! but not executable").unwrap();
    std::fs::write(root.join("a/tool"), "SPY!").unwrap();
    std::fs::set_permissions(root.join("a/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink(outside.path(), root.join("a/out")).unwrap();
    symlink("..", root.join("a/up")).unwrap();

    let spy: [&dyn Reader; 1] = [&Spy];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Entries, &progress);
    let (facts, record) = image::directory::walk(&walker, root).unwrap();
    let seen: Vec<(&str, usize)> = facts
        .of("spy")
        .unwrap()
        .facts
        .iter()
        .map(|fact| (fact.path.as_str(), fact.fact.len()))
        .collect();
    assert_eq!(
        seen,
        [("wanted", 3), ("a/big.stream", 600_000), ("a/tool", 4), ("a/b c/d/wanted", 4)]
    );
    assert_eq!(facts.entries, 10);
    assert_eq!(record.entries(), 10);
    assert!(facts.symlinks.iter().any(|(path, target)| path == "a/up" && target == ".."));
    assert!(image::directory::walk(&walker, &root.join("none")).is_err());
}

#[test]
fn a_record_has_attributes_links_and_names_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("a"), "content").unwrap();
    std::fs::hard_link(root.join("a"), root.join("b")).unwrap();
    std::fs::write(root.join(".wh.a"), "a name, not a mark").unwrap();
    if xattr::set(root.join("a"), "user.test", b"\0value").is_err() {
        return testkit::skip("the folder for temporary files has no extended attributes");
    }
    let dispatch = Dispatch::new(&[]);
    let progress = Progress::default();
    for overlay in [false, true] {
        let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Digests, &progress);
        let walked = match overlay {
            true => image::overlay::walk(&walker, root),
            false => image::directory::walk(&walker, root),
        };
        let (facts, record) = walked.unwrap();
        assert!(facts.whiteouts.is_empty());
        let entries: Vec<_> = record.iter().collect();
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, [".wh.a", "a", "b"]);
        assert_eq!(entries[1].attributes, [("user.test".to_owned(), b"\0value".to_vec())]);
        assert_eq!(entries[2].kind, vocabulary::FileKind::HardLink);
        assert_eq!(entries[2].link.as_deref(), Some("a"));
    }
}

#[test]
fn marks_of_an_overlay_hide_what_lies_below() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("opaque")).unwrap();
    std::fs::create_dir_all(root.join("user")).unwrap();
    std::fs::write(root.join("user/file"), "content").unwrap();
    std::fs::write(root.join("empty"), "").unwrap();
    std::fs::write(root.join("sparse"), "x").unwrap();
    let made = std::process::Command::new("mknod")
        .arg(root.join("gone"))
        .args(["c", "0", "0"])
        .output()
        .is_ok_and(|output| output.status.success());
    let marked = xattr::set(root.join("opaque"), "trusted.overlay.opaque", b"y").is_ok()
        && xattr::set(root.join("empty"), "trusted.overlay.whiteout", b"y").is_ok()
        && xattr::set(root.join("sparse"), "trusted.overlay.metacopy", b"").is_ok()
        && xattr::set(root.join("user"), "user.overlay.opaque", b"y").is_ok()
        && xattr::set(root.join("user/file"), "user.overlay.metacopy", b"").is_ok();
    if !made || !marked {
        return testkit::skip("devices and trusted attributes need root");
    }
    let dispatch = Dispatch::new(&[]);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Digests, &progress);
    let (facts, record) = image::overlay::walk(&walker, root).unwrap();
    let mut removed = facts.whiteouts.to_vec();
    removed.sort();
    assert_eq!(removed, ["empty", "gone"]);
    assert_eq!(facts.opaques[..], ["opaque"]);
    assert_eq!(facts.unread().count(), 1);
    let [problem] = &facts.problems[..] else { panic!("{:?}", facts.problems) };
    assert_eq!(problem.path, "sparse");
    let entries: Vec<_> = record.iter().collect();
    let digest = |path| entries.iter().find(|entry| entry.path == path).unwrap().digest;
    assert_eq!(digest("sparse"), None, "its content is elsewhere");
    assert!(digest("user/file").is_some(), "what a program may write is no mark");
    let opaque = entries.iter().find(|entry| entry.path == "opaque").unwrap();
    assert!(opaque.attributes.is_empty());
}

/// Walks a folder with every digest; facts and what the record has of each path.
fn digests(root: &std::path::Path) -> (image::LayerFacts, Vec<(String, bool)>) {
    let spy: [&dyn Reader; 1] = [&Spy];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Digests, &progress);
    let (facts, record) = image::directory::walk(&walker, root).unwrap();
    let files = record.iter().filter(|entry| entry.kind == vocabulary::FileKind::File);
    let seen = files.map(|entry| (entry.path.clone(), entry.digest.is_some())).collect();
    (facts, seen)
}

#[test]
fn holes_are_hashed_as_zeros_up_to_a_bound_and_what_was_not_is_said() {
    use std::os::unix::fs::FileExt as _;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let sparse = |name: &str, length: u64| {
        let file = std::fs::File::create(root.join(name)).unwrap();
        file.set_len(length).unwrap();
        file.write_all_at(b"data in the middle", length / 2).unwrap();
        file
    };
    sparse("a-small", 3 << 20);
    sparse("b-endless", 10 << 40);
    sparse("wanted", 4 << 40);
    std::fs::write(root.join("c-plain"), "plain").unwrap();
    let began = std::time::Instant::now();
    let (facts, seen) = digests(root);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    assert_eq!(
        seen,
        [
            ("a-small".to_owned(), true),
            ("b-endless".to_owned(), false),
            ("c-plain".to_owned(), true),
            ("wanted".to_owned(), false),
        ]
    );
    let said: Vec<&str> = facts.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(said, ["b-endless", "wanted"]);
    assert_eq!(facts.of("spy").unwrap().problems.len(), 1, "the check that wanted it knows too");

    // The digest is that of the whole content.
    let mut content = vec![0; 3 << 20];
    content[3 << 19..][..18].copy_from_slice(b"data in the middle");
    let spy: [&dyn Reader; 0] = [];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Digests, &progress);
    let (_, record) = image::directory::walk(&walker, root).unwrap();
    let found = record.iter().find(|entry| entry.path == "a-small").unwrap();
    assert_eq!(
        found.digest.map(vocabulary::Digest::sha256),
        Some(vocabulary::Digest::of(&content))
    );
}

#[test]
fn files_of_no_size_that_never_end_are_not_read_for_ever() {
    let spy: [&dyn Reader; 1] = [&Spy];
    let dispatch = Dispatch::new(&spy);
    let progress = Progress::default();
    let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Digests, &progress);
    // Files of the kernel say that they are empty, and are not.
    let root = std::path::Path::new("/proc/self/net");
    if !root.is_dir() {
        return testkit::skip("there is no /proc/self/net");
    }
    let (facts, _) = image::directory::walk(&walker, root).unwrap();
    assert!(facts.entries > 10);
}

/// How often a folder is walked while it is swapped.
const WALKS: usize = 400;

#[test]
fn a_folder_or_file_that_is_exchanged_for_a_link_leads_nowhere() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(outside.path().join("deep")).unwrap();
    std::fs::create_dir_all(root.join("real/deep")).unwrap();
    // Of other lengths, so that what a fact was made of is told by its size.
    for (at, content) in [(outside.path(), "canary outside"), (&root.join("real"), "inside")] {
        for name in ["wanted", "deep/wanted"] {
            std::fs::write(at.join(name), content).unwrap();
        }
    }
    std::fs::write(root.join("wanted"), "inside").unwrap();
    symlink(outside.path(), folder.path().join("link")).unwrap();
    symlink(outside.path().join("wanted"), folder.path().join("file")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for (inner, outer) in [("real", "link"), ("wanted", "file")] {
                    let (inner, outer) = (root.join(inner), folder.path().join(outer));
                    let _ = renameat_with(CWD, &inner, CWD, &outer, RenameFlags::EXCHANGE);
                }
            }
        });
        let spy: [&dyn Reader; 1] = [&Spy];
        let dispatch = Dispatch::new(&spy);
        let mut read = 0;
        for _ in 0..WALKS {
            let progress = Progress::default();
            let walker = Walker::new(&dispatch, &HASHER, RecordLevel::Digests, &progress);
            for overlay in [false, true] {
                let walked = match overlay {
                    true => image::overlay::walk(&walker, &root),
                    false => image::directory::walk(&walker, &root),
                };
                let (facts, record) = walked.unwrap();
                let canary = Some(vocabulary::Digest::of(b"canary outside"));
                let lengths: Vec<usize> = facts
                    .of("spy")
                    .iter()
                    .flat_map(|spy| spy.facts.iter())
                    .map(|fact| fact.fact.len())
                    .collect();
                let escaped = record
                    .iter()
                    .any(|entry| entry.digest.map(vocabulary::Digest::sha256) == canary)
                    || lengths.iter().any(|length| *length != "inside".len());
                if escaped {
                    stop.store(true, Ordering::Relaxed);
                    panic!("read outside: {lengths:?}");
                }
                read += lengths.len();
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(read > 0, "the folder was never read at all");
    });
}
