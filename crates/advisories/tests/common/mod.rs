//! What the tests of this room share: records and archives made in code, databases in memory.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code; not every test uses all of it"
)]

pub mod bucket;

use advisories::{Databases, Matched, Quiet, Source, purls};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vocabulary::{Ecosystem, Finding, Location, Package};

/// A moment that tests take for now.
pub fn now() -> jiff::Timestamp {
    "2026-08-22T12:00:00Z".parse().unwrap()
}

/// A client that refuses everything.
pub fn offline() -> fetch::Client {
    fetch::Client::new(fetch::Options { offline: true, ..fetch::Options::default() }).unwrap()
}

/// A folder of advisories and the databases made of it.
pub struct World {
    pub feed: TempDir,
    pub folder: TempDir,
}

impl World {
    /// Builds from records, each with the ecosystem whose folder it lies in.
    pub fn new(records: &[(&str, &str)]) -> Self {
        let world =
            Self { feed: tempfile::tempdir().unwrap(), folder: tempfile::tempdir().unwrap() };
        for (index, (ecosystem, record)) in records.iter().enumerate() {
            let folder = world.feed.path().join(ecosystem);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{index:03}.json")), record).unwrap();
        }
        world.update().unwrap();
        world
    }

    pub fn update(&self) -> Result<Vec<advisories::Updated>, advisories::UpdateError> {
        let source = Source::Directory(self.feed.path().to_owned());
        advisories::update(self.folder.path(), &source, &[], &offline(), now(), &Quiet)
    }

    /// Matches one purl, in a distribution where it is of one.
    pub fn matched(&self, purl: &str, distribution: Option<&str>) -> Matched {
        let distribution = distribution.map(|text| purls::distribution(text).unwrap());
        let (package, distribution) =
            purls::package(&purl.parse().unwrap(), distribution.as_ref()).unwrap();
        let packages = [package];
        Databases::open(self.folder.path(), advisories::ecosystems_of(&packages), now())
            .matches(&packages, distribution.as_ref())
    }

    /// The ids of the findings, sorted.
    pub fn ids(&self, purl: &str, distribution: Option<&str>) -> Vec<String> {
        let mut ids: Vec<String> = self
            .matched(purl, distribution)
            .findings
            .into_iter()
            .filter_map(|one| one.id)
            .collect();
        ids.sort();
        ids
    }

    /// The one finding.
    pub fn only(&self, purl: &str, distribution: Option<&str>) -> Finding {
        let mut findings = self.matched(purl, distribution).findings;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }
}

/// A package at a place.
pub fn package(purl: &str, path: &str) -> Package {
    let (package, _) = purls::package(&purl.parse().unwrap(), None).unwrap();
    Package { location: Location::file(path, Some(1)), ..package }
}

/// A record of one package with one range of events.
pub fn record(id: &str, fields: &str, ecosystem: &str, name: &str, events: &str) -> String {
    let fields = if fields.is_empty() { String::new() } else { format!("{fields},") };
    format!(
        r#"{{"id":"{id}",{fields}"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]}}]}}"#
    )
}

/// A zip archive; every second member is deflated.
pub fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (index, (name, text)) in members.iter().enumerate() {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let (method, data): (u16, Vec<u8>) = if index % 2 == 0 {
            let mut deflate =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            deflate.write_all(text.as_bytes()).unwrap();
            (8, deflate.finish().unwrap())
        } else {
            (0, text.as_bytes().to_vec())
        };
        let mut fields = Vec::new();
        fields.extend([20, 0, 0, 0]);
        fields.extend(method.to_le_bytes());
        fields.extend([0; 4]);
        fields.extend(crc.sum().to_le_bytes());
        fields.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        fields.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        fields.extend([0; 2]);
        let place = u32::try_from(file.len()).unwrap();
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(place.to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&fields);
        file.extend(name.as_bytes());
        file.extend(&data);
    }
    let start = u32::try_from(file.len()).unwrap();
    let count = u16::try_from(members.len()).unwrap();
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// The database file of an ecosystem.
pub fn database(folder: &Path, ecosystem: &str) -> PathBuf {
    advisories::paths::database_path(folder, &Ecosystem::new(ecosystem)).unwrap()
}
