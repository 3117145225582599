//! What documents state of a component beyond its package URL, each tool in its own words.
//!
//! In go names and values as a tool writes them (properties of CycloneDX, annotations and source
//! information of SPDX), out come the fields that matching and reports use. Words are taken from
//! `lazaret:` properties, which say everything, and from those of Syft and Trivy, by what their code
//! writes; what is not known is left out.
//!
//! Sources: Syft, `internal/format/common` and `spdxhelpers`; Trivy, `pkg/sbom/cyclonedx` and
//! `pkg/sbom/spdx`.

use crate::limits::kept;
use vocabulary::{Distribution, OriginKind, Presence, Relation, Scope};

/// What is stated of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// `lazaret:ecosystem`
    pub ecosystem: Option<String>,
    /// Its whole name, where that is not the one that the form has.
    pub name: Option<String>,
    /// The file that proves it.
    pub path: Option<String>,
    /// The line of that file.
    pub line: Option<u32>,
    /// Index of the layer of that file.
    pub location_layer: Option<u32>,
    /// Index of the layer that brought the package.
    pub layer: Option<u32>,
    /// Base image or application.
    pub origin: Option<OriginKind>,
    /// Installed or declared.
    pub presence: Option<Presence>,
    /// Name and version of the source package.
    pub source: Option<(String, String)>,
    /// Epoch and release of the source package, where they stand apart (Trivy).
    pub source_parts: (Option<String>, Option<String>),
    /// Package URL of the distribution package that owns it.
    pub owned_by: Option<String>,
    /// Module stream.
    pub module: Option<String>,
    /// Architecture.
    pub architecture: Option<String>,
    /// By what it was identified, and how surely.
    pub identified: Option<(String, String)>,
    /// Whether what the document is about asks for it.
    pub relation: Option<Relation>,
    /// For what it is there.
    pub scope: Option<Scope>,
    /// Whether a tool wrote it that names the source package wherever it has another name.
    pub sources_told: bool,
}

impl Stated {
    /// Whether Lazaret wrote it, which says of every package what ecosystem it is of.
    pub(crate) const fn is_own(&self) -> bool {
        self.ecosystem.is_some()
    }

    /// Takes one property.
    pub(crate) fn take(&mut self, name: &str, value: &str) {
        self.sources_told |= ["lazaret:", "syft:", "aquasecurity:trivy:"]
            .iter()
            .any(|known| name.starts_with(known));
        if let Some(own) = name.strip_prefix("lazaret:") {
            self.take_own(own, value);
        } else if let Some(of_syft) = name.strip_prefix("syft:") {
            self.take_syft(of_syft, value);
        } else if let Some(of_trivy) = name.strip_prefix("aquasecurity:trivy:") {
            self.take_trivy(of_trivy, value);
        }
    }

    fn take_own(&mut self, name: &str, value: &str) {
        match name {
            "ecosystem" => self.ecosystem = Some(kept(value)),
            "name" => self.name = Some(kept(value)),
            // What lies nowhere in particular is no path.
            "location" if value == vocabulary::Location::Subject.to_string() => {}
            "location" => self.path = self.path.take().or_else(|| Some(kept(value))),
            "location:path" => self.path = Some(kept(value)),
            "location:line" => self.line = value.parse().ok(),
            "location:layer" => self.location_layer = value.parse().ok(),
            "layer:index" => self.layer = value.parse().ok(),
            "origin" => {
                self.origin = Some(match value {
                    "base" => OriginKind::Base,
                    "application" => OriginKind::Application,
                    _ => OriginKind::Unknown,
                });
            }
            "presence" => {
                self.presence = Some(match value {
                    "installed" => Presence::Installed,
                    _ => Presence::Declared,
                });
            }
            "source" => {
                self.source =
                    value.split_once(' ').map(|(name, version)| (kept(name), kept(version)));
            }
            "relation" => {
                self.relation = match value {
                    "direct" => Some(Relation::Direct),
                    "indirect" => Some(Relation::Indirect),
                    _ => None,
                };
            }
            "scope" => {
                self.scope = match value {
                    "runtime" => Some(Scope::Runtime),
                    "optional" => Some(Scope::Optional),
                    "development" => Some(Scope::Development),
                    _ => None,
                };
            }
            "owned-by" => self.owned_by = Some(kept(value)),
            "module" => self.module = Some(kept(value)),
            "architecture" => self.architecture = Some(kept(value)),
            "identified" => {
                self.identified = value.rsplit_once(", ").map(|(by, how)| (kept(by), kept(how)));
            }
            _ => {}
        }
    }

    fn take_syft(&mut self, name: &str, value: &str) {
        match name {
            "location:0:path" => self.path = Some(relative(value)),
            "metadata:source" if !value.is_empty() => {
                let version = self.source.take().map(|(_, version)| version);
                self.source = Some((kept(value), version.unwrap_or_default()));
            }
            "metadata:sourceVersion" => {
                let name = self.source.take().map(|(name, _)| name);
                self.source = Some((name.unwrap_or_default(), kept(value)));
            }
            "metadata:originPackage" if !value.is_empty() => {
                self.source = Some((kept(value), String::new()));
            }
            "metadata:architecture" => self.architecture = Some(kept(value)),
            _ => {}
        }
    }

    fn take_trivy(&mut self, name: &str, value: &str) {
        match name {
            "FilePath" => self.path = Some(relative(value)),
            "SrcName" => {
                let version = self.source.take().map(|(_, version)| version);
                self.source = Some((kept(value), version.unwrap_or_default()));
            }
            "SrcVersion" => {
                let name = self.source.take().map(|(name, _)| name);
                self.source = Some((name.unwrap_or_default(), kept(value)));
            }
            "SrcRelease" => self.source_parts.1 = Some(kept(value)),
            "SrcEpoch" => self.source_parts.0 = Some(kept(value)),
            "Modularitylabel" => self.module = Some(kept(value)),
            _ => {}
        }
    }

    /// The source package, with a version where one is stated: epoch and release are put back.
    #[must_use]
    pub fn source(&self) -> Option<(String, Option<String>)> {
        let (name, version) = self.source.as_ref().filter(|(name, _)| !name.is_empty())?;
        if version.is_empty() {
            return Some((name.clone(), None));
        }
        let (epoch, release) = &self.source_parts;
        let epoch = epoch.as_deref().filter(|epoch| !matches!(*epoch, "" | "0"));
        let mut whole = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        whole.push_str(version);
        if let Some(release) = release.as_deref().filter(|release| !release.is_empty()) {
            whole.push('-');
            whole.push_str(release);
        }
        Some((name.clone(), Some(whole)))
    }
}

/// Names of distributions in Trivy's documents and the `ID` of os-release that each stands for.
/// Source: Trivy, `pkg/fanal/types/const.go`.
/// Below them full names, as others write them (`NAME` of os-release).
const FAMILIES: [(&str, &str); 30] = [
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("cbl-mariner", "mariner"),
    ("alma linux", "almalinux"),
    ("alpine linux", "alpine"),
    ("amazon linux", "amzn"),
    ("amazon linux ami", "amzn"),
    ("centos linux", "centos"),
    ("centos stream", "centos"),
    ("debian gnu/linux", "debian"),
    ("fedora linux", "fedora"),
    ("microsoft azure linux", "azurelinux"),
    ("oracle linux", "ol"),
    ("oracle linux server", "ol"),
    ("photon os", "photon"),
    ("red hat enterprise linux", "rhel"),
    ("sles_ltss", "sles"),
    ("ubuntu linux", "ubuntu"),
    ("vmware photon os", "photon"),
    ("opensuse.leap", "opensuse-leap"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("opensuse leap", "opensuse-leap"),
    ("opensuse tumbleweed", "opensuse-tumbleweed"),
    ("oracle", "ol"),
    ("redhat", "rhel"),
    ("red hat", "rhel"),
    ("rocky linux", "rocky"),
    ("slem", "sle-micro"),
    ("suse linux enterprise micro", "sle-micro"),
    ("suse linux enterprise server", "sles"),
];

/// The `ID` of os-release that a name of a distribution stands for, in the words of any tool.
#[must_use]
pub fn distribution_id(name: &str) -> &str {
    let known = FAMILIES.iter().find(|(family, _)| name.eq_ignore_ascii_case(family));
    known.map_or(name, |(_, id)| id)
}

/// A distribution by name and release, each in the words of any tool: `debian` and `11`, `11.6`,
/// `bullseye` or `11 (bullseye)`; `Debian GNU/Linux 11 (bullseye)`.
#[must_use]
pub fn distribution(name: &str, release: &str) -> Distribution {
    let mut name = name.trim();
    let mut release = release.trim();
    if release.is_empty()
        && let Some((before, after)) = name.split_once(' ')
        && let Some(at) = name.find(|digit: char| digit.is_ascii_digit())
    {
        release = name.get(at..).unwrap_or(after).trim();
        name = name.get(..at).unwrap_or(before).trim();
    }
    let numbered = release.starts_with(|first: char| first.is_ascii_digit());
    // What stands in brackets behind the number is a code name, or a mark of long support.
    let (version, behind) = release.split_once(' ').unwrap_or((release, ""));
    let behind = behind.trim_matches(['(', ')', ' ']);
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let (version, codename) = match (numbered, word(behind)) {
        (false, _) => ("", Some(release).filter(|release| !release.is_empty())),
        (true, true) => (version, Some(behind)),
        (true, false) if behind.eq_ignore_ascii_case("lts") => (version, None),
        (true, false) => (release, None),
    };
    Distribution {
        id: kept(distribution_id(name)),
        version: kept(version),
        codename: codename.map(|text| kept(&text.to_ascii_lowercase())),
        pretty_name: None,
        like: Vec::new(),
    }
}

/// Whether a package URL is of a distribution's package.
pub(crate) fn is_of_distribution(purl: &str) -> bool {
    let kind =
        purl.strip_prefix("pkg:").and_then(|rest| rest.trim_start_matches('/').split('/').next());
    kind.is_some_and(|kind| {
        let kinds = ["deb", "apk", "alpine", "rpm", "alpm", "opkg", "ebuild"];
        kinds.iter().any(|one| kind.eq_ignore_ascii_case(one))
    })
}

/// A path as Lazaret writes it: without a slash at its beginning.
pub(crate) fn relative(path: &str) -> String {
    kept(path.trim_start_matches('/'))
}
