//! Files: read where it was granted, written where it was granted, nothing else.

use super::{Stub, Tried, all, in_process, lacks};
use sandbox::{Needs, Reading};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;

pub(crate) fn stub(folder: &Path) {
    let at = |name: &str| folder.join(name);
    let stub = Stub::enter(&Needs {
        reading: Reading::Below(vec![at("given"), at("one"), at("missing"), "/proc".into()]),
        writing: vec![at("kept")],
        streams: vec![at("stream")],
        ..Needs::default()
    });
    stub.tells_layers();
    let read = |path: &Path| fs::read(path);
    stub.tries("read given", read(&at("given/file")));
    stub.tries("list given", fs::read_dir(at("given")));
    stub.tries("read one", read(&at("one")));
    stub.tries("make kept", fs::write(at("kept/new"), "x"));
    stub.tries("make folder", fs::create_dir_all(at("kept/a/b")));
    stub.tries("replace kept", fs::rename(at("kept/new"), at("kept/a/b/old")));
    stub.tries("read kept", read(&at("kept/a/b/old")));
    stub.tries("remove kept", fs::remove_file(at("kept/a/b/old")));
    stub.tries("write stream", fs::OpenOptions::new().write(true).open(at("stream")));
    stub.tries("read pipe", pipe());

    stub.tries("read secret", read(&at("secret/file")));
    stub.tries("list secret", fs::read_dir(at("secret")));
    stub.tries("read by link", read(&at("given/link")));
    stub.tries("read by dots", read(&at("given/../secret/file")));
    stub.tries(
        "read by root",
        read(&Path::new("/proc/self/root").join(at("secret/file").strip_prefix("/").unwrap())),
    );
    stub.tries(
        "read by working folder",
        read(&Path::new("/proc/self/cwd").join(at("secret/file"))),
    );
    stub.tries("read shadow", read(Path::new("/etc/shadow")));

    let write = |path: &Path| fs::OpenOptions::new().write(true).open(path);
    stub.tries("write given", write(&at("given/file")));
    stub.tries("make given", fs::write(at("given/new"), "x"));
    stub.tries("write secret", write(&at("secret/file")));
    stub.tries("make secret", fs::write(at("secret/new"), "x"));
    stub.tries("write by link", write(&at("kept/link")));
    stub.tries("truncate", nix::unistd::truncate(&at("secret/file"), 0).map_err(io::Error::from));
    stub.tries("remove", fs::remove_file(at("secret/file")));
    stub.tries("remove folder", fs::remove_dir(at("secret/empty")));
    stub.tries("make outside", fs::create_dir(at("secret/folder")));
    fs::write(at("kept/moved"), "x").unwrap();
    stub.tries("move out", fs::rename(at("kept/moved"), at("secret/moved")));
    stub.tries("move in", fs::rename(at("secret/file"), at("kept/stolen")));
    stub.tries("link in", fs::hard_link(at("secret/file"), at("kept/hard")));
    stub.tries("symbolic link", symlink(at("secret"), at("kept/symbolic")));
    stub.tries("tree", fs::write("/etc/cron.d/lazaret-test", ""));

    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
    stub.tries("change mode", fs::set_permissions(at("secret/file"), mode));
    stub.tries("change owner", std::os::unix::fs::chown(at("secret/file"), Some(1), Some(1)));
    let pipe = nix::sys::stat::Mode::from_bits_truncate(0o600);
    stub.tries("make pipe", nix::unistd::mkfifo(&at("kept/pipe"), pipe).map_err(io::Error::from));
}

/// A pipe lies in no folder.
fn pipe() -> io::Result<()> {
    let (mut reader, mut writer) = io::pipe()?;
    writer.write_all(b"x")?;
    drop(writer);
    reader.read_to_end(&mut Vec::new()).map(|_| ())
}

fn tried() -> (tempfile::TempDir, Tried) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["given", "kept", "secret", "secret/empty"] {
        fs::create_dir(at(name)).unwrap();
    }
    for name in ["given/file", "one", "secret/file", "stream"] {
        fs::write(at(name), "x").unwrap();
    }
    symlink("../secret/file", at("given/link")).unwrap();
    symlink("../secret/file", at("kept/link")).unwrap();
    let tried = in_process("files", folder.path());
    (folder, tried)
}

#[test]
fn what_was_granted_is_read_and_written() {
    let (_folder, tried) = tried();
    let granted = [
        "read given",
        "list given",
        "read one",
        "make kept",
        "make folder",
        "replace kept",
        "read kept",
        "remove kept",
        "write stream",
        "read pipe",
    ];
    all(&tried, &["ok"], &granted);
}

#[test]
fn nothing_outside_is_read_by_whatever_path() {
    let (_folder, tried) = tried();
    if lacks(&tried, "files") {
        return testkit::skip("this kernel has no Landlock");
    }
    let outside = [
        "read secret",
        "list secret",
        "read by link",
        "read by dots",
        "read by root",
        "read by working folder",
        "read shadow",
        "move in",
        "link in",
    ];
    all(&tried, &["EACCES", "EXDEV"], &outside);
}

#[test]
fn nothing_outside_is_written_made_moved_or_removed() {
    let (folder, tried) = tried();
    if lacks(&tried, "files") {
        return testkit::skip("this kernel has no Landlock");
    }
    let outside = [
        "write given",
        "make given",
        "write secret",
        "make secret",
        "write by link",
        "truncate",
        "remove",
        "remove folder",
        "make outside",
        "move out",
        "tree",
    ];
    all(&tried, &["EACCES", "EXDEV"], &outside);
    assert_eq!(fs::read(folder.path().join("secret/file")).unwrap(), b"x");
    let left = fs::read_dir(folder.path().join("secret")).unwrap().count();
    assert_eq!(left, 2, "the file and the empty folder");
}

#[test]
fn owners_modes_links_and_pipes_are_not_made_anywhere() {
    let (_folder, tried) = tried();
    if lacks(&tried, "calls") {
        return testkit::skip("there is no filter of calls here");
    }
    let all_forbidden = ["change mode", "change owner", "symbolic link", "make pipe"];
    all(&tried, &["EPERM"], &all_forbidden);
}
