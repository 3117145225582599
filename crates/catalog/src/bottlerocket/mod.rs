//! Reads the inventory of Bottlerocket, whose images hold no package database.
//!
//! Bottlerocket is built of RPMs and keeps but a list of them, `application-inventory.json`, which the
//! host's own tools hand on to inventory services; out come its packages. A list or a field that is
//! `null` is empty. The list names no sources and no files.
//!
//! Sources: Bottlerocket, "Application inventory" and its variants' build (`rpm2img`); AWS Systems
//! Manager, inventory type `AWS:Application`, for the fields.

use crate::package_database::{self, Database, Kind, PACKAGES_LIMIT, Record, field};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use serde::Deserialize;
use std::borrow::Cow;
use vocabulary::Purl;

const PATHS: &[&str] = &[
    "usr/share/bottlerocket/application-inventory.json",
    "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
    "aarch64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
];

/// Largest inventory; real ones name about 150 packages in 60 kB.
const SIZE_LIMIT: u64 = 16 << 20;

/// Reads the inventory of Bottlerocket.
#[derive(Debug)]
pub struct Bottlerocket;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inventory {
    content: Option<Vec<Application>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Application {
    name: Option<String>,
    version: Option<String>,
    release: Option<String>,
    epoch: Option<String>,
    architecture: Option<String>,
}

impl Reader for Bottlerocket {
    fn id(&self) -> &'static str {
        "bottlerocket"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        const INTERESTS: &[Interest] = &[
            Interest::Path("usr/share/bottlerocket/application-inventory.json"),
            Interest::Path(
                "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
            ),
            Interest::Path(
                "aarch64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
            ),
        ];
        INTERESTS
    }

    fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
        Want::Whole { at_most: SIZE_LIMIT }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        read(bytes)?.fact()
    }
}

impl Resolver for Bottlerocket {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        package_database::resolve(view, PATHS, &Kind { purl, counts: |_, _| Ok(()), needs: None })
    }
}

fn read(bytes: &[u8]) -> Result<Database<'static>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let inventory: Inventory = serde_json::from_slice(bytes)
        .map_err(|error| ReadError::new(format!("is no inventory of Bottlerocket: {error}")))?;
    let applications = inventory.content.unwrap_or_default();
    let mut database = Database::default();
    if applications.is_empty() {
        database.problems.push("names no package".to_owned());
    }
    if applications.len() > PACKAGES_LIMIT {
        let reason = format!("names more than {PACKAGES_LIMIT} packages; the rest is left out");
        database.problems.push(reason);
    }
    let mut damaged = 0_usize;
    for application in applications.into_iter().take(PACKAGES_LIMIT) {
        match record(&application) {
            Some(record) => database.packages.push(record),
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        database.problems.push(format!("{damaged} packages have no valid name or version"));
    }
    Ok(database)
}

fn record(application: &Application) -> Option<Record<'static>> {
    let short = |text: &Option<String>| -> Option<String> {
        let text = text.as_deref().unwrap_or_default().trim();
        field(text.as_bytes()).map(Cow::into_owned)
    };
    let (name, version) = (short(&application.name)?, short(&application.version)?);
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let epoch = match short(&application.epoch)?.as_str() {
        "" | "0" => String::new(),
        epoch => format!("{epoch}:"),
    };
    let release = match short(&application.release)?.as_str() {
        "" => String::new(),
        release => format!("-{release}"),
    };
    Some(Record {
        name: Cow::Owned(name),
        version: Cow::Owned(format!("{epoch}{version}{release}")),
        architecture: Cow::Owned(short(&application.architecture)?),
        ..Record::default()
    })
}

fn purl(record: &Record<'_>) -> Purl {
    let (epoch, version) = record.version.split_once(':').unwrap_or(("", &record.version));
    Purl::new("rpm", &record.name).with_version(version).with_qualifier("epoch", epoch)
}

#[cfg(test)]
mod tests;
