//! The inventory, whole and damaged.

use super::*;
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const INVENTORY: &str = r#"{"Content":[
    {"Name":"containerd-1.7","Publisher":"Bottlerocket","InstalledTime":"2024-01-01T00:00:00Z",
     "ApplicationType":"Unspecified","Architecture":"x86_64","Url":"https://containerd.example",
     "Version":"1.7.22","Release":"1.1730000000.abcdef.br1","Epoch":"0","Summary":"A runtime"},
    {"Name":"shim","Version":"15.8","Release":"1","Epoch":"2","Architecture":null},
    {"Name":"broken"}]}"#;

fn resolve(text: &str) -> Resolution {
    Layers::default()
        .distribution("bottlerocket", "1.26.1")
        .layer()
        .file(PATHS[0], text)
        .resolve(&Bottlerocket)
}

#[test]
fn an_inventory_tells_the_packages_that_the_image_was_built_of() {
    let out = resolve(INVENTORY);
    let purls: Vec<String> = out.packages.iter().map(|one| one.package.purl.to_string()).collect();
    assert_eq!(
        purls,
        [
            "pkg:rpm/bottlerocket/containerd-1.7@1.7.22-1.1730000000.abcdef.br1?arch=x86_64&distro=bottlerocket-1.26.1",
            "pkg:rpm/bottlerocket/shim@15.8-1?distro=bottlerocket-1.26.1&epoch=2"
        ]
    );
    assert_eq!(out.packages[1].package.version, "2:15.8-1");
    assert_eq!(out.problems[0].reason, "1 packages have no valid name or version");
}

#[test]
fn an_inventory_that_names_nothing_is_a_problem() {
    for text in ["{}", r#"{"Content":null}"#, r#"{"Content":[]}"#] {
        assert_eq!(resolve(text).problems[0].reason, "names no package", "{text}");
    }
    for text in ["", "[", r#"{"Content":{}}"#, r#"{"Content":[1]}"#] {
        assert!(read_file(&Bottlerocket, PATHS[0], text.as_bytes()).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, cut in 0_usize..INVENTORY.len()) {
        let _ = read(&bytes);
        let _ = read(INVENTORY.get(..cut).unwrap_or_default().as_bytes());
    }
}
