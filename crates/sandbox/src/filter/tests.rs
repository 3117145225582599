//! The filters are run here as the kernel runs them, for calls that no test could make safely.

use super::*;

const ALLOWED: u32 = 0x7fff_0000;
const REFUSED: u32 = 0x0005_0000 | 1; // EPERM
const UNKNOWN: u32 = 0x0005_0000 | 38; // ENOSYS
const KILLED: u32 = 0x8000_0000;
const OWN: u32 = 4242;

/// What a filter sees of a call.
struct Call {
    number: u32,
    architecture: u32,
    arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> u32 {
        let half = |value: u64, high: bool| {
            u32::try_from(if high { value >> 32 } else { value & 0xffff_ffff }).unwrap()
        };
        match offset {
            0 => self.number,
            4 => self.architecture,
            _ => {
                let place = usize::try_from((offset - 16) / 8).unwrap();
                half(self.arguments[place], (offset - 16) % 8 == 4)
            }
        }
    }
}

/// The part of classic BPF that filters of calls are made of.
fn run(program: &[sock_filter], call: &Call) -> u32 {
    let (mut at, mut value) = (0_usize, 0_u32);
    loop {
        let step = &program[at];
        let jump = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
        at += 1;
        match step.code {
            0x20 => value = call.word(step.k),
            0x54 => value &= step.k,
            0x05 => at += usize::try_from(step.k).unwrap(),
            0x15 => at += jump(value == step.k),
            0x25 => at += jump(value > step.k),
            0x35 => at += jump(value >= step.k),
            0x06 => return step.k,
            code => panic!("no such instruction: {code:#x}"),
        }
    }
}

/// The stricter of both answers, as the kernel takes it: the order is that of the signed actions.
fn answer_by(needs: &Needs, number: u32, arguments: [u64; 6], own: bool) -> u32 {
    let native = if cfg!(target_arch = "x86_64") { 0xC000_003E } else { 0xC000_00B7 };
    let architecture = if own { native } else { 0x4000_0003 };
    let call = Call { number, architecture, arguments };
    let programs = programs(needs, architecture_here(), OWN).unwrap();
    let signed = |action: u32| i32::from_ne_bytes((action & 0xffff_0000).to_ne_bytes());
    programs.iter().map(|one| run(one, &call)).min_by_key(|action| signed(*action)).unwrap()
}

fn architecture_here() -> TargetArch {
    architecture().unwrap()
}

fn answer(needs: &Needs, number: c_long, first: &[u64]) -> u32 {
    let mut arguments = [0; 6];
    arguments[..first.len()].copy_from_slice(first);
    answer_by(needs, u32::try_from(number).unwrap(), arguments, true)
}

#[test]
fn every_forbidden_call_is_refused_whatever_its_arguments() {
    for group in FORBIDDEN.iter().chain(OLDER) {
        assert!(group.reason.len() > 10);
        for call in group.calls {
            for value in [0, 1, u64::MAX] {
                let found = answer(&Needs::default(), *call, &[value; 6]);
                assert_eq!(found, REFUSED, "call {call} with {value}");
            }
        }
    }
}

#[test]
fn what_reading_needs_is_allowed() {
    let needed = [
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_statx,
        libc::SYS_getdents64,
        libc::SYS_futex,
        libc::SYS_munmap,
        libc::SYS_renameat2,
        libc::SYS_unlinkat,
        libc::SYS_fsync,
        libc::SYS_getrandom,
        libc::SYS_exit_group,
        libc::SYS_faccessat2,
    ];
    for call in needed {
        assert_eq!(answer(&Needs::default(), call, &[]), ALLOWED, "call {call}");
    }
}

#[test]
fn calls_by_other_numbers_or_another_table_are_none() {
    let needs = Needs::default();
    assert_eq!(answer(&needs, libc::SYS_clone3, &[]), UNKNOWN);
    assert_eq!(answer(&needs, c_long::from(NEWEST) + 1, &[]), UNKNOWN);
    #[cfg(target_arch = "x86_64")]
    for call in [libc::SYS_read, libc::SYS_execve, 520, 521, 545] {
        // The x32 table: the same calls, and `execve` and `ptrace` under numbers of their own.
        let found = answer(&needs, call | 0x4000_0000, &[]);
        assert_eq!(found, UNKNOWN, "x32 call {call}");
    }
    assert_eq!(answer_by(&needs, 11, [0; 6], false), KILLED, "`int 0x80`");
}

#[test]
fn sockets_are_those_that_are_needed() {
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let asked = |needs: &Needs| {
        families.map(|family| {
            let kind = if family == libc::AF_NETLINK { libc::SOCK_RAW } else { libc::SOCK_STREAM };
            answer(needs, libc::SYS_socket, &[flags(family), flags(kind | libc::SOCK_CLOEXEC)])
        })
    };
    let offline = Needs::default();
    assert_eq!(asked(&offline), [REFUSED; 4]);
    let engine = Needs { sockets: true, ..Needs::default() };
    assert_eq!(asked(&engine), [ALLOWED, REFUSED, REFUSED, REFUSED]);
    let online = Needs { connect: Connect::Anybody, ..Needs::default() };
    assert_eq!(asked(&online), [REFUSED, ALLOWED, ALLOWED, ALLOWED]);
    for needs in [offline, engine, online] {
        for family in [libc::AF_PACKET, libc::AF_ALG, libc::AF_VSOCK, libc::AF_BLUETOOTH] {
            assert_eq!(answer(&needs, libc::SYS_socket, &[flags(family), 1]), REFUSED);
        }
        for family in [libc::AF_INET, libc::AF_INET6] {
            let raw = flags(libc::SOCK_RAW | libc::SOCK_CLOEXEC);
            assert_eq!(answer(&needs, libc::SYS_socket, &[flags(family), raw]), REFUSED);
        }
    }
}

#[test]
fn threads_are_made_and_namespaces_are_not() {
    let needs = Needs::default();
    let thread = libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_FILES;
    assert_eq!(answer(&needs, libc::SYS_clone, &[flags(thread)]), ALLOWED);
    for flag in NAMESPACES {
        let made = flags(flag | thread | libc::SIGCHLD);
        assert_eq!(answer(&needs, libc::SYS_clone, &[made]), REFUSED);
    }
    // What would be a process: `fork`, and what starts programs.
    for made in [libc::SIGCHLD, libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD] {
        assert_eq!(answer(&needs, libc::SYS_clone, &[flags(made)]), REFUSED);
    }
}

#[test]
fn signals_reach_the_process_itself_alone() {
    let needs = Needs::default();
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo] {
        assert_eq!(answer(&needs, call, &[u64::from(OWN), 6, 6]), ALLOWED);
        for other in [0, 1, u64::from(u32::MAX)] {
            assert_eq!(answer(&needs, call, &[other, 6, 6]), REFUSED, "call {call} to {other}");
        }
    }
    assert_eq!(answer(&needs, libc::SYS_prlimit64, &[0]), ALLOWED);
    assert_eq!(answer(&needs, libc::SYS_prlimit64, &[1]), REFUSED);
}

#[test]
fn memory_that_was_written_is_not_run() {
    let (write, execute) = (flags(libc::PROT_WRITE), flags(libc::PROT_EXEC));
    let online = Needs { connect: Connect::Anybody, ..Needs::default() };
    for needs in [Needs::default(), online.clone()] {
        assert_eq!(answer(&needs, libc::SYS_mmap, &[0, 1, 3]), ALLOWED);
        assert_eq!(answer(&needs, libc::SYS_mmap, &[0, 1, write | execute]), REFUSED);
        assert_eq!(answer(&needs, libc::SYS_mprotect, &[0, 1, 1 | execute]), REFUSED);
        assert_eq!(answer(&needs, libc::SYS_mprotect, &[0, 1, 3]), ALLOWED);
    }
    assert_eq!(answer(&Needs::default(), libc::SYS_mmap, &[0, 1, 1 | execute]), REFUSED);
    // A library that looks up names.
    assert_eq!(answer(&online, libc::SYS_mmap, &[0, 1, 1 | execute]), ALLOWED);
}

#[test]
fn nothing_is_typed_into_the_terminal_and_its_width_is_asked() {
    let needs = Needs::default();
    // Typing, the flags of a file (FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR), and copies of others.
    for request in [0x5412, 0x541C, 0x4008_6602, 0x401C_5820, 0x4004_9409] {
        assert_eq!(answer(&needs, libc::SYS_ioctl, &[0, request]), REFUSED);
        // Upper bits are cut off by the kernel.
        assert_eq!(answer(&needs, libc::SYS_ioctl, &[0, request | 1 << 32]), REFUSED);
    }
    assert_eq!(answer(&needs, libc::SYS_ioctl, &[0, 0x5413]), ALLOWED);
}

#[test]
fn times_are_set_of_open_files_and_of_none_by_name() {
    let needs = Needs::default();
    assert_eq!(answer(&needs, libc::SYS_utimensat, &[3, 0, 1]), ALLOWED);
    // A name may lie anywhere, also where the lower half of its address is zero.
    for name in [1, 1 << 32, u64::MAX] {
        assert_eq!(answer(&needs, libc::SYS_utimensat, &[3, name, 1]), REFUSED);
    }
}

#[test]
fn the_count_of_calls_that_are_looked_into_is_the_one_that_is_told() {
    assert_eq!(by_argument(&Needs::default(), 1).unwrap().len(), BY_ARGUMENT);
}
