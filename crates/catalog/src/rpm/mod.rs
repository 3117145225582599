//! The `rpm` cataloger.

use image::{Check, Entry, Fact, Interest, ReadError, Resolution, View, Want};

/// The `rpm` cataloger.
#[derive(Debug)]
pub struct Rpm;

impl Check for Rpm {
    fn id(&self) -> &'static str {
        "rpm"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[]
    }

    fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
        Want::No
    }

    fn read(&self, _: &Entry<'_>, _: &[u8]) -> Result<Option<Fact>, ReadError> {
        Ok(None)
    }

    fn resolve(&self, _: &View<'_>) -> Resolution {
        Resolution::default()
    }
}
