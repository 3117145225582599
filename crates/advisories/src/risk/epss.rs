//! EPSS scores, CSV, plain or packed by gzip.
//!
//! The first line is a remark with the day of the scores, the second names the columns; then one line
//! a CVE. Lines that make no sense are left out, a file without any that does is refused.
//! Source: FIRST, "EPSS Data and Statistics".

use super::MAX_BYTES;
use super::RiskFeed;
use super::store::{Cve, RiskError, TableBuilder};
use flate2::read::MultiGzDecoder;
use std::io::Read as _;

/// The unit in which scores are kept: they are published with five digits.
pub(super) const UNIT: f64 = 100_000.0;

/// An entry is two numbers of three bytes behind the CVE.
pub(super) fn build(bytes: &[u8]) -> Result<Vec<u8>, RiskError> {
    let mut plain = Vec::new();
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(bytes)
            .take(MAX_BYTES + 1)
            .read_to_end(&mut plain)
            .map_err(|error| RiskError::Shape(error.to_string()))?;
        plain.as_slice()
    } else {
        bytes
    };
    if text.len() as u64 > MAX_BYTES {
        return Err(RiskError::TooLarge);
    }
    let text = std::str::from_utf8(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text))
        .map_err(|_| RiskError::Shape("it is not UTF-8 text".to_owned()))?;
    let date = text
        .lines()
        .next()
        .and_then(|line| line.split("score_date:").nth(1))
        .and_then(|rest| rest.get(..10))
        .unwrap_or_default();
    let mut table = TableBuilder::new(RiskFeed::Epss, date);
    for line in text.lines() {
        let mut fields = line.split(',');
        let (Some(cve), Some(probability), Some(percentile)) = (
            fields.next().and_then(Cve::parse),
            fields.next().and_then(score),
            fields.next().and_then(score),
        ) else {
            continue;
        };
        let [a, b, c, _] = probability.to_le_bytes();
        let [d, e, f, _] = percentile.to_le_bytes();
        table.add(cve, &[a, b, c, d, e, f])?;
    }
    table.finish()
}

/// A number from 0 to 1, in [`UNIT`]s.
fn score(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || text.len() > 32 {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if !(0.0..=1.0).contains(&value) {
        return None;
    }
    // Rounded by writing it out: a number of at most six digits.
    format!("{:.0}", value * UNIT).parse().ok()
}
