//! Docker: its HTTP API, and its store on disk where that is local and readable.
//!
//! The API says which images and containers there are; where `overlay2` keeps their files is known
//! from the store's own records. What the store says is never believed: whoever reads a layer there
//! holds it against its diffID.

mod documents;
mod store;

use crate::error::{EngineError, one_line};
use crate::http::{Address, Answer, Http};
use crate::layers::{ContainerDetails, FolderRole, LayerFolder};
use crate::reference::Reference;
use crate::{Endpoints, limits, mountinfo};
use documents::{
    ContainerDocument, Driver, ImageDocument, Information, Listed, ListedContainer, VersionDocument,
};
use std::cell::OnceCell;
use std::io::Write;
use std::path::{Path, PathBuf};
pub(crate) use store::Store;
use vocabulary::{Container, Digest, Engine};

/// The newest API version that is spoken; older engines are asked in theirs.
const API: (u32, u32) = (1, 41);
/// The oldest one: that of Docker 1.13, which first had the documents in this form.
const OLDEST_API: (u32, u32) = (1, 25);

/// Docker, connected.
#[derive(Debug)]
pub struct Docker {
    http: Http,
    version: (u32, u32),
    store: OnceCell<Option<Store>>,
}

/// An image that Docker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerImage {
    /// Digest of its configuration. Where Docker keeps images in containerd's store: of its manifest.
    pub id: Digest,
    /// Its names, such as `demo:1`.
    pub tags: Vec<String>,
    /// Its names by digest, such as `demo@sha256:…`: where it was pulled from or pushed to.
    pub repo_digests: Vec<String>,
    /// Digests of the layers' plain tars, bottom first.
    pub diff_ids: Vec<Digest>,
    /// The configuration as it is stored, where the store is readable. Not verified: hold it against
    /// [`Self::id`].
    pub config: Option<Vec<u8>>,
    /// Where its layers lie unpacked, bottom first, where the store is local and readable. Each has
    /// what is needed to make its tar again.
    pub unpacked: Option<Vec<LayerFolder>>,
}

impl Docker {
    /// Connects, and agrees on a version of the API.
    ///
    /// # Errors
    /// Where nothing answers, or the answer is not Docker's.
    pub fn connect(endpoints: &Endpoints) -> Result<Self, EngineError> {
        let http = Http::new(Address::of_docker(&endpoints.docker)?)?;
        let bytes = require(http.get("/version")?, "/version")?;
        let document: VersionDocument = parse(&bytes, "/version")?;
        let served = documents::version(&document.api_version);
        let version = served.map_or(API, |served| served.min(API));
        if version < OLDEST_API {
            let reason = format!(
                "it speaks version {}.{} of the API, older than 1.25; update Docker",
                version.0, version.1
            );
            return Err(EngineError::Answer {
                engine: Engine::Docker,
                what: "/version".to_owned(),
                reason,
            });
        }
        Ok(Self { http, version, store: OnceCell::new() })
    }

    /// One image, by name or id.
    ///
    /// # Errors
    /// Where there is none, or its description cannot be read.
    pub fn image(&self, name: &str) -> Result<DockerImage, EngineError> {
        let mut image = self.image_document(name)?;
        if let Some(store) = self.store() {
            image.config = store.config(&image.id);
            image.unpacked = store.image_folders(&image.diff_ids);
        }
        Ok(image)
    }

    fn image_document(&self, name: &str) -> Result<DockerImage, EngineError> {
        check_image_name(name)?;
        let path = format!("/images/{}/json", encode(name));
        let bytes = match self.get(&path)? {
            Ok(bytes) => bytes,
            Err(refusal) if refusal.status == hyper::StatusCode::NOT_FOUND => {
                return Err(EngineError::NoImage { engine: Engine::Docker, name: name.to_owned() });
            }
            Err(refusal) => return Err(refused(&format!("image {name}"), refusal.message)),
        };
        let document: ImageDocument = parse(&bytes, &format!("image {name}"))?;
        image_of(document).map_err(|reason| answer(&format!("image {name}"), reason))
    }

    /// All images that have a name, without what the store knows of them.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub fn images(&self) -> Result<Vec<DockerImage>, EngineError> {
        let listed = self.listed("/images/json")?;
        let mut images = Vec::with_capacity(listed.len());
        for entry in listed {
            match self.image_document(&entry.id) {
                Ok(image) => images.push(image),
                // Removed meanwhile.
                Err(EngineError::NoImage { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(images)
    }

    /// The running containers.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub fn containers(&self) -> Result<Vec<Container>, EngineError> {
        let listed = self.listed("/containers/json")?;
        let mut containers = Vec::with_capacity(listed.len());
        for entry in listed {
            match self.container_document(&entry.id) {
                Ok(document) => containers.extend(document.container()),
                // Ended meanwhile.
                Err(EngineError::NoContainer { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(containers)
    }

    /// A container that is being started, as the list has it: without its process. Docker says no more
    /// of a container before its start is over.
    ///
    /// # Errors
    /// Where there is none, or the list cannot be read.
    pub fn starting(&self, id: &str) -> Result<Container, EngineError> {
        let none = || EngineError::NoContainer { name: one_line(id) };
        if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(none());
        }
        let filters = encode(&format!("{{\"id\":[\"{id}\"]}}"));
        let listed: Vec<documents::ListedContainer> =
            self.list(&format!("/containers/json?all=1&filters={filters}"))?;
        let found = listed.into_iter().map(documents::ListedContainer::container);
        found.into_iter().find(|container| container.id == id).ok_or_else(none)
    }

    /// One container, running or not, with the folders of its file system.
    ///
    /// # Errors
    /// Where there is none, or it cannot be told where its files lie.
    pub fn container(&self, name: &str) -> Result<ContainerDetails, EngineError> {
        let document = self.container_document(name)?;
        let container = document
            .container()
            .ok_or_else(|| answer(&format!("container {name}"), "its id or image is none"))?;
        let layers = self.folders(&container, document.graph_driver.as_ref());
        let layers = layers.map_err(|reason| EngineError::FileSystem {
            container: container.shown().to_owned(),
            reason,
        })?;
        Ok(ContainerDetails { container, layers })
    }

    fn folders(
        &self,
        container: &Container,
        driver: Option<&Driver>,
    ) -> Result<Vec<LayerFolder>, String> {
        let mut folders = match driver.and_then(Driver::overlay) {
            Some(overlay) if self.is_local() => overlay.folders(),
            _ => match container.pid {
                Some(pid) if self.is_local() => mountinfo::folders_of(pid)?,
                Some(_) => return Err("its Docker is not on this machine".to_owned()),
                None => {
                    return Err(
                        "it does not run, and its storage driver is not overlay2".to_owned()
                    );
                }
            },
        };
        self.name_layers(container, &mut folders);
        Ok(folders)
    }

    /// Adds to the folders which layer of the image each is.
    fn name_layers(&self, container: &Container, folders: &mut [LayerFolder]) {
        let image = container.image_id.as_ref().and_then(|id| self.image(&id.to_string()).ok());
        let Some(image) = image else { return };
        let known = image.unpacked.unwrap_or_default();
        for folder in folders {
            let FolderRole::Image { index, .. } = &folder.role else { continue };
            let by_path = known.iter().find(|layer| layer.path == folder.path);
            if let Some(layer) = by_path {
                folder.role = layer.role.clone();
                folder.tar_split.clone_from(&layer.tar_split);
            } else if known.is_empty() {
                let index = *index;
                let at = usize::try_from(index).unwrap_or(usize::MAX);
                folder.role = FolderRole::Image { index, diff_id: image.diff_ids.get(at).cloned() };
            }
        }
    }

    /// Writes what `docker save` would.
    ///
    /// # Errors
    /// Where there is no such image, or it cannot be written.
    pub fn export(&self, image: &str, out: &mut dyn Write) -> Result<(), EngineError> {
        check_image_name(image)?;
        let path = self.path(&format!("/images/{}/get", encode(image)));
        let answer =
            self.http.fetch(&path, limits::EXPORT, limits::EXPORT_BYTES, &mut |piece| {
                out.write_all(piece)
                    .map_err(|source| EngineError::Write { image: image.to_owned(), source })
            })?;
        answer.map_err(|refusal| match refusal.status {
            hyper::StatusCode::NOT_FOUND => {
                EngineError::NoImage { engine: Engine::Docker, name: image.to_owned() }
            }
            _ => refused(&format!("export of {image}"), refusal.message),
        })
    }

    fn container_document(&self, name: &str) -> Result<ContainerDocument, EngineError> {
        let none = || EngineError::NoContainer { name: one_line(name) };
        // Docker's names of containers: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`; ids are among them.
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if !name.bytes().all(good)
            || !name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            || name.len() > limits::NAME_BYTES
        {
            return Err(none());
        }
        let bytes = match self.get(&format!("/containers/{name}/json"))? {
            Ok(bytes) => bytes,
            Err(refusal) if refusal.status == hyper::StatusCode::NOT_FOUND => return Err(none()),
            Err(refusal) => return Err(refused(&format!("container {name}"), refusal.message)),
        };
        parse(&bytes, &format!("container {name}"))
    }

    fn list<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, EngineError> {
        let bytes = require(self.get(path)?, path)?;
        parse(&bytes, path)
    }

    /// A list of what is asked for one by one.
    fn listed(&self, path: &str) -> Result<Vec<Listed>, EngineError> {
        let listed: Vec<Listed> = self.list(path)?;
        if listed.len() > limits::LISTED {
            return Err(answer(path, format!("it lists more than {}", limits::LISTED)));
        }
        Ok(listed)
    }

    fn get(&self, path: &str) -> Answer<Vec<u8>> {
        self.http.get(&self.path(path))
    }

    fn path(&self, path: &str) -> String {
        let (major, minor) = self.version;
        format!("/v{major}.{minor}{path}")
    }

    /// A daemon behind TCP may be anywhere: its paths are not this machine's.
    const fn is_local(&self) -> bool {
        matches!(self.http.address(), Address::Unix(_))
    }

    fn store(&self) -> Option<&Store> {
        let find = || {
            let information: Information = self.list("/info").ok()?;
            let root = PathBuf::from(information.root);
            (self.is_local() && information.driver == "overlay2" && is_plain(&root))
                .then(|| Store::open(&root))
                .flatten()
        };
        self.store.get_or_init(find).as_ref()
    }
}

fn is_plain(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|part| part.as_os_str() == "..")
}

/// A name, or an id in full or in part; all of these have the form of names.
fn check_image_name(name: &str) -> Result<(), EngineError> {
    if name.parse::<Digest>().is_ok() {
        return Ok(());
    }
    name.parse::<Reference>().map(drop).map_err(EngineError::from)
}

fn encode(name: &str) -> String {
    // What a reference may hold, and stands for itself in a path.
    const OTHER: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b':')
        .remove(b'@')
        .remove(b'.')
        .remove(b'_')
        .remove(b'-');
    percent_encoding::utf8_percent_encode(name, OTHER).to_string()
}

fn image_of(document: ImageDocument) -> Result<DockerImage, String> {
    let digest = |text: &str| text.parse::<Digest>().map_err(|error| error.to_string());
    let diff_ids = document.root_fs.layers;
    if diff_ids.len() > limits::LAYERS {
        return Err(format!("it has more than {} layers", limits::LAYERS));
    }
    Ok(DockerImage {
        id: digest(&document.id)?,
        tags: document.repo_tags.iter().map(|tag| documents::plain(tag)).collect(),
        repo_digests: document.repo_digests.iter().map(|name| documents::plain(name)).collect(),
        diff_ids: diff_ids.iter().map(|id| digest(id)).collect::<Result<_, _>>()?,
        config: None,
        unpacked: None,
    })
}

fn require<T>(answer: Result<T, crate::http::Refusal>, what: &str) -> Result<T, EngineError> {
    answer.map_err(|refusal| refused(what, refusal.message))
}

fn refused(what: &str, message: String) -> EngineError {
    EngineError::Refused { engine: Engine::Docker, what: one_line(what), message }
}

fn answer(what: &str, reason: impl AsRef<str>) -> EngineError {
    let (what, reason) = (one_line(what), one_line(reason.as_ref()));
    EngineError::Answer { engine: Engine::Docker, what, reason }
}

/// Reads an answer as each of those that are asked for, for fuzzing.
pub fn read_as_any(bytes: &[u8]) {
    if let Ok(document) = parse::<VersionDocument>(bytes, "") {
        let _ = documents::version(&document.api_version);
    }
    let _ = parse::<Information>(bytes, "");
    let _ = parse::<Vec<Listed>>(bytes, "");
    for listed in parse::<Vec<ListedContainer>>(bytes, "").unwrap_or_default() {
        let _ = listed.container();
    }
    let _ = parse::<ImageDocument>(bytes, "").map(image_of);
    if let Ok(document) = parse::<ContainerDocument>(bytes, "") {
        let _ = document.container();
        let _ = document.graph_driver.as_ref().and_then(Driver::overlay);
    }
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, EngineError> {
    serde_json::from_slice(bytes).map_err(|error| answer(what, error.to_string()))
}
