//! The lists of installed files: `RECORD` (comma-separated) and `installed-files.txt` (plain lines).
//!
//! Their paths are relative to the folder of the packages, or to the `egg-info` folder itself, and
//! may climb out of it (`../../../bin/tool`). They come out relative to the root of the subject,
//! packed as the files of distribution packages are. A path that climbs above
//! the root is left out: no installer writes one.

use crate::owned::{Blob, Packer};
use image::ReadError;
use std::borrow::Cow;

/// How many files one package may list; the largest real ones have some 20,000.
const FILE_LIMIT: usize = 200_000;
/// How many bytes of paths are read for one package.
const BYTE_LIMIT: usize = 64 << 20;
/// Longest path: Linux's own `PATH_MAX`.
const PATH_LIMIT: usize = 4096;

/// Paths of a `RECORD` whose packages lie in `folder`.
pub(super) fn from_record(folder: &str, bytes: &[u8]) -> Result<Blob<'static>, ReadError> {
    collect(folder, bytes, first_cell)
}

/// Paths of an `installed-files.txt` that lies in `folder`.
pub(super) fn from_installed_files(folder: &str, bytes: &[u8]) -> Result<Blob<'static>, ReadError> {
    collect(folder, bytes, |line| Some(Cow::Borrowed(line)))
}

fn collect(
    folder: &str,
    bytes: &[u8],
    path_of: impl Fn(&str) -> Option<Cow<'_, str>>,
) -> Result<Blob<'static>, ReadError> {
    let text = String::from_utf8_lossy(bytes);
    let mut packer = Packer::default();
    let mut joined = String::new();
    let mut total = 0_usize;
    for (count, line) in text.lines().enumerate() {
        if count >= FILE_LIMIT || total >= BYTE_LIMIT {
            return Err(ReadError::new(format!(
                "it lists more than {FILE_LIMIT} files or {BYTE_LIMIT} bytes of paths"
            )));
        }
        joined.clear();
        if path_of(line).is_some_and(|path| join(folder, &path, &mut joined).is_some()) {
            total = total.saturating_add(joined.len());
            packer.push(&joined, None);
        }
    }
    Ok(packer.finish())
}

/// The first cell of a line of RFC 4180: plain, or in quotes with doubled quotes inside.
fn first_cell(line: &str) -> Option<Cow<'_, str>> {
    let Some(quoted) = line.strip_prefix('"') else {
        let end = memchr::memchr(b',', line.as_bytes()).unwrap_or(line.len());
        return line.get(..end).map(Cow::Borrowed);
    };
    let mut cell = String::with_capacity(quoted.len());
    let mut letters = quoted.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '"' {
            cell.push(letter);
        } else if letters.next_if_eq(&'"').is_some() {
            cell.push('"');
        } else {
            return Some(Cow::Owned(cell));
        }
    }
    None
}

/// Appends `path`, taken from `folder`, without `.` and `..` parts, to an empty text.
fn join(folder: &str, path: &str, out: &mut String) -> Option<()> {
    let odd = path.bytes().any(|byte| byte.is_ascii_control());
    if path.is_empty() || odd || folder.len() + path.len() > PATH_LIMIT {
        return None;
    }
    if !path.starts_with('/') {
        out.push_str(folder);
    }
    let plain = !path.starts_with(['/', '.']) && !path.contains("//") && !path.contains("/.");
    if plain && !folder.is_empty() {
        out.push('/');
        out.push_str(path);
        return Some(());
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if out.is_empty() => return None,
            ".." => out.truncate(out.rfind('/').unwrap_or(0)),
            name => {
                if !out.is_empty() {
                    out.push('/');
                }
                out.push_str(name);
            }
        }
    }
    (!out.is_empty()).then_some(())
}
