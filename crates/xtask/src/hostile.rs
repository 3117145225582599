//! Scans every hostile archive with an optimised program, and says what the worst of them cost.
//!
//! In goes the program, out comes a line for each archive and a verdict: none may end it by a signal
//! or an error of its own, take longer, or take more memory than the bounds here.

use crate::command::command;
use crate::measure::{Cost, cost};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use testkit::hostile::{Hostile, Scale};

/// Seconds that one archive may take.
const SECONDS: f64 = 30.0;
/// Peak memory in MB (10⁶ bytes) that one archive may take: what SECURITY.md promises.
const MEGABYTES: f64 = 512.0;
/// How a scan may end besides 0: with findings, refused, incomplete, or without a database.
const ENDINGS: [u8; 4] = [1, 2, 3, 4];

/// `[--small] [--program FILE] [--db FOLDER] [NAME…]`: those whose names contain one of the words; all without.
pub(crate) fn check(root: &Path, words: &[&str]) -> Result<()> {
    let mut scale = Scale::Full;
    let (mut program, mut database) = (None, None);
    let mut wanted = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--small" => scale = Scale::Small,
            "--program" => program = words.next().map(PathBuf::from),
            "--db" => database = words.next().map(PathBuf::from),
            name => wanted.push(name),
        }
    }
    let program = match program {
        Some(program) => program,
        None => built(root)?,
    };
    let all = testkit::hostile::all(scale);
    let chosen = all
        .iter()
        .filter(|one| wanted.is_empty() || wanted.iter().any(|word| one.name.contains(word)));
    let folder = scratch()?;
    let mut costs = Vec::new();
    let mut wrong = Vec::new();
    for hostile in chosen {
        match scanned(&program, hostile, &folder, database.as_deref()) {
            Ok(cost) => {
                println!("{:6.1} s  {:6.0} MB  {}", cost.wall, cost.peak, hostile.name);
                if cost.wall > SECONDS || cost.peak > MEGABYTES {
                    wrong
                        .push(format!("{}: {:.1} s, {:.0} MB", hostile.name, cost.wall, cost.peak));
                }
                costs.push((cost, &hostile.name));
            }
            Err(error) => wrong.push(format!("{}: {error:#}", hostile.name)),
        }
    }
    std::fs::remove_dir_all(&folder)?;
    let worst = |figure: fn(&Cost) -> f64| {
        costs.iter().max_by(|left, right| figure(&left.0).total_cmp(&figure(&right.0)))
    };
    let slowest = worst(|cost| cost.wall).context("no archive has such a name")?;
    let largest = worst(|cost| cost.peak).context("no archive has such a name")?;
    println!(
        "hostile: {} archives; slowest {:.1} s ({}), largest {:.0} MB ({})",
        costs.len(),
        slowest.0.wall,
        slowest.1,
        largest.0.peak,
        largest.1
    );
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("beyond {SECONDS} s, {MEGABYTES} MB, or failed:\n  {}", wrong.join("\n  ")),
    }
}

fn scanned(
    program: &Path,
    hostile: &Hostile,
    folder: &Path,
    database: Option<&Path>,
) -> Result<Cost> {
    let archive = folder.join("archive.tar");
    std::fs::write(&archive, hostile.bytes())?;
    let mut scan = command(&program.to_string_lossy(), ["scan", "--offline", "--no-cache", "-q"]);
    scan.arg(&archive).env("HOME", folder).env("LAZARET_DB", database.unwrap_or(folder));
    let this = std::env::current_exe()?;
    let cost = cost(&this, &mut scan, &ENDINGS);
    std::fs::remove_file(&archive)?;
    cost
}

fn built(root: &Path) -> Result<PathBuf> {
    crate::command::run(
        command("cargo", ["build", "--release", "--quiet", "-p", "cli"]).current_dir(root),
    )?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join("release/lazaret"))
}

fn scratch() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("lazaret-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
