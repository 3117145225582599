//! The rules that findings of a scan are of: its own, and those of the rooms that it asks.

use crate::imported::IMPORTED;
use crate::integrity::DIGEST_MISMATCH;
use vocabulary::{Rule, Rules};

/// All of them, in the order in which they are shown.
#[must_use]
pub fn all() -> Rules {
    let own: &[&Rule] = &[&DIGEST_MISMATCH, &IMPORTED];
    Rules::of(&[own, advisories::RULES, &[&freshness::SECURITY_UPDATE_AVAILABLE], policy::RULES])
}
