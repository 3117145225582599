//! How feeds name the release of a distribution.
//!
//! In goes what os-release says, out comes the ecosystem and the release as OSV writes it
//! (`Debian:12`, `Ubuntu:22.04:LTS`, `Alpine:v3.18`), with those other names under which the same
//! release has advisories. Source: OSV schema, "Defined Ecosystems", and the names that the feeds use.

use std::borrow::Cow;
use version::Scheme;
use vocabulary::{Distribution, Ecosystem};

/// Debian's releases by code name, for images of testing, whose os-release has no number.
/// Source: Debian wiki, "DebianReleases".
const DEBIAN: [(&str, &str); 11] = [
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("squeeze", "6"),
    ("lenny", "5"),
];

/// Ubuntu's releases by code name, for bills that name no number. Source: Ubuntu wiki, "Releases".
const UBUNTU: [(&str, &str); 18] = [
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("disco", "19.04"),
    ("eoan", "19.10"),
    ("focal", "20.04"),
    ("groovy", "20.10"),
    ("hirsute", "21.04"),
    ("impish", "21.10"),
    ("jammy", "22.04"),
    ("kinetic", "22.10"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("questing", "25.10"),
    ("resolute", "26.04"),
];

/// How SUSE marks products whose updates only subscribers of long support get.
/// Source: SUSE, "Long Term Service Pack Support".
const SUSE_SUPPORT: [&str; 3] = ["-LTSS", "-ESPOS", "-TERADATA"];

/// How a release is found among those that a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// This very name.
    Exact(String),
    /// One that begins so (Red Hat: one for each repository).
    Prefix(String),
    /// One whose words end so (SUSE: one for each product and module).
    Words(String),
    /// The same with a mark of long support (`15 SP3-LTSS`, `15 SP3-ESPOS`).
    LongSupport(String),
}

impl Pattern {
    fn is(&self, name: &str) -> bool {
        let ends_in_words = |name: &str, words: &str| {
            name.strip_suffix(words).is_some_and(|rest| rest.ends_with(' '))
        };
        match self {
            Self::Exact(exact) => name == exact,
            Self::Prefix(prefix) => name
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '.'])),
            Self::Words(words) => ends_in_words(name, words),
            Self::LongSupport(words) => SUSE_SUPPORT
                .iter()
                .filter_map(|mark| name.strip_suffix(mark))
                .any(|rest| ends_in_words(rest, words)),
        }
    }
}

/// A release of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// For coverage: `Debian:12`.
    pub(crate) label: String,
    pattern: Pattern,
    /// Under which name advisories for subscribers stand.
    subscribers: Option<Pattern>,
    /// What subscribers subscribe to.
    pub(crate) subscription: &'static str,
}

impl Release {
    fn exact(ecosystem: &Ecosystem, name: impl Into<String>) -> Self {
        let name = name.into();
        let label =
            if name.is_empty() { ecosystem.to_string() } else { format!("{ecosystem}:{name}") };
        Self { label, pattern: Pattern::Exact(name), subscribers: None, subscription: "" }
    }

    /// Whether the advisories of this name are about it.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.pattern.is(name)
    }

    /// Whether the advisories of this name are about it, for subscribers.
    pub(crate) fn is_for_subscribers(&self, name: &str) -> bool {
        self.subscribers.as_ref().is_some_and(|pattern| pattern.is(name))
    }
}

/// The ecosystem of a distribution, by its os-release `ID`. None where the feeds have none: one that
/// is only like another (`ID_LIKE`) has packages and versions of its own.
#[must_use]
pub fn ecosystem_of(distribution: &Distribution) -> Option<Ecosystem> {
    let known = |ecosystem: &Ecosystem| {
        ecosystem.has_advisories() && Scheme::of_ecosystem(ecosystem.as_str()).is_some()
    };
    Ecosystem::of_distribution(&distribution.id).filter(known)
}

/// The release of a distribution in its ecosystem's words. None where os-release does not tell.
pub(crate) fn release_of(distribution: &Distribution, ecosystem: &Ecosystem) -> Option<Release> {
    if ecosystem_of(distribution).as_ref() != Some(ecosystem) {
        return None;
    }
    let mut version = distribution.version.as_str();
    if version.is_empty() && distribution.id.eq_ignore_ascii_case("ubuntu") {
        let named = UBUNTU.iter().find(|(name, _)| Some(*name) == distribution.codename.as_deref());
        version = named.map_or("", |(_, number)| number);
    }
    let major = version.split('.').next().unwrap_or_default();
    let exact =
        |name: Cow<'_, str>| Some(Release::exact(ecosystem, name)).filter(|_| !version.is_empty());
    match distribution.id.to_ascii_lowercase().as_str() {
        "debian" => {
            let number = if version.is_empty() { debian(distribution)? } else { major };
            Some(Release::exact(ecosystem, number))
        }
        "ubuntu" => {
            exact(if is_lts(version) { format!("{version}:LTS").into() } else { version.into() })
                .map(|release| Release {
                    subscribers: Some(Pattern::Exact(format!("Pro:{version}:LTS"))),
                    subscription: "Ubuntu Pro",
                    ..release
                })
        }
        "alpine" => Some(Release::exact(ecosystem, alpine(version)?)),
        "almalinux" | "rocky" | "ol" | "mariner" | "azurelinux" => exact(major.into()),
        "rhel" => exact(format!("enterprise_linux:{major}").into())
            .map(|release| Release { pattern: as_prefix(release.pattern), ..release }),
        "sles" | "sled" | "sles_sap" | "sle_hpc" | "suse" => {
            let words = match version.split_once('.') {
                Some((major, pack)) if major != "16" => format!("{major} SP{pack}"),
                _ => version.to_owned(),
            };
            exact(words.clone().into()).map(|release| Release {
                subscribers: Some(Pattern::LongSupport(words.clone())),
                subscription: "SUSE LTSS",
                pattern: Pattern::Words(words),
                ..release
            })
        }
        "sle-micro" | "sl-micro" => {
            let words = format!("Micro {version}");
            exact(words.clone().into())
                .map(|release| Release { pattern: Pattern::Words(words), ..release })
        }
        "opensuse-tumbleweed" | "opensuse-microos" => Some(Release::exact(ecosystem, "Tumbleweed")),
        "opensuse-slowroll" => None,
        "opensuse-leap" | "opensuse" => exact(format!("Leap {version}").into()),
        "opensuse-leap-micro" => exact(format!("Leap Micro {version}").into()),
        "wolfi" | "chainguard" | "minimos" | "echo" => Some(Release::exact(ecosystem, "")),
        _ => exact(version.into()),
    }
}

fn as_prefix(pattern: Pattern) -> Pattern {
    match pattern {
        Pattern::Exact(name) => Pattern::Prefix(name),
        other => other,
    }
}

/// Testing and unstable have no number, but testing has the code name of the next release.
fn debian(distribution: &Distribution) -> Option<&'static str> {
    let codename = distribution.codename.as_deref()?;
    DEBIAN.iter().find(|(name, _)| *name == codename).map(|(_, number)| *number)
}

/// Long-term releases: April of even years, and 6.06, which was late.
fn is_lts(version: &str) -> bool {
    match version.split_once('.') {
        Some(("6", "06")) => true,
        Some((year, "04")) => year.parse::<u32>().is_ok_and(|year| year >= 8 && year % 2 == 0),
        _ => false,
    }
}

/// `3.18.4` is `v3.18`; `3.22_alpha20250108` is a build of edge, which has no advisories of its own.
fn alpine(version: &str) -> Option<String> {
    if version.contains('_') || version == "edge" {
        return Some("edge".to_owned());
    }
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain(major) && plain(minor)).then(|| format!("v{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(id: &str, version: &str, codename: Option<&str>) -> Option<String> {
        let distribution = Distribution {
            id: id.to_owned(),
            version: version.to_owned(),
            codename: codename.map(str::to_owned),
            pretty_name: None,
            like: Vec::new(),
        };
        let ecosystem = ecosystem_of(&distribution)?;
        release_of(&distribution, &ecosystem).map(|release| release.label)
    }

    #[test]
    fn releases_are_named_as_the_feeds_name_them() {
        for (id, version, expected) in [
            ("debian", "12", "Debian:12"),
            ("debian", "8.11", "Debian:8"),
            ("ubuntu", "22.04", "Ubuntu:22.04:LTS"),
            ("ubuntu", "23.10", "Ubuntu:23.10"),
            ("ubuntu", "23.04", "Ubuntu:23.04"),
            ("ubuntu", "6.06", "Ubuntu:6.06:LTS"),
            ("alpine", "3.18.4", "Alpine:v3.18"),
            ("alpine", "3.22_alpha20250108", "Alpine:edge"),
            ("almalinux", "9.3", "AlmaLinux:9"),
            ("rocky", "8.9", "Rocky Linux:8"),
            ("mariner", "2.0", "Azure Linux:2"),
            ("opensuse-leap", "15.5", "openSUSE:Leap 15.5"),
            ("opensuse-tumbleweed", "20240101", "openSUSE:Tumbleweed"),
            ("opensuse-leap-micro", "5.4", "openSUSE:Leap Micro 5.4"),
            ("photon", "4.0", "Photon OS:4.0"),
            ("openeuler", "22.03-LTS-SP3", "openEuler:22.03-LTS-SP3"),
            ("alpaquita", "23", "Alpaquita:23"),
            ("minimos", "20241031", "MinimOS"),
            ("chainguard", "20230214", "Chainguard"),
            ("wolfi", "20230201", "Wolfi"),
        ] {
            assert_eq!(label(id, version, None).as_deref(), Some(expected), "{id} {version}");
        }
    }

    #[test]
    fn a_debian_without_a_number_is_known_by_its_code_name_or_not_at_all() {
        assert_eq!(label("debian", "", Some("trixie")).as_deref(), Some("Debian:13"));
        assert_eq!(label("debian", "", Some("sid")), None);
        assert_eq!(label("debian", "", None), None);
        assert_eq!(label("raspbian", "12", None), None);
    }

    #[test]
    fn red_hat_and_suse_have_a_release_for_each_repository() {
        let release = |id: &str, version: &str| {
            let distribution = Distribution {
                id: id.to_owned(),
                version: version.to_owned(),
                codename: None,
                pretty_name: None,
                like: Vec::new(),
            };
            release_of(&distribution, &ecosystem_of(&distribution).unwrap()).unwrap()
        };
        assert!(release("rhel", "9.3").is("enterprise_linux:9::baseos"));
        assert!(!release("rhel", "1.0").is("enterprise_linux:10::baseos"));
        assert!(release("sles", "15.5").is("Linux Enterprise Module for Basesystem 15 SP5"));
        assert!(!release("sles", "15.5").is("Linux Enterprise Server 15 SP4"));
        let long = "Linux Enterprise Server 15 SP3-LTSS";
        assert!(
            !release("sles", "15.3").is(long) && release("sles", "15.3").is_for_subscribers(long)
        );
        assert!(!release("sles", "15.5").is_for_subscribers(long));
        assert!(!release("sles", "5.3").is_for_subscribers(long));
        assert!(release("sle-micro", "5.5").is("Linux Enterprise Micro 5.5"));
        assert!(!release("sle-micro", "5.5").is("Linux Enterprise Server 5.5"));
    }
}
