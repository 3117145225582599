//! Bytes of the kernel as text.

use std::fmt::Write as _;

/// Appends the bytes; those that are not UTF-8 as `\xNN`, as paths in images are shown.
pub(crate) fn push(into: &mut String, bytes: &[u8]) {
    for piece in bytes.utf8_chunks() {
        into.push_str(piece.valid());
        for byte in piece.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(into, "\\x{byte:02x}");
        }
    }
}
