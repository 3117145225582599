//! What a file is to an attacker: what runs, what decides what runs, and the rest.
//!
//! In goes a record, out comes a class. Only names and modes are known, so a file counts as a program
//! where either says so.

use vocabulary::{FileKind, FileRecord};

/// The classes, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Logs, caches and what is to be thrown away.
    Passing,
    /// A folder.
    Folder,
    /// Anything else.
    Data,
    /// Settings.
    Configuration,
    /// Settings that decide who may do what, and what runs.
    Trust,
    /// A module of an interpreter.
    Module,
    /// A shared library.
    Library,
    /// A program.
    Program,
}

/// Folders that hold programs, and nothing else.
const PROGRAM_FOLDERS: [&str; 8] = [
    "bin/",
    "sbin/",
    "usr/bin/",
    "usr/sbin/",
    "usr/local/bin/",
    "usr/local/sbin/",
    "usr/libexec/",
    "opt/bin/",
];

/// Folders of libraries and of programs' parts.
const LIBRARY_FOLDERS: [&str; 7] =
    ["lib/", "lib32/", "lib64/", "usr/lib/", "usr/lib32/", "usr/lib64/", "usr/local/lib/"];

/// Endings of what interpreters load.
const MODULES: [&str; 27] = [
    "bash", "cjs", "class", "dll", "exe", "gem", "jar", "js", "ko", "lua", "mjs", "node", "php",
    "pl", "pm", "pth", "py", "pyc", "pyd", "pyo", "rb", "sh", "ts", "war", "wasm", "whl", "ear",
];

/// Files under `etc` that decide who may do what, and what runs.
const TRUST: [&str; 22] = [
    "apt/",
    "cron",
    "environment",
    "group",
    "gshadow",
    "init.d/",
    "inittab",
    "ld.so.",
    "nsswitch.conf",
    "pam.d/",
    "passwd",
    "pki/",
    "profile",
    "rc",
    "security/",
    "shadow",
    "shells",
    "ssh/",
    "ssl/",
    "subuid",
    "sudoers",
    "systemd/",
];

/// Folders whose content comes and goes.
const PASSING: [&str; 7] =
    ["run/", "tmp/", "var/cache/", "var/lock/", "var/log/", "var/run/", "var/tmp/"];

impl Class {
    pub(super) fn of(file: &FileRecord) -> Self {
        let path = file.path.as_str();
        let under = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        match file.kind {
            FileKind::Directory => return Self::Folder,
            // What a link in such a folder leads to is what runs.
            FileKind::Symlink if under(&PROGRAM_FOLDERS) => return Self::Program,
            FileKind::Symlink if is_library(name) => return Self::Library,
            FileKind::Symlink => {}
            FileKind::CharacterDevice | FileKind::BlockDevice => return Self::Trust,
            FileKind::Fifo => return Self::Data,
            FileKind::File | FileKind::HardLink => {
                if is_library(name) {
                    return Self::Library;
                }
                // Any of the three execute bits, setuid and setgid.
                if file.mode & 0o6111 != 0 || under(&PROGRAM_FOLDERS) {
                    return Self::Program;
                }
                let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
                if MODULES.contains(&ending.to_ascii_lowercase().as_str()) {
                    return Self::Module;
                }
                if under(&LIBRARY_FOLDERS) {
                    return Self::Library;
                }
            }
        }
        match path.strip_prefix("etc/") {
            Some(rest) if TRUST.iter().any(|start| rest.starts_with(start)) => Self::Trust,
            Some(_) => Self::Configuration,
            None if path.starts_with("root/.ssh/") || path.contains("/.ssh/") => Self::Trust,
            None if path.starts_with("var/spool/cron/") => Self::Trust,
            None if under(&PASSING) => Self::Passing,
            None => Self::Data,
        }
    }

    /// Whether what lies in this folder runs, or decides what runs: the root, `etc`, and the folders
    /// of programs and libraries.
    pub(super) fn rules(folder: &str) -> bool {
        let below = |folders: &[&str]| {
            folders
                .iter()
                .any(|known| known.strip_suffix('/') == Some(folder) || folder.starts_with(known))
        };
        let whole = matches!(folder, "" | "." | "/" | "etc" | "usr" | "usr/local");
        whole || folder.starts_with("etc/") || below(&PROGRAM_FOLDERS) || below(&LIBRARY_FOLDERS)
    }

    /// Whether it runs, or is loaded by what runs.
    pub(super) fn runs(self) -> bool {
        self >= Self::Module
    }

    /// The word for people.
    pub(super) const fn noun(self, kind: FileKind) -> &'static str {
        match (self, kind) {
            (_, FileKind::CharacterDevice | FileKind::BlockDevice) => "Device",
            (Self::Folder, _) => "Folder",
            (Self::Program, FileKind::Symlink) => "Link to a program",
            (Self::Library, FileKind::Symlink) => "Link to a library",
            (_, FileKind::Symlink) => "Link",
            (Self::Passing | Self::Data, _) => "File",
            (Self::Configuration, _) => "Configuration",
            (Self::Trust, _) => "Security configuration",
            (Self::Module, _) => "Program module",
            (Self::Library, _) => "Library",
            (Self::Program, _) => "Program",
        }
    }
}

/// `libc.so`, `libc.so.6`.
fn is_library(name: &str) -> bool {
    name.ends_with(".so")
        || name.split_once(".so.").is_some_and(|(_, version)| {
            version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
}
