//! Reads the package database of Slackware and its derivatives.
//!
//! In goes a file for each package, named `NAME-VERSION-ARCH-BUILD`, that holds its description and the
//! list of its files; out come the packages. The name of the file is the package's identity: pkgtools
//! compares nothing else. The folder moved from `/var/log` to `/var/lib/pkgtools` with Slackware 15.
//!
//! Sources: Slackware, `installpkg(8)` and `pkgtools`; The Slackware Linux Essentials, "Slackware
//! package format". Package URLs are of a type of our own, since purl-spec has none.

use crate::language::{decode, encode, plain_text};
use crate::os_release::{distro_qualifier, ecosystem, namespace};
use crate::owned::{Blob, Budget, Packer};
use crate::text::{lines, path};
use image::{
    Cataloged, Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
use std::collections::HashSet;
use vocabulary::{Location, Package, Problem, Purl};

const FOLDERS: [&str; 2] = ["var/lib/pkgtools/packages/", "var/log/packages/"];

/// Largest file; that of the kernel's sources has about seven megabytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// Reads the database of pkgtools.
#[derive(Debug)]
pub struct Slackware;

/// The parts of a package's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named<'path> {
    name: &'path str,
    version: &'path str,
    architecture: &'path str,
    build: &'path str,
}

/// The name of a file directly in one of the folders.
fn file_of(path: &str) -> Option<&str> {
    let name = FOLDERS.iter().find_map(|folder| path.strip_prefix(folder))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

fn named(file: &str) -> Option<Named<'_>> {
    let mut parts = plain_text(file).filter(|plain| *plain == file)?.rsplitn(4, '-');
    let (build, architecture) = (parts.next()?, parts.next()?);
    let (version, name) = (parts.next()?, parts.next()?);
    let is_whole = [build, architecture, version, name].iter().all(|part| !part.is_empty());
    is_whole.then_some(Named { name, version, architecture, build })
}

impl Reader for Slackware {
    fn id(&self) -> &'static str {
        "slackware"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Under("var/lib/pkgtools/packages/"), Interest::Under("var/log/packages/")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match file_of(entry.path) {
            Some(_) => Want::Whole { at_most: SIZE_LIMIT },
            None => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some(file) = file_of(entry.path) else { return Ok(None) };
        if named(file).is_none() {
            let reason = "is not named as a package of Slackware is: name-version-arch-build";
            return Err(ReadError::new(reason));
        }
        encode(&files(bytes))
    }
}

impl Resolver for Slackware {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut out = Resolution::default();
        let mut budget = Budget::default();
        let mut seen = HashSet::new();
        let distro = distro_qualifier(view.distribution());
        for at in view.staying() {
            let Some(file) = file_of(at.path) else { continue };
            let Some(named) = named(file).filter(|_| seen.insert(file)) else { continue };
            let version = format!("{}-{}", named.version, named.build);
            let purl = Purl::new("slackware", named.name)
                .with_namespace(namespace(view.distribution()))
                .with_version(&version)
                .with_qualifier("arch", named.architecture)
                .with_qualifier("distro", &distro);
            let location = Location::file(at.path, at.layer);
            let mut package =
                Package::new(purl, ecosystem(view.distribution()), named.name, version, location);
            package.architecture = Some(named.architecture.to_owned());
            let files = decode::<Blob<'_>>(&at, &mut out.problems);
            let owned = files.map(|files| files.unpack(&mut budget)).unwrap_or_default();
            out.packages.push(Cataloged { owned, ..Cataloged::new(package) });
        }
        if let Some(reason) = budget.problem() {
            let path = FOLDERS.first().copied().unwrap_or_default().to_owned();
            out.problems.push(Problem { path, layer: None, reason });
        }
        out
    }
}

/// The files below `FILE LIST:` but folders, which end with a slash.
fn files(bytes: &[u8]) -> Blob<'static> {
    let mut packer = Packer::default();
    let list = lines(bytes).skip_while(|line| !line.starts_with(b"FILE LIST:")).skip(1);
    for line in list.filter(|line| !line.ends_with(b"/")) {
        packer.push(&path(line), None);
    }
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_tests::{Layers, read_file};
    use proptest::prelude::*;

    const TEXT: &str = "PACKAGE NAME:     openssl-1.1.1w-x86_64-1_slack15.0\nPACKAGE DESCRIPTION:\nopenssl: x\nFILE LIST:\n./\nusr/\nusr/bin/openssl\n";

    #[test]
    fn the_name_of_a_file_is_the_package() {
        let out = Layers::default()
            .distribution("slackware", "15.0")
            .layer()
            .file("var/lib/pkgtools/packages/openssl-1.1.1w-x86_64-1_slack15.0", TEXT)
            .file("var/log/packages/ca-certificates-20211005-noarch-1", "")
            .resolve(&Slackware);
        let purls: Vec<String> =
            out.packages.iter().map(|one| one.package.purl.to_string()).collect();
        assert_eq!(
            purls,
            [
                "pkg:slackware/slackware/openssl@1.1.1w-1_slack15.0?arch=x86_64&distro=slackware-15.0",
                "pkg:slackware/slackware/ca-certificates@20211005-1?arch=noarch&distro=slackware-15.0"
            ]
        );
        let owned: Vec<&str> =
            out.packages[0].owned.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(owned, ["usr/bin/openssl"]);
    }

    #[test]
    fn a_file_that_is_not_named_so_is_a_problem() {
        for name in ["a", "a-1-x86_64", "-1-x86_64-1", "a--x86_64-1", "a-1-x86_64-1\x1b[2J"] {
            assert!(read_file(&Slackware, &format!("var/log/packages/{name}"), b"").is_err());
        }
        assert_eq!(read_file(&Slackware, "var/log/packages/a/b-1-x-1", b"").unwrap(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, name in "[a-z0-9._-]{0,20}") {
            files(&bytes);
            named(&name);
        }
    }
}
