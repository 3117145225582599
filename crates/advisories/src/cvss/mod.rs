//! Scores of CVSS vectors, computed.
//!
//! In goes a vector of version 2, 3.0, 3.1 or 4.0, out comes its score in tenths, so that 7.5 is 75.
//! A vector that states threat, temporal or environmental metrics is scored with them: whoever
//! wrote them in meant them. Sources: the specification documents of FIRST.

mod v2;
mod v3;
mod v4;
mod v4_table;

/// How many metrics a vector may have; CVSS 4.0 defines 32.
const MAX_METRICS: usize = 64;

/// The version of CVSS that a vector is of.
#[must_use]
pub fn version_of(vector: &str) -> Option<u8> {
    if vector.starts_with("CVSS:4.0/") {
        Some(4)
    } else if vector.starts_with("CVSS:3.") {
        Some(3)
    } else if vector.trim_start_matches('(').starts_with("AV:") {
        Some(2)
    } else {
        None
    }
}

/// The score of a vector in tenths; none where it is not a vector.
#[must_use]
pub fn score(vector: &str) -> Option<u8> {
    if let Some(metrics) = vector.strip_prefix("CVSS:4.0/") {
        v4::score(&Metrics::read(metrics)?)
    } else if let Some(metrics) = vector.strip_prefix("CVSS:3.1/") {
        v3::score(&Metrics::read(metrics)?, v3::Minor::One)
    } else if let Some(metrics) = vector.strip_prefix("CVSS:3.0/") {
        v3::score(&Metrics::read(metrics)?, v3::Minor::Zero)
    } else {
        v2::score(&Metrics::read(vector.trim_start_matches('(').trim_end_matches(')'))?)
    }
}

/// Names and values of a vector.
struct Metrics<'text>(Vec<(&'text str, &'text str)>);

impl<'text> Metrics<'text> {
    fn read(text: &'text str) -> Option<Self> {
        let mut metrics: Vec<(&str, &str)> = Vec::with_capacity(16);
        for part in text.trim_end_matches('/').split('/') {
            let (name, value) = part.split_once(':')?;
            if metrics.len() == MAX_METRICS || metrics.iter().any(|(other, _)| *other == name) {
                return None;
            }
            metrics.push((name, value));
        }
        Some(Self(metrics))
    }

    /// A value; one that is "not defined" (`X`, in version 2 `ND`) is none.
    fn get(&self, name: &str) -> Option<&'text str> {
        let (_, value) = self.0.iter().find(|(other, _)| *other == name)?;
        (*value != "X" && *value != "ND").then_some(*value)
    }

    /// The modified form of a metric, else the metric itself.
    fn effective(&self, modified: &str, name: &str) -> Option<&'text str> {
        self.get(modified).or_else(|| self.get(name))
    }

    /// Whether one of these metrics is defined.
    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }
}

/// The number that stands for a value in a table; none for a value that is not in it.
fn weigh(value: &str, table: &[(&str, f64)]) -> Option<f64> {
    table.iter().find(|(name, _)| *name == value).map(|(_, weight)| *weight)
}

/// A score from 0 to 10 in tenths, rounded to the nearest. The little that is added makes good for
/// sums that binary fractions leave just below a half.
fn tenths(score: f64) -> u8 {
    whole((score * 10.0 + 0.5 + 1e-5).floor())
}

/// A whole number of 0 to 100 as a byte.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is held between 0 and 100 first"
)]
fn whole(number: f64) -> u8 {
    number.clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_vector_has_no_score() {
        for text in [
            "",
            "CVSS:3.1/",
            "CVSS:3.1/AV:N",
            "CVSS:9.9/AV:N/AC:L",
            "AV:N",
            "High",
            "7.5",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Z",
            "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
        ] {
            assert_eq!(score(text), None, "{text}");
        }
    }
}
