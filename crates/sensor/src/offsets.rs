//! Where the fields of the kernel's records lie, and the check that both sides agree.
//!
//! The object carries the offsets that its compiler chose (`bpf/record.h`, `LAYOUT`); one that differs
//! from [`EXPECTED`] is refused, so that a change of one side alone cannot be overlooked.

/// One process in a record.
pub(crate) mod process {
    pub(crate) const SIZE: usize = 32;
    pub(crate) const STARTED: usize = 0;
    pub(crate) const PID: usize = 8;
    pub(crate) const NAME: usize = 16;
}

/// One file in a record.
pub(crate) mod file {
    pub(crate) const SIZE: usize = 32;
    pub(crate) const INODE: usize = 0;
    pub(crate) const MAGIC: usize = 8;
    pub(crate) const DEVICE: usize = 16;
    pub(crate) const LINKS: usize = 20;
    pub(crate) const FLAGS: usize = 24;
    pub(crate) const PATH: usize = 28;
    pub(crate) const PATH_LENGTH: usize = 30;
    pub(crate) const OVERLAY: u32 = 1;
    pub(crate) const SIDE_KNOWN: u32 = 1 << 1;
    pub(crate) const UPPER: u32 = 1 << 2;
    pub(crate) const MEMORY: u32 = 1 << 3;
    pub(crate) const UNLINKED: u32 = 1 << 4;
    pub(crate) const TRUNCATED: u32 = 1 << 5;
}

/// The beginning of every record.
pub(crate) mod head {
    pub(crate) const SIZE: usize = 32;
    pub(crate) const KIND: usize = 0;
    pub(crate) const LENGTH: usize = 4;
    pub(crate) const AT: usize = 8;
    pub(crate) const CGROUP: usize = 16;
    pub(crate) const PIDS_CGROUP: usize = 24;
    pub(crate) const EXEC: u32 = 1;
    pub(crate) const FORK: u32 = 2;
    pub(crate) const EXIT: u32 = 3;
}

/// A program that began to run.
pub(crate) mod exec {
    pub(crate) const SIZE: usize = 432;
    pub(crate) const PROCESS: usize = 32;
    pub(crate) const UID: usize = 64;
    pub(crate) const GID: usize = 68;
    pub(crate) const MOUNT_NAMESPACE: usize = 72;
    pub(crate) const ROOT_DEVICE: usize = 76;
    pub(crate) const FLAGS: usize = 80;
    pub(crate) const FAMILY: usize = 84;
    pub(crate) const PORT: usize = 86;
    pub(crate) const ADDRESS: usize = 88;
    pub(crate) const FILE: usize = 104;
    pub(crate) const SCRIPT: usize = 136;
    pub(crate) const SCRIPT_NAME: usize = 168;
    pub(crate) const SCRIPT_NAME_LENGTH: usize = 170;
    pub(crate) const ANCESTOR_COUNT: usize = 172;
    pub(crate) const ANCESTORS: usize = 176;
    pub(crate) const IS_SCRIPT: u32 = 1;
    pub(crate) const HAS_SCRIPT_FILE: u32 = 1 << 1;
    pub(crate) const STOPPED: u32 = 1 << 2;
    pub(crate) const SOCKET: u32 = 1 << 3;
}

/// A process that was made.
pub(crate) mod fork {
    pub(crate) const SIZE: usize = 80;
    pub(crate) const PROCESS: usize = 32;
    pub(crate) const PARENT_STARTED: usize = 64;
    pub(crate) const PARENT_PID: usize = 72;
}

/// A process that ended.
pub(crate) mod exit {
    pub(crate) const SIZE: usize = 72;
    pub(crate) const PROCESS: usize = 32;
    pub(crate) const CODE: usize = 64;
}

/// Ancestors that an exec record has room for.
pub(crate) const ANCESTOR_ROOM: usize = 8;
/// Text that an exec record has room for.
pub(crate) const TEXT_SIZE: usize = 8192;
/// [`crate::Enforcement::memory`].
pub(crate) const ENFORCE_MEMORY: u32 = 1;
/// [`crate::Enforcement::written`].
pub(crate) const ENFORCE_WRITTEN: u32 = 1 << 1;

/// Buckets of ignored cgroups; a power of two.
pub(crate) const IGNORED_BUCKETS: u32 = 1024;
/// Ids in a bucket.
pub(crate) const IGNORED_PER_BUCKET: usize = 4;

/// First word of the object's constants: `LZR1`.
pub(crate) const MAGIC: u32 = 0x4c5a_5231;

/// What the object must say, in the order of `LAYOUT`.
pub(crate) const EXPECTED: [usize; 47] = [
    process::SIZE,
    process::STARTED,
    process::PID,
    process::NAME,
    file::SIZE,
    file::INODE,
    file::MAGIC,
    file::DEVICE,
    file::LINKS,
    file::FLAGS,
    file::PATH,
    file::PATH_LENGTH,
    head::SIZE,
    head::KIND,
    head::LENGTH,
    head::AT,
    head::CGROUP,
    head::PIDS_CGROUP,
    exec::SIZE,
    exec::PROCESS,
    exec::UID,
    exec::GID,
    exec::MOUNT_NAMESPACE,
    exec::ROOT_DEVICE,
    exec::FLAGS,
    exec::FAMILY,
    exec::PORT,
    exec::ADDRESS,
    exec::FILE,
    exec::SCRIPT,
    exec::SCRIPT_NAME,
    exec::SCRIPT_NAME_LENGTH,
    exec::ANCESTOR_COUNT,
    exec::ANCESTORS,
    ANCESTOR_ROOM,
    TEXT_SIZE,
    fork::SIZE,
    fork::PROCESS,
    fork::PARENT_STARTED,
    fork::PARENT_PID,
    exit::SIZE,
    exit::PROCESS,
    exit::CODE,
    ENFORCE_MEMORY as usize,
    ENFORCE_WRITTEN as usize,
    IGNORED_BUCKETS as usize,
    IGNORED_PER_BUCKET,
];

/// The words of the object's constants that follow the layout: wake line, kind of cgroup.
const SETTINGS: usize = 2;

/// Checks the object's constants and fills in its settings.
///
/// # Errors
/// Says which word differs.
pub(crate) fn agree(constants: &mut [u8], settings: [u32; SETTINGS]) -> Result<(), String> {
    let length = 4 * (1 + EXPECTED.len() + SETTINGS);
    // Alignment of the section may add a few bytes.
    if constants.len() < length || constants.len() > length + 8 {
        return Err(format!("its constants are {} bytes, not {length}", constants.len()));
    }
    let mut words = constants.chunks_exact_mut(4);
    let mut next = || words.next().and_then(|word| <&mut [u8; 4]>::try_from(word).ok());
    let found = next().map(|word| u32::from_ne_bytes(*word));
    if found != Some(MAGIC) {
        return Err("its constants do not begin with their magic number".to_owned());
    }
    for (index, expected) in EXPECTED.iter().enumerate() {
        let found = next().map(|word| u32::from_ne_bytes(*word) as usize);
        if found != Some(*expected) {
            return Err(format!("word {index} of its layout is {found:?}, not {expected}"));
        }
    }
    for setting in settings {
        let Some(word) = next() else { return Err("its settings are missing".to_owned()) };
        *word = setting.to_ne_bytes();
    }
    Ok(())
}
