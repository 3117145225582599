//! What happens inside a running container: the events that a sensor reports and detectors judge.
//!
//! In goes what the kernel says, out comes who did it and what it was. The one design decision: one type
//! for all kinds, with what every kind has beside the kind, so that a detector, the evidence of a finding
//! and a form say who it was in the same way, whatever it was. A program is known by the file that the
//! kernel runs (device, inode, and which side of the overlay it lies on), never by the path that the
//! caller typed.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// Something that a process did in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds since boot.
    pub at_ns: u64,
    /// The process.
    pub process: Process,
    /// Its parents, nearest first, as far as they were known.
    pub ancestors: Vec<Process>,
    /// Effective user id, in the host's numbering.
    pub uid: u32,
    /// Effective group id, in the host's numbering.
    pub gid: u32,
    /// What it did.
    #[serde(flatten)]
    pub act: Act,
}

/// What a process did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Act {
    /// It began to run a program.
    Execution(Execution),
    /// It used a file.
    File(FileUse),
    /// It made a connection, or took one.
    Connection(Connection),
    /// It asked for the addresses of a name.
    Resolution(Resolution),
    /// It began to wait for connections.
    Listen(Listen),
    /// It used a right beyond those of a user.
    Capability(CapabilityUse),
}

/// A process, as it was when the event happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    /// Process id in the host's numbering.
    pub pid: u32,
    /// Nanoseconds since boot at which it began: with the pid, an identity.
    #[serde(default)]
    pub started_ns: u64,
    /// The kernel's short name, at most 15 bytes.
    pub name: String,
    /// The program that it runs, where known: its path as the container sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Which side of a container's file system a program lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// In a layer of the image, untouched since.
    Image,
    /// In the container's own writable layer: created, or changed, after it was made.
    Written,
    /// In memory only, without a name in any file system (`memfd_create`).
    Memory,
    /// On another file system: a volume, or a tmpfs.
    Mounted,
    /// It cannot be told here.
    Unknown,
}

/// A file as the kernel tells it apart from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Device number, in the kernel's form (`major << 20 | minor`).
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

/// What a process's standard input leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StandardInput {
    /// A socket.
    Socket {
        /// `inet`, `inet6`, `unix`, or the family's number.
        family: String,
        /// The other end, `address:port`, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<String>,
    },
    /// Anything else: a terminal, a pipe, a file, nothing.
    #[default]
    Other,
}

/// A program that began to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The program's path as the container sees it, without a leading slash; `memfd:NAME` for one
    /// that lies in memory only.
    pub path: String,
    /// The file.
    pub file: FileIdentity,
    /// Where it lies.
    pub side: Side,
    /// What its standard input leads to.
    pub input: StandardInput,
    /// SHA-256 of the program, where it could be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// What was done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileAccess {
    /// It was opened for reading.
    Read,
    /// It was opened for writing, made or cut.
    Write,
    /// Its name was taken away.
    Remove,
    /// It got another name.
    Rename,
    /// Its mode, owner or attributes were changed.
    Attributes,
}

/// A file that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUse {
    /// Its path as the container sees it, without a leading slash.
    pub path: String,
    /// The file.
    pub file: FileIdentity,
    /// Where it lies.
    pub side: Side,
    /// What was done.
    pub access: FileAccess,
    /// Its new name, where it got one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The protocol below a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Who began a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The process.
    Outgoing,
    /// The other end.
    Incoming,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Over what.
    pub transport: Transport,
    /// Who began it.
    pub direction: Direction,
    /// The process's end, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// The other end.
    pub peer: SocketAddr,
}

/// A name whose addresses were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The name, without a dot at its end.
    pub name: String,
    /// Who was asked, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SocketAddr>,
    /// What the answer says; empty where there was none, or none was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
}

/// A place where connections are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// Over what.
    pub transport: Transport,
    /// Where.
    pub local: SocketAddr,
}

/// A capability that was asked for (capabilities(7)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityUse {
    /// Its name, such as `CAP_SYS_ADMIN`.
    pub capability: String,
    /// Whether the kernel let it.
    pub granted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_says_what_it_is_and_reads_back() {
        let identity = FileIdentity { device: 1, inode: 2 };
        let other_end: SocketAddr = "192.0.2.7:443".parse().unwrap();
        let acts = [
            Act::Execution(Execution {
                path: "usr/bin/tool".to_owned(),
                file: identity,
                side: Side::Written,
                input: StandardInput::Other,
                digest: Some(Digest::of(b"tool")),
            }),
            Act::File(FileUse {
                path: "etc/passwd".to_owned(),
                file: identity,
                side: Side::Image,
                access: FileAccess::Rename,
                to: Some("etc/passwd-".to_owned()),
            }),
            Act::Connection(Connection {
                transport: Transport::Tcp,
                direction: Direction::Outgoing,
                local: None,
                peer: other_end,
            }),
            Act::Resolution(Resolution {
                name: "example.com".to_owned(),
                server: Some("[2001:db8::53]:53".parse().unwrap()),
                addresses: vec!["192.0.2.7".parse().unwrap()],
            }),
            Act::Listen(Listen { transport: Transport::Udp, local: other_end }),
            Act::Capability(CapabilityUse {
                capability: "CAP_SYS_ADMIN".to_owned(),
                granted: false,
            }),
        ];
        let kinds = ["execution", "file", "connection", "resolution", "listen", "capability"];
        for (act, kind) in acts.into_iter().zip(kinds) {
            let process = Process { pid: 7, name: "tool".to_owned(), ..Process::default() };
            let event = Event { at_ns: 1, process, ancestors: Vec::new(), uid: 33, gid: 33, act };
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!((json["kind"].as_str(), json["uid"].as_u64()), (Some(kind), Some(33)));
            assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
        }
    }
}
