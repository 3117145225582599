//! What a command needs, as a value that can be read and compared.

use std::path::PathBuf;

/// What is left to the process. Everything else is given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What is read.
    pub reading: Reading,
    /// Folders below which files are made, replaced and removed.
    pub writing: Vec<PathBuf>,
    /// Devices, pipes and files that are written to as they are.
    pub streams: Vec<PathBuf>,
    /// Whom it connects to.
    pub connect: Connect,
    /// Whether sockets of this machine are connected to.
    pub sockets: bool,
    /// Rights that root keeps.
    pub privileges: Privileges,
}

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// These files, and what lies below these folders. What is not there is passed over.
    Below(Vec<PathBuf>),
    /// Files anywhere: what engines have may lie in any folder.
    Anywhere,
    /// Files anywhere, and what other processes see, which the kernel shows to nobody who is under
    /// Landlock: the layers of Landlock are left out.
    Processes,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Below(Vec::new())
    }
}

/// Whom it connects to over the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connect {
    /// Nobody.
    #[default]
    Nobody,
    /// One port, whosever it is: an engine that listens there.
    Port(u16),
    /// Whoever is named.
    Anybody,
}

/// Rights of root that are kept. Of another user none are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// Files are read whoever may read them: `CAP_DAC_READ_SEARCH`.
    pub read_all: bool,
    /// Folders of other users are written to: `CAP_DAC_OVERRIDE`.
    pub write_all: bool,
    /// Attributes of overlays are read, which the kernel shows only to `CAP_SYS_ADMIN`. The calls that
    /// this right is feared for are forbidden all the same.
    pub attributes: bool,
    /// What other processes see is read: `CAP_SYS_PTRACE`.
    pub processes: bool,
    /// Whether root becomes nobody: where nothing is to be written in root's folders.
    pub to_nobody: bool,
}
