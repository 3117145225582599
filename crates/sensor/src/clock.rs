//! The kernel's clock and namespaces, to compare events with.

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

/// The mount namespace of a process, as [`crate::Exec::mount_namespace`] has it.
#[must_use]
pub fn mount_namespace(pid: u32) -> Option<u32> {
    let metadata = std::fs::metadata(format!("/proc/{pid}/ns/mnt")).ok()?;
    u32::try_from(metadata.ino()).ok()
}
