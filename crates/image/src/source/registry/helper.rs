//! Programs that keep credentials: `docker-credential-NAME get`, the host on standard input, JSON on
//! standard output.
//!
//! Source: "Credential helpers" of docker-credential-helpers. A helper may ask a cloud service, or wait
//! for a key ring that no one unlocks: it has a bounded time, and its output a bounded length.

use crate::error::RegistryError;
use serde::Deserialize;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// How long a helper may take: those of clouds ask their service over the network.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that a helper may print; tokens of clouds have some 4,000.
const OUTPUT_BYTES: u64 = 64 << 10;

/// What helpers print where they know no credentials for a host.
const NOT_FOUND: &[&str] = &["credentials not found", "no credentials"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// A name and its secret, where a helper knows them.
pub type Login = Option<(String, String)>;

/// Whoever runs helpers for a process that may itself start no programs.
pub trait Helpers: std::fmt::Debug + Send + Sync {
    /// Name and secret for a host; none where the helper knows none.
    ///
    /// # Errors
    /// Why it could not be asked.
    fn get(&self, name: &str, host: &str) -> Result<Login, String>;
}

/// Name and secret for a host; none where the helper knows none.
pub(super) fn get(
    name: &str,
    host: &str,
    helpers: Option<&dyn Helpers>,
) -> Result<Login, RegistryError> {
    let found = match helpers {
        Some(helpers) => helpers.get(name, host),
        None => run_helper(name, host),
    };
    found.map_err(|reason| RegistryError::Helper {
        name: name.chars().filter(|letter| !letter.is_control()).take(80).collect(),
        host: host.to_owned(),
        reason,
    })
}

/// Runs a helper.
///
/// # Errors
/// Why it could not be asked.
pub fn run_helper(name: &str, host: &str) -> Result<Login, String> {
    let word = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || !name.chars().all(word) {
        return Err("its name is none".to_owned());
    }
    let began = Instant::now();
    let program = find(&format!("docker-credential-{name}"))
        .ok_or_else(|| "it is in no folder of PATH".to_owned())?;
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let output = output(&mut child, host);
    let succeeded = end(&mut child, began);
    let output =
        output.ok_or_else(|| format!("it did not answer in {} seconds", PATIENCE.as_secs()))?;
    if output.len() as u64 > OUTPUT_BYTES {
        return Err("it prints too much".to_owned());
    }
    if !succeeded {
        let text = String::from_utf8_lossy(&output).to_lowercase();
        return match NOT_FOUND.iter().any(|known| text.contains(known)) {
            true => Ok(None),
            false => Err("it failed".to_owned()),
        };
    }
    let answer: Answer = serde_json::from_slice(&output)
        .map_err(|_| "what it prints is not the JSON of a helper".to_owned())?;
    Ok((!answer.secret.is_empty()).then_some((answer.username, answer.secret)))
}

/// A program of PATH; in relative folders nothing is looked for, lest one lies where we were started.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// What it prints until it closes its output; none where that takes too long.
fn output(child: &mut Child, host: &str) -> Option<Vec<u8>> {
    if let Some(mut input) = child.stdin.take() {
        // One that does not read is judged by what it prints.
        let _ = writeln!(input, "{host}");
    }
    let printed = child.stdout.take()?;
    let (send, received) = sync_channel(1);
    let read = move || {
        let mut bytes = Vec::new();
        let _ = printed.take(OUTPUT_BYTES + 1).read_to_end(&mut bytes);
        let _ = send.send(bytes);
    };
    std::thread::Builder::new().spawn(read).ok()?;
    received.recv_timeout(PATIENCE).ok()
}

/// Waits for its end, or brings it about. Whether it succeeded.
fn end(child: &mut Child, began: Instant) -> bool {
    while began.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", "../x", "a/b", "a b", "a;b", "a\n"] {
            let error = get(name, "a.test", None).unwrap_err().to_string();
            assert!(error.contains("its name is none"), "{name}: {error}");
        }
        let error = get("there-is-no-such-helper", "a.test", None).unwrap_err().to_string();
        assert!(error.contains("docker-credential-there-is-no-such-helper"), "{error}");
    }
}
