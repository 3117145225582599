//! `bench db`: what the database costs at the size of the public bucket.
//!
//! A bucket of made-up records is served on loopback, by a server that keeps connections as real ones
//! do. Measured are the first fetch and build of all, an update where little has changed, and the start
//! of a scan that uses what was built. The goals stand beside the figures.

use super::{Bench, cache_folder, remove, size_of};
use crate::measure::{Cost, cost, median};
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testkit::Bucket;

const USAGE: &str = "\
usage: cargo xtask bench db [OPTION…]
  --part N           a bucket of one Nth of the real size (default 1)
  --rounds N         how often short runs are measured (default 15)
  --without-build    take the release binaries as they are
  --program FILE     measure this program
  --cache FOLDER     where the bucket is kept (default: the user's cache folder)";

/// How many records change between two updates.
const CHANGED: u32 = 500;

struct Options {
    part: u32,
    rounds: usize,
    build: bool,
    program: Option<PathBuf>,
    cache: PathBuf,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Option<Self>> {
        let cache = cache_folder()?;
        let mut options = Self { part: 1, rounds: 15, build: true, program: None, cache };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().with_context(|| format!("`{word}` needs a value\n{USAGE}"));
            match *word {
                "--part" => options.part = value()?.parse().context("`--part` takes a number")?,
                "--rounds" => {
                    options.rounds = value()?.parse().context("`--rounds` takes a number")?;
                }
                "--without-build" => options.build = false,
                "--program" => options.program = Some(PathBuf::from(value()?)),
                "--cache" => options.cache = PathBuf::from(value()?),
                "--help" | "-h" => return Ok(None),
                other => bail!("`{other}` is not an option\n{USAGE}"),
            }
        }
        Ok(Some(options))
    }
}

/// Makes the bucket, measures, prints a table in Markdown.
pub(crate) fn database(root: &Path, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{USAGE}");
        return Ok(());
    };
    std::fs::create_dir_all(&options.cache)?;
    let cache = options.cache.canonicalize()?;
    let mut bench = Bench::new(root, cache, options.build)?;
    if let Some(program) = options.program {
        bench.lazaret = program.canonicalize()?;
    }
    let folder = bench.cache.join(format!("bucket-{}", options.part));
    let mut bucket = if folder.join("ecosystems.txt").is_file() {
        Bucket::known(&folder, options.part)?
    } else {
        eprintln!("making a bucket in `{}` …", folder.display());
        Bucket::write(&folder, options.part)?
    };
    let url = serve(&folder)?;
    let database = bench.cache.join("db-bucket");
    remove(&database)?;
    println!(
        "\n| the database at real size | CPU s | wall s | peak MB | goal |\n|---|---:|---:|---:|---|"
    );
    let update = |name: &str, goal: &str| -> Result<()> {
        let mut update = Command::new(&bench.lazaret);
        update.args(["db", "update", "--quiet", "--from", &url, "--db"]).arg(&database);
        row(name, cost(&bench.xtask, &mut update, &[])?, goal);
        Ok(())
    };
    update("first fetch and build of all", "20 CPU s, 300 MB")?;
    update("first look at the lists", "")?;
    bucket.change(CHANGED)?;
    update(&format!("update with {CHANGED} changes"), "1 CPU s")?;
    update("update without changes", "")?;
    start(&bench, &database, options.rounds)?;
    println!("\nThe database takes {:.1} MB.", size_of(&database)? as f64 / 1e6);
    Ok(())
}

/// A scan of two lock files.
fn start(bench: &Bench, database: &Path, rounds: usize) -> Result<()> {
    let subject = bench.cache.join("small");
    std::fs::create_dir_all(&subject)?;
    let affected = |ecosystem| Bucket::affected(ecosystem).context("no library of the bucket");
    let (name, version) = affected("PyPI")?;
    std::fs::write(subject.join("requirements.txt"), format!("{name}=={version}\n"))?;
    let (name, version) = affected("npm")?;
    let packages = format!(
        r#"{{"lockfileVersion":3,"packages":{{"":{{"name":"a"}},"node_modules/{name}":{{"version":"{version}"}}}}}}"#
    );
    std::fs::write(subject.join("package-lock.json"), packages)?;
    let empty = bench.cache.join("empty");
    std::fs::create_dir_all(&empty)?;
    let command = |subject: &Path| {
        let mut scan = Command::new(&bench.lazaret);
        scan.args(["scan", "--offline", "--quiet", "--no-db-update", "--fail-on", "negligible"]);
        scan.arg("--db").arg(database).arg(subject);
        scan
    };
    // What finds nothing may have read nothing.
    let status = command(&subject).output()?.status;
    if status.code() != Some(1) {
        bail!("the libraries in `{}` should have findings: {status}", subject.display());
    }
    let scan = |subject: &Path| -> Result<Option<Cost>> {
        let costs: Result<Vec<Cost>> =
            (0..rounds).map(|_| cost(&bench.xtask, &mut command(subject), &[1, 3])).collect();
        Ok(median(&costs?))
    };
    if let Some(cost) = scan(&subject)? {
        row("scan of a small folder", cost, "10 CPU ms");
    }
    if let Some(cost) = scan(&empty)? {
        row("scan of an empty folder", cost, "");
    }
    Ok(())
}

fn row(name: &str, Cost { cpu, wall, peak }: Cost, goal: &str) {
    println!("| {name} | {cpu:.3} | {wall:.3} | {peak:.0} | {goal} |");
}

/// Serves a folder on a port of its own, until the program ends.
fn serve(folder: &Path) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            std::thread::spawn(move || {
                // A client that went away is its own affair.
                let _ = answer(&stream, &folder);
            });
        }
    });
    Ok(url)
}

/// Answers the requests of one connection.
fn answer(stream: &TcpStream, folder: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut known) = (String::new(), None);
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(("if-none-match", tag)) =
                line.to_ascii_lowercase().split_once(':').map(|(name, tag)| (name, tag.trim()))
            {
                known = Some(tag.to_owned());
            }
        }
        let path = first.split(' ').nth(1).unwrap_or_default().replace("%20", " ");
        reply(stream, folder, &path, known.as_deref())?;
    }
}

fn reply(mut stream: &TcpStream, folder: &Path, path: &str, known: Option<&str>) -> io::Result<()> {
    let path = Path::new(path.trim_start_matches('/'));
    let sound = path.components().all(|part| matches!(part, Component::Normal(_)));
    let file = if sound { File::open(folder.join(path)).ok() } else { None };
    let Some(mut file) = file.filter(|file| file.metadata().is_ok_and(|of| of.is_file())) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    };
    let metadata = file.metadata()?;
    let changed = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", metadata.len(), changed.as_nanos());
    if known == Some(tag.as_str()) {
        return stream.write_all(format!("HTTP/1.1 304 Same\r\netag: {tag}\r\n\r\n").as_bytes());
    }
    let length = metadata.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\netag: {tag}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    io::copy(&mut file, &mut stream).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_answers_twice_on_one_connection() {
        let folder = tempfile::tempdir().unwrap();
        Bucket::write(folder.path(), 100_000).unwrap();
        let url = serve(folder.path()).unwrap();
        let stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
        let mut reader = BufReader::new(&stream);
        for _ in 0..2 {
            (&stream).write_all(b"GET /ecosystems.txt HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(line.trim(), "HTTP/1.1 200 OK");
            let length = std::fs::metadata(folder.path().join("ecosystems.txt")).unwrap().len();
            let mut all = Vec::new();
            while !all.ends_with(b"\r\n\r\n") {
                reader.read_until(b'\n', &mut all).unwrap();
            }
            let mut body = vec![0; usize::try_from(length).unwrap()];
            io::Read::read_exact(&mut reader, &mut body).unwrap();
            assert!(body.starts_with(b"AlmaLinux\n"));
        }
    }
}
