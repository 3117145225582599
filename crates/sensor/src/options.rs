//! What a sensor is started with, and what it says of itself.

/// Bytes of the ring buffer unless asked otherwise: some 6,000 executions between two looks, and well
/// within the memory that an agent may take.
const RING_BYTES: u32 = 4 << 20;

/// Which cgroup's id tells containers apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CgroupKey {
    /// That of the v2 hierarchy.
    #[default]
    Unified,
    /// That of the v1 pids controller, where no container has a v2 cgroup of its own.
    Pids,
}

/// How to start a sensor.
#[derive(Clone, Copy, Debug)]
pub struct SensorOptions {
    /// Size of the ring buffer; rounded up to a power of two.
    pub ring_bytes: u32,
    /// What the ids given to the sensor are.
    pub key: CgroupKey,
}

impl Default for SensorOptions {
    fn default() -> Self {
        Self { ring_bytes: RING_BYTES, key: CgroupKey::default() }
    }
}

/// What the kernel program itself stops in a cgroup, before the first instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enforcement {
    /// Programs that lie in memory only.
    pub memory: bool,
    /// Programs on the written side of an overlay.
    pub written: bool,
}

/// What one kernel program cost, by the kernel's own measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramStats {
    /// Its name.
    pub name: String,
    /// How often it ran.
    pub run_count: u64,
    /// How long altogether.
    pub run_time_ns: u64,
}
