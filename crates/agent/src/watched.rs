//! A container that is watched: what it is held against, and where its files lie.

use crate::content::{Program, SMALL_BYTES};
use crate::process;
use crate::seals::{Sealed, Standing};
use crate::usage::{Used, mapped};
use engine::{ContainerDetails, FolderRole, LayerFolder};
use sensor::ProgramFile;
use std::path::PathBuf;
use std::sync::Arc;
use vocabulary::{Container, Side};

/// A container that runs.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) container: Container,
    /// What its image is held against.
    pub(crate) standing: Standing,
    /// The folders of its file system.
    pub(crate) folders: Folders,
    /// Which files it used.
    pub(crate) used: Used,
    /// Ids of its own control group, where it is known.
    pub(crate) group: Option<u64>,
}

/// Where the files of a container lie on the host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folders {
    /// Layers of the image, topmost first.
    pub(crate) image: Vec<PathBuf>,
    /// What the container wrote.
    pub(crate) written: Option<PathBuf>,
    /// The device of its root file system, in the kernel's form.
    pub(crate) device: Option<u64>,
}

impl Folders {
    /// The folders that the engine named, and the root's device as its first process sees it.
    pub(crate) fn of(details: &ContainerDetails) -> Self {
        let pid = details.container.pid;
        let mountinfo = pid.and_then(|pid| process::read(pid, "mountinfo"));
        // Only an overlay is the container's alone.
        let device = mountinfo
            .filter(|text| engine::mountinfo::root_overlay(text).is_ok())
            .and_then(|text| process::device_at(&text, "/"));
        let mut folders =
            Self { device: device.map(|(major, minor)| (major << 20) | minor), ..Self::default() };
        for LayerFolder { path, role, .. } in details.layers.iter().rev() {
            match role {
                FolderRole::Image { .. } => folders.image.push(path.clone()),
                FolderRole::Written => folders.written = Some(path.clone()),
                // Empty files to mount over; nothing that could run.
                FolderRole::EngineInit => {}
            }
        }
        folders
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
    pub(crate) fn open(&self, file: &ProgramFile, side: Side, pid: u32) -> Option<Program> {
        let is_it = |program: &Program| program.stamp.inode == file.identity.inode;
        let running = || Program::running(pid).filter(is_it);
        let seen = || Program::seen_by(pid, &file.path).filter(is_it);
        let clear = !file.truncated && !file.unlinked;
        match side {
            Side::Image if clear => {
                let layers =
                    || self.image.iter().filter_map(|layer| Program::beneath(layer, &file.path));
                // Overlays that span file systems show inode numbers of their own.
                layers().find(is_it).or_else(running).or_else(|| layers().next())
            }
            Side::Written if clear => running().or_else(seen).or_else(|| {
                // A file that was copied up keeps the number of its origin: the path has to do.
                Program::beneath(self.written.as_deref()?, &file.path)
            }),
            _ => running().or_else(seen),
        }
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

    /// The file whose digest is needed, or worth showing. A program that is no one of the image by
    /// its place alone is not hashed if it is large: nobody delays a finding by filling up the file.
    pub(crate) fn wanted(&self, file: &ProgramFile, side: Side, pid: u32) -> Option<Program> {
        let decides = match self.sealed() {
            // Without a seal there is nothing to hold a digest against.
            None if side != Side::Memory => return None,
            None => false,
            Some(sealed) => side != Side::Memory && sealed.programs.holds(&file.path),
        };
        let program = self.folders.open(file, side, pid)?;
        (decides || program.stamp.bytes <= SMALL_BYTES).then_some(program)
    }

    /// Takes note of what its processes run and have mapped now.
    pub(crate) fn look_at(&mut self, pids: impl IntoIterator<Item = u32>) {
        let Some(device) = self.folders.device else { return };
        let device = (device >> 20, device & 0xf_ffff);
        for pid in pids {
            let Some(maps) = process::read(pid, "maps") else { continue };
            for path in mapped(&maps, device) {
                self.used.add(path);
            }
        }
    }
}
