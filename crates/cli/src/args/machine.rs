//! `agent` and `affected`.

use super::advisories::DatabaseArgs;
use super::read::ReadArgs;
use super::shown::StatusFormat;
use clap::Args;
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub(crate) struct AgentArgs {
    /// Only report [default]
    #[arg(long, conflicts_with = "enforce")]
    pub(crate) observe: bool,
    /// Stop what is reported, by the best means that this machine has
    #[arg(long)]
    pub(crate) enforce: bool,
    /// Say what works on this machine, by trying each part, and end
    #[arg(long, conflicts_with_all = ["observe", "enforce"])]
    pub(crate) status: bool,
    /// Format on standard output: table (one line an alert) or json (one object a line)
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
    /// Append every alert to this file, one JSON object a line
    #[arg(short, long = "output", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// End after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// This is the process that watches, started by its keeper, which has started it again so often
    #[arg(long, value_name = "COUNT", hide = true)]
    pub(crate) kept: Option<u32>,
    /// For how many seconds the keeper runs already
    #[arg(long, value_name = "SECONDS", hide = true, default_value_t = 0)]
    pub(crate) elapsed: u64,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct AffectedArgs {
    /// CVE or the id of an advisory
    #[arg(value_name = "CVE")]
    pub(crate) id: String,
    /// Format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: StatusFormat,
    /// Folder where the facts of layers are kept
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Keep and use no facts of layers
    #[arg(long)]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

impl AffectedArgs {
    /// How the images are read.
    pub(crate) fn read(&self) -> ReadArgs {
        ReadArgs {
            timeout: None,
            platform: None,
            cache_dir: self.cache_dir.clone(),
            no_cache: self.no_cache,
            reverify: false,
            distro: None,
        }
    }
}
