//! What is left out of a database, and why.

use crate::format::FormatError;

/// What was left out, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Records that were taken back.
    pub withdrawn: u64,
    /// Notices of bug fixes and enhancements, and informational records.
    pub not_vulnerabilities: u64,
    /// Records that name no package of this ecosystem, or no version.
    pub nothing_to_match: u64,
    /// Documents that are no records.
    pub malformed: u64,
}

impl Dropped {
    pub(crate) const fn count(&mut self, why: Why) {
        match why {
            Why::Withdrawn => self.withdrawn += 1,
            Why::NoVulnerability => self.not_vulnerabilities += 1,
            Why::NothingToMatch => self.nothing_to_match += 1,
            Why::Malformed => self.malformed += 1,
        }
    }
}

/// Why a record was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Why {
    Withdrawn = 0,
    NoVulnerability = 1,
    NothingToMatch = 2,
    Malformed = 3,
}

impl Why {
    pub(crate) fn read(byte: u8) -> Result<Self, FormatError> {
        let all = [Self::Withdrawn, Self::NoVulnerability, Self::NothingToMatch, Self::Malformed];
        all.into_iter().find(|why| *why as u8 == byte).ok_or(FormatError::Content)
    }
}
