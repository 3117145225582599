//! Reads the package database of Alpine and its derivatives.
//!
//! In goes `installed`, where apk keeps every package with its files; out come the packages with
//! their source (`origin`), licence and files. Alpine moved the database from `lib/` to `usr/lib/`;
//! both places are read.
//!
//! Sources: apk-tools, `doc/apk.5` and `apkdb_fdb_write` in `src/database.c`; purl-spec, type `apk`.

mod installed;

use crate::needs::Form;
use crate::package_database::{self, Kind, Record};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use vocabulary::Purl;

/// Largest database; one package with its files takes about ten kilobytes.
const SIZE_LIMIT: u64 = 256 << 20;

/// How files in apk's own binary form begin. Source: apk-tools, `src/adb.h`.
const ADB: &[u8] = b"ADB";

const PATHS: &[&str] = &["usr/lib/apk/db/installed", "lib/apk/db/installed"];

/// Reads the database of apk.
#[derive(Debug)]
pub struct Apk;

impl Reader for Apk {
    fn id(&self) -> &'static str {
        "apk"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path("usr/lib/apk/db/installed"), Interest::Path("lib/apk/db/installed")]
    }

    fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
        Want::Whole { at_most: SIZE_LIMIT }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        if bytes.starts_with(ADB) {
            return Err(ReadError::new(
                "is in the binary form of apk 3 (ADB), which is not read: its packages are not known",
            ));
        }
        installed::read(bytes).fact()
    }
}

impl Resolver for Apk {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        package_database::resolve(
            view,
            PATHS,
            &Kind { purl, counts: |_, _| Ok(()), needs: Some(Form::Apk) },
        )
    }
}

fn purl(record: &Record<'_>) -> Purl {
    Purl::new("apk", &record.name.to_lowercase()).with_version(&record.version)
}

#[cfg(test)]
mod tests;
