//! Writes OCI layouts of layers too large for memory.
//!
//! In goes a tar for each layer, as a file or as the output of a command, out comes a folder with
//! gzip layers, configuration, manifest and index. Source: OCI image specification.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// An OCI layout in the making.
pub(crate) struct Layout {
    folder: PathBuf,
    layers: Vec<Value>,
    diff_ids: Vec<Digest>,
    history: Vec<Value>,
}

impl Layout {
    /// An empty layout in a new folder.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs)
            .with_context(|| format!("`{}` cannot be made", blobs.display()))?;
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let folder = folder.to_owned();
        Ok(Self { folder, layers: Vec::new(), diff_ids: Vec::new(), history: Vec::new() })
    }

    /// Adds a layer from its plain tar, and the history entry of the command that made it; returns
    /// the plain size.
    pub(crate) fn layer(&mut self, tar: impl Read, command: &str) -> Result<u64> {
        let new = self.folder.join("blobs/new");
        let packed = Hashing::new(io::BufWriter::new(File::create(&new)?));
        // Level 6, as `docker build` and `gzip` have it; no name or time in the header.
        let mut packer = flate2::write::GzEncoder::new(packed, flate2::Compression::new(6));
        let mut plain = Hashing::new(io::sink());
        let mut tar = BufReader::with_capacity(1 << 20, tar);
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count = tar.read(&mut buffer).context("a layer's tar cannot be read")?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            plain.write_all(piece)?;
            packer.write_all(piece)?;
        }
        let (packed_digest, packed_size) = packer.finish()?.finish()?;
        let (diff_id, plain_size) = plain.finish()?;
        std::fs::rename(&new, self.folder.join("blobs/sha256").join(packed_digest.hex()))?;
        self.layers.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": packed_digest, "size": packed_size,
        }));
        self.diff_ids.push(diff_id);
        self.history.push(json!({"created": CREATED, "created_by": command}));
        Ok(plain_size)
    }

    /// Adds the history entry of a command that made no layer.
    pub(crate) fn empty_history(&mut self, command: &str) {
        self.history.push(json!({"created": CREATED, "created_by": command, "empty_layer": true}));
    }

    /// Writes configuration, manifest and index.
    pub(crate) fn finish(self, tag: &str, settings: &Value) -> Result<()> {
        let config = json!({
            "created": CREATED,
            "architecture": architecture(),
            "os": "linux",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids},
            "history": self.history,
        });
        let (config, config_size) = self.blob(&config)?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config, "size": config_size,
            },
            "layers": self.layers,
        });
        let (manifest, manifest_size) = self.blob(&manifest)?;
        let index = json!({
            "schemaVersion": 2,
            "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": manifest, "size": manifest_size,
                "platform": {"os": "linux", "architecture": architecture()},
                "annotations": {"org.opencontainers.image.ref.name": tag},
            }],
        });
        std::fs::write(self.folder.join("index.json"), index.to_string())?;
        // What `docker load` reads, so that the folder as a tar is its input too.
        let path = |digest: &str| format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"));
        let digests = self.layers.iter().filter_map(|layer| layer.get("digest")?.as_str());
        let saved = json!([{
            "Config": path(&config.to_string()), "RepoTags": [tag],
            "Layers": digests.map(path).collect::<Vec<_>>(),
        }]);
        std::fs::write(self.folder.join("manifest.json"), saved.to_string())?;
        Ok(())
    }

    fn blob(&self, value: &Value) -> Result<(Digest, usize)> {
        let bytes = value.to_string();
        let digest = Digest::of(bytes.as_bytes());
        std::fs::write(self.folder.join("blobs/sha256").join(digest.hex()), &bytes)?;
        Ok((digest, bytes.len()))
    }
}

/// The paths of the gzip layers of a layout that was written here, bottom first.
pub(crate) fn layer_blobs(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = |path: PathBuf| -> Result<Value> {
        let bytes = std::fs::read(&path).with_context(|| format!("`{}`", path.display()))?;
        Ok(serde_json::from_slice(&bytes)?)
    };
    let blob = |descriptor: Option<&Value>| -> Result<PathBuf> {
        let digest = descriptor.and_then(|one| one.get("digest")).and_then(Value::as_str);
        let digest: Digest = digest.context("a descriptor without digest")?.parse()?;
        Ok(folder.join("blobs/sha256").join(digest.hex()))
    };
    let index = read(folder.join("index.json"))?;
    let manifest = read(blob(index.pointer("/manifests/0"))?)?;
    let layers = manifest.get("layers").and_then(Value::as_array);
    layers.into_iter().flatten().map(|layer| blob(Some(layer))).collect()
}

/// The same moment in every image, so that the same input gives the same image.
const CREATED: &str = "2020-01-01T00:00:00Z";

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Passes bytes on, counting and hashing them.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), size: 0 }
    }

    fn finish(mut self) -> io::Result<(Digest, u64)> {
        self.inner.flush()?;
        Ok((Digest::sha256(self.hash.finalize().into()), self.size))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        self.size += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let tar = testkit::Tar::new().file("a", "b").finish();
        let mut layout = Layout::create(folder.path()).unwrap();
        let plain = layout.layer(tar.as_slice(), "COPY a /").unwrap();
        assert_eq!(plain, u64::try_from(tar.len()).unwrap());
        layout.empty_history("CMD [\"sh\"]");
        layout.finish("test:1", &json!({"Cmd": ["sh"]})).unwrap();
        let blobs = layer_blobs(folder.path()).unwrap();
        let [blob] = blobs.as_slice() else { panic!("{blobs:?}") };
        let packed = std::fs::read(blob).unwrap();
        assert_eq!(blob.file_name().unwrap().to_str(), Some(Digest::of(&packed).hex().as_str()));
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, tar);
    }
}
