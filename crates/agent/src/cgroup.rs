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

/// Processes of a container that are looked at when the watching begins.
const MAX_PROCESSES: usize = 4096;

/// Length of the ids of Docker and Kubernetes.
const ID_DIGITS: usize = 64;

/// The hierarchy by which containers are told apart.
#[derive(Clone, Debug)]
pub(crate) struct Hierarchy {
    root: Option<PathBuf>,
    kind: Kind,
    /// containerd's namespace: it puts a container into the group `/NAMESPACE/ID`, whatever its id.
    namespace: String,
}

/// Which hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Version 2.
    Unified,
    /// The `pids` controller of version 1.
    Pids,
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
    /// Finds where it is mounted in the text of a `mountinfo` file.
    pub(crate) fn of(mountinfo: &str, kind: Kind, namespace: &str) -> Self {
        let root = mountinfo.lines().find_map(|line| {
            let (place, file_system) = line.split_once(" - ")?;
            let mut fields = file_system.split(' ');
            let (name, options) = (fields.next()?, fields.nth(1)?);
            let is_it = match kind {
                Kind::Unified => name == "cgroup2",
                Kind::Pids => name == "cgroup" && options.split(',').any(|one| one == "pids"),
            };
            is_it.then(|| place.split(' ').nth(4).map(PathBuf::from))?
        });
        Self { root, kind, namespace: namespace.to_owned() }
    }

    /// Whether it is mounted at all.
    pub(crate) const fn is_there(&self) -> bool {
        self.root.is_some()
    }

    /// Which it is.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The group of this id. The process is one that was seen in it, and may be gone.
    pub(crate) fn group(&self, id: u64, pid: u32) -> Option<Group> {
        let root = self.root.as_ref()?;
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok();
        // It may have moved on since.
        let by_process = text.as_deref().and_then(|text| self.path_in(text));
        let path =
            by_process.filter(|path| inode(path) == Some(id)).or_else(|| search(root, id))?;
        Some(self.described(root, &path))
    }

    /// The group that a process is in now; none where that is the root.
    pub(crate) fn of_process(&self, pid: u32) -> Option<Group> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let group = self.described(self.root.as_ref()?, &self.path_in(&text)?);
        (!group.ids.is_empty()).then_some(group)
    }

    /// The processes in the group of a process, and in those below it.
    pub(crate) fn processes(&self, pid: u32) -> Vec<u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let mut pids = Vec::new();
        // A container without a group of its own shares the root with the whole machine.
        let own = self.path_in(&text).filter(|path| Some(path) != self.root.as_ref());
        let Some(own) = own else { return vec![pid] };
        walk(&own, |folder| {
            pids.extend(members(folder));
            pids.len() >= MAX_PROCESSES
        });
        pids
    }

    /// The folder of the group with this id.
    pub(crate) fn folder(&self, id: u64) -> Option<PathBuf> {
        search(self.root.as_deref()?, id)
    }

    fn described(&self, root: &Path, path: &Path) -> Group {
        let inside = path.strip_prefix(root).unwrap_or(Path::new(""));
        let ids = path.ancestors().take_while(|folder| *folder != root).filter_map(inode).collect();
        let named = || {
            let mut parts = inside.iter().filter_map(|part| part.to_str());
            (parts.next()? == self.namespace).then(|| parts.next())?
        };
        let container = inside
            .ancestors()
            .filter_map(|folder| folder.file_name()?.to_str())
            .find_map(container_id)
            .or_else(named)
            .map(str::to_owned);
        Group { ids, container }
    }

    fn path_in(&self, text: &str) -> Option<PathBuf> {
        let path = match self.kind {
            Kind::Unified => version_2(text),
            Kind::Pids => version_1(text),
        };
        Some(self.root.as_ref()?.join(path?.trim_start_matches('/')))
    }

    /// The ids of all groups that are there now, with the container that their path names.
    pub(crate) fn all(&self) -> Vec<Group> {
        let Some(root) = &self.root else { return Vec::new() };
        let mut groups = Vec::new();
        walk(root, |path| {
            groups.push(self.described(root, path));
            false
        });
        groups
    }

    /// The id of the root group, in which processes outside of all containers may be.
    pub(crate) fn root_id(&self) -> Option<u64> {
        inode(self.root.as_ref()?)
    }
}

/// The processes in the group of a folder.
pub(crate) fn members(folder: &Path) -> Vec<u32> {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// The line of version 2 of `/proc/PID/cgroup`.
fn version_2(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The path in the `pids` hierarchy of version 1.
fn version_1(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let controllers = parts.nth(1)?;
        controllers.split(',').any(|name| name == "pids").then(|| parts.next())?
    })
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
        for name in ["system.slice", "", "docker-abc.scope", &ID.to_uppercase(), "0123456789abcdef"]
        {
            assert_eq!(container_id(name), None, "{name}");
        }
    }

    #[test]
    fn a_group_is_found_by_its_inode_and_knows_its_container() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("docker").join(ID).join("nested");
        fs::create_dir_all(&inner).unwrap();
        let hierarchy = Hierarchy {
            root: Some(root.path().to_owned()),
            kind: Kind::Unified,
            namespace: "moby".to_owned(),
        };
        let id = inode(&inner).unwrap();
        // A process that cannot be: the search must find it.
        let group = hierarchy.group(id, u32::MAX).unwrap();
        assert_eq!(group.container.as_deref(), Some(ID));
        assert_eq!(group.ids.len(), 3);
        assert_eq!(group.ids[0], id);
        assert!(hierarchy.group(1, u32::MAX).is_none());
        assert_eq!(hierarchy.all().len(), 4);
        let named = root.path().join("moby/web");
        fs::create_dir_all(&named).unwrap();
        let group = hierarchy.group(inode(&named).unwrap(), u32::MAX).unwrap();
        assert_eq!(group.container.as_deref(), Some("web"));
    }

    #[test]
    fn both_hierarchies_name_the_path() {
        let text = format!("12:pids:/docker/{ID}\n3:cpu,cpuacct:/\n0::/\n");
        assert_eq!(version_1(&text), Some(format!("/docker/{ID}").as_str()));
        assert_eq!(version_2(&text), Some("/"));
        assert_eq!(version_1("5:memory:/docker/x\n0::/\n"), None);
    }

    #[test]
    fn each_hierarchy_is_found_beside_the_other() {
        let text = "31 23 0:27 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids\n\
                    32 23 0:28 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n";
        let root = |kind| Hierarchy::of(text, kind, "default").root.unwrap();
        assert_eq!(root(Kind::Unified), Path::new("/sys/fs/cgroup/unified"));
        assert_eq!(root(Kind::Pids), Path::new("/sys/fs/cgroup/pids"));
        assert!(Hierarchy::of("", Kind::Unified, "default").group(1, 1).is_none());
    }
}
