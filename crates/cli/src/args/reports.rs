//! `diff`, `convert` and `explain`.

use super::advisories::DatabaseArgs;
use super::read::ReadArgs;
use super::results::{OutputArgs, PolicyArgs};
use super::shown::StatusFormat;
use clap::Args;
use std::path::PathBuf;

/// The formats that there are here.
const FORMATS: &str = "Format on standard output: table, json, markdown (for pull requests), sarif and junit (what is new), or template:FILE";

#[derive(Clone, Debug, Args)]
#[command(mut_arg("format", |arg| arg.help(FORMATS)))]
pub(crate) struct DiffArgs {
    /// The earlier side: a saved report (json), or anything that `scan` takes
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,
    /// The later side
    #[arg(value_name = "AFTER")]
    pub(crate) after: String,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ConvertArgs {
    /// Saved report (json) of `scan`, `verify` or `diff`, or packages of `sbom`; `-` for standard input
    #[arg(value_name = "REPORT")]
    pub(crate) report: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A rule, such as `end-of-life`, or an id, such as CVE-2021-44228 or GHSA-jfh8-c2jp-5v3q
    /// [default: list the rules]
    #[arg(value_name = "RULE|ID")]
    pub(crate) subject: Option<String>,
    /// Ask the database of one ecosystem alone, such as Debian or npm
    #[arg(long, value_name = "ECOSYSTEM", requires = "subject")]
    pub(crate) ecosystem: Option<String>,
    /// Report that was saved by `lazaret scan … -o json=FILE`, and nothing else: also say which of its
    /// packages the vulnerability was found in
    #[arg(long = "in", value_name = "REPORT", requires = "subject")]
    pub(crate) report: Option<PathBuf>,
    /// Format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
}
