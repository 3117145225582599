//! Fetches what an archive publishes, and keeps it.
//!
//! In go a place and a folder, out come bytes; whether they are believed is decided elsewhere, and only
//! what was believed is kept. A folder for each place and suite holds `InRelease`, what is needed to
//! ask for it only if it has changed, and indexes by their SHA-256. A folder that cannot be written
//! costs time on the next scan, and nothing else. Source: RFC 9110, "Conditional Requests"; Debian wiki,
//! "DebianRepository/Format", "by-hash".

use crate::place::Place;
use crate::release::{Listed, Release};
use fetch::{Client, FetchError, Request};
use files::Folder;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use vocabulary::Digest;

/// Bytes of an `InRelease`; Ubuntu's have some 300 KB.
const RELEASE_BYTES: u64 = 8 << 20;

/// Bytes of a packed index; Debian's main has 9 MB.
const INDEX_BYTES: u64 = 64 << 20;

const RELEASE: &str = "InRelease";
const STATE: &str = "state.json";
const PACKAGES: &str = ".packages";

/// Why something of an archive is not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MirrorError {
    /// It cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The connection broke.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is not there.
    #[error("`{0}` answers {1}")]
    Status(String, u16),
    /// It is not what was signed.
    #[error("`{0}` is not what its Release lists; its mirror is damaged, out of step or false")]
    Digest(String),
    /// It is larger than can be.
    #[error("`{0}` is listed with {1} bytes, more than any index has")]
    TooLarge(String, u64),
}

/// How to ask for an `InRelease` only if it has changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// What came of asking for an `InRelease`.
pub(crate) enum Fetched {
    /// It is what is kept.
    Unchanged,
    /// It is this.
    New(Vec<u8>, State),
}

/// An archive's suite, and where it is kept.
pub(crate) struct Mirror<'place> {
    client: &'place Client,
    place: &'place Place,
    folder: Option<Folder>,
}

impl<'place> Mirror<'place> {
    pub(crate) fn new(client: &'place Client, place: &'place Place, cache: Option<&Path>) -> Self {
        let mut name = Digest::of(format!("{}\0{}", place.base, place.suite).as_bytes()).hex();
        name.truncate(32);
        // A folder that others may write is none: what is kept is believed by what is signed, but
        // writing there could be made to write elsewhere.
        let folder = cache.and_then(|cache| Folder::own(cache).ok()?.own_folder(&name).ok());
        Self { client, place, folder }
    }

    /// The `InRelease` that is kept, with how to ask for it.
    pub(crate) fn kept(&self) -> Option<(Vec<u8>, State)> {
        let folder = self.folder.as_ref()?;
        let bytes = folder.read(Path::new(RELEASE), RELEASE_BYTES).ok()?;
        let state = folder.read(Path::new(STATE), RELEASE_BYTES).ok();
        let state = state.and_then(|text| serde_json::from_slice(&text).ok());
        Some((bytes, state.unwrap_or_default()))
    }

    /// Asks for the `InRelease`, where one is known only if it has changed.
    pub(crate) fn release(&self, known: Option<&State>) -> Result<Fetched, MirrorError> {
        let etag = known.and_then(|known| known.etag.clone());
        let since = known.filter(|_| etag.is_none()).and_then(|known| known.last_modified.clone());
        let conditional = etag.is_some() || since.is_some();
        let request = Request {
            if_none_match: etag,
            if_modified_since: since,
            max_bytes: RELEASE_BYTES,
            hosts: self.place.hosts.clone(),
            ..Request::default()
        };
        let url = self.url(RELEASE);
        let answer = self.client.get(&url, &request)?;
        match answer.status {
            200 => {
                let state = State { etag: answer.etag, last_modified: answer.last_modified };
                Ok(Fetched::New(answer.body.into_vec()?, state))
            }
            304 if conditional => Ok(Fetched::Unchanged),
            status => Err(MirrorError::Status(fetch::redact(&url), status)),
        }
    }

    /// Keeps an `InRelease` that is believed, and forgets the indexes that it does not list.
    pub(crate) fn keep(&self, bytes: &[u8], state: &State, release: &Release) {
        let Some(folder) = &self.folder else { return };
        let kept = || -> io::Result<()> {
            folder.write_lightly(RELEASE, &[bytes])?;
            folder.write_lightly(STATE, &[&serde_json::to_vec(state)?])?;
            for (name, _) in folder.entries()? {
                let listed = |digest: &str| {
                    release.files.values().any(|listed| hex(&listed.sha256) == digest)
                };
                if digest_of(&name).is_some_and(|digest| !listed(digest)) {
                    folder.remove(&name)?;
                }
            }
            Ok(())
        };
        let _ = kept();
    }

    /// An index, which is what its Release lists, else an error.
    pub(crate) fn index(
        &self,
        path: &str,
        listed: &Listed,
        by_hash: bool,
    ) -> Result<Vec<u8>, MirrorError> {
        if listed.size > INDEX_BYTES {
            return Err(MirrorError::TooLarge(path.to_owned(), listed.size));
        }
        let digest = hex(&listed.sha256);
        let name = format!("{digest}{PACKAGES}");
        let kept = self.folder.as_ref();
        let kept = kept.and_then(|folder| folder.read(Path::new(&name), INDEX_BYTES).ok());
        if let Some(bytes) = kept.filter(|bytes| is(bytes, listed)) {
            return Ok(bytes);
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut bytes = None;
        if by_hash {
            bytes = self.get(&format!("{folder}/by-hash/SHA256/{digest}"), listed).ok();
        }
        let bytes = match bytes.filter(|bytes| is(bytes, listed)) {
            Some(bytes) => bytes,
            None => self.get(path, listed)?,
        };
        if !is(&bytes, listed) {
            return Err(MirrorError::Digest(fetch::redact(&self.url(path))));
        }
        if let Some(folder) = &self.folder {
            let _ = folder.write_lightly(&name, &[&bytes]);
        }
        Ok(bytes)
    }

    fn get(&self, path: &str, listed: &Listed) -> Result<Vec<u8>, MirrorError> {
        let url = self.url(path);
        let hosts = self.place.hosts.clone();
        let request = Request { max_bytes: listed.size, hosts, ..Request::default() };
        let answer = self.client.get(&url, &request)?;
        if answer.status != 200 {
            return Err(MirrorError::Status(fetch::redact(&url), answer.status));
        }
        Ok(answer.body.into_vec()?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/dists/{}/{path}", self.place.base, self.place.suite)
    }
}

/// The digest in the name of an index that is kept; none where the name is not of our making.
fn digest_of(name: &str) -> Option<&str> {
    let digest = name.strip_suffix(PACKAGES)?;
    let hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digest.len() == 64 && digest.bytes().all(hex)).then_some(digest)
}

fn is(bytes: &[u8], listed: &Listed) -> bool {
    use sha2::Digest as _;
    u64::try_from(bytes.len()) == Ok(listed.size)
        && sha2::Sha256::digest(bytes).as_slice() == listed.sha256
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
