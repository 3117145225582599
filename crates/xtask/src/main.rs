//! The project's own chores: `cargo xtask rooms`, `licences`, `test`, `fuzz`, `demo-image`, `reproducible`,
//! `release`, `bench scan`, `match`, `cold`, `db` and `agent`.
//!
//! In goes the checkout, out come a verdict, an image or a table. It is a program of its own, so
//! that nothing which only developers need is in what users run, and it is in Rust, so that it runs
//! wherever the project builds.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool talks to a terminal"
)]

mod attacks;
mod bench;
mod budget;
mod circles;
mod command;
mod debian;
mod demo;
mod floor;
mod fuzz;
mod hostile;
mod licences;
mod measure;
mod mutate;
mod oci_layout;
mod reproducible;
mod rooms;
mod testing;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND
  rooms                     hold the crates' dependencies against ARCHITECTURE.md
  attacks [--write]         hold the table in SECURITY.md against the tests that attack
  licences                  hold the dependencies' licences against deny.toml
  test [OPTION…]            run every test, and count; options are those of `cargo test`
  fuzz [SECONDS] [TARGET…]  build the fuzz targets and run each for SECONDS (default 10)
  hostile [OPTION…] [NAME…] scan hostile archives, and hold time and memory against bounds;
                            options: --small, --program FILE, --db FOLDER
  mutate [PACKAGE…]         plant bugs in a copy, and fail where the tests notice one not
  reproducible [--release]  build on two paths, and fail where the bytes differ
  release                   build the program so that anybody can build the same again
  demo-image FOLDER         make the demo image as an OCI layout in FOLDER
  budget [OPTION…]          crates, build, size and start of the program, held against budget.toml
  bench scan [OPTION…]      measure scanning; see `cargo xtask bench scan --help`
  bench match [OPTION…]     measure matching 10, 1,000 and 100,000 packages
  bench cold [OPTION…]      measure from nothing to a verdict: program, advisories, image
  bench db [OPTION…]        measure the database at the size of the public bucket
  bench agent [OPTION…]     measure sealing and guarding; see `cargo xtask bench agent --help`
  floor BLOB…               unpack, hash and walk gzip layers: the least that a scan must do
  measured FILE COMMAND…    run a command and write what it cost into FILE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<ExitCode> {
    match words {
        ["rooms"] => rooms::check(&root()),
        ["attacks"] => attacks::check(&root(), false),
        ["attacks", "--write"] => attacks::check(&root(), true),
        ["licences" | "licenses"] => licences::check(&root()),
        ["test", rest @ ..] => return testing::run(&root(), rest),
        ["fuzz", rest @ ..] => fuzz::run(&root(), rest),
        ["hostile", rest @ ..] => hostile::check(&root(), rest),
        ["mutate", rest @ ..] => mutate::run(&root(), rest),
        ["reproducible", rest @ ..] => reproducible::check(&root(), rest),
        ["budget", rest @ ..] => budget::check(&root(), rest),
        ["release"] => reproducible::release(&root()),
        ["demo-image", folder] => demo::make(&root(), Path::new(folder)),
        ["bench", "scan", rest @ ..] => bench::scan(&root(), rest),
        ["bench", "match", rest @ ..] => bench::matching(&root(), rest),
        ["bench", "cold", rest @ ..] => bench::cold(&root(), rest),
        ["bench", "db", rest @ ..] => bench::database(&root(), rest),
        ["bench", "agent", rest @ ..] => bench::agent(&root(), rest),
        ["floor", blobs @ ..] => floor::run(blobs),
        ["measured", file, command @ ..] => return measure::child(Path::new(file), command),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("`{}` is not a chore\n{USAGE}", words.join(" ")),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
