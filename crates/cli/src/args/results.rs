//! What counts, and where results go: the options that commands with a verdict share.

use crate::forms;
use clap::Args;
use std::path::PathBuf;

/// Where results go.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutputArgs {
    #[arg(long, value_name = "FORMAT", value_parser = forms::format, help = format_help())]
    pub(crate) format: Option<report::Format>,
    #[arg(short, long = "output", value_name = "[FORMAT=]FILE", help = output_help())]
    pub(crate) output: Vec<Output>,
    /// Who answers for a bill of materials beside the program, such as ACME or `Person: Jane Doe`
    #[arg(long, value_name = "NAME", value_parser = forms::author)]
    pub(crate) author: Option<String>,
    /// Who supplies what a bill of materials is about, in the same form
    #[arg(long, value_name = "NAME", value_parser = forms::author)]
    pub(crate) supplier: Option<String>,
}

fn format_help() -> String {
    format!(
        "Format of standard output, and of files whose ending names none: {}, a template that is given the JSON form. LAZARET_FORMAT stands for it on standard output",
        report::format_names()
    )
}

fn output_help() -> String {
    format!(
        "Write a result to a file, as FORMAT=FILE, or as FILE whose name says the format: {}; .txt is a table unless --format names another. May be given several times. Nothing is printed then, unless the file is `-`, or --format names a format that no FILE gets. `{{name}}` in FILE stands for the subject",
        report::file_names().replace('`', "")
    )
}

/// One `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) format: Option<report::Format>,
    pub(crate) file: PathBuf,
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The name of a template may hold the sign, too.
        let parts = match forms::template_of(text) {
            Some(_) => text.rsplit_once('='),
            None => text.split_once('='),
        };
        let (format, file) = match parts {
            Some((format, file)) => (Some(forms::format(format)?), file),
            None if forms::template_of(text).is_some() => (None, ""),
            None => (None, text),
        };
        if file.is_empty() {
            return Err(format!(
                "`{text}` names no file; use FORMAT=FILE, such as sarif=report.sarif"
            ));
        }
        Ok(Self { format, file: PathBuf::from(file) })
    }
}

/// What is over the line.
#[derive(Clone, Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Policy file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Leave out policy and ignore files that are found, not named: what is scanned may have brought
    /// them along
    #[arg(
        long,
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub(crate) no_project_policy: bool,
    /// OpenVEX or CSAF document: what it says is not affected, or fixed, is silenced; may be given
    /// several times. `attached` takes the OpenVEX documents that are attached to the image in its
    /// registry or OCI layout, for `scan` of named images: whoever may push there may silence findings
    #[arg(long, value_name = "FILE|attached")]
    pub(crate) vex: Vec<PathBuf>,
    /// Only vulnerabilities that can be mended count
    #[arg(long)]
    pub(crate) only_fixed: bool,
    /// Vulnerabilities do not count where a Go program's own table shows that none of the functions
    /// that the advisory names is in it
    #[arg(long)]
    pub(crate) only_linked: bool,
    /// Exit with 1 where a finding is at least this severe: negligible, low, medium, high, critical; unknown takes every finding
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<vocabulary::Severity>,
    /// Exit with 1 where a finding's severity is unknown
    #[arg(long)]
    pub(crate) fail_on_unknown: bool,
    /// Exit with 1 where a vulnerability is known to be exploited (CISA KEV), however severe
    #[arg(long)]
    pub(crate) fail_on_exploited: bool,
    /// Do not call a scan incomplete for files that could not be read, or for packages that nobody
    /// publishes advisories for
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// File that says which findings to ignore, why, and until when
    #[arg(long, value_name = "FILE")]
    pub(crate) ignore_file: Option<PathBuf>,
}
