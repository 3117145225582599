//! Builds the fuzz targets with the stable compiler, and runs each for a while.
//!
//! `cargo fuzz` needs a nightly compiler only for its sanitizers. The library under test forbids
//! `unsafe`, so coverage is enough, and the flags for that are stable. Source: LLVM, "Sanitizer
//! Coverage"; cargo-fuzz, `project.rs`.

use crate::command::{command, exists, output};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// The largest input, the longest run and the most memory of one input; beyond is a fault.
const LIMITS: &[&str] =
    &["-max_len=65536", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"];

/// The targets that a long run is for: readers of whole images and binary formats, of what decides
/// whom to believe, and of texts whose grammar is large.
const RISKIEST: [&str; 20] = [
    "bolt",
    "docker",
    "dotnet",
    "dpkg",
    "elf_notes",
    "java",
    "lzdb",
    "manifest",
    "openpgp",
    "osv",
    "pnpm_lock",
    "policy",
    "pom_xml",
    "programs",
    "rpm",
    "seal_record",
    "seal_store",
    "tar",
    "tar_split",
    "walk_layers",
];

/// `[SECONDS] [TARGET…]`; `riskiest` stands for its list.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let (seconds, wanted) = match words.split_first() {
        Some((first, rest)) if first.parse::<u32>().is_ok() => (*first, rest),
        _ => ("10", words),
    };
    let wanted = if wanted == ["riskiest"] { &RISKIEST[..] } else { wanted };
    let folder = root.join("fuzz");
    if !["c++", "g++", "clang++"].into_iter().any(exists) {
        if testkit::skip::in_ci() {
            bail!("libFuzzer needs a C++ compiler: under `CI=true` this must run");
        }
        println!("fuzz: skipped: libFuzzer needs a C++ compiler, and there is none here");
        return Ok(());
    }
    let programs = build(&folder)?;
    let corpus =
        std::env::var_os("LAZARET_FUZZ_CORPUS").map_or(folder.join("corpus"), PathBuf::from);
    write_seeds(&programs.join("seeds"), &corpus)?;
    let all = targets(&folder, &corpus)?;
    let is = |target: &Target, name: &str| target.name == name;
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|one| is(one, name))) {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        bail!("`{unknown}` is not a fuzz target: use {}", names.join(", "));
    }
    let mut failed = Vec::new();
    let run = |target: &&Target| wanted.is_empty() || wanted.iter().any(|name| is(target, name));
    for target in all.iter().filter(run) {
        if !fuzz(&programs, &corpus.join(&target.name), &folder, target, seconds)? {
            failed.push(target.name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("inputs that break {} lie in fuzz/artifacts", failed.join(", "));
    }
    Ok(())
}

/// A fuzz target.
struct Target {
    name: String,
    /// Whether it is a check, which the program of all checks runs.
    is_check: bool,
}

/// The program of all checks, and how it is told which one.
const CHECKS: &str = "check";
const CHECK: &str = "LAZARET_FUZZ_CHECK";

/// The targets, sorted: files of their own, and every check that the seeds were written for.
fn targets(folder: &Path, corpus: &Path) -> Result<Vec<Target>> {
    let entries = std::fs::read_dir(folder.join("src/bin")).context("`fuzz/src/bin`")?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned));
    let own = names.filter(|name| name != CHECKS).map(|name| Target { name, is_check: false });
    let list = std::fs::read_to_string(corpus.join("checks")).context("the list of checks")?;
    let checks = list.lines().map(|name| Target { name: name.to_owned(), is_check: true });
    let mut targets: Vec<Target> = own.chain(checks).collect();
    targets.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(targets)
}

fn build(folder: &Path) -> Result<PathBuf> {
    println!("building the fuzz targets …");
    let version = output(&mut command("rustc", ["-vV"]))?;
    let version = String::from_utf8(version)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("`rustc -vV` names no host")?;
    // With a target given, build scripts and macros are built without coverage.
    let mut build = command("cargo", ["build", "--release", "--quiet", "--target", host]);
    let own = std::env::var_os("CARGO_TARGET_DIR").map(|target| Path::new(&target).join("fuzz"));
    let target = own.unwrap_or_else(|| folder.join("target"));
    build.env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", COVERAGE.join(" "));
    crate::command::run(build.current_dir(folder))?;
    Ok(target.join(host).join("release"))
}

/// Runs one target; false where an input broke it.
fn fuzz(
    programs: &Path,
    corpus: &Path,
    folder: &Path,
    Target { name: target, is_check }: &Target,
    seconds: &str,
) -> Result<bool> {
    let program = programs.join(if *is_check { CHECKS } else { target });
    std::fs::create_dir_all(corpus)?;
    let artifacts = folder.join("artifacts").join(target);
    std::fs::create_dir_all(&artifacts)?;
    let mut fuzzer = Command::new(&program);
    if *is_check {
        fuzzer.env(CHECK, target.replace('_', "-"));
    }
    fuzzer.arg(corpus).args(LIMITS).arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-artifact_prefix={}/", artifacts.display()));
    let output = fuzzer.stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.with_context(|| format!("`{}` cannot be started", program.display()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or("?").to_owned()
    };
    let inputs = figure("stat::number_of_executed_units:");
    let memory = figure("stat::peak_rss_mb:");
    match output.status.success() {
        true => println!("fuzz: {target}: {inputs} inputs in {seconds} s, {memory} MB, no fault"),
        false => {
            let from =
                text.lines().position(|line| line.contains("panicked") || line.contains("ERROR"));
            let shown: Vec<&str> = text.lines().skip(from.unwrap_or(0)).take(12).collect();
            println!("fuzz: {target}: broken\n  {}", shown.join("\n  "));
        }
    }
    Ok(output.status.success())
}

/// Lets the target `seeds` write inputs to start from, and say what has no target.
fn write_seeds(program: &Path, corpus: &Path) -> Result<()> {
    let mut seeds = Command::new(program);
    let output = seeds.arg("-runs=0").env("LAZARET_FUZZ_SEEDS", corpus).output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let reason = text.lines().find(|line| line.contains("seeds can be written"));
        bail!("the seeds cannot be written: {}", reason.unwrap_or(text.trim()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_riskiest_targets_are_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        let catalog = folder.join("../crates/catalog/src");
        let is_there = |name: &str| {
            let file = format!("{name}.rs");
            let own = folder.join("src/bin").join(&file);
            // A check has its program with all others.
            let check = [catalog.join(name), catalog.join("lockfile").join(&file)];
            own.is_file() || check.iter().any(|path| path.exists())
        };
        let missing: Vec<_> = RISKIEST.iter().filter(|name| !is_there(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(RISKIEST.is_sorted());
    }
}
