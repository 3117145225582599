//! What a command costs: CPU seconds, wall seconds, peak memory.
//!
//! The kernel tells the peak memory of children only for all of them together, so each measured
//! command gets a small parent of its own: this program, started as `xtask measured`. Source:
//! getrusage(2).

use crate::command::command;
use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// What a command cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// User and system time of it and its children, in seconds.
    pub(crate) cpu: f64,
    /// Elapsed seconds.
    pub(crate) wall: f64,
    /// Peak resident memory in MB (10⁶ bytes) of the largest process.
    pub(crate) peak: f64,
}

/// Runs a command under `xtask measured` and reads what it cost. `allowed` are the exit codes that
/// count as success besides 0.
pub(crate) fn cost(xtask: &Path, measured: &mut Command, allowed: &[u8]) -> Result<Cost> {
    let folder = std::env::temp_dir().join(format!("lazaret-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("cost.json");
    let mut words = vec!["measured".into(), file.clone().into_os_string()];
    words.push(measured.get_program().to_owned());
    words.extend(measured.get_args().map(ToOwned::to_owned));
    let mut parent = command(&xtask.to_string_lossy(), words);
    parent.envs(measured.get_envs().filter_map(|(name, value)| Some((name, value?))));
    parent.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = parent.output().context("the measuring parent cannot be started")?;
    let report: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    std::fs::remove_dir_all(&folder)?;
    let code = report.get("code").and_then(Value::as_u64);
    if !code.is_some_and(|code| code == 0 || allowed.iter().any(|one| u64::from(*one) == code)) {
        let name = measured.get_program().to_string_lossy();
        bail!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let number = |key: &str| {
        report.get(key).and_then(Value::as_f64).with_context(|| format!("no `{key}` was measured"))
    };
    Ok(Cost { cpu: number("cpu")?, wall: number("wall")?, peak: number("peak")? })
}

/// The parent's part: runs the command, and writes what it cost.
pub(crate) fn child(file: &Path, words: &[&str]) -> Result<ExitCode> {
    let [program, arguments @ ..] = words else { bail!("`measured` needs a command") };
    let start = Instant::now();
    let status = command(program, arguments)
        .status()
        .with_context(|| format!("`{program}` cannot be started"))?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let cpu = Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64();
    // In units of 1024 bytes on Linux.
    let peak = f64::from(i32::try_from(usage.max_rss()).unwrap_or(i32::MAX)) * 1024.0 / 1e6;
    let report =
        json!({"cpu": cpu, "wall": wall.as_secs_f64(), "peak": peak, "code": status.code()});
    std::fs::write(file, report.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// The middle one of each figure.
pub(crate) fn median(costs: &[Cost]) -> Option<Cost> {
    let middle = |figure: fn(&Cost) -> f64| -> Option<f64> {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let half = figures.len() / 2;
        match figures.len() % 2 {
            1 => figures.get(half).copied(),
            _ => Some((figures.get(half.checked_sub(1)?)? + figures.get(half)?) / 2.0),
        }
    };
    Some(Cost {
        cpu: middle(|cost| cost.cpu)?,
        wall: middle(|cost| cost.wall)?,
        peak: middle(|cost| cost.peak)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_figure() {
        let cost = |cpu| Cost { cpu, wall: 10.0 - cpu, peak: 1.0 };
        assert_eq!(median(&[cost(3.0), cost(1.0), cost(9.0)]), Some(cost(3.0)));
        assert_eq!(median(&[cost(1.0), cost(3.0)]).unwrap().cpu, 2.0);
        assert_eq!(median(&[]), None);
    }
}
