//! Refuses folders of ours (cache, state, database) that somebody else may write: what lies in them is
//! believed.

use crate::exit::Failure;
use files::Folder;
use std::io;
use std::path::{Path, PathBuf};

/// The folder itself, if nobody but us and root may write it, or it is not there yet. What else is
/// wrong with it is said by whoever opens it.
pub(crate) fn ours(what: &str, flag: &str, folder: PathBuf) -> Result<PathBuf, Failure> {
    match Folder::trusted(&folder) {
        Err(error) if files::is_refusal(&error) => Err(refusal(what, flag, &folder, &error)),
        _ => Ok(folder),
    }
}

fn refusal(what: &str, flag: &str, folder: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("the {what} `{}` is not used: {error} ({flag})", folder.display()))
}
