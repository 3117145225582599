//! CISA's catalogue of known exploited vulnerabilities, JSON.
//!
//! Taken of each entry: the CVE, the day it was added, the day it is to be mended by, and whether
//! ransomware uses it. Source: CISA, `known_exploited_vulnerabilities_schema.json`.

use super::MAX_BYTES;
use super::RiskFeed;
use super::store::{Cve, RiskError, TableBuilder};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    date_released: Option<String>,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: String,
    #[serde(default)]
    due_date: Option<String>,
    #[serde(default)]
    known_ransomware_campaign_use: Option<String>,
}

/// An entry is the days and a mark, 9 bytes behind the CVE.
pub(super) fn build(bytes: &[u8]) -> Result<Vec<u8>, RiskError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(RiskError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let catalogue: Catalogue =
        serde_json::from_slice(bytes).map_err(|error| RiskError::Shape(error.to_string()))?;
    let date = catalogue.date_released.unwrap_or_default();
    let mut table = TableBuilder::new(RiskFeed::Kev, date.get(..10).unwrap_or_default());
    for entry in &catalogue.vulnerabilities {
        let (Some(cve), Some(added)) = (Cve::parse(&entry.cve), day(&entry.date_added)) else {
            continue;
        };
        let due = entry.due_date.as_deref().and_then(day).unwrap_or(0);
        let ransomware = entry.known_ransomware_campaign_use.as_deref() == Some("Known");
        let mut value = [0; 9];
        let (days, mark) = value.split_at_mut(8);
        let (first, second) = days.split_at_mut(4);
        first.copy_from_slice(&added.to_le_bytes());
        second.copy_from_slice(&due.to_le_bytes());
        mark.fill(u8::from(ransomware));
        table.add(cve, &value)?;
    }
    table.finish()
}

/// `YYYY-MM-DD` as the number YYYYMMDD.
fn day(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() }
        });
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    shaped.then(|| digits.parse().ok()).flatten()
}
