//! Who supplies a package, where that can be told without asking anybody.
//!
//! A package of a distribution comes from whom the namespace of its package URL names (purl-spec,
//! types `apk`, `deb` and `rpm`: "the vendor"). In a few registries the namespace belongs to one
//! publisher by the registry's own rules: scopes of npm, groups of Maven, vendors of Packagist, owners
//! on GitHub. Elsewhere anybody may take any name, so that nothing is said.

use vocabulary::Package;

/// Namespaces of distributions, and what their vendor is called.
const VENDORS: [(&str, &str); 20] = [
    ("almalinux", "AlmaLinux"),
    ("alpine", "Alpine Linux"),
    ("amzn", "Amazon"),
    ("arch", "Arch Linux"),
    ("azurelinux", "Microsoft"),
    ("centos", "CentOS"),
    ("chainguard", "Chainguard"),
    ("debian", "Debian"),
    ("fedora", "Fedora"),
    ("mageia", "Mageia"),
    ("mariner", "Microsoft"),
    ("ol", "Oracle"),
    ("openeuler", "openEuler"),
    ("opensuse", "openSUSE"),
    ("photon", "VMware"),
    ("redhat", "Red Hat"),
    ("rhel", "Red Hat"),
    ("rocky", "Rocky Linux"),
    ("suse", "SUSE"),
    ("ubuntu", "Canonical"),
];

/// The name of the supplier; none where nobody can tell.
pub(crate) fn of(package: &Package) -> Option<&str> {
    // What does not come from where the namespace is kept is nobody's that it names.
    if package.is_from_elsewhere() {
        return None;
    }
    let namespace = package.purl.namespace()?;
    if package.ecosystem.is_distribution() {
        return Some(vendor(namespace).unwrap_or(namespace));
    }
    match package.purl.kind() {
        "composer" | "github" | "maven" => Some(namespace),
        "npm" => namespace.strip_prefix('@').filter(|scope| !scope.is_empty()),
        "golang" => namespace.strip_prefix("github.com/")?.split('/').next(),
        _ => None,
    }
}

/// What the vendor of a distribution is called, by the `ID` of its os-release or its namespace.
pub(crate) fn vendor(id: &str) -> Option<&'static str> {
    VENDORS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
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
}
