//! `bench scan`, `match`, `cold`, `db` and `agent`. The first: what scanning costs, beside the floor and other tools, on images made here.
//!
//! In one run, side by side and interleaved, so that a machine that warms up or slows down does so
//! for all; of each figure the median is shown. Images and tools are kept outside the checkout.
//! What could not be measured is said, never left out in silence.

mod agent;
mod cold;
mod database;
mod images;
mod matching;
mod peers;
mod table;

use crate::command::{command, run};
use crate::measure::{Cost, cost, median};
pub(crate) use agent::agent;
use anyhow::{Context as _, Result, bail};
pub(crate) use cold::cold;
pub(crate) use database::database;
use images::Image;
pub(crate) use matching::matching;
use peers::Peer;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "\
usage: cargo xtask bench scan [OPTION…]
  --rounds N         how often each is measured (default 5)
  --images A,B       of: debian, application, million, packages (default all)
  --without-peers    only the floor, gzip and Lazaret
  --without-build    take the release binaries as they are
  --cache FOLDER     where images and tools are kept (default: the user's cache folder)";

/// How often what takes milliseconds is measured: a median of more, as single runs vary more.
const SHORT_ROUNDS: usize = 21;

struct Options {
    rounds: usize,
    images: Vec<String>,
    peers: bool,
    build: bool,
    cache: PathBuf,
}

/// What is measured with, and where.
struct Bench {
    root: PathBuf,
    xtask: PathBuf,
    lazaret: PathBuf,
    cache: PathBuf,
}

/// Makes images and tools, measures, prints tables in Markdown.
pub(crate) fn scan(root: &Path, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{USAGE}");
        return Ok(());
    };
    std::fs::create_dir_all(&options.cache)?;
    let cache = options.cache.canonicalize()?;
    let peers = if options.peers { peers::fetch(&cache.join("peers"))? } else { Vec::new() };
    let images = images::make(&cache.join("images"), &options.images)?;
    let bench = Bench::new(root, cache, options.build)?;
    let database = bench.database()?;
    let costs = bench.measure(&images, &peers, &database, options.rounds)?;
    table::print(&images, &costs, options.rounds);
    bench.short(&images, &database)
}

impl Options {
    fn parse(words: &[&str]) -> Result<Option<Self>> {
        let mut options = Self {
            rounds: 5,
            images: images::NAMES.iter().map(|name| (*name).to_owned()).collect(),
            peers: true,
            build: true,
            cache: cache_folder()?,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().with_context(|| format!("`{word}` needs a value\n{USAGE}"));
            match *word {
                "--rounds" => {
                    options.rounds = value()?.parse().context("`--rounds` takes a number")?
                }
                "--images" => options.images = value()?.split(',').map(str::to_owned).collect(),
                "--without-peers" => options.peers = false,
                "--without-build" => options.build = false,
                "--cache" => options.cache = PathBuf::from(value()?),
                "--help" | "-h" => return Ok(None),
                other => bail!("`{other}` is not an option\n{USAGE}"),
            }
        }
        Ok(Some(options))
    }
}

fn cache_folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(folder
        .context("neither XDG_CACHE_HOME nor HOME is set: use `--cache`")?
        .join("lazaret-bench"))
}

impl Bench {
    /// Builds the release binaries: this program is one of them, as the floor must be as fast.
    fn new(root: &Path, cache: PathBuf, build: bool) -> Result<Self> {
        if build {
            eprintln!("building the release binaries …");
            let packages = ["--package", "cli", "--package", "xtask"];
            let mut cargo = command("cargo", ["build", "--release", "--locked"]);
            run(cargo.args(packages).current_dir(root))?;
        }
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        let release = target.canonicalize()?.join("release");
        let root = root.canonicalize()?;
        Ok(Self { root, xtask: release.join("xtask"), lazaret: release.join("lazaret"), cache })
    }

    /// The advisories that lie beside the checkout, or, without them, those of the demo.
    fn source(&self) -> PathBuf {
        let mirror = self.root.join("../shared/osv-mirror");
        if mirror.is_dir() { mirror } else { self.root.join("demo/advisories") }
    }

    fn update(&self, database: &Path) -> Command {
        let mut update = Command::new(&self.lazaret);
        update.args(["db", "update", "--quiet", "--from"]).arg(self.source());
        update.arg("--db").arg(database);
        update
    }

    fn database(&self) -> Result<PathBuf> {
        let database = self.cache.join("db");
        remove(&database)?;
        run(&mut self.update(&database))?;
        Ok(database)
    }

    fn lazaret_scan(&self, image: &Image, database: &Path, facts: &Path) -> Command {
        let mut scan = Command::new(&self.lazaret);
        scan.args(["scan", "--offline", "--quiet"])
            .arg(format!("oci-dir:{}", image.folder.display()));
        scan.arg("--db").arg(database).arg("--cache-dir").arg(facts);
        scan.arg("-o").arg(format!("json={}", self.cache.join("lazaret.json").display()));
        scan
    }

    /// Every tool on every image, round by round.
    fn measure(
        &self,
        images: &[Image],
        peers: &[Peer],
        database: &Path,
        rounds: usize,
    ) -> Result<BTreeMap<(String, String), Vec<Cost>>> {
        let mut costs: BTreeMap<(String, String), Vec<Cost>> = BTreeMap::new();
        let facts = self.cache.join("facts");
        for round in 1..=rounds {
            for image in images {
                eprintln!("round {round} of {rounds}: {}", image.name);
                let mut runs: Vec<(&str, Command)> = vec![
                    ("floor", self.floor(image)),
                    ("gzip -dc \\| tar t", gzip(image)),
                    ("Lazaret", self.lazaret_scan(image, database, &facts)),
                ];
                runs.extend(peers.iter().map(|peer| (peer.name, peer.scan(image, &self.cache))));
                for (name, mut measured) in runs {
                    // Cold: no tool may use what it kept of the run before.
                    remove(&facts)?;
                    remove(&self.cache.join("peer-cache"))?;
                    let key = (image.name.to_owned(), name.to_owned());
                    match cost(&self.xtask, &mut measured, &[1, 3]) {
                        Ok(cost) => costs.entry(key).or_default().push(cost),
                        Err(error) if ["Syft", "Trivy"].contains(&name) => eprintln!("  {error:#}"),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(costs)
    }

    fn floor(&self, image: &Image) -> Command {
        let mut floor = Command::new(&self.xtask);
        floor.arg("floor").args(&image.blobs);
        floor
    }

    /// What takes milliseconds, and building the database.
    fn short(&self, images: &[Image], database: &Path) -> Result<()> {
        println!("\n| short runs | CPU ms | wall ms | peak MB |\n|---|---:|---:|---:|");
        let facts = self.cache.join("facts");
        let mut version = Command::new(&self.lazaret);
        self.row("start (`lazaret --version`)", version.arg("--version"), SHORT_ROUNDS)?;
        for image in images {
            remove(&facts)?;
            let mut scan = self.lazaret_scan(image, database, &facts);
            cost(&self.xtask, &mut scan, &[1, 3])?;
            self.row(&format!("repeat scan from cache, {}", image.name), &mut scan, SHORT_ROUNDS)?;
        }
        let purls = self.cache.join("purls");
        std::fs::write(&purls, images::purls(500))?;
        let mut matching = command("sh", ["-c", "exec \"$0\" db match - --db \"$1\" <\"$2\""]);
        matching.arg(&self.lazaret).arg(database).arg(&purls);
        self.row("matching 500 packages (`lazaret db match -`)", &mut matching, SHORT_ROUNDS)?;
        let built = self.cache.join("db-built");
        let mut costs = Vec::new();
        for _ in 0..3 {
            remove(&built)?;
            costs.push(cost(&self.xtask, &mut self.update(&built), &[])?);
        }
        let source = self.source().file_name().map(|name| name.to_string_lossy().into_owned());
        let name = format!("building the database of {}", source.unwrap_or_default());
        table::short_row(&name, median(&costs));
        let megabytes = table::megabytes(size_of(&built)?);
        println!("\nThe database takes {megabytes:.1} MB.");
        Ok(())
    }

    fn row(&self, name: &str, measured: &mut Command, rounds: usize) -> Result<()> {
        let costs: Result<Vec<Cost>> =
            (0..rounds).map(|_| cost(&self.xtask, measured, &[1, 3])).collect();
        match costs {
            Ok(costs) => table::short_row(name, median(&costs)),
            Err(error) => println!("| {name} | not measured: {error:#} | | |"),
        }
        Ok(())
    }
}

fn gzip(image: &Image) -> Command {
    // Each layer by itself, as the concatenation of several would end at the first archive's end.
    let script = "for blob; do gzip -dc \"$blob\" | tar -t >/dev/null || exit; done";
    let mut gzip = command("sh", ["-c", script, "sh"]);
    gzip.args(&image.blobs);
    gzip
}

pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("`{}` cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn size_of(path: &Path) -> Result<u64> {
    if !path.is_dir() {
        return Ok(path.metadata()?.len());
    }
    std::fs::read_dir(path)?.try_fold(0, |sum, entry| Ok(sum + size_of(&entry?.path())?))
}
