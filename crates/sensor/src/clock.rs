//! The kernel's clock and namespaces, to compare events with.

use crate::SensorError;
use nix::time::{ClockId, clock_gettime};
use std::os::unix::fs::MetadataExt as _;

/// Nanoseconds since boot, by the clock of the events; 0 where the kernel has no such clock.
#[must_use]
pub fn boot_ns() -> u64 {
    let Ok(now) = clock_gettime(ClockId::CLOCK_BOOTTIME) else { return 0 };
    let seconds = u64::try_from(now.tv_sec()).unwrap_or_default();
    let nanoseconds = u64::try_from(now.tv_nsec()).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// The inode number of the first PID namespace, on every machine. Source: include/linux/proc_ns.h,
/// `PROC_PID_INIT_INO`.
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// Whether the process ids that the kernel's programs report, which are those of the first PID
/// namespace, are the ones that this process and its `/proc` know. Where they are not, a process that is
/// reported cannot be looked at or stopped, and its number may be another's.
///
/// # Errors
/// Where they are not.
pub fn process_ids() -> Result<(), SensorError> {
    let differ = |reason: String| SensorError::ProcessIds { reason };
    let namespace = std::fs::metadata("/proc/self/ns/pid");
    let namespace = namespace.map_err(|error| differ(format!("`/proc/self/ns/pid`: {error}")))?;
    if namespace.ino() != FIRST_PID_NAMESPACE {
        return Err(differ(format!("this process is in PID namespace {}", namespace.ino())));
    }
    let shown = std::fs::read_link("/proc/self").unwrap_or_default();
    let own = std::process::id();
    if shown.to_str() != Some(&own.to_string()) {
        let shown = shown.display();
        return Err(differ(format!("`/proc` is another namespace's: {own} is `{shown}` there")));
    }
    Ok(())
}

/// The mount namespace of a process, as [`crate::Exec::mount_namespace`] has it.
#[must_use]
pub fn mount_namespace(pid: u32) -> Option<u32> {
    let metadata = std::fs::metadata(format!("/proc/{pid}/ns/mnt")).ok()?;
    u32::try_from(metadata.ino()).ok()
}
