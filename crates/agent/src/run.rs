//! The loop: events in, alerts and usage out, until told to stop.

use crate::asking::{Asker, Question};
use crate::cgroup::{Hierarchy, Kind};
use crate::containers::short;
use crate::floods::Floods;
use crate::guard::Guard;
use crate::hashing::{Hasher, Shared};
use crate::judging::Case;
use crate::left_behind::LeftBehind;
use crate::places::{Place, Places};
use crate::seals::Seals;
use crate::usage::prune;
use crate::watched::Watched;
use crate::{AgentError, Message, Mode, Options, Summary, clock};
use behaviour::Repeats;
use sensor::{CgroupKey, Exec, KernelEvent, OpenWatch, Sensor, SensorOptions, mount_namespace};
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

/// How often containers, seals and lost events are looked at.
const CHORES: Duration = Duration::from_secs(2);

/// How often all running containers are asked for: at once by events, by this where those were lost.
const ROLL_CALL: Duration = Duration::from_secs(30);

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
    pub(crate) floods: Floods,
    pub(crate) left_behind: LeftBehind,
    pub(crate) watched: HashMap<String, Watched>,
    pub(crate) digests: Shared,
    pub(crate) hasher: Hasher<Case>,
    pub(crate) sensor: Sensor,
    pub(crate) opens: Option<OpenWatch>,
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
    usage: PathBuf,
    cannot_write: bool,
    lost: u64,
    pub(crate) missed_opens: u64,
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
        prune(&usage).map_err(state)?;
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
        let host_mounts: HashSet<u32> =
            [1, std::process::id()].into_iter().filter_map(mount_namespace).collect();
        let mut agent = Self {
            options,
            summary: Summary::default(),
            repeats: Repeats::default(),
            floods: Floods::default(),
            left_behind: LeftBehind::default(),
            watched: HashMap::new(),
            hasher: Hasher::start(digests.clone()).map_err(AgentError::Thread)?,
            sensor,
            opens: None,
            guard: None,
            hierarchy,
            places: Places::default(),
            outside: host_mounts.clone(),
            host_mounts,
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
        if running.is_empty() && errors.is_empty() && !engine::any_listens(&options.endpoints) {
            agent.notice(engine::none_listens(&options.endpoints));
        }
        agent.open_means();
        for container in running {
            match engine::container(&options.endpoints, &container.id) {
                Ok(details) => agent.attach(details, false),
                Err(error) => agent.notice(format!("container {}: {error}", container.shown())),
            }
        }
        agent.ignore_others();
        agent.greet();
        // What began between the first question and the first event is in neither.
        agent.asker.ask(&Question::Running, Duration::ZERO);
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
                self.stop_left_behind(&fork);
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

    pub(crate) fn exec(&mut self, exec: Box<Exec>) {
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
                    Some(id) if expected.is_starting() && self.expect_again(id) => continue,
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

    pub(crate) fn write_usage(&mut self, watched: &mut Watched, always: bool) {
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
        self.tell_left_out(false);
        self.left_behind.forget_old(Instant::now());
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

    fn tell_left_out(&mut self, all: bool) {
        for (container, count) in self.floods.over(Instant::now(), all) {
            let id = short(&container).to_owned();
            self.notice(format!("container {id}: {count} more findings of a minute were left out"));
        }
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

    fn end(mut self) -> Result<Summary, AgentError> {
        // What has happened up to now is still told.
        self.turn()?;
        self.count_lost();
        self.tell_left_out(true);
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
