//! Why a program counts as not in the image.

use vocabulary::{Confidence, Severity};

/// Why a program counts as not in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The image has no program at that path.
    Dropped,
    /// The image has another content at that path.
    Changed,
    /// The image has that content, but at another path.
    Copied,
    /// It lies in memory only.
    Memory,
    /// It lies on a volume or tmpfs, not in the image.
    Mounted,
    /// A script, started by its own name, that the image does not hold.
    Script,
    /// Its content could not be read, so that nothing says it is the sealed one.
    NoDigest,
    /// The sealed record has no digest for it.
    NotOnRecord,
}

impl Reason {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Dropped => "dropped file",
            Self::Changed => "changed file",
            Self::Copied => "copy of a program of the image under another name",
            Self::Memory => "in memory only",
            Self::Mounted => "on a mounted volume or tmpfs",
            Self::Script => "script that is not in the image",
            Self::NoDigest => "no digest to be had",
            Self::NotOnRecord => "the sealed record has no digest for it",
        }
    }

    /// What cannot be read, or is the image's own content, is less sure to be an attack.
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::Copied | Self::NoDigest => Severity::High,
            Self::NotOnRecord => Severity::Medium,
            Self::Dropped | Self::Changed | Self::Memory | Self::Mounted | Self::Script => {
                Severity::Critical
            }
        }
    }

    /// Where the content was hashed, or has no place in any image, it is seen; else it is not proven.
    pub(crate) const fn confidence(self) -> Confidence {
        match self {
            Self::Dropped
            | Self::Changed
            | Self::Copied
            | Self::Memory
            | Self::Mounted
            | Self::Script => Confidence::Confirmed,
            Self::NoDigest | Self::NotOnRecord => Confidence::Medium,
        }
    }
}
