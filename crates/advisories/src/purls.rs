//! Makes a package of a package URL, so that it can be matched on its own.
//!
//! In go a purl and, for distributions, the release; out comes the package as a cataloger would give
//! it. Source: purl-spec, PURL-TYPES; qualifiers beyond it (`upstream`, `distro`, `rpmmod`) as SBOM
//! tools write them.

use crate::releases;
use vocabulary::{
    Distribution, Ecosystem, Location, OriginKind, Package, Presence, Purl, SourcePackage,
};

/// Why a purl cannot be matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurlMatchError {
    /// It names no version.
    #[error("`{0}` has no version; write it as pkg:type/name@version")]
    NoVersion(String),
    /// Its type has no advisories.
    #[error("`{0}` is of a type that has no advisories here")]
    Type(String),
    /// It names what is another version on another day.
    #[error("`{0}` names a branch, a commit or a tag that moves; name a release, such as @v1.2.3")]
    Moving(String),
    /// It is of a distribution, and which is not known.
    #[error("`{0}` is of a distribution; name its release, as in `--distro debian:12`")]
    NoDistribution(String),
    /// The text names no distribution.
    #[error("`{0}` is not a distribution; write it as id:version, such as debian:12")]
    Distribution(String),
}

/// A distribution from a text such as `debian:12`, `debian/12`, `debian@12`, `ubuntu-22.04` or
/// `debian:trixie`.
///
/// # Errors
/// Where the text has no version.
pub fn distribution(text: &str) -> Result<Distribution, PurlMatchError> {
    let wrong = || PurlMatchError::Distribution(text.chars().take(100).collect());
    let divided = text.split_once([':', '/', '@']);
    let (id, version) = divided.or_else(|| split_distro(text)).ok_or_else(wrong)?;
    if id.is_empty() || version.is_empty() {
        return Err(wrong());
    }
    let id = id.to_ascii_lowercase();
    let numbered = version.starts_with(|first: char| first.is_ascii_digit());
    Ok(Distribution {
        id,
        version: if numbered { version.to_owned() } else { String::new() },
        codename: (!numbered).then(|| version.to_ascii_lowercase()),
        pretty_name: None,
        like: Vec::new(),
    })
}

/// The number of a release of Debian or Ubuntu, by its code name.
#[must_use]
pub fn number_of(distribution: &Distribution) -> Option<&'static str> {
    releases::number_of(distribution)
}

/// Id and release of a `distro` qualifier: `opensuse-leap-15.5`, `openeuler-22.03-LTS-SP3`,
/// `debian-trixie`.
#[must_use]
pub fn split_distro(text: &str) -> Option<(&str, &str)> {
    let numbered = text.match_indices('-').map(|(at, _)| at).find(|at| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    });
    match numbered {
        Some(at) => Some((text.get(..at)?, text.get(at + 1..)?)),
        None => text.rsplit_once('-'),
    }
}

/// Whether two distributions are one release to their advisories. What is not known of either is no
/// difference.
#[must_use]
pub fn same_release(left: &Distribution, right: &Distribution) -> bool {
    let of = |one: &Distribution| {
        let ecosystem = releases::ecosystem_of(one)?;
        let label = releases::release_of(one, &ecosystem)?.label;
        Some((ecosystem, label))
    };
    match (of(left), of(right)) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    }
}

/// The distribution that a purl's own `distro` qualifier names: `debian-12`, `12` or `bookworm`.
#[must_use]
pub fn named_distribution(purl: &Purl) -> Option<Distribution> {
    let text = purl.qualifier("distro")?;
    let numbered = text.starts_with(|first: char| first.is_ascii_digit());
    let by_namespace = || distribution(&format!("{}:{text}", purl.namespace()?)).ok();
    if numbered || split_distro(text).is_none() {
        return by_namespace();
    }
    distribution(text).ok()
}

/// Other names of a type that tools write: GitLab's analysers the build tool, old releases of Syft the
/// distribution, GitHub its own word for actions.
fn kind_of(purl: &Purl) -> &str {
    match purl.kind() {
        "gradle" | "sbt" | "ivy" => "maven",
        "alpine" => "apk",
        "githubactions" => "github",
        "rubygems" => "gem",
        "yarn" | "pnpm" => "npm",
        "pip" => "pypi",
        kind => kind,
    }
}

/// The package that a purl names, and the distribution that it lives in.
///
/// # Errors
/// Where the purl has no version, its type has no advisories, or its distribution is not known.
pub fn package(
    purl: &Purl,
    given: Option<&Distribution>,
) -> Result<(Package, Option<Distribution>), PurlMatchError> {
    let version = match purl.version() {
        Some(version) => version,
        // Of git or a folder: which version that is, nobody says. It is listed, and counted.
        None if purl.is_from_elsewhere() => "",
        None => return Err(PurlMatchError::NoVersion(purl.to_string())),
    };
    let slashed = || match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    };
    let plain = |ecosystem, name| Ok((package_of(purl, ecosystem, name, version), None));
    match kind_of(purl) {
        "pypi" => plain(Ecosystem::PYPI, crate::names::canonical("PyPI", purl.name()).into_owned()),
        "npm" => plain(Ecosystem::NPM, slashed()),
        "cargo" => plain(Ecosystem::CRATES_IO, purl.name().to_owned()),
        "golang" => plain(Ecosystem::GO, slashed()),
        "gem" => plain(Ecosystem::RUBY_GEMS, purl.name().to_owned()),
        "nuget" => plain(Ecosystem::NUGET, purl.name().to_owned()),
        "composer" => plain(Ecosystem::PACKAGIST, slashed()),
        "pub" => plain(Ecosystem::PUB, purl.name().to_owned()),
        // With a namespace it is of an organisation's own repository.
        "hex" if purl.namespace().is_none() => plain(Ecosystem::HEX, purl.name().to_owned()),
        "swift" => plain(Ecosystem::SWIFT_URL, slashed()),
        "cran" => plain(Ecosystem::CRAN, purl.name().to_owned()),
        "hackage" => plain(Ecosystem::HACKAGE, purl.name().to_owned()),
        // With a namespace it is of a user's own remote.
        "conan" if purl.namespace().is_none() => {
            plain(Ecosystem::CONAN_CENTER, purl.name().to_owned())
        }
        "opam" => plain(Ecosystem::OPAM, purl.name().to_owned()),
        // Advisories speak of repositories as actions, and of nothing else on GitHub.
        "github" => {
            let release =
                release(version).ok_or_else(|| PurlMatchError::Moving(purl.to_string()))?;
            Ok((package_of(purl, Ecosystem::GITHUB_ACTIONS, slashed(), release), None))
        }
        "bitnami" => plain(Ecosystem::BITNAMI, purl.name().to_owned()),
        "maven" => {
            let group = purl.namespace().unwrap_or_default();
            plain(Ecosystem::MAVEN, format!("{group}:{}", purl.name()))
        }
        "deb" | "apk" | "rpm" => of_distribution(purl, given, version),
        _ => Err(PurlMatchError::Type(purl.to_string())),
    }
}

/// The version of a tag that names one release: three numbers, with or without `v`. Branches, commits
/// and tags such as `v4` say nothing that an advisory could be held against.
fn release(tag: &str) -> Option<&str> {
    let bare = tag.strip_prefix('v').unwrap_or(tag);
    let core = bare.split(['-', '+']).next()?;
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (core.split('.').count() == 3 && core.split('.').all(number)).then_some(bare)
}

fn of_distribution(
    purl: &Purl,
    given: Option<&Distribution>,
    version: &str,
) -> Result<(Package, Option<Distribution>), PurlMatchError> {
    let unknown = || PurlMatchError::NoDistribution(purl.to_string());
    let distribution = given.cloned().or_else(|| named_distribution(purl)).ok_or_else(unknown)?;
    let ecosystem = releases::ecosystem_of(&distribution).ok_or_else(unknown)?;
    let version = match purl.qualifier("epoch") {
        Some(epoch) if !version.contains(':') && epoch != "0" => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    };
    let mut package = package_of(purl, ecosystem, purl.name().to_owned(), &version);
    package.source = source(purl, &version);
    package.architecture = purl.qualifier("arch").map(str::to_owned);
    package.module = purl.qualifier("rpmmod").map(str::to_owned);
    Ok((package, Some(distribution)))
}

/// `upstream=name`, `upstream=name@version`, `upstream=name-1.2-3.src.rpm` or `source=name`.
fn source(purl: &Purl, version: &str) -> Option<SourcePackage> {
    let text = purl.qualifier("upstream").or_else(|| purl.qualifier("source"))?;
    let (name, own) = match text.strip_suffix(".src.rpm") {
        Some(stem) => {
            let mut parts = stem.rsplitn(3, '-');
            let (_release, _version) = (parts.next()?, parts.next()?);
            (parts.next()?, None)
        }
        None => match text.split_once('@') {
            Some((name, own)) => (name, Some(own)),
            None => (text, None),
        },
    };
    let own = own.or_else(|| purl.qualifier("source_version")).unwrap_or(version);
    Some(SourcePackage { name: name.to_owned(), version: own.to_owned() })
}

fn package_of(purl: &Purl, ecosystem: Ecosystem, name: String, version: &str) -> Package {
    Package {
        purl: purl.clone(),
        ecosystem,
        name,
        version: version.to_owned(),
        source: None,
        architecture: None,
        licences: Vec::new(),
        presence: Presence::Declared,
        location: Location::Subject,
        layer: None,
        origin: OriginKind::default(),
        owned_by: None,
        module: None,
        identified: None,
        relation: None,
        scope: None,
        requires: Vec::new(),
        files: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(purl: &str) -> (String, String, String) {
        let (package, _) = package(&purl.parse().unwrap(), None).unwrap();
        (package.ecosystem.to_string(), package.name, package.version)
    }

    #[test]
    fn purls_of_languages_name_packages_as_their_advisories_do() {
        let expect = |purl: &str, ecosystem: &str, name: &str, version: &str| {
            assert_eq!(named(purl), (ecosystem.into(), name.into(), version.into()), "{purl}");
        };
        expect("pkg:pypi/Foo_Bar@1", "PyPI", "foo-bar", "1");
        expect("pkg:maven/org.acme/lib@1.0", "Maven", "org.acme:lib", "1.0");
        expect("pkg:gradle/org.acme/lib@1.0", "Maven", "org.acme:lib", "1.0");
        expect("pkg:githubactions/acme/tool@v1.2.3", "GitHub Actions", "acme/tool", "1.2.3");
        expect("pkg:golang/github.com/acme/lib@v1.0.0", "Go", "github.com/acme/lib", "v1.0.0");
        expect("pkg:cargo/serde@1.0.0", "crates.io", "serde", "1.0.0");
        expect("pkg:gem/nokogiri@1.13.9?platform=java", "RubyGems", "nokogiri", "1.13.9");
        expect("pkg:composer/Acme/Lib@v1.0", "Packagist", "acme/lib", "v1.0");
        expect("pkg:nuget/Newtonsoft.Json@12.0.1", "NuGet", "Newtonsoft.Json", "12.0.1");
        expect("pkg:pub/http@0.13.0%2B1", "Pub", "http", "0.13.0+1");
        expect("pkg:hex/phoenix@1.7.0", "Hex", "phoenix", "1.7.0");
        assert!(package(&"pkg:hex/acme/inner@1.0.0".parse().unwrap(), None).is_err());
        let nio = "github.com/apple/swift-nio";
        expect(&format!("pkg:swift/{nio}@2.40.0"), "SwiftURL", nio, "2.40.0");
        expect("pkg:cran/markdown@1.0", "CRAN", "markdown", "1.0");
        expect("pkg:hackage/text@2.0", "Hackage", "text", "2.0");
        expect("pkg:conan/zlib@1.2.11", "ConanCenter", "zlib", "1.2.11");
        assert!(package(&"pkg:conan/team/zlib@1.2.11".parse().unwrap(), None).is_err());
        expect("pkg:opam/cohttp@2.5.4", "opam", "cohttp", "2.5.4");
        expect("pkg:github/Acme/Tool@v1.2.3", "GitHub Actions", "acme/tool", "1.2.3");
        expect("pkg:bitnami/redis@7.0.0", "Bitnami", "redis", "7.0.0");
    }

    #[test]
    fn an_action_that_names_no_release_is_not_matched() {
        for at in ["v4", "main", "0123456789abcdef0123456789abcdef01234567", "v1.2", "1..2"] {
            let purl: Purl = format!("pkg:github/acme/tool@{at}").parse().unwrap();
            assert_eq!(package(&purl, None).unwrap_err(), PurlMatchError::Moving(purl.to_string()));
        }
    }

    #[test]
    fn types_without_advisories_are_said_to_have_none() {
        for kind in ["cocoapods", "conda", "luarocks", "terraform", "docker"] {
            let purl: Purl = format!("pkg:{kind}/a@1.0").parse().unwrap();
            assert_eq!(package(&purl, None).unwrap_err(), PurlMatchError::Type(purl.to_string()));
        }
    }

    #[test]
    fn a_distributions_purl_needs_its_release() {
        let purl: Purl = "pkg:deb/debian/libssl3@3.0.9-1".parse().unwrap();
        assert_eq!(
            package(&purl, None).unwrap_err(),
            PurlMatchError::NoDistribution(purl.to_string())
        );
        let debian = distribution("debian:12").unwrap();
        let purl = purl.with_qualifier("upstream", "openssl@3.0.9-2");
        let (package, _) = package(&purl, Some(&debian)).unwrap();
        assert_eq!(package.ecosystem, Ecosystem::DEBIAN);
        let source = package.source.unwrap();
        assert_eq!((source.name.as_str(), source.version.as_str()), ("openssl", "3.0.9-2"));
    }

    #[test]
    fn a_release_is_named_in_every_tools_way() {
        for text in ["debian:11", "debian/11", "debian@11", "debian-11", "debian:bullseye"] {
            let named = distribution(text).unwrap();
            assert!(same_release(&named, &distribution("debian:11.6").unwrap()), "{text}");
            assert!(!same_release(&named, &distribution("debian:12").unwrap()), "{text}");
        }
        for text in ["debian-11", "11", "bullseye", "debian-bullseye"] {
            let purl = Purl::new("deb", "curl").with_namespace("debian").with_version("1");
            let named = named_distribution(&purl.with_qualifier("distro", text)).unwrap();
            assert!(same_release(&named, &distribution("debian:11").unwrap()), "{text}");
            assert!(!same_release(&named, &distribution("debian:12").unwrap()), "{text}");
        }
        let jammy = distribution("ubuntu:jammy").unwrap();
        assert!(!same_release(&jammy, &distribution("ubuntu:20.04").unwrap()));
        assert!(same_release(&jammy, &distribution("ubuntu:22.04").unwrap()));
    }

    #[test]
    fn the_source_of_an_rpm_is_read_from_its_file_name() {
        let purl = Purl::new("rpm", "openssl-libs")
            .with_namespace("almalinux")
            .with_version("1.1.1k-7.el8")
            .with_qualifier("epoch", "1")
            .with_qualifier("distro", "almalinux-8.5")
            .with_qualifier("upstream", "openssl-1.1.1k-7.el8.src.rpm");
        let (package, distribution) = package(&purl, None).unwrap();
        assert_eq!(package.version, "1:1.1.1k-7.el8");
        assert_eq!(package.source.unwrap().name, "openssl");
        assert_eq!(distribution.unwrap().version, "8.5");
    }
}
