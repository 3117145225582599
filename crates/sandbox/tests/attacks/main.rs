//! A parser that was taken over tries what its sandbox forbids; and still does what it is there for.
//!
//! Each test starts this binary once more. There `parser_stub` confines itself by the needs of the
//! test, and tries; what came of each try is printed, and held against what should.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail, and its other process tells it what came of what"
)]

mod calls;
mod files;
mod network;
mod privileges;

use sandbox::{Layer, Needs};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;

/// What came of each try: `ok`, or the name of the error.
type Tried = BTreeMap<String, String>;

/// Tries, one after the other, in a process that has confined itself.
struct Stub {
    layers: Vec<Layer>,
}

impl Stub {
    fn enter(needs: &Needs) -> Self {
        Self { layers: sandbox::confine(needs) }
    }

    fn tries<T>(&self, what: &str, outcome: io::Result<T>) {
        let text = match outcome {
            Ok(_) => "ok".to_owned(),
            Err(error) => match error.raw_os_error() {
                Some(number) => format!("{:?}", nix::errno::Errno::from_raw(number)),
                None => error.to_string(),
            },
        };
        println!("\ntried: {what}={text}");
    }

    fn tells_layers(&self) {
        for layer in &self.layers {
            println!("\ntried: layer {}={}", layer.name, layer.state.word());
        }
    }
}

/// Runs a stub in a process of its own; the folder is its own to play in.
fn in_process(stub: &str, folder: &Path) -> Tried {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["parser_stub", "--exact", "--nocapture", "--test-threads=1"])
        .env("PARSER_STUB", stub)
        .env("PARSER_FOLDER", folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let tried: Tried = text
        .lines()
        .filter_map(|line| line.strip_prefix("tried: ")?.split_once('='))
        .map(|(what, outcome)| (what.to_owned(), outcome.to_owned()))
        .collect();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !tried.is_empty(), "{text}\n{told}");
    tried
}

/// Fails where a try came out otherwise.
#[track_caller]
fn all(tried: &Tried, outcome: &[&str], names: &[&str]) {
    for name in names {
        let found = tried.get(*name).map_or("was not tried", String::as_str);
        assert!(outcome.contains(&found), "{name}: {found}, not {outcome:?}");
    }
}

/// Whether the machine lacks a layer: then its tests say so.
fn lacks(tried: &Tried, layer: &str) -> bool {
    tried.get(&format!("layer {layer}")).is_none_or(|state| state != "holds")
}

/// The other process.
#[test]
fn parser_stub() {
    let Ok(stub) = std::env::var("PARSER_STUB") else { return };
    let folder = std::path::PathBuf::from(std::env::var_os("PARSER_FOLDER").unwrap());
    match stub.as_str() {
        "files" => files::stub(&folder),
        "offline" => network::offline(&folder),
        "engine" => network::engine(&folder),
        "port" => network::port(&folder),
        "online" => network::online(&folder),
        "calls" => calls::stub(&folder),
        "threads" => calls::threads(),
        "root" => privileges::root(&folder),
        "nobody" => privileges::nobody(&folder),
        other => panic!("no stub `{other}`"),
    }
}
