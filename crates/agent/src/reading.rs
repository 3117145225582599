//! What of a container's files is read, and what comes of it. All of it is done by [`Readers`].
//!
//! In go what a container ran or opened and the processes whose files are in use, out come digests for
//! the judgement and paths for the list of what was used.

use crate::case::Case;
use crate::content::is_file_beneath;
use crate::digests::Shared;
use crate::readers::{Pulse, Work};
use crate::watched::Wanted;
use std::collections::HashMap;
use std::path::PathBuf;
use vocabulary::Digest;

/// What a question is about.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A program that began.
    Case(Box<Case>),
    /// So many paths that a container opened.
    Opened { container: String, paths: usize },
    /// What processes of a container have mapped.
    Mapped { container: String },
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Read {
    /// The digest of a program, where it could be had, and whether the file may have held something
    /// else when it began.
    Program { digest: Option<Digest>, doubtful: bool },
    /// Paths, each with whether the image has it.
    Used(Vec<(String, bool)>),
}

/// Reads and hashes a program.
pub(crate) fn program(wanted: Wanted, digests: Shared) -> Work<Read> {
    Box::new(move |pulse| {
        let nothing = Read::Program { digest: None, doubtful: false };
        let Some(mut found) = wanted.open() else { return nothing };
        let digest = digests.of(&mut found.program, pulse);
        Read::Program { digest, doubtful: found.doubtful }
    })
}

/// Says of each path whether the image has it.
pub(crate) fn used(layers: &[PathBuf], paths: Vec<String>, pulse: &Pulse) -> Read {
    let in_image = |path: &String| {
        pulse.beat();
        layers.is_empty() || layers.iter().any(|layer| is_file_beneath(layer, path))
    };
    Read::Used(
        paths
            .into_iter()
            .map(|path| (in_image(&path), path))
            .map(|(is, path)| (path, is))
            .collect(),
    )
}

/// Paths that containers opened in this turn.
pub(crate) type Opened = HashMap<String, Vec<String>>;
