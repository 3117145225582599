//! Fetches an archive to a file: only if it is another one than before, and from where an earlier
//! attempt broke off.
//!
//! In go a URL and what is known of the last state, out comes a file that is whole by the server's own
//! count. The part that is here is kept with what the server called that state (`<part>.json`); it is
//! continued only if the server says, by `If-Range`, that it still has the same.
//! Source: RFC 9110, sections 13.1 and 14.

use crate::listing::{List, MAX_LIST};
use crate::manifest::Manifest;
use crate::paths;
use crate::singles::{MAX_SINGLE, Single};
use crate::storage;
use serde::{Deserialize, Serialize};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Largest archive, where its length is announced. The largest of the public bucket has about 1 GB.
const MAX_ARCHIVE: u64 = 16 << 30;
/// Largest one whose length is not announced: it could go on for ever.
const MAX_ENDLESS: u64 = 4 << 30;
/// How often a download that breaks off is continued before giving up.
const MAX_ATTEMPTS: u32 = 5;
/// Largest note of what is known of a part.
const MAX_NOTE: u64 = 64 << 10;
/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Why something could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] fetch::FetchError),
    /// An answer that is neither the content nor "not changed" nor "not there".
    #[error("`{0}` answers {1}; check the address given with `--from`")]
    Status(String, u16),
    /// It broke off, again and again.
    #[error("the download broke off: {reason}; run it again to continue at byte {here}")]
    BrokenOff {
        /// Why.
        reason: io::Error,
        /// How much is here.
        here: u64,
    },
    /// It does not have the announced length.
    #[error("`{url}` has {here} bytes instead of the {announced} announced; run it again")]
    Length {
        /// The URL.
        url: String,
        /// How many came.
        here: u64,
        /// How many were announced.
        announced: u64,
    },
    /// It does not say how long it is, and does not end.
    #[error(
        "`{0}` does not announce its length, and has more than the {MAX_ENDLESS} bytes allowed then; check the address"
    )]
    Endless(String),
    /// It cannot be written down.
    #[error("cannot write `{path}`: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
}

/// How a download ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Download {
    /// The whole archive is in the file.
    Done {
        /// What the server calls this state.
        etag: Option<String>,
        /// Its date.
        last_modified: Option<String>,
    },
    /// The server has what was known before.
    Unchanged,
    /// The server does not have it.
    NotThere,
}

/// What is known of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    total: Option<u64>,
}

impl State {
    /// What to continue by. A weak tag does not promise the same bytes.
    fn validator(&self) -> Option<&str> {
        let etag = self.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        etag.or(self.last_modified.as_deref())
    }
}

/// A small document, whole.
pub(crate) fn small(
    client: &fetch::Client,
    url: &str,
    max_bytes: u64,
) -> Result<Vec<u8>, DownloadError> {
    let request = fetch::Request { max_bytes, ..fetch::Request::default() };
    let response = client.get(url, &request)?;
    if response.status != 200 {
        return Err(DownloadError::Status(fetch::redact(url), response.status));
    }
    response.body.into_vec().map_err(|reason| DownloadError::BrokenOff { reason, here: 0 })
}

/// A list of changes, or why there is none to read.
pub(crate) enum Listed {
    /// The server still has the one that the database is up to date with.
    Same,
    /// Another one, and what the server calls it.
    New { list: List, etag: Option<String> },
    /// None that may be read.
    NotThere,
}

/// The list of changes of an ecosystem, unless it is the one that is known.
pub(crate) fn list(
    client: &fetch::Client,
    directory: &str,
    known: Option<&Manifest>,
) -> Result<Listed, DownloadError> {
    let url = format!("{directory}/modified_id.csv");
    let if_none_match = known.and_then(|known| known.list_etag.clone());
    let is_known = if_none_match.is_some();
    let request =
        fetch::Request { if_none_match, max_bytes: MAX_LIST, ..fetch::Request::default() };
    let response = client.get(&url, &request)?;
    Ok(match response.status {
        304 if is_known => Listed::Same,
        200 => Listed::New {
            etag: response.etag.clone(),
            list: List {
                name: fetch::redact(&url),
                // Without a length, a connection that ends looks like the end of the list.
                has_end: response.content_length.is_some(),
                lines: Box::new(response.body),
            },
        },
        // Buckets that do not list what they have say "forbidden" of what they have not.
        _ => Listed::NotThere,
    })
}

/// One record.
pub(crate) fn single(client: &fetch::Client, url: &str) -> Result<Single, DownloadError> {
    let request = fetch::Request { max_bytes: MAX_SINGLE, ..fetch::Request::default() };
    let response = client.get(url, &request)?;
    match response.status {
        200 => {
            let bytes = response.body.into_vec();
            let broken = |reason| DownloadError::BrokenOff { reason, here: 0 };
            bytes.map(Single::Bytes).map_err(broken)
        }
        404 | 410 => Ok(Single::NotThere),
        other => Err(DownloadError::Status(fetch::redact(url), other)),
    }
}

/// Downloads to `part`, unless the server still has what `known` was made from.
pub(crate) fn archive(
    client: &fetch::Client,
    url: &str,
    known: Option<&Manifest>,
    part: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Download, DownloadError> {
    let mut attempt = 1;
    loop {
        let (here, state) = begun(url, part);
        let request = request(known, here, &state);
        let response = client.get(url, &request)?;
        match response.status {
            304 => {
                forget(part);
                return Ok(Download::Unchanged);
            }
            404 | 410 => {
                forget(part);
                return Ok(Download::NotThere);
            }
            // The part is as long as the whole, or longer: what it is cannot be told any more.
            416 if here > 0 => {
                forget(part);
                continue;
            }
            200 => {}
            206 if here > 0 && response.content_range_start == Some(here) => {}
            other => return Err(DownloadError::Status(fetch::redact(url), other)),
        }
        let here = if response.status == 206 { here } else { 0 };
        match save(url, response, here, part, progress)? {
            Saved::Whole(state) => {
                let State { etag, last_modified, .. } = state;
                return Ok(Download::Done { etag, last_modified });
            }
            // Who is too slow, or sends more than may be, does so again.
            Saved::BrokenOff { reason, here }
                if attempt == MAX_ATTEMPTS
                    || matches!(
                        reason.kind(),
                        io::ErrorKind::QuotaExceeded | io::ErrorKind::InvalidData
                    ) =>
            {
                return Err(DownloadError::BrokenOff { reason, here });
            }
            Saved::BrokenOff { .. } => attempt += 1,
        }
    }
}

/// Removes a part and what is known of it.
pub(crate) fn forget(part: &Path) {
    storage::remove(part);
    storage::remove(&paths::beside(part, "json"));
}

/// How much of this URL's content is here, and of which state.
fn begun(url: &str, part: &Path) -> (u64, State) {
    let here = storage::held(part).and_then(|(folder, name)| folder.stat(name));
    let here = here.map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or_default());
    let state = storage::read(&paths::beside(part, "json"), MAX_NOTE)
        .ok()
        .and_then(|text| serde_json::from_slice::<State>(&text).ok())
        .filter(|state| here > 0 && state.url == url && state.validator().is_some());
    state.map_or((0, State::default()), |state| (here, state))
}

fn request(known: Option<&Manifest>, here: u64, state: &State) -> fetch::Request {
    // A range is asked for on its own: together with `If-None-Match` its answer could be 304, which
    // says nothing of the part.
    let resumes = here > 0;
    let known = known.filter(|_| !resumes);
    let etag = known.and_then(|known| known.etag.clone());
    fetch::Request {
        if_modified_since: known
            .filter(|_| etag.is_none())
            .and_then(|known| known.last_modified.clone()),
        if_none_match: etag,
        range_from: resumes.then_some(here),
        if_range: state.validator().filter(|_| resumes).map(str::to_owned),
        max_bytes: MAX_ARCHIVE,
        ..fetch::Request::default()
    }
}

enum Saved {
    Whole(State),
    BrokenOff { reason: io::Error, here: u64 },
}

fn save(
    url: &str,
    response: fetch::Response,
    mut here: u64,
    part: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Saved, DownloadError> {
    let failed = |reason| DownloadError::Write { path: part.to_owned(), reason };
    let total = if here > 0 { response.content_range_total } else { response.content_length };
    let state = State {
        url: url.to_owned(),
        etag: response.etag.clone(),
        last_modified: response.last_modified.clone(),
        total,
    };
    let (folder, name) = storage::held(part).map_err(failed)?;
    let mut file = folder.file_to_grow(name).map_err(failed)?;
    if here == 0 {
        file.set_len(0).map_err(failed)?;
    }
    io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(failed)?;
    let note = serde_json::to_vec(&state).map_err(|error| failed(error.into()))?;
    folder.write(&format!("{name}.json"), &note, files::Access::Private).map_err(failed)?;
    let mut body = response.body;
    let mut piece = vec![0; PIECE];
    loop {
        progress(here, total);
        let count = match body.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(reason) => return Ok(Saved::BrokenOff { reason, here }),
        };
        file.write_all(piece.get(..count).unwrap_or_default()).map_err(failed)?;
        here += count as u64;
        if total.is_none() && here > MAX_ENDLESS {
            forget(part);
            return Err(DownloadError::Endless(fetch::redact(url)));
        }
    }
    match total.filter(|total| *total != here) {
        Some(announced) => {
            forget(part);
            Err(DownloadError::Length { url: fetch::redact(url), here, announced })
        }
        None => Ok(Saved::Whole(state)),
    }
}
