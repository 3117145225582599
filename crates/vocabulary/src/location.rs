//! Where a finding or a package is.
//!
//! One primary location each. Paths are relative to the root of the subject, without a leading
//! slash; a file inside an archive follows its archive after `!/`, as in `app/a.jar!/lib/b.jar`.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in a subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Location {
    /// The subject as a whole.
    Subject,
    /// A layer of an image.
    Layer {
        /// Its place, counted from 0 at the bottom.
        index: u32,
        /// Its diffID.
        diff_id: Digest,
    },
    /// A file.
    File {
        /// Path in the subject.
        path: String,
        /// The layer that holds it, counted from 0 at the bottom; none in a directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<u32>,
        /// Line, counted from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
    },
    /// A process in a container.
    Process {
        /// Id of the container.
        container: String,
        /// Process id in the host's numbering.
        pid: u32,
        /// The program's path as the container sees it, without a leading slash.
        path: String,
    },
}

impl Location {
    /// A file without a line.
    #[must_use]
    pub fn file(path: impl Into<String>, layer: Option<u32>) -> Self {
        Self::File { path: path.into(), layer, line: None }
    }

    /// The path, if it is a file or a program.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File { path, .. } | Self::Process { path, .. } => Some(path),
            Self::Subject | Self::Layer { .. } => None,
        }
    }

    /// The layer's index, if it lies in one.
    #[must_use]
    pub const fn layer(&self) -> Option<u32> {
        match self {
            Self::File { layer, .. } => *layer,
            Self::Layer { index, .. } => Some(*index),
            Self::Subject | Self::Process { .. } => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject => formatter.write_str("(whole subject)"),
            Self::Layer { index, diff_id } => {
                write!(formatter, "layer {index} ({})", diff_id.short())
            }
            Self::File { path, line: Some(line), .. } => write!(formatter, "{path}:{line}"),
            Self::File { path, line: None, .. } => formatter.write_str(path),
            Self::Process { container, pid, path } => {
                let short = container.get(..12).unwrap_or(container);
                write!(formatter, "{path} (process {pid} in container {short})")
            }
        }
    }
}
