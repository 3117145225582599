//! Which container a control group belongs to.
//!
//! In goes the id of a version 2 control group, which is the inode number of its folder, out comes
//! its path, from which the container's id can be read. A process that still lives says its path
//! itself; for one that is gone the hierarchy is searched, within bounds.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Folders that are looked at in one search: far more than a node with a hundred pods has.
const MAX_FOLDERS: usize = 20_000;

/// Length of the ids of Docker and Kubernetes.
const ID_DIGITS: usize = 64;

/// Where the hierarchies of control groups are mounted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    /// Version 2.
    unified: Option<PathBuf>,
}

/// A control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its id and those of the groups around it, nearest first, without the root.
    pub(crate) ids: Vec<u64>,
    /// The container's id that its path names.
    pub(crate) container: Option<String>,
}

impl Hierarchy {
    /// Reads where they are mounted from the text of a `mountinfo` file.
    pub(crate) fn of(mountinfo: &str) -> Self {
        let unified = mountinfo.lines().find_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            kind.starts_with("cgroup2 ").then_some(())?;
            place.split(' ').nth(4).map(PathBuf::from)
        });
        Self { unified }
    }

    /// The mount point of version 2.
    pub(crate) fn unified(&self) -> Option<&Path> {
        self.unified.as_deref()
    }

    /// The group of this id. The process is one that was seen in it, and may be gone.
    pub(crate) fn group(&self, id: u64, pid: u32) -> Option<Group> {
        let root = self.unified.as_ref()?;
        let by_process = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok();
        let path = by_process
            .as_deref()
            .and_then(version_2)
            .map(|path| root.join(path.trim_start_matches('/')))
            // It may have moved on since.
            .filter(|path| inode(path) == Some(id))
            .or_else(|| search(root, id))?;
        let mut group = described(root, &path);
        if group.container.is_none() {
            group.container = by_process.as_deref().and_then(version_1);
        }
        Some(group)
    }

    /// The group that a process is in now.
    pub(crate) fn of_process(&self, pid: u32) -> Option<Group> {
        let root = self.unified.as_ref()?;
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let path = root.join(version_2(&text)?.trim_start_matches('/'));
        let mut group = described(root, &path);
        if group.container.is_none() {
            group.container = version_1(&text);
        }
        Some(group)
    }

    /// The ids of all groups that are there now, with the container that their path names.
    pub(crate) fn all(&self) -> Vec<Group> {
        let Some(root) = &self.unified else { return Vec::new() };
        let mut groups = Vec::new();
        walk(root, |path| {
            groups.push(described(root, path));
            false
        });
        groups
    }

    /// The id of the root group, in which processes outside of all containers may be.
    pub(crate) fn root_id(&self) -> Option<u64> {
        inode(self.unified.as_ref()?)
    }
}

fn described(root: &Path, path: &Path) -> Group {
    let inside = path.strip_prefix(root).unwrap_or(Path::new(""));
    let ids = path.ancestors().take_while(|folder| *folder != root).filter_map(inode).collect();
    let container = inside
        .ancestors()
        .filter_map(|folder| folder.file_name()?.to_str())
        .find_map(container_id)
        .map(str::to_owned);
    Group { ids, container }
}

/// The line of version 2 of `/proc/PID/cgroup`.
fn version_2(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The container that the `pids` hierarchy of version 1 names.
fn version_1(text: &str) -> Option<String> {
    let path = text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let controllers = parts.nth(1)?;
        controllers.split(',').any(|name| name == "pids").then(|| parts.next())?
    })?;
    path.rsplit('/').find_map(container_id).map(str::to_owned)
}

/// The id in a folder's name, such as `ID`, `docker-ID.scope` or `cri-containerd-ID.scope`.
fn container_id(name: &str) -> Option<&str> {
    name.split(['-', '.', ':']).find(|part| {
        part.len() == ID_DIGITS
            && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|facts| facts.ino())
}

/// Finds the folder with this inode number.
fn search(root: &Path, id: u64) -> Option<PathBuf> {
    let mut found = None;
    walk(root, |path| {
        let is_it = inode(path) == Some(id);
        if is_it {
            found = Some(path.to_owned());
        }
        is_it
    });
    found
}

/// Visits all folders, the nearest to the root first, until told that it is enough.
fn walk(root: &Path, mut visit: impl FnMut(&Path) -> bool) {
    let mut waiting = VecDeque::from([root.to_owned()]);
    let mut visited = 0;
    while let Some(folder) = waiting.pop_front() {
        visited += 1;
        if visited > MAX_FOLDERS || visit(&folder) {
            return;
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push_back(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn ids_are_found_in_the_names_that_runtimes_give() {
        for name in [
            ID.to_owned(),
            format!("docker-{ID}.scope"),
            format!("cri-containerd-{ID}.scope"),
            format!("crio-{ID}.scope"),
            format!("system.slice:docker:{ID}"),
        ] {
            assert_eq!(container_id(&name), Some(ID), "{name}");
        }
        for name in ["system.slice", "", "docker-abc.scope", &ID.to_uppercase(), &ID[1..]] {
            assert_eq!(container_id(name), None, "{name}");
        }
    }

    #[test]
    fn a_group_is_found_by_its_inode_and_knows_its_container() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("docker").join(ID).join("nested");
        fs::create_dir_all(&inner).unwrap();
        let hierarchy = Hierarchy { unified: Some(root.path().to_owned()) };
        let id = inode(&inner).unwrap();
        // A process that cannot be: the search must find it.
        let group = hierarchy.group(id, u32::MAX).unwrap();
        assert_eq!(group.container.as_deref(), Some(ID));
        assert_eq!(group.ids.len(), 3);
        assert_eq!(group.ids[0], id);
        assert!(hierarchy.group(1, u32::MAX).is_none());
        assert_eq!(hierarchy.all().len(), 4);
    }

    #[test]
    fn the_pids_hierarchy_names_the_container_too() {
        let text = format!("12:pids:/docker/{ID}\n3:cpu,cpuacct:/\n0::/\n");
        assert_eq!(version_1(&text).as_deref(), Some(ID));
        assert_eq!(version_2(&text), Some("/"));
        assert_eq!(version_1("5:memory:/docker/x\n0::/\n"), None);
    }

    #[test]
    fn the_mount_of_version_2_is_found_beside_version_1() {
        let text = "31 23 0:27 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids\n\
                    32 23 0:28 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n";
        let hierarchy = Hierarchy::of(text);
        assert_eq!(hierarchy.unified(), Some(Path::new("/sys/fs/cgroup/unified")));
        assert!(Hierarchy::of("").group(1, 1).is_none());
    }
}
