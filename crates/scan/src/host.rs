//! `host:`: the container platform of a machine, by its package databases and its programs.
//!
//! In goes a root, `/` or another one, out comes an inventory of the packages that containers rest on:
//! kernel, runtimes, engines, Kubernetes' node parts and network plugins. Only the places of package
//! databases and of those programs are looked into, never the whole tree; all that is done is reading,
//! and it needs no root. A program that no package owns is read by what it says of itself.

use crate::inventory::Inventory;
use std::path::{Path, PathBuf};
use vocabulary::{Coverage, Ecosystem, Finding, Package, SubjectKind};

/// Places of package databases, of what says which distribution it is, and of network plugins.
const PLACES: &[&str] = &[
    "etc/os-release",
    "lib/apk/db",
    "opt/cni/bin",
    "usr/lib/cni",
    "usr/lib/os-release",
    "usr/lib/sysimage/rpm",
    "usr/libexec/cni",
    "var/lib/dpkg",
    "var/lib/rpm",
];

/// Folders in which programs of the container platform may lie.
const FOLDERS: &[&str] = &["usr/bin", "usr/local/bin", "usr/local/sbin", "usr/sbin"];

/// Those programs.
const PROGRAMS: &[&str] = &[
    "buildah",
    "conmon",
    "containerd",
    "containerd-shim-runc-v2",
    "crio",
    "crun",
    "ctr",
    "docker",
    "docker-proxy",
    "dockerd",
    "kubeadm",
    "kubectl",
    "kubelet",
    "nerdctl",
    "podman",
    "runc",
    "skopeo",
];

/// Names of packages of the container platform, of Debian, Ubuntu, Alpine, Fedora, Red Hat and SUSE,
/// and of the engines' own repositories. A `*` stands for any text. Sorted.
const PLATFORM: &[&str] = &[
    "aardvark-dns",
    "buildah",
    "catatonit",
    "cni-plugin*",
    "conmon*",
    "containerd*",
    "containernetworking-plugins",
    "containers-common*",
    "cri-o*",
    "cri-tools",
    "crun*",
    "docker",
    "docker-*",
    "docker.io",
    "golang-github-containernetworking-plugin*",
    "kernel",
    "kernel-core",
    "kernel-default*",
    "kernel-rt*",
    "kernel-uek*",
    "kubeadm*",
    "kubectl*",
    "kubelet*",
    "kubernetes-*",
    "libcontainerd*",
    "linux-image-*",
    "linux-lts",
    "linux-virt",
    "lxc*",
    "moby-*",
    "nerdctl",
    "netavark",
    "podman*",
    "runc*",
    "skopeo",
    "slirp4netns",
];

/// The root that a reference names: `host:` or `host:/path`.
pub(crate) fn named(reference: &str) -> Option<PathBuf> {
    let root = reference.strip_prefix("host:")?;
    Some(if root.is_empty() { PathBuf::from("/") } else { PathBuf::from(root) })
}

/// Whether a path is one of the places, leads to one, or lies in one.
pub(crate) fn is_place(path: &str) -> bool {
    let leads = |short: &str, long: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let program = path
        .rsplit_once('/')
        .is_some_and(|(folder, name)| FOLDERS.contains(&folder) && PROGRAMS.contains(&name));
    program
        || PLACES.iter().any(|place| leads(path, place) || leads(place, path))
        || FOLDERS.iter().any(|folder| leads(path, folder))
}

/// Keeps what is of the container platform, and says what was looked at.
pub(crate) fn settle(mut inventory: Inventory, root: &Path, kernel: Option<&str>) -> Inventory {
    inventory.subject.kind = SubjectKind::Host;
    let all = inventory.packages.len();
    inventory.packages.retain(|package| {
        let own = package.ecosystem == Ecosystem::GO && package.owned_by.is_none();
        own || is_platform(package)
    });
    let kept = inventory.packages.len();
    let mut coverage = Coverage::ran("host");
    let running = match (kernel, root == Path::new("/")) {
        (Some(release), true) => format!("; kernel {release} runs"),
        _ => String::new(),
    };
    coverage.reason =
        Some(format!("{kept} of {all} packages are of the container platform{running}"));
    // A machine without any known package is not a machine without faults.
    if all == 0 {
        coverage =
            Coverage::skipped("host", "no package database is there, or may be read: not checked");
    }
    inventory.coverage.retain(|one| one.check != "packages");
    inventory.coverage.push(coverage);
    inventory.kernel = kernel.filter(|_| root == Path::new("/")).map(str::to_owned);
    inventory
}

fn is_platform(package: &Package) -> bool {
    package.ecosystem.is_distribution()
        && PLATFORM.iter().any(|pattern| policy::Text::new(pattern).matches(&package.name))
}

/// Says of findings of a kernel that is installed, but does not run, that it does not.
pub(crate) fn mark_kernels(findings: &mut [Finding], kernel: Option<&str>) {
    let Some(release) = kernel else { return };
    for finding in findings {
        let Some(purl) = &finding.package else { continue };
        let image = purl.name().strip_prefix("linux-image-");
        let numbered = image.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
        if numbered.is_some_and(|rest| rest != release) {
            finding.title.push_str(" (this kernel is installed and does not run)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_places_and_the_way_to_them_are_looked_into() {
        for path in
            ["", "var", "var/lib", "var/lib/dpkg/status", "usr/bin/runc", "usr/local/bin/kubelet"]
        {
            assert!(path.is_empty() || is_place(path), "{path}");
        }
        for path in [
            "home",
            "var/lib/docker",
            "usr/bin/bash",
            "usr/bin/runcible",
            "usr/local/bin/terraform",
            "etc/shadow",
            "proc",
        ] {
            assert!(!is_place(path), "{path}");
        }
    }

    #[test]
    fn the_tables_are_sorted() {
        assert!(PLACES.is_sorted() && PLATFORM.is_sorted());
        assert!(FOLDERS.is_sorted() && PROGRAMS.is_sorted());
    }

    #[test]
    fn a_reference_names_this_machine_or_another_root() {
        assert_eq!(named("host:").unwrap(), Path::new("/"));
        assert_eq!(named("host:/mnt").unwrap(), Path::new("/mnt"));
        assert!(named("hosted:1").is_none());
    }
}
