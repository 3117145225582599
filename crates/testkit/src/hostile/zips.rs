//! What archives of Java, Python and NuGet try: overlaps, lies, archives in archives.
//!
//! Source: PKWARE, "APPNOTE.TXT", 4.3 (local headers, central directory, its end).

use super::{Hostile, Make, Scale, image};
use crate::Layer;

pub(super) fn all(scale: Scale) -> Vec<Hostile> {
    let tried: [(&str, Make); 8] = [
        ("members that are the same bytes", |scale| overlapping(scale.of(60_000), 0)),
        ("members that overlap, each one further in", |scale| overlapping(scale.of(60_000), 1)),
        ("a directory that names 4 billion members", |_| {
            let mut zip = overlapping(2, 0);
            let end = zip.len() - 22;
            zip[end + 8..end + 12].copy_from_slice(&[0xff; 4]);
            zip
        }),
        ("a directory that lies beyond the end", |_| {
            let mut zip = overlapping(2, 0);
            let end = zip.len() - 22;
            zip[end + 16..end + 20].copy_from_slice(&[0xff; 4]);
            zip
        }),
        ("a comment of ends", |_| {
            let mut zip = overlapping(2, 0);
            let end = zip.split_off(zip.len() - 22);
            [zip, end.repeat(2_900)].concat()
        }),
        ("archives in archives in archives", |scale| {
            (0..scale.of(60).max(12))
                .fold(overlapping(1, 0), |inner, at| zip(&[(format!("lib/{at}.jar"), inner)]))
        }),
        ("a member that unpacks to 1 GB", |scale| {
            zip_packed("META-INF/MANIFEST.MF", &vec![0; scale.of(1_000_000_000)])
        }),
        ("a flood of descriptions", |scale| {
            let members: Vec<(String, Vec<u8>)> = (0..scale.of(60_000))
                .map(|at| {
                    let path = format!("META-INF/maven/g/a{at}/pom.properties");
                    let text = format!("groupId=g\nartifactId=a{at}\nversion=1.0.{at}\n");
                    (path, text.into_bytes())
                })
                .collect();
            zip(&members)
        }),
    ];
    let carriers = [("a jar", "opt/app.jar"), ("a wheel", "opt/a-1-py3-none-any.whl")];
    tried
        .into_iter()
        .flat_map(|(name, bytes)| {
            carriers.map(|(carrier, path)| {
                Hostile::new(format!("{name}, in {carrier}"), move || {
                    image(vec![Layer::new().file(path, bytes(scale))])
                })
            })
        })
        .collect()
}

fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in members {
        let at = bytes.len();
        bytes.extend(local(name, content.len(), content.len(), 0));
        bytes.extend(content);
        directory.extend(central(name, content.len(), content.len(), 0, at));
    }
    finish(bytes, &directory, members.len())
}

/// One member that is packed by deflate.
fn zip_packed(name: &str, content: &[u8]) -> Vec<u8> {
    let gzip = crate::Compression::Gzip.pack(content);
    // Between the header of ten bytes and the trailer of eight lies the deflate stream.
    let packed = &gzip[10..gzip.len() - 8];
    let mut bytes = local(name, packed.len(), content.len(), 8);
    bytes.extend(packed);
    let directory = central(name, packed.len(), content.len(), 8, 0);
    finish(bytes, &directory, 1)
}

/// Members whose entries in the directory lead to one local header, or each a little further in.
fn overlapping(count: usize, step: usize) -> Vec<u8> {
    let content = vec![b' '; 1 << 16];
    let name = |at: usize| format!("META-INF/maven/g/{at:05}/pom.properties");
    let mut bytes = local(&name(0), content.len(), content.len(), 0);
    bytes.extend(&content);
    let mut directory = Vec::new();
    for at in 0..count {
        directory.extend(central(&name(at), content.len(), content.len(), 0, (at * step) % 4096));
    }
    finish(bytes, &directory, count)
}

fn local(name: &str, packed: usize, plain: usize, method: u8) -> Vec<u8> {
    let mut header = b"PK\x03\x04\x14\0\0\0".to_vec();
    header.extend([method, 0]);
    header.extend([0; 8]);
    header.extend(number(packed));
    header.extend(number(plain));
    header.extend([name.len() as u8, 0, 0, 0]);
    header.extend(name.as_bytes());
    header
}

fn central(name: &str, packed: usize, plain: usize, method: u8, at: usize) -> Vec<u8> {
    let mut header = b"PK\x01\x02\x14\0\x14\0\0\0".to_vec();
    header.extend([method, 0]);
    header.extend([0; 8]);
    header.extend(number(packed));
    header.extend(number(plain));
    header.extend([name.len() as u8, 0]);
    header.extend([0; 12]);
    header.extend(number(at));
    header.extend(name.as_bytes());
    header
}

fn finish(mut bytes: Vec<u8>, directory: &[u8], count: usize) -> Vec<u8> {
    let at = bytes.len();
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
    bytes.extend([count, count].concat());
    bytes.extend(number(directory.len()));
    bytes.extend(number(at));
    bytes.extend([0, 0]);
    bytes
}

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}
