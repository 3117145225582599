//! Parser of `status`, and of the control files in `status.d/`.
//!
//! Paragraphs of fields, divided by empty lines: deb-control(5).

use crate::needs;
use crate::owned::{Blob, Packer, digest_of_hex};
use crate::text::{lines, path, text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How many packages one file may name; three times all that Debian has.
const PACKAGES_LIMIT: usize = 200_000;

/// Longest name, version or architecture; dpkg has no limit, real ones stay under 100 bytes.
const FIELD_LIMIT: usize = 1024;

/// How many conffiles of one package are read; the largest real count is a few hundred.
const CONFFILES_LIMIT: usize = 10_000;

/// One `status` file, or one file of `status.d/`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Status<'text> {
    #[serde(borrow)]
    pub(crate) packages: Vec<Record<'text>>,
    /// What could not be read.
    pub(crate) problem: Option<String>,
}

/// A package that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record<'text> {
    #[serde(borrow)]
    pub(crate) name: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) version: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) architecture: Cow<'text, str>,
    /// Empty where it is the package's own.
    #[serde(borrow)]
    source: Cow<'text, str>,
    /// Empty where it is the package's own.
    #[serde(borrow)]
    source_version: Cow<'text, str>,
    #[serde(borrow)]
    pub(crate) conffiles: Blob<'text>,
    /// `Depends`.
    #[serde(borrow)]
    pub(crate) depends: Cow<'text, str>,
    /// `Pre-Depends`.
    #[serde(borrow)]
    pub(crate) depends_before: Cow<'text, str>,
    /// `Provides`.
    #[serde(borrow)]
    pub(crate) provides: Cow<'text, str>,
}

/// Hands over one record of a kept [`Status`] after the other, so that they are not all there at once;
/// gives what could not be read.
pub(crate) fn each<'text>(
    kept: &'text [u8],
    mut take: impl FnMut(Record<'text>),
) -> postcard::Result<Option<String>> {
    // Postcard writes a list as its length and its items.
    let (count, mut rest) = postcard::take_from_bytes::<usize>(kept)?;
    for _ in 0..count {
        let (record, behind) = postcard::take_from_bytes(rest)?;
        take(record);
        rest = behind;
    }
    postcard::from_bytes(rest)
}

impl Record<'_> {
    /// The source package's name.
    pub(crate) fn source_name(&self) -> &str {
        if self.source.is_empty() { &self.name } else { &self.source }
    }

    /// The source package's version.
    pub(crate) fn source_version(&self) -> &str {
        if self.source_version.is_empty() { &self.version } else { &self.source_version }
    }

    /// What tells this version of this package from all others.
    pub(crate) fn key(&self) -> (&str, &str, &str) {
        (&self.name, &self.version, &self.architecture)
    }
}

/// One file of `updates/`: what dpkg changed since it wrote `status`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Update<'text> {
    #[serde(borrow)]
    pub(crate) status: Status<'text>,
    /// Name and architecture of what is no longer there; the architecture may be empty.
    #[serde(borrow)]
    pub(crate) gone: Vec<(Cow<'text, str>, Cow<'text, str>)>,
}

/// A paragraph while it is read.
#[derive(Default)]
struct Paragraph<'text> {
    name: &'text [u8],
    version: &'text [u8],
    architecture: &'text [u8],
    source: &'text [u8],
    status: Option<&'text [u8]>,
    depends: &'text [u8],
    depends_before: &'text [u8],
    provides: &'text [u8],
    conffiles: Vec<&'text [u8]>,
    in_conffiles: bool,
}

/// Reads every package that is there.
pub(crate) fn read(bytes: &[u8]) -> Status<'_> {
    read_update(bytes).status
}

/// Reads every package that is there, and every one that is said not to be.
pub(crate) fn read_update(bytes: &[u8]) -> Update<'_> {
    let mut update = Update::default();
    let status = &mut update.status;
    let mut damaged = 0_usize;
    let mut paragraph = Paragraph::default();
    for line in lines(bytes).chain([b"".as_slice()]) {
        if !line.trim_ascii().is_empty() {
            paragraph.line(line);
            continue;
        }
        let paragraph = std::mem::take(&mut paragraph);
        if !paragraph.is_there() && paragraph.is_short() && !paragraph.name.is_empty() {
            if update.gone.len() < PACKAGES_LIMIT {
                update.gone.push((text(paragraph.name), text(paragraph.architecture)));
            }
            continue;
        }
        match paragraph.record() {
            Ok(Some(_)) if status.packages.len() >= PACKAGES_LIMIT => {
                status.problem = Some(format!(
                    "names more than {PACKAGES_LIMIT} packages; the rest is left out"
                ));
                return update;
            }
            Ok(record) => status.packages.extend(record),
            Err(()) => damaged += 1,
        }
    }
    if damaged > 0 {
        status.problem = Some(format!("{damaged} paragraphs have no valid name or version"));
    }
    update
}

impl<'text> Paragraph<'text> {
    fn line(&mut self, line: &'text [u8]) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if self.in_conffiles && self.conffiles.len() < CONFFILES_LIMIT {
                self.conffiles.push(line.trim_ascii());
            }
            return;
        }
        self.in_conffiles = false;
        let Some(at) = memchr::memchr(b':', line) else { return };
        let (key, value) = line.split_at(at);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        match key {
            b"Package" => self.name = value,
            b"Version" => self.version = value,
            b"Architecture" => self.architecture = value,
            b"Source" => self.source = value,
            b"Status" => self.status = Some(value),
            b"Depends" => self.depends = value,
            b"Pre-Depends" => self.depends_before = value,
            b"Provides" => self.provides = value,
            b"Conffiles" => self.in_conffiles = true,
            _ => {}
        }
    }

    /// The package, if it is there; an error where the paragraph is damaged.
    fn record(self) -> Result<Option<Record<'text>>, ()> {
        if !self.is_there() || (self.name.is_empty() && self.status.is_none()) {
            return Ok(None);
        }
        if !self.is_short() || self.name.is_empty() || self.version.is_empty() {
            return Err(());
        }
        let (source, source_version) = split_source(self.source);
        Ok(Some(Record {
            name: text(self.name),
            version: text(self.version),
            architecture: text(self.architecture),
            source: text(source),
            source_version: text(source_version),
            conffiles: pack_conffiles(&self.conffiles),
            depends: needs::list(self.depends),
            depends_before: needs::list(self.depends_before),
            provides: needs::list(self.provides),
        }))
    }

    fn is_short(&self) -> bool {
        [self.name, self.version, self.architecture, self.source]
            .iter()
            .all(|field| field.len() <= FIELD_LIMIT)
    }

    /// Whether the files of the package are there. The third word of `Status` is the state; in
    /// `config-files` only its configuration is left. Files of `status.d/` have no `Status`.
    fn is_there(&self) -> bool {
        let state = self.status.and_then(|status| {
            status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(2)
        });
        !matches!(state, Some(b"not-installed" | b"config-files"))
    }
}

/// `glibc (2.36-9)` in its two parts.
fn split_source(source: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = memchr::memchr(b'(', source) else { return (source, b"") };
    let (name, version) = source.split_at(at);
    let version = version.get(1..).unwrap_or_default();
    (name.trim_ascii(), version.strip_suffix(b")").unwrap_or(version).trim_ascii())
}

/// Lines of path and MD5, perhaps followed by `obsolete` or `remove-on-upgrade`.
fn pack_conffiles(lines: &[&[u8]]) -> Blob<'static> {
    let mut packer = Packer::default();
    for line in lines {
        let mut words = line.split(|byte| *byte == b' ');
        if let (Some(file), Some(digest)) = (words.next(), words.next().and_then(digest_of_hex)) {
            packer.push(&path(file), Some(&digest));
        }
    }
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn source_field_is_split_into_name_and_version() {
        assert_eq!(split_source(b"glibc (2.36-9)"), (b"glibc".as_slice(), b"2.36-9".as_slice()));
        assert_eq!(split_source(b"glibc"), (b"glibc".as_slice(), b"".as_slice()));
        assert_eq!(split_source(b"a (1"), (b"a".as_slice(), b"1".as_slice()));
        assert_eq!(split_source(b"("), (b"".as_slice(), b"".as_slice()));
    }

    #[test]
    fn only_packages_whose_files_are_there_count() {
        for (state, there) in [
            ("install ok installed", true),
            ("deinstall ok installed", true),
            ("hold ok half-configured", true),
            ("install ok triggers-pending", true),
            ("deinstall ok config-files", false),
            ("purge ok not-installed", false),
        ] {
            let input = format!("Package: a\nStatus: {state}\nVersion: 1\n");
            assert_eq!(read(input.as_bytes()).packages.len(), usize::from(there), "{state}");
        }
    }

    #[test]
    fn a_damaged_paragraph_is_counted_and_the_others_are_read() {
        let status = read(b"Package: a\nStatus: install ok installed\n\nPackage: b\nVersion: 1\n");
        assert_eq!(status.packages.len(), 1);
        assert_eq!(status.packages[0].name, "b");
        assert!(status.problem.unwrap().starts_with("1 paragraphs"));
        let long = format!("Package: {}\nVersion: 1\n", "x".repeat(FIELD_LIMIT + 1));
        assert!(read(long.as_bytes()).problem.is_some());
    }

    #[test]
    fn text_that_is_no_control_file_names_nothing() {
        let status = read(b"#!/bin/sh\nset -e\n\nexit 0\n");
        assert!(status.packages.is_empty() && status.problem.is_none());
    }

    #[test]
    fn more_packages_than_the_limit_are_left_out_with_a_problem() {
        let input = "Package: a\nVersion: 1\n\n".repeat(PACKAGES_LIMIT + 1);
        let status = read(input.as_bytes());
        assert_eq!(status.packages.len(), PACKAGES_LIMIT);
        assert!(status.problem.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            read(&bytes);
        }

        #[test]
        fn any_fields_are_read_without_panic(
            lines in prop::collection::vec(prop::sample::select(&[
                "Package: a\n", "Package:", "Version: 1\n", "Version:\n", "Source: b (2)\n",
                "Source: (\n", "Status: install ok installed\n", "Status: a\n", "Conffiles:\n",
                " /etc/a d41d8cd98f00b204e9800998ecf8427e\n", " /etc/b\n", "\n", " ", ":",
            ]), 0..40),
        ) {
            let status = read(lines.concat().as_bytes()).packages.len();
            prop_assert!(status <= lines.len() + 1);
        }
    }
}
