//! Rights that a program or user has: no new ones, no capability that is not needed, no root.
//!
//! Sources: capabilities(7), "Effect of user ID changes on capabilities"; prctl(2). Root without
//! capabilities still owns root's files: that is why it becomes nobody where nothing is written in
//! root's folders, and why Landlock names the folders where something is.

use crate::layer::State;
use crate::needs::Needs;
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::path::Path;

/// A user and group that nobody is. 65534 is called nobody, yet services run as it and files are its:
/// what belongs to it would be taken for ours. This number no distribution gives to anybody
/// (systemd, "Users, Groups, UIDs and GIDs"), and containers that have 65536 numbers have it.
const NOBODY: u32 = 65533;
/// More capabilities than any kernel has: the set is a word of 64 bits.
const CAPABILITIES: u32 = 64;

/// File systems of this machine, by what `statfs` calls them: there a capability opens a file whoever
/// reads. Others ask who reads: a FUSE file system of root's own turns away whoever is not root, and so
/// may a server.
const OF_THIS_MACHINE: [u32; 12] = [
    0x0000_EF53, // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // Btrfs
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
    0x794C_7630, // overlayfs
    0x7371_7368, // SquashFS
    0xE0F5_E1E2, // EROFS
    0x2FC1_2FC1, // ZFS
    0xF2F5_2010, // F2FS
    0xCA45_1A4E, // bcachefs
    0x0000_9660, // ISO 9660
];

/// Whether what lies there is read by a capability, whoever reads it.
#[must_use]
pub fn is_read_by_capability(path: &Path) -> bool {
    let kind = rustix::fs::statfs(path).map(|facts| u64::try_from(facts.f_type).unwrap_or(0));
    kind.is_ok_and(|kind| {
        OF_THIS_MACHINE.iter().any(|known| u64::from(*known) == kind & 0xffff_ffff)
    })
}

/// Programs that are started, if any could be, get no rights that this one has not.
pub(crate) fn no_new() -> State {
    match rustix::thread::set_no_new_privs(true) {
        Ok(()) => State::Holds("no program gives more rights".to_owned()),
        Err(error) => State::Missing(format!("`prctl`: {error}")),
    }
}

/// User and capabilities.
pub(crate) fn drop(needs: &Needs) -> (State, State) {
    let kept = kept(needs);
    bound(kept);
    (user(needs), capabilities(kept))
}

fn kept(needs: &Needs) -> CapabilitySet {
    let wanted = &needs.privileges;
    [
        (wanted.read_all, CapabilitySet::DAC_READ_SEARCH),
        (wanted.write_all, CapabilitySet::DAC_OVERRIDE),
        (wanted.attributes, CapabilitySet::SYS_ADMIN),
        (wanted.processes, CapabilitySet::SYS_PTRACE),
    ]
    .into_iter()
    .filter(|(kept, _)| *kept)
    .fold(CapabilitySet::empty(), |all, (_, one)| all | one)
}

/// What no program that is started could ever get. Only who has `CAP_SETPCAP` can say so, and who has
/// not has no capability either: no failure is one.
fn bound(kept: CapabilitySet) {
    for bit in 0..CAPABILITIES {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if !kept.contains(one) && rustix::thread::remove_capability_from_bounding_set(one).is_err()
        {
            return;
        }
    }
}

fn user(needs: &Needs) -> State {
    let own = geteuid();
    if !own.is_root() {
        return State::Holds(format!("user {}", own.as_raw()));
    }
    if !needs.privileges.to_nobody {
        return State::LeftOut("root, who owns what is asked or written".to_owned());
    }
    match become_nobody() {
        Ok(()) => State::Holds(format!("user {NOBODY} in place of root")),
        Err(error) => State::Missing(format!("root cannot become user {NOBODY}: {error}")),
    }
}

/// All three of user and group, so that none can be taken back. What it may read stays until the
/// capabilities are dropped.
fn become_nobody() -> rustix::io::Result<()> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    rustix::thread::set_keep_capabilities(true)?;
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    rustix::thread::set_keep_capabilities(false)
}

fn capabilities(kept: CapabilitySet) -> State {
    let Ok(now) = rustix::thread::capabilities(None) else {
        return State::Missing("the kernel does not tell them".to_owned());
    };
    let kept = now.permitted & kept;
    let _ = rustix::thread::clear_ambient_capability_set();
    let sets =
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    match rustix::thread::set_capabilities(None, sets) {
        Ok(()) if kept.is_empty() => State::Holds("none".to_owned()),
        Ok(()) => {
            let names: Vec<String> =
                kept.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
            State::Holds(format!("{} alone", names.join(", ")))
        }
        Err(error) => State::Missing(format!("cannot be dropped: {error}")),
    }
}
