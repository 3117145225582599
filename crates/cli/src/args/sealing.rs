//! `seal`, `verify`, `seals` and `key`.

use super::read::SubjectArgs;
use super::results::OutputArgs;
use super::shown::StatusFormat;
use super::timeout::Timeout;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub(crate) struct SealArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// Private key: Ed25519 as PEM (PKCS #8) or an OpenSSH key; with an OpenSSH public key the SSH agent signs
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Name under which it is sealed [default: the image's own name]
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Option<String>,
    /// Also write the statement, its signature and the record into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) export: Option<PathBuf>,
    /// Format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// docker:NAME, containerd:NAME, any other reference to an image, or container:NAME for a running
    /// container
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,
    /// Platform to take from a multi-platform image, such as linux/arm64
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<vocabulary::Platform>,
    /// Public key that the seal must be signed by; may be given several times
    /// [default: the keys that sealed on this machine]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Name under which it was sealed [default: the image's own name]
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Option<String>,
    /// End after this time, such as 30s or 5m, with exit code 5; 0 for no end
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<Timeout>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SealsCommand {
    /// List the seals
    List {
        /// Format: table or json
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: StatusFormat,
    },
    /// Show the statement of the newest seal of a repository
    Show {
        /// Repository, such as docker.io/library/app
        repository: String,
    },
    /// Check the chain, every signature and every record of the store
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an Ed25519 key pair: FILE and FILE.pub
    New {
        /// File of the private key; it must not be there yet
        file: PathBuf,
    },
}
