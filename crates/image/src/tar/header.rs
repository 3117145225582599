//! A tar header: 512 bytes of text fields.
//!
//! Fields are read where they are asked for, so that an entry which concerns nobody costs only its
//! checksum, type, size and path.

use super::BLOCK;

/// A header block.
pub(super) struct Header<'block>(pub(super) &'block [u8; BLOCK]);

impl<'block> Header<'block> {
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    fn field(&self, at: usize, length: usize) -> &'block [u8] {
        self.0.get(at..at + length).unwrap_or_default()
    }

    pub(super) fn text(&self, at: usize, length: usize) -> &'block [u8] {
        let field = self.field(at, length);
        let end = memchr::memchr(0, field).unwrap_or(field.len());
        field.get(..end).unwrap_or_default()
    }

    pub(super) fn type_flag(&self) -> u8 {
        self.byte(156)
    }

    /// Octal with leading spaces and a space or NUL behind, or base 256 with the high bit set.
    pub(super) fn number(&self, at: usize, length: usize) -> Option<u64> {
        let field = self.field(at, length);
        let first = *field.first()?;
        if first & 0x80 != 0 {
            if first & 0x40 != 0 {
                return None; // negative
            }
            return field.iter().enumerate().try_fold(0_u64, |value, (index, byte)| {
                let byte = if index == 0 { byte & 0x7f } else { *byte };
                value.checked_mul(256)?.checked_add(u64::from(byte))
            });
        }
        let mut value = 0_u64;
        let mut digits = field.iter().skip_while(|byte| **byte == b' ');
        for byte in digits.by_ref() {
            match byte {
                b'0'..=b'7' => {
                    value = value.checked_mul(8)?.checked_add(u64::from(byte - b'0'))?;
                }
                b' ' | 0 => break,
                _ => return None,
            }
        }
        digits.all(|byte| matches!(byte, b' ' | 0)).then_some(value)
    }

    /// The sum of all bytes, the checksum field taken as spaces; signed sums are accepted as old
    /// tars wrote them.
    pub(super) fn checksum_holds(&self) -> bool {
        let Some(stated) = self.number(148, 8) else { return false };
        let field: u32 = self.field(148, 8).iter().map(|byte| u32::from(*byte)).sum();
        let unsigned = sum_of(self.0) - field + 8 * 32;
        if u64::from(unsigned) == stated {
            return true;
        }
        let high = |bytes: &[u8]| bytes.iter().filter(|byte| **byte >= 0x80).count();
        let negative = high(self.0) - high(self.field(148, 8));
        i64::from(unsigned) - 256 * i64::try_from(negative).unwrap_or(0)
            == i64::try_from(stated).unwrap_or(i64::MAX)
    }

    /// The path: POSIX puts its front into `prefix`, GNU uses that room for other things.
    pub(super) fn with_path(&self, take: impl FnOnce(&[u8])) {
        let name = self.text(0, 100);
        let posix = self.field(257, 6) == b"ustar\0";
        if posix && self.byte(345) != 0 {
            let prefix = self.text(345, 155);
            let mut path = [0_u8; 256];
            let length = prefix.len() + 1 + name.len();
            let joined = prefix.iter().chain(b"/").chain(name);
            path.iter_mut().zip(joined).for_each(|(to, from)| *to = *from);
            take(path.get(..length).unwrap_or_default());
        } else {
            take(name);
        }
    }
}

/// The sum of a block's bytes, eight at a time: even and odd bytes are added up in lanes of 16 bits,
/// which 64 additions of two bytes cannot overflow.
fn sum_of(block: &[u8; BLOCK]) -> u32 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let lanes = block.chunks_exact(8).fold(0_u64, |lanes, eight| {
        let word = eight.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
        lanes + (word & EVEN) + ((word >> 8) & EVEN)
    });
    (0..4).map(|lane| u32::try_from((lanes >> (16 * lane)) & 0xffff).unwrap_or(0)).sum()
}
