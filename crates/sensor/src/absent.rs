//! The sensor of a build without kernel programs: it can only say so.

use crate::{Enforcement, KernelEvent, ProgramStats, SensorError, SensorOptions};
use std::convert::Infallible;
use std::time::Duration;

/// Listens to the kernel; in this build there is none.
#[derive(Debug)]
pub struct Sensor(Infallible);

#[expect(clippy::missing_errors_doc, reason = "the one with programs documents them")]
impl Sensor {
    /// Always refuses.
    pub fn start(_: SensorOptions) -> Result<Self, SensorError> {
        Err(SensorError::NotBuilt)
    }

    /// Never reached.
    pub fn poll(
        &mut self,
        _: Duration,
        _: &mut dyn FnMut(KernelEvent),
    ) -> Result<usize, SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn lost(&self) -> Result<u64, SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn ignore_cgroup(&mut self, _: u64) -> Result<(), SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn trust_mounts(&mut self, _: u32) -> Result<(), SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn distrust_mounts(&mut self, _: u32) -> Result<(), SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn enforce_cgroup(&mut self, _: u64, _: Enforcement) -> Result<(), SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn release_cgroup(&mut self, _: u64) -> Result<(), SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn measure(&mut self) -> Result<(), SensorError> {
        match self.0 {}
    }

    /// Never reached.
    pub fn stats(&self) -> Result<Vec<ProgramStats>, SensorError> {
        match self.0 {}
    }
}
