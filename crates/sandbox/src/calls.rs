//! The calls of the kernel that are forbidden, as data, each group with its reason.
//!
//! A list of what is forbidden, not of what is allowed: the C library and the runtimes below us choose
//! their calls anew with each version, and a scan that dies of a call for the time would teach its
//! users to turn this off. What is newer than the newest call that is known here does not exist for us
//! either (`filter`), so that the list cannot fall behind the kernel.

use libc::c_long;

/// `fchmodat2`, whose number is the same everywhere.
const FCHMODAT2: c_long = 452;

/// A group of calls, and why they are forbidden.
pub(crate) struct Group {
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "said to readers, and held by a test"))]
    pub(crate) reason: &'static str,
    /// By their numbers.
    pub(crate) calls: &'static [c_long],
}

/// Forbidden whatever their arguments.
pub(crate) const FORBIDDEN: &[Group] = &[
    Group {
        reason: "no program is started: helpers run in a process of their own, started before",
        calls: &[libc::SYS_execve, libc::SYS_execveat],
    },
    Group {
        reason: "no other process is looked into, changed or robbed of its open files",
        calls: &[
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_process_madvise,
            libc::SYS_process_mrelease,
            libc::SYS_kcmp,
            libc::SYS_pidfd_open,
            libc::SYS_pidfd_getfd,
            libc::SYS_pidfd_send_signal,
            libc::SYS_tkill,
            libc::SYS_move_pages,
            libc::SYS_migrate_pages,
        ],
    },
    Group {
        reason: "what is mounted, and where the root is, stays as it is",
        calls: &[
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
            libc::SYS_move_mount,
            libc::SYS_open_tree,
            libc::SYS_fsopen,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fspick,
            libc::SYS_mount_setattr,
            libc::SYS_swapon,
            libc::SYS_swapoff,
            libc::SYS_quotactl,
            libc::SYS_quotactl_fd,
        ],
    },
    Group {
        reason: "no namespace is made or entered: in one of its own a process is root again",
        calls: &[libc::SYS_unshare, libc::SYS_setns],
    },
    Group {
        reason: "files are opened by name, under Landlock, and not by a number that leads past it",
        calls: &[libc::SYS_name_to_handle_at, libc::SYS_open_by_handle_at, libc::SYS_fanotify_init],
    },
    Group {
        reason: "the kernel itself is not changed, measured or restarted",
        calls: &[
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_delete_module,
            libc::SYS_kexec_load,
            libc::SYS_kexec_file_load,
            libc::SYS_reboot,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_syslog,
            libc::SYS_acct,
            libc::SYS_nfsservctl,
            libc::SYS_lookup_dcookie,
        ],
    },
    Group {
        reason: "the machine's name and clock are not set",
        calls: &[
            libc::SYS_sethostname,
            libc::SYS_setdomainname,
            libc::SYS_settimeofday,
            libc::SYS_clock_settime,
            libc::SYS_clock_adjtime,
            libc::SYS_adjtimex,
            libc::SYS_vhangup,
        ],
    },
    Group {
        reason: "keys that the kernel keeps are nobody's here",
        calls: &[libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl],
    },
    Group {
        reason: "parts of the kernel that others broke out by, and that nothing here uses",
        calls: &[
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_userfaultfd,
            libc::SYS_personality,
            libc::SYS_vmsplice,
            libc::SYS_memfd_secret,
            libc::SYS_remap_file_pages,
        ],
    },
    Group {
        reason: "a file without a place in any folder can be written and then run",
        calls: &[libc::SYS_memfd_create],
    },
    Group {
        reason: "nothing is left to other users, or taken from them, beside files",
        calls: &[
            libc::SYS_shmget,
            libc::SYS_shmat,
            libc::SYS_shmctl,
            libc::SYS_msgget,
            libc::SYS_msgsnd,
            libc::SYS_msgrcv,
            libc::SYS_msgctl,
            libc::SYS_semget,
            libc::SYS_semop,
            libc::SYS_semtimedop,
            libc::SYS_semctl,
            libc::SYS_mq_open,
            libc::SYS_mq_unlink,
        ],
    },
    Group {
        reason: "user, group and capabilities were settled before",
        calls: &[
            libc::SYS_setuid,
            libc::SYS_setgid,
            libc::SYS_setreuid,
            libc::SYS_setregid,
            libc::SYS_setresuid,
            libc::SYS_setresgid,
            libc::SYS_setfsuid,
            libc::SYS_setfsgid,
            libc::SYS_setgroups,
            libc::SYS_capset,
        ],
    },
    Group {
        reason: "what Landlock does not know of a file, its owner, attributes and kind, is not set",
        calls: &[
            libc::SYS_fchown,
            libc::SYS_fchownat,
            libc::SYS_setxattr,
            libc::SYS_lsetxattr,
            libc::SYS_fsetxattr,
            libc::SYS_removexattr,
            libc::SYS_lremovexattr,
            libc::SYS_fremovexattr,
            libc::SYS_mknodat,
            libc::SYS_symlinkat,
            libc::SYS_fchmod,
            libc::SYS_fchmodat,
            FCHMODAT2,
        ],
    },
    Group {
        reason: "nobody connects to a scanner",
        calls: &[libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4],
    },
];

/// The older calls that only this architecture has, for the same reasons.
#[cfg(target_arch = "x86_64")]
pub(crate) const OLDER: &[Group] = &[
    Group {
        reason: "ports and segments of the processor, and what is left of Linux 2.4",
        calls: &[
            libc::SYS_iopl,
            libc::SYS_ioperm,
            libc::SYS_modify_ldt,
            libc::SYS_uselib,
            libc::SYS__sysctl,
            libc::SYS_sysfs,
            libc::SYS_ustat,
        ],
    },
    Group {
        reason: "what Landlock does not know of a file",
        calls: &[
            libc::SYS_chown,
            libc::SYS_lchown,
            libc::SYS_chmod,
            libc::SYS_mknod,
            libc::SYS_symlink,
            libc::SYS_utime,
            libc::SYS_utimes,
            libc::SYS_futimesat,
        ],
    },
    Group {
        reason: "no process is made: threads are made by `clone`",
        calls: &[libc::SYS_fork, libc::SYS_vfork],
    },
];
/// The older calls that only this architecture has: none.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const OLDER: &[Group] = &[];
