//! Archives that are too large for memory: read at the places that the directory names.
//!
//! Entries come in the order of their names, each into the same buffer. The whole of the directory is
//! weighed before the first one is read: what all entries make together, and that none shares bytes
//! with another.

use crate::content::{LOCAL_HEADER, Packing, inflate, is_sound, local_names, packing};
use crate::directory::{Directory, ReadAt, TAIL_LIMIT};
use crate::entry::{Entries, Place, shown};
use crate::error::ArchiveError;
use flate2::Decompress;
use std::io;

/// How much a local header's names may exceed those of the directory before it is read again.
const SLACK: u64 = 128;

/// What an archive as a whole may be. Who knows what it should hold knows the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most entries.
    pub entries: u64,
    /// Largest central directory.
    pub directory: u64,
    /// Most bytes of all entries together, inflated.
    pub plain: u64,
    /// Plain bytes for each byte of the archive.
    pub ratio: u64,
    /// Plain bytes below which that is no matter.
    pub grace: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    name: String,
    plain: u64,
    place: Place,
}

/// An archive whose directory has been read.
#[derive(Debug)]
pub struct LargeArchive<Source> {
    source: Source,
    length: u64,
    members: Vec<Member>,
}

impl<Source: ReadAt> LargeArchive<Source> {
    /// Reads the directory.
    ///
    /// # Errors
    /// Where there is none, it is damaged, or the archive is over a bound or made to be read over and
    /// over.
    pub fn open(source: Source, bounds: &Bounds) -> Result<Self, ArchiveError> {
        let length = source.length()?;
        let tail_length = length.min(TAIL_LIMIT as u64);
        let mut tail = buffer(tail_length)?;
        source.read_exact_at(&mut tail, length - tail_length)?;
        let directory = Directory::find(&source, &tail, length - tail_length)?;
        if directory.count > bounds.entries {
            return Err(ArchiveError::TooLarge("count of entries", bounds.entries));
        }
        let bytes = directory.end - directory.start;
        if bytes > bounds.directory {
            return Err(ArchiveError::TooLarge("directory", bounds.directory));
        }
        let mut bytes = buffer(bytes)?;
        source.read_exact_at(&mut bytes, directory.start)?;
        let mut members = Vec::new();
        for entry in Entries::new(&bytes, directory.count, bounds.entries) {
            let entry = entry?;
            let offset = entry.place.offset.saturating_add(directory.base);
            members.push(Member {
                name: String::from_utf8_lossy(entry.name).into_owned(),
                plain: entry.plain,
                place: Place { offset, ..entry.place },
            });
        }
        bounds.hold(&members, length)?;
        if let Some(member) = overlapping(&members, directory.start) {
            return Err(ArchiveError::Overlap(shown(&member.name)));
        }
        members.retain(|member| !member.name.ends_with('/'));
        members.sort_unstable();
        Ok(Self { source, length, members })
    }

    /// Calls `each` with the name and bytes of every entry that `wanted` picks by name.
    ///
    /// # Errors
    /// Where one of them is larger than `at_most`, packed or not, cannot be read, or is damaged.
    pub fn read(
        &self,
        at_most: u64,
        wanted: impl Fn(&str) -> bool,
        mut each: impl FnMut(&str, &[u8]),
    ) -> Result<(), ArchiveError> {
        let (mut packed, mut plain) = (Vec::new(), Vec::new());
        let mut inflater = Decompress::new(false);
        for member in self.members.iter().filter(|member| wanted(&member.name)) {
            let name = || shown(&member.name);
            let bytes = member.plain.max(member.place.packed);
            if bytes > at_most {
                return Err(ArchiveError::EntryTooLarge { name: name(), bytes, limit: at_most });
            }
            let packing = packing(&member.place, name)?;
            let data = self.data(member, &mut packed)?;
            let content = match packing {
                Packing::Stored => data,
                Packing::Deflated => {
                    plain.clear();
                    inflate(data, member.plain, &mut inflater, &mut plain)
                        .ok_or_else(|| ArchiveError::Inflate(name()))?;
                    plain.as_slice()
                }
            };
            if !is_sound(content, member.plain, &member.place) {
                return Err(ArchiveError::Inflate(name()));
            }
            each(&member.name, content);
        }
        Ok(())
    }

    /// The packed bytes of a member. The local header repeats the name and may have extra fields of
    /// another length, so a little more is read than the directory tells.
    fn data<'buffer>(
        &self,
        member: &Member,
        into: &'buffer mut Vec<u8>,
    ) -> Result<&'buffer [u8], ArchiveError> {
        let damaged = || ArchiveError::Damaged("entry");
        let (header, packed) = (member.place.offset, member.place.packed);
        let mut want = member.least() + SLACK;
        loop {
            let end = header.saturating_add(want).min(self.length);
            let have = end.checked_sub(header).ok_or_else(damaged)?;
            into.resize(usize::try_from(have).map_err(io::Error::other)?, 0);
            self.source.read_exact_at(into, header)?;
            let start = LOCAL_HEADER + local_names(into).ok_or_else(damaged)?;
            let needed = start + packed;
            if needed <= have {
                let start = usize::try_from(start).map_err(io::Error::other)?;
                let end = usize::try_from(needed).map_err(io::Error::other)?;
                return into.get(start..end).ok_or_else(damaged);
            }
            if needed <= want {
                return Err(damaged());
            }
            want = needed;
        }
    }
}

impl Bounds {
    fn hold(&self, members: &[Member], length: u64) -> Result<(), ArchiveError> {
        let plain = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.plain));
        if plain > self.plain {
            return Err(ArchiveError::TooLarge("content", self.plain));
        }
        if plain > self.grace.max(length.saturating_mul(self.ratio)) {
            return Err(ArchiveError::Bomb { plain, packed: length, ratio: self.ratio });
        }
        Ok(())
    }
}

impl Member {
    /// The least bytes that it takes: its local header, name and data.
    fn least(&self) -> u64 {
        LOCAL_HEADER.saturating_add(self.name.len() as u64).saturating_add(self.place.packed)
    }
}

/// A member whose least bytes reach into those of the next one or into the directory. Source: "A better
/// zip bomb" (Fifield, 2019), which quotes headers in data.
fn overlapping(members: &[Member], directory: u64) -> Option<&Member> {
    let end = |member: &Member| member.place.offset.saturating_add(member.least());
    let mut places: Vec<&Member> = members.iter().collect();
    places.sort_unstable_by_key(|member| member.place.offset);
    let starts = places.iter().skip(1).map(|next| next.place.offset).chain([directory]);
    let mut both = places.iter().zip(starts);
    both.find(|(member, next)| end(member) > *next).map(|(member, _)| *member)
}

fn buffer(bytes: u64) -> Result<Vec<u8>, ArchiveError> {
    Ok(vec![0; usize::try_from(bytes).map_err(io::Error::other)?])
}
