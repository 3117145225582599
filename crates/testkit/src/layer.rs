//! Builds one layer: files, links, whiteouts, and how it is packed.
//!
//! Source: OCI image specification, "Image Layer Filesystem Changeset".

use crate::tar::{Entry, Tar};
use std::io::Write as _;

/// How a layer is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip.
    #[default]
    Gzip,
    /// With zstd.
    Zstd,
}

impl Compression {
    /// Packs bytes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "packing into memory cannot fail")]
    pub fn pack(self, plain: &[u8]) -> Vec<u8> {
        match self {
            Self::None => plain.to_vec(),
            Self::Gzip => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(plain).expect("memory takes all");
                encoder.finish().expect("memory takes all")
            }
            Self::Zstd => zstd::stream::encode_all(plain, 1).expect("memory takes all"),
        }
    }
}

/// A layer in the making.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    entries: Vec<Entry>,
    plain: Option<Vec<u8>>,
    packed: Option<Vec<u8>>,
    compression: Compression,
}

impl Layer {
    /// An empty layer, packed with gzip.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A layer whose plain bytes are these, be they a tar or not.
    pub fn of_bytes(plain: impl Into<Vec<u8>>) -> Self {
        Self { plain: Some(plain.into()), ..Self::default() }
    }

    /// With a file.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::file(path, content))
    }

    /// With an executable file.
    #[must_use]
    pub fn program(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::file(path, content).mode(0o755))
    }

    /// With a directory.
    #[must_use]
    pub fn directory(self, path: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::directory(path))
    }

    /// With a symbolic link.
    #[must_use]
    pub fn symlink(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::symlink(path, target))
    }

    /// With a hard link.
    #[must_use]
    pub fn hard_link(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::hard_link(path, target))
    }

    /// Removes a path of the layers below.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        let marker = match path.rsplit_once('/') {
            Some((folder, name)) => format!("{folder}/.wh.{name}"),
            None => format!(".wh.{path}"),
        };
        self.entry(Entry::file(marker, ""))
    }

    /// Hides what the layers below have in a folder.
    #[must_use]
    pub fn opaque(self, folder: &str) -> Self {
        let separator = if folder.is_empty() { "" } else { "/" };
        self.entry(Entry::file(format!("{folder}{separator}.wh..wh..opq"), ""))
    }

    /// With any entry.
    #[must_use]
    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Packed in another way.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Stored as these bytes, whatever its plain ones are.
    #[must_use]
    pub fn stored_as(self, packed: impl Into<Vec<u8>>) -> Self {
        Self { packed: Some(packed.into()), ..self }
    }

    /// The bytes that are stored.
    #[must_use]
    pub fn packed(&self, compression: Compression) -> Vec<u8> {
        self.packed.clone().unwrap_or_else(|| compression.pack(&self.plain()))
    }

    /// How it is packed.
    #[must_use]
    pub const fn packing(&self) -> Compression {
        self.compression
    }

    /// The plain tar.
    #[must_use]
    pub fn plain(&self) -> Vec<u8> {
        if let Some(plain) = &self.plain {
            return plain.clone();
        }
        let mut tar = Tar::new();
        self.entries.iter().for_each(|entry| tar.push(entry));
        tar.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn every_packing_unpacks_to_the_same_tar() {
        let layer = Layer::new().file("a", "b").whiteout("etc/x").opaque("var");
        let plain = layer.plain();
        let mut gunzipped = Vec::new();
        let packed = Compression::Gzip.pack(&plain);
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut gunzipped).unwrap();
        assert_eq!(gunzipped, plain);
        let packed = Compression::Zstd.pack(&plain);
        assert_eq!(zstd::stream::decode_all(packed.as_slice()).unwrap(), plain);
        let text = String::from_utf8_lossy(&plain);
        assert!(text.contains("etc/.wh.x\0") && text.contains("var/.wh..wh..opq\0"));
    }
}
