//! Looks at the values of flags before anything is done by them: what is wrong with one is said at
//! once, and not after minutes of reading, or never where this run happens not to need it.
//!
//! A pipe is left alone, since it can be read only once.

use crate::args::{Command, DatabaseArgs, OutputArgs, PolicyCommand};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::world::World;
use seal::VerifyingKey;
use std::path::Path;

/// Looks at the values of a command, and of all commands.
pub(crate) fn values(world: &World, command: &Command) -> Result<(), Failure> {
    let database = match command {
        // They do nothing by any value.
        Command::Config(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::CredentialHelpers => return Ok(()),
        Command::Scan(args) => Some(&args.database),
        Command::Diff(args) => Some(&args.database),
        Command::Affected(args) => Some(&args.database),
        Command::Policy(command) => match &**command {
            PolicyCommand::Test(args) => Some(&args.database),
            PolicyCommand::Check { .. } | PolicyCommand::Schema => None,
        },
        _ => None,
    };
    if world.global.ca_file.as_deref().is_some_and(|file| !is_pipe(file)) {
        let roots = world.fetching().roots;
        roots.check_added().map_err(|error| Failure::new(Exit::Usage, error))?;
    }
    database.map_or(Ok(()), sources)
}

/// Where advisories come from, and whose key is believed.
fn sources(args: &DatabaseArgs) -> Result<(), Failure> {
    if let Some(file) = args.db_key.as_deref().filter(|file| !is_pipe(file)) {
        VerifyingKey::load(file).map_err(|error| Failure::new(Exit::Usage, error))?;
    }
    let folder = args.db_source.as_deref().filter(|source| {
        !["http://", "https://", "oci:"].iter().any(|scheme| source.starts_with(scheme))
    });
    match folder.filter(|folder| !Path::new(folder).exists()) {
        None => Ok(()),
        Some(folder) => Err(Failure::usage(format!(
            "`{folder}`, named by --db-source, is not there; name a folder or a URL"
        ))),
    }
}

/// Looks whether each result has a folder to go to.
pub(crate) fn outputs(args: &OutputArgs) -> Result<(), Failure> {
    for output in &args.output {
        let file = output.file.as_path();
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        // The name of a subject may be in that of the folder, too.
        let Some(folder) = folder.filter(|folder| !output::has_place(folder)) else { continue };
        if !output::is_stream(file)
            && let Err(error) = std::fs::metadata(folder)
        {
            return Err(Failure::usage(format!("cannot write `{}`: {error}", file.display())));
        }
    }
    Ok(())
}

fn is_pipe(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| !metadata.is_file())
}
