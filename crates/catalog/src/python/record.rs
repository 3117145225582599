//! The lists of installed files: `RECORD` (comma-separated) and `installed-files.txt` (plain lines).
//!
//! Their paths are relative to the folder of the packages, or to the `egg-info` folder itself, and
//! may climb out of it (`../../../bin/tool`). They come out relative to the root of the subject, as
//! one text, which a repeat scan reads much faster than a list of texts. A path that climbs above
//! the root is left out: no installer writes one.

use image::ReadError;

/// How many files one package may list; the largest real ones have some 20,000.
const FILE_LIMIT: usize = 200_000;
/// How many bytes of paths are kept for one package.
const BYTE_LIMIT: usize = 32 << 20;
/// Longest path: Linux's own `PATH_MAX`.
const PATH_LIMIT: usize = 4096;

/// Paths of a `RECORD` whose packages lie in `folder`.
pub(super) fn from_record(folder: &str, bytes: &[u8]) -> Result<String, ReadError> {
    collect(folder, bytes, first_cell)
}

/// Paths of an `installed-files.txt` that lies in `folder`.
pub(super) fn from_installed_files(folder: &str, bytes: &[u8]) -> Result<String, ReadError> {
    collect(folder, bytes, |line| Some(line.to_owned()))
}

fn collect(
    folder: &str,
    bytes: &[u8],
    path_of: impl Fn(&str) -> Option<String>,
) -> Result<String, ReadError> {
    let text = String::from_utf8_lossy(bytes);
    let mut paths = String::with_capacity(text.len());
    for (count, line) in text.lines().enumerate() {
        if count >= FILE_LIMIT || paths.len() >= BYTE_LIMIT {
            return Err(ReadError::new(format!(
                "it lists more than {FILE_LIMIT} files or {BYTE_LIMIT} bytes of paths"
            )));
        }
        let before = paths.len();
        let joined = path_of(line).is_some_and(|path| join(folder, &path, &mut paths).is_some());
        if joined {
            paths.push('\n');
        } else {
            paths.truncate(before);
        }
    }
    Ok(paths)
}

/// The first cell of a line of RFC 4180: plain, or in quotes with doubled quotes inside.
fn first_cell(line: &str) -> Option<String> {
    let Some(quoted) = line.strip_prefix('"') else {
        let cell = line.split(',').next()?;
        return Some(cell.to_owned());
    };
    let mut cell = String::with_capacity(quoted.len());
    let mut letters = quoted.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '"' {
            cell.push(letter);
        } else if letters.next_if_eq(&'"').is_some() {
            cell.push('"');
        } else {
            return Some(cell);
        }
    }
    None
}

/// Appends `path`, taken from `folder`, without `.` and `..` parts.
fn join(folder: &str, path: &str, out: &mut String) -> Option<()> {
    let start = out.len();
    if path.is_empty() || folder.len() + path.len() > PATH_LIMIT || path.contains(char::is_control)
    {
        return None;
    }
    if !path.starts_with('/') {
        out.push_str(folder);
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                let here = out.get(start..)?;
                if here.is_empty() {
                    return None;
                }
                out.truncate(start + here.rfind('/').unwrap_or(0));
            }
            name => {
                if out.len() > start {
                    out.push('/');
                }
                out.push_str(name);
            }
        }
    }
    (out.len() > start).then_some(())
}
