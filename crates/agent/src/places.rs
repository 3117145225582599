//! Whose a control group is: a container's, nobody's, or not known yet.
//!
//! In go the ids of groups as events name them, out comes the container. Events of a group that is not
//! known yet wait here, within bounds, until an engine has said what it is.

use crate::cgroup::Group;
use sensor::Exec;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Executions that wait for their container to be known. An engine answers within a second, in which a
/// container's start runs some dozen programs.
const MAX_WAITING: usize = 1024;

/// How long a container's own id is asked for: an engine under load takes seconds to start one.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a group without a container's id in its path is asked about, once it has run something of
/// its own: services with mounts of their own look like containers at first.
const SHORT_PATIENCE: Duration = Duration::from_secs(3);

/// How long a group in which only programs of the host ran may still become a container's.
const QUIET_PATIENCE: Duration = Duration::from_secs(60);

/// When an engine must have noticed that a container's first process runs.
const SETTLED: Duration = Duration::from_millis(500);

/// How long a start may take before the engine is asked about a container as about any other.
const STARTING: Duration = Duration::from_secs(1);

/// Groups that are remembered: ended ones are forgotten first.
const MAX_GROUPS: usize = 16_384;

/// What a group is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A container's, by its id.
    Container(String),
    /// Not known yet.
    Expected(Expected),
    /// No container's.
    Outside,
}

/// A group that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The container that its path names.
    pub(crate) container: Option<String>,
    since: Instant,
    /// Whether something ran there that was not the host's.
    ran: bool,
}

/// All groups that were seen.
#[derive(Debug, Default)]
pub(crate) struct Places {
    groups: HashMap<u64, Place>,
    waiting: VecDeque<(u64, Box<Exec>)>,
    /// Executions that there was no room for.
    pub(crate) dropped: u64,
}

impl Places {
    /// What is known of a group.
    pub(crate) fn get(&self, group: u64) -> Option<&Place> {
        self.groups.get(&group)
    }

    /// Says whose a group is.
    pub(crate) fn set(&mut self, group: u64, place: Place) {
        if self.groups.len() >= MAX_GROUPS {
            // Those of running containers are found again by their path.
            self.groups.retain(|_, place| matches!(place, Place::Container(_)));
        }
        self.groups.insert(group, place);
    }

    /// Takes note of a group that was not seen before; `running` says whether a container is known.
    pub(crate) fn learn(&mut self, id: u64, group: Option<&Group>, running: &dyn Fn(&str) -> bool) {
        // A group within one that is known is the same container's.
        let around = group.into_iter().flat_map(|group| group.ids.iter().skip(1));
        let inherited = around.filter_map(|id| self.groups.get(id)).find_map(|place| match place {
            Place::Container(container) => Some(container.clone()),
            Place::Expected(_) | Place::Outside => None,
        });
        let named = group.and_then(|group| group.container.clone());
        let place = match (named, inherited) {
            (Some(named), _) if running(&named) => Place::Container(named),
            (_, Some(inherited)) => Place::Container(inherited),
            (container, None) => {
                Place::Expected(Expected { container, since: Instant::now(), ran: false })
            }
        };
        self.set(id, place);
    }

    /// Keeps an execution until its group is known.
    pub(crate) fn wait(&mut self, group: u64, exec: Box<Exec>) {
        if let Some(Place::Expected(expected)) = self.groups.get_mut(&group)
            && !expected.ran
        {
            expected.ran = true;
            expected.since = Instant::now();
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back((group, exec));
    }

    /// The executions that waited for this group.
    pub(crate) fn take(&mut self, group: u64) -> impl Iterator<Item = Box<Exec>> + use<> {
        let waiting = std::mem::take(&mut self.waiting);
        let (taken, left): (VecDeque<_>, _) =
            waiting.into_iter().partition(|(other, _)| *other == group);
        self.waiting = left;
        taken.into_iter().map(|(_, exec)| exec)
    }

    /// The groups of a container, and those that wait for it.
    pub(crate) fn of(&self, container: &str) -> Vec<u64> {
        let is_its = |place: &Place| match place {
            Place::Container(id) => id == container,
            Place::Expected(expected) => expected.container.as_deref() == Some(container),
            Place::Outside => false,
        };
        self.groups.iter().filter(|(_, place)| is_its(place)).map(|(id, _)| *id).collect()
    }

    /// Whether a container that no engine has a process of must have ended: it ran something, a while
    /// ago.
    pub(crate) fn has_ended(&self, container: &str) -> bool {
        self.groups.values().any(|place| match place {
            Place::Expected(expected) => {
                expected.container.as_deref() == Some(container)
                    && expected.ran
                    && expected.since.elapsed() > SETTLED
            }
            Place::Container(_) | Place::Outside => false,
        })
    }

    /// The groups that are asked about, with the container that their path names.
    pub(crate) fn expected(&self) -> Vec<(u64, Expected)> {
        let expected = self.groups.iter().filter_map(|(id, place)| match place {
            Place::Expected(expected) => Some((*id, expected.clone())),
            Place::Container(_) | Place::Outside => None,
        });
        expected.collect()
    }

    /// Forgets a container's groups.
    pub(crate) fn forget(&mut self, container: &str) -> Vec<u64> {
        let groups = self.of(container);
        for group in &groups {
            self.groups.remove(group);
        }
        groups
    }
}

impl Expected {
    /// Whether its container is still being started: nothing of its own ran, a moment ago.
    pub(crate) fn is_starting(&self) -> bool {
        self.container.is_some() && !self.ran && self.since.elapsed() < STARTING
    }

    /// Whether it makes sense to ask: something ran there, or its path names a container.
    pub(crate) const fn is_asked_about(&self) -> bool {
        self.ran || self.container.is_some()
    }

    /// Whether it was waited for long enough.
    pub(crate) fn is_over(&self) -> bool {
        let patience = match (&self.container, self.ran) {
            (Some(_), _) => PATIENCE,
            (None, true) => SHORT_PATIENCE,
            (None, false) => QUIET_PATIENCE,
        };
        self.since.elapsed() > patience
    }

    /// How long to wait between two questions: often at first, when a container starts.
    pub(crate) fn pause(&self) -> Duration {
        let waited = self.since.elapsed();
        if waited < Duration::from_secs(2) {
            Duration::from_millis(20)
        } else {
            Duration::from_millis(500)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensor::ProgramFile;
    use vocabulary::{FileIdentity, Process, Side, StandardInput};

    fn group(ids: &[u64], container: Option<&str>) -> Group {
        Group { ids: ids.to_vec(), container: container.map(str::to_owned) }
    }

    fn exec(pid: u32) -> Box<Exec> {
        let file = ProgramFile {
            path: "bin/tool".to_owned(),
            identity: FileIdentity { device: 1, inode: 1 },
            side: Side::Image,
            file_system: 0,
            unlinked: false,
            truncated: false,
        };
        Box::new(Exec {
            at_ns: 1,
            process: Process { pid, ..Process::default() },
            ancestors: Vec::new(),
            uid: 0,
            gid: 0,
            cgroup: 1,
            pids_cgroup: 0,
            mount_namespace: 1,
            root_device: 1,
            file,
            script: None,
            input: StandardInput::Other,
            stopped: false,
        })
    }

    #[test]
    fn a_group_within_a_containers_group_is_the_containers() {
        let mut places = Places::default();
        places.set(7, Place::Container("a".to_owned()));
        places.learn(9, Some(&group(&[9, 8, 7, 2], None)), &|_| false);
        assert_eq!(places.get(9), Some(&Place::Container("a".to_owned())));
        // A container that no engine here knows, inside of one that is known.
        places.learn(10, Some(&group(&[10, 7], Some("inner"))), &|_| false);
        assert_eq!(places.get(10), Some(&Place::Container("a".to_owned())));
        places.learn(11, Some(&group(&[11, 7], Some("inner"))), &|id| id == "inner");
        assert_eq!(places.get(11), Some(&Place::Container("inner".to_owned())));
    }

    #[test]
    fn executions_wait_for_their_own_container() {
        let mut places = Places::default();
        places.learn(1, Some(&group(&[1], Some("a"))), &|_| false);
        places.learn(2, Some(&group(&[2], Some("b"))), &|_| false);
        for (group, pid) in [(1, 10), (2, 20), (1, 11)] {
            places.wait(group, exec(pid));
        }
        assert_eq!(places.of("a"), [1]);
        let pids: Vec<_> = places.take(1).map(|exec| exec.process.pid).collect();
        assert_eq!(pids, [10, 11], "in their order");
        assert_eq!(places.take(1).count(), 0);
        assert_eq!(places.take(2).count(), 1);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_dropped_is_counted() {
        let mut places = Places::default();
        places.learn(1, None, &|_| false);
        for pid in 0..1034 {
            places.wait(1, exec(pid));
        }
        assert_eq!(places.dropped, 10);
        assert_eq!(places.take(1).count(), MAX_WAITING);
    }

    #[test]
    fn a_group_is_asked_about_where_it_may_be_a_containers() {
        let mut places = Places::default();
        places.learn(1, None, &|_| false);
        places.learn(2, Some(&group(&[2], Some("b"))), &|_| false);
        let asked = |places: &Places| {
            let mut asked: Vec<_> =
                places.expected().into_iter().filter(|(_, one)| one.is_asked_about()).collect();
            asked.sort_by_key(|(id, _)| *id);
            asked.into_iter().map(|(id, one)| (id, one.is_starting())).collect::<Vec<_>>()
        };
        assert_eq!(asked(&places), [(2, true)]);
        places.wait(1, exec(1));
        places.wait(2, exec(2));
        assert_eq!(asked(&places), [(1, false), (2, false)]);
        assert!(!places.has_ended("b"), "its engine may not have noticed yet");
        assert_eq!(places.forget("b"), [2]);
        assert_eq!(places.get(2), None);
    }
}
