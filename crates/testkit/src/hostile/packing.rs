//! What the packing of a layer tries: little that unpacks to much.
//!
//! Sources: RFC 1952 (gzip members), RFC 8878 (zstd frames, blocks of one repeated byte, skippable
//! frames, window descriptor).

use super::{Hostile, Make, Scale, image};
use crate::{Compression, Entry, Layer, Tar};

/// Bytes of zeros in a piece that is repeated.
const PIECE: usize = 16 << 20;

pub(super) fn all(scale: Scale) -> Vec<Hostile> {
    let packed: [(&str, Make); 13] = [
        ("a file of 10 GB, by gzip", |scale| bomb(scale, Compression::Gzip, "a")),
        ("a file of 10 GB, by zstd", |scale| bomb(scale, Compression::Zstd, "a")),
        ("a program of 10 GB, by gzip", |scale| bomb(scale, Compression::Gzip, "usr/bin/a")),
        ("a wanted file of 10 GB, by zstd", |scale| {
            bomb(scale, Compression::Zstd, "app/package.json")
        }),
        ("zeros after the end, by gzip", |scale| after_the_end(scale, Compression::Gzip)),
        ("zeros after the end, by zstd", |scale| after_the_end(scale, Compression::Zstd)),
        ("a flood of empty members", |scale| {
            let member = Compression::Gzip.pack(b"");
            [empty_tar(Compression::Gzip), member.repeat(scale.of(1_000_000))].concat()
        }),
        ("a flood of empty frames", |scale| {
            let frame = Compression::Zstd.pack(b"");
            [empty_tar(Compression::Zstd), frame.repeat(scale.of(1_000_000))].concat()
        }),
        ("a flood of skippable frames", |scale| {
            let frame = [&0x184d_2a50_u32.to_le_bytes()[..], &0_u32.to_le_bytes()].concat();
            [empty_tar(Compression::Zstd), frame.repeat(scale.of(1_000_000))].concat()
        }),
        ("a skippable frame that claims 4 GB", |_| {
            let frame = [&0x184d_2a50_u32.to_le_bytes()[..], &u32::MAX.to_le_bytes()].concat();
            [frame, empty_tar(Compression::Zstd)].concat()
        }),
        ("a window of 3.75 TB", |_| {
            // Magic, no content size, window descriptor of the largest exponent and mantissa, and a
            // last block of one repeated byte.
            let header = [&0xfd2f_b528_u32.to_le_bytes()[..], &[0x00, 0xff]].concat();
            [header, vec![0x03, 0x00, 0x10, 0x00]].concat()
        }),
        ("a gzip name that does not end", |scale| {
            let header = [0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 3];
            [&header[..], &vec![b'n'; scale.of(50_000_000)]].concat()
        }),
        ("a gzip member that is cut off", |_| {
            let mut packed = Compression::Gzip.pack(&vec![0; 1 << 20]);
            packed.truncate(packed.len() / 2);
            packed
        }),
    ];
    let one = |(name, packed): (&'static str, Make)| {
        Hostile::new(name, move || {
            // Its diffID is a false one: nobody would hash 10 GB to make this.
            image(vec![Layer::of_bytes(Tar::new().finish()).stored_as(packed(scale))])
        })
    };
    packed.into_iter().map(one).collect()
}

fn empty_tar(packing: Compression) -> Vec<u8> {
    packing.pack(&Tar::new().file("a", "b").finish())
}

fn zeros(scale: Scale, packing: Compression) -> Vec<u8> {
    packing.pack(&vec![0; PIECE]).repeat(scale.of(10_000_000_000 / PIECE))
}

fn bomb(scale: Scale, packing: Compression, path: &str) -> Vec<u8> {
    let size = (scale.of(10_000_000_000 / PIECE) * PIECE) as u64;
    let header = Tar::new().entry(&Entry::file(path, "").claiming(size).mode(0o755)).unfinished();
    [packing.pack(&header), zeros(scale, packing), packing.pack(&[0; 1024])].concat()
}

fn after_the_end(scale: Scale, packing: Compression) -> Vec<u8> {
    [empty_tar(packing), zeros(scale, packing)].concat()
}
