//! Which programs are shells: by the name of their file, or the name that they were started by.
//!
//! A multi-call program (BusyBox, Toybox) is a shell when it was started as one; started by its own
//! name it may be one, and counts as one, since only its arguments would tell.

use vocabulary::{Event, Execution};

/// Programs that read commands from their standard input, sorted.
const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "csh",
    "dash",
    "elvish",
    "fish",
    "hush",
    "ksh",
    "ksh93",
    "lksh",
    "mksh",
    "msh",
    "nu",
    "oksh",
    "pwsh",
    "rbash",
    "rksh",
    "rzsh",
    "sash",
    "sh",
    "static-sh",
    "tcsh",
    "xonsh",
    "yash",
    "zsh",
    "zsh5",
];

/// Programs that are many in one, sorted.
const MULTI_CALL: &[&str] = &["busybox", "busybox.static", "toybox"];

/// Whether a file of this path is a shell.
pub(crate) fn is_shell_path(path: &str) -> bool {
    is_shell_name(file_name(path))
}

/// Whether this execution started a shell, by the names of its file and of its process.
pub(crate) fn is_shell(event: &Event, execution: &Execution) -> bool {
    let file = file_name(&execution.path);
    if MULTI_CALL.binary_search(&file).is_ok() {
        let name = event.process.name.as_str();
        return is_shell_name(name) || MULTI_CALL.binary_search(&name).is_ok();
    }
    is_shell_name(file)
}

/// Whether the process runs another file, the interpreter.
pub(crate) fn is_script(event: &Event, execution: &Execution) -> bool {
    event.process.path.as_ref().is_some_and(|path| *path != execution.path)
}

/// `bash`, and versioned names such as `bash-5.2` and `zsh5.9`.
fn is_shell_name(name: &str) -> bool {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    SHELLS.binary_search(&name).is_ok() || SHELLS.binary_search(&plain).is_ok()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_searching() {
        assert!(SHELLS.is_sorted() && MULTI_CALL.is_sorted());
    }

    #[test]
    fn shells_are_known_by_name_and_version() {
        for path in ["bin/sh", "usr/bin/bash", "zsh5.9", "opt/bash-5.2", "bin/ksh93"] {
            assert!(is_shell_path(path), "{path}");
        }
        for path in ["bin/ssh", "usr/bin/hash", "bin/sha256sum", "bin/shell", "", "sh/tool"] {
            assert!(!is_shell_path(path), "{path}");
        }
    }
}
