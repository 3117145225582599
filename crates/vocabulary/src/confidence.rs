//! How sure something is.

use serde::{Deserialize, Serialize};

/// How sure something is: whose a layer is, which package a file is, whether a finding is one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A guess without support.
    #[default]
    None,
    /// One weak sign.
    Low,
    /// The usual shape of such things.
    Medium,
    /// Stated by the thing itself, or by who answers for it.
    High,
    /// Seen: bytes were hashed and compared, a signature was checked, a secret was accepted.
    Confirmed,
}

impl Confidence {
    /// The lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Confirmed => "confirmed",
        }
    }
}
