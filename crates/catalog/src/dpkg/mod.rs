//! The `dpkg` cataloger.

use image::{Check, Entry, Fact, Interest, ReadError, Resolution, View, Want};

/// The `dpkg` cataloger.
#[derive(Debug)]
pub struct Dpkg;

impl Check for Dpkg {
    fn id(&self) -> &'static str {
        "dpkg"
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
