//! What a scan makes of layers together: whose packages are whose, and which count.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use md5::{Digest as _, Md5};
use scan::{Inventory, Progress, ReadOptions, read};
use testkit::{Breakage, Entry, ImageBuilder, Layer};
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
    inventory.software.packages.iter().find(|package| package.name == name).unwrap()
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
    assert_eq!(scan_image(&image).software.packages, []);
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
    assert_eq!(inventory.software.packages, []);
    // All checks ran; but an image in which nothing was recognised is not checked.
    let open: Vec<&str> = inventory
        .coverage
        .iter()
        .filter(|coverage| coverage.status != Status::Ran)
        .map(|coverage| coverage.check.as_str())
        .collect();
    assert_eq!(open, ["packages"]);
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
        .software
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.presence))
        .collect();
    assert_eq!(seen, [("absent", Presence::Declared), ("there", Presence::Installed)]);
}

/// The smallest ELF program with a package note.
fn noted(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    let mut note =
        [4_u32.to_le_bytes(), length.to_le_bytes(), 0xcafe_1a7e_u32.to_le_bytes()].concat();
    note.extend_from_slice(b"FDO\0");
    note.extend_from_slice(text.as_bytes());
    note.resize(note.len().next_multiple_of(4), 0);
    let mut elf = vec![0_u8; 120];
    elf[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    elf[16] = 3;
    elf[32] = 64;
    elf[54] = 56;
    elf[56] = 1;
    elf[64] = 4;
    elf[72] = 120;
    elf[96..104].copy_from_slice(&(note.len() as u64).to_le_bytes());
    elf.extend(note);
    elf
}

/// What notes name, in an image with this package database.
fn notes_beside(layer: Layer) -> Vec<String> {
    let text = |os: &str, name: &str| {
        format!(
            r#"{{"type":"deb","os":"{os}","osVersion":"12","name":"{name}","version":"1.0-1","architecture":"amd64"}}"#
        )
    };
    let layer = layer
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
        .file("usr/lib/libnoted.so.1", noted(&text("debian", "noted")))
        .file("opt/other", noted(&text("ubuntu", "other")));
    let inventory = scan_image(&ImageBuilder::new().layer(layer));
    let by_note = |package: &&Package| package.identified.is_some();
    let noted = inventory.software.packages.iter().filter(by_note);
    noted.map(|package| format!("{} {}", package.ecosystem, package.purl)).collect()
}

#[test]
fn a_package_note_counts_where_no_package_database_explains_it() {
    let other = "program pkg:deb/ubuntu/other@1.0-1?arch=amd64&distro=ubuntu-12".to_owned();
    let found = "Debian pkg:deb/debian/noted@1.0-1?arch=amd64&distro=debian-12".to_owned();
    assert_eq!(notes_beside(Layer::new()), [found.clone(), other.clone()], "no database");
    let list = "/.\n/usr/lib/libnoted.so.1\n";
    let owned = Layer::new()
        .file("var/lib/dpkg/status", status(&[("libnoted1", "2:1.0-1+b1")]))
        .file("var/lib/dpkg/info/libnoted1.list", list);
    assert_eq!(notes_beside(owned), std::slice::from_ref(&other), "the file is a package's");
    let entry = "Package: libnoted1\nSource: noted (2:1.0-1)\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2:1.0-1+b1\n\n";
    let held = Layer::new().file("var/lib/dpkg/status", entry);
    assert_eq!(
        notes_beside(held),
        std::slice::from_ref(&other),
        "the database has its source package"
    );
    let older = Layer::new().file("var/lib/dpkg/status", entry.replace("1.0-1", "0.9-1"));
    assert_eq!(notes_beside(older), [found, other], "another version of it is another package");
}

fn scan_layers(layers: Vec<Layer>) -> Inventory {
    scan_image(&layers.into_iter().fold(ImageBuilder::new(), ImageBuilder::layer))
}

fn status_of(inventory: &Inventory, check: &str) -> Status {
    inventory.coverage.iter().find(|one| one.check == check).unwrap().status
}

#[test]
fn a_flood_of_problems_that_a_later_layer_removes_hides_none_that_stays() {
    let mut flood = Layer::new();
    for number in 0..1_200 {
        flood = flood.file(format!("flood/{number}/node_modules/x/package.json"), "{broken");
    }
    let removed = Layer::new().whiteout("flood");
    let hidden = scan_layers(vec![flood.clone(), removed.clone()]);
    assert_eq!(status_of(&hidden, "javascript"), Status::Partial, "200 are not known by name");
    // One check's flood, another's problem.
    let other = flood.file("var/lib/rpm/rpmdb.sqlite", [0xff; 40]);
    let inventory = scan_layers(vec![other, removed]);
    assert_eq!(status_of(&inventory, "rpm"), Status::Partial);
    assert_eq!(status_of(&inventory, "apk"), Status::Ran);
}

#[test]
fn a_package_database_is_read_behind_links() {
    let packages = status(&[("hello", "2.10-3")]);
    let system = Layer::new().file("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    for links in [
        Layer::new().symlink("var/lib/dpkg", "../../opt/dpkg").file("opt/dpkg/status", &packages),
        Layer::new().symlink("var/lib/dpkg", "/opt/dpkg").file("opt/dpkg/status", &packages),
        Layer::new()
            .symlink("var/lib", "/srv")
            .symlink("srv", "data")
            .file("data/dpkg/status", &packages),
        Layer::new().symlink("var/lib/dpkg/status", "/opt/list").file("opt/list", &packages),
        Layer::new().file("opt/list", &packages).hard_link("var/lib/dpkg/status", "opt/list"),
        Layer::new().symlink("var/lib/dpkg/status.d", "/opt/d").file("opt/d/hello", &packages),
    ] {
        let etc = Layer::new().symlink("etc/os-release", "../usr/lib/os-release");
        for layers in [
            vec![system.clone(), etc.clone(), links.clone()],
            vec![links.clone(), system.clone(), etc],
        ] {
            let inventory = scan_layers(layers);
            let names: Vec<&str> =
                inventory.software.packages.iter().map(|one| one.name.as_str()).collect();
            assert_eq!(names, ["hello"]);
            assert_eq!(inventory.software.packages[0].purl.namespace(), Some("debian"));
            assert_eq!(status_of(&inventory, "dpkg"), Status::Ran);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("opt/dpkg")).unwrap();
    std::fs::create_dir_all(root.join("var/lib")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").unwrap();
    std::fs::write(root.join("opt/dpkg/status"), &packages).unwrap();
    std::os::unix::fs::symlink("/opt/dpkg", root.join("var/lib/dpkg")).unwrap();
    let reference = format!("dir:{}", root.display());
    let inventory = read(&reference, &ReadOptions::default(), &Progress::default()).unwrap();
    assert_eq!(package(&inventory, "hello").version, "2.10-3");
}

#[test]
fn a_manifest_that_is_a_link_out_of_its_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("project");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(folder.path().join("outside.lock"), "version = 4\n").unwrap();
    std::fs::write(inside.join("poetry.lock"), "[[package]]\nname = \"a\"\nversion = \"1\"\n")
        .unwrap();
    std::os::unix::fs::symlink("../outside.lock", inside.join("Cargo.lock")).unwrap();
    let reference = format!("dir:{}", inside.display());
    let inventory = read(&reference, &ReadOptions::default(), &Progress::default()).unwrap();
    assert_eq!(status_of(&inventory, "cargo-lock"), Status::Partial);
}

#[test]
fn a_size_that_a_descriptor_misstates_is_a_finding() {
    for breakage in [Breakage::LayerSize(0), Breakage::ConfigSize, Breakage::ManifestSize] {
        let image = ImageBuilder::new().layer(debian(None)).breaking(breakage);
        let inventory = scan_image(&image);
        assert_eq!(inventory.findings.len(), 1, "{breakage:?}");
        let finding = &inventory.findings[0];
        assert_eq!(finding.rule, "digest-mismatch");
        assert!(finding.title.contains(" bytes, and its descriptor says "), "{}", finding.title);
    }
}
