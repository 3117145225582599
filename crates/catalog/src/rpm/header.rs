//! Parser of one package header as the databases keep it.
//!
//! Two counts, an index of entries (tag, type, offset, count) and a store of data, all big-endian.
//! Only the tags that are needed are looked at; regions need no care, since offsets are those of the
//! store. Source: rpm, `docs/manual/format.md` and `lib/header.c`; tags from `include/rpm/rpmtag.h`.

use super::Damage;
use super::number::Order::Big;
use crate::owned::{Budget, Packer, digest_of_hex};
use crate::package_database::{Record, field, licence};
use crate::text;
use std::borrow::Cow;

/// How many index entries a header may have; rpm's own `HEADER_TAGS_MAX`.
const ENTRIES_LIMIT: usize = 0x1_0000;

/// How large the store may be; rpm's own `HEADER_DATA_MAX`.
const STORE_LIMIT: usize = 0x1000_0000;

const ENTRY: usize = 16;

/// Types of data.
const INT16: u32 = 3;
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// An index entry with the data from its offset on.
#[derive(Clone, Copy)]
struct Value<'blob> {
    kind: u32,
    count: usize,
    data: &'blob [u8],
}

/// The tags that are needed.
#[derive(Default)]
struct Tags<'blob> {
    name: Option<Value<'blob>>,
    version: Option<Value<'blob>>,
    release: Option<Value<'blob>>,
    epoch: Option<Value<'blob>>,
    architecture: Option<Value<'blob>>,
    licence: Option<Value<'blob>>,
    source: Option<Value<'blob>>,
    module: Option<Value<'blob>>,
    old_names: Option<Value<'blob>>,
    modes: Option<Value<'blob>>,
    digests: Option<Value<'blob>>,
    folders: Option<Value<'blob>>,
    folder_indexes: Option<Value<'blob>>,
    base_names: Option<Value<'blob>>,
}

/// Reads one package; none for a public key, which rpm keeps among the packages.
pub(super) fn read(blob: &[u8], budget: &mut Budget) -> Result<Option<Record<'static>>, Damage> {
    let tags = index(blob).ok_or(Damage("its index is wrong"))?;
    let name = tags.name.and_then(Value::string).unwrap_or_default();
    if name == b"gpg-pubkey" {
        return Ok(None);
    }
    let record = record(&tags, name, budget).ok_or(Damage("it has no valid name or version"))?;
    Ok(Some(record))
}

fn index(blob: &[u8]) -> Option<Tags<'_>> {
    let (entries, length) = (Big.size(blob, 0)?, Big.size(blob, 4)?);
    if entries > ENTRIES_LIMIT || length > STORE_LIMIT {
        return None;
    }
    let (index, store) = blob.get(8..)?.split_at_checked(entries * ENTRY)?;
    let store = store.get(..length)?;
    let mut tags = Tags::default();
    for entry in index.chunks_exact(ENTRY) {
        let place = match Big.u32(entry, 0)? {
            1000 => &mut tags.name,
            1001 => &mut tags.version,
            1002 => &mut tags.release,
            1003 => &mut tags.epoch,
            1014 => &mut tags.licence,
            1022 => &mut tags.architecture,
            1027 => &mut tags.old_names,
            1030 => &mut tags.modes,
            1035 => &mut tags.digests,
            1044 => &mut tags.source,
            1116 => &mut tags.folder_indexes,
            1117 => &mut tags.base_names,
            1118 => &mut tags.folders,
            5096 => &mut tags.module,
            _ => continue,
        };
        let data = store.get(Big.size(entry, 8)?..)?;
        *place = Some(Value { kind: Big.u32(entry, 4)?, count: Big.size(entry, 12)?, data });
    }
    Some(tags)
}

fn record(tags: &Tags<'_>, name: &[u8], budget: &mut Budget) -> Option<Record<'static>> {
    let short = |value: Option<Value<'_>>| {
        let value = value.and_then(Value::string).filter(|value| *value != b"(none)");
        field(value.unwrap_or_default()).map(|text| text.into_owned())
    };
    let (version, release) = (short(tags.version)?, short(tags.release)?);
    if name.is_empty() || version.is_empty() {
        return None;
    }
    let epoch = tags.epoch.and_then(|epoch| epoch.number(0)).unwrap_or(0);
    let stated = tags.licence.and_then(Value::string).unwrap_or_default();
    let mut record = Record {
        name: Cow::Owned(field(name)?.into_owned()),
        version: Cow::Owned(full_version(epoch, &version, &release)),
        architecture: Cow::Owned(short(tags.architecture)?),
        licence: Cow::Owned(licence(stated).into_owned()),
        module: Cow::Owned(module(&short(tags.module)?)),
        files: files(tags, budget),
        ..Record::default()
    };
    set_source(&mut record, epoch, short(tags.source)?);
    Some(record)
}

/// `[epoch:]version[-release]`; an epoch of 0 is the same as none and left out.
pub(super) fn full_version(epoch: u32, version: &str, release: &str) -> String {
    let epoch = if epoch == 0 { String::new() } else { format!("{epoch}:") };
    let dash = if release.is_empty() { "" } else { "-" };
    format!("{epoch}{version}{dash}{release}")
}

/// Takes name and version of the source package from the name of its file, such as
/// `bash-5.1.8-6.el9.src.rpm`. The file name has no epoch; it is that of the binary package.
pub(super) fn set_source(record: &mut Record<'_>, epoch: u32, file: String) {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"));
    let parts = stem.and_then(|stem| {
        let (rest, release) = stem.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        Some((name, version, release)).filter(|_| !name.is_empty() && !version.is_empty())
    });
    if let Some((name, version, release)) = parts {
        record.source = Cow::Owned(name.to_owned());
        record.source_version = Cow::Owned(full_version(epoch, version, release));
        record.upstream = Cow::Owned(file);
    }
}

/// `name:stream` of a label `name:stream:version:context`.
fn module(label: &str) -> String {
    let mut parts = label.split(':');
    match (parts.next(), parts.next()) {
        (Some(name), Some(stream)) if !name.is_empty() => format!("{name}:{stream}"),
        _ => String::new(),
    }
}

impl<'blob> Value<'blob> {
    /// The first string.
    fn string(self) -> Option<&'blob [u8]> {
        matches!(self.kind, STRING | STRING_ARRAY | I18N_STRING)
            .then(|| self.data.get(..memchr::memchr(0, self.data)?))?
    }

    /// All strings of an array.
    fn strings(self) -> impl Iterator<Item = &'blob [u8]> {
        let mut rest = if self.kind == STRING_ARRAY { self.data } else { &[] };
        let mut left = self.count;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let (string, behind) = rest.split_at_checked(memchr::memchr(0, rest)?)?;
            rest = behind.get(1..)?;
            Some(string)
        })
    }

    fn number(self, at: usize) -> Option<u32> {
        if at >= self.count {
            return None;
        }
        match self.kind {
            INT32 => Big.u32(self.data, at.checked_mul(4)?),
            INT16 => u32::try_from(Big.u16(self.data, at.checked_mul(2)?)?).ok(),
            _ => None,
        }
    }
}

/// The files but folders, packed. Old packages have whole paths, all others a folder's index and a
/// name for each file.
fn files(tags: &Tags<'_>, budget: &mut Budget) -> crate::owned::Blob<'static> {
    let folders: Vec<&[u8]> = tags.folders.into_iter().flat_map(Value::strings).collect();
    let mut digests = tags.digests.into_iter().flat_map(Value::strings);
    let names = tags.base_names.or(tags.old_names);
    let mut packer = Packer::default();
    let mut path = Vec::new();
    for (at, name) in names.into_iter().flat_map(Value::strings).enumerate() {
        let digest = digests.next().and_then(digest_of_hex);
        let mode = tags.modes.and_then(|modes| modes.number(at)).unwrap_or(0);
        if mode & 0o170_000 == 0o040_000 {
            continue;
        }
        let folder = tags
            .folder_indexes
            .filter(|_| tags.base_names.is_some())
            .and_then(|indexes| folders.get(usize::try_from(indexes.number(at)?).ok()?))
            .copied()
            .unwrap_or_default();
        if !budget.take(folder.len() + name.len()) {
            break;
        }
        path.clear();
        path.extend_from_slice(folder);
        path.extend_from_slice(name);
        packer.push(&text::path(&path), digest.as_ref());
    }
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::Header;
    use super::*;
    use image::OwnedDigest;
    use proptest::prelude::*;

    fn one(blob: &[u8]) -> Record<'static> {
        read(blob, &mut Budget::default()).unwrap().unwrap()
    }

    #[test]
    fn a_header_is_told_in_full() {
        let record = one(&Header::package("nodejs", "18.20.4", "1.el9")
            .int(1003, &[1])
            .string(1022, "x86_64")
            .string(1014, "MIT and ISC")
            .string(1044, "nodejs18-18.20.4-1.el9.src.rpm")
            .string(5096, "nodejs:18:9040020240807131341:rhel9")
            .strings(1118, &["/usr/bin/", "/usr/lib/"])
            .strings(1117, &["node", "node", "npm"])
            .int(1116, &[0, 1, 0])
            .short(1030, &[0o100_755, 0o040_755, 0o120_777])
            .strings(1035, &[&"ab".repeat(32), "", ""])
            .bytes());
        assert_eq!((&*record.name, &*record.version), ("nodejs", "1:18.20.4-1.el9"));
        assert_eq!((&*record.source, &*record.source_version), ("nodejs18", "1:18.20.4-1.el9"));
        assert_eq!(record.upstream, "nodejs18-18.20.4-1.el9.src.rpm");
        assert_eq!((&*record.module, &*record.licence), ("nodejs:18", "MIT and ISC"));
        let files = record.files.unpack(&mut Budget::default());
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["usr/bin/node", "usr/bin/npm"]);
        assert_eq!(files[0].digest, Some(OwnedDigest::Sha256([0xab; 32])));
        assert_eq!(files[1].digest, None);
    }

    #[test]
    fn old_headers_have_whole_paths_and_md5() {
        let record = one(&Header::package("a", "1", "2")
            .strings(1027, &["/bin/a", "/bin/b"])
            .strings(1035, &[&"0f".repeat(16), ""])
            .bytes());
        let files = record.files.unpack(&mut Budget::default());
        assert_eq!(files[0].path, "bin/a");
        assert_eq!(files[0].digest, Some(OwnedDigest::Md5([0x0f; 16])));
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn public_keys_are_no_packages() {
        let key = Header::package("gpg-pubkey", "8483c65d", "5ccc5b19").bytes();
        assert_eq!(read(&key, &mut Budget::default()), Ok(None));
    }

    #[test]
    fn a_source_file_without_three_parts_names_no_source() {
        for file in ["(none)", "", "a.src.rpm", "a-1.src.rpm", "-1-2.src.rpm", "a-1-2.rpm"] {
            let record = one(&Header::package("a", "1", "2").string(1044, file).bytes());
            assert_eq!((&*record.source, &*record.upstream), ("", ""), "{file}");
        }
    }

    #[test]
    fn counts_beyond_the_blob_are_damage() {
        let good = Header::package("a", "1", "2").bytes();
        for cut in 0..good.len() {
            assert!(read(&good[..cut], &mut Budget::default()).is_err(), "{cut}");
        }
        let mut many = good;
        many[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(read(&many, &mut Budget::default()).is_err());
    }

    #[test]
    fn long_folders_named_often_end_with_the_budget() {
        let folder = "x".repeat(60_000);
        let names = vec!["f"; 30_000];
        let blob = Header::package("a", "1", "2")
            .strings(1118, &[&folder])
            .strings(1117, &names)
            .int(1116, &vec![0; 30_000])
            .bytes();
        let mut budget = Budget::default();
        read(&blob, &mut budget).unwrap().unwrap();
        assert!(budget.problem().is_some());
    }

    proptest! {
        #[test]
        fn any_damage_is_read_without_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut blob = Header::package("a", "1", "2")
                .strings(1118, &["/usr/"])
                .strings(1117, &["b", "c"])
                .int(1116, &[0, 0])
                .bytes();
            for (at, byte) in changes {
                let at = at.index(blob.len());
                blob[at] = byte;
            }
            let _ = read(&blob, &mut Budget::default());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, &mut Budget::default());
        }
    }
}
