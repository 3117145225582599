//! Feeds as they are published, and such as nobody should publish.

use super::*;
use crate::risk::{KEV_URL, Risks};

const KEV: &str = r#"{"title":"x","catalogVersion":"2099.01.02","dateReleased":"2099-01-02T03:04:05Z","count":2,
  "vulnerabilities":[
   {"cveID":"CVE-2099-20","dateAdded":"2099-01-01","dueDate":"2099-01-22","knownRansomwareCampaignUse":"Known","cwes":["CWE-1"]},
   {"cveID":"CVE-2098-100000","dateAdded":"2098-12-01","knownRansomwareCampaignUse":"Unknown"},
   {"cveID":"not a CVE","dateAdded":"2098-12-01"}]}"#;

const EPSS: &str = "#model_version:v2099.01.01,score_date:2099-01-02T00:00:00+0000\ncve,epss,percentile\n\
    CVE-2099-20,0.94321,0.99871\nCVE-1999-1,0.00043,0.1\nCVE-2099-21,NaN,0.5\nCVE-2099-22,1.5,0.5\n\
    CVE-2099-20,0.1,0.1\nCVE-2099-23,1,1.00000\n";

fn offline() -> fetch::Client {
    fetch::Client::new(fetch::Options { offline: true, ..fetch::Options::default() }).unwrap()
}

fn now() -> jiff::Timestamp {
    "2099-01-02T12:00:00Z".parse().unwrap()
}

fn world(kev: &str, epss: &[u8]) -> (tempfile::TempDir, tempfile::TempDir) {
    let (mirror, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (path, bytes) in [
        ("cisa-kev/known_exploited_vulnerabilities.json", kev.as_bytes()),
        ("epss/epss_scores-current.csv", epss),
    ] {
        let path = mirror.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    (mirror, folder)
}

fn taken(mirror: &Path, folder: &Path, feed: RiskFeed) -> Result<RiskUpdated, UpdateError> {
    let source = Source::Directory(mirror.to_owned());
    update(folder, feed, &places(feed, None, &source), &offline(), now())
}

#[test]
fn what_the_feeds_say_is_found_by_cve() {
    let (mirror, folder) = world(KEV, EPSS.as_bytes());
    assert_eq!(taken(mirror.path(), folder.path(), RiskFeed::Kev).unwrap(), RiskUpdated::Built(2));
    assert_eq!(taken(mirror.path(), folder.path(), RiskFeed::Epss).unwrap(), RiskUpdated::Built(3));
    let risks = Risks::open(folder.path(), now());
    assert_eq!(risks.infos().len(), 2);
    let lookup = risks.lookup();
    let exploited = lookup.exploited("CVE-2099-20").unwrap();
    assert_eq!((exploited.added.as_str(), exploited.ransomware), ("2099-01-01", true));
    assert_eq!(exploited.due.as_deref(), Some("2099-01-22"));
    let other = lookup.exploited("cve-2098-100000").unwrap();
    assert!(other.due.is_none() && !other.ransomware);
    assert_eq!(lookup.exploited("CVE-2099-21"), None);
    let epss = lookup.epss("CVE-2099-20").unwrap();
    assert_eq!((epss.probability, epss.percentile), (0.94321, 0.99871), "the first line counts");
    assert_eq!(epss.date, "2099-01-02");
    assert_eq!(lookup.epss("CVE-2099-23").unwrap().probability, 1.0);
    for none in ["CVE-2099-21", "CVE-2099-22", "GHSA-aaaa-bbbb-cccc", ""] {
        assert_eq!(lookup.epss(none), None, "{none}");
    }
}

#[test]
fn what_is_no_feed_is_refused_and_leaves_what_was_there() {
    let (mirror, folder) = world(KEV, EPSS.as_bytes());
    taken(mirror.path(), folder.path(), RiskFeed::Kev).unwrap();
    let before = std::fs::read(risk::path(folder.path(), RiskFeed::Kev)).unwrap();
    for text in ["", "{}", "[]", r#"{"vulnerabilities":[]}"#, "<html>"] {
        let file = mirror.path().join("cisa-kev/known_exploited_vulnerabilities.json");
        std::fs::write(file, text).unwrap();
        let error = taken(mirror.path(), folder.path(), RiskFeed::Kev).unwrap_err();
        assert!(error.to_string().contains("known_exploited"), "{error}");
    }
    assert_eq!(std::fs::read(risk::path(folder.path(), RiskFeed::Kev)).unwrap(), before);
}

#[test]
fn a_file_that_was_changed_anywhere_counts_as_missing() {
    let (mirror, folder) = world(KEV, EPSS.as_bytes());
    taken(mirror.path(), folder.path(), RiskFeed::Kev).unwrap();
    let path = risk::path(folder.path(), RiskFeed::Kev);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let found = Risks::open(folder.path(), now()).lookup().exploited("CVE-2099-20");
        // The padding behind the marks and the date says nothing.
        let harmless = (10..32).contains(&at);
        assert!(found.is_none() || harmless, "byte {at}");
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(Risks::open(folder.path(), now()).infos().is_empty());
    }
}

#[test]
fn a_feed_is_looked_for_where_advisories_come_from() {
    let urls = |feed, named: Option<&str>, source: &Source| {
        places(feed, named, source)
            .into_iter()
            .map(|place| match place {
                Source::Url(url) => url,
                Source::Directory(path) => path.display().to_string(),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(urls(RiskFeed::Kev, None, &Source::default()), [KEV_URL]);
    let mirror = Source::Url("https://mirror.example/osv/".to_owned());
    assert_eq!(
        urls(RiskFeed::Epss, None, &mirror),
        [
            "https://mirror.example/osv/epss/epss_scores-current.csv.gz",
            "https://mirror.example/osv/epss/epss_scores-current.csv"
        ]
    );
    assert_eq!(urls(RiskFeed::Kev, Some("/srv/kev.json"), &mirror), ["/srv/kev.json"]);
}
