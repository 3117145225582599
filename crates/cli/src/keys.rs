//! `lazaret key`: makes keys to seal with.

use crate::args::KeyCommand;
use crate::exit::{Exit, Failure};
use crate::output;
use files::Access;
use std::path::{Path, PathBuf};

pub(crate) fn run(command: KeyCommand) -> Result<Exit, Failure> {
    let KeyCommand::New { file } = command;
    let mut name = file.clone().into_os_string();
    name.push(".pub");
    let public_file = PathBuf::from(name);
    let (secret, public) =
        seal::key::generate().map_err(|error| Failure::new(Exit::Internal, error))?;
    create(&file, &secret, Access::Private)?;
    // A private key whose public half is missing would be in the way of the next attempt.
    create(&public_file, &public, Access::Shared).inspect_err(|_| files::remove(&file))?;
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
fn create(file: &Path, text: &str, access: Access) -> Result<(), Failure> {
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
    files::create_new(file, text.as_bytes(), access).map_err(fail)
}
