//! What is known of a vulnerability beyond how bad it could be: whether it is exploited, how likely it
//! will be, whether the fault is in use and within reach here, and the rank that comes of it.
//!
//! What is not known is none, never "no".

use crate::{Used, VulnerableCode};
use serde::{Deserialize, Serialize};

/// A vulnerability in CISA's catalogue of known exploited vulnerabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exploited {
    /// The day on which it was added, `YYYY-MM-DD`.
    pub added: String,
    /// The day by which CISA wants it mended, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Whether ransomware is known to use it.
    #[serde(default)]
    pub ransomware: bool,
}

/// How likely it is to be exploited, by EPSS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation within 30 days, 0 to 1.
    pub probability: f64,
    /// Share of all vulnerabilities that are no likelier, 0 to 1.
    pub percentile: f64,
    /// The day of the score, `YYYY-MM-DD`.
    pub date: String,
}

/// What is known, and the rank that it gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// 0 to 1000, most urgent highest.
    pub rank: u32,
    /// Whether it is known to be exploited; none where no catalogue says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited: Option<Exploited>,
    /// How likely it is to be exploited; none where it has no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<Epss>,
    /// Whether a running container used the package; none where no agent watched one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Used>,
    /// Why it is within reach, such as `owns the entry point usr/sbin/nginx, port 80/tcp`; none where
    /// that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed: Option<String>,
    /// Whether the program holds the functions that the advisories name; none where that cannot be
    /// told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<VulnerableCode>,
}
