//! `bench agent`: what guarding costs, on a Docker daemon of its own.
//!
//! Sealing and verifying are measured beside `sha256sum` of the same files, in the same run. What the
//! kernel programs cost is the kernel's own count (`run_time_ns` of bpf_stats, read from the file
//! descriptors of the running agent: Documentation/bpf, fdinfo), over processes that a small program
//! inside a sealed container starts and waits for.

use super::{Bench, images};
use crate::command::{command, output, run};
use crate::measure::{Cost, cost, median};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::engine::DockerDaemon;

const USAGE: &str = "\
usage: cargo xtask bench agent [OPTION…]     (as root)
  --rounds N         how often sealing and verifying are measured (default 5)
  --processes N      how many processes are started (default 20000)
  --programs N       how many programs are dropped (default 50)
  --without-build    take the release binaries as they are
  --cache FOLDER     where images are kept (default: the user's cache folder)";

/// Where the kernel is told to count what its programs cost.
const STATS: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// Starts processes, several at a time, and waits for each: a server under a shell's load.
const FORKER: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
int main(int count, char **words) {
    if (count < 3) return 0;
    long processes = atol(words[1]), lanes = atol(words[2]);
    char *nothing[] = {words[0], NULL}, *empty[] = {NULL};
    double start = now();
    for (long lane = 0; lane < lanes; lane++) {
        if (fork() != 0) continue;
        for (long i = 0; i < processes / lanes; i++) {
            if (vfork() == 0) { execve("/usr/local/bin/forker", nothing, empty); _exit(127); }
            wait(NULL);
        }
        _exit(0);
    }
    while (wait(NULL) > 0) {}
    printf("%.6f\n", now() - start);
    return 0;
}
"#;

struct Options {
    rounds: usize,
    processes: u64,
    programs: u32,
    build: bool,
    cache: PathBuf,
}

/// Makes an image, starts an engine, measures, prints tables in Markdown.
pub(crate) fn agent(root: &Path, words: &[&str]) -> Result<()> {
    let Some(options) = Options::parse(words)? else {
        println!("{USAGE}");
        return Ok(());
    };
    std::fs::create_dir_all(&options.cache)?;
    let cache = options.cache.canonicalize()?;
    let images = images::make(&cache.join("images"), &["debian".to_owned()])?;
    let image = images.first().context("there is no reference image")?;
    let bench = Bench::new(root, cache, options.build)?;
    let daemon = DockerDaemon::start().context("no Docker daemon can be started here")?;
    let guard = Guard::new(bench, daemon, &image.folder)?;
    guard.seals(options.rounds)?;
    guard.kernel(&options)
}

impl Options {
    fn parse(words: &[&str]) -> Result<Option<Self>> {
        let mut options = Self {
            rounds: 5,
            processes: 20_000,
            programs: 50,
            build: true,
            cache: super::cache_folder()?,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().with_context(|| format!("`{word}` needs a value\n{USAGE}"));
            match *word {
                "--rounds" => options.rounds = value()?.parse().context("takes a number")?,
                "--processes" => options.processes = value()?.parse().context("takes a number")?,
                "--programs" => options.programs = value()?.parse().context("takes a number")?,
                "--without-build" => options.build = false,
                "--cache" => options.cache = PathBuf::from(value()?),
                "--help" | "-h" => return Ok(None),
                other => bail!("`{other}` is not an option\n{USAGE}"),
            }
        }
        Ok(Some(options))
    }
}

/// The sealed image, in an engine.
struct Guard {
    bench: Bench,
    daemon: DockerDaemon,
    state: PathBuf,
    folder: PathBuf,
}

const IMAGE: &str = "lazaret-bench:1";

impl Guard {
    fn new(bench: Bench, daemon: DockerDaemon, layout: &Path) -> Result<Self> {
        let folder = daemon.folder().join("bench");
        std::fs::create_dir_all(&folder)?;
        let source = folder.join("forker.c");
        std::fs::write(&source, FORKER)?;
        let forker = folder.join("forker");
        run(command("cc", ["-static", "-O2", "-o"]).arg(&forker).arg(&source))?;
        eprintln!("loading the reference image …");
        let archive = folder.join("image.tar");
        run(command("tar", ["-c", "-f"]).arg(&archive).arg("-C").arg(layout).arg("."))?;
        let loaded = daemon.load(&archive);
        std::fs::remove_file(&archive)?;
        let base = loaded.split_whitespace().last().context("nothing was loaded")?.to_owned();
        let made = daemon.docker(&["create", &base, "sleep", "100000"]);
        let made = made.trim();
        let forker = forker.to_string_lossy().into_owned();
        let _ = daemon.docker(&["cp", &forker, &format!("{made}:/usr/local/bin/forker")]);
        let _ = daemon.docker(&["commit", made, IMAGE]);
        let _ = daemon.docker(&["rm", made]);
        let state = folder.join("state");
        let guard = Self { bench, daemon, state, folder };
        run(guard.lazaret(&["key", "new"]).arg(guard.folder.join("key")))?;
        Ok(guard)
    }

    fn lazaret(&self, words: &[&str]) -> Command {
        let mut lazaret = Command::new(&self.bench.lazaret);
        lazaret.args(words).env("DOCKER_HOST", self.daemon.host());
        lazaret.env("LAZARET_STATE", &self.state).env("LAZARET_OFFLINE", "true");
        lazaret.env("LAZARET_CACHE_DIR", self.folder.join("facts"));
        lazaret
    }

    fn seals(&self, rounds: usize) -> Result<()> {
        let reference = format!("docker:{IMAGE}");
        let (mut sealed, mut verified, mut summed) = (Vec::new(), Vec::new(), Vec::new());
        let layers = self.daemon.data().join("overlay2");
        for round in 1..=rounds {
            eprintln!("round {round} of {rounds}: seal, verify, sha256sum");
            let mut seal = self.lazaret(&["seal", &reference, "--key"]);
            seal.arg(self.folder.join("key"));
            sealed.push(cost(&self.bench.xtask, &mut seal, &[])?);
            let mut verify = self.lazaret(&["verify", &reference]);
            verified.push(cost(&self.bench.xtask, &mut verify, &[])?);
            let script = "find \"$0\"/*/diff -type f -print0 | xargs -0 sha256sum";
            summed.push(cost(&self.bench.xtask, command("sh", ["-c", script]).arg(&layers), &[])?);
        }
        println!("Medians of {rounds}, files in the page cache.\n");
        println!("| | CPU s | wall s | peak MB | CPU × sha256sum |\n|---|---:|---:|---:|---:|");
        let sum = median(&summed).context("nothing was measured")?;
        let row = |name: &str, costs: &[Cost]| {
            if let Some(one) = median(costs) {
                let ratio = one.cpu / sum.cpu.max(1e-6);
                let Cost { cpu, wall, peak } = one;
                println!("| {name} | {cpu:.2} | {wall:.2} | {peak:.0} | {ratio:.2} |");
            }
        };
        row("`sha256sum` of every file", &summed);
        row("`lazaret seal docker:…`", &sealed);
        row("`lazaret verify docker:…`", &verified);
        Ok(())
    }

    fn kernel(&self, options: &Options) -> Result<()> {
        let container = self.daemon.run(IMAGE, "bench", &["sleep", "100000"]);
        let before = std::fs::read_to_string(STATS).unwrap_or_default();
        std::fs::write(STATS, "1").context("the kernel does not count what its programs cost")?;
        let measured = self.watched(container.trim(), options);
        let _ = std::fs::write(STATS, before);
        measured
    }

    fn watched(&self, container: &str, options: &Options) -> Result<()> {
        let alerts = self.folder.join("alerts.jsonl");
        let log = self.folder.join("agent.log");
        let mut agent = self.lazaret(&["agent", "--observe", "-o"]);
        agent.arg(&alerts).stdout(Stdio::null()).stderr(std::fs::File::create(&log)?);
        let mut agent = Agent(agent.spawn()?);
        agent.wait_until_loaded()?;
        let processes = options.processes;
        println!("\n| | |\n|---|---:|");
        for lanes in [1_u32, 2] {
            let (time, runs) = agent.programs()?;
            let elapsed = self.start_processes(container, processes, lanes)?;
            std::thread::sleep(Duration::from_millis(200));
            let (time_after, runs_after) = agent.programs()?;
            let each = ratio(time_after - time, processes) / 1e3;
            let rate = ratio(3 * processes, 1) / elapsed;
            let calls = ratio(runs_after - runs, processes);
            println!(
                "| kernel programs, µs for each fork, exec and exit together ({lanes} at a time, {calls:.1} calls) | {each:.2} |"
            );
            println!("| events a second, {lanes} at a time, as fast as they start | {rate:.0} |");
        }
        self.drop_programs(container, options.programs)?;
        std::thread::sleep(Duration::from_secs(1));
        let peak = agent.peak_megabytes()?;
        println!("| agent, peak memory in MB | {peak:.1} |");
        let cpu = agent.cpu_seconds()?;
        println!("| agent, CPU s over all of this | {cpu:.2} |");
        agent.end()?;
        let log = std::fs::read_to_string(&log)?;
        let last = |line: &'_ str| {
            let (number, rest) = line.rsplit_once("; ")?.1.split_once(' ')?;
            rest.ends_with(" lost").then(|| number.to_owned())
        };
        let lost = log.lines().rev().find_map(last);
        println!("| events lost | {} |", lost.as_deref().unwrap_or("not known"));
        latencies(&alerts, options.programs)
    }

    fn start_processes(&self, container: &str, count: u64, lanes: u32) -> Result<f64> {
        let (count, lanes) = (count.to_string(), lanes.to_string());
        let words = ["exec", container, "/usr/local/bin/forker", &count, &lanes];
        let seconds = self.daemon.docker(&words);
        seconds.trim().parse().context("the forker's time is no number")
    }

    fn drop_programs(&self, container: &str, count: u32) -> Result<()> {
        let script = format!(
            "for i in $(seq {count}); do cp /bin/true /tmp/p$i; echo $i >>/tmp/p$i; /tmp/p$i; done"
        );
        let _ = self.daemon.docker(&["exec", container, "sh", "-c", &script]);
        Ok(())
    }
}

/// How long it took from the kernel's event to the alert.
fn latencies(alerts: &Path, programs: u32) -> Result<()> {
    let text = std::fs::read_to_string(alerts).context("the agent wrote no alerts")?;
    let parse = |line: &str| serde_json::from_str::<Value>(line).ok();
    let mut found: Vec<u64> =
        text.lines().filter_map(|line| parse(line)?.get("latency_us")?.as_u64()).collect();
    found.sort_unstable();
    let named = found.len();
    println!("| dropped programs named, of {programs} | {named} |");
    let middle = found.get(named / 2).copied().unwrap_or_default();
    let most = found.last().copied().unwrap_or_default();
    println!("| from exec to finding, ms: median | {:.1} |", ratio(middle, 1000));
    println!("| from exec to finding, ms: most | {:.1} |", ratio(most, 1000));
    Ok(())
}

fn ratio(value: u64, by: u64) -> f64 {
    let exact = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    // Nanoseconds of many runs go over 32 bits; microseconds do not.
    if value > u64::from(u32::MAX) {
        exact(value / 1000) * 1e3 / exact(by)
    } else {
        exact(value) / exact(by)
    }
}

/// A running agent, ended when it is dropped.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Agent {
    fn wait_until_loaded(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.0.try_wait()? {
                bail!("the agent ended with {status}");
            }
            if self.programs().is_ok() {
                std::thread::sleep(Duration::from_secs(2));
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("the agent loaded no kernel programs")
    }

    /// Its processes: the one that keeps the watching, and the one that watches.
    fn processes(&self) -> Vec<u32> {
        let keeper = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children"));
        let children = children.unwrap_or_default();
        let watching = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(keeper).chain(watching).collect()
    }

    /// Nanoseconds and runs of all its kernel programs.
    fn programs(&self) -> Result<(u64, u64)> {
        let (mut time, mut runs, mut any) = (0, 0, false);
        let folders = self.processes().into_iter().map(|pid| format!("/proc/{pid}/fdinfo"));
        let entries = folders.filter_map(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.flatten().flatten() {
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            let number = |key: &str| -> Option<u64> {
                text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
            };
            if let (Some(its_time), Some(its_runs)) = (number("run_time_ns:"), number("run_cnt:")) {
                (time, runs, any) = (time + its_time, runs + its_runs, true);
            }
        }
        if !any {
            bail!("it has no kernel programs");
        }
        Ok((time, runs))
    }

    /// Of both processes; pages of the program that they share are counted in each.
    fn peak_megabytes(&self) -> Result<f64> {
        self.processes().into_iter().map(peak_megabytes).sum()
    }

    fn cpu_seconds(&self) -> Result<f64> {
        self.processes().into_iter().map(cpu_seconds).sum()
    }

    fn end(&mut self) -> Result<()> {
        let id = i32::try_from(self.0.id())?;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)?;
        self.0.wait()?;
        Ok(())
    }
}

fn peak_megabytes(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = text.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u32>().ok()
    });
    Ok(f64::from(peak.context("no peak memory")?) * 1024.0 / 1e6)
}

fn cpu_seconds(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let behind = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u32>().ok());
    let ticks = ticks(11).zip(ticks(12)).context("no CPU time")?;
    let rate = output(&mut command("getconf", ["CLK_TCK"]))?;
    let rate: u32 = String::from_utf8_lossy(&rate).trim().parse()?;
    Ok(f64::from(ticks.0 + ticks.1) / f64::from(rate))
}
