//! Turns the bytes of a record into an event. Every access is checked: a record that is too short, or
//! points outside of itself, is none.

use crate::event::{Exec, Exit, Fork, KernelEvent, ProgramFile, Script};
use crate::offsets::{self, exec, exit, file, fork, head, process};
use crate::text;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use vocabulary::{FileIdentity, Process, Side, StandardInput};

/// The event of a record; none where the record is damaged.
pub(crate) fn event(bytes: &[u8]) -> Option<KernelEvent> {
    let record = Record(bytes);
    // The ring buffer may hand over up to seven bytes more.
    let record = Record(bytes.get(..record.u32(head::LENGTH)? as usize)?);
    match record.u32(head::KIND)? {
        head::EXEC => Some(KernelEvent::Exec(Box::new(record.exec()?))),
        head::FORK => record.fork().map(KernelEvent::Fork),
        head::EXIT => record.exit().map(KernelEvent::Exit),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    fn u16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_ne_bytes)
    }

    fn u32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_ne_bytes)
    }

    fn u64(self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_ne_bytes)
    }

    /// A piece of the text that follows an exec record.
    fn text(self, at: u16, length: u16) -> Option<&'a [u8]> {
        let text = self.0.get(exec::SIZE..)?;
        let at = usize::from(at);
        text.get(at..at.checked_add(usize::from(length))?)
    }

    fn process(self, at: usize) -> Option<Process> {
        let part = Record(self.0.get(at..at.checked_add(process::SIZE)?)?);
        Some(Process {
            pid: part.u32(process::PID)?,
            started_ns: part.u64(process::STARTED)?,
            name: until_nul(part.0.get(process::NAME..)?),
            path: None,
        })
    }

    fn file(self, at: usize, root_device: u32) -> Option<ProgramFile> {
        let part = Record(self.0.get(at..at.checked_add(file::SIZE)?)?);
        let flags = part.u32(file::FLAGS)?;
        let device = part.u32(file::DEVICE)?;
        let names = self.text(part.u16(file::PATH)?, part.u16(file::PATH_LENGTH)?)?;
        Some(ProgramFile {
            path: path(names),
            identity: FileIdentity { device: u64::from(device), inode: part.u64(file::INODE)? },
            side: side(flags, device == root_device),
            file_system: part.u64(file::MAGIC)?,
            unlinked: flags & file::UNLINKED != 0,
            truncated: flags & file::TRUNCATED != 0,
        })
    }

    fn exec(self) -> Option<Exec> {
        let flags = self.u32(exec::FLAGS)?;
        let root_device = self.u32(exec::ROOT_DEVICE)?;
        let file = self.file(exec::FILE, root_device)?;
        let mut process = self.process(exec::PROCESS)?;
        process.path = Some(file.path.clone());
        let count = (self.u32(exec::ANCESTOR_COUNT)? as usize).min(offsets::ANCESTOR_ROOM);
        let ancestors = (0..count)
            .map(|index| self.process(exec::ANCESTORS + index * process::SIZE))
            .collect::<Option<_>>()?;
        let script = if flags & exec::IS_SCRIPT == 0 {
            None
        } else {
            let name =
                self.text(self.u16(exec::SCRIPT_NAME)?, self.u16(exec::SCRIPT_NAME_LENGTH)?)?;
            let has_file = flags & exec::HAS_SCRIPT_FILE != 0;
            let file = if has_file { Some(self.file(exec::SCRIPT, root_device)?) } else { None };
            Some(Script { name: until_nul(name), file })
        };
        Some(Exec {
            at_ns: self.u64(head::AT)?,
            process,
            ancestors,
            uid: self.u32(exec::UID)?,
            gid: self.u32(exec::GID)?,
            cgroup: self.u64(head::CGROUP)?,
            pids_cgroup: self.u64(head::PIDS_CGROUP)?,
            mount_namespace: self.u32(exec::MOUNT_NAMESPACE)?,
            root_device: u64::from(root_device),
            file,
            script,
            input: self.input(flags)?,
            stopped: flags & exec::STOPPED != 0,
        })
    }

    fn input(self, flags: u32) -> Option<StandardInput> {
        if flags & exec::SOCKET == 0 {
            return Some(StandardInput::Other);
        }
        let address: [u8; 16] = self.array(exec::ADDRESS)?;
        let port = self.u16(exec::PORT)?;
        let (family, peer) = match i32::from(self.u16(exec::FAMILY)?) {
            libc::AF_UNIX => ("unix".to_owned(), None),
            libc::AF_INET => {
                let [first, second, third, fourth, ..] = address;
                let address = Ipv4Addr::new(first, second, third, fourth);
                ("inet".to_owned(), Some(IpAddr::V4(address)))
            }
            libc::AF_INET6 => {
                ("inet6".to_owned(), Some(IpAddr::V6(Ipv6Addr::from(address)).to_canonical()))
            }
            other => (other.to_string(), None),
        };
        let peer = peer.filter(|_| port != 0);
        let peer = peer.map(|address| SocketAddr::new(address, port).to_string());
        Some(StandardInput::Socket { family, peer })
    }

    fn fork(self) -> Option<Fork> {
        Some(Fork {
            at_ns: self.u64(head::AT)?,
            cgroup: self.u64(head::CGROUP)?,
            pids_cgroup: self.u64(head::PIDS_CGROUP)?,
            process: self.process(fork::PROCESS)?,
            parent_pid: self.u32(fork::PARENT_PID)?,
            parent_started_ns: self.u64(fork::PARENT_STARTED)?,
        })
    }

    fn exit(self) -> Option<Exit> {
        Some(Exit {
            at_ns: self.u64(head::AT)?,
            cgroup: self.u64(head::CGROUP)?,
            pids_cgroup: self.u64(head::PIDS_CGROUP)?,
            process: self.process(exit::PROCESS)?,
            code: self.u32(exit::CODE)?,
        })
    }
}

/// The bytes up to the first NUL, as text.
fn until_nul(bytes: &[u8]) -> String {
    let mut shown = String::new();
    text::push(&mut shown, bytes.split(|byte| *byte == 0).next().unwrap_or_default());
    shown
}

/// The path of names that go from the file up to the root, each with a NUL.
fn path(names: &[u8]) -> String {
    let names = names.strip_suffix(&[0]).unwrap_or(names);
    let mut path = String::with_capacity(names.len());
    for name in names.rsplit(|byte| *byte == 0) {
        if !path.is_empty() {
            path.push('/');
        }
        text::push(&mut path, name);
    }
    path
}

/// Where a file lies. Only an overlay that is the process's root can be the container's.
const fn side(flags: u32, at_root: bool) -> Side {
    if flags & file::MEMORY != 0 {
        Side::Memory
    } else if !at_root {
        Side::Mounted
    } else if flags & file::OVERLAY == 0 || flags & file::SIDE_KNOWN == 0 {
        Side::Unknown
    } else if flags & file::UPPER != 0 {
        Side::Written
    } else {
        Side::Image
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    /// An exec record with one ancestor and the given text.
    fn record(flags: u32, file_flags: u32, text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; exec::SIZE];
        let mut put = |at: usize, value: &[u8]| {
            for (into, byte) in bytes.iter_mut().skip(at).zip(value) {
                *into = *byte;
            }
        };
        put(head::KIND, &head::EXEC.to_ne_bytes());
        let length = u32::try_from(exec::SIZE + text.len()).unwrap_or_default();
        put(head::LENGTH, &length.to_ne_bytes());
        put(exec::FLAGS, &flags.to_ne_bytes());
        put(exec::ANCESTOR_COUNT, &1u32.to_ne_bytes());
        put(exec::ANCESTORS + process::PID, &7u32.to_ne_bytes());
        put(exec::ANCESTORS + process::NAME, b"init\0rubbish");
        put(exec::FAMILY, &u16::try_from(libc::AF_INET).unwrap_or_default().to_ne_bytes());
        put(exec::PORT, &4444u16.to_ne_bytes());
        put(exec::ADDRESS, &[203, 0, 113, 9]);
        put(exec::FILE + file::FLAGS, &file_flags.to_ne_bytes());
        let length = u16::try_from(text.len()).unwrap_or_default();
        put(exec::FILE + file::PATH_LENGTH, &length.to_ne_bytes());
        bytes.extend_from_slice(text);
        bytes
    }

    fn decoded(bytes: &[u8]) -> Option<Exec> {
        match event(bytes) {
            Some(KernelEvent::Exec(exec)) => Some(*exec),
            _ => None,
        }
    }

    #[test]
    fn names_from_the_file_up_become_a_path() {
        let exec =
            decoded(&record(exec::SOCKET, file::OVERLAY | file::SIDE_KNOWN, b"sh\0b\xffn\0"));
        let exec = exec.unwrap();
        assert_eq!(exec.file.path, "b\\xffn/sh");
        assert_eq!(exec.file.side, Side::Image);
        assert_eq!(exec.ancestors.first().map(|process| process.name.as_str()), Some("init"));
        let peer = Some("203.0.113.9:4444".to_owned());
        assert_eq!(exec.input, StandardInput::Socket { family: "inet".to_owned(), peer });
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_none() {
        let whole = record(0, 0, b"sh\0bin\0");
        assert!(event(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(event(whole.get(..length).unwrap_or_default()), None, "{length} bytes");
        }
    }

    #[test]
    fn text_outside_of_the_record_is_refused() {
        let mut bytes = record(exec::IS_SCRIPT, 0, b"sh\0");
        assert!(event(&bytes).is_some());
        if let Some(part) = bytes.get_mut(exec::SCRIPT_NAME_LENGTH..exec::SCRIPT_NAME_LENGTH + 2) {
            part.copy_from_slice(&9u16.to_ne_bytes());
        }
        assert_eq!(event(&bytes), None);
    }

    #[test]
    fn the_side_needs_the_overlay_to_be_the_root() {
        let known = file::OVERLAY | file::SIDE_KNOWN;
        assert_eq!(side(known, true), Side::Image);
        assert_eq!(side(known | file::UPPER, true), Side::Written);
        assert_eq!(side(known | file::UPPER, false), Side::Mounted);
        assert_eq!(side(file::OVERLAY, true), Side::Unknown);
        assert_eq!(side(0, true), Side::Unknown);
        assert_eq!(side(file::MEMORY, false), Side::Memory);
    }
}
