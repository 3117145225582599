//! `packages.lock.json` of NuGet. Source: NuGet documentation, "Package references: locking
//! dependencies"; NuGet.Client, `PackagesLockFileFormat.cs`.
//!
//! A project has its packages once for each framework that it is built for; what is of type `Project`
//! is its own. Of the same package in the same version the first is listed.

use super::edges::{Edges, For, Keyed};
use super::listing::{Entry as Listed, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error, json_lines};
use crate::dotnet::deps::is_name;
use crate::lenient::Pairs;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use vocabulary::{Ecosystem, Relation};

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "nuget-lock",
    ecosystem: Ecosystem::NUGET,
    interests: &[Interest::Name("packages.lock.json")],
    accepts: |path| is_named(path, &["packages.lock.json"]),
    at_most: 32 << 20,
    reader: Reader::Alone(parse),
};

type Frameworks<'text> = BTreeMap<Cow<'text, str>, BTreeMap<Cow<'text, str>, Entry<'text>>>;

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    dependencies: Option<Frameworks<'text>>,
}

#[derive(Deserialize)]
struct Entry<'text> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'text, str>>,
    #[serde(borrow)]
    resolved: Option<Cow<'text, str>>,
    #[serde(default, borrow)]
    dependencies: Pairs<'text>,
}

impl Entry<'_> {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(kind))
    }

    fn relation(&self) -> Option<Relation> {
        match self {
            direct if direct.is("Direct") => Some(Relation::Direct),
            other if other.is("Transitive") || other.is("CentralTransitive") => {
                Some(Relation::Indirect)
            }
            _ => None,
        }
    }
}

fn parse(text: &str) -> Result<Listing, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lines = json_lines(text);
    let seen = file.dependencies.is_some();
    let listed = |name: &str, entry: &Entry<'_>| {
        let line = lines.get(name).copied().unwrap_or(0);
        if entry.is("Project") {
            return Listed::Own;
        }
        let version = entry.resolved.as_deref().filter(|_| is_name(name));
        let mut declared = version.and_then(|version| Declared::new(name, version, line));
        if let Some(declared) = &mut declared {
            declared.relation = entry.relation();
        }
        Listed::package(declared, line)
    };
    let mut found = Listing::of_list_if(seen, []);
    let mut edges = Keyed::new(Edges::default());
    for (framework, packages) in file.dependencies.iter().flatten() {
        for (name, entry) in packages {
            let number = edges.edges.push(&mut found, listed(name, entry));
            edges.name((framework, name.to_ascii_lowercase()), number);
            // Projects that are referred to have lock files of their own.
            for (needed, range) in entry.dependencies.iter().filter(|_| !entry.is("Project")) {
                let key = (framework, needed.to_ascii_lowercase());
                edges.asks(number, key, For::Running, range.map(Cow::Borrowed));
            }
        }
    }
    edges.settle(&mut found);
    Ok(found)
}
