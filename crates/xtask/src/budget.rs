//! What the program itself costs: crates, the processor time of a build, its size, its start.
//!
//! In goes `budget.toml` beside this crate's sources, out comes a table of what was measured; over a line
//! of the file it fails. The build is one from nothing, in a folder of its own that is removed.

use crate::bench::remove;
use crate::command::{command, output};
use crate::measure::{Cost, cost, median};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the lines stand.
const FILE: &str = "crates/xtask/budget.toml";
/// How often the start is measured.
const STARTS: usize = 21;

const USAGE: &str = "\
usage: cargo xtask budget [--program FILE]
  --program FILE   measure this release build, and build none";

/// One figure.
struct Figure {
    /// Its key in the file.
    key: &'static str,
    measured: f64,
}

/// Measures, prints, and fails where something is over its line.
pub(crate) fn check(root: &Path, options: &[&str]) -> Result<()> {
    let program = match options {
        [] => None,
        ["--program", file] => Some(PathBuf::from(file).canonicalize().context("no such program")?),
        _ => bail!("{USAGE}"),
    };
    let text = std::fs::read_to_string(root.join(FILE))
        .with_context(|| format!("`{FILE}` cannot be read"))?;
    let lines: toml::Table = text.parse().with_context(|| format!("`{FILE}` is no TOML"))?;
    let xtask = std::env::current_exe()?;
    let mut figures = vec![Figure { key: "crates", measured: crates(root)? }];
    let folder = crate::reproducible::target(root).join("budget");
    let program = match program {
        Some(program) => program,
        None => {
            remove(&folder)?;
            let cost = build(&xtask, root, &folder)?;
            figures.push(Figure { key: "build-cpu-seconds", measured: cost.cpu });
            folder.join("release/lazaret")
        }
    };
    let size = std::fs::metadata(&program)?.len();
    figures.push(Figure { key: "program-megabytes", measured: size as f64 / 1e6 });
    figures.push(Figure { key: "start-milliseconds", measured: start(&xtask, &program)? });
    remove(&folder)?;
    hold(&figures, &lines)
}

/// Prints the figures beside their lines; a figure without one, and a line of an unknown key, are
/// mistakes.
fn hold(figures: &[Figure], lines: &toml::Table) -> Result<()> {
    let mut over = Vec::new();
    println!("| budget | measured | at most |\n|---|---:|---:|");
    for Figure { key, measured } in figures {
        let line = lines.get(*key).and_then(|line| match line {
            toml::Value::Integer(line) => i32::try_from(*line).ok().map(f64::from),
            toml::Value::Float(line) => Some(*line),
            _ => None,
        });
        let line = line.with_context(|| format!("`{FILE}` has no number `{key}`"))?;
        println!("| {key} | {measured:.1} | {line:.1} |");
        if *measured > line {
            over.push(format!("{key} is {measured:.1}, and may be {line:.1}"));
        }
    }
    if !over.is_empty() {
        bail!("over the budget of `{FILE}`: {}", over.join("; "));
    }
    Ok(())
}

/// How many crates are compiled for the program.
fn crates(root: &Path) -> Result<f64> {
    let words = ["tree", "--package", "cli", "--edges", "no-dev", "--prefix", "none", "--locked"];
    let tree = output(command("cargo", words).current_dir(root))?;
    let tree = String::from_utf8(tree).context("`cargo tree` gives no text")?;
    // `name v1.2.3 (where) (*)`: one of two versions is another crate.
    let names: BTreeSet<Vec<&str>> = tree
        .lines()
        .map(|line| line.split(' ').take(2).collect())
        .filter(|name: &Vec<&str>| name.len() == 2)
        .collect();
    Ok(f64::from(u32::try_from(names.len())?))
}

/// A release build from nothing.
fn build(xtask: &Path, root: &Path, folder: &Path) -> Result<Cost> {
    let manifest = root.join("Cargo.toml");
    let mut build = command("cargo", ["build", "--release", "--locked", "--package", "cli"]);
    build.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(folder);
    cost(xtask, &mut build, &[])
}

/// CPU milliseconds of the least that the program does.
fn start(xtask: &Path, program: &Path) -> Result<f64> {
    let one = || cost(xtask, &mut command(&program.to_string_lossy(), ["--version"]), &[]);
    let costs: Result<Vec<Cost>> = (0..STARTS).map(|_| one()).collect();
    Ok(median(&costs?).context("nothing was measured")?.cpu * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_line_or_without_one_is_a_failure() {
        let lines = "crates = 200\nstart-milliseconds = 5.0".parse().unwrap();
        let hold = |key, measured| hold(&[Figure { key, measured }], &lines);
        assert!(hold("crates", 200.0).is_ok());
        assert!(hold("crates", 201.0).is_err());
        assert!(hold("start-milliseconds", 5.1).is_err());
        assert!(hold("program-megabytes", 0.1).is_err());
    }

    #[test]
    fn the_file_has_a_line_for_every_figure() {
        let lines: toml::Table = include_str!("../budget.toml").parse().unwrap();
        let keys: Vec<&str> = lines.keys().map(String::as_str).collect();
        let known = ["build-cpu-seconds", "crates", "program-megabytes", "start-milliseconds"];
        assert_eq!(keys, known);
    }
}
