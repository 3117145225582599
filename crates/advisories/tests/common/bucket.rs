//! A bucket on loopback that changes, and answers what a test wants.

use super::{database, now, zip};
use advisories::{Changed, Quiet, Source, UpdateError, Updated};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::{TempDir, tempdir};
use testkit::http::{Received, Reply, Server};
use vocabulary::Ecosystem;

pub type Answer = Box<dyn Fn(&Received) -> Option<Reply> + Send + Sync>;

/// What a bucket has: by id, when it was changed and the record; and what it answers instead.
#[derive(Default)]
pub struct Content {
    pub records: BTreeMap<String, (String, String)>,
    /// The list, where it is not the one of these records.
    pub list: Option<String>,
    pub instead: Option<Answer>,
}

pub struct Bucket {
    pub content: Arc<Mutex<Content>>,
    pub server: Server,
    pub folder: TempDir,
}

pub fn time(minute: usize) -> String {
    format!("2026-08-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60)
}

pub fn record(id: &str, modified: &str, package: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"{modified}","summary":"of {package}","aliases":["CVE-2026-{}"],"severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],"affected":[{{"package":{{"ecosystem":"npm","name":"{package}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#,
        1000 + id.len()
    )
}

fn answer(content: &Content, request: &Received) -> Reply {
    if let Some(reply) = content.instead.as_ref().and_then(|instead| instead(request)) {
        return reply;
    }
    let name = request.path.strip_prefix("/npm/").unwrap_or_default();
    let body = match name {
        "all.zip" => {
            let names: Vec<String> =
                content.records.keys().map(|id| format!("{id}.json")).collect();
            let members: Vec<(&str, &str)> = names
                .iter()
                .zip(content.records.values())
                .map(|(name, (_, text))| (name.as_str(), text.as_str()))
                .collect();
            zip(&members)
        }
        "modified_id.csv" => content.list.clone().unwrap_or_else(|| list(content)).into_bytes(),
        _ => {
            let id = name.strip_suffix(".json").unwrap_or_default();
            match content.records.get(id) {
                Some((_, text)) => text.clone().into_bytes(),
                None => return Reply::status(404),
            }
        }
    };
    let etag = format!("\"{}\"", vocabulary::Digest::of(&body).hex());
    if request.header("if-none-match") == Some(etag.as_str()) {
        return Reply::status(304);
    }
    Reply::ok(body).header("etag", &etag)
}

/// Newest first, as the public bucket has it.
pub fn list(content: &Content) -> String {
    let mut lines: Vec<String> =
        content.records.iter().map(|(id, (time, _))| format!("{time},{id}\n")).collect();
    lines.sort_by(|left, right| right.cmp(left));
    lines.concat()
}

impl Bucket {
    /// A bucket of so many records, and a database of them.
    pub fn new(count: usize) -> Self {
        let content = Arc::new(Mutex::new(Content::default()));
        let served = Arc::clone(&content);
        let server = Server::start(move |request| answer(&served.lock().unwrap(), request));
        let this = Self { content, server: server.unwrap(), folder: tempdir().unwrap() };
        for index in 0..count {
            this.put(&format!("GHSA-{index:04}"), index, "1.0.0");
        }
        let first = this.update().unwrap();
        assert!(matches!(first.changed, Changed::Built { .. }));
        this
    }

    pub fn with(&self, change: impl FnOnce(&mut Content)) {
        change(&mut self.content.lock().unwrap());
    }

    pub fn put(&self, id: &str, minute: usize, fixed: &str) {
        let time = time(minute);
        let text = record(id, &time, &format!("acme-{}", id.to_lowercase()), fixed);
        self.with(|content| drop(content.records.insert(id.to_owned(), (time, text))));
    }

    pub fn instead(&self, answer: impl Fn(&Received) -> Option<Reply> + Send + Sync + 'static) {
        self.with(|content| content.instead = Some(Box::new(answer)));
    }

    pub fn update_in(&self, folder: &Path) -> Result<Updated, UpdateError> {
        let options = fetch::Options {
            retries: 0,
            backoff: Duration::from_millis(1),
            ..fetch::Options::default()
        };
        let client = fetch::Client::new(options).unwrap();
        let source = Source::Url(self.server.url().to_owned());
        advisories::update(folder, &source, &[Ecosystem::NPM], &client, now(), &Quiet)
            .map(|mut updates| updates.remove(0))
    }

    pub fn update(&self) -> Result<Updated, UpdateError> {
        self.update_in(self.folder.path())
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(database(self.folder.path(), "npm")).unwrap()
    }

    /// What a build of all records gives.
    pub fn anew(&self) -> Vec<u8> {
        let folder = tempdir().unwrap();
        self.update_in(folder.path()).unwrap();
        std::fs::read(database(folder.path(), "npm")).unwrap()
    }

    /// The same, where its archive is not the one of these records.
    pub fn anew_by_archive(&self) -> Vec<u8> {
        self.with(|content| content.instead = None);
        self.anew()
    }

    /// The paths that an update asks for.
    pub fn asked(&self, update: impl FnOnce()) -> Vec<String> {
        let before = self.server.received().len();
        update();
        let received = self.server.received();
        let mut paths: Vec<String> =
            received[before..].iter().map(|request| request.path.clone()).collect();
        paths.sort();
        paths
    }
}
