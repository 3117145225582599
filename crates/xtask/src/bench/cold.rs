//! `bench cold`: from nothing to a verdict. The program over HTTP, the advisories over HTTP, the image
//! from a registry, all on loopback and counted in seconds and bytes, beside Trivy's package scan.
//!
//! Each round begins with empty folders. The registry is the real one; relays stand before it and
//! before the file server, and count what goes through them. Trivy's own database cannot be had
//! without its host, so it lists packages and matches nothing: it does less, and the table says so.

use super::{Bench, Options, USAGE, images, peers, remove, table};
use crate::measure::{Cost, cost, median};
use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;
use testkit::http::Server;
use testkit::registry::{RegistryDaemon, RegistryOptions};

const IMAGE: &str = "debian";
const TOOLS: [&str; 2] = ["Lazaret", "Trivy"];

/// What one tool cost in one round.
#[derive(Clone, Copy)]
struct Round {
    /// Seconds until the program was there.
    fetched: f64,
    run: Cost,
    program: u64,
    advisories: u64,
    image: u64,
}

/// Measures and prints a table in Markdown.
pub(crate) fn cold(root: &Path, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{USAGE}");
        return Ok(());
    };
    std::fs::create_dir_all(&options.cache)?;
    let cache = options.cache.canonicalize()?;
    let trivy = match options.peers {
        true => {
            let all = peers::fetch(&cache.join("peers"))?;
            all.into_iter().find(|peer| peer.name == "Trivy")
        }
        false => None,
    };
    let images = images::make(&cache.join("images"), &[IMAGE.to_owned()])?;
    let image = images.first().context("the image was not made")?;
    let bench = Bench::new(root, cache, options.build)?;
    let Some(registry) = RegistryDaemon::start(RegistryOptions::default()) else {
        bail!("a registry is needed: install docker-registry, skopeo and openssl");
    };
    registry.push(&image.folder, "debian:bench");
    let served = bench.served(trivy.as_ref().map(|peer| peer.program.as_path()))?;
    let files = Server::files(&served)?;
    let address = files.url().trim_start_matches("http://").trim_end_matches('/');
    let cold =
        Cold { bench, files: Relay::start(address)?, registry: Relay::start(registry.host())? };
    let mut all: [Vec<Round>; 2] = Default::default();
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for (tool, rounds) in TOOLS.into_iter().zip(&mut all) {
            if tool == "Lazaret" || trivy.is_some() {
                rounds.push(cold.round(tool)?);
            }
        }
    }
    print(image, options.rounds, &all);
    remove(&served)
}

impl Bench {
    /// A folder with all that is fetched over HTTP: the programs and the advisories.
    fn served(&self, trivy: Option<&Path>) -> Result<PathBuf> {
        let folder = self.cache.join("served");
        remove(&folder)?;
        std::fs::create_dir_all(folder.join("advisories"))?;
        symlink(&self.lazaret, folder.join("Lazaret"))?;
        if let Some(trivy) = trivy {
            symlink(trivy, folder.join("Trivy"))?;
        }
        let source = self.source();
        let entries = std::fs::read_dir(&source)?.map(|entry| entry.map(|entry| entry.path()));
        let mut entries: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
        // The catalogue of exploited vulnerabilities lies beside the advisories.
        entries.extend(Some(source.join("../cisa-kev")).filter(|beside| beside.is_dir()));
        for path in entries {
            let name = path.file_name().context("a path without a name")?;
            symlink(path.canonicalize()?, folder.join("advisories").join(name))?;
        }
        Ok(folder)
    }
}

struct Cold {
    bench: Bench,
    files: Relay,
    registry: Relay,
}

impl Cold {
    /// One tool, from nothing.
    fn round(&self, tool: &str) -> Result<Round> {
        let home = self.bench.cache.join("cold-home");
        remove(&home)?;
        std::fs::create_dir_all(&home)?;
        let (before_files, before_image) = (self.files.count(), self.registry.count());
        let start = Instant::now();
        let program = home.join(tool);
        self.fetch(tool, &program)?;
        let fetched = start.elapsed().as_secs_f64();
        let program_bytes = self.files.count() - before_files;
        let mut run = Command::new(&program);
        run.env("HOME", &home).env("XDG_CACHE_HOME", home.join("cache"));
        let image = format!("{}/debian:bench", self.registry.address);
        match tool {
            "Lazaret" => {
                run.args(["scan", "--quiet", "--db"]).arg(home.join("db"));
                run.arg("--db-source").arg(format!("http://{}/advisories", self.files.address));
                run.arg("--cache-dir").arg(home.join("facts"));
                run.arg("-o").arg(format!("json={}", home.join("report.json").display()));
                run.arg(format!("registry:{image}"));
            }
            _ => {
                run.args(["image", "--quiet", "--format", "cyclonedx", "--offline-scan"]);
                run.args(["--skip-db-update", "--skip-java-db-update", "--timeout", "30m"]);
                run.args(["--image-src", "remote", "--insecure", "--cache-dir"]);
                run.arg(home.join("kept")).arg("--output").arg(home.join("sbom.json")).arg(image);
            }
        }
        let cost = cost(&self.bench.xtask, &mut run, &[1, 3])?;
        let round = Round {
            fetched,
            run: cost,
            program: program_bytes,
            advisories: self.files.count() - before_files - program_bytes,
            image: self.registry.count() - before_image,
        };
        remove(&home)?;
        Ok(round)
    }

    /// As `curl -o` does.
    fn fetch(&self, name: &str, to: &Path) -> Result<()> {
        let mut stream = TcpStream::connect(&self.files.address)?;
        let host = &self.files.address;
        write!(stream, "GET /{name} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let body = head.and_then(|head| answer.get(head + 4..)).unwrap_or_default();
        if !answer.starts_with(b"HTTP/1.1 200") || body.is_empty() {
            bail!("`{name}` was not served");
        }
        std::fs::write(to, body)?;
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// A relay on loopback that counts what comes back.
struct Relay {
    address: String,
    received: Arc<AtomicU64>,
}

impl Relay {
    fn start(target: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let received = Arc::new(AtomicU64::new(0));
        let (count, target) = (Arc::clone(&received), target.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (count, target) = (Arc::clone(&count), target.clone());
                thread::spawn(move || {
                    // A connection that breaks is seen by the tool that is measured.
                    let _ = relay(&client, &target, &count);
                });
            }
        });
        Ok(Self { address, received })
    }

    fn count(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }
}

fn relay(client: &TcpStream, target: &str, received: &AtomicU64) -> Result<()> {
    let server = TcpStream::connect(target)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut server, mut client) = (server, client);
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = server.read(&mut buffer)?;
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
        // Counted before it is passed on, so that a tool that has ended has been counted.
        received.fetch_add(u64::try_from(count)?, Ordering::SeqCst);
        if client.write_all(piece).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = upward.join();
    Ok(())
}

fn print(image: &images::Image, rounds: usize, all: &[Vec<Round>; 2]) {
    println!(
        "From nothing to the verdict on **{}** ({}, {:.0} MB gzip) in a registry on loopback; \
         medians of {rounds}.\n",
        image.name,
        image.title,
        table::megabytes(image.packed)
    );
    println!(
        "| | program s | program MB | advisories MB | image MB | run wall s | run CPU s | peak MB | all s | all MB |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for (tool, rounds) in TOOLS.into_iter().zip(all) {
        let runs: Vec<Cost> = rounds.iter().map(|round| round.run).collect();
        let whole = |round: &Round| Cost { wall: round.fetched + round.run.wall, ..round.run };
        let (Some(run), Some(fetched), Some(whole), Some(last)) = (
            median(&runs),
            median(
                &rounds.iter().map(|one| Cost { wall: one.fetched, ..one.run }).collect::<Vec<_>>(),
            ),
            median(&rounds.iter().map(whole).collect::<Vec<_>>()),
            rounds.last(),
        ) else {
            println!("| {tool} | not measured | | | | | | | | |");
            continue;
        };
        let advisories = match last.advisories {
            0 => "none".to_owned(),
            bytes => format!("{:.1}", table::megabytes(bytes)),
        };
        println!(
            "| {tool} | {:.2} | {:.1} | {advisories} | {:.1} | {:.2} | {:.2} | {:.0} | {:.2} | {:.1} |",
            fetched.wall,
            table::megabytes(last.program),
            table::megabytes(last.image),
            run.wall,
            run.cpu,
            run.peak,
            whole.wall,
            table::megabytes(last.program + last.advisories + last.image),
        );
    }
    println!(
        "\nTrivy lists packages here and matches none: its database cannot be had on loopback."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_counts_what_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), vec![7; 100_000]).unwrap();
        let server = Server::files(folder.path()).unwrap();
        let relay = Relay::start(server.url().trim_start_matches("http://")).unwrap();
        let mut stream = TcpStream::connect(&relay.address).unwrap();
        write!(stream, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.len() > 100_000);
        assert_eq!(relay.count(), answer.len() as u64);
    }
}
