//! Which files of an image a running container really used.
//!
//! Written by the agent, read by `scan --running` and `affected`: a vulnerable package whose files
//! were opened or executed comes before one that merely lies there.

use crate::Container;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Version of the JSON form.
pub const USAGE_SCHEMA: &str = "lazaret.usage/1";

/// What one container used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// [`USAGE_SCHEMA`].
    pub schema: String,
    /// The container.
    pub container: Container,
    /// Since when it was watched, RFC 3339, UTC.
    pub since: String,
    /// Whether it was watched from its start, so that what is not listed was not used.
    pub complete: bool,
    /// When this was written, RFC 3339, UTC.
    pub until: String,
    /// Paths without a leading slash, as the image names them: opened files and executed programs.
    pub files: BTreeSet<String>,
    /// How many events were lost; more than none means that the list may lack some.
    pub lost: u64,
}

/// Whether a package was used by a running container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Used {
    /// One of its files was opened or executed.
    Loaded,
    /// It was watched from the start, and none was.
    NotLoaded,
    /// It cannot be told: no agent watched, or not from the start, or the package lists no files.
    Unknown,
}
