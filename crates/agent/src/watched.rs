//! A container that is watched: what it is held against, and where its files lie.

use crate::content::{Program, SMALL_BYTES, TICK};
use crate::seals::{Sealed, Standing};
use crate::usage::Used;
use crate::{clock, process, root};
use behaviour::AllowList;
use engine::{ContainerDetails, FolderRole, LayerFolder};
use sensor::{Exec, ProgramFile};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use vocabulary::{Container, Side};

/// File systems behind which somebody answers, or does not: a process of the container (FUSE) or
/// another machine. Nothing of theirs is read, since whoever waits for them may wait forever. The numbers are
/// those of statfs(2).
const UNANSWERED: [u64; 8] = [
    0x6573_5546, // FUSE
    0x6969,      // NFS
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB2
    0x517b,      // SMB
    0x0102_1997, // 9P
    0x00c3_6400, // Ceph
    0x5346_414f, // AFS
];

/// A container that runs.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) container: Container,
    /// What its image is held against.
    pub(crate) standing: Standing,
    /// The folders of its file system.
    pub(crate) folders: Arc<Folders>,
    /// Which files it used.
    pub(crate) used: Used,
    /// Ids of its own control group, where it is known.
    pub(crate) group: Option<u64>,
    /// Since when the guard refuses its programs, in nanoseconds since boot.
    pub(crate) guarded_ns: Option<u64>,
    /// The mount namespace of the process that started it.
    pub(crate) around: Option<u32>,
    /// Whether its first process was gone at the last look, and its end not among the events.
    pub(crate) is_gone: bool,
    /// Whether its seal is gone from the store, and was said to be.
    pub(crate) kept: bool,
}

/// Whether a file may be the program that the image holds at this path, by its length.
pub(crate) fn may_be(programs: &AllowList, path: &str, bytes: u64) -> bool {
    programs.holds(path) && programs.bytes(path).is_none_or(|expected| expected == bytes)
}

/// Where the files of a container lie on the host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders {
    /// Layers of the image, topmost first.
    pub(crate) image: Arc<[PathBuf]>,
    /// What the container wrote.
    pub(crate) written: Option<PathBuf>,
    /// The device of its root file system, in the kernel's form.
    pub(crate) device: Option<u64>,
    /// The same, where the engine is known to have mounted it: marks are put on nothing else.
    pub(crate) given: Option<root::Device>,
}

impl Folders {
    /// The folders that the engine named, and the root's device: as the engine mounted it, which these
    /// processes outside of the container see; else as its first process sees it.
    pub(crate) fn of(details: &ContainerDetails, outside: &[u32]) -> Self {
        let pid = details.container.pid;
        let (mut image, mut written) = (Vec::new(), None);
        for LayerFolder { path, role, .. } in details.layers.iter().rev() {
            match role {
                FolderRole::Image { .. } => image.push(path.clone()),
                FolderRole::Written => written = Some(path.clone()),
                // Empty files to mount over; nothing that could run.
                FolderRole::EngineInit => {}
            }
        }
        let given = root::given(outside, &details.container.id, written.as_deref());
        let seen = || {
            // Only an overlay is the container's alone.
            let mountinfo = process::read(pid?, "mountinfo")?;
            engine::mountinfo::root_overlay(&mountinfo).ok()?;
            process::device_at(&mountinfo, "/")
        };
        let device = given.or_else(seen).map(|(major, minor)| (major << 20) | minor);
        Self { image: image.into(), written, device, given }
    }

    /// On which side a file lies: what the kernel says holds for the container's own file system
    /// only, since a process that may mount can bring an overlay of its own.
    pub(crate) fn side(&self, file: &ProgramFile) -> Side {
        match (file.side, self.device) {
            (Side::Image | Side::Written, Some(own)) if own != file.identity.device => {
                Side::Mounted
            }
            (side, _) => side,
        }
    }

    /// The file, open: from its folder, which needs no process that still lives and lets containers
    /// of one image share digests, else by way of the process.
    pub(crate) fn open(
        &self,
        file: &ProgramFile,
        side: Side,
        pid: u32,
        began: SystemTime,
    ) -> Option<Found> {
        if UNANSWERED.contains(&file.file_system) {
            return None;
        }
        let is_it = |program: &Program| program.stamp.inode == file.identity.inode;
        // While it runs it cannot be written to, but another file may have got its number.
        let running = || {
            let program = Program::running(pid).filter(is_it)?;
            Some(Found::new(program, began.checked_add(TICK)?))
        };
        let seen = || {
            let program = Program::seen_by(pid, &file.path).filter(is_it)?;
            Some(Found::new(program, began))
        };
        let in_layers =
            || self.image.iter().filter_map(|layer| Program::beneath(layer, &file.path));
        let clear = !file.truncated && !file.unlinked;
        match side {
            Side::Image if clear => {
                // Overlays that span file systems show inode numbers of their own.
                let own = in_layers().find(is_it).map(Found::certain);
                own.or_else(running).or_else(|| in_layers().next().map(Found::certain))
            }
            Side::Written if clear => running().or_else(seen).or_else(|| {
                let program = Program::beneath(self.written.as_deref()?, &file.path)?;
                // A file that was copied up shows the number of its origin. Any other was put in its
                // place since.
                let was_it = is_it(&program) || in_layers().any(|origin| is_it(&origin));
                was_it.then(|| Found::new(program, began))
            }),
            _ => running().or_else(seen),
        }
    }
}

/// A program's file, with what its content proves.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) program: Program,
    /// Whether it may hold something else now than when it began to run.
    pub(crate) doubtful: bool,
}

impl Found {
    fn new(program: Program, began: SystemTime) -> Self {
        let doubtful = program.stamp.is_changed_since(began, SystemTime::now());
        Self { program, doubtful }
    }

    /// In a layer of the image, which the container cannot write to.
    const fn certain(program: Program) -> Self {
        Self { program, doubtful: false }
    }
}

impl Watched {
    /// The seal, where its image has one that holds.
    pub(crate) const fn sealed(&self) -> Option<&Arc<Sealed>> {
        match &self.standing {
            Standing::Sealed(sealed) => Some(sealed),
            Standing::NotSealed | Standing::Broken(_) => None,
        }
    }

    /// The file whose digest is needed, or worth showing.
    pub(crate) fn wanted(&self, exec: &Exec, file: &ProgramFile, side: Side) -> Option<Wanted> {
        let sealed = match self.sealed() {
            // Without a seal there is nothing to hold a digest against.
            None if side != Side::Memory => return None,
            Some(sealed) if side != Side::Memory => Some(Arc::clone(sealed)),
            None | Some(_) => None,
        };
        (!UNANSWERED.contains(&file.file_system)).then(|| Wanted {
            folders: Arc::clone(&self.folders),
            file: file.clone(),
            side,
            pid: exec.process.pid,
            began: clock::moment_of(exec.at_ns),
            sealed,
        })
    }

    /// Whether the guard was asked, and said yes, before this program could begin.
    pub(crate) fn was_asked_about(&self, exec: &Exec, side: Side) -> bool {
        side == Side::Written && self.guarded_ns.is_some_and(|since| since < exec.at_ns)
    }
}

/// A file whose digest is wanted, with what is needed to find it in another thread.
#[derive(Debug)]
pub(crate) struct Wanted {
    folders: Arc<Folders>,
    file: ProgramFile,
    side: Side,
    pid: u32,
    began: SystemTime,
    sealed: Option<Arc<Sealed>>,
}

impl Wanted {
    /// Opens it. One that is no program of the image by its place or its length alone is not hashed if
    /// it is large: nobody delays a finding, of this container or another, by filling up files.
    pub(crate) fn open(&self) -> Option<Found> {
        let Self { file, side, .. } = self;
        let found = self.folders.open(file, *side, self.pid, self.began)?;
        let bytes = found.program.stamp.bytes;
        let programs = self.sealed.as_ref().map(|sealed| &sealed.programs);
        let may_be = programs.is_some_and(|programs| may_be(programs, &file.path, bytes));
        // What lies in a layer, no container has filled up.
        (may_be || bytes <= SMALL_BYTES || *side == Side::Image).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;
    use std::time::Duration;
    use vocabulary::FileIdentity;

    /// A layer and a written folder that both hold the program.
    fn folders(root: &Path) -> Folders {
        let (layer, written) = (root.join("layer"), root.join("written"));
        for folder in [&layer, &written] {
            fs::create_dir_all(folder.join("bin")).unwrap();
            fs::write(folder.join("bin/tool"), b"sealed").unwrap();
        }
        Folders { image: [layer].into(), written: Some(written), device: Some(1), given: None }
    }

    fn file(inode: u64, file_system: u64) -> ProgramFile {
        ProgramFile {
            path: "bin/tool".to_owned(),
            identity: FileIdentity { device: 1, inode },
            side: Side::Written,
            file_system,
            unlinked: false,
            truncated: false,
        }
    }

    fn inode(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    #[test]
    fn a_file_that_was_put_in_the_place_of_what_ran_is_not_it() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let other = root.path().join("written/bin/other");
        fs::write(&other, b"dropped").unwrap();
        let later = SystemTime::now() + Duration::from_secs(1);
        let open = |inode| folders.open(&file(inode, 0), Side::Written, u32::MAX, later);
        assert!(open(inode(&other)).is_none());
        for own in ["written/bin/tool", "layer/bin/tool"] {
            let found = open(inode(&root.path().join(own))).unwrap();
            assert!(!found.doubtful, "{own}: a file, and one that was copied up from its layer");
        }
    }

    #[test]
    fn a_file_that_changed_after_the_start_proves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let own = inode(&root.path().join("written/bin/tool"));
        let before = SystemTime::now() - Duration::from_secs(1);
        let found = folders.open(&file(own, 0), Side::Written, u32::MAX, before).unwrap();
        assert!(found.doubtful);
        // In its layer it is as the image was unpacked, whenever that was.
        let own = inode(&root.path().join("layer/bin/tool"));
        let found = folders.open(&file(own, 0), Side::Image, u32::MAX, before).unwrap();
        assert!(!found.doubtful);
    }

    #[test]
    fn nothing_is_read_of_file_systems_that_may_not_answer() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let own = inode(&root.path().join("written/bin/tool"));
        for system in UNANSWERED {
            let file = file(own, system);
            assert!(folders.open(&file, Side::Written, u32::MAX, SystemTime::now()).is_none());
        }
    }
}
