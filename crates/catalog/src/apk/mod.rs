//! The `apk` cataloger.

use image::{Check, Entry, Fact, Interest, ReadError, Resolution, View, Want};

/// The `apk` cataloger.
#[derive(Debug)]
pub struct Apk;

impl Check for Apk {
    fn id(&self) -> &'static str {
        "apk"
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
