//! containerd: its gRPC services, and its content store on disk.
//!
//! containerd knows a container's image by name only, and names move. So the image's identity is
//! told by the snapshot that the container was made from: its parent is the chain id of the image's
//! layers, which follows from one configuration alone.

mod content;
mod grpc;
pub mod messages;
pub mod protobuf;
mod store;

pub use content::Configuration;
pub use store::{read_as_store, stored_image};

use crate::error::{EngineError, one_line};
use crate::layers::{ContainerDetails, FolderRole, LayerFolder};
use crate::reference::Reference;
use crate::{Endpoints, limits, mountinfo};
use grpc::{Grpc, NOT_FOUND, UNIMPLEMENTED, wrong};
use protobuf::Damaged;
use std::path::PathBuf;
use vocabulary::{Container, Digest, Engine};

const LIST_IMAGES: &str = "/containerd.services.images.v1.Images/List";
const GET_IMAGE: &str = "/containerd.services.images.v1.Images/Get";
const LIST_CONTAINERS: &str = "/containerd.services.containers.v1.Containers/List";
const GET_CONTAINER: &str = "/containerd.services.containers.v1.Containers/Get";
const LIST_TASKS: &str = "/containerd.services.tasks.v1.Tasks/List";
const STAT_SNAPSHOT: &str = "/containerd.services.snapshots.v1.Snapshots/Stat";
const PLUGINS: &str = "/containerd.services.introspection.v1.Introspection/Plugins";

/// The content store where containerd does not say it: below its default root.
const DEFAULT_CONTENT: &str = "/var/lib/containerd/io.containerd.content.v1.content";

/// containerd, connected.
#[derive(Debug)]
pub struct Containerd {
    grpc: Grpc,
    content: PathBuf,
}

/// An image that containerd holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerdImage {
    /// Its name, such as `docker.io/library/demo:1`.
    pub name: String,
    /// Digest of its manifest, or of the index over its manifests.
    pub target: Digest,
    /// Media type of that.
    pub media_type: String,
    /// Folder of the content store: blobs lie in `blobs/<algorithm>/<hex>` below it.
    pub content: PathBuf,
}

impl ContainerdImage {
    /// Its configurations, one for each platform whose content is there.
    #[must_use]
    pub fn configurations(&self) -> Vec<Configuration> {
        content::configurations(&self.content, &self.target)
    }
}

impl Containerd {
    /// Connects, and asks where the content store is.
    ///
    /// # Errors
    /// Where nothing answers, or the answer is not containerd's.
    pub fn connect(endpoints: &Endpoints) -> Result<Self, EngineError> {
        let grpc = Grpc::new(&endpoints.containerd, &endpoints.namespace)?;
        let asked = messages::ask(1, "type==io.containerd.content.v1");
        let content = match grpc.call(PLUGINS, &asked)? {
            Ok(message) => entries(PLUGINS, &message, messages::root)?.into_iter().flatten().next(),
            Err(status) if status.code == UNIMPLEMENTED => None,
            Err(status) => return Err(refused("its plugins", status.message)),
        };
        let content = content.map_or_else(|| PathBuf::from(DEFAULT_CONTENT), PathBuf::from);
        Ok(Self { grpc, content })
    }

    /// One image, by full or short name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn image(&self, name: &str) -> Result<ContainerdImage, EngineError> {
        let full = name.parse::<Reference>()?.or_latest().to_string();
        // People may name images in containerd as they like: the name as it is goes first.
        for name in [name, &full] {
            if let Some(message) = self.find(GET_IMAGE, "image", name)? {
                let mut images = entries(GET_IMAGE, &message, messages::image)?;
                if let Some(image) = images.pop() {
                    return self.image_of(image);
                }
            }
        }
        Err(EngineError::NoImage { engine: Engine::Containerd, name: name.to_owned() })
    }

    /// All images.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub fn images(&self) -> Result<Vec<ContainerdImage>, EngineError> {
        let listed = self.list(LIST_IMAGES, messages::image)?;
        listed.into_iter().map(|image| self.image_of(image)).collect()
    }

    fn image_of(&self, image: messages::Image) -> Result<ContainerdImage, EngineError> {
        let digest = image.digest.parse::<Digest>();
        let target =
            digest.map_err(|error| wrong(&format!("image {}", image.name), &error.to_string()))?;
        let messages::Image { name, media_type, .. } = image;
        Ok(ContainerdImage { name, target, media_type, content: self.content.clone() })
    }

    /// The containers that run.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub fn containers(&self) -> Result<Vec<Container>, EngineError> {
        let known = self.list(LIST_CONTAINERS, messages::container)?;
        let tasks = self.list(LIST_TASKS, messages::task)?;
        let mut containers = Vec::new();
        for task in tasks.iter().filter(|task| task.runs()) {
            if let Some(container) = known.iter().find(|known| known.id == task.container) {
                containers.push(self.container_of(container, Some(task.pid))?.0);
            }
        }
        Ok(containers)
    }

    /// One running container by its id, with the folders of its file system.
    ///
    /// # Errors
    /// Where there is none, or it does not run: only the kernel says where its files lie.
    pub fn container(&self, id: &str) -> Result<ContainerDetails, EngineError> {
        let none = || EngineError::NoContainer { name: one_line(id) };
        if id.is_empty() || id.len() > limits::NAME_BYTES {
            return Err(none());
        }
        let message = self.find(GET_CONTAINER, "container", id)?.ok_or_else(none)?;
        let mut found = entries(GET_CONTAINER, &message, messages::container)?;
        let found = found.pop().ok_or_else(none)?;
        let tasks = self.list(LIST_TASKS, messages::task)?;
        let task = tasks.iter().find(|task| task.runs() && task.container == found.id);
        let pid = task.map(|task| task.pid);
        let (container, configuration) = self.container_of(&found, pid)?;
        let cannot = |reason| EngineError::FileSystem { container: one_line(id), reason };
        let pid = pid.ok_or_else(|| cannot("it does not run".to_owned()))?;
        let mut layers = mountinfo::folders_of(pid).map_err(cannot)?;
        name_layers(&mut layers, configuration.as_ref());
        Ok(ContainerDetails { container, layers })
    }

    /// In the vocabulary's words. The image's digest is that of the configuration whose layers the
    /// container was made from, whatever its name stands for today.
    fn container_of(
        &self,
        found: &messages::Container,
        pid: Option<u32>,
    ) -> Result<(Container, Option<Configuration>), EngineError> {
        let configuration = self.configuration_of(found)?;
        let container = Container {
            engine: Engine::Containerd,
            id: found.id.clone(),
            name: String::new(),
            image: found.image.clone(),
            image_id: configuration.as_ref().map(|configuration| configuration.digest.clone()),
            pid,
            started: None,
        };
        Ok((container, configuration))
    }

    fn configuration_of(
        &self,
        found: &messages::Container,
    ) -> Result<Option<Configuration>, EngineError> {
        if found.snapshot.is_empty() {
            return Ok(None);
        }
        let asked = messages::ask_snapshot(&found.snapshotter, &found.snapshot);
        let Ok(message) = self.grpc.call(STAT_SNAPSHOT, &asked)? else { return Ok(None) };
        let parent = entries(STAT_SNAPSHOT, &message, messages::parent)?.pop();
        let Some(parent) = parent.and_then(|parent| parent.parse::<Digest>().ok()) else {
            return Ok(None);
        };
        let made_of = |image: &ContainerdImage| {
            let chain = |configuration: &Configuration| configuration.chain_id();
            let mut configurations = image.configurations().into_iter();
            configurations.find(|configuration| chain(configuration).as_ref() == Some(&parent))
        };
        let mut images = self.images()?;
        // The image of that name is the likely one; where it moved, another may still be there.
        images.sort_by_key(|image| image.name != found.image);
        Ok(images.iter().find_map(made_of))
    }

    /// An entry by its name; none where there is no such.
    fn find(&self, method: &str, what: &str, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        match self.grpc.call(method, &messages::ask(1, name))? {
            Ok(message) => Ok(Some(message)),
            Err(status) if status.code == NOT_FOUND => Ok(None),
            Err(status) => Err(refused(&format!("{what} {name}"), status.message)),
        }
    }

    fn list<T>(
        &self,
        method: &str,
        read: impl Fn(&[u8]) -> Result<T, Damaged>,
    ) -> Result<Vec<T>, EngineError> {
        match self.grpc.call(method, &[])? {
            Ok(message) => entries(method, &message, read),
            Err(status) => Err(refused(method, status.message)),
        }
    }
}

fn entries<T>(
    method: &str,
    message: &[u8],
    read: impl Fn(&[u8]) -> Result<T, Damaged>,
) -> Result<Vec<T>, EngineError> {
    messages::entries(message, read).map_err(|error| wrong(method, &error.to_string()))
}

fn name_layers(folders: &mut [LayerFolder], configuration: Option<&Configuration>) {
    let Some(Configuration { diff_ids, .. }) = configuration else { return };
    let of_image = |folder: &&mut LayerFolder| matches!(folder.role, FolderRole::Image { .. });
    let mut layers: Vec<&mut LayerFolder> = folders.iter_mut().filter(of_image).collect();
    if layers.len() != diff_ids.len() {
        return;
    }
    for (layer, diff_id) in layers.iter_mut().zip(diff_ids) {
        if let FolderRole::Image { diff_id: known, .. } = &mut layer.role {
            *known = Some(diff_id.clone());
        }
    }
}

fn refused(what: &str, message: String) -> EngineError {
    EngineError::Refused { engine: Engine::Containerd, what: one_line(what), message }
}
