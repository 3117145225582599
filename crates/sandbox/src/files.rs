//! Files, TCP and other processes, by Landlock.
//!
//! Source: kernel documentation, "Landlock: unprivileged access control". It knows of opening, making
//! and removing; that a file is there, how large it is and whose it is, can be seen all the same.
//! Starting programs, and making devices, sockets and links, is granted nowhere.

use crate::layer::State;
use crate::needs::{Connect, Needs, Reading};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, PathFd,
    PathFdError, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError,
    Scope, make_bitflags,
};
use rustix::io::Errno;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// What is known of Landlock here. A kernel that has less gives less; what a newer one adds is not
/// used before it was tried.
const KNOWN: ABI = ABI::V7;
/// The version that first has rights for TCP.
const WITH_TCP: i32 = 4;
/// The version that first keeps signals and abstract sockets inside.
const WITH_SCOPES: i32 = 6;

/// To read below a folder.
const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
/// To write below a folder.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
});
/// To write to what is there.
const STREAM: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate});

/// What files, TCP and other processes are held by.
pub(crate) fn restrict(needs: &Needs) -> (State, State, State) {
    if needs.reading == Reading::Processes {
        let all = || {
            State::LeftOut("the kernel shows what a container sees to nobody under Landlock".into())
        };
        return (all(), all(), all());
    }
    match restricted(needs) {
        Ok((LandlockStatus::Available { effective_abi, .. }, places)) => {
            told(needs, effective_abi as i32, places)
        }
        Ok((LandlockStatus::NotEnabled, _)) => missing("Landlock is not among the kernel's `lsm=`"),
        Ok((LandlockStatus::NotImplemented, _)) => {
            missing("the kernel has no Landlock, or a container forbids it (Linux 5.13 has it)")
        }
        Err(Failed::Rules(error)) => missing(&format!("Landlock: {error}")),
        Err(Failed::Exhausted(error)) => {
            missing(&format!("what is granted cannot be opened: {error}"))
        }
    }
}

fn missing(reason: &str) -> (State, State, State) {
    let all = || State::Missing(reason.to_owned());
    (all(), all(), all())
}

fn told(needs: &Needs, version: i32, places: usize) -> (State, State, State) {
    let reads = match &needs.reading {
        Reading::Below(_) => format!("read in {places} places"),
        Reading::Anywhere | Reading::Processes => "read anywhere".to_owned(),
    };
    let writes = needs.writing.len() + needs.streams.len();
    let files = State::Holds(format!(
        "Landlock ABI {version}: {reads}, written in {writes}, no program is started"
    ));
    let older = |first| State::Missing(format!("Landlock ABI {version}; it is in {first}"));
    let network = match needs.connect {
        _ if version < WITH_TCP => older(WITH_TCP),
        Connect::Nobody => State::Holds(format!("Landlock ABI {version}: no connection")),
        Connect::Port(port) => State::Holds(format!("Landlock ABI {version}: to port {port}")),
        Connect::Anybody => State::Holds(format!("Landlock ABI {version}: no port is bound")),
    };
    let others = match version < WITH_SCOPES {
        true => older(WITH_SCOPES),
        false => State::Holds(format!("Landlock ABI {version}: no signals, no abstract sockets")),
    };
    (files, network, others)
}

/// Why the kernel holds nothing by Landlock.
enum Failed {
    Rules(RulesetError),
    /// Too little is left to name what is granted: held by less, the command would fail for reasons
    /// that are none.
    Exhausted(io::Error),
}

impl From<RulesetError> for Failed {
    fn from(error: RulesetError) -> Self {
        Self::Rules(error)
    }
}

fn restricted(needs: &Needs) -> Result<(LandlockStatus, usize), Failed> {
    let tcp = match needs.connect {
        Connect::Anybody => AccessNet::BindTcp.into(),
        Connect::Nobody | Connect::Port(_) => AccessNet::from_all(KNOWN),
    };
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(tcp)?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    let read = match &needs.reading {
        Reading::Below(paths) => Cow::Borrowed(paths.as_slice()),
        Reading::Anywhere | Reading::Processes => Cow::Owned(anywhere()),
    };
    for (paths, access) in [(&*read, READ), (&needs.writing, WRITE), (&needs.streams, STREAM)] {
        for path in paths {
            rules = granted(rules, path, access)?;
        }
    }
    if let Connect::Port(port) = needs.connect {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    Ok((rules.restrict_self()?.landlock, read.len()))
}

/// All folders of the root but what the kernel shows of other processes, among it their secrets.
fn anywhere() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/").into_iter().flatten().flatten();
    let others = entries.map(|entry| entry.path()).filter(|path| path != Path::new("/proc"));
    others.chain([PathBuf::from("/proc/self")]).collect()
}

/// What is not there, or may not be opened, is granted by nothing: whoever needs it says so himself.
fn granted(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, Failed> {
    let Ok(metadata) = path.metadata() else { return Ok(rules) };
    let opened = match PathFd::new(path) {
        Ok(opened) => opened,
        Err(PathFdError::OpenCall { source, .. }) if ran_out(&source) => {
            return Err(Failed::Exhausted(source));
        }
        Err(_) => return Ok(rules),
    };
    let access = if metadata.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
    // The kernel has no rule for what lies in no file system, such as a pipe of the shell; it asks for
    // none either.
    let Ok(with) = rules.try_clone() else {
        return Ok(rules.add_rule(PathBeneath::new(opened, access))?);
    };
    Ok(with.add_rule(PathBeneath::new(opened, access)).unwrap_or(rules))
}

fn ran_out(error: &io::Error) -> bool {
    let all = [Errno::MFILE, Errno::NFILE, Errno::NOMEM].map(|one| Some(one.raw_os_error()));
    all.contains(&error.raw_os_error())
}
