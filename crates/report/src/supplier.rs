//! Who supplies a package, where that can be told without asking anybody.
//!
//! A package of a distribution comes from whom the namespace of its package URL names (purl-spec,
//! types `apk`, `deb` and `rpm`: "the vendor"). In a few registries the namespace belongs to one
//! publisher by the registry's own rules: scopes of npm, groups of Maven, vendors of Packagist, owners
//! on GitHub. Elsewhere anybody may take any name, so that nothing is said.

use vocabulary::Package;

/// Ids of distributions and namespaces of their packages, and what their vendor is called.
const VENDORS: [(&str, &str); 40] = [
    ("almalinux", "AlmaLinux"),
    ("alpaquita", "BellSoft"),
    ("alpine", "Alpine Linux"),
    ("amzn", "Amazon"),
    ("arch", "Arch Linux"),
    ("azurelinux", "Microsoft"),
    ("bellsoft-hardened-containers", "BellSoft"),
    ("bottlerocket", "Amazon"),
    ("centos", "CentOS"),
    ("chainguard", "Chainguard"),
    ("debian", "Debian"),
    ("echo", "Echo"),
    ("fedora", "Fedora"),
    ("gentoo", "Gentoo"),
    ("mageia", "Mageia"),
    ("mariner", "Microsoft"),
    ("minimos", "MinimOS"),
    ("ol", "Oracle"),
    ("openeuler", "openEuler"),
    ("opensuse", "openSUSE"),
    ("opensuse-leap", "openSUSE"),
    ("opensuse-leap-micro", "openSUSE"),
    ("opensuse-microos", "openSUSE"),
    ("opensuse-slowroll", "openSUSE"),
    ("opensuse-tumbleweed", "openSUSE"),
    ("oracle", "Oracle"),
    ("photon", "VMware"),
    ("redhat", "Red Hat"),
    ("rhel", "Red Hat"),
    ("rocky", "Rocky Linux"),
    ("sl-micro", "SUSE"),
    ("sle-micro", "SUSE"),
    ("sle_hpc", "SUSE"),
    ("sled", "SUSE"),
    ("sles", "SUSE"),
    ("sles_sap", "SUSE"),
    ("suse", "SUSE"),
    ("ubuntu", "Canonical"),
    ("void", "Void Linux"),
    ("wolfi", "Chainguard"),
];

/// The name of the supplier; none where nobody can tell.
pub(crate) fn of(package: &Package) -> Option<&str> {
    // What does not come from where the namespace is kept is nobody's that it names.
    if package.is_from_elsewhere() {
        return None;
    }
    let namespace = package.purl.namespace()?;
    if package.ecosystem.is_distribution() {
        return Some(vendor(namespace));
    }
    match package.purl.kind() {
        "composer" | "github" | "maven" => Some(namespace),
        "npm" => namespace.strip_prefix('@').filter(|scope| !scope.is_empty()),
        "golang" => namespace.strip_prefix("github.com/")?.split('/').next(),
        _ => None,
    }
}

/// What the vendor of a distribution is called, by the `ID` of its os-release or its namespace. Who is
/// behind one that nobody here knows is called as it calls itself.
pub(crate) fn vendor(id: &str) -> &str {
    VENDORS.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{Ecosystem, Location};

    #[test]
    fn a_supplier_is_named_where_the_namespace_is_one_publishers() {
        let supplier = |ecosystem: Ecosystem, purl: &str| {
            let package =
                Package::new(purl.parse().unwrap(), ecosystem, "x", "1", Location::Subject);
            of(&package).map(str::to_owned)
        };
        let named = |ecosystem, purl| supplier(ecosystem, purl).unwrap();
        assert_eq!(named(Ecosystem::DEBIAN, "pkg:deb/debian/zip@3"), "Debian");
        assert_eq!(named(Ecosystem::UBUNTU, "pkg:deb/ubuntu/zip@3"), "Canonical");
        assert_eq!(named(Ecosystem::new("Own"), "pkg:deb/own/zip@3"), "own");
        assert_eq!(named(Ecosystem::NPM, "pkg:npm/%40scope/a@1"), "scope");
        assert_eq!(named(Ecosystem::MAVEN, "pkg:maven/org.a/b@1"), "org.a");
        assert_eq!(named(Ecosystem::GO, "pkg:golang/github.com/own/er/sub@1"), "own");
        for (ecosystem, purl) in [
            (Ecosystem::NPM, "pkg:npm/a@1"),
            (Ecosystem::PYPI, "pkg:pypi/a@1"),
            (Ecosystem::GO, "pkg:golang/example.org/a@1"),
            (Ecosystem::NPM, "pkg:npm/%40scope/a@1?repository_url=https://own.example"),
        ] {
            assert_eq!(supplier(ecosystem, purl), None, "{purl}");
        }
    }

    #[test]
    fn every_distribution_that_is_known_has_a_supplier() {
        for id in Ecosystem::distributions() {
            assert!(VENDORS.iter().any(|(known, _)| *known == id), "{id}");
        }
        assert_eq!((vendor("sles"), vendor("sle-micro"), vendor("own")), ("SUSE", "SUSE", "own"));
    }
}
