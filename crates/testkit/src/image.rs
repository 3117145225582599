//! Builds images in the layouts that tools write: OCI layout (folder and archive), `docker save` up
//! to version 24, and since 25.
//!
//! Source: OCI image specification ("Image Layout", "Image Manifest", "Image Configuration", "Image
//! Index"); Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".

use crate::layer::{Compression, Layer};
use crate::tar::{Entry, Tar};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use vocabulary::Digest;

/// Whose media types a manifest uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaTypes {
    /// `application/vnd.oci.image.…`
    #[default]
    Oci,
    /// `application/vnd.docker.…`
    Docker,
}

/// A way in which an image's digests do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// The stored bytes of this layer are others than the manifest says (same length).
    LayerBytes(usize),
    /// The manifest names another size for this layer.
    LayerSize(usize),
    /// The size that the manifest states for the configuration.
    ConfigSize,
    /// The size that the index states for the manifest.
    ManifestSize,
    /// The configuration names another diffID for this layer.
    DiffId(usize),
    /// The stored configuration is another one than the manifest says.
    Config,
    /// The stored manifest is another one than the index says.
    Manifest,
    /// The blob of this layer is missing.
    MissingLayer(usize),
}

/// An image in the making.
#[derive(Clone, Debug)]
pub struct ImageBuilder {
    layers: Vec<Layer>,
    history: Vec<Value>,
    platform: (String, String, Option<String>),
    tags: Vec<String>,
    settings: BTreeMap<String, Value>,
    media_types: MediaTypes,
    breakages: Vec<Breakage>,
    annotations: BTreeMap<String, String>,
}

impl Default for ImageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// The parts of a built image, as they are stored.
#[derive(Clone, Debug)]
pub struct Built {
    /// The manifest.
    pub manifest: Vec<u8>,
    /// What the index says is its digest.
    pub manifest_digest: Digest,
    /// The configuration.
    pub config: Vec<u8>,
    /// What the manifest says is its digest.
    pub config_digest: Digest,
    /// The layers, bottom first.
    pub layers: Vec<BuiltLayer>,
    descriptor: Value,
}

/// One layer, as it is stored.
#[derive(Clone, Debug)]
pub struct BuiltLayer {
    /// The stored bytes; none where the blob is to be missing.
    pub packed: Option<Vec<u8>>,
    /// The plain tar.
    pub plain: Vec<u8>,
    /// What the manifest says is the digest of the stored bytes.
    pub digest: Digest,
    /// The digest of the plain tar.
    pub diff_id: Digest,
}

impl ImageBuilder {
    /// An image without layers, for linux/amd64.
    #[must_use]
    pub fn new() -> Self {
        Self {
            layers: Vec::new(),
            history: Vec::new(),
            platform: ("linux".to_owned(), "amd64".to_owned(), None),
            tags: Vec::new(),
            settings: BTreeMap::new(),
            media_types: MediaTypes::Oci,
            breakages: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }

    /// With a layer on top. It has no history of its own before [`Self::history`] is called.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// With a history entry for a layer; call it once a layer, in their order.
    #[must_use]
    pub fn history(mut self, command: &str) -> Self {
        self.history.push(json!({"created": "2020-09-13T12:26:40Z", "created_by": command}));
        self
    }

    /// With a history entry that made no layer, such as `CMD ["bash"]`.
    #[must_use]
    pub fn empty_history(mut self, command: &str) -> Self {
        self.history.push(json!({
            "created": "2020-09-13T12:26:40Z", "created_by": command, "empty_layer": true
        }));
        self
    }

    /// For another platform, `os/architecture[/variant]`.
    #[must_use]
    pub fn platform(mut self, platform: &str) -> Self {
        let mut parts = platform.split('/').map(str::to_owned);
        self.platform =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        self
    }

    /// With a name, such as `app:1.2`.
    #[must_use]
    pub fn tag(mut self, name: &str) -> Self {
        self.tags.push(name.to_owned());
        self
    }

    /// With a label in the configuration.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        let labels = self.settings.entry("Labels".to_owned()).or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(key.to_owned(), json!(value));
        }
        self
    }

    /// With an annotation on the manifest.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With a setting of the container, such as `Env`, `Cmd` or `User`.
    #[must_use]
    pub fn setting(mut self, key: &str, value: Value) -> Self {
        self.settings.insert(key.to_owned(), value);
        self
    }

    /// With other media types.
    #[must_use]
    pub const fn media_types(mut self, media_types: MediaTypes) -> Self {
        self.media_types = media_types;
        self
    }

    /// With a digest that does not hold.
    #[must_use]
    pub fn breaking(mut self, breakage: Breakage) -> Self {
        self.breakages.push(breakage);
        self
    }

    /// Makes its parts.
    #[must_use]
    pub fn build(&self) -> Built {
        self.build_packed(|layer| layer.packing())
    }

    fn build_packed(&self, packing: impl Fn(&Layer) -> Compression) -> Built {
        let layers: Vec<BuiltLayer> = self
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| self.build_layer(index, layer, packing(layer)))
            .collect();
        let config = self.config(&layers);
        let config_digest = Digest::of(&config);
        let descriptors: Vec<Value> = self
            .layers
            .iter()
            .zip(&layers)
            .enumerate()
            .map(|(index, (layer, built))| {
                let length = built.packed.as_ref().map_or(built.plain.len(), Vec::len);
                let wrong = usize::from(self.has(Breakage::LayerSize(index)));
                json!({
                    "mediaType": self.layer_type(packing(layer)),
                    "digest": built.digest, "size": length + wrong,
                })
            })
            .collect();
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": self.manifest_type(),
            "config": {
                "mediaType": self.config_type(), "digest": config_digest,
                "size": config.len() + usize::from(self.has(Breakage::ConfigSize)),
            },
            "layers": descriptors,
        });
        if let (false, Some(fields)) = (self.annotations.is_empty(), manifest.as_object_mut()) {
            fields.insert("annotations".to_owned(), json!(self.annotations));
        }
        let manifest = text(&manifest);
        let manifest_digest = Digest::of(&manifest);
        let descriptor = self.descriptor(&manifest, &manifest_digest);
        Built {
            manifest: spoil(manifest, self.has(Breakage::Manifest)),
            manifest_digest,
            config: spoil(config, self.has(Breakage::Config)),
            config_digest,
            layers,
            descriptor,
        }
    }

    /// Writes an OCI layout into a folder.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write_oci_dir(&self, folder: impl AsRef<Path>) -> io::Result<Built> {
        let built = self.build();
        write_files(folder.as_ref(), &oci_files(&[(self, &built)], false))?;
        Ok(built)
    }

    /// An OCI layout as a tar.
    #[must_use]
    pub fn oci_archive(&self) -> Vec<u8> {
        archive(&oci_files(&[(self, &self.build())], false))
    }

    /// What `docker save` writes since version 25: an OCI layout of plain layers, and a
    /// `manifest.json`.
    #[must_use]
    pub fn docker_archive(&self) -> Vec<u8> {
        let built = self.build_packed(|_| Compression::None);
        let mut files = oci_files(&[(self, &built)], false);
        let layers: Vec<String> = built.layers.iter().map(|layer| blob(&layer.digest)).collect();
        let manifest = json!([{
            "Config": blob(&built.config_digest), "RepoTags": self.tags, "Layers": layers,
        }]);
        files.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
        archive(&files)
    }

    /// What `docker save` wrote up to version 24: a folder for each layer with `VERSION`, `json` and
    /// `layer.tar`; a layer that occurs twice is a symbolic link the second time.
    #[must_use]
    pub fn docker_archive_old(&self) -> Vec<u8> {
        let built = self.build_packed(|_| Compression::None);
        let mut tar = Tar::new();
        let mut folders: Vec<(Digest, String)> = Vec::new();
        let mut paths = Vec::new();
        for (index, layer) in built.layers.iter().enumerate() {
            let id = Digest::of(format!("{index} {}", layer.diff_id).as_bytes()).hex();
            let parent = folders.last().map(|(_, id)| id.clone());
            let mut description = json!({"id": id, "os": self.platform.0});
            if let (Some(parent), Some(fields)) = (parent, description.as_object_mut()) {
                fields.insert("parent".to_owned(), json!(parent));
            }
            tar.push(&Entry::directory(format!("{id}/")));
            tar.push(&Entry::file(format!("{id}/VERSION"), "1.0"));
            tar.push(&Entry::file(format!("{id}/json"), description.to_string()));
            let path = format!("{id}/layer.tar");
            match (folders.iter().find(|(known, _)| *known == layer.diff_id), &layer.packed) {
                (Some((_, first)), _) => {
                    tar.push(&Entry::symlink(&path, format!("../{first}/layer.tar")));
                }
                (None, Some(packed)) => tar.push(&Entry::file(&path, packed)),
                (None, None) => {}
            }
            folders.push((layer.diff_id.clone(), id));
            paths.push(path);
        }
        let config = format!("{}.json", built.config_digest.hex());
        tar.push(&Entry::file(&config, &built.config));
        let manifest = json!([{"Config": config, "RepoTags": self.tags, "Layers": paths}]);
        tar.push(&Entry::file("manifest.json", manifest.to_string()));
        tar.finish()
    }

    fn build_layer(&self, index: usize, layer: &Layer, compression: Compression) -> BuiltLayer {
        let plain = layer.plain();
        let packed = layer.packed(compression);
        let (named, packed) = match self.has(Breakage::LayerBytes(index)) {
            true => twins(packed, compression),
            false => (packed.clone(), packed),
        };
        let digest = Digest::of(&named);
        let packed = (!self.has(Breakage::MissingLayer(index))).then_some(packed);
        BuiltLayer { packed, digest, diff_id: Digest::of(&plain), plain }
    }

    fn config(&self, layers: &[BuiltLayer]) -> Vec<u8> {
        let diff_ids: Vec<Digest> = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| match self.has(Breakage::DiffId(index)) {
                true => Digest::of(b"another layer"),
                false => layer.diff_id.clone(),
            })
            .collect();
        let (os, architecture, variant) = &self.platform;
        let mut config = json!({
            "architecture": architecture,
            "os": os,
            "created": "2020-09-13T12:26:40Z",
            "config": self.settings,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": self.history,
        });
        if let (Some(variant), Some(fields)) = (variant, config.as_object_mut()) {
            fields.insert("variant".to_owned(), json!(variant));
        }
        text(&config)
    }

    fn descriptor(&self, manifest: &[u8], digest: &Digest) -> Value {
        let (os, architecture, variant) = &self.platform;
        let mut platform = json!({"os": os, "architecture": architecture});
        if let (Some(variant), Some(fields)) = (variant, platform.as_object_mut()) {
            fields.insert("variant".to_owned(), json!(variant));
        }
        let mut descriptor = json!({
            "mediaType": self.manifest_type(), "digest": digest,
            "size": manifest.len() + usize::from(self.has(Breakage::ManifestSize)),
            "platform": platform,
        });
        if let (Some(tag), Some(fields)) = (self.tags.first(), descriptor.as_object_mut()) {
            fields.insert(
                "annotations".to_owned(),
                json!({"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": tag}),
            );
        }
        descriptor
    }

    fn has(&self, breakage: Breakage) -> bool {
        self.breakages.contains(&breakage)
    }

    const fn manifest_type(&self) -> &'static str {
        match self.media_types {
            MediaTypes::Oci => "application/vnd.oci.image.manifest.v1+json",
            MediaTypes::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    const fn config_type(&self) -> &'static str {
        match self.media_types {
            MediaTypes::Oci => "application/vnd.oci.image.config.v1+json",
            MediaTypes::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    const fn layer_type(&self, compression: Compression) -> &'static str {
        match (self.media_types, compression) {
            (MediaTypes::Oci, Compression::None) => "application/vnd.oci.image.layer.v1.tar",
            (MediaTypes::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (MediaTypes::Oci, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (MediaTypes::Docker, Compression::None) => {
                "application/vnd.docker.image.rootfs.diff.tar"
            }
            (MediaTypes::Docker, Compression::Gzip) => {
                "application/vnd.docker.image.rootfs.diff.tar.gzip"
            }
            (MediaTypes::Docker, Compression::Zstd) => {
                "application/vnd.docker.image.rootfs.diff.tar.zstd"
            }
        }
    }
}

/// Several images under one index, one a platform.
#[derive(Clone, Debug, Default)]
pub struct ImageIndex {
    images: Vec<ImageBuilder>,
    nested: bool,
}

impl ImageIndex {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With an image.
    #[must_use]
    pub fn image(mut self, image: ImageBuilder) -> Self {
        self.images.push(image);
        self
    }

    /// With the index itself a blob that `index.json` names, as registries and buildx store it.
    #[must_use]
    pub const fn nested(mut self) -> Self {
        self.nested = true;
        self
    }

    /// Writes an OCI layout into a folder.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write_oci_dir(&self, folder: impl AsRef<Path>) -> io::Result<Vec<Built>> {
        let (files, built) = self.files();
        write_files(folder.as_ref(), &files)?;
        Ok(built)
    }

    /// An OCI layout as a tar.
    #[must_use]
    pub fn oci_archive(&self) -> Vec<u8> {
        archive(&self.files().0)
    }

    fn files(&self) -> (BTreeMap<String, Vec<u8>>, Vec<Built>) {
        let built: Vec<Built> = self.images.iter().map(ImageBuilder::build).collect();
        let pairs: Vec<_> = self.images.iter().zip(&built).collect();
        (oci_files(&pairs, self.nested), built)
    }
}

/// The files of an OCI layout by path.
fn oci_files(images: &[(&ImageBuilder, &Built)], nested: bool) -> BTreeMap<String, Vec<u8>> {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let mut files = BTreeMap::new();
    files.insert("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
    for (_, built) in images {
        files.insert(blob(&built.manifest_digest), built.manifest.clone());
        files.insert(blob(&built.config_digest), built.config.clone());
        for layer in &built.layers {
            if let Some(packed) = &layer.packed {
                files.insert(blob(&layer.digest), packed.clone());
            }
        }
    }
    let manifests: Vec<&Value> = images.iter().map(|(_, built)| &built.descriptor).collect();
    let mut index =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
    if nested {
        let digest = Digest::of(index.as_bytes());
        let outer = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {"mediaType": INDEX, "digest": digest, "size": index.len()}
        ]});
        files.insert(blob(&digest), index.into_bytes());
        index = outer.to_string();
    }
    files.insert("index.json".to_owned(), index.into_bytes());
    files
}

fn blob(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// A JSON text that ends in a line feed, or, where it is to be a false one, in a space: the same
/// length and meaning, another digest.
fn spoil(mut text: Vec<u8>, yes: bool) -> Vec<u8> {
    if let (true, Some(last)) = (yes, text.last_mut()) {
        *last = b' ';
    }
    text
}

fn text(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

/// A packed layer, and another one of the same length that unpacks to the same bytes.
fn twins(mut packed: Vec<u8>, compression: Compression) -> (Vec<u8>, Vec<u8>) {
    let at = match compression {
        // The modification time (RFC 1952).
        Compression::Gzip => 4,
        // The end of a skippable frame (RFC 8878, 3.1.2).
        Compression::Zstd => {
            packed.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]);
            packed.len() - 1
        }
        // Padding behind the closing blocks.
        Compression::None => packed.len().saturating_sub(1),
    };
    let mut other = packed.clone();
    if let Some(byte) = other.get_mut(at) {
        *byte ^= 1;
    }
    (packed, other)
}

fn write_files(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for (path, content) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}

fn archive(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut tar = Tar::new();
    for folder in ["blobs/", "blobs/sha256/"] {
        tar.push(&Entry::directory(folder));
    }
    files.iter().for_each(|(path, content)| tar.push(&Entry::file(path, content)));
    tar.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ImageBuilder {
        ImageBuilder::new()
            .layer(Layer::new().file("a", "1"))
            .history("COPY a /")
            .layer(Layer::new().whiteout("a").compression(Compression::Zstd))
            .history("RUN rm a")
            .empty_history("CMD [\"sh\"]")
            .tag("app:1")
            .label("key", "value")
    }

    fn read(folder: &Path, digest: &Value) -> Vec<u8> {
        let path = digest.as_str().unwrap().replace(':', "/");
        std::fs::read(folder.join("blobs").join(path)).unwrap()
    }

    #[test]
    fn every_digest_of_an_oci_layout_holds() {
        let folder = tempfile::tempdir().unwrap();
        ImageIndex::new()
            .image(image())
            .image(image().platform("linux/arm64/v8").media_types(MediaTypes::Docker))
            .write_oci_dir(folder.path())
            .unwrap();
        let index: Value =
            serde_json::from_slice(&std::fs::read(folder.path().join("index.json")).unwrap())
                .unwrap();
        for descriptor in index["manifests"].as_array().unwrap() {
            let bytes = read(folder.path(), &descriptor["digest"]);
            assert_eq!(json!(Digest::of(&bytes)), descriptor["digest"]);
            let manifest: Value = serde_json::from_slice(&bytes).unwrap();
            let config = read(folder.path(), &manifest["config"]["digest"]);
            assert_eq!(json!(Digest::of(&config)), manifest["config"]["digest"]);
            let layers = manifest["layers"].as_array().unwrap();
            assert_eq!(layers.len(), 2);
            for layer in layers {
                let bytes = read(folder.path(), &layer["digest"]);
                assert_eq!(
                    (json!(Digest::of(&bytes)), json!(bytes.len())),
                    (layer["digest"].clone(), layer["size"].clone())
                );
            }
        }
    }

    #[test]
    fn a_broken_image_differs_only_where_it_was_broken() {
        for (index, packed) in [(0, Compression::Gzip), (1, Compression::Zstd)] {
            let built = image().breaking(Breakage::LayerBytes(index)).build();
            let layer = &built.layers[index];
            let stored = layer.packed.clone().unwrap();
            assert_ne!(Digest::of(&stored), layer.digest);
            let plain = match packed {
                Compression::Zstd => zstd::stream::decode_all(stored.as_slice()).unwrap(),
                _ => {
                    let mut plain = Vec::new();
                    let mut decoder = flate2::read::GzDecoder::new(stored.as_slice());
                    io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
                    plain
                }
            };
            assert_eq!(plain, layer.plain);
        }
        for breakage in [Breakage::Config, Breakage::Manifest] {
            let built = image().breaking(breakage).build();
            let held = Digest::of(&built.config) == built.config_digest;
            assert_eq!(held, breakage != Breakage::Config);
            let held = Digest::of(&built.manifest) == built.manifest_digest;
            assert_eq!(held, breakage != Breakage::Manifest);
            assert!(serde_json::from_slice::<Value>(&built.manifest).is_ok());
        }
        assert!(image().breaking(Breakage::MissingLayer(0)).build().layers[0].packed.is_none());
    }

    #[test]
    fn both_docker_layouts_name_their_parts() {
        let twice = image().layer(Layer::new().file("a", "1")).history("COPY a /");
        let old = twice.docker_archive_old();
        let text = String::from_utf8_lossy(&old);
        assert!(
            text.contains("/VERSION") && text.contains("manifest.json") && text.contains("../")
        );
        let new = image().docker_archive();
        let text = String::from_utf8_lossy(&new);
        assert!(text.contains("oci-layout") && text.contains("\"RepoTags\":[\"app:1\"]"));
    }
}
