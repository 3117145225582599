//! Loads the eBPF programs, turns kernel records into events, installs kernel-side blocks.
//!
//! In go cgroups to ignore or to guard; out come [`KernelEvent`]s, answers to fanotify's questions,
//! and processes that were stopped. Nothing is claimed that was not tried: [`probe`] loads, attaches
//! and exercises each capability. A program is known by the file that the kernel runs, never by the
//! path that its caller typed.
//!
//! This is the one room with `unsafe`: each block is a system call that no crate wraps.

mod clock;
#[cfg(any(bpf_object, fuzzing))]
mod decode;
mod descriptors;
mod error;
mod event;
pub mod fanotify;
#[cfg(any(bpf_object, fuzzing))]
#[cfg_attr(not(bpf_object), expect(dead_code, reason = "there is no object to hold it against"))]
mod offsets;
mod options;
mod probe;
mod process;
mod text;

#[cfg(bpf_object)]
mod programs;
#[cfg(bpf_object)]
mod sensor;
#[cfg(not(bpf_object))]
#[path = "absent.rs"]
mod sensor;

pub use clock::{boot_ns, mount_namespace, process_ids};
pub use descriptors::forget_descriptors;
pub use error::SensorError;
pub use event::{Exec, Exit, Fork, KernelEvent, ProgramFile, Script};
pub use fanotify::{Asked, ExecGuard, ExecRequest, OpenMarks, OpenWatch, OpenedFile, Verdict};
pub use options::{CgroupKey, Enforcement, ProgramStats, SensorOptions};
pub use probe::{Capability, probe};
pub use process::{ProcessHandle, Stopped};
pub use sensor::Sensor;

/// Reads a record of the kernel, for fuzzing.
#[cfg(fuzzing)]
#[must_use]
pub fn read_record(bytes: &[u8]) -> Option<KernelEvent> {
    decode::event(bytes)
}
