//! The crate list that `cargo auditable` writes: JSON of names, versions, sources and kinds.
//!
//! Fields that are not known here are skipped, as the schema asks for; so are crates of a kind that
//! is not known, since newer kinds would say that they are not part of the running program.

use crate::language::plain_text;
use image::ReadError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How many crates one program may list; the largest real ones have some 1,500.
const CRATE_LIMIT: usize = 20_000;

/// Where a crate came from. Only those of crates.io are what its advisories speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    CratesIo,
    /// A git repository, a folder, or another registry.
    Elsewhere,
}

/// What is kept of a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crate<'text> {
    pub(super) name: &'text str,
    pub(super) version: &'text str,
    source: Source,
}

impl Crate<'_> {
    /// The ecosystem whose advisories it is held against; `cargo`, which has none, for a crate from
    /// elsewhere that may only share the name.
    pub(super) const fn ecosystem(&self) -> &'static str {
        match self.source {
            Source::CratesIo => "crates.io",
            Source::Elsewhere => "cargo",
        }
    }
}

/// The list as written.
#[derive(Debug, Deserialize)]
pub(super) struct List<'text> {
    #[serde(borrow)]
    packages: Vec<Listed<'text>>,
}

#[derive(Debug, Deserialize)]
struct Listed<'text> {
    #[serde(borrow)]
    name: Cow<'text, str>,
    #[serde(borrow)]
    version: Cow<'text, str>,
    #[serde(borrow)]
    source: Cow<'text, str>,
    #[serde(borrow, default)]
    kind: Option<Cow<'text, str>>,
}

/// Reads the list.
pub(super) fn parse(json: &[u8]) -> Result<List<'_>, ReadError> {
    let list: List<'_> = serde_json::from_slice(json)
        .map_err(|_| ReadError::new("its list of crates is damaged; build the program again"))?;
    if list.packages.len() > CRATE_LIMIT {
        return Err(ReadError::new(format!("it lists more than {CRATE_LIMIT} crates")));
    }
    Ok(list)
}

impl List<'_> {
    /// The crates that are part of the running program, and how many more cannot be shown.
    pub(super) fn running(&self) -> (Vec<Crate<'_>>, u32) {
        let runs = |one: &&Listed<'_>| one.kind.as_deref().is_none_or(|kind| kind == "runtime");
        let running = self.packages.iter().filter(runs);
        let (mut crates, mut unreadable) = (Vec::new(), 0);
        for one in running {
            match one.kept() {
                Some(one) => crates.push(one),
                None => unreadable += 1,
            }
        }
        (crates, unreadable)
    }
}

impl Listed<'_> {
    fn kept(&self) -> Option<Crate<'_>> {
        let source = if self.source == "crates.io" { Source::CratesIo } else { Source::Elsewhere };
        Some(Crate { name: plain_text(&self.name)?, version: plain_text(&self.version)?, source })
    }
}
