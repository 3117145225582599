//! Rights: root keeps the few capabilities that reading needs, becomes nobody, and comes not back.

use super::{Stub, all, in_process};
use rustix::thread::CapabilitySet;
use sandbox::{Needs, Privileges, Reading};
use std::fs;
use std::io;
use std::path::Path;

/// As what is read by root, for a folder `given` and a folder `kept`.
fn needs(folder: &Path, to_nobody: bool) -> Needs {
    Needs {
        reading: Reading::Below(vec![folder.join("given"), folder.join("written")]),
        writing: if to_nobody { Vec::new() } else { vec![folder.join("written")] },
        privileges: Privileges { read_all: true, to_nobody, ..Privileges::default() },
        ..Needs::default()
    }
}

fn tries(stub: &Stub, folder: &Path) {
    stub.tells_layers();
    stub.tries("read given", fs::read(folder.join("given/of another")));
    stub.tries("write", fs::write(folder.join("written/new"), "x"));
    stub.tries("write of another", fs::write(folder.join("given/of another"), "x"));
    let sets = rustix::thread::capabilities(None).unwrap();
    let few = sets.effective == CapabilitySet::DAC_READ_SEARCH && sets.permitted == sets.effective;
    let one = |holds: bool| if holds { Ok(()) } else { Err(io::Error::other("more")) };
    stub.tries("few capabilities", one(few && sets.inheritable.is_empty()));
    let bounds =
        rustix::thread::capability_is_in_bounding_set(CapabilitySet::SYS_ADMIN).unwrap_or(true);
    stub.tries("bounded", one(!bounds));
    stub.tries("no new privileges", one(rustix::thread::no_new_privs().unwrap()));
    let more = rustix::thread::CapabilitySets {
        effective: sets.effective | CapabilitySet::SYS_ADMIN,
        permitted: sets.permitted | CapabilitySet::SYS_ADMIN,
        inheritable: sets.inheritable,
    };
    let taken = rustix::thread::set_capabilities(None, more);
    stub.tries("take them back", taken.map_err(io::Error::from));
    let user = rustix::process::geteuid().as_raw();
    stub.tries(&format!("user {user}"), Ok(()));
    stub.tries(
        "be root",
        nix::unistd::setuid(nix::unistd::Uid::from_raw(0)).map_err(io::Error::from),
    );
}

pub(crate) fn root(folder: &Path) {
    tries(&Stub::enter(&needs(folder, false)), folder);
}

pub(crate) fn nobody(folder: &Path) {
    tries(&Stub::enter(&needs(folder, true)), folder);
}

/// A folder with a file of another user that nobody else may read, and one that root writes to.
fn tried(stub: &str) -> super::Tried {
    let folder = tempfile::tempdir().unwrap();
    for name in ["given", "written"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let file = folder.path().join("given/of another");
    fs::write(&file, "x").unwrap();
    std::os::unix::fs::chown(&file, Some(4_000_000), None).unwrap();
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    fs::set_permissions(&file, mode).unwrap();
    in_process(stub, folder.path())
}

#[test]
fn root_keeps_one_capability_and_takes_none_back() {
    if !testkit::is_root() {
        return testkit::skip("only root has capabilities to drop");
    }
    let tried = tried("root");
    let held =
        ["read given", "write", "few capabilities", "bounded", "no new privileges", "user 0"];
    all(&tried, &["ok"], &held);
    all(&tried, &["EPERM", "EACCES"], &["take them back", "write of another"]);
}

#[test]
fn root_that_writes_nothing_becomes_nobody_for_ever() {
    if !testkit::is_root() {
        return testkit::skip("only root can become somebody else");
    }
    let tried = tried("nobody");
    let held = ["read given", "few capabilities", "bounded", "no new privileges", "user 65533"];
    all(&tried, &["ok"], &held);
    all(&tried, &["EPERM", "EACCES"], &["take them back", "write of another", "write", "be root"]);
}

#[test]
fn a_file_system_that_asks_who_reads_is_known() {
    let folder = tempfile::tempdir().unwrap();
    assert!(sandbox::is_read_by_capability(folder.path()));
    assert!(!sandbox::is_read_by_capability(Path::new("/proc")));
    assert!(!sandbox::is_read_by_capability(&folder.path().join("missing")));
}
