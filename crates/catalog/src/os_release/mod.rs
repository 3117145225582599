//! The `os-release` cataloger.

use image::{Check, Entry, Fact, Interest, ReadError, Resolution, View, Want};

/// The `os-release` cataloger.
#[derive(Debug)]
pub struct OsRelease;

impl Check for OsRelease {
    fn id(&self) -> &'static str {
        "os-release"
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
