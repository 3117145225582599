//! Whose a file is that was opened in a container.
//!
//! In go fanotify's events, out come the lists of files in use. The file system's device says which
//! container, and the process only where that is not enough: a lookup costs more than a comparison.

use crate::run::Agent;
use std::time::Duration;

impl Agent<'_> {
    pub(crate) fn collect_opens(&mut self) {
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
}
