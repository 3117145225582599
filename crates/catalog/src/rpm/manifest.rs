//! Parser of `container-manifest-2`, which distroless images of CBL-Mariner and Azure Linux have in
//! place of a database.
//!
//! One package a line, as `rpm --queryformat` wrote it, ten fields divided by tabs: name,
//! version-release, install time, build time, vendor, epoch, size, architecture, epoch number and
//! source file. It names no files. Source: CBL-Mariner, `toolkit/docs/how_it_works/5_misc.md`.

use super::header::{full_version, set_source};
use crate::package_database::{Database, PACKAGES_LIMIT, Record, field};
use crate::text::lines;
use std::borrow::Cow;

/// Reads every package.
pub(super) fn read(bytes: &[u8]) -> Database<'_> {
    let mut database = Database::default();
    let mut damaged = 0_usize;
    for line in lines(bytes).filter(|line| !line.trim_ascii().is_empty()) {
        if database.packages.len() >= PACKAGES_LIMIT {
            let reason = format!("names more than {PACKAGES_LIMIT} packages; the rest is left out");
            database.problems.push(reason);
            break;
        }
        match record(line) {
            Some(record) if record.name == "gpg-pubkey" => {}
            Some(record) => database.packages.push(record),
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        database.problems.push(format!("{damaged} lines do not have the ten fields of a package"));
    }
    database
}

fn record(line: &[u8]) -> Option<Record<'_>> {
    let mut fields = line.split(|byte| *byte == b'\t').map(|field| match field {
        b"(none)" => b"".as_slice(),
        stated => stated,
    });
    let name = field(fields.next()?)?;
    let version = field(fields.next()?)?;
    let architecture = field(fields.nth(5)?)?;
    let epoch = field(fields.next()?)?.parse().unwrap_or(0);
    let source = field(fields.next()?)?.into_owned();
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let version = match epoch {
        0 => version,
        _ => Cow::Owned(full_version(epoch, &version, "")),
    };
    let mut record = Record { name, version, architecture, ..Record::default() };
    set_source(&mut record, epoch, source);
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_tells_a_package() {
        let database = read(
            b"openssl\t1.1.1k-21.cm2\t1660000000\t1650000000\tMicrosoft Corporation\t(none)\t9\tx86_64\t0\topenssl-1.1.1k-21.cm2.src.rpm\n\
              shadow-utils\t4.9-12.cm2\t1\t1\tV\t2\t9\taarch64\t2\t(none)\nbroken\t1\n",
        );
        assert_eq!(database.packages.len(), 2);
        assert_eq!(database.packages[0].version, "1.1.1k-21.cm2");
        assert_eq!(database.packages[0].source, "openssl");
        assert_eq!(database.packages[1].version, "2:4.9-12.cm2");
        assert_eq!(
            (&*database.packages[1].architecture, &*database.packages[1].source),
            ("aarch64", "")
        );
        assert_eq!(database.problems.len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes);
        }

        #[test]
        fn any_fields_are_read_without_panic(line in "([a-z0-9:-]{0,6}\t){0,12}") {
            prop_assert!(read(line.as_bytes()).packages.len() <= 1);
        }
    }
}
