//! The objects that build.rs compiled, opened and quiet.

use crate::SensorError;
use libbpf_rs::{ObjectBuilder, OpenObject};

/// Bytes aligned as libelf wants to read them in place.
#[repr(align(8))]
struct Aligned<T: ?Sized>(T);

static SENSOR: &Aligned<[u8]> =
    &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/sensor.bpf.o")));
static PROBE: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/probe.bpf.o")));

/// The programs of the sensor.
pub(crate) fn sensor() -> Result<OpenObject, SensorError> {
    open(&SENSOR.0)
}

/// The programs of the probe.
pub(crate) fn probe() -> Result<OpenObject, SensorError> {
    open(&PROBE.0)
}

fn open(bytes: &[u8]) -> Result<OpenObject, SensorError> {
    // libbpf prints by itself otherwise; its errors come back as values anyway.
    libbpf_rs::set_print(None);
    ObjectBuilder::default().open_memory(bytes).map_err(|error| load_error(&error))
}

/// libbpf's error with all its reasons.
pub(crate) fn load_error(error: &libbpf_rs::Error) -> SensorError {
    SensorError::Load { reason: format!("{error:#}") }
}
