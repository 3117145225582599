//! Nothing but this crate opens files, writes, renames or removes them: each other way would have its
//! own holes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};

/// What reads or writes a file.
const WAYS: [&str; 17] = [
    "File::open(",
    "fs::read(",
    "fs::read_to_string(",
    "fs::write(",
    "fs::copy(",
    "fs::rename(",
    "fs::hard_link(",
    "fs::remove_file(",
    "fs::remove_dir",
    "fs::set_permissions(",
    "fs::create_dir",
    "DirBuilder",
    "File::create",
    "File::options(",
    "OpenOptions::new(",
    "NamedTempFile",
    "memmap",
];

/// Files that open what they only read with these: what changes while it is looked at, and what the
/// kernel makes up; and one whose `File` is a database in memory.
const READERS: [&str; 7] = [
    "agent/src/cgroup.rs",
    "agent/src/content.rs",
    "agent/src/run.rs",
    "catalog/src/rpm/sqlite.rs",
    "engine/src/mountinfo.rs",
    "sensor/src/fanotify/mod.rs",
    "sensor/src/probe/kernel.rs",
];

/// Crates that are no part of the program.
const OF_DEVELOPMENT: [&str; 2] = ["testkit", "xtask"];

#[test]
fn nothing_else_opens_or_writes_files() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let mut looked_at = 0;
    for room in std::fs::read_dir(crates).unwrap() {
        let room = room.unwrap();
        let name = room.file_name().into_string().unwrap();
        if name == "files" || OF_DEVELOPMENT.contains(&name.as_str()) {
            continue;
        }
        for file in sources(&room.path().join("src")) {
            looked_at += 1;
            if READERS.iter().any(|reader| file.ends_with(reader)) {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            // Tests stand at the end of their file.
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap();
                let of_kernel = line.contains("\"/proc/");
                if !of_kernel && WAYS.iter().any(|way| line.contains(way)) {
                    found.push(format!("{}:{}: {line}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(looked_at > 200, "{looked_at}");
    assert!(found.is_empty(), "use the crate `files`:\n{}", found.join("\n"));
}

/// The source files below a folder but those of tests alone.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let of_tests = name == "tests"
            || name == "testing.rs"
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || name.ends_with("_samples.rs");
        if path.is_dir() && !of_tests {
            all.extend(sources(&path));
        } else if name.ends_with(".rs") && !of_tests {
            all.push(path);
        }
    }
    all
}
