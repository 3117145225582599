//! The command line: what can be said, and its help.
//!
//! Every setting can be given as a flag, as an environment variable `LAZARET_…`, or in the
//! configuration file, in that order of precedence: [`settings`] has them all.

mod advisories;
mod config;
mod distro;
mod machine;
mod policy;
mod read;
mod reports;
mod results;
mod sandbox;
mod scanning;
mod sealing;
pub(crate) mod settings;
mod shown;
mod timeout;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

pub(crate) use advisories::{DatabaseArgs, DbCommand, RiskArgs, TrustArgs};
pub(crate) use config::ConfigCommand;
pub(crate) use distro::Distro;
pub(crate) use machine::{AffectedArgs, AgentArgs};
pub(crate) use policy::{PolicyCommand, TestArgs};
pub(crate) use read::{ReadArgs, RecordArgs};
pub(crate) use reports::{ConvertArgs, DiffArgs, ExplainArgs};
pub(crate) use results::{Output, OutputArgs, PolicyArgs};
pub(crate) use sandbox::SandboxMode;
pub(crate) use scanning::{SbomArgs, ScanArgs};
pub(crate) use sealing::{KeyCommand, SealArgs, SealsCommand, VerifyArgs};
pub(crate) use shown::{Color, StatusFormat};
pub(crate) use timeout::Timeout;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0   nothing over the line (--fail-on, --fail-on-unknown, --fail-on-exploited), and all was looked
      at; also findings where no such line was given, which is no pass: the verdict says so
  1   findings over the line
  2   usage: wrong arguments, or an input that is not there
  3   incomplete: not all could be looked at
  4   no vulnerability database
  5   something ran out: time (--timeout), memory, space, threads or open files; or the result could
      not be printed
  70  internal error

Login to registries:
  that of `docker login`; or, for the registries that LAZARET_REGISTRY names (HOST[:PORT], several
  divided by commas), LAZARET_REGISTRY_USERNAME and LAZARET_REGISTRY_PASSWORD, or
  LAZARET_REGISTRY_TOKEN";

const AGENT_EXIT_CODES: &str = "\
It ends on SIGINT, SIGTERM or SIGHUP, with exit code 0 whatever it reported; with 3 where events were
lost or an alert could not be written, and, with --status, where the agent cannot run here.";

/// Container security for the whole life of a container.
#[derive(Debug, Parser)]
#[command(name = "lazaret", version, styles = STYLES, after_help = EXIT_CODES)]
#[command(arg_required_else_help = true, override_usage = "lazaret [OPTIONS] <COMMAND>")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Say which layers of the sandbox hold on this machine, by entering it, and end: table or json
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    pub(crate) sandbox_status: Option<StatusFormat>,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Settings of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// When to colour the output
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<Color>,
    /// Print nothing but errors and what was asked for by `-o`
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Show more; twice shows all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Never open a network connection
    #[arg(long, global = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    pub(crate) offline: Option<bool>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for seals and for what the agent saw
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
    /// Where Docker listens: unix:///PATH or tcp://HOST:PORT
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(crate) docker_host: Option<String>,
    /// Where containerd listens
    #[arg(long, global = true, value_name = "SOCKET")]
    pub(crate) containerd_address: Option<PathBuf>,
    /// Namespace of containerd
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) containerd_namespace: Option<String>,
    /// Where containerd keeps its store, read while it does not run
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) containerd_root: Option<PathBuf>,
    /// Where Docker keeps its store, read while it does not run
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) docker_root: Option<PathBuf>,
    /// Where Podman keeps its store
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) podman_root: Option<PathBuf>,
    /// File of PEM certificates of authorities to trust besides the usual ones
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Reach registries that are not on this machine over plain HTTP, without credentials
    #[arg(long, global = true)]
    pub(crate) plain_http: bool,
    /// Folder of the vulnerability database
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) db: Option<PathBuf>,
    /// Whether the program first gives up what reading does not need: as far as this machine can
    /// (auto), in full or not at all (require), or never (off)
    #[arg(long, global = true, value_enum, value_name = "MODE")]
    pub(crate) sandbox: Option<SandboxMode>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan an image or a directory for known vulnerabilities, malicious packages and tampering
    Scan(Box<ScanArgs>),
    /// List the packages of an image or a directory
    Sbom(SbomArgs),
    /// Say what is new, gone and changed between two images, folders, bills or saved reports, and why
    Diff(Box<DiffArgs>),
    /// Write a saved report in other forms, as it was decided: nothing is matched again, and the exit
    /// code says only whether it could be read and written
    Convert(ConvertArgs),
    /// Sign a record of an image as it is now, to verify it against later
    Seal(SealArgs),
    /// Hold an image or a container against its seal, and name every difference
    Verify(VerifyArgs),
    /// List, show and check seals
    #[command(subcommand)]
    Seals(SealsCommand),
    /// Make keys to seal with
    #[command(subcommand)]
    Key(KeyCommand),
    /// Watch the containers of this machine, by what their seals say
    #[command(after_help = AGENT_EXIT_CODES)]
    Agent(AgentArgs),
    /// Say which containers and images a vulnerability concerns
    Affected(AffectedArgs),
    /// Say what a rule means, or what the database knows of a vulnerability
    Explain(ExplainArgs),
    /// Check and try the policy file, lazaret.yaml
    #[command(subcommand)]
    Policy(Box<PolicyCommand>),
    /// Help with the configuration file, lazaret.toml
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Keep and ask the vulnerability database
    #[command(subcommand)]
    Db(DbCommand),
    /// Run the helpers of Docker's config.json for a process that may start no programs
    #[command(hide = true)]
    CredentialHelpers,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or of one command (roff)
    Man {
        /// The command, such as `scan` or `db update`
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}
