//! From an execution in a known container to alerts and actions.

use crate::case::Case;
use crate::cgroup::Kind;
use crate::guard::{Denial, Protected};
use crate::known::Agent;
use crate::places::Place;
use crate::reading::{self, Subject};
use crate::seals::Sealed;
use crate::stopping::{is_stopped, stop as stop_process};
use crate::{Message, Mode, clock, process};
use behaviour::{Baseline, Moment, Response, Verdict};
use sensor::{Exec, Fork, ProgramFile, boot_ns};
use std::sync::Arc;
use std::time::Instant;
use vocabulary::alert::ALERT_SCHEMA;
use vocabulary::{
    Act, Action, Alert, Container, Event, Execution, FileIdentity, Finding, Means, Rule, Side,
};

/// Where Docker mounts the init program that `docker run --init` asks for: `/sbin` is a link in many
/// images.
const ENGINE_INITS: [&str; 2] = ["sbin/docker-init", "usr/sbin/docker-init"];

impl Agent<'_> {
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
    pub(crate) fn place(&mut self, group: u64, pid: u32) -> Place {
        if self.places.get(group).is_none() {
            let found = self.hierarchy.group(group, pid);
            let running = |id: &str| self.watched.contains_key(id);
            self.places.learn(group, found.as_ref(), &running);
        }
        self.places.get(group).cloned().unwrap_or(Place::Outside)
    }

    pub(crate) const fn key(&self, unified: u64, pids: u64) -> u64 {
        match self.hierarchy.kind() {
            Kind::Unified => unified,
            Kind::Pids => pids,
        }
    }

    /// Judges what a container ran: the program, and the script that it interprets.
    pub(crate) fn judge(&mut self, id: &str, exec: &Exec) {
        self.summary.executions += 1;
        self.judge_file(id, exec, &exec.file);
        let Some(script) = &exec.script else { return };
        match &script.file {
            Some(file) => self.judge_file(id, exec, file),
            None => {
                let unknown = ProgramFile {
                    path: script.name.trim_start_matches('/').to_owned(),
                    identity: FileIdentity { device: 0, inode: 0 },
                    side: Side::Unknown,
                    file_system: 0,
                    unlinked: false,
                    truncated: !script.name.starts_with('/'),
                };
                self.judge_file(id, exec, &unknown);
            }
        }
    }

    fn judge_file(&mut self, id: &str, exec: &Exec, file: &ProgramFile) {
        let Some(watched) = self.watched.get(id) else { return };
        let side = watched.folders.side(file);
        if side == Side::Mounted && is_engine_init(&watched.container, exec, file) {
            return;
        }
        let event = Event {
            at_ns: exec.at_ns,
            process: exec.process.clone(),
            ancestors: exec.ancestors.clone(),
            uid: exec.uid,
            gid: exec.gid,
            act: Act::Execution(Execution {
                path: file.path.clone(),
                file: file.identity,
                side,
                input: exec.input.clone(),
                digest: None,
            }),
        };
        let wanted = watched.wanted(exec, file, side);
        let case = Case {
            container: watched.container.clone(),
            sealed: watched.sealed().cloned(),
            event,
            asked: watched.was_asked_about(exec, side),
            doubtful: false,
            stopped: exec.stopped,
        };
        if matches!(side, Side::Image | Side::Written) {
            self.note_used(id, &file.path);
        }
        match wanted {
            Some(wanted) => {
                let work = reading::program(wanted, self.digests.clone());
                self.left_behind.wait_for(&exec.process);
                self.readers.ask(id, Subject::Case(Box::new(case)), work);
            }
            None => {
                self.finish(case, None);
            }
        }
    }

    /// Judges a case that was read, and what its process made meanwhile.
    pub(crate) fn finish_read(&mut self, case: Case, digest: Option<vocabulary::Digest>) {
        let process = case.event.process.clone();
        let stop = self.finish(case, digest);
        for child in self.left_behind.decide(&process, stop, Instant::now()) {
            self.summary.stopped += u64::from(is_stopped(&stop_process(&child, false)));
        }
    }

    /// Judges a case whose digest has come, or could not be had. Whether its process was to be stopped.
    fn finish(&mut self, mut case: Case, digest: Option<vocabulary::Digest>) -> bool {
        // The sealed content, put there after the program began, proves nothing; nor is it a reason to
        // stop what is most likely the image's own program.
        let mut unproven = false;
        if let Act::Execution(execution) = &mut case.event.act {
            unproven = case.doubtful
                && case.sealed.as_ref().is_some_and(|sealed| {
                    digest.is_some() && sealed.programs.digest(&execution.path) == digest
                });
            execution.digest = digest.filter(|_| !unproven);
        }
        let moment = Moment::Begun { unproven };
        let verdicts = verdicts(&case.container, case.sealed.as_ref(), &case.event, moment);
        let enforced = self.options.mode == Mode::Enforce && case.sealed.is_some();
        let mut done = None;
        for Verdict { finding, rule, response, .. } in verdicts {
            let action = if enforced && response == Response::Stop {
                let act = || stop_process(&case.event.process, case.stopped);
                self.left_behind.add(&case.event.process, Instant::now());
                done.get_or_insert_with(act).clone()
            } else {
                Action::Observed
            };
            self.alert(case.container.clone(), (finding, rule), action, case.event.at_ns);
        }
        self.summary.stopped += u64::from(done.as_ref().is_some_and(is_stopped));
        done.is_some()
    }

    /// Stops a process that one made which was to be stopped itself. It is told of with its maker.
    pub(crate) fn stop_left_behind(&mut self, fork: &Fork) {
        let maker = (fork.parent_pid, fork.parent_started_ns);
        if self.left_behind.takes(&fork.process, maker, Instant::now()) {
            let stopped = is_stopped(&stop_process(&fork.process, false));
            self.summary.stopped += u64::from(stopped);
        }
    }

    /// Tells of a program that the guard refused.
    pub(crate) fn denied(&mut self, denial: Denial) {
        let Denial { protected: Protected { container, sealed, .. }, event } = denial;
        self.summary.stopped += 1;
        let moment = Moment::Begun { unproven: false };
        let verdicts = verdicts(&container, Some(&sealed), &event, moment);
        for Verdict { finding, rule, .. } in verdicts {
            let action = Action::Denied { means: Means::Fanotify };
            self.alert(container.clone(), (finding, rule), action, event.at_ns);
        }
    }

    fn alert(
        &mut self,
        container: Container,
        (finding, rule): (Finding, &Rule),
        action: Action,
        at_ns: u64,
    ) {
        if !self.repeats.is_first(&container, &finding) {
            self.summary.repeats += 1;
            return;
        }
        if !self.floods.has_room(&container.id, Instant::now()) {
            self.summary.left_out += 1;
            return;
        }
        self.summary.alerts += 1;
        let alert = Alert {
            schema: ALERT_SCHEMA.to_owned(),
            time: clock::time_of(at_ns),
            latency_us: boot_ns().saturating_sub(at_ns) / 1000,
            container,
            finding,
            rule: rule.clone(),
            action,
        };
        (self.out)(Message::Alert(Box::new(alert)));
    }
}

fn verdicts(
    container: &Container,
    sealed: Option<&Arc<Sealed>>,
    event: &Event,
    moment: Moment,
) -> Vec<Verdict> {
    let baseline = match sealed {
        Some(sealed) => Baseline::Sealed { programs: &sealed.programs, seal: &sealed.seal },
        None => Baseline::NotSealed,
    };
    behaviour::observe(container, event, baseline, moment)
}

/// `docker run --init` mounts the engine's own program into the container and runs it first. Nothing
/// else may stand there: a program that mounts itself over it is not the container's first process.
fn is_engine_init(container: &Container, exec: &Exec, file: &ProgramFile) -> bool {
    ENGINE_INITS.contains(&file.path.as_str())
        && container.pid == Some(exec.process.pid)
        && process::read(exec.process.pid, "mountinfo")
            // One that has ended already cannot be asked; it was the first process all the same.
            .is_none_or(|text| process::device_at(&text, &format!("/{}", file.path)).is_some())
}
