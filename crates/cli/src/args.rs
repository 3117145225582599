//! The command line: what can be said, and its help.
//!
//! Every setting can be given as a flag, as an environment variable `LAZARET_…`, or in the
//! configuration file, in that order of precedence.

mod results;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(crate) use results::{Output, OutputArgs, PolicyArgs};

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
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        env = "LAZARET_COLOR",
        hide_env_values = true
    )]
    pub(crate) color: Option<Color>,
    /// Print nothing but errors and what was asked for by `-o`
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Show more; twice shows all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Never open a network connection
    #[arg(long, global = true, env = "LAZARET_OFFLINE", hide_env_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    pub(crate) offline: Option<bool>,
    /// Configuration file [default: config.toml in the user's configuration folder, and over it
    /// lazaret.toml here, which may only tighten]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LAZARET_CONFIG",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// Folder for seals and for what the agent saw
    /// [default: /var/lib/lazaret for root, else in the user's state folder]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "LAZARET_STATE",
        hide_env_values = true
    )]
    pub(crate) state: Option<PathBuf>,
    /// Where Docker listens: unix:///PATH or tcp://HOST:PORT [default: unix:///var/run/docker.sock]
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "DOCKER_HOST",
        hide_env_values = true
    )]
    pub(crate) docker_host: Option<String>,
    /// Where containerd listens [default: /run/containerd/containerd.sock]
    #[arg(
        long,
        global = true,
        value_name = "SOCKET",
        env = "CONTAINERD_ADDRESS",
        hide_env_values = true
    )]
    pub(crate) containerd_address: Option<PathBuf>,
    /// Namespace of containerd [default: default; images are also looked for in k8s.io and moby]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "CONTAINERD_NAMESPACE",
        hide_env_values = true
    )]
    pub(crate) containerd_namespace: Option<String>,
    /// Where containerd keeps its store, read while it does not run [default: the user's, then
    /// /var/lib/containerd and those of k3s and RKE2]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "LAZARET_CONTAINERD_ROOT",
        hide_env_values = true
    )]
    pub(crate) containerd_root: Option<PathBuf>,
    /// Where Docker keeps its store, read while it does not run [default: /var/lib/docker]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "LAZARET_DOCKER_ROOT",
        hide_env_values = true
    )]
    pub(crate) docker_root: Option<PathBuf>,
    /// Where Podman keeps its store [default: the user's, then /var/lib/containers/storage]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "LAZARET_PODMAN_ROOT",
        hide_env_values = true
    )]
    pub(crate) podman_root: Option<PathBuf>,
    /// File of PEM certificates of authorities to trust besides the usual ones
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LAZARET_CA_FILE",
        hide_env_values = true
    )]
    pub(crate) ca_file: Option<PathBuf>,
    /// Reach registries that are not on this machine over plain HTTP, without credentials
    #[arg(long, global = true)]
    pub(crate) plain_http: bool,
    /// Folder of the vulnerability database [default: in the user's cache folder]
    #[arg(long, global = true, value_name = "FOLDER", env = "LAZARET_DB", hide_env_values = true)]
    pub(crate) db: Option<PathBuf>,
    /// Whether the program first gives up what reading does not need: as far as this machine can
    /// (auto), in full or not at all (require), or never (off) [default: auto]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "MODE",
        env = "LAZARET_SANDBOX",
        hide_env_values = true
    )]
    pub(crate) sandbox: Option<crate::confine::Mode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan an image or a directory for known vulnerabilities, malicious packages and tampering
    Scan(Box<ScanArgs>),
    /// List the packages of an image or a directory
    Sbom(SbomArgs),
    /// Say what is new, gone and changed between two images, folders, bills or saved reports, and why
    Diff(Box<crate::diff::DiffArgs>),
    /// Write a saved report in other forms, as it was decided: nothing is matched again, and the exit
    /// code says only whether it could be read and written
    Convert(crate::converting::ConvertArgs),
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
    Explain(crate::explain::ExplainArgs),
    /// Check and try the policy file, lazaret.yaml
    #[command(subcommand)]
    Policy(Box<crate::policies::PolicyCommand>),
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
    #[arg(long, value_name = "PLATFORM", env = "LAZARET_PLATFORM", hide_env_values = true)]
    pub(crate) platform: Option<vocabulary::Platform>,
    /// Folder where the facts of layers are kept [default: in the user's cache folder]
    #[arg(long, value_name = "FOLDER", env = "LAZARET_CACHE_DIR", hide_env_values = true)]
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
    pub(crate) distro: Option<crate::distro::Distro>,
    /// End after this time, such as 30s or 5m, with exit code 5; 0 for no end
    /// [default: 10m for each subject that is named]
    #[arg(long, value_name = "DURATION", env = "LAZARET_TIMEOUT", hide_env_values = true)]
    pub(crate) timeout: Option<crate::deadline::Timeout>,
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

/// Which advisories are taken.
#[derive(Clone, Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// Take the database as it is, even if it is older than a day
    #[arg(long)]
    pub(crate) no_db_update: bool,
    /// Where advisories are fetched from: a URL or folder in the layout of the public OSV bucket, or
    /// oci://REGISTRY/REPOSITORY[:TAG], oci:FOLDER or oci:URL, as `lazaret db push` writes them
    #[arg(long, value_name = "URL|FOLDER", env = "LAZARET_DB_SOURCE", hide_env_values = true)]
    pub(crate) db_source: Option<String>,
    /// Public key that must have signed a database that is pulled from oci:…
    #[arg(long, value_name = "FILE", env = "LAZARET_DB_KEY", hide_env_values = true)]
    pub(crate) db_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) risk: RiskArgs,
}

impl DatabaseArgs {
    /// Whom a scan believes: nobody without a key, and nothing that is older than what is here.
    pub(crate) fn trust(&self) -> TrustArgs {
        TrustArgs { key: self.db_key.clone(), unsigned: false, allow_older: false }
    }
}

/// Whom a database is believed from that others built.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TrustArgs {
    /// Public key that the database must be signed by: PEM, OpenSSH or allowed_signers
    #[arg(long, value_name = "FILE", env = "LAZARET_DB_KEY", hide_env_values = true)]
    pub(crate) key: Option<PathBuf>,
    /// Take it although nobody signed it: whoever may write there decides what is found
    #[arg(long)]
    pub(crate) unsigned: bool,
    /// Take databases that are older than those that are here
    #[arg(long)]
    pub(crate) allow_older: bool,
}

/// Where it is said what is exploited.
#[derive(Clone, Debug, Args)]
pub(crate) struct RiskArgs {
    /// CISA's catalogue of known exploited vulnerabilities (JSON)
    /// [default: in the mirror of the advisories, else cisa.gov]
    #[arg(long, value_name = "URL|FILE", env = "LAZARET_KEV", hide_env_values = true)]
    pub(crate) kev: Option<String>,
    /// EPSS scores (CSV, also packed by gzip)
    /// [default: in the mirror of the advisories, else empiricalsecurity.com]
    #[arg(long, value_name = "URL|FILE", env = "LAZARET_EPSS", hide_env_values = true)]
    pub(crate) epss: Option<String>,
}

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
    /// SARIF of another tool, such as of code analysis: its findings stand under the same policy; may be
    /// given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) import: Vec<PathBuf>,
    /// Saved report (json): what it found already does not count, only what is new
    #[arg(long, value_name = "REPORT", env = "LAZARET_NEW_SINCE", hide_env_values = true)]
    pub(crate) new_since: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) freshness: crate::freshness::FreshnessArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SealArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// Private key: Ed25519 as PEM (PKCS #8) or an OpenSSH key; with an OpenSSH public key the SSH agent signs
    #[arg(long, value_name = "FILE", env = "LAZARET_KEY", hide_env_values = true)]
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
    #[arg(long, value_name = "PLATFORM", env = "LAZARET_PLATFORM", hide_env_values = true)]
    pub(crate) platform: Option<vocabulary::Platform>,
    /// Public key that the seal must be signed by; may be given several times
    /// [default: the keys that sealed on this machine]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Name under which it was sealed [default: the image's own name]
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Option<String>,
    /// End after this time, such as 30s or 5m, with exit code 5; 0 for no end
    /// [default: 10m for each subject that is named]
    #[arg(long, value_name = "DURATION", env = "LAZARET_TIMEOUT", hide_env_values = true)]
    pub(crate) timeout: Option<crate::deadline::Timeout>,
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
    /// Folder where the facts of layers are kept [default: in the user's cache folder]
    #[arg(long, value_name = "FOLDER", env = "LAZARET_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Keep and use no facts of layers
    #[arg(long)]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
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

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Fetch advisories and build the database
    Update {
        /// Where from: a URL or folder in the layout of the public OSV bucket; or what `lazaret db push`
        /// wrote, as oci://REGISTRY/REPOSITORY[:TAG], oci:FOLDER or oci:URL
        #[arg(long, value_name = "URL|FOLDER", env = "LAZARET_DB_SOURCE", hide_env_values = true)]
        from: Option<String>,
        #[command(flatten)]
        trust: TrustArgs,
        #[command(flatten)]
        risk: RiskArgs,
        /// End after this time, such as 30s or 5m, with exit code 5; 0 for no end [default: 1h]
        #[arg(long, value_name = "DURATION", env = "LAZARET_TIMEOUT", hide_env_values = true)]
        timeout: Option<crate::deadline::Timeout>,
        /// Ecosystems to fetch, such as Debian or PyPI, and KEV or EPSS [default: all that there is]
        #[arg(value_name = "ECOSYSTEM")]
        ecosystems: Vec<String>,
    },
    /// Show what the database holds, and how old it is
    Status {
        /// Format: table or json
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: StatusFormat,
    },
    /// Say how an ecosystem orders two versions: `<`, `=` or `>`
    ///
    /// With `-` in place of the versions it reads lines such as `1.0 < 1.1`, prints those that do not
    /// hold, and exits with 1 if there are any.
    Compare {
        /// Ecosystem, such as Debian or PyPI
        ecosystem: String,
        /// A version, or `-`
        #[arg(allow_hyphen_values = true)]
        left: String,
        /// Another version
        #[arg(allow_hyphen_values = true)]
        right: Option<String>,
    },
    /// Match packages against the database by their package URLs
    Match {
        /// Package URL, such as pkg:pypi/requests@2.19.1; `-` reads one from each line
        purl: String,
        /// Distribution, such as debian:12; else the package URL's `distro` qualifier says it
        #[arg(long, value_name = "ID:VERSION")]
        distro: Option<String>,
        /// Format: table or json
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: StatusFormat,
    },
    /// Put the database into a registry, or into a folder for a web server, for others to pull
    ///
    /// Of each ecosystem one layer; what is there already is not sent again. The same database gives
    /// the same digest, which is printed.
    Push {
        /// oci://REGISTRY/REPOSITORY[:TAG] [tag: latest], or a folder, which becomes an OCI layout
        #[arg(value_name = "OCI|FOLDER")]
        to: String,
        /// Private key to sign it with: Ed25519 as PEM (PKCS #8) or an OpenSSH key; with an OpenSSH
        /// public key the SSH agent signs
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Ecosystems to push, and KEV or EPSS [default: all that there is]
        #[arg(value_name = "ECOSYSTEM")]
        ecosystems: Vec<String>,
    },
    /// Take a database that `push` wrote: only what has changed, if it is signed and not older
    Pull {
        /// oci://REGISTRY/REPOSITORY[:TAG][@sha256:…], a folder, or the URL of one
        #[arg(value_name = "OCI|FOLDER|URL")]
        from: String,
        #[command(flatten)]
        trust: TrustArgs,
        /// Ecosystems to take, and KEV or EPSS [default: all that there is]
        #[arg(value_name = "ECOSYSTEM")]
        ecosystems: Vec<String>,
    },
    /// Write the database into one portable file
    Export {
        /// The file
        file: PathBuf,
    },
    /// Take over a database from a portable file
    Import {
        /// The file, or its URL
        #[arg(value_name = "FILE|URL")]
        from: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    Table,
    Json,
}
