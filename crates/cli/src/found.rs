//! Files that are found rather than named: read whole, if nobody else could have put them there.
//!
//! One that others may write is refused with its name, and never silently left out: a policy that is
//! left out lets pass what it would not have.

use crate::exit::Failure;
use std::path::Path;

/// What some editors write before a text.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text file that was found, and the open folder where it was.
pub(crate) struct FoundText {
    pub(crate) text: String,
    pub(crate) folder: files::Folder,
}

/// Reads a file that merely lies there; none where nothing has that name. `otherwise` says how it is
/// named, so that it is believed.
pub(crate) fn read(file: &Path, limit: u64, otherwise: &str) -> Result<Option<FoundText>, Failure> {
    let wrong = |reason: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "`{}` was found and is not taken: {reason}; or {otherwise}",
            file.display()
        ))
    };
    let Some(found) = files::read_trusted(file, limit).map_err(|error| wrong(&error))? else {
        return Ok(None);
    };
    let text = String::from_utf8(found.content).map_err(|_| wrong(&"it is no text"))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text);
    Ok(Some(FoundText { text, folder: found.folder }))
}
