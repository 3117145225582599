//! What runs, and what of it a vulnerability concerns: the public JSON of `scan --running` and
//! `affected`.
//!
//! In go findings of images and what containers used; the two reports hold both together. What
//! could not be looked at stands in lists of its own, because an answer that leaves a container out
//! must not read like one that clears it.

use crate::{
    Container, Coverage, DatabaseInfo, Decision, Digest, Finding, Fix, Layer, Location, NotChecked,
    OriginKind, Outcome, Purl, Rules, Severity, Subject, Summary, Tool, Used,
};
use serde::{Deserialize, Serialize};

/// Version of the JSON form of [`RunningReport`].
pub const RUNNING_SCHEMA: &str = "lazaret.running/2";
/// Version of the JSON form of [`AffectedReport`].
pub const AFFECTED_SCHEMA: &str = "lazaret.affected/1";

/// For how long and how well a container's use of files was watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Since when, RFC 3339, UTC.
    pub since: String,
    /// Until when, RFC 3339, UTC.
    pub until: String,
    /// Whether from the container's start.
    pub complete: bool,
    /// How many events were lost.
    pub lost: u64,
}

/// Whether a package was used, and by which of its files that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Whether.
    pub used: Used,
    /// At most [`Use::FILES`] of the files that were used, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_files: Vec<String>,
    /// How many more there were.
    #[serde(default)]
    pub used_files_left_out: u64,
}

impl Use {
    /// How many used files are named: enough to believe it by.
    pub const FILES: usize = 10;

    /// It cannot be told.
    #[must_use]
    pub const fn unknown() -> Self {
        Self::none(Used::Unknown)
    }

    /// None of its files was seen in use.
    #[must_use]
    pub const fn none(used: Used) -> Self {
        Self { used, used_files: Vec::new(), used_files_left_out: 0 }
    }

    /// These files were used.
    #[must_use]
    pub fn loaded(mut files: Vec<String>) -> Self {
        files.sort();
        files.dedup();
        let left_out = files.len().saturating_sub(Self::FILES);
        files.truncate(Self::FILES);
        Self {
            used: Used::Loaded,
            used_files: files,
            used_files_left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
        }
    }
}

/// A finding in a running container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningFinding {
    /// The finding in its image.
    #[serde(flatten)]
    pub finding: Finding,
    /// Name of the source package, where the package has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether the container used the package.
    #[serde(flatten)]
    pub usage: Use,
}

/// A running container with the findings of its image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningContainer {
    /// The container.
    pub container: Container,
    /// Its image; none where that could not be read, which `coverage` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Subject>,
    /// The newest seal of this image, by the digest of its envelope; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Digest>,
    /// How its use of files was watched; none where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// Layers of the image, bottom first.
    pub layers: Vec<Layer>,
    /// Loaded first, then worst first.
    pub findings: Vec<RunningFinding>,
    /// Coverage of the image, sorted by check.
    pub coverage: Vec<Coverage>,
    /// Counts.
    pub summary: Summary,
    /// What policy made of it.
    pub decision: Decision,
}

/// What runs on this machine, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunningReport {
    /// [`RUNNING_SCHEMA`].
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The containers: those with loaded findings first, then worst first, then by name.
    pub containers: Vec<RunningContainer>,
    /// The rules that findings are of.
    #[serde(default)]
    pub rules: Rules,
    /// Engines that did not answer: there may be more containers.
    pub not_checked: Vec<NotChecked>,
    /// What was left aside, and changes no finding, such as a usage file of another container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<NotChecked>,
    /// Advisories used, sorted by ecosystem.
    pub databases: Vec<DatabaseInfo>,
    /// Of all containers together.
    pub outcome: Outcome,
}

/// An affected package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffectedPackage {
    /// Id of the finding: the CVE, or the record's own id.
    pub id: String,
    /// Other ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The advisories that name it, sorted.
    pub advisories: Vec<String>,
    /// How bad.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// The package, with version.
    pub package: Purl,
    /// Its version.
    pub version: String,
    /// The file that proves it.
    pub location: Location,
    /// The layer that brought it, counted from 0 at the bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// The command that made that layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Base image or application.
    #[serde(default)]
    pub origin: OriginKind,
    /// What mends it; none where nothing is known to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// Whether the container used it; unknown for an image.
    #[serde(flatten)]
    pub usage: Use,
}

/// A running container that is affected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffectedContainer {
    /// The container.
    pub container: Container,
    /// How its use of files was watched; none where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// The packages, loaded first.
    pub packages: Vec<AffectedPackage>,
}

/// An image that is affected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffectedImage {
    /// Its names, sorted; empty where it has none.
    pub names: Vec<String>,
    /// Digest of its configuration: the image id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<Digest>,
    /// Who knows it, sorted: engines, and `seals` where its seal does.
    pub known_by: Vec<String>,
    /// How many running containers were made from it.
    pub running: u64,
    /// The packages, worst first.
    pub packages: Vec<AffectedPackage>,
}

/// Whom a vulnerability concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffectedReport {
    /// [`AFFECTED_SCHEMA`].
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The id that was asked for.
    pub id: String,
    /// Other ids of what was found under it, sorted.
    pub aliases: Vec<String>,
    /// The advisories that name it, sorted. Empty: no advisory of these databases knows the id, and
    /// finding nothing says nothing.
    pub advisories: Vec<String>,
    /// Affected running containers: those that loaded it first, then by name.
    pub running: Vec<AffectedContainer>,
    /// Affected images, by name.
    pub images: Vec<AffectedImage>,
    /// What could not be looked at, or not in full, sorted.
    pub not_checked: Vec<NotChecked>,
    /// What was left aside, and changes no answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<NotChecked>,
    /// How many running containers were looked at.
    pub containers_checked: u64,
    /// How many images were looked at.
    pub images_checked: u64,
    /// Advisories used, sorted by ecosystem.
    pub databases: Vec<DatabaseInfo>,
    /// Findings: affected. Incomplete: not all could be looked at, or no advisory knows the id.
    pub outcome: Outcome,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_files_are_named_up_to_a_bound_and_the_rest_is_counted() {
        let few = Use::loaded(vec!["b".to_owned(), "a".to_owned(), "b".to_owned()]);
        assert_eq!((few.used_files.len(), few.used_files_left_out), (2, 0));
        let many = Use::loaded((0..25).map(|number| format!("{number:02}")).collect());
        assert_eq!((many.used_files.len(), many.used_files_left_out), (Use::FILES, 15));
        assert_eq!(many.used, Used::Loaded);
    }
}
