//! `policy`.

use super::advisories::DatabaseArgs;
use super::read::ReadArgs;
use super::results::PolicyArgs;
use super::shown::StatusFormat;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say what is wrong with a policy file, if anything
    Check {
        /// The file [default: lazaret.yaml here, or in the nearest folder above that has one]
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of policy files, for editors
    Schema,
    /// Say of each finding of a report or scan which line of the policy decides what
    Test(Box<TestArgs>),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TestArgs {
    /// A saved report (json), or anything that `scan` takes
    #[arg(value_name = "REPORT|REFERENCE")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}
