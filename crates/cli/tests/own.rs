//! What we ship is held against the advisories that we tell others of.

mod common;

use common::{Bench, stderr, stdout};
use std::path::Path;

#[test]
fn no_dependency_of_ours_has_a_known_vulnerability() {
    let Some(shared) = testkit::shared() else { return };
    let mirror = shared.join("osv-mirror");
    let bench = Bench::new();
    let updated =
        bench.run(&["db", "update", "--from", &mirror.display().to_string(), "crates.io"]);
    assert_eq!(updated.status.code(), Some(0), "{}", stderr(&updated));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let scan = |name: &str| {
        let lock = bench.path().join(name);
        bench.run(&["scan", &format!("dir:{}", lock.display()), "--offline", "--fail-on", "low"])
    };
    for (name, lock) in [("program", "Cargo.lock"), ("fuzzing", "fuzz/Cargo.lock")] {
        let text = std::fs::read_to_string(root.join(lock)).unwrap();
        bench.write(&format!("{name}/Cargo.lock"), &text);
        let scanned = scan(name);
        assert_eq!(scanned.status.code(), Some(0), "{lock}: {}", stdout(&scanned));
        assert!(stdout(&scanned).contains("PASS"), "{lock}: {}", stdout(&scanned));
    }
    // That this can fail: a version with a known hole among them.
    let text = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let planted = "\n[[package]]\nname = \"smallvec\"\nversion = \"0.6.3\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    bench.write("planted/Cargo.lock", format!("{text}{planted}"));
    assert_eq!(scan("planted").status.code(), Some(1));
}
