//! Names without a scheme: looked for in the engines of this machine, then in the registry.
//!
//! In goes a name such as `app:1.2`, out comes the image with where it was found. What could be a
//! mistyped path is never taken for a name: a request to a registry must not follow from a typo.

use super::{Image, OpenOptions, containerd, docker, registry, split_name, stored};
use crate::error::ImageError;
use engine::reference::Reference;
use std::path::Path;

/// Endings of files: a name with one of them is a path that is not there.
const ENDINGS: [&str; 22] = [
    ".7z", ".bz2", ".gz", ".json", ".lz", ".lz4", ".lzma", ".oci", ".rar", ".spdx", ".tar", ".tbz",
    ".tbz2", ".tgz", ".txz", ".tzst", ".xml", ".xz", ".yaml", ".yml", ".zip", ".zst",
];

/// How a source opens a name.
type Open = fn(&str, &str, &OpenOptions) -> Result<Image, ImageError>;

/// The sources, in the order in which they are asked.
const SOURCES: [(&str, Open); 4] = [
    ("docker", docker::open),
    ("containerd", containerd::open),
    ("podman", stored::podman),
    ("registry", registry::open),
];

/// Whether a reference can only be the name of an image.
pub(super) fn is_name(reference: &str) -> bool {
    let path = split_name(reference).0;
    let first = reference.split('/').next().unwrap_or(reference);
    let in_a_folder = reference.contains('/') && Path::new(first).is_dir();
    !path.exists()
        && !Path::new(reference).exists()
        && !reference.starts_with(['.', '/', '~', '-'])
        && !in_a_folder
        && !ENDINGS.iter().any(|ending| reference.ends_with(ending))
        && reference.parse::<Reference>().is_ok()
}

/// Opens the image in the first source that has it.
pub(super) fn open(reference: &str, options: &OpenOptions) -> Result<Image, ImageError> {
    let mut tried = Vec::new();
    for (source, open) in SOURCES {
        match open(reference, reference, options) {
            Ok(mut image) => {
                image.subject.source.get_or_insert_with(|| source.to_owned());
                return Ok(image);
            }
            Err(error) => tried.push(format!("{source}: {error}")),
        }
    }
    Err(ImageError::Nowhere { reference: reference.to_owned(), tried: tried.join("; ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_path_is_no_name() {
        for name in ["app:1.2", "debian", "registry.example/team/app:1", "localhost:5000/a"] {
            assert!(is_name(name), "{name}");
        }
        for path in [
            "./app",
            "/srv/app",
            "../x",
            "~/x",
            "app.tar",
            "a/b.json",
            "src/nothing",
            "App",
            "-x",
            "",
        ] {
            assert!(!is_name(path), "{path}");
        }
    }

    #[test]
    fn a_name_that_nobody_has_says_who_was_asked() {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            engines: engine::Endpoints {
                docker: format!("unix://{}/none.sock", folder.path().display()),
                containerd: folder.path().join("none.sock"),
                docker_root: folder.path().to_owned(),
                containerd_roots: vec![folder.path().to_owned()],
                podman_roots: vec![folder.path().to_owned()],
                ..engine::Endpoints::default()
            },
            registry: super::super::RegistryOptions {
                fetch: fetch::Options { offline: true, ..fetch::Options::default() },
                ..super::super::RegistryOptions::default()
            },
            ..OpenOptions::default()
        };
        let error = open("app:1.2", &options).unwrap_err().to_string();
        for part in
            ["`app:1.2` is no path here", "docker: ", "containerd: ", "registry: ", "offline"]
        {
            assert!(error.contains(part), "{error}");
        }
    }
}
