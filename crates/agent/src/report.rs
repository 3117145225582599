//! How the watching itself goes, written down for whoever asks: `agent.json` in the state folder.

use crate::known::Agent;
use crate::writing::{self, Page};
use crate::{Mode, clock};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Version of the JSON form.
pub const REPORT_SCHEMA: &str = "lazaret.agent/1";

/// The file in the state folder.
const NAME: &str = "agent.json";

/// How an agent goes, by its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// Its process.
    pub pid: u32,
    /// Since when it watches, RFC 3339, UTC.
    pub since: String,
    /// When this was written. It is written every few seconds.
    pub until: String,
    /// Whether it stops what it reports.
    pub enforces: bool,
    /// How often it was started again because it stood still or failed.
    pub restarts: u32,
    /// Containers that it watches.
    pub containers: u64,
    /// Containers whose files do not answer.
    pub unread: Vec<Unread>,
}

/// A container whose files do not answer: what runs there has no digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Its id.
    pub container: String,
    /// Its name, where it still runs.
    pub name: Option<String>,
    /// Threads that wait for its files, for ever perhaps.
    pub hung: u64,
    /// Whether its files are not even asked any more for now.
    pub silent: bool,
}

impl Report {
    /// What the agent of this state folder wrote last.
    #[must_use]
    pub fn read(state: &Path) -> Option<Self> {
        let bytes = writing::read(state, NAME)?;
        let report: Self = serde_json::from_slice(&bytes).ok()?;
        (report.schema == REPORT_SCHEMA).then_some(report)
    }
}

pub(crate) fn page(agent: &Agent<'_>) -> Option<Page> {
    let unread = agent.readers.unanswered().into_iter().map(|one| Unread {
        name: agent.watched.get(&one.container).map(|watched| watched.container.shown().to_owned()),
        container: one.container,
        hung: u64::try_from(one.hung).unwrap_or(u64::MAX),
        silent: one.silent,
    });
    let report = Report {
        schema: REPORT_SCHEMA.to_owned(),
        pid: std::process::id(),
        since: agent.since.clone(),
        until: clock::now(),
        enforces: agent.options.mode == Mode::Enforce,
        restarts: agent.options.restarts,
        containers: u64::try_from(agent.watched.len()).unwrap_or(u64::MAX),
        unread: unread.collect(),
    };
    let mut content = serde_json::to_vec(&report).ok()?;
    content.push(b'\n');
    Some(Page { folder: None, name: NAME.to_owned(), content })
}
