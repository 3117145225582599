//! How bad a finding is.
//!
//! `Unknown` is a level of its own and sorts lowest only for display; a threshold never reads it as
//! low. The bands are those of CVSS v3.1, section 5.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The severity levels, least first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// No source rates it. Shown and counted apart, never treated as low.
    #[default]
    Unknown,
    /// CVSS 0.0, or what a distribution calls negligible or unimportant.
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// All levels, worst first, `Unknown` last: the order of tables.
    pub const WORST_FIRST: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Negligible, Self::Unknown];

    /// The level of a CVSS base score (0.0 to 10.0).
    #[must_use]
    pub fn from_score(score: f64) -> Self {
        match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Negligible,
        }
    }

    /// The lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::WORST_FIRST
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!("`{text}` is not a severity; use critical, high, medium, low, negligible or unknown")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_of_a_score_are_those_of_cvss() {
        // CVSS v3.1 and v4.0, "Qualitative Severity Rating Scale".
        for (score, expected) in [
            (10.0, Severity::Critical),
            (9.0, Severity::Critical),
            (8.9, Severity::High),
            (7.0, Severity::High),
            (6.9, Severity::Medium),
            (4.0, Severity::Medium),
            (3.9, Severity::Low),
            (0.1, Severity::Low),
            (0.0, Severity::Negligible),
        ] {
            assert_eq!(Severity::from_score(score), expected, "{score}");
        }
    }
}
