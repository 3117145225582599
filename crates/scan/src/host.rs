//! `host:`: the container platform of a machine, by its package databases and its programs.
//!
//! In goes a root, `/` or another one, out comes an inventory of the packages that containers rest on:
//! kernel, runtimes, engines, Kubernetes' node parts and network plugins. Only the places of package
//! databases and of those programs are looked into, never the whole tree; all that is done is reading,
//! and it needs no root. A program that no package owns is read by what it says of itself.

use crate::inventory::Inventory;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use vocabulary::{Coverage, Ecosystem, Finding, Package, Problem, Purl, SubjectKind};

/// Places of package databases, of what says which distribution it is, and of network plugins.
const PLACES: &[&str] = &[
    "etc/SuSE-release",
    "etc/almalinux-release",
    "etc/alpine-release",
    "etc/centos-release",
    "etc/debian_version",
    "etc/fedora-release",
    "etc/lsb-release",
    "etc/oracle-release",
    "etc/os-release",
    "etc/redhat-release",
    "etc/rocky-release",
    "etc/system-release",
    "lib/apk/db",
    "opt/cni/bin",
    "usr/lib/apk/db",
    "usr/lib/cni",
    "usr/lib/fedora-release",
    "usr/lib/opkg",
    "usr/lib/os-release",
    "usr/lib/os.release.d",
    "usr/lib/sysimage/rpm",
    "usr/lib/system-release",
    "usr/lib/system-release.d",
    "usr/libexec/cni",
    "usr/share/bottlerocket",
    "usr/share/rpm",
    "var/db/xbps",
    "var/lib/chisel",
    "var/lib/dpkg",
    "var/lib/opkg",
    "var/lib/pacman/local",
    "var/lib/pkgtools/packages",
    "var/lib/rpm",
    "var/log/packages",
];

/// Folders in which programs of the container platform may lie.
const FOLDERS: &[&str] = &["usr/bin", "usr/local/bin", "usr/local/sbin", "usr/sbin"];

/// Those programs.
const PROGRAMS: &[&str] = &[
    "buildah",
    "buildkitd",
    "conmon",
    "containerd",
    "containerd-shim-kata-v2",
    "containerd-shim-runc-v2",
    "crictl",
    "crio",
    "crun",
    "ctr",
    "docker",
    "docker-proxy",
    "dockerd",
    "k0s",
    "k3s",
    "kubeadm",
    "kubectl",
    "kubelet",
    "nerdctl",
    "podman",
    "rke2",
    "runc",
    "runsc",
    "skopeo",
    "youki",
];

/// Names of packages of the container platform, of Debian, Ubuntu, Alpine, Fedora, Red Hat, SUSE and
/// Arch, and of the engines' own repositories. A `*` stands for any text. Sorted.
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
    "cri-tools*",
    "crun*",
    "docker",
    "docker-buildx*",
    "docker-ce*",
    "docker-cli*",
    "docker-compose*",
    "docker-engine*",
    "docker-libnetwork*",
    "docker-proxy",
    "docker-runc*",
    "docker-stable*",
    "docker.io",
    "fuse-overlayfs",
    "golang-github-containernetworking-plugin*",
    "golang-github-containers-common",
    "gvisor*",
    "incus*",
    "k3s*",
    "kata-containers*",
    "kernel",
    "kernel-64k*",
    "kernel-azure*",
    "kernel-core",
    "kernel-default*",
    "kernel-modules*",
    "kernel-rt*",
    "kernel-uek*",
    "kubeadm*",
    "kubectl*",
    "kubelet*",
    "kubernetes-*",
    "kubernetes1.*",
    "libcontainerd*",
    "linux",
    "linux-aws",
    "linux-edge",
    "linux-hardened",
    "linux-image-*",
    "linux-lts",
    "linux-modules-*",
    "linux-rpi*",
    "linux-stable",
    "linux-virt",
    "linux-zen",
    "lxc",
    "lxc-*",
    "lxd*",
    "moby-*",
    "nerdctl*",
    "netavark",
    "passt",
    "podman*",
    "rke2-*",
    "runc*",
    "runsc",
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

/// Keeps what is of the container platform, and says what was looked at and what was not found.
pub(crate) fn settle(mut inventory: Inventory, root: &Path, kernel: Option<&str>) -> Inventory {
    inventory.subject.kind = SubjectKind::Host;
    // A machine is no project, whatever lies at its root.
    inventory.subject.checkout = None;
    inventory.subject.version = None;
    let kernel = kernel.filter(|_| root == Path::new("/"));
    let all =
        inventory.software.packages.iter().filter(|one| one.ecosystem.is_distribution()).count();
    let mut problems = nameless_programs(&inventory.software.packages, root);
    inventory.software.packages.retain(|package| {
        let own = package.ecosystem == Ecosystem::GO && package.owned_by.is_none();
        own || is_platform(package)
    });
    let kept =
        inventory.software.packages.iter().filter(|one| one.ecosystem.is_distribution()).count();
    if let Some(release) = kernel
        && !inventory.software.packages.iter().any(|one| runs(&one.purl, release) == Some(true))
    {
        problems.push(Problem {
            path: "the running kernel".to_owned(),
            layer: None,
            reason: format!("{release}: no package of it is installed, so it is not checked"),
        });
    }
    // A machine without any known package is not a machine without faults.
    let coverage = if all == 0 && inventory.software.packages.is_empty() && problems.is_empty() {
        Coverage::skipped("host", "no package database is there, or may be read: not checked")
    } else {
        if all == 0 {
            problems.push(Problem {
                path: "package database".to_owned(),
                layer: None,
                reason: "none is there, or may be read".to_owned(),
            });
        }
        let running = kernel.map_or_else(String::new, |release| format!("; kernel {release} runs"));
        let reason = format!("{kept} of {all} packages are of the container platform{running}");
        Coverage { reason: Some(reason), ..Coverage::with_problems("host", problems) }
    };
    inventory.coverage.retain(|one| one.check != "packages");
    inventory.coverage.push(coverage);
    inventory.runs.kernel = kernel.map(str::to_owned);
    inventory
}

fn is_platform(package: &Package) -> bool {
    // Debian's `docker` docked windows, long before there were containers.
    let is_dock = package.name == "docker"
        && (package.ecosystem == Ecosystem::DEBIAN || package.ecosystem == Ecosystem::UBUNTU);
    package.ecosystem.is_distribution()
        && !is_dock
        && PLATFORM.iter().any(|pattern| policy::Text::new(pattern).matches(&package.name))
}

/// Programs of the platform that belong to no package and do not say what they are made of.
fn nameless_programs(packages: &[Package], root: &Path) -> Vec<Problem> {
    let known: HashSet<&str> = packages
        .iter()
        .flat_map(|package| {
            package.location.path().into_iter().chain(package.files.iter().map(String::as_str))
        })
        .collect();
    let mut problems = Vec::new();
    for folder in FOLDERS {
        for program in PROGRAMS {
            let path = format!("{folder}/{program}");
            // Package databases may write `bin/x` where `bin` leads to `usr/bin`.
            let short = path.strip_prefix("usr/").unwrap_or(&path);
            let is_file =
                || root.join(&path).symlink_metadata().is_ok_and(|metadata| metadata.is_file());
            if !known.contains(path.as_str()) && !known.contains(short) && is_file() {
                let reason = "no package owns it, and it does not say its version: not checked";
                problems.push(Problem { path, layer: None, reason: reason.to_owned() });
            }
        }
    }
    problems
}

/// Whether a package is of the kernel of this release (`uname -r`); none where it is not a kernel of
/// one release.
///
/// Debian and Ubuntu put the release into the name. Red Hat's release is version and architecture;
/// SUSE's, Alpine's and Arch's is the version, in other dividers, and the flavour that the name ends
/// in, and SUSE's package has a count of rebuilds more.
fn runs(purl: &Purl, release: &str) -> Option<bool> {
    let version = purl.version()?;
    let name = purl.name();
    match purl.kind() {
        "deb" => {
            let rest = name.strip_prefix("linux-image-")?;
            let rest = rest.strip_prefix("unsigned-").unwrap_or(rest);
            let rest = rest.strip_suffix("-unsigned").unwrap_or(rest);
            let numbered = rest.starts_with(|first: char| first.is_ascii_digit());
            (numbered && !rest.ends_with("-dbg")).then_some(rest == release)
        }
        "rpm" => {
            let flavour = name.strip_prefix("kernel")?.trim_start_matches('-');
            let flavour = flavour.strip_suffix("core").unwrap_or(flavour).trim_end_matches('-');
            match flavour {
                "" | "64k" | "rt" | "debug" | "uek" | "uek64k" => Some(
                    release.strip_prefix(version).is_some_and(|rest| rest.starts_with(['.', '+']))
                        || release == version,
                ),
                "default" | "azure" | "preempt" => {
                    let base =
                        release.strip_suffix(flavour).and_then(|text| text.strip_suffix('-'));
                    let rest = base.and_then(|base| version.strip_prefix(base));
                    Some(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
                }
                _ => None,
            }
        }
        "apk" | "alpm" => {
            let flavour = name.strip_prefix("linux")?;
            let known =
                ["", "-aws", "-edge", "-hardened", "-lts", "-rpi", "-stable", "-virt", "-zen"];
            if !known.contains(&flavour) {
                return None;
            }
            let Some(base) = release.strip_suffix(flavour) else { return Some(false) };
            let version = if purl.kind() == "apk" {
                version.replacen("-r", "-", 1)
            } else {
                version.to_owned()
            };
            let dividers = |letter: &char| letter.is_ascii_alphanumeric();
            Some(version.chars().filter(dividers).eq(base.chars().filter(dividers)))
        }
        _ => None,
    }
}

/// Says of findings of a kernel that is installed, but does not run, that it does not.
pub(crate) fn mark_kernels(findings: &mut [Finding], kernel: Option<&str>) {
    let Some(release) = kernel else { return };
    for finding in findings {
        if finding.package.as_ref().and_then(|purl| runs(purl, release)) == Some(false) {
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
    fn a_kernel_package_is_of_the_release_that_runs_or_of_another() {
        for (purl, release, expected) in [
            ("pkg:deb/debian/linux-image-6.1.0-1-amd64@6.1.1-1", "6.1.0-1-amd64", Some(true)),
            ("pkg:deb/debian/linux-image-6.1.0-1-amd64@6.1.1-1", "6.1.0-2-amd64", Some(false)),
            (
                "pkg:deb/ubuntu/linux-image-unsigned-6.8.0-31-generic@1",
                "6.8.0-31-generic",
                Some(true),
            ),
            ("pkg:deb/debian/linux-image-6.1.0-1-amd64-dbg@6.1.1-1", "6.1.0-1-amd64", None),
            ("pkg:deb/debian/linux-image-amd64@6.1.1-1", "6.1.0-1-amd64", None),
            ("pkg:rpm/redhat/kernel-core@5.14.0-427.el9", "5.14.0-427.el9.x86_64", Some(true)),
            ("pkg:rpm/redhat/kernel-core@5.14.0-42.el9", "5.14.0-427.el9.x86_64", Some(false)),
            (
                "pkg:rpm/redhat/kernel-rt-core@5.14.0-427.el9",
                "5.14.0-427.el9.x86_64+rt",
                Some(true),
            ),
            ("pkg:rpm/redhat/kernel-headers@5.14.0-427.el9", "5.14.0-427.el9.x86_64", None),
            (
                "pkg:rpm/suse/kernel-default@5.14.21-150400.24.100.2",
                "5.14.21-150400.24.100-default",
                Some(true),
            ),
            (
                "pkg:rpm/suse/kernel-default@5.14.21-150400.24.10.2",
                "5.14.21-150400.24.100-default",
                Some(false),
            ),
            ("pkg:apk/alpine/linux-lts@6.6.58-r0", "6.6.58-0-lts", Some(true)),
            ("pkg:apk/alpine/linux-virt@6.6.58-r0", "6.6.58-0-lts", Some(false)),
            ("pkg:apk/alpine/linux-headers@6.6.58-r0", "6.6.58-0-lts", None),
            ("pkg:alpm/arch/linux@6.6.1.arch1-1", "6.6.1-arch1-1", Some(true)),
            ("pkg:alpm/arch/linux-lts@6.6.2-1", "6.6.1-1-lts", Some(false)),
        ] {
            assert_eq!(runs(&purl.parse().unwrap(), release), expected, "{purl} {release}");
        }
    }

    #[test]
    fn packages_of_other_purposes_are_not_of_the_platform() {
        let package = |ecosystem: Ecosystem, name: &str| {
            let purl = Purl::new("deb", name).with_version("1");
            let location = vocabulary::Location::Subject;
            is_platform(&Package::new(purl, ecosystem, name, "1", location))
        };
        for name in ["docker.io", "docker-ce-cli", "linux-image-amd64", "kubernetes1.31", "passt"] {
            assert!(package(Ecosystem::DEBIAN, name), "{name}");
        }
        for name in ["docker", "docker-registry", "lxcfs", "linux-doc", "bash", "kernel-headers"] {
            assert!(!package(Ecosystem::DEBIAN, name), "{name}");
        }
        assert!(package(Ecosystem::ALPINE, "docker"));
        assert!(!package(Ecosystem::PYPI, "runc"));
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
