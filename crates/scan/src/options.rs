//! How a subject is to be read.

use crate::checks::Selection;
use image::RecordLevel;
use std::path::PathBuf;
use vocabulary::{Distribution, Platform};

/// How a subject is to be read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Platform to take from a multi-platform index.
    pub platform: Option<Platform>,
    /// Which checks run.
    pub checks: Selection,
    /// Folder of the fact cache; none reads everything and keeps nothing.
    pub cache: Option<PathBuf>,
    /// Whether layers that the cache knows are read and hashed all the same.
    pub reverify: bool,
    /// How much of the file record is wanted.
    pub files: RecordLevel,
    /// How many layers are read side by side.
    pub workers: usize,
    /// Where the engines listen.
    pub engines: image::Endpoints,
    /// How registries are asked.
    pub registry: image::RegistryOptions,
    /// The release of the kernel that runs, for `host:`.
    pub kernel: Option<String>,
    /// Whether VEX documents that are attached to an image are looked for.
    pub attached: bool,
    /// The release that the packages of a bill of materials are of, whatever it says itself.
    pub distribution: Option<Distribution>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            platform: None,
            checks: Selection::default(),
            cache: None,
            reverify: false,
            files: RecordLevel::None,
            workers,
            engines: image::Endpoints::default(),
            registry: image::RegistryOptions::default(),
            kernel: None,
            attached: false,
            distribution: None,
        }
    }
}
