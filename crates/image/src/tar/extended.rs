//! Extended headers: what GNU and PAX write before an entry whose fields are too small.

use super::TarError;
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
    pub(super) sparse: bool,
    pub(super) real_size: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetaKind {
    Pax,
    Global,
    LongPath,
    LongLink,
}

impl Extended {
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
            b"GNU.sparse.name" => {
                self.path = Some(value.to_vec());
                self.sparse = true;
            }
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                self.real_size = Some(number()?);
                self.sparse = true;
            }
            b"GNU.sparse.major" | b"GNU.sparse.map" | b"GNU.sparse.numblocks" => {
                self.sparse = true;
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
