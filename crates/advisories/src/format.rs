//! The bytes of a database file: header, section table, and the numbers and texts inside sections.
//!
//! A file is a header and seven sections. The header is protected by a CRC and holds the SHA-256 of
//! all that follows; opening checks the header alone, so that a scan does not read 30 MB it does not
//! need. Every later access is checked against the bounds of its section, so that a damaged file is
//! an error and never undefined behaviour: the digest is held against the file when it is made,
//! imported or exported.
//!
//! ```text
//! 0    `LZDB`, format version u32, file length u64, SHA-256 of the sections
//! 48   seven times offset u64, length u64
//! 160  CRC-32 of bytes 0 to 159
//! 164  the sections
//! ```
//! Numbers are little-endian; inside sections they are LEB128 varints.

use sha2::Digest as _;

/// First bytes of every database file.
const MAGIC: [u8; 4] = *b"LZDB";
/// Version of the layout; a file of another version is made anew.
pub(crate) const FORMAT: u32 = 2;
/// Count of sections.
const SECTIONS: usize = 7;
const TABLE: usize = 48;
const HEADER_CRC: usize = TABLE + SECTIONS * 16;
/// Length of the header.
pub(crate) const HEADER: usize = HEADER_CRC + 4;

/// The sections of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Ecosystem, count of records, names of releases.
    Meta,
    /// Every text once, length first; the most used come first, so that references are short.
    Strings,
    /// Advisory records.
    Records,
    /// What a record says of one release and one range of versions.
    Blocks,
    /// For each name: by release, which blocks concern it.
    Postings,
    /// Name and place of its postings, eight bytes each, sorted by name.
    Names,
    /// CVE and the record that rates it best, eight bytes each, sorted.
    Cves,
}

impl Section {
    const ALL: [Self; SECTIONS] = [
        Self::Meta,
        Self::Strings,
        Self::Records,
        Self::Blocks,
        Self::Postings,
        Self::Names,
        Self::Cves,
    ];
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
    /// The sections are not those that were written.
    #[error("its content is not what its header says: it is damaged")]
    Digest,
    /// Bytes inside a section make no sense.
    #[error("its content is damaged")]
    Content,
    /// More data than offsets of four bytes can reach.
    #[error("there is more data than the format can hold (4 GiB a section)")]
    TooLarge,
}

/// Where each section lies.
#[derive(Clone, Debug)]
pub(crate) struct Sections {
    spans: [(usize, usize); SECTIONS],
    /// SHA-256 of the sections as the header states it.
    pub(crate) payload: [u8; 32],
}

impl Sections {
    /// Reads and checks the header of a file.
    ///
    /// Only its start need be there of a file of this length.
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
        let length = reader.u64()?;
        let payload = reader.array::<32>()?;
        let mut spans = [(0, 0); SECTIONS];
        for span in &mut spans {
            let start = usize::try_from(reader.u64()?).map_err(|_| FormatError::Header)?;
            let count = usize::try_from(reader.u64()?).map_err(|_| FormatError::Header)?;
            let end = start.checked_add(count).ok_or(FormatError::Header)?;
            if start < HEADER || end as u64 > file {
                return Err(FormatError::Header);
            }
            *span = (start, end);
        }
        let crc = reader.u32()?;
        let sound = crc == crc32(header.get(..HEADER_CRC).unwrap_or_default()) && file == length;
        if sound { Ok(Self { spans, payload }) } else { Err(FormatError::Header) }
    }

    /// Whether the sections are those of which the header speaks.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let content = bytes.get(HEADER..).unwrap_or_default();
        sha2::Sha256::digest(content).as_slice() == self.payload
    }

    /// The bytes of a section.
    pub(crate) fn of<'file>(&self, bytes: &'file [u8], section: Section) -> &'file [u8] {
        let (start, end) = self.spans.get(section as usize).copied().unwrap_or_default();
        bytes.get(start..end.min(bytes.len())).unwrap_or_default()
    }
}

/// Puts a file together from its sections, in the order of [`Section`].
pub(crate) fn assemble(parts: &[Vec<u8>; SECTIONS]) -> Vec<u8> {
    let total = HEADER + parts.iter().map(Vec::len).sum::<usize>();
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let mut file = Vec::with_capacity(total);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&FORMAT.to_le_bytes());
    file.extend_from_slice(&(total as u64).to_le_bytes());
    file.extend_from_slice(&hasher.finalize());
    let mut start = HEADER;
    for (_, part) in Section::ALL.iter().zip(parts) {
        file.extend_from_slice(&(start as u64).to_le_bytes());
        file.extend_from_slice(&(part.len() as u64).to_le_bytes());
        start += part.len();
    }
    let crc = crc32(&file);
    file.extend_from_slice(&crc.to_le_bytes());
    for part in parts {
        file.extend_from_slice(part);
    }
    file
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

    /// A reader from `offset` on.
    pub(crate) fn at(bytes: &'file [u8], offset: u32) -> Result<Self, FormatError> {
        let offset = usize::try_from(offset).map_err(|_| FormatError::Content)?;
        bytes.get(offset..).map(Self::new).ok_or(FormatError::Content)
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

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
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

    /// A text with its length before it.
    pub(crate) fn text(&mut self) -> Result<&'file str, FormatError> {
        let length = self.count()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| FormatError::Content)
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
        let mut file = assemble(&Default::default());
        assert!(Sections::read(&file, file.len() as u64).is_ok());
        file[4] = 9;
        assert_eq!(
            Sections::read(&file, file.len() as u64).unwrap_err(),
            FormatError::OtherFormat(9)
        );
    }
}
