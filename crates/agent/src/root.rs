//! The root of a container, before anything in it is opened.
//!
//! In go a process and what its engine said, out come the device of the container's own file system and
//! a handle on its root. A process with the rights to mount chooses its root, and an overlay of its
//! own over a file system that does not answer would make a mark on it a trap: the kernel opens each
//! file for whoever is asked about it. So a root counts only where the same overlay is mounted outside
//! of the container, in the place where its engine puts it, and it is compared without opening it.

use crate::process;
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::{Path, PathBuf};

/// A device by its two numbers.
pub(crate) type Device = (u64, u64);

/// The root directory of a process, held but not opened.
#[derive(Debug)]
pub(crate) struct Root(files::Folder);

impl Root {
    /// The root of this process, if it lies on this device; else why not.
    pub(crate) fn of(pid: u32, device: Device) -> Result<Self, String> {
        let root = format!("/proc/{pid}/root");
        // Nothing of the file system itself is asked.
        let held = files::Folder::reach(Path::new(&root));
        let held = held.map_err(|error| format!("cannot open `{root}`: {error}"))?;
        let facts = fs::read_to_string(format!("/proc/self/fdinfo/{}", held.as_fd().as_raw_fd()));
        let mount = facts.ok().as_deref().and_then(mount_id);
        let mounts = process::read(pid, "mountinfo").unwrap_or_default();
        match mount.and_then(|mount| device_of(&mounts, mount)) {
            Some(found) if found == device => Ok(Self(held)),
            _ => Err("its first process has another root than its engine gave it".to_owned()),
        }
    }

    /// A path that leads to it, and nowhere else, as long as this is held.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_fd().as_raw_fd()))
    }
}

/// The device of the overlay that an engine mounted for a container, in the mounts of one of these
/// processes, which are outside of it: beside the folder of what it wrote (Docker), or in a folder that
/// has the container's name (containerd).
pub(crate) fn given(outside: &[u32], container: &str, written: Option<&Path>) -> Option<Device> {
    let merged = written.and_then(Path::parent).map(|folder| folder.join("merged"));
    outside.iter().find_map(|pid| {
        let mounts = process::read(*pid, "mountinfo")?;
        engine_made(&mounts, container, merged.as_deref())
    })
}

fn engine_made(mounts: &str, container: &str, merged: Option<&Path>) -> Option<Device> {
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut fields = place.split(' ').skip(2);
        let (device, point) = (fields.next()?, Path::new(fields.nth(1)?));
        let is_it = kind.starts_with("overlay ")
            && (merged == Some(point) || point.iter().any(|part| part.to_str() == Some(container)));
        is_it.then(|| numbers(device))?
    })
}

fn mount_id(facts: &str) -> Option<u64> {
    let line = facts.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    line.trim().parse().ok()
}

fn device_of(mounts: &str, mount: u64) -> Option<Device> {
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(&mount.to_string()))?;
    numbers(line.split(' ').nth(2)?)
}

fn numbers(device: &str) -> Option<Device> {
    let (major, minor) = device.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 1 8:1 / / rw - ext4 /dev/sda rw
72 30 0:39 / /var/lib/docker/overlay2/abc/merged rw master:2 - overlay overlay rw,lowerdir=/x
73 30 0:40 / /run/containerd/task/moby/f00d/rootfs rw - overlay overlay rw,lowerdir=/x
74 30 0:41 / /volumes/cafe/rootfs rw - fuse.rclone remote rw
";

    #[test]
    fn a_root_is_the_engines_where_the_engine_mounts_it() {
        let merged = Path::new("/var/lib/docker/overlay2/abc/merged");
        assert_eq!(engine_made(MOUNTS, "none", Some(merged)), Some((0, 39)));
        assert_eq!(engine_made(MOUNTS, "f00d", None), Some((0, 40)));
        assert_eq!(engine_made(MOUNTS, "cafe", None), None, "no overlay");
        assert_eq!(engine_made(MOUNTS, "f00", Some(Path::new("/elsewhere/merged"))), None);
    }

    #[test]
    fn the_root_of_a_process_is_told_without_opening_it() {
        let own = std::process::id();
        let mounts = process::read(own, "mountinfo").unwrap();
        let device = process::device_at(&mounts, "/").unwrap();
        let root = Root::of(own, device).unwrap();
        assert!(fs::metadata(root.path().join("proc/self")).is_ok());
        let error = Root::of(own, (device.0, device.1 + 1)).unwrap_err();
        assert!(error.contains("another root"), "{error}");
    }
}
