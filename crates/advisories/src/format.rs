//! The bytes of a database file: header, index, pages, and the numbers and texts inside.
//!
//! A file is a header, an index, and seven sections. A section is a list of items, in pages of some
//! [`PAGE`] bytes that are read, and held against their digest, one by one: a scan of a small image in
//! a database of 50 MB reads a few of them. No item is cut by a page; a larger one has a page of its
//! own. The header is protected by a CRC and holds the SHA-256 of the index, and the index those of
//! all pages, so that what the header states stands for the whole file.
//!
//! ```text
//! 0    `LZDB`, format version u32, file length u64, length of the index u64, SHA-256 of the index
//! 56   CRC-32 of bytes 0 to 55
//! 60   the index; behind it the pages, section by section
//! ```
//! The index: ecosystem, counts, releases; for each section its pages (length, count of items,
//! digest), and the first key of each where items have keys. A page: the place of each item as u16,
//! then the items. Numbers are LEB128 varints, those of a fixed size little-endian.

use sha2::Digest as _;

/// First bytes of every database file.
const MAGIC: [u8; 4] = *b"LZDB";
/// Version of the layout; a file of another version is made anew.
pub(crate) const FORMAT: u32 = 5;
/// Count of sections.
pub(crate) const SECTIONS: usize = 7;
const HEADER_CRC: usize = 56;
/// Length of the header.
pub(crate) const HEADER: usize = HEADER_CRC + 4;
/// Bytes of a page. Smaller ones need a larger index, larger ones are read in vain.
pub(crate) const PAGE: usize = 16 << 10;
/// Largest index: as much as that of a file of 8 GB has.
const MAX_INDEX: u64 = 64 << 20;

/// The sections of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Every text once, in the order in which records first use them.
    Strings,
    /// Advisory records, by id.
    Records,
    /// What a record says of one release and one range of versions, in the order of records.
    Blocks,
    /// For each name: by release, which blocks concern it.
    Postings,
    /// Name and its posting, sorted by name.
    Names,
    /// CVE and the record that rates it best, sorted.
    Cves,
    /// Records of the source that say nothing to match, by id: when each was changed, and why.
    Dropped,
}

impl Section {
    pub(crate) const ALL: [Self; SECTIONS] = [
        Self::Strings,
        Self::Records,
        Self::Blocks,
        Self::Postings,
        Self::Names,
        Self::Cves,
        Self::Dropped,
    ];

    /// Whether its items begin with a key that they are sorted by.
    pub(crate) const fn has_keys(self) -> bool {
        matches!(self, Self::Names | Self::Cves | Self::Dropped)
    }
}

/// Why bytes are not a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not made by this program, or cut off.
    #[error("it is not a database file, or is cut off")]
    NotADatabase,
    /// Made by a version of the program with another layout.
    #[error("it has format {0}, and this program reads format {FORMAT}")]
    OtherFormat(u32),
    /// The header does not fit itself or the file.
    #[error("its header is damaged")]
    Header,
    /// A page, or the index, is not the one that was written.
    #[error("its content is not what its header says: it is damaged")]
    Digest,
    /// Bytes inside a section make no sense.
    #[error("its content is damaged")]
    Content,
    /// A page cannot be read.
    #[error("its content cannot be read: {0}")]
    Unread(std::io::ErrorKind),
    /// More data than offsets of four bytes can reach.
    #[error("there is more data than the format can hold (4 GiB a section)")]
    TooLarge,
}

/// The start of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Length of the file.
    pub(crate) length: u64,
    /// Length of the index.
    pub(crate) index: usize,
    /// SHA-256 of the index as the header states it.
    pub(crate) payload: [u8; 32],
}

impl Header {
    /// Reads and checks the header of a file of this length, of which its start is here.
    pub(crate) fn read(bytes: &[u8], file: u64) -> Result<Self, FormatError> {
        let header = bytes.get(..HEADER).ok_or(FormatError::NotADatabase)?;
        let mut reader = Reader::new(header);
        if reader.take(4)? != MAGIC {
            return Err(FormatError::NotADatabase);
        }
        match reader.u32()? {
            FORMAT => {}
            other => return Err(FormatError::OtherFormat(other)),
        }
        let (length, index) = (reader.u64()?, reader.u64()?);
        let payload = reader.array::<32>()?;
        let crc = reader.u32()?;
        let sound = crc == crc32(header.get(..HEADER_CRC).unwrap_or_default())
            && file == length
            && index <= MAX_INDEX
            && HEADER as u64 + index <= length;
        let index = usize::try_from(index).map_err(|_| FormatError::Header)?;
        if sound { Ok(Self { length, index, payload }) } else { Err(FormatError::Header) }
    }

    /// The header before an index and so many bytes of pages.
    pub(crate) fn write(index: &[u8], pages: u64) -> Vec<u8> {
        let mut file = Vec::with_capacity(HEADER);
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&FORMAT.to_le_bytes());
        file.extend_from_slice(&((HEADER + index.len()) as u64 + pages).to_le_bytes());
        file.extend_from_slice(&(index.len() as u64).to_le_bytes());
        file.extend_from_slice(&digest(index));
        let crc = crc32(&file);
        file.extend_from_slice(&crc.to_le_bytes());
        file
    }
}

/// SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// CRC-32 as zip and gzip define it.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Appends a number as a varint.
pub(crate) fn put_number(target: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        target.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    target.push((number & 0x7f) as u8);
}

/// Appends a text with its length.
pub(crate) fn put_text(target: &mut Vec<u8>, text: &str) {
    put_number(target, text.len() as u64);
    target.extend_from_slice(text.as_bytes());
}

/// Reads numbers and texts from a section, never past its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'file> {
    rest: &'file [u8],
}

impl<'file> Reader<'file> {
    /// A reader from the start of `bytes`.
    pub(crate) const fn new(bytes: &'file [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all is read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'file [u8], FormatError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(FormatError::Content)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.take(N)?.try_into().map_err(|_| FormatError::Content)
    }

    /// A byte.
    pub(crate) fn byte(&mut self) -> Result<u8, FormatError> {
        let (first, rest) = self.rest.split_first().ok_or(FormatError::Content)?;
        self.rest = rest;
        Ok(*first)
    }

    /// Four bytes, little-endian.
    pub(crate) fn u32(&mut self) -> Result<u32, FormatError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, FormatError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A varint.
    pub(crate) fn number(&mut self) -> Result<u64, FormatError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(FormatError::Content);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(FormatError::Content)
    }

    /// A varint that fits four bytes.
    pub(crate) fn small(&mut self) -> Result<u32, FormatError> {
        u32::try_from(self.number()?).map_err(|_| FormatError::Content)
    }

    /// A count of things that take at least one byte each: never more than the bytes that are left,
    /// so that a damaged count cannot ask for memory.
    pub(crate) fn count(&mut self) -> Result<usize, FormatError> {
        let count = usize::try_from(self.number()?).map_err(|_| FormatError::Content)?;
        if count > self.rest.len() { Err(FormatError::Content) } else { Ok(count) }
    }

    /// Bytes with their length before them.
    pub(crate) fn bytes(&mut self) -> Result<&'file [u8], FormatError> {
        let length = self.count()?;
        self.take(length)
    }

    /// A text with its length before it.
    pub(crate) fn text(&mut self) -> Result<&'file str, FormatError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| FormatError::Content)
    }

    /// All that is left.
    pub(crate) const fn rest(&self) -> &'file [u8] {
        self.rest
    }

    /// All that is left, as a text.
    pub(crate) fn all_text(&self) -> Result<&'file str, FormatError> {
        std::str::from_utf8(self.rest).map_err(|_| FormatError::Content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_a_round_trip() {
        for number in [0, 1, 127, 128, 300, 65_535, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(Reader::new(&bytes).number(), Ok(number));
        }
    }

    #[test]
    fn a_number_that_never_ends_is_refused() {
        assert_eq!(Reader::new(&[0xff; 11]).number(), Err(FormatError::Content));
        assert_eq!(Reader::new(&[0x80]).number(), Err(FormatError::Content));
    }

    #[test]
    fn a_header_of_another_format_says_so() {
        let mut file = Header::write(&[], 0);
        assert!(Header::read(&file, file.len() as u64).is_ok());
        file[4] = 9;
        assert_eq!(
            Header::read(&file, file.len() as u64).unwrap_err(),
            FormatError::OtherFormat(9)
        );
    }
}
