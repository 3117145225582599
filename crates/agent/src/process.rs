//! What `/proc` says of a process: mounts, mapped files, owner, parents.

use std::fs;

/// Bytes of a file of `/proc` that are read: a process may have 65 530 mappings of some 100 bytes.
const MAX_PROC_BYTES: u64 = 8 << 20;

/// Whether there is such a process.
pub(crate) fn is_there(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// The parent of a process.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in brackets and may hold anything, brackets too.
    text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// The short name of a process.
fn name(pid: u32) -> Option<String> {
    let text = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(crate::content::shown(text.strip_suffix(b"\n").unwrap_or(&text)))
}

/// Nanoseconds of a tick in which `/proc` counts.
const TICK_NS: u64 = 10_000_000;

/// A process with its name and start, as far as they can be told.
pub(crate) fn described(pid: u32) -> vocabulary::Process {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let started =
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(19)?.parse().ok());
    let started_ns = started.map_or(0, |ticks: u64| ticks.saturating_mul(TICK_NS));
    vocabulary::Process { pid, started_ns, name: name(pid).unwrap_or_default(), path: None }
}

/// Effective user and group.
pub(crate) fn owner(pid: u32) -> Option<(u32, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let effective = |key: &str| -> Option<u32> {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((effective("Uid:")?, effective("Gid:")?))
}

/// A text file of a process, up to a bound.
pub(crate) fn read(pid: u32, name: &str) -> Option<String> {
    use std::io::Read as _;
    let file = fs::File::open(format!("/proc/{pid}/{name}")).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_PROC_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The device number of what is mounted at a place, in a text of `mountinfo`; of several mounts at
/// one place the last one is seen.
pub(crate) fn device_at(mountinfo: &str, place: &str) -> Option<(u64, u64)> {
    let mut device = mountinfo.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let device = fields.nth(2)?;
        (fields.nth(1)? == place).then_some(device)
    });
    let (major, minor) = device.next_back()?.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_described_by_its_own_files() {
        let own = std::process::id();
        assert_eq!(parent(own), Some(std::os::unix::process::parent_id()));
        let described = described(own);
        assert!(!described.name.is_empty() && described.started_ns > 0 && owner(own).is_some());
        assert!(read(own, "maps").is_some_and(|maps| maps.contains("[stack]")));
        assert_eq!(parent(u32::MAX), None);
    }

    #[test]
    fn the_last_mount_at_a_place_is_the_one_that_is_seen() {
        let text = "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:39 / / rw - overlay overlay rw\n\
                    3 2 0:40 / /proc rw - proc proc rw\n";
        assert_eq!(device_at(text, "/"), Some((0, 39)));
        assert_eq!(device_at(text, "/sys"), None);
    }
}
