//! What a scan makes of layers together: whose packages are whose, and which count.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use md5::{Digest as _, Md5};
use scan::{Inventory, Progress, ReadOptions, read};
use testkit::{Entry, ImageBuilder, Layer};
use vocabulary::{OriginKind, Package, Presence, Status};

const METADATA: &str = "Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n\n";
const PLACE: &str = "usr/lib/python3/dist-packages/Demo-1.0.dist-info/METADATA";

fn scan_image(image: &ImageBuilder) -> Inventory {
    let folder = tempfile::tempdir().unwrap();
    image.write_oci_dir(folder.path()).unwrap();
    let reference = format!("oci-dir:{}", folder.path().display());
    read(&reference, &ReadOptions::default(), &Progress::default()).unwrap()
}

fn package<'inventory>(inventory: &'inventory Inventory, name: &str) -> &'inventory Package {
    inventory.packages.iter().find(|package| package.name == name).unwrap()
}

fn status(packages: &[(&str, &str)]) -> String {
    let entry = |(name, version): &(&str, &str)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\n\n"
        )
    };
    packages.iter().map(entry).collect()
}

/// Debian with `python3-demo`, which owns the Python package Demo. `md5sums` are those that dpkg
/// recorded.
fn debian(md5sums: Option<&str>) -> Layer {
    let layer = Layer::new()
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
        .file("var/lib/dpkg/status", status(&[("python3-demo", "1.0-1+deb12u3")]))
        .file("var/lib/dpkg/info/python3-demo.list", format!("/.\n/usr\n/{PLACE}\n"))
        .file(PLACE, METADATA);
    match md5sums {
        Some(text) => layer.file("var/lib/dpkg/info/python3-demo.md5sums", text),
        None => layer,
    }
}

fn md5sums() -> String {
    let hex: String = Md5::digest(METADATA).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}  {PLACE}\n")
}

fn owner_of_demo(layers: Vec<Layer>) -> Option<String> {
    let image = layers.into_iter().fold(ImageBuilder::new(), ImageBuilder::layer);
    let inventory = scan_image(&image);
    package(&inventory, "demo").owned_by.as_ref().map(|purl| purl.name().to_owned())
}

#[test]
fn a_language_package_belongs_to_the_distribution_package_that_owns_its_files_unmodified() {
    let owner = Some("python3-demo".to_owned());
    assert_eq!(owner_of_demo(vec![debian(Some(&md5sums()))]), owner);
    assert_eq!(
        owner_of_demo(vec![debian(None)]),
        owner,
        "no digest recorded, but of the same layer"
    );
    let other = format!("{}  {PLACE}\n", "0".repeat(32));
    assert_eq!(owner_of_demo(vec![debian(Some(&other))]), None, "the file is another one");
    let replaced = Layer::new().file(PLACE, METADATA.replace("1.0", "2.0"));
    assert_eq!(owner_of_demo(vec![debian(Some(&md5sums())), replaced.clone()]), None);
    assert_eq!(owner_of_demo(vec![debian(None), replaced]), None, "replaced by a later layer");
}

#[test]
fn ownership_follows_links_of_folders() {
    let usr_merged = debian(None).symlink("lib", "usr/lib").file(
        "var/lib/dpkg/info/python3-demo.list",
        format!("/{}\n", PLACE.replace("usr/lib", "lib")),
    );
    assert_eq!(owner_of_demo(vec![usr_merged]), Some("python3-demo".to_owned()));
}

#[test]
fn a_package_is_of_the_layer_that_brought_its_version() {
    let first = debian(None);
    let second = Layer::new()
        .file("var/lib/dpkg/status", status(&[("python3-demo", "1.0-1+deb12u3"), ("added", "1")]));
    let third = Layer::new()
        .file("var/lib/dpkg/status", status(&[("python3-demo", "1.0-1+deb12u4"), ("added", "1")]));
    let image = ImageBuilder::new()
        .layer(first)
        .history("ADD rootfs.tar /")
        .empty_history("CMD [\"bash\"]")
        .layer(second)
        .history("RUN apt-get install added")
        .layer(third)
        .history("RUN apt-get upgrade");
    let inventory = scan_image(&image);
    let added = package(&inventory, "added");
    assert_eq!((added.layer, added.location.layer()), (Some(1), Some(2)));
    assert_eq!(added.origin, OriginKind::Application);
    assert_eq!(package(&inventory, "python3-demo").layer, Some(2));
    assert_eq!(package(&inventory, "demo").origin, OriginKind::Base);
    assert_eq!(inventory.layers[1].command.as_deref(), Some("RUN apt-get install added"));
}

#[test]
fn removed_packages_are_not_listed() {
    let image = ImageBuilder::new().layer(debian(None)).layer(
        Layer::new()
            .whiteout("usr/lib/python3/dist-packages/Demo-1.0.dist-info")
            .whiteout("var/lib/dpkg"),
    );
    assert_eq!(scan_image(&image).packages, []);
}

#[test]
fn a_hard_linked_package_is_found_under_its_own_path() {
    // Package managers with a store link files from it; in a tar the store may come first.
    let layer = Layer::new()
        .file("a/store/00", r#"{"name":"linked","version":"1.0.0"}"#)
        .entry(Entry::hard_link("srv/node_modules/linked/package.json", "a/store/00"));
    let inventory = scan_image(&ImageBuilder::new().layer(layer));
    assert_eq!(
        package(&inventory, "linked").location.path(),
        Some("srv/node_modules/linked/package.json")
    );
}

#[test]
fn an_image_is_walked_without_lock_files() {
    let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/x":{"version":"1.0.0"}}}"#;
    let inventory =
        scan_image(&ImageBuilder::new().layer(Layer::new().file("srv/package-lock.json", lock)));
    assert_eq!(inventory.packages, []);
    assert!(inventory.coverage.iter().all(|coverage| coverage.status == Status::Ran));
}

#[test]
fn what_is_declared_and_installed_below_is_one_package() {
    let folder = tempfile::tempdir().unwrap();
    let lock = r#"{"lockfileVersion":3,"packages":{
        "node_modules/there":{"version":"1.0.0"},"node_modules/absent":{"version":"1.0.0"}}}"#;
    std::fs::write(folder.path().join("package-lock.json"), lock).unwrap();
    let installed = folder.path().join("node_modules/there");
    std::fs::create_dir_all(&installed).unwrap();
    std::fs::write(installed.join("package.json"), r#"{"name":"there","version":"1.0.0"}"#)
        .unwrap();
    let reference = format!("dir:{}", folder.path().display());
    let inventory = read(&reference, &ReadOptions::default(), &Progress::default()).unwrap();
    let seen: Vec<(&str, Presence)> = inventory
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.presence))
        .collect();
    assert_eq!(seen, [("absent", Presence::Declared), ("there", Presence::Installed)]);
}
