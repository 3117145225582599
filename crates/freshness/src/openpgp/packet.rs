//! Packets, and the numbers in them.
//!
//! In go bytes, out come slices of them; nothing is copied. Packets of partial or unknown length are
//! refused: neither keys nor detached signatures have them. Source: RFC 9580, sections 3 and 4.

use super::PgpError;

/// Packets of one file. Debian's keyring of all its keys has some 400.
const PACKETS: usize = 8192;

/// Bits of a number that is taken: an RSA key of 8192 bits is the largest that can be checked.
const NUMBER_BITS: u16 = 8192;

/// One packet.
pub(super) struct Packet<'bytes> {
    pub(super) tag: u8,
    pub(super) body: &'bytes [u8],
}

/// The packets of a file.
pub(super) fn packets(bytes: &[u8]) -> Result<Vec<Packet<'_>>, PgpError> {
    let mut rest = Cursor(bytes);
    let mut packets = Vec::new();
    while !rest.0.is_empty() {
        if packets.len() == PACKETS {
            return Err(PgpError::Form("it has too many packets"));
        }
        packets.push(packet(&mut rest).ok_or(PgpError::Form("a packet is not whole"))?);
    }
    Ok(packets)
}

fn packet<'bytes>(rest: &mut Cursor<'bytes>) -> Option<Packet<'bytes>> {
    let header = rest.byte()?;
    if header & 0x80 == 0 {
        return None;
    }
    let (tag, length) = if header & 0x40 == 0 {
        let length = match header & 3 {
            0 => usize::from(rest.byte()?),
            1 => usize::from(rest.short()?),
            2 => usize::try_from(rest.long()?).ok()?,
            _ => return None,
        };
        ((header >> 2) & 0x0f, length)
    } else {
        (header & 0x3f, rest.length()?)
    };
    Some(Packet { tag, body: rest.take(length)? })
}

/// What is left of some bytes.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'bytes>(pub(super) &'bytes [u8]);

impl<'bytes> Cursor<'bytes> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'bytes [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The length of a packet, in one, two or five bytes (4.2.1).
    pub(super) fn length(&mut self) -> Option<usize> {
        // From here on it would be partial.
        self.length_up_to(223)
    }

    /// The length of a subpacket, which is never partial (5.2.3.7).
    pub(super) fn subpacket_length(&mut self) -> Option<usize> {
        self.length_up_to(254)
    }

    fn length_up_to(&mut self, last_of_two: u8) -> Option<usize> {
        match self.byte()? {
            first @ 0..=191 => Some(usize::from(first)),
            255 => usize::try_from(self.long()?).ok(),
            first if first <= last_of_two => {
                Some((usize::from(first - 192) << 8) + usize::from(self.byte()?) + 192)
            }
            _ => None,
        }
    }

    /// A number (3.2), without leading zeros: its announced bits must be those that it has.
    pub(super) fn number(&mut self) -> Option<&'bytes [u8]> {
        let bits = self.short().filter(|bits| *bits <= NUMBER_BITS)?;
        let bytes = self.take(usize::from(bits.div_ceil(8)))?;
        let leading = bytes.first().map_or(0, |first| first.leading_zeros());
        let unused = (8 - u32::from(bits) % 8) % 8;
        (leading == unused).then_some(bytes)
    }
}
