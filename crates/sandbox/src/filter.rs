//! The filter of calls (seccomp): the forbidden ones, those whose arguments say whether, and the rest.
//!
//! What is forbidden fails with `EPERM`, so that whoever made the call says in a line what failed;
//! nothing is killed but calls by another architecture's table, which no program of ours makes. The
//! second filter, a few instructions of our own, hides what has other numbers for the same: the x32
//! table of x86-64, calls newer than we know, and `clone3`, whose flags no filter can read and for
//! which the C library then takes `clone`.

use crate::calls::{FORBIDDEN, OLDER};
use crate::layer::State;
use crate::needs::{Connect, Needs};
use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};
use std::collections::BTreeMap;

/// The newest call that is known: `fchmodat2` of Linux 6.6.
pub(crate) const NEWEST: u32 = 452;

/// Flags of `clone` that make namespaces.
const NAMESPACES: [i32; 8] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    0x80, // CLONE_NEWTIME
];
/// Requests to devices and files that are made: whether it is a terminal and how wide, how much can be
/// read, and how descriptors behave. Others change files that are only read (their flags), or type into
/// the shell that started us.
const REQUESTS: [u64; 7] = [0x5401, 0x5413, 0x5421, 0x541B, 0x5450, 0x5451, 0x802C_542A];
/// Type of a socket, without its flags.
const SOCKET_TYPE: u64 = 0xf;

/// Installs both filters on every thread.
pub(crate) fn apply(needs: &Needs) -> State {
    let Some(architecture) = architecture() else {
        return State::Missing(format!("not on this architecture, {}", std::env::consts::ARCH));
    };
    let applied = programs(needs, architecture, std::process::id()).and_then(|programs| {
        programs.iter().try_for_each(|one| seccompiler::apply_filter_all_threads(one))
    });
    match applied {
        Ok(()) => {
            let groups = FORBIDDEN.iter().chain(OLDER);
            let count: usize = groups.map(|group| group.calls.len()).sum();
            State::Holds(format!("seccomp: {count} are forbidden, {} by argument", BY_ARGUMENT))
        }
        Err(error) => State::Missing(format!("seccomp: {error}")),
    }
}

/// The architectures whose numbers are known here.
pub(crate) fn architecture() -> Option<TargetArch> {
    match std::env::consts::ARCH {
        "x86_64" => Some(TargetArch::x86_64),
        "aarch64" => Some(TargetArch::aarch64),
        _ => None,
    }
}

/// How many calls `by_argument` looks into.
const BY_ARGUMENT: usize = 12;

/// The filters for a process of this number.
pub(crate) fn programs(
    needs: &Needs,
    architecture: TargetArch,
    own: u32,
) -> seccompiler::Result<[BpfProgram; 2]> {
    let mut rules = by_argument(needs, u64::from(own))?;
    for call in FORBIDDEN.iter().chain(OLDER).flat_map(|group| group.calls) {
        // No rule: whatever the arguments.
        rules.insert(*call, Vec::new());
    }
    let forbidden = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, forbidden, architecture)?;
    Ok([filter.try_into()?, hidden()])
}

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Calls that are forbidden with some arguments.
fn by_argument(needs: &Needs, own: u64) -> seccompiler::Result<Rules> {
    let one = |place, is, value| when(vec![(place, is, value)]).map(|rule| vec![rule]);
    let mut rules = Rules::new();
    rules.insert(libc::SYS_socket, sockets(needs)?);
    let namespaces = NAMESPACES
        .iter()
        .map(|flag| u64::from(flag.unsigned_abs()))
        .map(|flag| when(vec![(0, Is::MaskedEq(flag), flag)]));
    let thread = flags(libc::CLONE_THREAD);
    let mut clone = vec![when(vec![(0, Is::MaskedEq(thread), 0)])?];
    clone.extend(namespaces.collect::<Result<Vec<_>, _>>()?);
    rules.insert(libc::SYS_clone, clone);
    let others = REQUESTS.iter().map(|request| (1, Is::Ne, *request)).collect();
    rules.insert(libc::SYS_ioctl, vec![when(others)?]);
    // Times of an open file, as the cache marks what is used; by name, those of any file of ours.
    let named = SeccompCondition::new(1, Length::Qword, Is::Ne, 0)?;
    rules.insert(libc::SYS_utimensat, vec![SeccompRule::new(vec![named])?]);
    // Only the process itself, as `abort` does.
    for call in
        [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo]
    {
        rules.insert(call, one(0, Is::Ne, own)?);
    }
    rules.insert(libc::SYS_prlimit64, vec![when(vec![(0, Is::Ne, own), (0, Is::Ne, 0)])?]);
    // What was written is not run: nothing here makes code. Without the network no library is loaded
    // any more either, as those that look up names are.
    let execute = flags(libc::PROT_EXEC);
    let mapped = match needs.connect {
        Connect::Nobody => execute,
        Connect::Port(_) | Connect::Anybody => execute | flags(libc::PROT_WRITE),
    };
    rules.insert(libc::SYS_mmap, one(2, Is::MaskedEq(mapped), mapped)?);
    for call in [libc::SYS_mprotect, libc::SYS_pkey_mprotect] {
        rules.insert(call, one(2, Is::MaskedEq(execute), execute)?);
    }
    Ok(rules)
}

/// Sockets of other kinds than are needed. With the network comes the one that tells which addresses
/// the machine has. Those of this machine are for engines alone: through them a service would look up
/// names that the C library looks up by itself too, and whoever holds root's would hold the engine.
fn sockets(needs: &Needs) -> seccompiler::Result<Vec<SeccompRule>> {
    let network = needs.connect != Connect::Nobody;
    let (local, routes) = (flags(libc::AF_UNIX), flags(libc::AF_NETLINK));
    let mut allowed = Vec::new();
    if needs.sockets {
        allowed.push(local);
    }
    if network {
        allowed.extend([flags(libc::AF_INET), flags(libc::AF_INET6), routes]);
    }
    if allowed.is_empty() {
        return Ok(Vec::new());
    }
    let others = allowed.into_iter().map(|family| (0, Is::Ne, family)).collect();
    let raw = flags(libc::SOCK_RAW);
    Ok(vec![when(others)?, when(vec![(0, Is::Ne, routes), (1, Is::MaskedEq(SOCKET_TYPE), raw)])?])
}

fn flags(value: i32) -> u64 {
    u64::from(value.unsigned_abs())
}

/// A rule that holds where all of these do. Arguments are compared by their lower half, which is all
/// that the kernel takes of each of them.
fn when(conditions: Vec<(u8, Is, u64)>) -> seccompiler::Result<SeccompRule> {
    let conditions = conditions
        .into_iter()
        .map(|(place, is, value)| SeccompCondition::new(place, Length::Dword, is, value))
        .collect::<Result<_, _>>()?;
    Ok(SeccompRule::new(conditions)?)
}

/// A few instructions: these calls do not exist.
///
/// Source: kernel documentation, "Seccomp BPF"; the number is the first word of what a filter sees.
/// The architecture was asked by the other filter, whose answer is the stricter one.
fn hidden() -> BpfProgram {
    const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
    const EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const GREATER: u16 = 0x25; // BPF_JMP | BPF_JGT | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    const ALLOW: u32 = 0x7fff_0000; // SECCOMP_RET_ALLOW
    const ERRNO: u32 = 0x0005_0000; // SECCOMP_RET_ERRNO
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    vec![
        step(LOAD, 0, 0, 0),
        // Those of the x32 table are greater than any of ours.
        step(GREATER, 2, 0, NEWEST),
        step(EQUAL, 1, 0, clone3),
        step(RETURN, 0, 0, ALLOW),
        step(RETURN, 0, 0, ERRNO | libc::ENOSYS.unsigned_abs()),
    ]
}

#[cfg(test)]
mod tests;
