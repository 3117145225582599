//! Which advisories are taken, and the commands of the database.

use super::shown::StatusFormat;
use super::timeout::Timeout;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Which advisories are taken.
#[derive(Clone, Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// Take the database as it is, even if it is older than a day
    #[arg(long)]
    pub(crate) no_db_update: bool,
    /// Where advisories are fetched from: a URL or folder in the layout of the public OSV bucket, or
    /// oci://REGISTRY/REPOSITORY[:TAG], oci:FOLDER or oci:URL, as `lazaret db push` writes them
    #[arg(long, value_name = "URL|FOLDER")]
    pub(crate) db_source: Option<String>,
    /// Public key that must have signed a database that is pulled from oci:…
    #[arg(long, value_name = "FILE")]
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
    #[arg(long, value_name = "FILE")]
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
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) kev: Option<String>,
    /// EPSS scores (CSV, also packed by gzip)
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) epss: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Fetch advisories and build the database
    Update {
        /// Where from: a URL or folder in the layout of the public OSV bucket; or what `lazaret db push`
        /// wrote, as oci://REGISTRY/REPOSITORY[:TAG], oci:FOLDER or oci:URL
        #[arg(long, value_name = "URL|FOLDER")]
        from: Option<String>,
        #[command(flatten)]
        trust: TrustArgs,
        #[command(flatten)]
        risk: RiskArgs,
        /// End after this time, such as 30s or 5m, with exit code 5; 0 for no end
        #[arg(long, value_name = "DURATION")]
        timeout: Option<Timeout>,
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
