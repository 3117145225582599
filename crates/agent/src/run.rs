//! The loop: events in, alerts and usage out, until told to stop.

use crate::asking::{Asker, Question};
use crate::cgroup::{Hierarchy, Kind};
use crate::digests::Shared;
use crate::floods::Floods;
use crate::guard::Guard;
use crate::known::{Agent, short};
use crate::left_behind::LeftBehind;
use crate::opens::Opens;
use crate::places::{Place, Places};
use crate::readers::Readers;
use crate::reading::Opened;
use crate::report;
use crate::seals::Seals;
use crate::usage::{FOLDER, prune};
use crate::using::LAST_WRITTEN;
use crate::watched::Watched;
use crate::writing::Writer;
use crate::{AgentError, Message, Mode, Options, Summary, clock};
use behaviour::Repeats;
use sensor::{CgroupKey, KernelEvent, Sensor, SensorOptions, mount_namespace};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vocabulary::counted;

/// How long one look at the kernel's events waits for some.
const TURN: Duration = Duration::from_millis(10);

/// The same while a container is being started: between the runtime's last step and the container's
/// first program there are some tens of milliseconds.
const SHORT_TURN: Duration = Duration::from_millis(2);

/// How often containers, seals and lost events are looked at.
const CHORES: Duration = Duration::from_secs(2);

/// How often all running containers are asked for: at once by events, by this where those were lost.
const ROLL_CALL: Duration = Duration::from_secs(30);

/// How long engines are waited for at the start. What they did not say by then comes later, as for a
/// container that starts.
const FIRST_ANSWERS: Duration = Duration::from_secs(10);

/// How long is waited at the end for what is still read.
const LAST_READ: Duration = Duration::from_millis(500);

/// Watches until `stop` is set or the time is over. What happens is told to `out` as it happens. Each
/// time that the loop has gone round, and whoever answers for containers too, `alive` is called: where it
/// is not for long, the watching stands still.
///
/// # Errors
/// Where this machine cannot watch, or the state folder cannot be written.
pub fn run(
    options: &Options,
    stop: &AtomicBool,
    alive: &mut dyn FnMut(),
    out: &mut dyn FnMut(Message),
) -> Result<Summary, AgentError> {
    let began = Instant::now();
    make_room();
    let mut agent = Agent::start(options, out)?;
    let over = || options.duration.is_some_and(|duration| began.elapsed() >= duration);
    while !stop.load(Ordering::Relaxed) && !over() {
        agent.turn()?;
        if !agent.guard.as_ref().is_some_and(Guard::is_stuck) {
            alive();
        }
    }
    agent.end()
}

/// Open files that are enough for each question that may be open, and for all else.
const OPEN_FILES: u64 = 8192;

/// Services begin with room for some hundred open files.
fn make_room() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < OPEN_FILES
    {
        // Where it may not be more, what does not fit is refused, one by one.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, OPEN_FILES.min(hard), hard);
    }
}

/// What the threads that may hang do first. In kernels before 5.9 they share what is open, as others do.
pub(crate) fn alone() {
    let _ = sensor::forget_descriptors();
}

impl<'run> Agent<'run> {
    fn start(
        options: &'run Options,
        out: &'run mut dyn FnMut(Message),
    ) -> Result<Self, AgentError> {
        let usage = options.state.join(FOLDER);
        let state = |source| AgentError::State { path: usage.clone(), source };
        files::Folder::own(&options.state)
            .and_then(|folder| folder.own_folder(FOLDER))
            .and_then(|_| prune(&usage))
            .map_err(state)?;
        let first = crate::asking::first(&options.endpoints, FIRST_ANSWERS);
        let hierarchy = hierarchy(&options.endpoints.namespace, first.pids.iter().copied())?;
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
            readers: Readers::new("reading", alone),
            opened: Opened::default(),
            writer: Writer::start(&options.state, alone).map_err(AgentError::Thread)?,
            sensor,
            opens: None,
            guard: None,
            hierarchy,
            places: Places::default(),
            outside: host_mounts.clone(),
            host_mounts,
            seals: Seals::new(&options.store),
            asker: Asker::start(&options.endpoints).map_err(AgentError::Thread)?,
            starting: HashMap::new(),
            ended: HashMap::new(),
            unknown: HashMap::new(),
            since: clock::now(),
            cannot_write: false,
            lost: 0,
            missed_opens: 0,
            chores: Instant::now(),
            roll_call: Instant::now(),
            digests,
            out,
        };
        first.errors.into_iter().for_each(|error| agent.notice(error));
        if !first.listens {
            agent.notice(engine::none_listens(&options.endpoints));
        }
        agent.open_means();
        first.details.into_iter().for_each(|details| agent.attach(details, false));
        agent.settle(LAST_READ);
        agent.ignore_others();
        agent.greet();
        // What began between the first question and the first event is in neither.
        agent.asker.ask(&Question::Running, Duration::ZERO);
        Ok(agent)
    }

    /// What may be missing on a machine without ending the watching.
    fn open_means(&mut self) {
        match Opens::start() {
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
        self.collect_opens();
        self.ask_whose();
        self.collect_read();
        let denials = self.guard.as_ref().map(Guard::denials).unwrap_or_default();
        for denial in denials {
            self.denied(denial);
        }
    }

    fn chores(&mut self) {
        self.count_lost();
        self.count_crowded();
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
        self.collect_written();
        let mut watched = std::mem::take(&mut self.watched);
        for one in watched.values_mut() {
            self.write_usage(one, false);
        }
        self.watched = watched;
        self.report();
    }

    /// Writes down how the watching itself goes.
    fn report(&mut self) {
        let page = report::page(self);
        if let Some(page) = page.filter(|_| self.writer.has_room()) {
            let _ = self.writer.write(page);
        }
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

    /// Programs that wait are bounded, and one that was not read was judged without its digest.
    fn count_crowded(&mut self) {
        let crowded = self.readers.crowded();
        if crowded > 0 {
            self.summary.unread += crowded;
            let files = counted(usize::try_from(crowded).unwrap_or(usize::MAX), "file", "files");
            self.notice(format!("{files} of containers were not read: too many at once"));
        }
    }

    fn end(mut self) -> Result<Summary, AgentError> {
        // What has happened up to now is still told.
        self.turn()?;
        self.settle(LAST_READ);
        self.count_lost();
        self.count_crowded();
        self.tell_left_out(true);
        let mut watched = std::mem::take(&mut self.watched);
        for one in watched.values_mut() {
            self.write_usage(one, true);
        }
        if !self.writer.wait(true, LAST_WRITTEN) {
            self.cannot_write("the disk does not answer");
        }
        Ok(self.summary.clone())
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
