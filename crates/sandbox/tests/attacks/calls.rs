//! Calls: no program is started, no process looked into, nothing mounted, no namespace, no other user.

use super::{Stub, all, in_process, lacks};
use nix::sched::CloneFlags;
use nix::unistd::{Gid, Pid, Uid};
use sandbox::Needs;
use std::io;
use std::path::Path;
use std::process::Command;

pub(crate) fn stub(folder: &Path) {
    let parent = Pid::parent();
    let stub = Stub::enter(&Needs { writing: vec![folder.to_owned()], ..Needs::default() });
    stub.tells_layers();
    let call = |outcome: nix::Result<()>| outcome.map_err(io::Error::from);
    stub.tries("start a program", Command::new("/bin/true").status());
    stub.tries("trace", call(nix::sys::ptrace::attach(parent)));
    stub.tries("be traced", call(nix::sys::ptrace::traceme()));
    stub.tries("signal", call(nix::sys::signal::kill(parent, None)));
    stub.tries("signal all", call(nix::sys::signal::kill(Pid::from_raw(-1), None)));
    let none: Option<&str> = None;
    let flags = nix::mount::MsFlags::empty();
    stub.tries("mount", call(nix::mount::mount(none, folder, Some("tmpfs"), flags, none)));
    stub.tries("unmount", call(nix::mount::umount("/proc")));
    stub.tries("change the root", call(nix::unistd::chroot(folder)));
    for (name, flag) in [
        ("user", CloneFlags::CLONE_NEWUSER),
        ("mounts", CloneFlags::CLONE_NEWNS),
        ("network", CloneFlags::CLONE_NEWNET),
    ] {
        stub.tries(&format!("namespace: {name}"), call(nix::sched::unshare(flag)));
    }
    stub.tries("be root", call(nix::unistd::setuid(Uid::from_raw(0))));
    stub.tries("be another", call(nix::unistd::setuid(Uid::from_raw(1))));
    stub.tries("group", call(nix::unistd::setgid(Gid::from_raw(1))));
    stub.tries("groups", call(nix::unistd::setgroups(&[Gid::from_raw(0)])));
}

pub(crate) fn threads() {
    let stub = Stub::enter(&Needs::default());
    stub.tells_layers();
    let spawned = std::thread::Builder::new().spawn(|| Command::new("/bin/true").status());
    stub.tries(
        "thread",
        spawned.as_ref().map(|_| ()).map_err(|error| io::Error::other(error.to_string())),
    );
    let inner = spawned.unwrap().join().unwrap();
    stub.tries("program by a thread", inner);
    let read = std::thread::spawn(|| std::fs::read("/etc/passwd")).join().unwrap();
    stub.tries("file by a thread", read);
}

#[test]
fn no_program_is_started_and_no_process_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let tried = in_process("calls", folder.path());
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    all(
        &tried,
        &["EPERM", "EACCES"],
        &["start a program", "trace", "be traced", "signal", "signal all"],
    );
}

#[test]
fn nothing_is_mounted_and_no_namespace_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let tried = in_process("calls", folder.path());
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    let names = [
        "mount",
        "unmount",
        "change the root",
        "namespace: user",
        "namespace: mounts",
        "namespace: network",
    ];
    all(&tried, &["EPERM"], &names);
}

#[test]
fn user_and_groups_stay_as_they_were_settled() {
    let folder = tempfile::tempdir().unwrap();
    let tried = in_process("calls", folder.path());
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    all(&tried, &["EPERM"], &["be root", "be another", "group", "groups"]);
}

#[test]
fn threads_are_made_and_are_held_by_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let tried = in_process("threads", folder.path());
    if lacks(&tried, "calls") || lacks(&tried, "files") {
        return testkit::skip("a layer is missing here");
    }
    all(&tried, &["ok"], &["thread"]);
    all(&tried, &["EPERM", "EACCES"], &["program by a thread", "file by a thread"]);
}
