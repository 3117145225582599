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
        if let Some(value) = usual_octal(field) {
            return Some(value);
        }
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

/// Octal as nearly every tar writes it: digits to the last byte, which ends the field. None for all
/// else. Eight digits at once, because five such fields are read of each entry.
fn usual_octal(field: &[u8]) -> Option<u64> {
    // Checksums end with a NUL and a space.
    let digits = match field {
        [digits @ .., 0 | b' ', 0 | b' '] | [digits @ .., 0 | b' '] => digits,
        _ => return None,
    };
    match digits.len() {
        6 => eight_digits(field.first_chunk()?, 6),
        7 => eight_digits(field.first_chunk()?, 7),
        11 => {
            let front = eight_digits(digits.first_chunk()?, 8)?;
            digits.get(8..)?.iter().try_fold(front, |value, digit| {
                (*digit ^ b'0' < 8).then(|| value * 8 + u64::from(digit ^ b'0'))
            })
        }
        _ => None,
    }
}

/// The value of the first `count` of eight octal digits, the first the most significant:
/// neighbours are joined to pairs, pairs to fours, fours to eight.
fn eight_digits(digits: &[u8; 8], count: u32) -> Option<u64> {
    let mut word = u64::from_le_bytes(*digits) ^ 0x3030_3030_3030_3030;
    word <<= 8 * (8 - count);
    if word & 0xf8f8_f8f8_f8f8_f8f8 != 0 {
        return None;
    }
    word = ((word & 0x00ff_00ff_00ff_00ff) << 3) + ((word >> 8) & 0x00ff_00ff_00ff_00ff);
    word = ((word & 0x0000_ffff_0000_ffff) << 6) + ((word >> 16) & 0x0000_ffff_0000_ffff);
    Some(((word & 0xffff_ffff) << 12) + (word >> 32))
}

/// The sum of a block's bytes, eight at a time: even and odd bytes are added up in lanes of 16 bits,
/// which 64 additions of two bytes cannot overflow.
fn sum_of(block: &[u8; BLOCK]) -> u32 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let (words, _) = block.as_chunks::<8>();
    let lanes = words.iter().fold(0_u64, |lanes, eight| {
        let word = u64::from_le_bytes(*eight);
        lanes + (word & EVEN) + ((word >> 8) & EVEN)
    });
    (0..4).map(|lane| u32::try_from((lanes >> (16 * lane)) & 0xffff).unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One field at the front of a block.
    fn number(field: &[u8]) -> Option<u64> {
        let mut block = [0; BLOCK];
        block[..field.len()].copy_from_slice(field);
        Header(&block).number(0, field.len())
    }

    #[test]
    fn numbers_are_read_in_every_form() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"0000644 "), Some(0o644));
        assert_eq!(number(b"012345\0 "), Some(0o12_345));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"77777777"), Some(0o77_777_777));
        assert_eq!(number(b"00000001234\0"), Some(0o1234));
        assert_eq!(number(b"77777777777 "), Some(0o77_777_777_777));
        assert_eq!(number(b"\0\0\0\0\0\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\0\0\x01\x02"), Some(258));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff"), None, "negative");
        for wrong in [&b"0000648\0"[..], b"00006x4\0", b"12 34567", b"0000000123/\0", b"-000644\0"]
        {
            assert_eq!(number(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    proptest! {
        #[test]
        fn the_usual_form_is_read_as_any_octal(value in 0_u64..0o77_777_777_777) {
            prop_assert_eq!(number(format!("{value:011o}\0").as_bytes()), Some(value));
            let short = value & 0o7_777_777;
            prop_assert_eq!(number(format!("{short:07o} ").as_bytes()), Some(short));
        }

        #[test]
        fn the_sum_is_that_of_all_bytes(bytes in prop::collection::vec(any::<u8>(), BLOCK)) {
            let block: [u8; BLOCK] = bytes.as_slice().try_into().unwrap();
            prop_assert_eq!(sum_of(&block), bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>());
        }
    }
}
