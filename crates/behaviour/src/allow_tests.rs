use super::*;
use proptest::prelude::*;

fn record(path: &str, kind: FileKind, mode: u32, content: &str) -> FileRecord {
    FileRecord {
        path: path.to_owned(),
        kind,
        mode,
        uid: 0,
        gid: 0,
        size: content.len() as u64,
        link: None,
        attributes: BTreeMap::new(),
        layer: Some(0),
        digest: (kind == FileKind::File).then(|| Digest::of(content.as_bytes())),
    }
}

fn link(path: &str, target: &str, mode: u32) -> FileRecord {
    FileRecord { link: Some(target.to_owned()), ..record(path, FileKind::HardLink, mode, "") }
}

#[test]
fn programs_and_libraries_are_kept_and_data_is_not() {
    let list = AllowList::new([
        record("usr/bin/env", FileKind::File, 0o755, "env"),
        record("usr/lib/libz.so.1.2.13", FileKind::File, 0o644, "libz"),
        record("etc/passwd", FileKind::File, 0o644, "root"),
        record("usr/bin", FileKind::Directory, 0o755, ""),
        record("bin", FileKind::Symlink, 0o777, ""),
    ]);
    assert_eq!(list.len(), 2);
    assert_eq!(list.digest("usr/bin/env"), Some(Digest::of(b"env")));
    assert!(list.holds("usr/lib/libz.so.1.2.13"));
    assert!(!list.holds("etc/passwd") && !list.holds("usr/bin") && !list.holds(""));
    assert_eq!(list.programs().collect::<Vec<_>>(), ["usr/bin/env"]);
}

#[test]
fn hard_links_have_the_content_of_their_target() {
    let list = AllowList::new([
        link("bin/gunzip", "bin/second", 0o755),
        link("bin/second", "./bin/gzip", 0o755),
        record("bin/gzip", FileKind::File, 0o755, "gzip"),
        link("bin/plain", "/usr/share/data", 0o755),
        record("usr/share/data", FileKind::File, 0o644, "data"),
        link("loop/a", "loop/b", 0o755),
        link("loop/b", "loop/a", 0o755),
        link("bin/nothing", "bin/gone", 0o755),
    ]);
    for path in ["bin/gunzip", "bin/second", "bin/gzip"] {
        assert_eq!(list.digest(path), Some(Digest::of(b"gzip")), "{path}");
    }
    assert_eq!(list.digest("bin/plain"), Some(Digest::of(b"data")));
    assert!(!list.holds("loop/a") && !list.holds("bin/nothing"));
}

#[test]
fn a_program_without_digest_is_held_but_says_so() {
    let mut file = record("bin/tool", FileKind::File, 0o755, "tool");
    file.digest = None;
    let list = AllowList::new([file]);
    assert!(list.holds("bin/tool"));
    assert_eq!(list.digest("bin/tool"), None);
}

#[test]
fn a_shell_is_known_by_its_content() {
    let list = AllowList::new([
        record("usr/bin/dash", FileKind::File, 0o755, "dash"),
        record("usr/bin/env", FileKind::File, 0o755, "env"),
    ]);
    assert!(list.is_shell(&Digest::of(b"dash")));
    assert!(!list.is_shell(&Digest::of(b"env")) && !list.is_shell(&Digest::of(b"other")));
    assert_eq!(list.path_of(&Digest::of(b"env")), Some("usr/bin/env"));
}

#[test]
fn the_list_of_a_large_image_is_small() {
    let list = AllowList::new((0..20_000).map(|number| {
        record(&format!("usr/lib/some/folder/program-{number}"), FileKind::File, 0o755, "x")
    }));
    let bytes = list.paths.capacity() + list.entries.capacity() * size_of::<Entry>();
    assert!(bytes < 20_000 * 120, "{bytes}");
}

#[test]
fn a_program_is_known_by_its_length_as_well() {
    let list = AllowList::new([
        record("bin/first", FileKind::File, 0o755, "eight by"),
        link("bin/second", "bin/first", 0o755),
        record("share/data", FileKind::File, 0o644, "data"),
        link("bin/third", "share/data", 0o755),
    ]);
    assert_eq!(list.bytes("bin/first"), Some(8));
    assert_eq!(list.bytes("bin/second"), Some(8));
    assert_eq!(list.bytes("bin/third"), None, "its digest has to do");
    assert_eq!(list.bytes("bin/none"), None);
}

proptest! {
    #[test]
    fn what_was_put_in_is_found_and_nothing_else(
        files in proptest::collection::btree_map("[a-z/]{1,12}", ("[a-z]{0,4}", any::<bool>()), 0..40),
        asked in "[a-z/]{1,12}",
    ) {
        let list = AllowList::new(files.iter().map(|(path, (content, executable))| {
            record(path, FileKind::File, if *executable { 0o755 } else { 0o644 }, content)
        }));
        for (path, (content, executable)) in &files {
            prop_assert_eq!(list.holds(path), *executable, "{}", path);
            if *executable {
                prop_assert_eq!(list.digest(path), Some(Digest::of(content.as_bytes())));
            }
        }
        let there = files.get(&asked).is_some_and(|(_, executable)| *executable);
        prop_assert_eq!(list.holds(&asked), there);
    }
}
