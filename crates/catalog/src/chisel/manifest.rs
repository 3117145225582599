//! Parser of `manifest.wall`: zstd over lines of JSON, the first of which tells how many there are.
//!
//! Of the kinds of lines `package` and `path` are read; `slice` and `content` say nothing more, and
//! kinds of later schemas are passed over. A slice is named `PACKAGE_SLICE`, and names of packages have
//! no underscore.

use crate::owned::{Blob, Budget, Packer, digest_of_hex};
use crate::package_database::{Database, PACKAGES_LIMIT, Record, field};
use crate::text::lines;
use image::ReadError;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

/// Plain bytes that are read; a root with every package of Ubuntu that has slices stays below 20 MB.
const PLAIN_LIMIT: u64 = 64 << 20;

/// The first bytes of a zstd frame: RFC 8878, section 3.1.1.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A line of any kind. Its fields are optional since each kind has others.
#[derive(Deserialize)]
struct Line {
    jsonwall: Option<String>,
    schema: Option<String>,
    count: Option<usize>,
    kind: Option<String>,
    name: Option<String>,
    version: Option<String>,
    arch: Option<String>,
    path: Option<String>,
    slices: Option<Vec<String>>,
    sha256: Option<String>,
    final_sha256: Option<String>,
}

/// Reads every package.
pub(super) fn read(bytes: &[u8]) -> Result<Database<'static>, ReadError> {
    let (plain, broken) = unpacked(bytes);
    let mut wall = Wall::default();
    for line in lines(&plain).filter(|line| !line.trim_ascii().is_empty()) {
        wall.line(line);
    }
    let mut database = wall.finish()?;
    database.problems.extend(broken);
    Ok(database)
}

/// The plain manifest as far as it can be read, and why that is not to its end.
fn unpacked(bytes: &[u8]) -> (Cow<'_, [u8]>, Option<String>) {
    if !bytes.starts_with(&ZSTD) {
        return (Cow::Borrowed(bytes), None);
    }
    let mut plain = Vec::new();
    let read = zstd::stream::read::Decoder::with_buffer(bytes)
        .and_then(|decoder| decoder.take(PLAIN_LIMIT + 1).read_to_end(&mut plain));
    let broken = match read {
        Err(error) => Some(format!("cannot be unpacked to its end: {error}")),
        Ok(_) if plain.len() as u64 > PLAIN_LIMIT => {
            Some(format!("has more than {PLAIN_LIMIT} plain bytes; the rest is left out"))
        }
        Ok(_) => None,
    };
    (Cow::Owned(plain), broken)
}

/// A manifest while it is read.
#[derive(Default)]
struct Wall {
    header: Option<Line>,
    lines: usize,
    damaged: usize,
    too_many: bool,
    packages: Vec<Record<'static>>,
    files: BTreeMap<String, Packer>,
    budget: Budget,
}

impl Wall {
    fn line(&mut self, bytes: &[u8]) {
        self.lines += 1;
        let Ok(line) = serde_json::from_slice::<Line>(bytes) else {
            self.damaged += 1;
            return;
        };
        if self.lines == 1 {
            self.header = Some(line);
            return;
        }
        match line.kind.as_deref() {
            Some("package") if self.packages.len() >= PACKAGES_LIMIT => self.too_many = true,
            Some("package") => match package(&line) {
                Some(package) => self.packages.push(package),
                None => self.damaged += 1,
            },
            Some("path") => self.path(line),
            Some(_) => {}
            None => self.damaged += 1,
        }
    }

    /// A file of the packages whose slices brought it. Folders end with a slash.
    fn path(&mut self, line: Line) {
        let Some(path) = line.path.filter(|path| !path.ends_with('/')) else { return };
        let path = path.trim_start_matches('/');
        // What a slice's script changed has another digest than what the package brought.
        let hex = line.final_sha256.or(line.sha256);
        let digest = hex.and_then(|hex| digest_of_hex(hex.as_bytes()));
        let slices = line.slices.unwrap_or_default();
        let packages: BTreeSet<&str> =
            slices.iter().filter_map(|slice| Some(slice.split_once('_')?.0)).collect();
        for package in packages {
            if !self.budget.take(path.len()) {
                return;
            }
            self.files.entry(package.to_owned()).or_default().push(path, digest.as_ref());
        }
    }

    fn finish(self) -> Result<Database<'static>, ReadError> {
        let Self { header, lines, damaged, too_many, mut packages, files, budget } = self;
        let header = header.filter(|header| header.jsonwall.is_some()).ok_or_else(|| {
            ReadError::new("is no manifest of chisel: its first line does not say `jsonwall`")
        })?;
        let mut files: BTreeMap<String, Blob<'static>> =
            files.into_iter().map(|(name, packer)| (name, packer.finish())).collect();
        for package in &mut packages {
            package.files = files.remove(package.name.as_ref()).unwrap_or_default();
        }
        let mut problems = Vec::new();
        let schema = header.schema.unwrap_or_default();
        if !schema.is_empty() && !schema.starts_with("1.") {
            let schema: String = schema.chars().take(20).collect();
            problems.push(format!("is of schema `{schema}`, which is not known; 1.0 is"));
        }
        if header.count.is_some_and(|count| count > lines) {
            problems.push(format!("is cut short: it has {lines} lines and says that it has more"));
        }
        if damaged > 0 {
            problems.push(format!("{damaged} lines are damaged and left out"));
        }
        if too_many {
            problems
                .push(format!("names more than {PACKAGES_LIMIT} packages; the rest is left out"));
        }
        if packages.is_empty() {
            problems.push("names no package".to_owned());
        }
        problems.extend(budget.problem());
        Ok(Database { packages, problems })
    }
}

fn package(line: &Line) -> Option<Record<'static>> {
    let short = |text: &Option<String>| -> Option<Cow<'static, str>> {
        let text = text.as_deref().unwrap_or_default();
        field(text.as_bytes()).map(|text| Cow::Owned(text.into_owned()))
    };
    let (name, version) = (short(&line.name)?, short(&line.version)?);
    if name.is_empty() || version.is_empty() {
        return None;
    }
    Some(Record { name, version, architecture: short(&line.arch)?, ..Record::default() })
}
