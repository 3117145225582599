//! Extended headers: what GNU and PAX write before an entry whose fields are too small.

use super::TarError;
use super::sparse::{self, Map};
use crate::limits;

/// What extended headers said of the next entry.
#[derive(Default)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) attributes: Vec<(String, Vec<u8>)>,
    /// Whether anything is said of a sparse file.
    pub(super) sparse: bool,
    pub(super) real_size: Option<u64>,
    pub(super) sparse_name: Option<Vec<u8>>,
    /// Version of the sparse form: major and minor.
    major: Option<Vec<u8>>,
    minor: Option<Vec<u8>>,
    /// The map of PAX 0.1, or what PAX 0.0 says of it, offset and length by turns.
    map: Option<Map>,
    numbers: Vec<u64>,
    pieces: Option<u64>,
}

/// How a sparse file's map is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SparseForm {
    /// In the extended header.
    Here(Map),
    /// Before the data.
    Before,
    /// In a way that is not known.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetaKind {
    Pax,
    Global,
    LongPath,
    LongLink,
}

impl Extended {
    /// How the map is told; none where the file is not sparse, or the map is none.
    pub(super) fn sparse_form(&self) -> Result<SparseForm, ()> {
        let version = (self.major.as_deref(), self.minor.as_deref());
        match version {
            (Some(b"1"), Some(b"0")) => return Ok(SparseForm::Before),
            (Some(b"0"), Some(b"0" | b"1")) | (None, None) => {}
            _ => return Ok(SparseForm::Unknown),
        }
        let (pairs, rest) = self.numbers.as_chunks::<2>();
        let map = match &self.map {
            Some(map) => map.clone(),
            None if rest.is_empty() => pairs.iter().map(|[at, length]| (*at, *length)).collect(),
            None => return Err(()),
        };
        let stated = self.pieces.is_none_or(|pieces| pieces == map.len() as u64);
        if stated { Ok(SparseForm::Here(map)) } else { Err(()) }
    }

    /// Takes what an extended header at `offset` says.
    pub(super) fn apply(
        &mut self,
        kind: MetaKind,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(), TarError> {
        let until_nul = || bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        match kind {
            MetaKind::LongPath => self.path = Some(until_nul()),
            MetaKind::LongLink => self.link = Some(until_nul()),
            // Engines ignore what a global header says of entries.
            MetaKind::Global => {}
            MetaKind::Pax => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let (key, value, after) = pax_record(rest).ok_or(TarError::Extended(offset))?;
                    self.apply_pax(key, value, offset)?;
                    rest = after;
                }
            }
        }
        Ok(())
    }

    fn apply_pax(&mut self, key: &[u8], value: &[u8], offset: u64) -> Result<(), TarError> {
        let number = || {
            std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse::<u64>().ok())
                .ok_or(TarError::Extended(offset))
        };
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(number()?),
            b"uid" => self.uid = Some(number()?),
            b"gid" => self.gid = Some(number()?),
            _ if key.starts_with(b"GNU.sparse.") => {
                self.sparse = true;
                match key {
                    b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
                    b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = Some(number()?),
                    b"GNU.sparse.major" => self.major = Some(value.to_vec()),
                    b"GNU.sparse.minor" => self.minor = Some(value.to_vec()),
                    b"GNU.sparse.map" => {
                        let map = sparse::of_commas(value).ok_or(TarError::Extended(offset))?;
                        self.map = Some(map);
                    }
                    b"GNU.sparse.numblocks" => self.pieces = Some(number()?),
                    b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.numbers.push(number()?),
                    _ => {}
                }
            }
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    if self.attributes.len() >= limits::ATTRIBUTES {
                        return Err(TarError::Limit(
                            limits::ATTRIBUTES as u64,
                            "extended attributes",
                        ));
                    }
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.attributes.push((name, value.to_vec()));
                }
            }
        }
        Ok(())
    }
}

/// One `length key=value\n` record, and what follows it.
fn pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?;
    let record = record.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((record.get(..equals)?, record.get(equals + 1..)?, bytes.get(length..)?))
}
