//! Stands in for the walk in the tests of catalogers: layers of files in, a resolution out.
//!
//! Squashes by path with whiteouts and symbolic links, which is all that a cataloger sees of it; the
//! real walk has its own tests. Also reads the layers of the OCI layouts that lie beside a checkout.

use image::{
    About, Check, Entry, FactAt, Flow, Interest, Reader, Resolution, SubjectShape, View, Want,
};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vocabulary::{Distribution, FileKind};

enum Item {
    File(String, Vec<u8>),
    Link(String, String),
    Whiteout(String),
}

/// Layers of an image under test.
#[derive(Default)]
pub(crate) struct Layers {
    layers: Vec<Vec<Item>>,
    distribution: Option<Distribution>,
    source: bool,
}

impl Layers {
    /// Opens the next layer.
    pub(crate) fn layer(mut self) -> Self {
        self.layers.push(Vec::new());
        self
    }

    /// A file in the topmost layer.
    pub(crate) fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.item(Item::File(path.into(), bytes.as_ref().to_vec()))
    }

    /// A symbolic link in the topmost layer.
    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.item(Item::Link(path.into(), target.into()))
    }

    /// The topmost layer removes a path of the layers below.
    pub(crate) fn whiteout(self, path: &str) -> Self {
        self.item(Item::Whiteout(path.into()))
    }

    /// The distribution that the view tells.
    pub(crate) fn distribution(mut self, id: &str, version: &str) -> Self {
        self.distribution = Some(Distribution {
            id: id.into(),
            version: version.into(),
            codename: None,
            pretty_name: None,
            like: Vec::new(),
        });
        self
    }

    /// A source folder rather than a root file system.
    #[allow(dead_code, reason = "for catalogers of declarations")]
    pub(crate) fn source(mut self) -> Self {
        self.source = true;
        self
    }

    fn item(mut self, item: Item) -> Self {
        self.layers.last_mut().expect("call layer() first").push(item);
        self
    }

    /// What the check makes of the layers.
    pub(crate) fn resolve(&self, check: &dyn Check) -> Resolution {
        self.with_view(check, |view| check.resolve(view))
    }

    /// Runs the check over the layers and shows its view.
    pub(crate) fn with_view<T>(&self, check: &dyn Check, show: impl FnOnce(&View<'_>) -> T) -> T {
        let mut read = Vec::new();
        let mut symlinks = HashMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            for item in layer {
                match item {
                    Item::File(path, bytes) => {
                        symlinks.remove(path);
                        match read_file(check.readers()[0], path, bytes) {
                            Ok(fact) => read.push((index, path.as_str(), fact)),
                            Err(reason) => panic!("`{path}`: {reason}"),
                        }
                    }
                    Item::Link(path, target) => {
                        symlinks.insert(path.clone(), target.clone());
                    }
                    Item::Whiteout(path) => {
                        symlinks.remove(path);
                    }
                }
            }
        }
        let stays = |layer: usize, path: &str| {
            let above = self.layers.iter().skip(layer + 1).flatten();
            !above.into_iter().any(|item| match item {
                Item::File(other, _) | Item::Link(other, _) | Item::Whiteout(other) => {
                    other == path
                }
            })
        };
        let facts = read
            .iter()
            .filter_map(|(layer, path, fact)| {
                Some(FactAt {
                    path,
                    layer: Some(u32::try_from(*layer).unwrap()),
                    fact: fact.as_deref()?,
                    stays: stays(*layer, path),
                })
            })
            .collect();
        let shape = if self.source { SubjectShape::Source } else { SubjectShape::RootFileSystem };
        let count = u32::try_from(self.layers.len()).unwrap();
        let about = About { distribution: self.distribution.as_ref(), ..About::tree(shape) };
        show(&View::new(facts, &symlinks, about, count))
    }
}

/// What the check learns of one file; none where it does not want it.
pub(crate) fn read_file(
    check: &dyn Reader,
    path: &str,
    bytes: &[u8],
) -> Result<Option<Vec<u8>>, image::ReadError> {
    let size = u64::try_from(bytes.len()).unwrap();
    let entry = Entry { path, kind: FileKind::File, mode: 0o644, size };
    let interesting = check.interests().iter().any(|interest| match interest {
        Interest::Path(at) => *at == path,
        Interest::Under(folder) => path.starts_with(folder),
        Interest::Name(name) => *name == entry.name(),
        Interest::Extension(extension) => {
            entry.name().rsplit_once('.').is_some_and(|(_, end)| end == *extension)
        }
        Interest::Magic(magic) => bytes.starts_with(magic),
        Interest::Every | Interest::Text { .. } => true,
    });
    if !interesting {
        return Ok(None);
    }
    match check.wants(&entry, &bytes[..bytes.len().min(512)]) {
        Want::No => Ok(None),
        Want::Whole { at_most } if size <= at_most => check.read(&entry, bytes),
        Want::Whole { .. } => Err(image::ReadError::new("too large")),
        Want::Stream(mut reading) => {
            for piece in bytes.chunks(1000) {
                if reading.push(piece) == Flow::Enough {
                    break;
                }
            }
            reading.finish()
        }
    }
}

/// The folder of real data beside the checkout, if it is there.
pub(crate) fn shared() -> Option<PathBuf> {
    testkit::shared()
}

/// The one layer of an OCI layout as files.
pub(crate) fn oci_layer(layout: &Path) -> Vec<(String, Vec<u8>)> {
    let blob = |digest: &serde_json::Value| {
        let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
        std::fs::read(layout.join("blobs/sha256").join(hex)).unwrap()
    };
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let index = json(&std::fs::read(layout.join("index.json")).unwrap());
    let manifest = json(&blob(&index["manifests"][0]["digest"]));
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(blob(&layers[0]["digest"]).as_slice())
        .read_to_end(&mut plain)
        .unwrap();
    tar_files(&plain)
}

/// The regular files of a tar in ustar form with short names.
pub(crate) fn tar_files(mut tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    while tar.len() >= 512 && tar[0] != 0 {
        let (header, rest) = tar.split_at(512);
        let until_nul = |field: &[u8]| {
            String::from_utf8_lossy(field.split(|b| *b == 0).next().unwrap()).into_owned()
        };
        let octal = until_nul(&header[124..136]);
        let size = usize::from_str_radix(octal.trim(), 8).unwrap();
        if matches!(header[156], b'0' | 0) {
            let name = until_nul(&header[..100]);
            files.push((name.trim_start_matches("./").to_owned(), rest[..size].to_vec()));
        }
        tar = rest.get(size.div_ceil(512) * 512..).unwrap_or_default();
    }
    files
}

/// A root file system of one layer out of a layout beside the checkout.
pub(crate) fn shared_image(name: &str) -> Option<Layers> {
    let layout = shared()?.join("images").join(name);
    let mut layers = Layers::default().layer();
    for (path, bytes) in oci_layer(&layout) {
        layers = layers.file(&path, bytes);
    }
    let distribution =
        layers.with_view(&crate::os_release::OsRelease, crate::os_release::distribution);
    layers.distribution = distribution;
    Some(layers)
}
