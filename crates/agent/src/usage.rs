//! Which files of its image a container used, kept and written for those who rank packages by it.
//!
//! In go paths that were opened, mapped or run, out comes one file a container, written whole. Only
//! what lies in a layer of the image is kept, so that the list is never longer than the image.

use crate::writing::{self, Page};
use files::{FileType, Folder};
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use vocabulary::usage::USAGE_SCHEMA;
use vocabulary::{Container, Usage};

/// Files of one container that are listed: an image with more opens is told to be incomplete.
pub(crate) const MAX_FILES: usize = 20_000;

/// Paths that were looked up and lie in no layer, so that a log file is not looked up at each open.
const MAX_FOREIGN: usize = 4_096;

/// The folder of the lists in the state folder.
pub(crate) const FOLDER: &str = "usage";

/// Usage files that are kept in the folder: those of containers that ended long ago go first.
const MAX_KEPT: usize = 2_000;

/// How often a list that changed is written.
const WRITE_EVERY: Duration = Duration::from_secs(3);

/// How often a list is written though nothing is new: whoever reads it takes what it lacks for unused
/// only while it is fresh, because an agent that has ended leaves its files behind.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// The files that one container used.
#[derive(Debug)]
pub(crate) struct Used {
    usage: Usage,
    foreign: HashSet<String>,
    changed: bool,
    written: Option<Instant>,
}

impl Used {
    /// Begins to watch a container.
    pub(crate) fn new(container: Container, since: String, complete: bool) -> Self {
        let usage = Usage {
            schema: USAGE_SCHEMA.to_owned(),
            container,
            until: since.clone(),
            since,
            complete,
            files: BTreeSet::new(),
            lost: 0,
        };
        Self { usage, foreign: HashSet::new(), changed: true, written: None }
    }

    /// Takes up what was written of the same run of the container before the agent ended. Nobody
    /// watched in between, so that the list is not complete.
    pub(crate) fn resume(&mut self, state: &Path) {
        let name = file_name(&self.usage.container);
        let bytes = writing::read(&state.join(FOLDER), &name).unwrap_or_default();
        let Ok(before) = serde_json::from_slice::<Usage>(&bytes) else { return };
        let own = &self.usage.container;
        let is_same = before.schema == USAGE_SCHEMA
            && before.container.id == own.id
            && before.container.pid == own.pid
            && before.container.started == own.started;
        if is_same && before.files.len() <= MAX_FILES {
            self.usage.since = before.since;
            self.usage.files = before.files;
            self.usage.lost = before.lost;
        }
    }

    /// Whether a path that the container sees may be new to the list.
    pub(crate) fn is_new(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        !path.is_empty() && !self.usage.files.contains(path) && !self.foreign.contains(path)
    }

    /// Takes note of a file by the path that the container sees, which the image has or has not.
    pub(crate) fn add(&mut self, path: &str, in_image: bool) {
        if !self.is_new(path) {
            return;
        }
        let path = path.trim_start_matches('/');
        if !in_image {
            if self.foreign.len() >= MAX_FOREIGN {
                self.foreign.clear();
            }
            self.foreign.insert(path.to_owned());
            return;
        }
        self.changed = true;
        if self.usage.files.len() >= MAX_FILES {
            self.usage.lost = self.usage.lost.saturating_add(1);
        } else {
            self.usage.files.insert(path.to_owned());
        }
    }

    /// What its engine says of it now.
    pub(crate) fn describe(&mut self, container: Container) {
        self.usage.container = container;
        self.changed = true;
    }

    /// Says that so many events did not reach the agent.
    pub(crate) fn lost(&mut self, count: u64) {
        if count > 0 {
            self.usage.lost = self.usage.lost.saturating_add(count);
            self.changed = true;
        }
    }

    /// The list to write, if it changed and it is time, if it is getting old, or `always`.
    pub(crate) fn page(&mut self, now: String, always: bool) -> Option<Page> {
        let since = |time| self.written.is_none_or(|written| written.elapsed() >= time);
        let wanted = always || (self.changed && since(WRITE_EVERY)) || since(RENEW_EVERY);
        if !wanted {
            return None;
        }
        // `until` says how far the list reaches, so that it is kept also where nothing is new.
        self.usage.until = now;
        self.written = Some(Instant::now());
        self.changed = false;
        let mut content = serde_json::to_vec(&self.usage).ok()?;
        content.push(b'\n');
        Some(Page { folder: Some(FOLDER), name: file_name(&self.usage.container), content })
    }

    /// It could not be written: it is tried again.
    pub(crate) const fn not_written(&mut self) {
        self.changed = true;
        self.written = None;
    }
}

/// The file of a container: its id, of which nothing can lead out of the folder.
fn file_name(container: &Container) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let id: String = container.id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    format!("{}.json", id.trim_start_matches('.'))
}

/// Removes the oldest files beyond the limit.
pub(crate) fn prune(folder: &Path) -> io::Result<()> {
    let folder = Folder::own(folder)?;
    let mut files = Vec::new();
    for (name, kind) in folder.entries()? {
        if kind == FileType::RegularFile && name.ends_with(".json") {
            let stat = folder.stat(&name)?;
            files.push((stat.st_mtime, stat.st_mtime_nsec, name));
        }
    }
    let surplus = files.len().saturating_sub(MAX_KEPT);
    files.sort_unstable();
    files.into_iter().take(surplus).try_for_each(|(_, _, name)| folder.remove(&name))
}

/// The files of one file system that a process has mapped, by the text of its `maps`.
pub(crate) fn mapped(maps: &str, device: (u64, u64)) -> impl Iterator<Item = &str> {
    maps.lines().filter_map(move |line| {
        // address perms offset dev inode path (proc_pid_maps(5)); the path may hold blanks.
        let mut rest = line;
        let mut fields = [""; 5];
        for field in &mut fields {
            let (word, behind) = rest.split_once(' ')?;
            *field = word;
            rest = behind.trim_start_matches(' ');
        }
        let (major, minor) = fields[3].split_once(':')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let same = (number(major)?, number(minor)?) == device;
        (same && rest.starts_with('/') && !rest.ends_with(" (deleted)")).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use vocabulary::Engine;

    fn container(id: &str) -> Container {
        Container {
            engine: Engine::Docker,
            id: id.to_owned(),
            name: "shop".to_owned(),
            image: "shop:1".to_owned(),
            image_id: None,
            pid: None,
            started: None,
        }
    }

    fn read(page: &Page) -> Usage {
        serde_json::from_slice(&page.content).unwrap()
    }

    #[test]
    fn only_files_of_the_image_are_listed() {
        let mut used = Used::new(container("ab"), "2099-01-01T00:00:00Z".into(), true);
        used.add("/usr/lib/libz.so.1", true);
        used.add("var/log/own", false);
        for path in ["usr/lib/libz.so.1", "var/log/own", "", "/"] {
            assert!(!used.is_new(path), "{path}");
        }
        assert!(used.is_new("usr/lib/other"));
        let page = used.page("2099-01-01T00:00:05Z".into(), false).unwrap();
        let usage = read(&page);
        assert_eq!(usage.files.iter().collect::<Vec<_>>(), ["usr/lib/libz.so.1"]);
        assert!(usage.complete);
        assert_eq!(usage.schema, "lazaret.usage/1");
    }

    #[test]
    fn what_did_not_change_is_not_written_again_but_at_the_end() {
        let mut used = Used::new(container("ab"), "a".into(), true);
        assert!(used.page("b".into(), false).is_some());
        assert!(used.page("c".into(), false).is_none());
        assert_eq!(read(&used.page("d".into(), true).unwrap()).until, "d");
        used.not_written();
        assert!(used.page("e".into(), false).is_some(), "what failed is tried again");
    }

    #[test]
    fn what_was_written_before_a_restart_is_taken_up_for_the_same_run() {
        let state = tempfile::tempdir().unwrap();
        fs::create_dir(state.path().join(FOLDER)).unwrap();
        let write = |page: Page| fs::write(state.path().join(FOLDER).join(page.name), page.content);
        let mut before = Used::new(container("ab"), "a".into(), true);
        before.add("usr/bin/app", true);
        before.lost(2);
        write(before.page("b".into(), true).unwrap()).unwrap();
        let mut after = Used::new(container("ab"), "c".into(), false);
        after.resume(state.path());
        let usage = read(&after.page("d".into(), true).unwrap());
        assert!(usage.files.contains("usr/bin/app") && !usage.complete);
        assert_eq!((usage.since.as_str(), usage.lost), ("a", 2));
        let another = Container { pid: Some(7), ..container("ab") };
        let mut after = Used::new(another, "c".into(), false);
        after.resume(state.path());
        assert!(read(&after.page("d".into(), true).unwrap()).files.is_empty());
    }

    #[test]
    fn an_id_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name(&container("../../etc/x")), "_.._etc_x.json");
        assert_eq!(file_name(&container("k8s.io-a_b")), "k8s.io-a_b.json");
    }

    #[test]
    fn mapped_files_are_those_of_the_containers_file_system() {
        let maps = "\
55d0c0a00000-55d0c0a01000 r--p 00000000 00:2f 1234                       /usr/bin/app
7f0000000000-7f0000001000 r-xp 00000000 00:2f 99  /usr/lib/with blank.so
7f0000002000-7f0000003000 r-xp 00000000 08:01 77                         /data/volume.so
7f0000004000-7f0000005000 r-xp 00000000 00:2f 98  /usr/lib/gone.so (deleted)
7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]
7ffc00002000-7ffc00003000 rw-p 00000000 00:00 0
";
        let found: Vec<_> = mapped(maps, (0, 0x2f)).collect();
        assert_eq!(found, ["/usr/bin/app", "/usr/lib/with blank.so"]);
    }

    #[test]
    fn the_oldest_files_go_first() {
        let state = tempfile::tempdir().unwrap();
        for number in 0..=MAX_KEPT {
            let file = fs::File::create(state.path().join(format!("{number}.json"))).unwrap();
            let time = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000 + number as u64);
            file.set_modified(time).unwrap();
        }
        prune(state.path()).unwrap();
        assert!(!state.path().join("0.json").exists() && state.path().join("1.json").exists());
    }
}
