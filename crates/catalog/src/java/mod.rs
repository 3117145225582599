//! Java packages inside archives: jar, war, ear and their kin, and archives nested in them.
//!
//! In goes an archive whole, out comes one package for the archive itself and one for each other
//! `pom.properties` in it (a shaded jar carries those of what it swallowed). A package is matched by
//! `group:artifact`; where the group is not proved by the archive or by the layout of a Maven
//! repository around it, the package is listed by its artifact alone and never matched by a guess.
//! Which signs prove a group is said in the `identity` module.
//! Source: JAR File Specification; Apache Maven, "Archiver", "Repository layout".

pub mod archive;
mod identity;
mod jar;
mod manifest;

use crate::language::{Installed, decode, encode, proof};
use image::{Check, ContentDigests, Entry, Fact, Interest, ReadError, Resolution, View, Want};
use serde::{Deserialize, Serialize};
use vocabulary::{Confidence, Ecosystem, Identified, Problem, Purl};

/// Largest archive that is held in memory; the whole scan has 100 MB. Larger ones are a problem in
/// coverage.
const ARCHIVE_LIMIT: u64 = 64 << 20;

/// The `java` cataloger.
#[derive(Debug)]
pub struct Java;

/// What is kept of one archive with all that is nested in it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct JavaFact {
    packages: Vec<JavaPackage>,
    /// Path of a nested archive (empty for the archive itself), and why it was not read.
    problems: Vec<(String, String)>,
    proof: Option<ContentDigests>,
}

/// One package of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct JavaPackage {
    /// Path of the nested archive that holds it, such as `lib/b.jar!/c.jar`; empty for the archive
    /// itself.
    inner: String,
    group: Option<String>,
    artifact: String,
    version: String,
    licences: Vec<String>,
    /// By what it was told, where no `pom.properties` names it.
    sign: Option<Sign>,
}

/// By what an archive without a `pom.properties` of its own is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Sign {
    /// The folders of a repository around it spell out all three.
    Repository,
    /// A folder of its own names the group for the artifact of its file name; that the group or the
    /// version is right, nothing else says.
    MavenFolder,
    /// The same, and its manifest agrees with the group and the version.
    MavenFolderAndManifest,
    /// Its manifest's `Bundle-SymbolicName` names the group.
    BundleName,
    /// File name and manifest name artifact and version; the group is not known.
    FileNameAndManifest,
    /// The same by the file name alone.
    FileName,
}

impl Sign {
    fn identified(self) -> Identified {
        let (by, confidence) = match self {
            Self::Repository => ("folders of a Maven repository", Confidence::High),
            Self::MavenFolder => ("file name and folder under META-INF/maven", Confidence::Medium),
            Self::MavenFolderAndManifest => {
                ("file name, folder under META-INF/maven and MANIFEST.MF", Confidence::High)
            }
            Self::BundleName => ("MANIFEST.MF, Bundle-SymbolicName", Confidence::Medium),
            Self::FileNameAndManifest => ("file name and MANIFEST.MF", Confidence::Low),
            Self::FileName => ("file name", Confidence::Low),
        };
        Identified { by: by.to_owned(), confidence }
    }
}

impl Check for Java {
    fn id(&self) -> &'static str {
        "java"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Extension("ear"),
            Interest::Extension("hpi"),
            Interest::Extension("jar"),
            Interest::Extension("jpi"),
            Interest::Extension("par"),
            Interest::Extension("sar"),
            Interest::Extension("war"),
        ]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if entry.size == 0 { Want::No } else { Want::Whole { at_most: ARCHIVE_LIMIT } }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let Some(mut fact) = jar::read(entry.path, bytes)? else { return Ok(None) };
        if fact.packages.is_empty() && fact.problems.is_empty() {
            return Ok(None);
        }
        fact.proof = proof(entry.path, bytes);
        encode(&fact)
    }

    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let Some(fact) = decode::<JavaFact>(&at, &mut resolution.problems) else { continue };
            for (inner, reason) in fact.problems {
                let path = place(at.path, &inner);
                resolution.problems.push(Problem { path, layer: at.layer, reason });
            }
            for package in fact.packages {
                let installed = Installed {
                    purl: Purl::new("maven", &package.artifact)
                        .with_namespace(package.group.as_deref().unwrap_or_default())
                        .with_version(&package.version),
                    ecosystem: Ecosystem::MAVEN,
                    path: place(at.path, &package.inner),
                    name: match package.group {
                        Some(group) => format!("{group}:{}", package.artifact),
                        None => package.artifact,
                    },
                    version: package.version,
                    licences: package.licences,
                    layer: at.layer,
                    files: Vec::new(),
                    proof: fact.proof,
                };
                let mut cataloged = installed.cataloged();
                cataloged.package.identified = package.sign.map(Sign::identified);
                resolution.packages.push(cataloged);
            }
        }
        resolution
    }
}

fn place(path: &str, inner: &str) -> String {
    if inner.is_empty() { path.to_owned() } else { format!("{path}!/{inner}") }
}

#[cfg(test)]
mod archive_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
