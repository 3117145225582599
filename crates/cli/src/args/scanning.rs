//! `scan` and `sbom`.

use super::advisories::DatabaseArgs;
use super::read::{ReadArgs, RecordArgs, SubjectArgs};
use super::results::{OutputArgs, PolicyArgs};
use clap::Args;
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub(crate) struct ScanArgs {
    /// docker:NAME, containerd:NAME, podman:NAME, registry:NAME, docker-archive:FILE[:NAME],
    /// oci-archive:FILE[:NAME], oci-dir:FOLDER[:NAME], dir:FOLDER, sbom:FILE, sbom:attached:IMAGE (the bills that
    /// are attached to an image, a claim of whoever attached them), host: (the
    /// container platform of this machine), a path whose kind is
    /// detected, or the bare name of an image, looked for in the engines and then in its registry
    #[arg(value_name = "REFERENCE")]
    pub(crate) references: Vec<String>,
    /// Scan the images of all running containers, and say which of the vulnerable packages each
    /// container has used (table or json)
    #[arg(long, conflicts_with = "references")]
    pub(crate) running: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Which checks run, divided by commas: groups (packages), or single checks by the names that
    /// coverage has for them; `all`, and `-NAME` to leave one out. What is left out is said, and the scan
    /// is incomplete without it unless --allow-partial is given
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub(crate) checks: Option<String>,
    /// SARIF of another tool, such as of code analysis: its findings stand under the same policy; may be
    /// given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) import: Vec<PathBuf>,
    /// Saved report (json): what it found already does not count, only what is new
    #[arg(long, value_name = "REPORT")]
    pub(crate) new_since: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) freshness: FreshnessArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SbomArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// Taken only to say that one subject is
    #[arg(hide = true)]
    pub(crate) more: Vec<String>,
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Do not call the list incomplete for files that could not be read
    #[arg(long)]
    pub(crate) allow_partial: bool,
}

/// Whether the distribution's own archive is asked, and whom to believe.
#[derive(Clone, Debug, Args)]
pub(crate) struct FreshnessArgs {
    /// Ask the archive of a Debian or Ubuntu image which packages have a newer security version, also
    /// where no advisory is known
    #[arg(long, conflicts_with = "running")]
    pub(crate) freshness: bool,
    /// Where the security suites are, in place of what the image says, such as
    /// http://mirror.example/debian-security
    #[arg(long, value_name = "URL")]
    pub(crate) archive_mirror: Option<String>,
    /// Keyring whose keys may sign an archive, besides Debian's and Ubuntu's own; may be given several
    /// times
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring: Vec<PathBuf>,
}
