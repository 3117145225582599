//! The loop: events in, alerts and usage out, until told to stop.

use crate::asking::{Answer, Asker, Question};
use crate::cgroup::{Hierarchy, Kind, members};
use crate::guard::{Guard, Protected};
use crate::hashing::{Hasher, Shared};
use crate::judging::Case;
use crate::places::{Place, Places};
use crate::seals::{Seals, Standing};
use crate::usage::{Used, prune};
use crate::watched::{Folders, Watched};
use crate::{AgentError, Message, Mode, Options, Summary, clock, process};
use behaviour::Repeats;
use engine::ContainerDetails;
use sensor::{
    CgroupKey, Enforcement, Exec, KernelEvent, OpenWatch, Sensor, SensorOptions, mount_namespace,
};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vocabulary::{Container, counted};

/// How long one look at the kernel's events waits for some.
const TURN: Duration = Duration::from_millis(10);

/// The same while a container is being started: between the runtime's last step and the container's
/// first program there are some tens of milliseconds.
const SHORT_TURN: Duration = Duration::from_millis(2);

/// How long a container that is being started is looked at for its root.
const START: Duration = Duration::from_secs(10);

/// How often containers, seals and lost events are looked at.
const CHORES: Duration = Duration::from_secs(2);

/// How often all running containers are asked for: at once by events, by this where those were lost.
const ROLL_CALL: Duration = Duration::from_secs(30);

/// Containers of which it is remembered why no engine knows them.
const MAX_UNKNOWN: usize = 256;

/// Containers of which it is remembered that they ended: answers are not older than seconds.
const MAX_ENDED: usize = 1024;

/// Watches until `stop` is set or the time is over. What happens is told to `out` as it happens.
///
/// # Errors
/// Where this machine cannot watch, or the state folder cannot be written.
pub fn run(
    options: &Options,
    stop: &AtomicBool,
    out: &mut dyn FnMut(Message),
) -> Result<Summary, AgentError> {
    let began = Instant::now();
    let mut agent = Agent::start(options, out)?;
    let over = || options.duration.is_some_and(|duration| began.elapsed() >= duration);
    while !stop.load(Ordering::Relaxed) && !over() {
        agent.turn()?;
    }
    agent.end()
}

/// All that the loop knows.
pub(crate) struct Agent<'run> {
    pub(crate) options: &'run Options,
    pub(crate) out: &'run mut dyn FnMut(Message),
    pub(crate) summary: Summary,
    pub(crate) repeats: Repeats,
    pub(crate) watched: HashMap<String, Watched>,
    pub(crate) digests: Shared,
    pub(crate) hasher: Hasher<Case>,
    sensor: Sensor,
    opens: Option<OpenWatch>,
    guard: Option<Guard>,
    hierarchy: Hierarchy,
    places: Places,
    /// Mount namespaces of the host and of the engines' own processes.
    outside: HashSet<u32>,
    seals: Seals,
    asker: Asker,
    /// Containers whose root is not there yet, with the folder of their control group.
    starting: HashMap<String, (Container, PathBuf, Instant)>,
    /// Containers that ended, by their first process: an engine's answer may be older than that.
    ended: HashMap<String, u32>,
    /// Why containers are not known yet.
    unknown: HashMap<String, String>,
    usage: PathBuf,
    cannot_write: bool,
    lost: u64,
    missed_opens: u64,
    chores: Instant,
    roll_call: Instant,
}

impl<'run> Agent<'run> {
    fn start(
        options: &'run Options,
        out: &'run mut dyn FnMut(Message),
    ) -> Result<Self, AgentError> {
        let usage = options.state.join("usage");
        let state = |source| AgentError::State { path: usage.clone(), source };
        std::fs::create_dir_all(&usage).and_then(|()| prune(&usage)).map_err(state)?;
        let (running, errors) = engine::containers(&options.endpoints);
        let hierarchy =
            hierarchy(&options.endpoints.namespace, running.iter().filter_map(|one| one.pid))?;
        let key = match hierarchy.kind() {
            Kind::Unified => CgroupKey::Unified,
            Kind::Pids => CgroupKey::Pids,
        };
        // Before the containers are looked at: what starts meanwhile is among the events.
        let sensor = Sensor::start(SensorOptions { key, ..SensorOptions::default() })?;
        let digests = Shared::default();
        let mut agent = Self {
            options,
            summary: Summary::default(),
            repeats: Repeats::default(),
            watched: HashMap::new(),
            hasher: Hasher::start(digests.clone()).map_err(AgentError::Thread)?,
            sensor,
            opens: None,
            guard: None,
            hierarchy,
            places: Places::default(),
            outside: [1, std::process::id()].into_iter().filter_map(mount_namespace).collect(),
            seals: Seals::new(&options.store),
            asker: Asker::start(options.endpoints.clone()).map_err(AgentError::Thread)?,
            starting: HashMap::new(),
            ended: HashMap::new(),
            unknown: HashMap::new(),
            usage,
            cannot_write: false,
            lost: 0,
            missed_opens: 0,
            chores: Instant::now(),
            roll_call: Instant::now(),
            digests,
            out,
        };
        errors.iter().for_each(|error| agent.notice(error.to_string()));
        agent.open_means();
        for container in running {
            match engine::container(&options.endpoints, &container.id) {
                Ok(details) => agent.attach(details, false),
                Err(error) => agent.notice(format!("container {}: {error}", container.shown())),
            }
        }
        agent.ignore_others();
        agent.greet();
        Ok(agent)
    }

    /// What may be missing on a machine without ending the watching.
    fn open_means(&mut self) {
        match OpenWatch::open() {
            Ok(opens) => self.opens = Some(opens),
            Err(error) => self.notice(format!("files in use are not recorded: {error}")),
        }
        if self.options.mode == Mode::Enforce {
            match Guard::start(self.digests.clone()) {
                Ok(guard) => self.guard = Some(guard),
                Err(error) => self.notice(format!(
                    "programs are not refused before they begin, only stopped after: {error}"
                )),
            }
        }
    }

    /// Has the kernel leave out what runs outside of containers.
    fn ignore_others(&mut self) {
        let mut others: Vec<u64> = self.hierarchy.root_id().into_iter().collect();
        for group in self.hierarchy.all() {
            let Some(id) = group.ids.first() else { continue };
            let of_container = |id: &u64| matches!(self.places.get(*id), Some(Place::Container(_)));
            if group.container.is_none() && !group.ids.iter().any(of_container) {
                others.push(*id);
            }
        }
        for id in others {
            self.places.set(id, Place::Outside);
            // A full map only means more events.
            let _ = self.sensor.ignore_cgroup(id);
        }
    }

    fn greet(&mut self) {
        let mode = match self.options.mode {
            Mode::Observe => "observing",
            Mode::Enforce => "enforcing",
        };
        let sealed = self.watched.values().filter(|watched| watched.sealed().is_some()).count();
        let containers = counted(self.watched.len(), "container", "containers");
        self.notice(format!("{mode}: {containers} running, {sealed} of sealed images"));
    }

    fn turn(&mut self) -> Result<(), AgentError> {
        let mut events = Vec::new();
        let turn = if self.starting.is_empty() { TURN } else { SHORT_TURN };
        self.sensor.poll(turn, &mut |event| events.push(event))?;
        for event in events {
            self.event(event);
        }
        self.collect();
        if self.chores.elapsed() >= CHORES {
            self.chores = Instant::now();
            self.chores();
        }
        Ok(())
    }

    fn event(&mut self, event: KernelEvent) {
        match event {
            KernelEvent::Exec(exec) => self.exec(exec),
            KernelEvent::Fork(fork) => {
                let group = self.key(fork.cgroup, fork.pids_cgroup);
                if self.places.get(group).is_none() {
                    self.place(group, fork.process.pid);
                }
            }
            KernelEvent::Exit(exit) => {
                let is_first = |watched: &&Watched| watched.container.pid == Some(exit.process.pid);
                let ended = self.watched.values().find(is_first);
                if let Some(id) = ended.map(|watched| watched.container.id.clone()) {
                    self.detach(&id);
                }
            }
        }
    }

    const fn key(&self, unified: u64, pids: u64) -> u64 {
        match self.hierarchy.kind() {
            Kind::Unified => unified,
            Kind::Pids => pids,
        }
    }

    fn exec(&mut self, exec: Box<Exec>) {
        let group = self.key(exec.cgroup, exec.pids_cgroup);
        let place = self.place(group, exec.process.pid);
        // The runtime, on its way into the container, and the engine's own helpers.
        if self.outside.contains(&exec.mount_namespace) {
            return;
        }
        match place {
            Place::Container(id) => self.judge(&id, &exec),
            Place::Expected(_) => self.places.wait(group, exec),
            Place::Outside => {}
        }
    }

    /// Whose a group is, found out where it was not seen before.
    fn place(&mut self, group: u64, pid: u32) -> Place {
        if self.places.get(group).is_none() {
            let found = self.hierarchy.group(group, pid);
            let running = |id: &str| self.watched.contains_key(id);
            self.places.learn(group, found.as_ref(), &running);
        }
        self.places.get(group).cloned().unwrap_or(Place::Outside)
    }

    /// What the other threads have brought.
    fn collect(&mut self) {
        for (group, expected) in self.places.expected() {
            if expected.is_over() {
                self.give_up(group, expected.container.as_deref());
            } else if expected.is_asked_about() {
                let question = match &expected.container {
                    Some(id) if self.starting.contains_key(id) => continue,
                    Some(id) if expected.is_starting() => Question::Starting(id.clone()),
                    Some(id) => Question::Container(id.clone()),
                    None => Question::Running,
                };
                self.asker.ask(&question, expected.pause());
            }
        }
        self.look_at_starting();
        for answer in self.asker.answers() {
            self.answer(answer);
        }
        for (case, digest) in self.hasher.done() {
            self.finish(case, digest);
        }
        let denials = self.guard.as_ref().map(Guard::denials).unwrap_or_default();
        for denial in denials {
            self.denied(denial);
        }
        self.collect_opens();
    }

    fn collect_opens(&mut self) {
        let Some(opens) = &mut self.opens else { return };
        let mut opened = Vec::new();
        let polled = opens.poll(Duration::ZERO, &mut |file| opened.push(file));
        let missed = opens.overflows();
        if let Err(error) = polled {
            self.opens = None;
            self.notice(format!("files in use are recorded no more: {error}"));
        }
        for file in opened {
            let device = Some(file.identity.device);
            let by_device = self.watched.values_mut().find(|one| one.folders.device == device);
            match by_device {
                Some(watched) => watched.used.add(&file.path),
                None => self.opened_elsewhere(file.pid, &file.path),
            }
        }
        let new = missed.saturating_sub(self.missed_opens);
        self.missed_opens = missed;
        self.watched.values_mut().for_each(|watched| watched.used.lost(new));
    }

    /// An overlay whose layers lie on several file systems shows their devices: the process says whose
    /// file it is.
    fn opened_elsewhere(&mut self, pid: u32, path: &str) {
        let group = self.hierarchy.of_process(pid);
        let ids = group.iter().flat_map(|group| &group.ids);
        let container = ids.filter_map(|id| self.places.get(*id)).find_map(|place| match place {
            Place::Container(id) => Some(id.clone()),
            Place::Expected(_) | Place::Outside => None,
        });
        if let Some(watched) = container.and_then(|id| self.watched.get_mut(&id)) {
            watched.used.add(path);
        }
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Container(details) => self.described(*details),
            Answer::Starting(container) => {
                let groups = self.places.of(&container.id);
                if let Some(folder) = groups.first().and_then(|id| self.hierarchy.folder(*id)) {
                    let id = container.id.clone();
                    self.starting.insert(id, (container, folder, Instant::now()));
                }
            }
            Answer::Running(containers) => {
                for container in containers {
                    if !self.watched.contains_key(&container.id) {
                        let question = Question::Container(container.id.clone());
                        self.asker.ask(&question, Duration::from_millis(20));
                    }
                }
            }
            Answer::Unknown { id, reason } => {
                if self.unknown.len() >= MAX_UNKNOWN {
                    self.unknown.clear();
                }
                self.unknown.insert(id, reason);
            }
        }
    }

    fn described(&mut self, details: ContainerDetails) {
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
            Some(pid) if self.ended.get(&id) == Some(&pid) => {}
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
    fn has_own_root(&self, pid: u32) -> bool {
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
    fn look_at_starting(&mut self) {
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
            let Ok(layers) = engine::mountinfo::folders_of(pid) else { continue };
            self.starting.remove(&id);
            let container = Container { pid: Some(pid), ..container };
            self.attach(ContainerDetails { container, layers }, true);
            self.asker.ask(&Question::Container(id), Duration::ZERO);
        }
    }

    fn give_up(&mut self, group: u64, container: Option<&str>) {
        let waited = self.places.take(group).count();
        self.places.set(group, Place::Outside);
        match container {
            Some(id) if waited > 0 => {
                let reason = self.unknown.remove(id);
                let reason = reason.unwrap_or_else(|| "no engine answers".to_owned());
                let id = short(id);
                self.notice(format!("container {id}: what it runs is not judged: {reason}"));
            }
            _ => {
                let _ = self.sensor.ignore_cgroup(group);
            }
        }
    }

    /// Begins to watch a container; `from_start` where it was not there when the agent began.
    fn attach(&mut self, details: ContainerDetails, from_start: bool) {
        let folders = Folders::of(&details);
        let container = details.container;
        let standing = match &container.image_id {
            Some(image) => self.seals.of(image),
            None => Standing::NotSealed,
        };
        let group = container.pid.and_then(|pid| self.hierarchy.of_process(pid));
        let own = group.and_then(|group| group.ids.first().copied());
        let used = Used::new(
            container.clone(),
            folders.image.clone(),
            clock::now(),
            from_start && self.opens.is_some(),
        );
        let (id, pid) = (container.id.clone(), container.pid);
        let watched = Watched { container, standing, folders, used, group: own };
        self.summary.containers += 1;
        self.summary.sealed += u64::from(watched.sealed().is_some());
        self.watched.insert(id.clone(), watched);
        self.say_standing(&id);
        if let Some(pid) = pid {
            self.note_runtime(pid);
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
    fn note_runtime(&mut self, pid: u32) {
        let own = mount_namespace(pid);
        let around = process::parent(pid).and_then(mount_namespace);
        if let Some(around) = around.filter(|around| Some(*around) != own) {
            self.outside.insert(around);

            if let Err(error) = self.sensor.trust_mounts(around) {
                self.notice(error.to_string());
            }
        }
    }

    fn say_standing(&mut self, id: &str) {
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

    fn watch_files(&mut self, id: &str, pid: u32) {
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        let watching = self.opens.as_ref().map(|opens| opens.watch(&root));
        // A container that has ended meanwhile is no problem.
        if let Some(Err(error)) = watching
            && process::is_there(pid)
        {
            self.notice(format!("container {}: files in use: {error}", short(id)));
        }
        // After the mark: what was opened before it is mapped, or was read and let go.
        let pids = self.hierarchy.processes(pid);
        if let Some(watched) = self.watched.get_mut(id) {
            watched.look_at(pids);
        }
    }

    /// Has the kernel refuse and stop programs of a container, where that was asked for.
    fn enforce(&mut self, id: &str) {
        if self.options.mode != Mode::Enforce {
            return;
        }
        let Some(watched) = self.watched.get(id) else { return };
        let (Some(sealed), Some(pid)) = (watched.sealed(), watched.container.pid) else { return };
        let mut problems = Vec::new();
        if let Some(group) = watched.group {
            let memory = Enforcement { memory: true, written: false };
            problems.extend(self.sensor.enforce_cgroup(group, memory).err());
        }
        if let (Some(guard), Some(device)) = (&self.guard, watched.folders.device) {
            let protected = Protected {
                container: watched.container.clone(),
                sealed: sealed.clone(),
                written: watched.folders.written.clone(),
            };
            let root = PathBuf::from(format!("/proc/{pid}/root"));
            problems.extend(guard.protect(device, &root, protected).err());
        }
        // A container that has ended meanwhile is no problem.
        let problems = problems.into_iter().filter(|_| process::is_there(pid));
        for problem in problems {
            self.notice(format!("container {}: {problem}", short(id)));
        }
    }

    fn detach(&mut self, id: &str) {
        self.starting.remove(id);
        let Some(mut watched) = self.watched.remove(id) else { return };
        self.write_usage(&mut watched, true);
        if let Some(pid) = watched.container.pid {
            if self.ended.len() >= MAX_ENDED {
                self.ended.clear();
            }
            self.ended.insert(id.to_owned(), pid);
        }
        if let (Some(guard), Some(device)) = (&self.guard, watched.folders.device) {
            guard.release(device);
        }
        let groups = self.places.forget(id);
        for group in groups.into_iter().chain(watched.group) {
            let _ = self.sensor.release_cgroup(group);
        }
        self.repeats.forget(id);
    }

    fn write_usage(&mut self, watched: &mut Watched, always: bool) {
        let written = watched.used.write(&self.usage, clock::now(), always);
        // A full disk is said once, not every few seconds.
        let said = std::mem::replace(&mut self.cannot_write, written.is_err());
        if let (Err(error), false) = (written, said) {
            let folder = self.usage.display().to_string();
            self.notice(format!("cannot write to `{folder}`: {error}"));
        }
    }

    fn chores(&mut self) {
        self.count_lost();
        self.look_for_ended();
        if self.seals.has_changed() {
            self.read_seals_again();
        }
        if self.guard.as_ref().is_some_and(|guard| !guard.is_alive()) {
            self.guard = None;
            self.notice("fanotify failed: programs are only stopped after they begin".to_owned());
        }
        if self.roll_call.elapsed() >= ROLL_CALL {
            self.roll_call = Instant::now();
            self.asker.ask(&Question::Running, Duration::ZERO);
        }
        let mut watched = std::mem::take(&mut self.watched);
        for one in watched.values_mut() {
            self.write_usage(one, false);
        }
        self.watched = watched;
    }

    fn count_lost(&mut self) {
        let kernel = self.sensor.lost().unwrap_or(self.lost);
        let dropped = std::mem::take(&mut self.places.dropped);
        let new = kernel.saturating_sub(self.lost) + dropped;
        self.lost = kernel;
        if new == 0 {
            return;
        }
        self.summary.lost += new;
        self.watched.values_mut().for_each(|watched| watched.used.lost(new));
        self.notice(format!("{new} events were lost: programs may have run that were not judged"));
    }

    /// Containers whose end was not among the events.
    fn look_for_ended(&mut self) {
        let ended =
            |watched: &&Watched| watched.container.pid.is_none_or(|pid| !process::is_there(pid));
        let ids: Vec<_> =
            self.watched.values().filter(ended).map(|one| one.container.id.clone()).collect();
        ids.iter().for_each(|id| self.detach(id));
    }

    /// What was sealed meanwhile counts for containers that run already.
    fn read_seals_again(&mut self) {
        let ids: Vec<String> = self.watched.keys().cloned().collect();
        for id in ids {
            let Some(watched) = self.watched.get_mut(&id) else { continue };
            let Some(image) = &watched.container.image_id else { continue };
            let standing = self.seals.of(image);
            let before = std::mem::replace(&mut watched.standing, standing);
            let name = |standing: &Standing| match standing {
                Standing::Sealed(sealed) => Some(sealed.name.clone()),
                Standing::NotSealed | Standing::Broken(_) => None,
            };
            let (before, now) = (name(&before), name(&watched.standing));
            if before == now {
                continue;
            }
            let shown = watched.container.shown().to_owned();
            match now {
                Some(seal) => {
                    self.summary.sealed += u64::from(before.is_none());
                    self.notice(format!("container {shown}: its image is sealed now: {seal}"));
                    self.enforce(&id);
                }
                None => self.say_standing(&id),
            }
        }
    }

    fn end(mut self) -> Result<Summary, AgentError> {
        // What has happened up to now is still told.
        self.turn()?;
        self.count_lost();
        let mut watched = std::mem::take(&mut self.watched);
        for one in watched.values_mut() {
            self.write_usage(one, true);
        }
        Ok(self.summary.clone())
    }

    pub(crate) fn notice(&mut self, text: String) {
        (self.out)(Message::Notice(text));
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The hierarchy in which containers have groups of their own: version 2, unless it is not there or
/// the containers that run are all in its root.
fn hierarchy(namespace: &str, pids: impl Iterator<Item = u32>) -> Result<Hierarchy, AgentError> {
    let path = "/proc/self/mountinfo";
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| AgentError::Proc { path, source })?;
    let unified = Hierarchy::of(&text, Kind::Unified, namespace);
    let pids: Vec<u32> = pids.collect();
    let in_root = !pids.is_empty() && pids.iter().all(|pid| unified.of_process(*pid).is_none());
    if unified.is_there() && !in_root {
        return Ok(unified);
    }
    let old = Hierarchy::of(&text, Kind::Pids, namespace);
    if old.is_there() {
        return Ok(old);
    }
    if unified.is_there() { Ok(unified) } else { Err(AgentError::NoControlGroups) }
}
