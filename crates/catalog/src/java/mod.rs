//! Java packages inside archives: jar, war, ear and their kin, programs that are a script with an archive
//! behind it, archives nested in them, and the `pom.properties` of an archive that was unpacked.
//!
//! In goes an archive whole, out comes one package for the archive itself and one for each other
//! `pom.properties` or `pom.xml` in it (a shaded jar carries those of what it swallowed). An archive with
//! classes of which nothing is known is listed by its file name without a version, and so counted. A package is matched by
//! `group:artifact`; where the group is not proved by the archive or by the layout of a Maven
//! repository around it, the package is listed by its artifact alone and never matched by a guess.
//! Which signs prove a group is said in the `identity` module. A file whose ending says that it is a jar and
//! that is none, or an empty one, is a problem: a program was to be there.
//! Source: JAR File Specification; Apache Maven, "Archiver", "Repository layout".

mod descriptor;
mod identity;
mod jar;
mod manifest;

use crate::language::{Installed, decode, encode, proof};
use image::{
    ContentDigests, Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want,
};
use serde::{Deserialize, Serialize};
use vocabulary::{Confidence, Ecosystem, Identified, Problem, Purl};

/// Largest archive that is held in memory; the whole scan has 100 MB. Larger ones are a problem in
/// coverage.
const ARCHIVE_LIMIT: u64 = 64 << 20;
/// Smallest script that is looked at for an archive behind it. The script that Spring Boot puts before one
/// has 10 KB, its loader 100 KB.
const SCRIPT_FROM: u64 = 32 << 10;
/// Largest `pom.properties`; real ones have three lines.
const POM_BYTES: u64 = 64 << 10;

/// The `java` cataloger.
#[derive(Debug)]
pub struct Java;

/// What is kept of one archive with all that is nested in it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct JavaFact {
    packages: Vec<JavaPackage>,
    /// Path of a nested archive (empty for the archive itself), and why it was not read.
    problems: Vec<(String, String)>,
    /// How many more problems there were.
    left_out: u32,
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
    /// Its manifest names it as a bundle of OSGi; what it is called in Maven is not known.
    Bundle,
    /// Its manifest states all three.
    Manifest,
    /// A `pom.xml` in its folder; there is no `pom.properties`, and the version is the one that stands
    /// there, if one does.
    Descriptor,
    /// A `pom.properties` that does not say all three.
    Unfilled,
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
            Self::Bundle => {
                ("MANIFEST.MF, Bundle-SymbolicName and Bundle-Version", Confidence::Low)
            }
            Self::Manifest => ("MANIFEST.MF", Confidence::High),
            Self::Descriptor => ("pom.xml under META-INF/maven", Confidence::High),
            Self::Unfilled => ("pom.properties that is not filled in", Confidence::Low),
            Self::FileNameAndManifest => ("file name and MANIFEST.MF", Confidence::Low),
            Self::FileName => ("file name", Confidence::Low),
        };
        Identified { by: by.to_owned(), confidence }
    }
}

impl Reader for Java {
    fn id(&self) -> &'static str {
        "java"
    }

    fn revision(&self) -> u32 {
        5
    }

    fn interests(&self) -> &'static [Interest] {
        const {
            &[
                Interest::Extension("EAR"),
                Interest::Extension("JAR"),
                Interest::Extension("WAR"),
                Interest::Extension("aar"),
                Interest::Extension("ear"),
                Interest::Extension("esa"),
                Interest::Extension("hpi"),
                Interest::Extension("jar"),
                Interest::Extension("jmod"),
                Interest::Extension("jpi"),
                Interest::Extension("kar"),
                Interest::Extension("lpkg"),
                Interest::Extension("nar"),
                Interest::Extension("par"),
                Interest::Extension("rar"),
                Interest::Extension("sar"),
                Interest::Extension("war"),
                Interest::Name("pom.properties"),
                Interest::Magic(*b"#!/b"),
                Interest::Magic(*b"#!/u"),
                Interest::Magic(*b"PK\x03\x04"),
            ]
        }
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        let (name, archive) = (entry.name(), Want::Whole { at_most: ARCHIVE_LIMIT });
        if entry.size == 0 && !jar::must_be_archive(name.as_bytes()) {
            return Want::No;
        }
        if name == "pom.properties" {
            let unpacked = descriptor::place(entry.path.as_bytes()).is_some();
            return if unpacked { Want::Whole { at_most: POM_BYTES } } else { Want::No };
        }
        match name.rsplit_once('.').map(|(stem, ending)| (stem, ending.to_ascii_lowercase())) {
            // Java's own modules.
            Some((stem, ending)) if ending == "jmod" => {
                let own = ["java.", "jdk."].iter().any(|prefix| stem.starts_with(prefix));
                if own { Want::No } else { archive }
            }
            Some((_, ending)) if jar::EXTENSIONS.contains(&ending.as_str()) => archive,
            _ if may_be_run_as_an_archive(entry, head) || begins_like_a_jar(head) => archive,
            _ => Want::No,
        }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let fact = match entry.name() {
            "pom.properties" => jar::read_unpacked(entry.path, bytes)?,
            _ => jar::read(entry.path, bytes)?,
        };
        let Some(mut fact) = fact else { return Ok(None) };
        if fact.packages.is_empty() && fact.problems.is_empty() {
            return Ok(None);
        }
        fact.proof = proof(entry.path, bytes);
        encode(&fact)
    }
}

impl Resolver for Java {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let Some(fact) = decode::<JavaFact>(&at, &mut resolution.problems) else { continue };
            if fact.left_out > 0 {
                let reason = format!("it has {} more problems, which are not named", fact.left_out);
                let path = at.path.to_owned();
                resolution.problems.push(Problem { path, layer: at.layer, reason });
            }
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
                cataloged.package.identified = package.sign.map(Sign::identified).map(Box::new);
                resolution.packages.push(cataloged);
            }
        }
        resolution
    }
}

/// Whether a script may have an archive behind it, as Spring Boot's "executable" jars do, whose file may
/// have any name. One that is too large to be held is a problem only where it speaks of Java.
fn may_be_run_as_an_archive(entry: &Entry<'_>, head: &[u8]) -> bool {
    let says = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // What Python runs so is read by its own cataloger.
    head.starts_with(b"#!")
        && memchr::memmem::find(line, b"python").is_none()
        && (says(b"PK\x03\x04")
            || entry.size >= SCRIPT_FROM
                && (entry.size <= ARCHIVE_LIMIT || says(b"java") || says(b"Spring Boot")))
}

/// Whether a zip begins as a jar does, with its manifest or the folder of that: Java runs it whatever its
/// name is, and builders put some aside under another (`.jar.original`). Source: JAR File Specification,
/// "The META-INF directory"; PKWARE APPNOTE.TXT, section 4.3.7.
fn begins_like_a_jar(head: &[u8]) -> bool {
    let Some([low, high]) = head.get(26..28).and_then(|size| size.first_chunk::<2>()) else {
        return false;
    };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let first = head.get(30..).and_then(|rest| rest.get(..length));
    head.starts_with(b"PK\x03\x04") && matches!(first, Some(b"META-INF/" | b"META-INF/MANIFEST.MF"))
}

fn place(path: &str, inner: &str) -> String {
    if inner.is_empty() { path.to_owned() } else { format!("{path}!/{inner}") }
}

#[cfg(test)]
mod tests;
