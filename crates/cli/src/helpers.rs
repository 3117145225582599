//! Programs that keep credentials, run by a process of their own.
//!
//! The process that reads images starts no programs. Where Docker's `config.json` names helpers and a
//! registry may be asked, it starts itself once more before it gives that up, and asks that second
//! process: a line with a helper's name and a host goes in, a line of JSON comes out. The second
//! process reads nothing else, so no image can speak to it but through names that `config.json` could
//! hold.

use crate::exit::{Exit, Failure};
use image::{Helpers, Login};
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Bytes of an answer: a helper's output is bounded, and JSON may double it.
const ANSWER_BYTES: u64 = 256 << 10;
/// Bytes of a question: a helper's name and a host.
const QUESTION_BYTES: u64 = 4 << 10;
/// Bytes of `config.json` that are looked through.
const CONFIG_BYTES: u64 = 1 << 20;

/// Whether a `config.json` may name helpers.
pub(crate) fn are_named(config: &Path) -> bool {
    let mut text = Vec::new();
    let read = files::read_start(config, CONFIG_BYTES, &mut text);
    // `credsStore` and `credHelpers`, however they are written.
    read.is_ok() && String::from_utf8_lossy(&text).contains("\"cred")
}

/// The second process.
#[derive(Debug)]
pub(crate) struct Broker {
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _child: Child,
}

impl Broker {
    /// Starts it.
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("credential-helpers")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no pipes"));
        };
        Ok(Self { pipes: Mutex::new((input, BufReader::new(output))), _child: child })
    }

    fn ask(&self, name: &str, host: &str) -> io::Result<String> {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (input, output) = &mut *pipes;
        let question = serde_json::to_string(&(name, host))?;
        writeln!(input, "{question}")?;
        input.flush()?;
        let mut answer = String::new();
        output.take(ANSWER_BYTES).read_line(&mut answer)?;
        Ok(answer)
    }
}

impl Helpers for Broker {
    fn get(&self, name: &str, host: &str) -> Result<Login, String> {
        let failed = |error: &dyn std::fmt::Display| format!("it cannot be run: {error}");
        let answer = self.ask(name, host).map_err(|error| failed(&error))?;
        serde_json::from_str(&answer)
            .map_err(|_| failed(&"the process that runs helpers has ended"))
            .and_then(|answer: Result<Login, String>| answer)
    }
}

/// The second process itself: answers until nobody asks any more.
pub(crate) fn serve() -> Result<Exit, Failure> {
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = io::stdout().lock();
    loop {
        let mut question = String::new();
        if input.by_ref().take(QUESTION_BYTES).read_line(&mut question)? == 0 {
            return Ok(Exit::Clean);
        }
        let answer = match serde_json::from_str::<(String, String)>(&question) {
            Ok((name, host)) => image::run_helper(&name, &host),
            Err(_) => Err("its name is none".to_owned()),
        };
        let answer = serde_json::to_string(&answer).map_err(anyhow::Error::from)?;
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
}
