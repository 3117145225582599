//! Why an archive or an entry cannot be read.

/// Why an archive or an entry cannot be read. Names no path: the caller knows it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No end record.
    #[error("it has no zip directory; the file is cut off or no archive")]
    NoDirectory,
    /// A field points outside the file, or a signature is missing.
    #[error("its zip {0} is damaged; fetch the file again")]
    Damaged(&'static str),
    /// More entries or longer names than allowed.
    #[error("its zip {0} is over the limit of {1}")]
    TooLarge(&'static str, u64),
    /// Neither stored nor deflated.
    #[error("entry `{0}` is packed by method {1}; only stored and deflated entries can be read")]
    Method(String, u16),
    /// Encrypted.
    #[error("entry `{0}` is encrypted and cannot be read")]
    Encrypted(String),
    /// It inflates to something else than it says.
    #[error("entry `{0}` does not inflate to what the directory says")]
    Inflate(String),
    /// It is larger than the caller allows.
    #[error("entry `{name}` has {bytes} bytes, over the limit of {limit}")]
    EntryTooLarge {
        /// The entry.
        name: String,
        /// Its size.
        bytes: u64,
        /// What the caller allows.
        limit: u64,
    },
    /// Its entries are packed far more tightly than what it should hold can be.
    #[error(
        "its entries have {plain} bytes together, more than {ratio} times the {packed} bytes of the archive: it may be made to fill the memory"
    )]
    Bomb {
        /// What they say they have together.
        plain: u64,
        /// What the archive has.
        packed: u64,
        /// What the caller allows.
        ratio: u64,
    },
    /// Entries that share bytes: so few bytes of an archive are read over and over.
    #[error("entry `{0}` lies over another one or over the directory, as no archive needs")]
    Overlap(String),
    /// The bytes cannot be had.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
