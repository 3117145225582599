//! Which packages are the Linux kernel, and which only carry its name.
//!
//! Headers for C libraries and for building modules are built from the kernel's source, so advisories
//! of the kernel list them, but no kernel runs from them: a container that has `linux-libc-dev` does
//! not have the kernel's vulnerabilities.

use std::collections::HashMap;
use vocabulary::{Finding, Package, Purl};

/// Whether a package holds headers or other parts for building only.
pub(crate) fn is_headers(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "kernel-headers",
        "kernel-devel",
        "kernel-cross-headers",
        "linux-api-headers",
        "linux-headers",
        "linux-glibc-devel",
        "linux-kernel-headers",
        "linux-source",
        "linux-doc",
    ];
    const PREFIXES: [&str; 8] = [
        "linux-libc-dev",
        "linux-headers-",
        "linux-kbuild-",
        "linux-compiler-",
        "linux-source-",
        "linux-doc-",
        "kernel-headers-",
        "kernel-devel-",
    ];
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with("kernel-") && (name.ends_with("-devel") || name.ends_with("-headers")))
        || (name.starts_with("linux-") && name.contains("-headers-"))
}

/// Whether a package holds a kernel, or modules of one build, as Debian and Ubuntu name them.
pub(crate) fn is_image(name: &str) -> bool {
    ["linux-image-", "linux-modules-"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a package is a part of one build of the kernel: its image, or its modules.
pub(crate) fn is_part(name: &str) -> bool {
    const RPM: [&str; 4] = ["-core", "-modules", "-modules-core", "-modules-extra"];
    const FLAVOURS: [&str; 6] =
        ["kernel", "kernel-rt", "kernel-64k", "kernel-uek", "kernel-default", "kernel-lt"];
    is_image(name)
        || FLAVOURS.iter().any(|flavour| {
            name.strip_prefix(flavour).is_some_and(|rest| rest.is_empty() || RPM.contains(&rest))
        })
}

/// Leaves of what several parts of one kernel have the finding of one: they are one kernel, and one
/// upgrade changes them together. That of the image stays, else the first by name.
pub(crate) fn once(findings: &mut Vec<Finding>, packages: &[&Package]) {
    let parts: HashMap<&Purl, (String, &str)> = packages
        .iter()
        .filter(|package| package.ecosystem.is_distribution() && is_part(&package.name))
        .map(|package| {
            let source = package.source.as_ref().map_or("", |source| &source.name);
            let source = unsigned_source(source).unwrap_or_else(|| source.to_owned());
            (&package.purl, (source, package.version.as_str()))
        })
        .collect();
    if parts.len() < 2 {
        return;
    }
    let rank = |purl: &Purl| {
        let name = purl.name();
        let holds_image = name.starts_with("linux-image-") || name.ends_with("-core");
        (!holds_image || name.ends_with("-modules-core"), name.to_owned())
    };
    let mut best: HashMap<(String, &str, Option<String>, String), Purl> = HashMap::new();
    let mut keys = Vec::with_capacity(findings.len());
    for finding in findings.iter() {
        let part = finding.package.as_ref().and_then(|purl| Some((purl, parts.get(purl)?)));
        let key = part.map(|(purl, (source, version))| {
            let place = finding.location.to_string();
            let key = (source.clone(), *version, finding.id.clone(), place);
            let known = best.entry(key.clone()).or_insert_with(|| purl.clone());
            if rank(purl) < rank(known) {
                *known = purl.clone();
            }
            key
        });
        keys.push(key);
    }
    let mut keys = keys.into_iter();
    findings.retain(|finding| {
        let key = keys.next().flatten();
        key.and_then(|key| best.get(&key)).is_none_or(|purl| finding.package.as_ref() == Some(purl))
    });
}

/// The source that a signed kernel was built from: its own source only adds signatures, and
/// advisories name the first. `linux-signed-amd64` is `linux`, `linux-signed-hwe-5.15` is
/// `linux-hwe-5.15`.
pub(crate) fn unsigned_source(source: &str) -> Option<String> {
    let rest = source.strip_prefix("linux-signed")?;
    Some(match rest {
        "" | "-amd64" | "-arm64" | "-i386" => "linux".to_owned(),
        rest => format!("linux{rest}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_from_kernels() {
        for name in [
            "linux-libc-dev",
            "kernel-headers",
            "linux-headers-6.1.0-18-amd64",
            "linux-libc-dev-cross",
        ] {
            assert!(is_headers(name), "{name}");
        }
        for name in ["linux-image-6.1.0-18-amd64", "kernel", "kernel-core", "linux-modules-5.4.0-1"]
        {
            assert!(!is_headers(name), "{name}");
        }
    }

    #[test]
    fn a_signed_kernel_is_matched_as_its_unsigned_source() {
        assert_eq!(unsigned_source("linux-signed-amd64").as_deref(), Some("linux"));
        assert_eq!(unsigned_source("linux-signed-hwe-5.15").as_deref(), Some("linux-hwe-5.15"));
        assert_eq!(unsigned_source("linux"), None);
    }
}
