//! How a report is rendered: what is shown, who is named in it, and which run it is of.

/// How to render. The default is plain, of any width, short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether the table may use ANSI colours.
    pub colour: bool,
    /// Columns of the terminal; none for text that is not cut.
    pub width: Option<usize>,
    /// 0 for the short table, 1 for every vulnerability and check, 2 for places and problems too.
    pub verbose: u8,
    /// The time to name, RFC 3339, in place of that of the run, so that the same input gives the same
    /// bytes.
    pub timestamp: Option<String>,
    /// The time of the run, RFC 3339, for bills of materials and forms that must name one, where
    /// `timestamp` is none.
    pub moment: Option<String>,
    /// Who answers for a bill of materials beside the program, such as `ACME` or `Person: Jane Doe`.
    pub author: Option<String>,
    /// Who supplies what a bill of materials is about, in the same form; where nobody is named, who
    /// answers for the bill does.
    pub supplier: Option<String>,
    /// The run of a CI service that this is, for the form that must name one.
    pub build: Option<Build>,
}

/// A run of a CI service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Digest of the commit, hexadecimal.
    pub commit: String,
    /// Branch or tag, such as `refs/heads/main`.
    pub reference: String,
    /// Its number.
    pub run: String,
    /// What later runs of the same job share, so that each takes the place of the one before.
    pub correlator: String,
}

/// The program's own page, which the workspace's `Cargo.toml` names. It is never that of a project that
/// is scanned: whoever reads a form looks there for what the program is.
pub(crate) const HOME_PAGE: &str = env!("CARGO_PKG_HOMEPAGE");

impl Style {
    /// The time that a form names which must name one.
    pub(crate) fn time(&self) -> Option<&str> {
        self.timestamp.as_deref().or(self.moment.as_deref())
    }

    /// Who supplies what a bill is about: its kind, and its name.
    pub(crate) fn supplier(&self) -> Option<(&'static str, &str)> {
        self.supplier.as_deref().or(self.author.as_deref()).map(author_name)
    }
}

/// The kind of an author, as SPDX names it, and the name. One that does not say is an organization.
pub(crate) fn author_name(author: &str) -> (&'static str, &str) {
    ["Person", "Organization"]
        .into_iter()
        .find_map(|kind| Some((kind, author.strip_prefix(kind)?.strip_prefix(':')?.trim())))
        .unwrap_or(("Organization", author.trim()))
}
