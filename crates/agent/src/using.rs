//! What containers use: the files that they open, run and have mapped, noted, asked about, and written
//! down.

use crate::clock;
use crate::known::Agent;
use crate::opens::Taken;
use crate::places::Place;
use crate::process;
use crate::readers::Pulse;
use crate::reading::{Subject, used};
use crate::usage::{FOLDER, MAX_FILES, mapped};
use crate::watched::Watched;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long is waited at the end for what is still written.
pub(crate) const LAST_WRITTEN: Duration = Duration::from_secs(1);

impl Agent<'_> {
    /// Takes note of a file that a container used, by the path that it sees.
    pub(crate) fn note_used(&mut self, container: &str, path: &str) {
        let Some(watched) = self.watched.get_mut(container) else { return };
        if watched.used.is_new(path) {
            self.opened.entry(container.to_owned()).or_default().push(path.to_owned());
        }
    }

    /// Asks which of the files that were opened in this turn are the image's.
    pub(crate) fn ask_whose(&mut self) {
        for (container, paths) in std::mem::take(&mut self.opened) {
            let Some(watched) = self.watched.get(&container) else { continue };
            let layers: Arc<[PathBuf]> = Arc::clone(&watched.folders.image);
            let subject = Subject::Opened { container: container.clone(), paths: paths.len() };
            let work = move |pulse: &Pulse| used(&layers, paths, pulse);
            self.readers.ask(&container, subject, Box::new(work));
        }
    }

    /// Asks what processes of a container run and have mapped: reading that takes a lock of the
    /// process, which one that waits for a file of its own may hold for ever.
    pub(crate) fn ask_mapped(&mut self, container: &str, pids: Vec<u32>) {
        let Some(watched) = self.watched.get(container) else { return };
        let Some(device) = watched.folders.device else { return };
        let device = (device >> 20, device & 0xf_ffff);
        let layers = Arc::clone(&watched.folders.image);
        let subject = Subject::Mapped { container: container.to_owned() };
        let work = move |pulse: &Pulse| {
            let mut paths = std::collections::BTreeSet::new();
            for pid in pids {
                pulse.beat();
                let maps = process::read(pid, "maps").unwrap_or_default();
                paths.extend(
                    mapped(&maps, device).map(|path| path.trim_start_matches('/').to_owned()),
                );
                if paths.len() > MAX_FILES {
                    break;
                }
            }
            used(&layers, paths.into_iter().collect(), pulse)
        };
        self.readers.ask(container, subject, Box::new(work));
    }

    /// The container that a process is in.
    pub(crate) fn container_of(&self, pid: u32) -> Option<String> {
        let group = self.hierarchy.of_process(pid)?;
        group.ids.iter().filter_map(|id| self.places.get(*id)).find_map(|place| match place {
            Place::Container(id) => Some(id.clone()),
            Place::Expected(_) | Place::Outside => None,
        })
    }

    /// Notes the files that were opened since it was last asked.
    pub(crate) fn collect_opens(&mut self) {
        let Some(opens) = &self.opens else { return };
        let Taken { files, missed, ended } = opens.take();
        if ended {
            self.opens = None;
            self.notice("files in use are recorded no more: fanotify failed".to_owned());
            // What is opened from now on is missing in each list.
            self.watched.values_mut().for_each(|watched| watched.used.lost(1));
        }
        for file in files {
            let device = Some(file.identity.device);
            let by_device = self.watched.iter().find(|(_, one)| one.folders.device == device);
            // An overlay whose layers lie on several file systems shows their devices: the process
            // says whose file it is.
            let container = match by_device {
                Some((id, _)) => Some(id.clone()),
                None => self.container_of(file.pid),
            };
            if let Some(container) = container {
                self.note_used(&container, &file.path);
            }
        }
        let new = missed.saturating_sub(self.missed_opens);
        self.missed_opens = missed;
        self.watched.values_mut().for_each(|watched| watched.used.lost(new));
    }
    pub(crate) fn write_usage(&mut self, watched: &mut Watched, always: bool) {
        // What must be written now waits for room, but not for a disk that is gone.
        if !(self.writer.has_room() || always && self.writer.wait(false, LAST_WRITTEN)) {
            self.cannot_write("the disk does not answer");
            return;
        }
        let Some(page) = watched.used.page(clock::now(), always) else { return };
        if let Err(error) = self.writer.write(page) {
            watched.used.not_written();
            self.cannot_write(&error.to_string());
        }
    }

    /// A full disk is said once, not every few seconds.
    pub(crate) fn cannot_write(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.cannot_write, true) {
            let folder = self.options.state.join(FOLDER).display().to_string();
            self.notice(format!("cannot write to `{folder}`: {reason}"));
        }
    }

    /// What became of the lists that were written. One that was not is written again.
    pub(crate) fn collect_written(&mut self) {
        let written = self.writer.written();
        match written.iter().find_map(|one| one.as_ref().err()) {
            Some(error) => {
                self.watched.values_mut().for_each(|one| one.used.not_written());
                self.cannot_write(&error.to_string());
            }
            None => self.cannot_write &= written.is_empty(),
        }
    }
}
