//! From what engines say to containers that are watched, and to those that are no more.
//!
//! In go the engines' answers and the seals, out come the marks and rules that the kernel is given for
//! each container. A container is taken up as soon as its root is in place, before its engine says that
//! its start is over: a guard that came later would miss its first program.

use crate::asking::{Answer, Question};
use crate::cgroup::members;
use crate::guard::Protected;
use crate::known::{Agent, short};
use crate::places::Place;
use crate::root::{self, Root};
use crate::seals::Standing;
use crate::usage::Used;
use crate::watched::{Folders, Watched};
use crate::{Mode, clock, process};
use engine::ContainerDetails;
use sensor::{Enforcement, boot_ns, mount_namespace};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vocabulary::Container;

/// How long a container that is being started is looked at for its root.
const START: Duration = Duration::from_secs(10);

/// How long the end of a container waits for what was just asked about it.
const LAST_READ: Duration = Duration::from_millis(100);

/// Containers of which it is remembered why no engine knows them.
const MAX_UNKNOWN: usize = 256;

/// Containers of which it is remembered that they ended: answers are not older than seconds.
const MAX_ENDED: usize = 1024;

impl Agent<'_> {
    pub(crate) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Container(details) => self.described(*details),
            Answer::Starting(container) => self.expect_root(container),
            Answer::Running(containers) => {
                for container in containers {
                    if !self.watched.contains_key(&container.id) {
                        let question = Question::Container(container.id.clone());
                        self.asker.ask(&question, Duration::from_millis(20));
                    }
                }
            }
            Answer::Unknown { id, reason, says_little } => {
                if self.unknown.len() >= MAX_UNKNOWN {
                    self.unknown.clear();
                }
                // What keeps an engine from answering matters more than that the other has no such
                // container.
                if says_little {
                    self.unknown.entry(id).or_insert(reason);
                } else {
                    self.unknown.insert(id, reason);
                }
            }
        }
    }

    /// Looks for the root of a container from now on.
    pub(crate) fn expect_root(&mut self, container: Container) {
        // The group of its last run may be among them.
        let groups = self.places.of(&container.id);
        if let Some(folder) = groups.into_iter().find_map(|id| self.hierarchy.folder(id)) {
            self.starting.insert(container.id.clone(), (container, folder, Instant::now()));
        }
    }

    /// A container that starts again is known already: nobody has to be asked.
    pub(crate) fn expect_again(&mut self, id: &str) -> bool {
        let Some(container) = self.ended.get(id) else { return false };
        self.expect_root(Container { pid: None, started: None, ..container.clone() });
        self.starting.contains_key(id)
    }

    pub(crate) fn described(&mut self, details: ContainerDetails) {
        let id = details.container.id.clone();
        if let Some(watched) = self.watched.get_mut(&id) {
            // It was found before its start was over.
            if watched.container.started.is_none() {
                watched.used.describe(details.container.clone());
                watched.container = details.container;
            }
            return;
        }
        match details.container.pid {
            Some(pid) if self.ended.get(&id).is_some_and(|ended| ended.pid == Some(pid)) => {}
            Some(pid) if self.has_own_root(pid) || details.container.started.is_some() => {
                self.attach(details, true);
            }
            // The runtime is still at it.
            Some(_) => {}
            // It ran something and has no process, so that it has ended: what it ran is judged.
            None if self.places.has_ended(&id) => {
                self.attach(details, true);
                self.detach(&id);
            }
            None => {}
        }
    }

    /// Whether a process has left the host's mounts and root: before, they are the runtime's.
    pub(crate) fn has_own_root(&self, pid: u32) -> bool {
        let device = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/{name}/mountinfo")).ok()?;
            process::device_at(&text, "/")
        };
        let space = mount_namespace(pid);
        space.is_some_and(|space| !self.outside.contains(&space))
            && device(&pid.to_string()).is_some_and(|root| Some(root) != device("self"))
    }

    /// Attaches containers as soon as the runtime has put their root in place, and before their first
    /// program, so that a guard sees that one too.
    pub(crate) fn look_at_starting(&mut self) {
        let ids: Vec<String> = self.starting.keys().cloned().collect();
        for id in ids {
            let Some((container, folder, since)) = self.starting.get(&id).cloned() else {
                continue;
            };
            if self.watched.contains_key(&id) || since.elapsed() > START {
                self.starting.remove(&id);
                continue;
            }
            let pids = members(&folder);
            let Some(pid) = pids.into_iter().find(|pid| self.has_own_root(*pid)) else { continue };
            // It may have run for a moment already: the names in its mounts are those that its engine
            // gave only where the mount is.
            if !self.has_given_root(&id, pid) {
                continue;
            }
            let Ok(layers) = engine::mountinfo::folders_of(pid) else { continue };
            self.starting.remove(&id);
            let container = Container { pid: Some(pid), ..container };
            self.attach(ContainerDetails { container, layers }, true);
            self.asker.ask(&Question::Container(id), Duration::ZERO);
        }
    }

    /// Whether the root of a process is what its engine mounted for the container.
    fn has_given_root(&self, id: &str, pid: u32) -> bool {
        let mounts = process::read(pid, "mountinfo").unwrap_or_default();
        let written = engine::mountinfo::root_overlay(&mounts).ok().and_then(|root| root.upper);
        let given = root::given(&self.outside_of(pid), id, written.as_deref());
        given.is_some_and(|given| Root::of(pid, given).is_ok())
    }

    /// Processes that see what engines mount, and are in no container.
    fn outside_of(&self, pid: u32) -> Vec<u32> {
        let mut outside = vec![1, std::process::id()];
        let own = self.hierarchy.of_process(pid);
        let is_inside = |parent: &u32| {
            let theirs = self.hierarchy.of_process(*parent);
            matches!((&own, &theirs), (Some(own), Some(theirs)) if theirs.ids.contains(&own.ids.first().copied().unwrap_or_default()))
        };
        outside.extend(process::parent(pid).filter(|parent| *parent > 1 && !is_inside(parent)));
        outside
    }

    pub(crate) fn give_up(&mut self, group: u64, container: Option<&str>) {
        let waited = self.places.take(group).count();
        self.places.set(group, Place::Outside);
        match container {
            Some(id) if waited > 0 => {
                let reason = self.unknown.remove(id);
                let reason = reason.unwrap_or_else(|| "no engine answers".to_owned());
                let id = short(id);
                self.notice(format!("container {id}: what it runs is not judged: {reason}"));
            }
            // Its engine may only be slow: what runs there later is still to be seen.
            Some(_) => {}
            None => {
                let _ = self.sensor.ignore_cgroup(group);
            }
        }
    }

    /// Begins to watch a container; `from_start` where it was not there when the agent began.
    pub(crate) fn attach(&mut self, details: ContainerDetails, from_start: bool) {
        let outside = details.container.pid.map(|pid| self.outside_of(pid)).unwrap_or_default();
        let folders = Arc::new(Folders::of(&details, &outside));
        let container = details.container;
        let standing = match &container.image_id {
            Some(image) => self.seals.of(image),
            None => Standing::NotSealed,
        };
        let group = container.pid.and_then(|pid| self.hierarchy.of_process(pid));
        let own = group.and_then(|group| group.ids.first().copied());
        let complete = from_start && self.opens.is_some();
        let mut used = Used::new(container.clone(), clock::now(), complete);
        if !from_start {
            used.resume(&self.options.state);
        }
        let (id, pid) = (container.id.clone(), container.pid);
        let watched = Watched {
            container,
            standing,
            folders,
            used,
            group: own,
            guarded_ns: None,
            around: None,
            is_gone: false,
            kept: false,
        };
        self.summary.containers += 1;
        self.summary.sealed += u64::from(watched.sealed().is_some());
        self.watched.insert(id.clone(), watched);
        self.say_standing(&id);
        if let Some(pid) = pid {
            self.note_runtime(&id, pid);
            self.watch_files(&id, pid);
            self.enforce(&id);
        }
        let mut groups = self.places.of(&id);
        groups.extend(own.filter(|own| !groups.contains(own)));
        for group in groups {
            self.places.set(group, Place::Container(id.clone()));
            for exec in self.places.take(group) {
                self.exec(exec);
            }
        }
    }

    /// The process that started the container may live in a mount namespace of its own, from which
    /// the runtime comes.
    pub(crate) fn note_runtime(&mut self, id: &str, pid: u32) {
        let own = mount_namespace(pid);
        // One that is in the container itself is none of the runtime's.
        let group = self.watched.get(id).and_then(|watched| watched.group);
        let is_inside = |pid: &u32| {
            let own = self.hierarchy.of_process(*pid);
            group.is_some_and(|group| own.is_some_and(|own| own.ids.contains(&group)))
        };
        let parent = process::parent(pid).filter(|parent| !is_inside(parent));
        let around = parent.and_then(mount_namespace);
        let Some(around) = around.filter(|around| Some(*around) != own) else { return };
        if let Some(watched) = self.watched.get_mut(id) {
            watched.around = Some(around);
        }
        if self.outside.insert(around)
            && let Err(error) = self.sensor.trust_mounts(around)
        {
            self.notice(error.to_string());
        }
    }

    /// The kernel gives the number of a namespace that is gone to another, which may be that of a
    /// container: one is trusted for as long as something is there that holds it.
    fn forget_runtime(&mut self, around: u32) {
        let is_held = self.host_mounts.contains(&around)
            || self.watched.values().any(|watched| watched.around == Some(around));
        if !is_held && self.outside.remove(&around) {
            let _ = self.sensor.distrust_mounts(around);
        }
    }

    pub(crate) fn say_standing(&mut self, id: &str) {
        let Some(watched) = self.watched.get(id) else { return };
        let (name, image) = (watched.container.shown(), &watched.container.image);
        let text = match &watched.standing {
            Standing::Sealed(_) => return,
            Standing::NotSealed => format!(
                "container {name}: its image `{image}` is not sealed; only programs in memory and \
                 shells on sockets are reported, and nothing is stopped"
            ),
            Standing::Broken(reason) => format!(
                "container {name}: the seal of its image `{image}` does not hold: {reason}; it \
                 counts as not sealed"
            ),
        };
        self.notice(text);
    }

    pub(crate) fn watch_files(&mut self, id: &str, pid: u32) {
        let watching = match (&self.opens, self.root_of(id)) {
            (Some(opens), Ok(root)) => opens.watch(&root.path()).map_err(|error| error.to_string()),
            (Some(_), Err(reason)) => Err(reason),
            (None, _) => Ok(()),
        };
        if let Err(reason) = watching {
            if let Some(watched) = self.watched.get_mut(id) {
                watched.used.lost(1);
            }
            // A container that has ended meanwhile is no problem.
            if process::is_there(pid) {
                self.notice(format!("container {}: files in use: {reason}", short(id)));
            }
        }
        // After the mark: what was opened before it is mapped, or was read and let go.
        let pids = self.hierarchy.processes(pid);
        self.ask_mapped(id, pids);
    }

    /// The root of a container, where it is what its engine mounted.
    fn root_of(&self, id: &str) -> Result<Root, String> {
        let watched = self.watched.get(id).ok_or("it has ended")?;
        let pid = watched.container.pid.ok_or("it has ended")?;
        let given = watched
            .folders
            .given
            .ok_or("the place where its engine mounted its root is not found")?;
        Root::of(pid, given)
    }

    /// Has the kernel refuse and stop programs of a container, where that was asked for.
    pub(crate) fn enforce(&mut self, id: &str) {
        if self.options.mode != Mode::Enforce {
            return;
        }
        let Some(watched) = self.watched.get(id) else { return };
        let (Some(sealed), Some(pid)) = (watched.sealed(), watched.container.pid) else { return };
        let mut problems = Vec::new();
        let mut guarded_ns = None;
        if let Some(group) = watched.group {
            let memory = Enforcement { memory: true, written: false };
            let enforced = self.sensor.enforce_cgroup(group, memory);
            problems.extend(enforced.err().map(|error| error.to_string()));
        }
        if let (Some(guard), Some(device)) = (&self.guard, watched.folders.device) {
            let protected = Protected {
                container: watched.container.clone(),
                sealed: sealed.clone(),
                written: watched.folders.written.clone(),
            };
            let guarded = self.root_of(id).and_then(|root| {
                let guarded = guard.protect(device, &root.path(), protected);
                guarded.map_err(|error| error.to_string())
            });
            match guarded {
                Ok(()) => guarded_ns = Some(boot_ns()),
                Err(reason) => problems.push(format!(
                    "programs are not refused before they begin, only stopped after: {reason}"
                )),
            }
        }
        if let Some(watched) = self.watched.get_mut(id) {
            watched.guarded_ns = guarded_ns;
        }
        // A container that has ended meanwhile is no problem.
        let problems = problems.into_iter().filter(|_| process::is_there(pid));
        for problem in problems {
            self.notice(format!("container {}: {problem}", short(id)));
        }
    }

    pub(crate) fn detach(&mut self, id: &str) {
        self.starting.remove(id);
        if self.watched.contains_key(id) {
            // What it opened last is still listed.
            self.ask_whose();
            self.settle(LAST_READ);
        }
        let Some(mut watched) = self.watched.remove(id) else { return };
        self.write_usage(&mut watched, true);
        if watched.container.pid.is_some() {
            if self.ended.len() >= MAX_ENDED {
                self.ended.clear();
            }
            self.ended.insert(id.to_owned(), watched.container.clone());
        }
        if let (Some(guard), Some(device)) = (&self.guard, watched.folders.device) {
            guard.release(device);
        }
        let groups = self.places.forget(id);
        for group in groups.into_iter().chain(watched.group) {
            let _ = self.sensor.release_cgroup(group);
        }
        self.repeats.forget(id);
        if let Some(around) = watched.around {
            self.forget_runtime(around);
        }
    }

    /// Containers whose end was not among the events. One that has just ended waits for the next look:
    /// what it ran may still be among the events that are to come.
    pub(crate) fn look_for_ended(&mut self) {
        let mut ended = Vec::new();
        for (id, watched) in &mut self.watched {
            let is_gone = watched.container.pid.is_none_or(|pid| !process::is_there(pid));
            if is_gone && watched.is_gone {
                ended.push(id.clone());
            }
            watched.is_gone = is_gone;
        }
        ended.iter().for_each(|id| self.detach(id));
    }

    /// What was sealed meanwhile counts for containers that run already.
    pub(crate) fn read_seals_again(&mut self) {
        let ids: Vec<String> = self.watched.keys().cloned().collect();
        for id in ids {
            let Some(watched) = self.watched.get_mut(&id) else { continue };
            let Some(image) = &watched.container.image_id else { continue };
            let standing = self.seals.of(image);
            let old = std::mem::replace(&mut watched.standing, standing);
            let name = |standing: &Standing| match standing {
                Standing::Sealed(sealed) => Some(sealed.name.clone()),
                Standing::NotSealed | Standing::Broken(_) => None,
            };
            let (before, now) = (name(&old), name(&watched.standing));
            if before == now {
                watched.kept = false;
                continue;
            }
            let shown = watched.container.shown().to_owned();
            match now {
                Some(seal) => {
                    self.summary.sealed += u64::from(before.is_none());
                    self.notice(format!("container {shown}: its image is sealed now: {seal}"));
                    self.enforce(&id);
                }
                None => self.keep_seal(&id, old),
            }
        }
    }

    /// Seals are only ever added: one that is gone was lost, or taken away, and neither is a reason to
    /// let go of a container that runs.
    fn keep_seal(&mut self, id: &str, old: Standing) {
        let Some(watched) = self.watched.get_mut(id) else { return };
        let shown = watched.container.shown().to_owned();
        let reason = match std::mem::replace(&mut watched.standing, old) {
            Standing::Broken(reason) => reason,
            Standing::NotSealed | Standing::Sealed(_) => "it is not in the store".to_owned(),
        };
        if !std::mem::replace(&mut watched.kept, true) {
            self.notice(format!(
                "container {shown}: the seal of its image does not hold any more: {reason}; it is \
                 held against it as it was"
            ));
        }
    }
}
