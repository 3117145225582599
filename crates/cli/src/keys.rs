//! `lazaret key`: makes keys to seal with.

use crate::args::KeyCommand;
use crate::exit::{Exit, Failure};
use crate::output;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub(crate) fn run(command: KeyCommand) -> Result<Exit, Failure> {
    let KeyCommand::New { file } = command;
    let mut name = file.clone().into_os_string();
    name.push(".pub");
    let public_file = PathBuf::from(name);
    let (secret, public) =
        seal::key::generate().map_err(|error| Failure::new(Exit::Internal, error))?;
    create(&file, &secret, 0o600)?;
    create(&public_file, &public, 0o644)?;
    let keys = seal::VerifyingKey::parse(public.as_bytes()).map_err(Failure::usage)?;
    output::print_lines(|out| {
        for key in &keys {
            writeln!(out, "{}", key.fingerprint())?;
        }
        writeln!(out, "private key  {}  keep it secret, and a copy of it safe", file.display())?;
        writeln!(out, "public key   {}", public_file.display())
    })?;
    Ok(Exit::Clean)
}

/// A key is never written over: what it sealed could not be sealed again.
fn create(file: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let fail = |error: std::io::Error| {
        let shown = file.display();
        Failure::usage(match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!(
                    "`{shown}` is there already, and a key is never written over; choose another file"
                )
            }
            _ => format!("cannot write `{shown}`: {error}"),
        })
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut opened = options.open(file).map_err(fail)?;
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).map_err(fail)
}
