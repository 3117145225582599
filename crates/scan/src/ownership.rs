//! Tells which language packages belong to a distribution package.
//!
//! Debian's `python3-yaml` installs PyYAML: the same files, patched by Debian, whose advisories know
//! the patched version. Matching PyYAML's own advisories against it would report what Debian has
//! mended. So a language package whose proving file a distribution package owns, unmodified by the
//! digest that the package database records, belongs to that package.
//!
//! That holds for packages that a distribution makes. Those of a vendor's own repository, such as
//! `docker-ce`, no distribution patches and no distribution's advisory names: what they carry is
//! matched by itself.

use image::{Cataloged, OwnedFile, Squash};
use std::collections::{HashMap, HashSet};
use vocabulary::{Package, Purl};

/// Packages of vendors' own repositories for dpkg and rpm. Debian has none of these names; Alpine and
/// Arch package some of them themselves, so the names say nothing there. Sorted.
const OF_VENDORS: &[&str] = &[
    "containerd.io",
    "docker-buildx-plugin",
    "docker-ce",
    "docker-ce-cli",
    "docker-ce-rootless-extras",
    "docker-compose-plugin",
    "docker-model-plugin",
    "docker-scan-plugin",
    "google-cloud-cli",
    "google-cloud-sdk",
    "kubeadm",
    "kubectl",
    "kubelet",
    "kubernetes-cni",
];

/// Who owns a file.
struct Owner {
    purl: Purl,
    layer: Option<u32>,
    file: OwnedFile,
}

/// Sets `owned_by` where it holds.
pub(crate) fn settle(cataloged: &mut [Cataloged], squash: &Squash<'_>) {
    if cataloged.iter().all(|entry| entry.owned.is_empty()) {
        return;
    }
    let wanted: HashSet<&str> = cataloged
        .iter()
        .filter(|entry| may_be_owned(entry))
        .filter_map(|entry| Some(proving_file(entry.package.location.path()?)))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let owners = owners(cataloged, &wanted, squash);
    for entry in cataloged.iter_mut().filter(|entry| may_be_owned(entry)) {
        let Some(path) = entry.package.location.path() else { continue };
        entry.package.owned_by = owners
            .get(proving_file(path))
            .filter(|owner| is_unmodified(owner, entry))
            .map(|owner| Box::new(owner.purl.clone()));
    }
}

/// Packages of languages, and those of a distribution that only a file's content tells.
fn may_be_owned(entry: &Cataloged) -> bool {
    !entry.package.ecosystem.is_distribution() || entry.package.identified.is_some()
}

fn is_of_a_vendor(package: &Package) -> bool {
    matches!(package.purl.kind(), "deb" | "rpm") && OF_VENDORS.contains(&package.name.as_str())
}

/// `a.jar` of `a.jar!/lib/b.jar`.
fn proving_file(path: &str) -> &str {
    path.split_once("!/").map_or(path, |(file, _)| file)
}

/// The owners of the wanted files. Package databases write `lib/x` where `lib` is a link to
/// `usr/lib`; following links costs, so it is done only for files whose name is wanted.
fn owners(
    cataloged: &[Cataloged],
    wanted: &HashSet<&str>,
    squash: &Squash<'_>,
) -> HashMap<String, Owner> {
    let names: HashSet<&str> = wanted.iter().map(|path| name_of(path)).collect();
    let mut owners = HashMap::new();
    let of_distribution = |entry: &&Cataloged| !is_of_a_vendor(&entry.package);
    for entry in cataloged.iter().filter(of_distribution) {
        for file in &entry.owned {
            if !names.contains(name_of(&file.path)) {
                continue;
            }
            let path = squash.follow(&file.path);
            if wanted.contains(path.as_str()) {
                let purl = entry.package.purl.clone();
                let layer = entry.package.layer;
                owners.insert(path, Owner { purl, layer, file: file.clone() });
            }
        }
    }
    owners
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// By digest where both sides have one. Else only where both came with the same layer: a later layer
/// may have replaced the file.
fn is_unmodified(owner: &Owner, entry: &Cataloged) -> bool {
    match (&owner.file.digest, &entry.proof) {
        (Some(recorded), Some(proof)) => proof.agree_with(recorded),
        _ => owner.layer == entry.package.location.layer(),
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_VENDORS, is_of_a_vendor};
    use vocabulary::{Ecosystem, Location, Package, Purl};

    #[test]
    fn a_vendors_package_is_one_only_where_the_distribution_has_none_of_its_name() {
        let is = |kind, name| {
            let purl = Purl::new(kind, name).with_version("1");
            is_of_a_vendor(&Package::new(purl, Ecosystem::DEBIAN, name, "1", Location::Subject))
        };
        assert!(is("deb", "docker-ce") && is("rpm", "kubelet"));
        assert!(!is("apk", "kubelet") && !is("alpm", "kubectl") && !is("deb", "docker.io"));
        assert!(OF_VENDORS.is_sorted());
    }
}
