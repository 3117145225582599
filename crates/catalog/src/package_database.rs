//! Package databases that name every package in one file, as apk's and rpm's do.
//!
//! Such a file becomes one fact, a [`Database`]; [`resolve`] makes packages of the staying ones and
//! finds the layer that brought each by the older states of the same path. What sets apk and rpm
//! apart here is only the order of their files and how a purl is written.

use crate::history::brought_by;
use crate::needs::{self, Form, Told};
use crate::os_release::{distro_qualifier, ecosystem, namespace};
use crate::owned::{Blob, Budget};
use crate::text::text;
use image::{Cataloged, Fact, FactAt, ReadError, Resolution, View};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use vocabulary::{Location, OriginKind, Package, Presence, Problem, Purl, SourcePackage};

/// How many packages one database may name; the largest distributions have under 100,000.
pub(crate) const PACKAGES_LIMIT: usize = 200_000;

/// Longest name, version, architecture or other short field that is kept.
const FIELD_LIMIT: usize = 1024;

/// Longest licence expression that is kept; a few span several lines.
const LICENCE_LIMIT: usize = 4096;

/// One database file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Database<'text> {
    #[serde(borrow)]
    pub(crate) packages: Vec<Record<'text>>,
    /// What could not be read.
    pub(crate) problems: Vec<String>,
}

/// One package of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record<'text> {
    #[serde(borrow)]
    pub(crate) name: Cow<'text, str>,
    /// With epoch and release.
    #[serde(borrow)]
    pub(crate) version: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) architecture: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) licence: Cow<'text, str>,
    /// Empty where the database names none.
    #[serde(borrow)]
    pub(crate) source: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) source_version: Cow<'text, str>,
    /// The purl's `upstream` qualifier; may be empty.
    #[serde(borrow)]
    pub(crate) upstream: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) module: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) files: Blob<'text>,
    /// What it asks for, in the words of the database; empty where that does not tell.
    #[serde(borrow)]
    pub(crate) depends: Cow<'text, str>,
    /// What else it is called.
    #[serde(borrow)]
    pub(crate) provides: Cow<'text, str>,
}

impl Record<'_> {
    fn key(&self) -> (&str, &str, &str) {
        (&self.name, &self.version, &self.architecture)
    }
}

/// A short field; none where it is longer than any real one.
pub(crate) fn field(bytes: &[u8]) -> Option<Cow<'_, str>> {
    (bytes.len() <= FIELD_LIMIT).then(|| text(bytes))
}

/// A licence expression; empty where it is longer than any real one.
pub(crate) fn licence(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.len() <= LICENCE_LIMIT { text(bytes) } else { Cow::Borrowed("") }
}

impl Database<'_> {
    /// The database as a fact; none where it names nothing.
    pub(crate) fn fact(&self) -> Result<Option<Fact>, ReadError> {
        if self.packages.is_empty() && self.problems.is_empty() {
            return Ok(None);
        }
        postcard::to_stdvec(self)
            .map(Some)
            .map_err(|_| ReadError::new("what was read could not be kept; report this as a bug"))
    }
}

/// How one kind of database differs from the others.
pub(crate) struct Kind {
    /// Purl type.
    pub(crate) purl: fn(&Record<'_>) -> Purl,
    /// Whether packages of this database count beside those of the databases in `read` before it.
    pub(crate) counts: fn(path: &str, read: &[&str]) -> Result<(), String>,
    /// How it writes what packages need; none where that is not read.
    pub(crate) needs: Option<Form>,
}

/// Makes packages of the databases at `paths`; of one package in two of them the first counts.
pub(crate) fn resolve(view: &View<'_>, paths: &[&str], kind: &Kind) -> Resolution {
    let mut resolver = Resolver {
        view,
        distro: distro_qualifier(view.distribution()),
        budget: Budget::default(),
        out: Resolution::default(),
    };
    let mut staying: HashMap<&str, FactAt<'_>> = HashMap::new();
    for at in view.staying().filter(|at| paths.contains(&at.path)) {
        staying.insert(at.path, at);
    }
    let mut read = Vec::new();
    let mut seen = HashSet::new();
    for at in paths.iter().filter_map(|path| staying.get(path)) {
        if let Err(reason) = (kind.counts)(at.path, &read) {
            resolver.problem(at, reason);
            continue;
        }
        let before = resolver.out.packages.len();
        resolver.database(at, kind, &mut seen);
        if resolver.out.packages.len() > before {
            read.push(at.path);
        }
    }
    resolver.out
}

struct Resolver<'view> {
    view: &'view View<'view>,
    distro: String,
    budget: Budget,
    out: Resolution,
}

impl<'view> Resolver<'view> {
    fn database(
        &mut self,
        at: &FactAt<'view>,
        kind: &Kind,
        seen: &mut HashSet<(String, String, String)>,
    ) {
        let states: Vec<(Option<u32>, Database<'_>)> = self
            .view
            .history(at.path)
            .filter_map(|at| Some((at.layer, postcard::from_bytes(at.fact).ok()?)))
            .collect();
        let keys: Vec<(Option<u32>, Vec<_>)> = states
            .iter()
            .map(|(layer, state)| (*layer, state.packages.iter().map(Record::key).collect()))
            .collect();
        let Ok(database) = postcard::from_bytes::<Database<'_>>(at.fact) else {
            self.problem(at, "what was kept of it is damaged; scan again with --reverify".into());
            return;
        };
        for reason in &database.problems {
            self.problem(at, reason.clone());
        }
        let layers = brought_by(&keys);
        let mut told = Vec::new();
        for record in &database.packages {
            let (name, version, architecture) = record.key();
            if seen.insert((name.into(), version.into(), architecture.into())) {
                let layer = layers.get(&record.key()).copied().unwrap_or(at.layer);
                self.package(record, at, layer, kind);
                if kind.needs.is_some() {
                    told.push(Told {
                        name: record.name.clone(),
                        architecture: record.architecture.clone(),
                        depends: record.depends.clone(),
                        provides: record.provides.clone(),
                    });
                }
            }
        }
        if let Some(form) = kind.needs {
            needs::connect(&mut self.out.packages, &told, form);
        }
        if let Some(reason) = self.budget.problem() {
            self.problem(at, reason);
        }
    }

    fn package(&mut self, record: &Record<'_>, at: &FactAt<'_>, layer: Option<u32>, kind: &Kind) {
        let stated = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let source = stated(&record.source)
            .map(|name| SourcePackage { name, version: record.source_version.to_string() });
        let package = Package {
            purl: (kind.purl)(record)
                .with_namespace(namespace(self.view.distribution()))
                .with_qualifier("arch", &record.architecture)
                .with_qualifier("distro", &self.distro)
                .with_qualifier("upstream", &record.upstream),
            ecosystem: ecosystem(self.view.distribution()),
            name: record.name.to_string(),
            version: record.version.to_string(),
            source,
            architecture: stated(&record.architecture),
            licences: stated(&record.licence).into_iter().collect(),
            presence: Presence::Installed,
            location: Location::file(at.path, at.layer),
            layer,
            origin: OriginKind::default(),
            owned_by: None,
            module: stated(&record.module),
            identified: None,
            relation: None,
            scope: None,
            requires: Vec::new(),
            files: Vec::new(),
        };
        let owned = record.files.unpack(&mut self.budget);
        self.out.packages.push(Cataloged { owned, ..Cataloged::new(package) });
    }

    fn problem(&mut self, at: &FactAt<'_>, reason: String) {
        self.out.problems.push(Problem { path: at.path.to_owned(), layer: at.layer, reason });
    }
}
