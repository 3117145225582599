//! All that the watching knows.
//!
//! Each part of what is done with it is a file of its own: [`crate::using`] what containers use,
//! [`crate::judging`] what they run, [`crate::answers`] what was read, [`crate::containers`] which there
//! are. Each may use those before it, and [`crate::run`], the loop, all of them.

use crate::asking::Asker;
use crate::cgroup::Hierarchy;
use crate::digests::Shared;
use crate::floods::Floods;
use crate::guard::Guard;
use crate::left_behind::LeftBehind;
use crate::opens::Opens;
use crate::places::Places;
use crate::readers::Readers;
use crate::reading::{Opened, Read, Subject};
use crate::seals::Seals;
use crate::watched::Watched;
use crate::writing::Writer;
use crate::{Message, Options, Summary};
use behaviour::Repeats;
use sensor::Sensor;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;
use vocabulary::Container;

/// All that the loop knows.
pub(crate) struct Agent<'run> {
    pub(crate) options: &'run Options,
    pub(crate) out: &'run mut dyn FnMut(Message),
    pub(crate) summary: Summary,
    pub(crate) repeats: Repeats,
    pub(crate) floods: Floods,
    pub(crate) left_behind: LeftBehind,
    pub(crate) watched: HashMap<String, Watched>,
    pub(crate) digests: Shared,
    /// Whoever opens what lies in containers.
    pub(crate) readers: Readers<Subject, Read>,
    pub(crate) opened: Opened,
    pub(crate) writer: Writer,
    pub(crate) sensor: Sensor,
    pub(crate) opens: Option<Opens>,
    pub(crate) guard: Option<Guard>,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) places: Places,
    /// Mount namespaces of the host and of the engines' own processes.
    pub(crate) outside: HashSet<u32>,
    /// Of these, those of the host and of this process, which are there for good.
    pub(crate) host_mounts: HashSet<u32>,
    pub(crate) seals: Seals,
    pub(crate) asker: Asker,
    /// Containers whose root is not there yet, with the folder of their control group.
    pub(crate) starting: HashMap<String, (Container, PathBuf, Instant)>,
    /// Containers that ended, with their first process: an engine's answer may be older than that.
    pub(crate) ended: HashMap<String, Container>,
    /// Why containers are not known yet.
    pub(crate) unknown: HashMap<String, String>,
    /// When this run of the agent began.
    pub(crate) since: String,
    pub(crate) cannot_write: bool,
    pub(crate) lost: u64,
    pub(crate) missed_opens: u64,
    pub(crate) chores: Instant,
    pub(crate) roll_call: Instant,
}

impl Agent<'_> {
    pub(crate) fn notice(&mut self, text: String) {
        (self.out)(Message::Notice(text));
    }
}

/// The first digits of an id, as engines show them.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
