//! Tells which packages of an image a running container used.
//!
//! In go the image's packages and symbolic links and the list of files that the container opened or
//! ran, out comes for each package whether one of its files is among them. Package databases write
//! `lib/x` where the image has `lib` linked to `usr/lib`, and a kernel names what it opened by its
//! real place; so links are followed on the packages' side. Where it cannot be told which files are a
//! package's, or the container was not watched all the time, nothing is called unused.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use vocabulary::{Ecosystem, Location, Package, Presence, Purl, Usage, Use, Used};

/// Packages by what a finding says of them.
type Key<'packages> = (&'packages Purl, &'packages Location);

/// Which packages of an image a container used.
pub struct Usages<'image> {
    packages: HashMap<Key<'image>, &'image Package>,
    symlinks: &'image HashMap<String, String>,
    usage: Option<&'image Usage>,
}

impl<'image> Usages<'image> {
    /// Of a container that used these files; none where nobody watched.
    #[must_use]
    pub fn new(
        packages: &'image [Package],
        symlinks: &'image HashMap<String, String>,
        usage: Option<&'image Usage>,
    ) -> Self {
        let packages =
            packages.iter().map(|package| ((&package.purl, &package.location), package)).collect();
        Self { packages, symlinks, usage }
    }

    /// Whether the package of a finding was used.
    #[must_use]
    pub fn of(&self, purl: &Purl, location: &Location) -> Use {
        match (self.usage, self.packages.get(&(purl, location))) {
            (Some(usage), Some(package)) => self.of_package(package, usage),
            _ => Use::unknown(),
        }
    }

    fn of_package(&self, package: &Package, usage: &Usage) -> Use {
        let (found, all_known) = match files(package) {
            Files::Listed(paths) => {
                (paths.iter().filter_map(|path| self.used(path, usage)).collect(), true)
            }
            Files::One(path) => (self.used(path, usage).into_iter().collect(), true),
            Files::Below { folder, inner, all } => (self.used_below(&folder, inner, usage), all),
            Files::Unknown => (Vec::new(), false),
        };
        if !found.is_empty() {
            return Use::loaded(found);
        }
        let watched = usage.complete && usage.lost == 0;
        Use::none(if all_known && watched { Used::NotLoaded } else { Used::Unknown })
    }

    /// The file by the name under which it was used, if it was.
    fn used(&self, path: &str, usage: &Usage) -> Option<String> {
        if usage.files.contains(path) {
            return Some(path.to_owned());
        }
        // Links are followed up to the folder: a link that is a package's own file, such as
        // `usr/bin/ld.so` of libc-bin, leads to a file of another package as a rule.
        let (folder, name) = path.rsplit_once('/')?;
        let real = format!("{}/{name}", self.follow(folder)?);
        usage.files.contains(&real).then_some(real)
    }

    /// Files that were used below a folder, those of other packages inside it left out.
    fn used_below(&self, folder: &str, inner: Option<&str>, usage: &Usage) -> Vec<String> {
        let mut found = below(&usage.files, folder, inner);
        if let Some(real) = self.follow(folder).filter(|real| real != folder) {
            found.extend(below(&usage.files, &real, inner));
        }
        found
    }

    fn follow(&self, path: &str) -> Option<String> {
        image::facts::follow(path, |at| self.symlinks.get(at).map(String::as_str))
    }
}

fn below(files: &BTreeSet<String>, folder: &str, inner: Option<&str>) -> Vec<String> {
    let start = format!("{folder}/");
    files
        .range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded))
        .map_while(|file| Some((file, file.strip_prefix(&start)?)))
        .filter(|(_, rest)| inner.is_none_or(|inner| rest.split('/').all(|part| part != inner)))
        .map(|(file, _)| file.clone())
        .collect()
}

/// Which files are a package's.
enum Files<'package> {
    /// These, as a package database lists them.
    Listed(&'package [String]),
    /// The file that proves it: a program that it is linked into, or an archive that holds it.
    One(&'package str),
    /// All below a folder, but what lies in folders of the inner name. `all` says that there are no
    /// others.
    Below { folder: String, inner: Option<&'static str>, all: bool },
    /// It cannot be told.
    Unknown,
}

fn files(package: &Package) -> Files<'_> {
    if !package.files.is_empty() {
        return Files::Listed(&package.files);
    }
    let Some(path) = package.location.path().filter(|_| package.presence == Presence::Installed)
    else {
        return Files::Unknown;
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match &package.ecosystem {
        own if own.is_distribution() => Files::Unknown,
        // Linked into a program, or packed into an archive: who runs or opens that has it all.
        own if *own == Ecosystem::GO || *own == Ecosystem::CRATES_IO => Files::One(path),
        own if *own == Ecosystem::NUGET && !path.ends_with(".json") => Files::One(path),
        _ if path.contains("!/") => {
            Files::One(path.split_once("!/").map_or(path, |(archive, _)| archive))
        }
        // The archive was unpacked, and where its classes lie is not told.
        own if *own == Ecosystem::MAVEN && path.ends_with("/pom.properties") => Files::Unknown,
        own if *own == Ecosystem::MAVEN => Files::One(path),
        own if *own == Ecosystem::NPM && path.ends_with("/package.json") => {
            Files::Below { folder: folder.to_owned(), inner: Some("node_modules"), all: true }
        }
        own if *own == Ecosystem::PYPI => python(package, folder),
        own if *own == Ecosystem::RUBY_GEMS => gem(path),
        _ => Files::Unknown,
    }
}

/// Beside `site-packages/Name-1.0.dist-info` lies the code, as a rule in a folder of the package's own
/// name; but `PyYAML` is imported as `yaml`, so that finding nothing there says nothing.
fn python<'package>(package: &Package, info: &str) -> Files<'package> {
    let Some((packages, info)) = info.rsplit_once('/') else { return Files::Unknown };
    if !(info.ends_with(".dist-info") || info.ends_with(".egg-info")) {
        return Files::Unknown;
    }
    let written = info.split('-').next().unwrap_or(info).to_ascii_lowercase();
    let name = if written.is_empty() { package.name.replace('-', "_") } else { written };
    Files::Below { folder: format!("{packages}/{name}"), inner: None, all: false }
}

/// `gems/x-1.0` beside `specifications/x-1.0.gemspec`.
fn gem<'package>(path: &str) -> Files<'package> {
    let home = path.strip_suffix(".gemspec").and_then(|path| path.rsplit_once('/'));
    let Some((specifications, name)) = home else { return Files::Unknown };
    match specifications.strip_suffix("specifications") {
        Some(home) => Files::Below { folder: format!("{home}gems/{name}"), inner: None, all: true },
        None => Files::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Container, Engine, OriginKind};

    fn usage(files: &[&str], complete: bool) -> Usage {
        Usage {
            schema: vocabulary::usage::USAGE_SCHEMA.to_owned(),
            container: Container {
                engine: Engine::Docker,
                id: "ab".to_owned(),
                name: String::new(),
                image: "shop:1".to_owned(),
                image_id: None,
                pid: None,
                started: None,
            },
            since: "2099-01-01T00:00:00Z".to_owned(),
            complete,
            until: "2099-01-01T00:00:00Z".to_owned(),
            files: files.iter().map(|&file| file.to_owned()).collect(),
            lost: 0,
        }
    }

    fn package(ecosystem: Ecosystem, purl: &str, path: &str, files: &[&str]) -> Package {
        let purl: Purl = purl.parse().unwrap();
        Package {
            name: purl.name().to_owned(),
            version: purl.version().unwrap_or_default().to_owned(),
            purl,
            ecosystem,
            source: None,
            architecture: None,
            licences: Vec::new(),
            presence: Presence::Installed,
            location: Location::file(path, Some(0)),
            layer: Some(0),
            origin: OriginKind::Unknown,
            owned_by: None,
            module: None,
            identified: None,
            relation: None,
            scope: None,
            requires: Vec::new(),
            files: files.iter().map(|&file| file.to_owned()).collect(),
        }
    }

    fn of(package: &Package, links: &[(&str, &str)], usage: &Usage) -> Use {
        let own = |text: &str| text.to_owned();
        let links = links.iter().map(|(path, target)| (own(path), own(target))).collect();
        let packages = std::slice::from_ref(package);
        Usages::new(packages, &links, Some(usage)).of(&package.purl, &package.location)
    }

    fn libc() -> Package {
        let files = ["lib/x86_64-linux-gnu/libc.so.6", "usr/share/doc/libc6/copyright"];
        package(Ecosystem::DEBIAN, "pkg:deb/debian/libc6@2.36", "var/lib/dpkg/status", &files)
    }

    #[test]
    fn a_package_is_loaded_when_one_of_its_files_was_used() {
        let seen = usage(&["lib/x86_64-linux-gnu/libc.so.6", "usr/bin/app"], true);
        let found = of(&libc(), &[], &seen);
        assert_eq!(found, Use::loaded(vec!["lib/x86_64-linux-gnu/libc.so.6".to_owned()]));
    }

    #[test]
    fn a_file_is_the_same_by_its_name_in_the_package_database_and_by_its_real_place() {
        let seen = usage(&["usr/lib/x86_64-linux-gnu/libc.so.6"], true);
        assert_eq!(of(&libc(), &[("lib", "usr/lib")], &seen).used, Used::Loaded);
        assert_eq!(of(&libc(), &[("lib", "/usr/lib")], &seen).used, Used::Loaded);
        assert_eq!(of(&libc(), &[], &seen).used, Used::NotLoaded);
        let loop_of_links = [("lib", "lib2"), ("lib2", "lib")];
        assert_eq!(of(&libc(), &loop_of_links, &seen).used, Used::NotLoaded);
    }

    #[test]
    fn a_package_whose_link_leads_to_a_used_file_of_another_is_not_loaded_by_it() {
        let files = ["usr/bin/ld.so"];
        let package = package(
            Ecosystem::DEBIAN,
            "pkg:deb/debian/libc-bin@2.36",
            "var/lib/dpkg/status",
            &files,
        );
        let links = [("usr/bin/ld.so", "../lib/ld-linux.so.2")];
        let seen = usage(&["usr/lib/ld-linux.so.2"], true);
        assert_eq!(of(&package, &links, &seen).used, Used::NotLoaded);
    }

    #[test]
    fn nothing_is_called_unused_that_was_not_watched_all_the_time() {
        assert_eq!(of(&libc(), &[], &usage(&[], true)).used, Used::NotLoaded);
        assert_eq!(of(&libc(), &[], &usage(&[], false)).used, Used::Unknown);
        let lossy = Usage { lost: 1, ..usage(&[], true) };
        assert_eq!(of(&libc(), &[], &lossy).used, Used::Unknown);
        let unlisted = Package { files: Vec::new(), ..libc() };
        assert_eq!(of(&unlisted, &[], &usage(&["usr/bin/app"], true)).used, Used::Unknown);
        let links = HashMap::new();
        let nobody = Usages::new(&[], &links, None).of(&libc().purl, &libc().location);
        assert_eq!(nobody, Use::unknown());
    }

    #[test]
    fn a_node_package_is_used_by_its_own_files_and_not_by_those_nested_in_it() {
        let outer = package(Ecosystem::NPM, "pkg:npm/a@1", "app/node_modules/a/package.json", &[]);
        let nested = usage(&["app/node_modules/a/node_modules/b/index.js"], true);
        assert_eq!(of(&outer, &[], &nested).used, Used::NotLoaded);
        let own = usage(&["app/node_modules/a/lib/index.js", "app/node_modules/ab/x.js"], true);
        assert_eq!(
            of(&outer, &[], &own).used_files,
            ["app/node_modules/a/lib/index.js".to_owned()]
        );
        let sibling = usage(&["app/node_modules/ab/x.js", "app/node_modules/a.js"], true);
        assert_eq!(of(&outer, &[], &sibling).used, Used::NotLoaded);
    }

    #[test]
    fn a_python_package_is_used_by_the_folder_of_its_name_and_else_it_is_not_known() {
        let path = "usr/lib/python3/site-packages/Demo_Web-1.5.dist-info/METADATA";
        let demo = package(Ecosystem::PYPI, "pkg:pypi/demo-web@1.5", path, &[]);
        let seen = usage(&["usr/lib/python3/site-packages/demo_web/__init__.py"], true);
        assert_eq!(of(&demo, &[], &seen).used, Used::Loaded);
        let other = usage(&["usr/lib/python3/site-packages/yaml/__init__.py"], true);
        assert_eq!(of(&demo, &[], &other).used, Used::Unknown);
    }

    #[test]
    fn what_is_linked_or_packed_into_a_file_is_used_with_it() {
        let module = package(Ecosystem::GO, "pkg:golang/example.org/m@1", "usr/bin/app", &[]);
        assert_eq!(of(&module, &[], &usage(&["usr/bin/app"], true)).used, Used::Loaded);
        assert_eq!(of(&module, &[], &usage(&["usr/bin/sh"], true)).used, Used::NotLoaded);
        let jar = package(Ecosystem::MAVEN, "pkg:maven/a/b@1", "app/a.jar!/lib/b.jar", &[]);
        assert_eq!(of(&jar, &[], &usage(&["app/a.jar"], true)).used, Used::Loaded);
        let unpacked = "app/META-INF/maven/a/b/pom.properties";
        let unpacked = package(Ecosystem::MAVEN, "pkg:maven/a/b@1", unpacked, &[]);
        assert_eq!(of(&unpacked, &[], &usage(&["app/a.jar"], true)).used, Used::Unknown);
        let egg = "app/a-1.egg!/EGG-INFO/PKG-INFO";
        let egg = package(Ecosystem::PYPI, "pkg:pypi/a@1", egg, &[]);
        assert_eq!(of(&egg, &[], &usage(&["app/a-1.egg"], true)).used, Used::Loaded);
        let single = package(Ecosystem::NUGET, "pkg:nuget/A@1", "app/shop", &[]);
        assert_eq!(of(&single, &[], &usage(&["app/shop"], true)).used, Used::Loaded);
        let gem = package(
            Ecosystem::RUBY_GEMS,
            "pkg:gem/rack@1.0",
            "usr/gems/specifications/rack-1.0.gemspec",
            &[],
        );
        assert_eq!(
            of(&gem, &[], &usage(&["usr/gems/gems/rack-1.0/lib/rack.rb"], true)).used,
            Used::Loaded
        );
    }

    #[test]
    fn what_is_only_declared_is_not_judged() {
        let path = "app/node_modules/a/package.json";
        let declared = Package {
            presence: Presence::Declared,
            ..package(Ecosystem::NPM, "pkg:npm/a@1", path, &[])
        };
        assert_eq!(of(&declared, &[], &usage(&[path], true)).used, Used::Unknown);
    }
}
