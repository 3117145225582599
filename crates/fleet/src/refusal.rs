//! Why a question has no answer at all. What could merely not be looked at stands in the reports.

/// Why a question about what runs has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// There is nobody to ask; the text says where was looked, and what to do.
    #[error("{0}")]
    NobodyListens(String),
    /// What was asked about is no id. It is cut, and escaped.
    #[error(
        "`{0}` is not the id of a vulnerability; use one such as CVE-2099-0001, GHSA-… or DSA-…"
    )]
    Id(String),
}
