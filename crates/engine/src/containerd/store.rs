//! containerd's store, read while no containerd answers.
//!
//! In go its root folder, namespaces and a name, out comes the image with the folder of its content.
//! The names lie in a bbolt file, `io.containerd.metadata.v1.bolt/meta.db`, below `v1`, the namespace,
//! `images`, the name, and `target`; blobs lie beside it, for all namespaces together.
//!
//! Source: containerd, `core/metadata/buckets.go` and `images.go`; `plugins/content/local`.

use super::ContainerdImage;
use crate::bolt::{Bolt, BoltError, Bucket, Value, consistent};
use crate::error::EngineError;
use crate::error::one_line;
use crate::reference::Reference;
use std::fs::File;
use std::io;
use std::path::Path;
use vocabulary::Digest;

const NAMES: &str = "io.containerd.metadata.v1.bolt/meta.db";
const CONTENT: &str = "io.containerd.content.v1.content";
/// The form of the file. Another one has another name.
const FORM: &[u8] = b"v1";
/// Least digits of a digest by which an image may be named.
const SHORT_ID: usize = 12;

/// What the file says of one image.
struct Found {
    name: String,
    digest: Vec<u8>,
    media_type: Vec<u8>,
}

/// An image in the store below a root, such as `/var/lib/containerd`, in the first of `namespaces`
/// that has it, and which that is. None where there is no store.
///
/// # Errors
/// Where the store may not be read, is damaged, or does not have the image.
pub fn stored_image(
    root: &Path,
    namespaces: &[&str],
    name: &str,
) -> Option<Result<(ContainerdImage, String), EngineError>> {
    let index = root.join(NAMES);
    match files::open_found(&index) {
        Ok(file) => Some(in_store(&file, root, &index, namespaces, name)),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            Some(Err(broken(&index, "it is no file".to_owned())))
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Some(Err(broken(&index, "permission denied; run as root".to_owned())))
        }
        Err(_) => None,
    }
}

fn in_store(
    file: &File,
    root: &Path,
    index: &Path,
    namespaces: &[&str],
    name: &str,
) -> Result<(ContainerdImage, String), EngineError> {
    let full = name.parse::<Reference>()?.or_latest().to_string();
    let unreadable = |error: BoltError| broken(index, error.to_string());
    for namespace in namespaces {
        let find = |bolt: &Bolt<'_>| match target(bolt, namespace, name)? {
            Some(found) => Ok(Some(found)),
            None => match target(bolt, namespace, &full)? {
                Some(found) => Ok(Some(found)),
                None => by_digest(bolt, namespace, name),
            },
        };
        let Some(found) = consistent(file, find).map_err(unreadable)? else { continue };
        let target = String::from_utf8_lossy(&found.digest).parse::<Digest>();
        let target = target.map_err(|error| {
            let (name, reason) = (one_line(&found.name), one_line(&error.to_string()));
            broken(index, format!("the image `{name}`: {reason}"))
        })?;
        let media_type = String::from_utf8_lossy(&found.media_type).into_owned();
        let content = root.join(CONTENT);
        let image = ContainerdImage { name: found.name, target, media_type, content };
        return Ok((image, (*namespace).to_owned()));
    }
    let known = consistent(file, namespaces_of).map_err(unreadable)?;
    Err(broken(
        index,
        format!(
            "it has no image `{name}` in the namespace {}; it has the namespaces: {}",
            namespaces.join(", "),
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        ),
    ))
}

/// What the image of exactly this name is.
fn target(bolt: &Bolt<'_>, namespace: &str, name: &str) -> Result<Option<Found>, BoltError> {
    let path: [&[u8]; 5] = [FORM, namespace.as_bytes(), b"images", name.as_bytes(), b"target"];
    let Some(target) = bolt.bucket(&path)? else { return Ok(None) };
    found(bolt, name, &target).map(Some)
}

fn found(bolt: &Bolt<'_>, name: &str, target: &Bucket) -> Result<Found, BoltError> {
    let bytes = |key: &[u8]| match bolt.get(target, key)? {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Ok::<_, BoltError>(Vec::new()),
    };
    let (digest, media_type) = (bytes(b"digest")?, bytes(b"mediatype")?);
    Ok(Found { name: name.to_owned(), digest, media_type })
}

/// The image whose digest is, or begins with, what was given: Docker's id of an image is that of its
/// target.
fn by_digest(bolt: &Bolt<'_>, namespace: &str, id: &str) -> Result<Option<Found>, BoltError> {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if !(SHORT_ID..=64).contains(&hex.len()) || !hex.bytes().all(digit) {
        return Ok(None);
    }
    let wanted = format!("sha256:{hex}");
    let path: [&[u8]; 3] = [FORM, namespace.as_bytes(), b"images"];
    let Some(images) = bolt.bucket(&path)? else { return Ok(None) };
    for (name, image) in bolt.entries(&images)? {
        let (Ok(name), Value::Bucket(image)) = (String::from_utf8(name), image) else { continue };
        let Some(Value::Bucket(target)) = bolt.get(&image, b"target")? else { continue };
        let found = found(bolt, &name, &target)?;
        if found.digest.starts_with(wanted.as_bytes()) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The namespaces that have images, as they may be shown.
fn namespaces_of(bolt: &Bolt<'_>) -> Result<Vec<String>, BoltError> {
    /// A machine has a handful.
    const SHOWN: usize = 16;
    let Some(all) = bolt.bucket(&[FORM])? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for (name, value) in bolt.entries(&all)? {
        let Value::Bucket(namespace) = value else { continue };
        if names.len() < SHOWN && matches!(bolt.get(&namespace, b"images")?, Some(Value::Bucket(_)))
        {
            names.push(one_line(&String::from_utf8_lossy(&name)));
        }
    }
    Ok(names)
}

/// Reads a file as the store's, for fuzzing.
pub fn read_as_store(bytes: &[u8]) {
    for namespace in ["default", "moby"] {
        let _ = consistent(&bytes, |bolt| target(bolt, namespace, "docker.io/library/app:1"));
        let _ = consistent(&bytes, |bolt| by_digest(bolt, namespace, "aaaaaaaaaaaa"));
    }
    let _ = consistent(&bytes, namespaces_of);
}

fn broken(path: &Path, reason: String) -> EngineError {
    EngineError::Store { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use testkit::bolt::{containerd_images, file};

    fn store(namespace: &str, images: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(NAMES).parent().unwrap()).unwrap();
        let bytes = file(&containerd_images(namespace, images), 6);
        fs::write(root.path().join(NAMES), bytes).unwrap();
        root
    }

    #[test]
    fn an_image_is_found_by_its_names_and_by_its_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let root = store("k8s.io", &[("docker.io/library/app:1", &digest), ("my-own", "sha256:0")]);
        let find = |name: &str| stored_image(root.path(), &["default", "k8s.io"], name).unwrap();
        for name in ["app:1", "docker.io/library/app:1", &digest, "aaaaaaaaaaaa"] {
            let (image, namespace) = find(name).unwrap();
            assert_eq!(image.name, "docker.io/library/app:1", "{name}");
            assert_eq!(image.target.to_string(), digest);
            assert_eq!(image.content, root.path().join(CONTENT));
            assert_eq!(namespace, "k8s.io");
        }
        let error = find("other").unwrap_err().to_string();
        assert!(error.contains("no image `other` in the namespace default, k8s.io"), "{error}");
        assert!(error.ends_with("it has the namespaces: k8s.io"), "{error}");
        assert!(find("my-own").unwrap_err().to_string().contains("`my-own`"));
        assert!(stored_image(Path::new("/nowhere"), &["default"], "app:1").is_none());
    }

    #[test]
    fn what_a_store_says_of_an_image_is_shown_as_one_short_line() {
        let long = format!("evil\u{1b}[2J\r\n{}", "x".repeat(3000));
        let digest = format!("sha256:{}\u{1b}]8;;{}", "b".repeat(64), "y".repeat(3000));
        let root = store("default", &[(&long, &digest)]);
        let error = stored_image(root.path(), &["default"], "bbbbbbbbbbbb").unwrap().unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`evil [2J"), "{error}");
        assert!(!error.contains(char::is_control), "{error}");
        assert!(error.len() < 2000, "{}", error.len());
    }

    #[test]
    fn a_store_whose_names_are_no_file_is_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let index = root.path().join(NAMES);
        fs::create_dir_all(index.parent().unwrap()).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&index).status();
        if !made.is_ok_and(|status| status.success()) {
            return testkit::skip("`mkfifo` is not installed");
        }
        let error = stored_image(root.path(), &["default"], "app:1").unwrap().unwrap_err();
        assert!(error.to_string().contains("it is no file"), "{error}");
    }

    #[test]
    fn a_damaged_store_is_named() {
        let root = store("default", &[]);
        fs::write(root.path().join(NAMES), "no bolt").unwrap();
        let error = stored_image(root.path(), &["default"], "app:1").unwrap().unwrap_err();
        assert!(error.to_string().contains("meta.db` cannot be used: it is no bbolt"), "{error}");
    }

    #[test]
    fn a_store_that_may_not_be_read_says_so() {
        if testkit::is_root() {
            return;
        }
        let root = store("default", &[]);
        fs::set_permissions(root.path().join(NAMES), fs::Permissions::from_mode(0o000)).unwrap();
        let error = stored_image(root.path(), &["default"], "app:1").unwrap().unwrap_err();
        assert!(error.to_string().contains("permission denied; run as root"), "{error}");
    }
}
