//! The least that a scan of gzip layers must do: inflate with the same library as `image`, take the
//! SHA-256 of packed and plain bytes, and walk the tar headers; one thread, nothing else.
//!
//! It is the yardstick of `bench scan`: what a scan costs beyond it is what the scan itself adds.

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read};
use vocabulary::Digest;

/// The size of a tar block.
const BLOCK: usize = 512;

/// How much is read and inflated at a time: a quarter of a usual second-level cache.
const PIECE: usize = 256 << 10;

/// Does it for each layer and prints what it saw.
pub(crate) fn run(blobs: &[&str]) -> Result<()> {
    for blob in blobs {
        let file = File::open(blob).with_context(|| format!("`{blob}` cannot be opened"))?;
        let packed = BufReader::with_capacity(PIECE, Hashing { inner: file, hash: Sha256::new() });
        let mut inflated = flate2::bufread::MultiGzDecoder::new(packed);
        let mut walk = Walk::default();
        let mut hash = Sha256::new();
        let mut buffer = vec![0; PIECE];
        loop {
            let count = inflated.read(&mut buffer).with_context(|| format!("`{blob}`"))?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            hash.update(piece);
            walk.push(piece)?;
        }
        let packed = inflated.into_inner().into_inner().hash.finalize();
        let (digest, diff_id) =
            (Digest::sha256(packed.into()), Digest::sha256(hash.finalize().into()));
        println!("{digest} {diff_id} {} entries", walk.entries);
    }
    Ok(())
}

/// Steps from header to header.
#[derive(Default)]
struct Walk {
    header: Vec<u8>,
    /// Bytes of content and padding still to pass over.
    skip: u64,
    entries: u64,
}

impl Walk {
    fn push(&mut self, mut piece: &[u8]) -> Result<()> {
        while !piece.is_empty() {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(piece.len());
            self.skip -= u64::try_from(skipped).unwrap_or(0);
            piece = piece.get(skipped..).unwrap_or_default();
            let wanted = (BLOCK - self.header.len()).min(piece.len());
            let (part, rest) = piece.split_at_checked(wanted).unwrap_or_default();
            self.header.extend_from_slice(part);
            piece = rest;
            if self.header.len() == BLOCK {
                self.step()?;
                self.header.clear();
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        if self.header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        if self.header.get(257..262) != Some(b"ustar") {
            bail!("a layer is no ustar archive at entry {}", self.entries);
        }
        let digits = self.header.get(124..136).unwrap_or_default();
        let size = digits
            .iter()
            .take_while(|byte| (b'0'..=b'7').contains(*byte))
            .fold(0_u64, |size, byte| size.wrapping_mul(8).wrapping_add(u64::from(byte - b'0')));
        let flag = self.header.get(156).copied().unwrap_or_default();
        self.entries += u64::from(!matches!(flag, b'x' | b'g' | b'L' | b'K'));
        self.skip = size.next_multiple_of(512);
        Ok(())
    }
}

struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_whatever_the_pieces() {
        let long = "folder/".repeat(40);
        let tar =
            testkit::Tar::new().file("a", "x".repeat(700)).file(long, "").file("b", "y").finish();
        for size in [1, 7, 512, 513, 100_000] {
            let mut walk = Walk::default();
            tar.chunks(size).for_each(|piece| walk.push(piece).unwrap());
            assert_eq!((walk.entries, walk.skip), (3, 0), "{size}");
        }
        assert!(Walk::default().push(&[b'x'; 600]).is_err());
    }
}
