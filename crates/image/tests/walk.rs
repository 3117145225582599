//! One layer: what comes out of it, whatever goes in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test may fail"
)]

mod common;

use common::{facts, problems, walk_at_level, walk_bytes};
use image::RecordLevel;
use proptest::prelude::*;
use testkit::tar::LongNames;
use testkit::{Compression, Entry, Layer, Tar};
use vocabulary::Digest;

#[test]
fn facts_and_digests_are_the_same_however_a_layer_is_packed() {
    let layer =
        Layer::new().file("a/wanted", "one").file("a/other", "two").file("x.stream", "three");
    let plain = layer.plain();
    for packing in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let packed = packing.pack(&plain);
        let walked = walk_bytes(&packed);
        assert_eq!(walked.failure, None);
        assert_eq!(facts(&walked), ["a/wanted=one", "x.stream=three"]);
        assert_eq!(walked.facts.diff_id, Some(Digest::of(&plain)));
        assert_eq!(walked.packed_digest, Some(Digest::of(&packed)));
        assert_eq!(walked.facts.plain_bytes, plain.len() as u64);
        assert_eq!(walked.facts.entries, 3);
    }
}

#[test]
fn gzip_of_several_members_is_read_to_its_end() {
    let plain = Layer::new().file("wanted", "x".repeat(2000)).plain();
    let (front, back) = plain.split_at(777);
    let packed = [Compression::Gzip.pack(front), Compression::Gzip.pack(back)].concat();
    let walked = walk_bytes(&packed);
    assert_eq!(walked.facts.diff_id, Some(Digest::of(&plain)));
    assert_eq!(facts(&walked).len(), 1);
}

#[test]
fn a_file_larger_than_a_piece_arrives_whole() {
    let content: Vec<u8> = (0..700_000_u32).map(|number| b'a' + (number % 23) as u8).collect();
    let layer =
        Layer::new().file("big/wanted", &content).file("big.stream", &content).file("wanted", "z");
    let walked = walk_bytes(&layer.plain());
    let text = String::from_utf8(content).unwrap();
    assert_eq!(
        facts(&walked),
        [format!("big/wanted={text}"), format!("big.stream={text}"), "wanted=z".into()]
    );
}

#[test]
fn a_file_over_a_checks_own_cap_is_a_problem_of_that_check() {
    let big = "y".repeat(300_000);
    let walked = walk_bytes(
        &Layer::new().file("a/small", "abc").file("b/small", "abcdef").file("c/small", big).plain(),
    );
    assert_eq!(facts(&walked), ["a/small=abc"]);
    assert_eq!(problems(&walked).len(), 2);
    assert!(problems(&walked)[0].starts_with("spy b/small: larger than"));
}

#[test]
fn a_file_that_a_check_cannot_read_does_not_stop_the_rest() {
    let walked = walk_bytes(&Layer::new().file("broken", "").file("wanted", "w").plain());
    assert_eq!(problems(&walked), ["spy broken: broken on purpose"]);
    assert_eq!(facts(&walked), ["wanted=w"]);
}

#[test]
fn magic_and_folders_bring_files_to_a_check() {
    let walked = walk_bytes(
        &Layer::new().file("bin/x", "SPY!1").file("below/deep/y", "2").file("below", "3").plain(),
    );
    assert_eq!(facts(&walked), ["bin/x=SPY!1", "below/deep/y=2"]);
}

#[test]
fn paths_cannot_leave_the_root() {
    let walked = walk_bytes(
        &Layer::new()
            .file("../../etc/wanted", "1")
            .file("/abs/wanted", "2")
            .file("./dot/./x/../wanted", "3")
            .file("a//b///wanted", "4")
            .plain(),
    );
    assert_eq!(facts(&walked), ["etc/wanted=1", "abs/wanted=2", "dot/wanted=3", "a/b/wanted=4"]);
    let escapes = problems(&walked);
    assert_eq!(escapes.len(), 1);
    assert!(escapes[0].contains("etc/wanted: path leads out of the root"), "{escapes:?}");
}

#[test]
fn long_names_are_read_in_every_form() {
    let folder = "d".repeat(90);
    let path = format!("{folder}/{}/wanted", "e".repeat(60));
    for long_names in [LongNames::Gnu, LongNames::Pax, LongNames::Ustar] {
        let tar = Tar::new().entry(&Entry::file(&path, "w").long_names(long_names)).finish();
        assert_eq!(facts(&walk_bytes(&tar)), [format!("{path}=w")], "{long_names:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_escaped_not_lost() {
    let walked = walk_bytes(&Tar::new().file(b"caf\xe9/wanted", "w").finish());
    assert_eq!(facts(&walked), ["caf\\xe9/wanted=w"]);
}

#[test]
fn the_last_of_two_entries_of_one_path_stays() {
    let twice = Tar::new().file("wanted", "old").file("wanted", "new").finish();
    assert_eq!(facts(&walk_bytes(&twice)), ["wanted=new"]);
    let replaced =
        Tar::new().file("a/wanted", "old").entry(&Entry::symlink("a/wanted", "x")).finish();
    assert_eq!(facts(&walk_bytes(&replaced)), Vec::<String>::new());
}

#[test]
fn a_hard_link_has_the_facts_of_its_target() {
    let read =
        Tar::new().file("a/wanted", "w").entry(&Entry::hard_link("b/wanted", "a/wanted")).finish();
    assert_eq!(facts(&walk_bytes(&read)), ["a/wanted=w", "b/wanted=w"]);
    // The content came under a name that concerns nobody, long before the link.
    let store = Tar::new()
        .file("store/00", "w".repeat(600_000))
        .file("other", "o")
        .entry(&Entry::hard_link("b/wanted", "store/00"))
        .finish();
    for packed in [store.clone(), Compression::Gzip.pack(&store)] {
        assert_eq!(facts(&walk_bytes(&packed)), [format!("b/wanted={}", "w".repeat(600_000))]);
    }
}

#[test]
fn whiteouts_are_kept_apart_from_files() {
    let walked = walk_bytes(
        &Layer::new()
            .whiteout("etc/gone")
            .whiteout("top")
            .opaque("var")
            .opaque("")
            .file("a/.wh.", "")
            .plain(),
    );
    assert_eq!(walked.facts.whiteouts[..], ["etc/gone", "top"]);
    assert_eq!(walked.facts.opaques[..], ["var", ""]);
    assert_eq!(walked.facts.files.len(), 0);
}

#[test]
fn sparse_files_are_read_as_they_are_unpacked() {
    let pieces: [(u64, &[u8]); 6] = [
        (3, b"one"),
        (600, b"two"),
        (70_000, b"3"),
        (70_001, b"4"),
        (80_000, b"5"),
        (99_990, b"6"),
    ];
    let mut whole = vec![0; 100_000];
    for (offset, data) in pieces {
        let at = offset as usize;
        whole[at..at + data.len()].copy_from_slice(data);
    }
    let short: [(u64, &[u8]); 1] = [(2, b"x")];
    let tar = Tar::new()
        .sparse_gnu("gnu/wanted", &pieces, 100_000)
        .sparse_pax("one/wanted", &pieces, 100_000)
        .sparse_pax_old("zero.zero/wanted", &pieces, 100_000, 0)
        .sparse_pax_old("zero.one/wanted", &pieces, 100_000, 1)
        .sparse_gnu("holes/wanted", &[], 700)
        .sparse_gnu("short/wanted", &short, 5)
        .sparse_pax("x.stream", &pieces, 100_000)
        .file("wanted", "w")
        .finish();
    let walked = walk_at_level(&tar, RecordLevel::Digests);
    assert_eq!((problems(&walked), &walked.failure), (vec![], &None));
    let text = String::from_utf8(whole.clone()).unwrap();
    let expected = [
        format!("gnu/wanted={text}"),
        format!("one/wanted={text}"),
        format!("zero.zero/wanted={text}"),
        format!("zero.one/wanted={text}"),
        format!("holes/wanted={}", "\0".repeat(700)),
        "short/wanted=\0\0x\0\0".to_owned(),
        format!("x.stream={text}"),
        "wanted=w".to_owned(),
    ];
    assert_eq!(facts(&walked), expected);
    let digests: Vec<_> = walked.record.iter().map(|entry| entry.digest.unwrap()).collect();
    assert!(digests[..4].iter().all(|digest| Digest::sha256(*digest) == Digest::of(&whole)));
}

#[test]
fn sparse_files_beyond_the_bound_are_said_and_cost_nothing() {
    let huge = 200 << 30;
    let tar = Tar::new()
        .sparse_gnu("var/log/lastlog", &[(0, b"abc")], huge)
        .sparse_gnu("big/wanted", &[(0, b"abc")], huge)
        .file("wanted", "w")
        .finish();
    let walked = walk_at_level(&tar, RecordLevel::Entries);
    assert_eq!(facts(&walked), ["wanted=w"]);
    let said = problems(&walked);
    assert!(said.iter().any(|text| text.starts_with("spy big/wanted: sparse file")), "{said:?}");
    assert!(said.iter().any(|text| text.starts_with("walk var/log/lastlog: sparse")), "{said:?}");
    assert_eq!(walked.record.iter().next().unwrap().size, huge);
}

#[test]
fn a_sparse_map_that_engines_refuse_is_damage() {
    let overlapping: [(u64, &[u8]); 2] = [(10, b"aaaa"), (12, b"bbbb")];
    let behind: [(u64, &[u8]); 1] = [(100, b"aaaa")];
    for pieces in [&overlapping[..], &behind[..]] {
        for tar in [
            Tar::new().sparse_gnu("wanted", pieces, 50),
            Tar::new().sparse_pax("wanted", pieces, 50),
            Tar::new().sparse_pax_old("wanted", pieces, 50, 0),
            Tar::new().sparse_pax_old("wanted", pieces, 50, 1),
        ] {
            let walked = walk_bytes(&tar.finish());
            let failure = walked.failure.unwrap();
            assert!(failure.contains("sparse map"), "{failure}");
        }
    }
}

#[test]
fn the_record_holds_what_a_header_says() {
    let tar = Tar::new()
        .entry(
            &Entry::file("bin/tool", "program")
                .mode(0o4755)
                .owner(12, 34)
                .pax("SCHILY.xattr.security.capability", [1, 0]),
        )
        .entry(&Entry::directory("etc"))
        .entry(&Entry::symlink("etc/link", "../bin/tool"))
        .entry(&Entry::file("big", vec![7; 400_000]))
        .finish();
    let walked = walk_at_level(&tar, RecordLevel::Digests);
    let entries: Vec<_> = walked.record.iter().map(|entry| entry.into_file(Some(3))).collect();
    assert_eq!(entries[0].mode, 0o4755);
    assert_eq!((entries[0].uid, entries[0].gid, entries[0].size), (12, 34, 7));
    assert_eq!(entries[0].attributes.get("security.capability").unwrap(), "0100");
    assert_eq!(entries[0].digest, Some(Digest::of(b"program")));
    assert_eq!(entries[1].digest, None);
    assert_eq!(entries[2].link.as_deref(), Some("../bin/tool"));
    assert_eq!(entries[3].digest, Some(Digest::of(&vec![7; 400_000])));
    assert_eq!(entries[3].layer, Some(3));
}

fn failure_of(bytes: &[u8]) -> String {
    walk_bytes(bytes).failure.unwrap_or_default()
}

#[test]
fn damage_is_told_and_what_came_before_is_kept() {
    let tar = Tar::new().file("wanted", "w").entry(&Entry::file("x", "x").bad_checksum()).finish();
    let walked = walk_bytes(&tar);
    assert_eq!(facts(&walked), ["wanted=w"]);
    assert!(walked.failure.unwrap().contains("wrong header checksum at byte 1024"));
    assert_eq!(walked.facts.diff_id, Some(Digest::of(&tar)), "hashed to the end all the same");

    let whole = Layer::new().file("wanted", "w").file("b", "x".repeat(90_000)).plain();
    assert!(failure_of(&whole[..40_000]).contains("ends in the middle of an entry"));
    let packed = Compression::Gzip.pack(&whole);
    assert!(
        failure_of(&packed[..packed.len() / 2]).contains("truncated: the gzip stream breaks off")
    );
    let packed = Compression::Zstd.pack(&whole);
    assert!(failure_of(&packed[..packed.len() / 2]).contains("zstd"));
    let mut damaged = Compression::Gzip.pack(&whole);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    assert!(failure_of(&damaged).contains("gzip"));
    assert!(failure_of(b"\xfd7zXZ\0\0\0rest").contains("xz stream"));
    assert!(failure_of(b"\x04\x22\x4d\x18rest of lz4").contains("packed with lz4"));
    assert!(
        failure_of(b"not a tar at all, and longer than nothing").contains("ends in the middle")
    );
    assert_eq!(failure_of(b""), "", "an empty layer is a tar without entries");
}

#[test]
fn absurd_sizes_are_refused() {
    let huge = Tar::new().entry(&Entry::file("wanted", "x").claiming(u64::MAX / 2)).finish();
    assert!(failure_of(&huge).contains("invalid size"), "{}", failure_of(&huge));
    let many = "k".repeat(2 << 20);
    let pax = Tar::new().entry(&Entry::file("wanted", "x").pax("comment", many)).finish();
    assert!(failure_of(&pax).contains("over the limit of 1048576 bytes of an extended header"));
    let deep = "d/".repeat(3000) + "wanted";
    let tar = Tar::new()
        .entry(&Entry::file(&deep, "x").long_names(LongNames::Pax))
        .file("wanted", "w")
        .finish();
    let walked = walk_bytes(&tar);
    assert_eq!(facts(&walked), ["wanted=w"]);
    assert!(problems(&walked)[0].contains("longer than 4,096 bytes"));
}

#[test]
fn a_decompression_bomb_is_left_early() {
    use std::io::Write as _;
    // Zstandard packs zeros by some thousands to one, on every machine.
    let mut packer = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let zeros = vec![0_u8; 8 << 20];
    let header = Tar::new().entry(&Entry::file("bomb", "").claiming(3 << 30)).unfinished();
    packer.write_all(&header).unwrap();
    for _ in 0..(3 << 30) / zeros.len() {
        packer.write_all(&zeros).unwrap();
    }
    let packed = packer.finish().unwrap();
    assert!((packed.len() as u64) < (3 << 30) / 400, "{} bytes are no bomb", packed.len());
    let walked = walk_bytes(&packed);
    assert!(walked.failure.unwrap().contains("decompression bomb"));
    assert!(walked.facts.plain_bytes < 3 << 30);
    assert_eq!(
        walked.packed_digest,
        Some(Digest::of(&packed)),
        "the stored bytes are still verified"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_walked_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = walk_bytes(&bytes);
    }

    #[test]
    fn any_damage_to_a_tar_is_walked_without_a_panic(
        place in 0_usize..6000, value in any::<u8>(), cut in 0_usize..9000,
    ) {
        let mut tar = Tar::new()
            .entry(&Entry::file("d/".repeat(80) + "wanted", "w").long_names(LongNames::Gnu))
            .entry(&Entry::file("x/".repeat(80) + "wanted", "w".repeat(700)).long_names(LongNames::Pax))
            .sparse_gnu("s", &[(0, b"abc")], 99)
            .entry(&Entry::hard_link("b/wanted", "x"))
            .finish();
        if let Some(byte) = tar.get_mut(place) { *byte = value; }
        tar.truncate(cut);
        let _ = walk_at_level(&tar, RecordLevel::Digests);
    }
}
