//! A subject, and how it is read.

use super::distro::Distro;
use super::timeout::Timeout;
use clap::Args;
use std::path::PathBuf;

/// A subject, and how it is read.
#[derive(Clone, Debug, Args)]
pub(crate) struct SubjectArgs {
    /// docker:NAME, containerd:NAME, podman:NAME, registry:NAME, docker-archive:FILE[:NAME],
    /// oci-archive:FILE[:NAME], oci-dir:FOLDER[:NAME], dir:FOLDER, sbom:FILE, sbom:attached:IMAGE (the bills that
    /// are attached to an image, a claim of whoever attached them), host: (the
    /// container platform of this machine), a path whose kind is
    /// detected, or the bare name of an image, looked for in the engines and then in its registry
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// How a subject is read.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReadArgs {
    /// Platform to take from a multi-platform image, such as linux/arm64
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<vocabulary::Platform>,
    /// Folder where the facts of layers are kept
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Keep and use no facts of layers
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Read and hash every layer, also those that the cache knows
    #[arg(long)]
    pub(crate) reverify: bool,
    /// Distribution and release that the packages of a bill of materials are of, whatever it says
    /// itself, such as debian:12 or debian:bookworm
    #[arg(long, value_name = "DISTRO")]
    pub(crate) distro: Option<Distro>,
    /// End after this time, such as 30s or 5m, with exit code 5; 0 for no end
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<Timeout>,
}

/// How much is said of the files of a subject.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct RecordArgs {
    /// Put the record of all files into JSON output
    #[arg(long)]
    pub(crate) files: bool,
    /// The same with the SHA-256 of every file's content
    #[arg(long)]
    pub(crate) file_digests: bool,
}
