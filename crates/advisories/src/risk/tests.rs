//! Feeds as they are published, and such as nobody should publish.

use super::*;

const EPSS: &str = "#model_version:v2099.01.01,score_date:2099-01-02T00:00:00+0000\ncve,epss,percentile\n\
    CVE-2099-20,0.94321,0.99871\nCVE-1999-1,0.00043,0.1\nCVE-2099-21,NaN,0.5\nCVE-2099-22,1.5,0.5\n\
    CVE-2099-20,0.1,0.1\nCVE-2099-23,1,1.00000\n";

#[test]
fn scores_packed_by_gzip_are_the_same() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(EPSS.as_bytes()).unwrap();
    assert_eq!(epss::build(&packed.finish().unwrap()), epss::build(EPSS.as_bytes()));
}

#[test]
fn scores_that_are_none_are_refused() {
    for text in ["", "cve,epss,percentile\n", "CVE-2099-1\n", "\u{0}"] {
        assert_eq!(epss::build(text.as_bytes()), Err(RiskError::Empty), "{text}");
    }
    assert!(matches!(epss::build(&[0x1f, 0x8b, 0, 0]), Err(RiskError::Shape(_))));
}

#[test]
fn the_published_catalogue_is_read_whole() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/cisa-kev/known_exploited_vulnerabilities.json"
    );
    let Ok(bytes) = std::fs::read(file) else {
        return testkit::skip_without(testkit::Part::Shared, "`../shared` is not here");
    };
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let count = document["count"].as_u64().unwrap();
    assert_eq!(check(RiskFeed::Kev, &bytes), Some(count));
}
