//! Paths as they are in the root, however a tar writes them.

/// Appends `path` to `into` without leading slashes and without empty, `.` and `..` parts; `..` at
/// the root stays at the root, as the kernel has it. Returns whether the path tried to leave it.
pub(crate) fn normalise(path: &[u8], into: &mut String) -> bool {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if is_plain(path)
        && let Ok(text) = std::str::from_utf8(path)
    {
        if !into.is_empty() {
            into.push('/');
        }
        into.push_str(text);
        return false;
    }
    let mut escapes = false;
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                escapes |= into.is_empty();
                into.truncate(into.rfind('/').unwrap_or(0));
            }
            _ => {
                if !into.is_empty() {
                    into.push('/');
                }
                push_text(part, into);
            }
        }
    }
    escapes
}

/// Whether no part of the path is empty or begins with a dot and could be `.` or `..`. Without a
/// branch for each byte, so that the compiler can take many at once.
fn is_plain(path: &[u8]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let odd = path.iter().zip(rest).fold(false, |odd, (byte, next)| {
        odd | ((*byte == b'/') & ((*next == b'/') | (*next == b'.')))
    });
    !odd && !matches!(first, b'/' | b'.') && path.last() != Some(&b'/')
}

/// Appends bytes as text; those that are not UTF-8, and NUL, as `\xNN`.
pub(super) fn push_text(bytes: &[u8], into: &mut String) {
    use std::fmt::Write as _;
    for piece in bytes.utf8_chunks() {
        into.push_str(piece.valid());
        for byte in piece.invalid() {
            let _ = write!(into, "\\x{byte:02x}");
        }
    }
}
