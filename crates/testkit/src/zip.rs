//! Zip archives, odd ones too.

use std::io::Write as _;

/// An entry to write: name, content, and whether it is deflated.
pub type Source<'text> = (&'text str, Vec<u8>, bool);

/// How an archive is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Bytes that are put before it, its offsets left as they were.
    pub prefix: &'static [u8],
    /// Whether sizes and offsets are written in zip64 form.
    pub zip64: bool,
    /// Flags of every entry.
    pub flags: u16,
    /// Method to claim instead of the true one.
    pub method: Option<u16>,
    /// Plain size to claim instead of the true one.
    pub plain: Option<u32>,
}

/// An archive of these entries.
#[must_use]
pub fn zip(entries: &[Source<'_>]) -> Vec<u8> {
    zip_as(entries, Style::default())
}

/// An archive written in an odd way.
#[must_use]
pub fn zip_as(entries: &[Source<'_>], style: Style) -> Vec<u8> {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, content, deflated) in entries {
        let packed = if *deflated { deflate(content) } else { content.clone() };
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let method = style.method.unwrap_or(if *deflated { 8 } else { 0 });
        let plain = style.plain.unwrap_or(four(content.len()));
        let mut common = Vec::new();
        for value in [20, style.flags, method, 0, 0] {
            common.extend(u16::to_le_bytes(value));
        }
        common.extend(checksum.sum().to_le_bytes());
        let offset = body.len();
        body.extend(b"PK\x03\x04");
        body.extend(&common);
        for value in [four(packed.len()), plain] {
            body.extend(value.to_le_bytes());
        }
        body.extend(two(name.len()).to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend(name.as_bytes());
        body.extend(&packed);
        let mut extra = Vec::new();
        if style.zip64 {
            extra.extend([1, 0, 24, 0]);
            for value in [u64::from(plain), packed.len() as u64, offset as u64] {
                extra.extend(value.to_le_bytes());
            }
        }
        let narrow = |value: usize| if style.zip64 { u32::MAX } else { four(value) };
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        for value in [narrow(packed.len()), narrow(plain as usize)] {
            directory.extend(value.to_le_bytes());
        }
        directory.extend(two(name.len()).to_le_bytes());
        directory.extend(two(extra.len()).to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(narrow(offset).to_le_bytes());
        directory.extend(name.as_bytes());
        directory.extend(&extra);
    }
    let mut out = style.prefix.to_vec();
    out.extend(&body);
    out.extend(&directory);
    out.extend(end(entries.len(), body.len(), directory.len(), style.zip64, out.len()));
    out
}

fn end(count: usize, offset: usize, size: usize, zip64: bool, at: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if zip64 {
        out.extend(b"PK\x06\x06");
        out.extend(44_u64.to_le_bytes());
        out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [count, count, size, offset] {
            out.extend((value as u64).to_le_bytes());
        }
        out.extend(b"PK\x06\x07\x00\x00\x00\x00");
        out.extend((at as u64).to_le_bytes());
        out.extend(1_u32.to_le_bytes());
    }
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    let count = if zip64 { u16::MAX } else { two(count) };
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    for value in [size, offset] {
        out.extend(if zip64 { u32::MAX } else { four(value) }.to_le_bytes());
    }
    out.extend([0, 0]);
    out
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    // Nothing fails that writes to memory.
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default()
}

fn two(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn four(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
