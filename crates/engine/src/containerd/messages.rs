//! containerd's messages, as far as they are used. Source: the `.proto` files of containerd's API 1.6
//! (`services/images`, `containers`, `tasks`, `snapshots`, `introspection`, all `v1`).

use super::protobuf::{Damaged, Value, fields, put_text, text};

/// Messages of a list, containers or images; more are refused.
const ENTRIES: usize = 100_000;

/// `Image`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) digest: String,
}

/// `Container`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    pub(super) id: String,
    pub(super) image: String,
    pub(super) snapshotter: String,
    pub(super) snapshot: String,
}

/// `Process`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    pub(super) container: String,
    pub(super) pid: u32,
    status: u64,
}

impl Task {
    /// Running, paused, or about to be.
    pub(super) const fn runs(&self) -> bool {
        matches!(self.status, 2 | 4 | 5) && self.pid != 0
    }
}

/// A message with one text in it.
pub(super) fn ask(field: u8, value: &str) -> Vec<u8> {
    let mut message = Vec::new();
    put_text(&mut message, field, value);
    message
}

/// `StatSnapshotRequest`
pub(super) fn ask_snapshot(snapshotter: &str, key: &str) -> Vec<u8> {
    let mut message = ask(1, snapshotter);
    put_text(&mut message, 2, key);
    message
}

/// Every message in field 1, which is where lists and single answers have theirs.
pub(super) fn entries<T>(
    message: &[u8],
    read: impl Fn(&[u8]) -> Result<T, Damaged>,
) -> Result<Vec<T>, Damaged> {
    let mut entries = Vec::new();
    for field in fields(message) {
        if let (1, Value::Bytes(bytes)) = field? {
            if entries.len() >= ENTRIES {
                return Err(Damaged);
            }
            entries.push(read(bytes)?);
        }
    }
    Ok(entries)
}

pub(super) fn image(message: &[u8]) -> Result<Image, Damaged> {
    let mut image = Image::default();
    for field in fields(message) {
        match field? {
            (1, Value::Bytes(bytes)) => image.name = text(bytes)?,
            (3, Value::Bytes(target)) => {
                for field in fields(target) {
                    match field? {
                        (1, Value::Bytes(bytes)) => image.media_type = text(bytes)?,
                        (2, Value::Bytes(bytes)) => image.digest = text(bytes)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(image)
}

pub(super) fn container(message: &[u8]) -> Result<Container, Damaged> {
    let mut container = Container::default();
    for field in fields(message) {
        match field? {
            (1, Value::Bytes(bytes)) => container.id = text(bytes)?,
            (3, Value::Bytes(bytes)) => container.image = text(bytes)?,
            (6, Value::Bytes(bytes)) => container.snapshotter = text(bytes)?,
            (7, Value::Bytes(bytes)) => container.snapshot = text(bytes)?,
            _ => {}
        }
    }
    Ok(container)
}

/// Some versions name the container in field 1, some in 2.
pub(super) fn task(message: &[u8]) -> Result<Task, Damaged> {
    let mut task = Task::default();
    for field in fields(message) {
        match field? {
            (1, Value::Bytes(bytes)) if !bytes.is_empty() => task.container = text(bytes)?,
            (2, Value::Bytes(bytes)) if task.container.is_empty() => task.container = text(bytes)?,
            (3, Value::Number(pid)) => task.pid = u32::try_from(pid).map_err(|_| Damaged)?,
            (4, Value::Number(status)) => task.status = status,
            _ => {}
        }
    }
    Ok(task)
}

/// Parent of a snapshot (`Info`): the chain id of the image's layers.
pub(super) fn parent(message: &[u8]) -> Result<String, Damaged> {
    let mut parent = String::new();
    for field in fields(message) {
        if let (2, Value::Bytes(bytes)) = field? {
            parent = text(bytes)?;
        }
    }
    Ok(parent)
}

/// The export `root` of a plugin.
pub(super) fn root(message: &[u8]) -> Result<Option<String>, Damaged> {
    let mut root = None;
    for field in fields(message) {
        if let (5, Value::Bytes(entry)) = field? {
            let (mut key, mut value) = (String::new(), String::new());
            for field in fields(entry) {
                match field? {
                    (1, Value::Bytes(bytes)) => key = text(bytes)?,
                    (2, Value::Bytes(bytes)) => value = text(bytes)?,
                    _ => {}
                }
            }
            if key == "root" {
                root = Some(value);
            }
        }
    }
    Ok(root)
}

/// Reads a message as each of these, for fuzzing.
pub fn read_as_any(message: &[u8]) {
    let _ = entries(message, image);
    let _ = entries(message, container);
    let _ = entries(message, task);
    let _ = entries(message, parent);
    let _ = entries(message, root);
}
