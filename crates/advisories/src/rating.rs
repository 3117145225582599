//! How bad a record says its vulnerability is.
//!
//! In go the ratings and words of a record, out comes one level, with the vector that it was
//! computed from. Of several CVSS vectors the newest version of CVSS counts: it is the one that
//! publishers keep up. Words count only where there is no vector, but for Ubuntu's own priority, which
//! says how bad it is as Ubuntu builds the package.

use crate::cvss;
use crate::osv::{Affected, Rating, Record};
use vocabulary::Severity;

/// Longest vector that is kept; CVSS 4.0 with every metric has about 200 characters.
const MAX_VECTOR: usize = 256;

/// A severity with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rated<'doc> {
    pub(crate) level: Severity,
    /// Vector and its score in tenths.
    pub(crate) vector: Option<(&'doc str, u8)>,
}

impl Rated<'_> {
    /// Whether a vector rates it, by which version of CVSS, and how high: orders ratings by how
    /// much they say.
    pub(crate) fn weight(&self) -> (u8, u8, Severity) {
        let (version, tenths) = self.vector.map_or((0, 0), |(vector, tenths)| {
            (cvss::version_of(vector).unwrap_or_default(), tenths)
        });
        (version, tenths, self.level)
    }
}

/// What a rating of a CVE rests on, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Basis {
    /// A notice of several CVEs, which rates them together: as the worst of them.
    Bundle,
    /// What such a notice says of this CVE.
    Entry,
    /// A record of this CVE alone.
    Alone,
}

/// How much a rating says of a CVE; the greatest counts.
///
/// What a record says of its CVE alone comes first, a record *of* the CVE before a notice that happens
/// to name one. Of bundles, the mildest that names the CVE counts: each is as severe as its worst CVE,
/// so none of its CVEs is more severe than the mildest bundle that it is in.
pub(crate) type Order = (Basis, bool, u8, u8, u8);

/// The order of a rating.
pub(crate) fn order(
    basis: Basis,
    of_the_cve: bool,
    level: Severity,
    vector: Option<(&str, u8)>,
) -> Order {
    let (version, tenths) = vector
        .map_or((0, 0), |(vector, tenths)| (cvss::version_of(vector).unwrap_or_default(), tenths));
    let level = level as u8;
    match basis {
        Basis::Bundle => (basis, false, u8::from(version > 0), !tenths, !level),
        Basis::Entry | Basis::Alone => (basis, of_the_cve, version, tenths, level),
    }
}

/// The rating of a record as a whole.
pub(crate) fn of_record<'doc>(record: &'doc Record<'_>) -> Option<Rated<'doc>> {
    of_ratings(&record.severity)
        .or_else(|| of_word(record.database_specific.severity.as_str()))
        .or_else(|| {
            let (word, _) = record.summary.as_str().split_once(':')?;
            of_word(word)
        })
}

/// The rating of one affected package.
pub(crate) fn of_affected<'doc>(affected: &'doc Affected<'_>) -> Option<Rated<'doc>> {
    let extra = &affected.ecosystem_specific;
    of_ratings(&affected.severity)
        .or_else(|| of_vector(affected.database_specific.cvss.as_str()))
        .or_else(|| of_word(extra.ubuntu_priority.as_str()))
        .or_else(|| of_word(extra.urgency.as_str()))
        .or_else(|| of_word(extra.severity.as_str()))
        .or_else(|| of_word(affected.database_specific.severity.as_str()))
}

/// Of several ratings, the publisher's own word for its packages (`Ubuntu`), else the newest CVSS.
pub(crate) fn of_ratings<'doc>(ratings: &'doc [Rating<'_>]) -> Option<Rated<'doc>> {
    let own = ratings.iter().find_map(|rating| {
        of_word(rating.score.as_str()).filter(|_| rating.kind.as_str() == "Ubuntu")
    });
    let vectors = ratings.iter().filter_map(|rating| of_vector(rating.score.as_str()));
    let newest = || vectors.max_by_key(Rated::weight);
    own.or_else(newest).or_else(|| ratings.iter().find_map(|rating| of_word(rating.score.as_str())))
}

fn of_vector(vector: &str) -> Option<Rated<'_>> {
    if vector.len() > MAX_VECTOR {
        return None;
    }
    let tenths = cvss::score(vector)?;
    let level = Severity::from_score(f64::from(tenths) / 10.0);
    Some(Rated { level, vector: Some((vector, tenths)) })
}

/// The words of GitHub, Red Hat and its kin, Debian, Ubuntu and Bitnami.
fn of_word<'doc>(word: &str) -> Option<Rated<'doc>> {
    const WORDS: [(&str, Severity); 9] = [
        ("critical", Severity::Critical),
        ("high", Severity::High),
        ("important", Severity::High),
        ("medium", Severity::Medium),
        ("moderate", Severity::Medium),
        ("low", Severity::Low),
        ("minor", Severity::Low),
        ("negligible", Severity::Negligible),
        ("unimportant", Severity::Negligible),
    ];
    let word = word.trim();
    let (_, level) = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))?;
    Some(Rated { level: *level, vector: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::osv::parse_record;

    fn level(json: &str) -> Option<Severity> {
        let record = parse_record(json.as_bytes()).unwrap();
        of_record(&record).map(|rated| rated.level)
    }

    #[test]
    fn a_vector_outranks_a_word_and_a_newer_vector_an_older_one() {
        let json = r#"{"id":"X","database_specific":{"severity":"LOW"},"severity":[
            {"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
            {"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"}]}"#;
        let record = parse_record(json.as_bytes()).unwrap();
        let rated = of_record(&record).unwrap();
        assert_eq!(rated.weight().0, 4);
        assert_eq!(
            level(r#"{"id":"X","database_specific":{"severity":"MODERATE"}}"#),
            Some(Severity::Medium)
        );
    }

    #[test]
    fn the_first_word_of_a_summary_rates_red_hat_like_notices() {
        assert_eq!(
            level(r#"{"id":"X","summary":"Important: a security update"}"#),
            Some(Severity::High)
        );
        assert_eq!(level(r#"{"id":"X","summary":"kernel: a security update"}"#), None);
        assert_eq!(
            level(r#"{"id":"X","severity":[{"type":"Ubuntu","score":"medium"}]}"#),
            Some(Severity::Medium)
        );
    }
}
