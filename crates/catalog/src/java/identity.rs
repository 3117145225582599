//! Which package an archive is, and which packages it carries.
//!
//! Every `pom.properties` is a package. The one that agrees with the file name is the archive's own;
//! where none does, the archive is named by its file name and manifest. Then its group counts as
//! proved only by one of these signs, in this order:
//! 0. the attributes by which a NiFi archive or a Jenkins plugin states all three in its manifest;
//! 1. the folders of a Maven repository or Gradle cache around it, which spell out all three;
//! 2. a folder `META-INF/maven/<group>/<artifact>` for the artifact that the file name says. It proves
//!    the group surely where the manifest agrees with group and version, else less so; where folders
//!    name several groups for the artifact, only the one that the manifest agrees with counts;
//! 3. a `Bundle-SymbolicName` of the form `<group>.<artifact>`, the form that the Maven bundle
//!    plugin makes of them, and only where the artifact has a hyphen, since without one
//!    `com.google.guava` could as well be a group on its own.
//!
//! A bundle of OSGi (each plugin of Eclipse is one) is named by its `Bundle-SymbolicName`, as the file name
//! `NAME_VERSION.jar` repeats: that name is unique among bundles, and is no artifact of Maven, so that
//! such a jar is listed and not matched, unless a `pom.properties` in it says what it is.
//!
//! Titles, packages of classes and module names prove nothing and are not used for a group; nor is
//! `Implementation-Vendor-Id`, in which most jars of Apache say `org.apache` whatever their group.

use super::manifest::{Manifest, Pom, is_coordinate};
use super::{JavaPackage, Sign};

/// Folders that end the name of a Maven repository, before the group begins.
const REPOSITORY_ENDS: &[&str] = &["repository", "maven-repo", "m2", "repo"];

/// All that is known of an archive.
pub(super) struct Clues<'clue> {
    /// Its path.
    pub(super) path: &'clue str,
    pub(super) manifest: &'clue Manifest,
    /// Group and artifact of each folder under `META-INF/maven`.
    pub(super) folders: &'clue [(&'clue str, &'clue str)],
}

/// The packages of an archive, its own first.
pub(super) fn packages(clues: &Clues<'_>, poms: Vec<Pom>) -> Vec<JavaPackage> {
    let stem = stem(clues.path);
    let own = own_pom(clues, stem, &poms);
    let mut packages = Vec::with_capacity(poms.len() + 1);
    if own.is_none() {
        packages.extend(named_by_file(clues, stem));
    }
    for (index, pom) in poms.into_iter().enumerate() {
        let licences = if own == Some(index) { clues.manifest.licences() } else { Vec::new() };
        let package = JavaPackage {
            inner: String::new(),
            group: Some(pom.group),
            artifact: pom.artifact,
            version: pom.version,
            licences,
            sign: None,
        };
        let place = if own == Some(index) { 0 } else { packages.len() };
        packages.insert(place, package);
    }
    packages
}

fn stem(path: &str) -> &str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Which `pom.properties` is the archive's own.
fn own_pom(clues: &Clues<'_>, stem: &str, poms: &[Pom]) -> Option<usize> {
    let longest = poms
        .iter()
        .enumerate()
        .filter(|(_, pom)| agrees(stem, pom))
        .max_by_key(|(_, pom)| pom.artifact.len())
        .map(|(index, _)| index);
    let bundled = || poms.iter().position(|pom| is_named_by_bundle(clues.manifest, pom));
    let longest = longest.or_else(bundled);
    let [only] = poms else { return longest };
    let manifest_agrees = || {
        let says = |name, text: &str| clues.manifest.get(name) == Some(text);
        says("implementation-title", &only.artifact)
            || says("implementation-vendor-id", &only.group)
            || says("implementation-version", &only.version)
    };
    longest.or_else(|| (splits(stem).next().is_none() || manifest_agrees()).then_some(0))
}

/// Whether a bundle's name is the artifact, or the group with the artifact behind it.
fn is_named_by_bundle(manifest: &Manifest, pom: &Pom) -> bool {
    bundle_name(manifest).is_some_and(|name| {
        let behind = name.strip_suffix(pom.artifact.as_str());
        behind.is_some_and(|rest| rest.is_empty() || rest.strip_suffix('.') == Some(&pom.group))
    })
}

/// `artifact`, `artifact-1.0` or `artifact-1.0-classifier`; distributions write `-` for `_`.
fn agrees(stem: &str, pom: &Pom) -> bool {
    let Some((name, rest)) = stem.split_at_checked(pom.artifact.len()) else { return false };
    let same = |(one, other): (u8, u8)| one == other || (one == b'-' && other == b'_');
    name.bytes().zip(pom.artifact.bytes()).all(same)
        && (rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with(&pom.version)
            }))
}

/// The ways to read a stem as `artifact-version`: at each hyphen that a digit follows.
fn splits(stem: &str) -> impl Iterator<Item = (&str, &str)> {
    stem.match_indices('-').filter_map(move |(at, _)| {
        let (artifact, version) = (stem.get(..at)?, stem.get(at + 1..)?);
        let fits = !artifact.is_empty() && version.starts_with(|c: char| c.is_ascii_digit());
        fits.then_some((artifact, version))
    })
}

/// The package that an archive without a `pom.properties` of its own is.
fn named_by_file(clues: &Clues<'_>, stem: &str) -> Option<JavaPackage> {
    if is_of_java(clues, stem) {
        return None;
    }
    let licences = clues.manifest.licences();
    if let Some((group, artifact, version)) = from_repository(clues.path, stem) {
        return Some(JavaPackage {
            inner: String::new(),
            group: Some(group),
            artifact,
            version,
            licences,
            sign: Some(Sign::Repository),
        });
    }
    if let Some((group, artifact, version)) = from_manifest(clues.manifest) {
        return Some(JavaPackage {
            inner: String::new(),
            group: Some(group.to_owned()),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
            licences,
            sign: Some(Sign::Manifest),
        });
    }
    let (artifact, version) = artifact_and_version(clues, stem)?;
    if !is_coordinate(artifact) {
        return None;
    }
    let (group, sign) = match group_of(clues, artifact, version) {
        Some((group, sign)) => (Some(group), sign),
        None if bundle_name(clues.manifest) == Some(artifact) => (None, Sign::Bundle),
        None if manifest_has_version(clues.manifest, version) => (None, Sign::FileNameAndManifest),
        None => (None, Sign::FileName),
    };
    Some(JavaPackage {
        inner: String::new(),
        group,
        artifact: artifact.to_owned(),
        version: version.to_owned(),
        licences,
        sign: Some(sign),
    })
}

/// The coordinates that the manifest of a NiFi archive or a Jenkins plugin states.
/// Sources: Apache NiFi, `nifi-nar-maven-plugin`; Jenkins, `maven-hpi-plugin`.
fn from_manifest(manifest: &Manifest) -> Option<(&str, &str, &str)> {
    let attributes =
        [("nar-group", "nar-id", "nar-version"), ("group-id", "short-name", "plugin-version")];
    attributes.into_iter().find_map(|(group, artifact, version)| {
        let coordinate = |name| manifest.get(name).filter(|text| is_coordinate(text));
        // Jenkins appends who built it, and when: `1.0-SNAPSHOT (private-…)`.
        let version = manifest.get(version)?.split(' ').next()?;
        Some((coordinate(group)?, coordinate(artifact)?, version))
    })
}

/// The package that an archive with classes is of which nothing else is known: its name alone, so that
/// it is counted. None for the parts of Java itself, which its own `release` file names.
pub(super) fn nameless(clues: &Clues<'_>) -> Option<JavaPackage> {
    let stem = stem(clues.path);
    let artifact = if is_coordinate(stem) { stem } else { "unnamed" };
    let package = || JavaPackage {
        artifact: artifact.to_owned(),
        sign: Some(Sign::FileName),
        ..JavaPackage::default()
    };
    (!is_of_java(clues, stem)).then(package)
}

/// Whether an archive is a part of Java itself: by its manifest, or by its name and folder in a Java of
/// version 8 or before.
fn is_of_java(clues: &Clues<'_>, stem: &str) -> bool {
    const NAMES: &[&str] = &[
        "charsets",
        "cldrdata",
        "dnsns",
        "dt",
        "jaccess",
        "jce",
        "jconsole",
        "jfxrt",
        "jfxswt",
        "jsse",
        "localedata",
        "nashorn",
        "resources",
        "rt",
        "sa-jdi",
        "sunec",
        "sunjce_provider",
        "sunpkcs11",
        "tools",
        "zipfs",
    ];
    let folder = clues.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = folder.strip_suffix("/ext").unwrap_or(folder);
    let home = folder.strip_suffix("/lib").unwrap_or_default();
    let home = home.strip_suffix("/jre").unwrap_or(home);
    let name = home.rsplit_once('/').map_or(home, |(_, name)| name);
    let is_home = ["java", "jdk", "jre", "jvm"].iter().any(|part| name.contains(part));
    clues.manifest.get("implementation-title") == Some("Java Runtime Environment")
        || is_home && NAMES.contains(&stem)
}

/// The file name says both where it can; the split that agrees with a version of the manifest counts
/// before the first one (`log4j-1.2-api-2.17.1`, `epoll-4.1.50.Final-linux-x86_64`).
fn artifact_and_version<'clue>(
    clues: &Clues<'clue>,
    stem: &'clue str,
) -> Option<(&'clue str, &'clue str)> {
    let implementation = clues.manifest.get("implementation-version");
    let bundle = clues.manifest.get("bundle-version");
    let symbolic = bundle_name(clues.manifest).filter(|name| is_coordinate(name));
    if let Some(version) = symbolic.and_then(|name| stem.strip_prefix(name)?.strip_prefix('_'))
        && version.starts_with(|c: char| c.is_ascii_digit())
    {
        return Some((symbolic?, bundle.unwrap_or(version)));
    }
    for stated in [implementation, bundle].into_iter().flatten() {
        let begins = |rest: &str| {
            rest.strip_prefix(stated).is_some_and(|end| end.is_empty() || end.starts_with('-'))
        };
        if let Some((artifact, _)) = splits(stem).find(|(_, rest)| begins(rest)) {
            return Some((artifact, stated));
        }
    }
    if let Some(split) = bundle_split(stem).or_else(|| splits(stem).next()) {
        return Some(split);
    }
    if let Some((symbolic, bundle)) = symbolic.zip(bundle)
        && group_of(clues, stem, implementation.unwrap_or(bundle)).is_none()
    {
        return Some((symbolic, bundle));
    }
    let title = clues.manifest.get("implementation-title").filter(|title| is_coordinate(title));
    Some((title.unwrap_or(stem), implementation.or(bundle)?))
}

/// `NAME_VERSION`, as OSGi's tools call the file of a bundle: three numbers, then, behind a dot, a
/// qualifier that may have hyphens (OSGi Core 8, 3.2.5).
fn bundle_split(stem: &str) -> Option<(&str, &str)> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    stem.match_indices('_').find_map(|(at, _)| {
        let (name, version) = (stem.get(..at)?, stem.get(at + 1..)?);
        let mut parts = version.splitn(4, '.');
        let numbers = [parts.next()?, parts.next()?, parts.next()?];
        let fits = numbers.into_iter().all(is_number)
            && parts.next().is_none_or(|rest| rest.bytes().all(is_word));
        (fits && !name.is_empty()).then_some((name, version))
    })
}

/// Signs 2 and 3.
fn group_of(clues: &Clues<'_>, artifact: &str, version: &str) -> Option<(String, Sign)> {
    if let Some(group) = folder_group(clues, artifact) {
        let agrees = manifest_has_group(clues.manifest, group, artifact)
            && manifest_has_version(clues.manifest, version);
        let sign = if agrees { Sign::MavenFolderAndManifest } else { Sign::MavenFolder };
        return Some((group.to_owned(), sign));
    }
    let name = bundle_name(clues.manifest)?;
    let group = name.strip_suffix(artifact)?.strip_suffix('.')?;
    let is_group = group.contains('.') && is_coordinate(group) && group != artifact;
    (is_group && artifact.contains('-')).then(|| (group.to_owned(), Sign::BundleName))
}

/// Sign 2: the one group that folders name for an artifact.
fn folder_group<'clue>(clues: &Clues<'clue>, artifact: &str) -> Option<&'clue str> {
    let named = clues.folders.iter().filter(|(_, name)| *name == artifact).map(|(group, _)| *group);
    let mut groups: Vec<&str> = named.filter(|group| is_coordinate(group)).collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > 1 {
        groups.retain(|group| manifest_has_group(clues.manifest, group, artifact));
    }
    groups.as_slice().try_into().ok().map(|[group]: [&str; 1]| group)
}

fn bundle_name(manifest: &Manifest) -> Option<&str> {
    Some(manifest.get("bundle-symbolicname")?.split(';').next()?.trim())
}

/// Whether the manifest names the group: as the vendor, as the whole bundle, or with the artifact
/// behind it.
fn manifest_has_group(manifest: &Manifest, group: &str, artifact: &str) -> bool {
    let bundle = bundle_name(manifest).and_then(|name| name.strip_prefix(group));
    manifest.get("implementation-vendor-id") == Some(group)
        || bundle.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.') == Some(artifact))
}

/// Whether the manifest states the version, as it is or in the form of a bundle.
fn manifest_has_version(manifest: &Manifest, version: &str) -> bool {
    manifest.get("implementation-version") == Some(version)
        || manifest
            .get("bundle-version")
            .is_some_and(|stated| stated == version || *stated == bundle_version(version))
}

/// A version as bundles write it: three numbers, then a qualifier (OSGi Core 8, 3.2.5), `31.1-jre` as
/// `31.1.0.jre`.
fn bundle_version(version: &str) -> String {
    let end = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (mut numbers, mut rest) = (Vec::new(), version);
    while numbers.len() < 3 {
        let text = if numbers.is_empty() { Some(rest) } else { rest.strip_prefix('.') };
        let Some((number, after)) = text.map(|text| text.split_at(end(text))) else { break };
        if number.is_empty() {
            break;
        }
        numbers.push(number);
        rest = after;
    }
    numbers.resize(3, "0");
    let numbers = numbers.join(".");
    let qualifier = rest.trim_start_matches(['.', '-', '_']);
    if qualifier.is_empty() {
        return numbers;
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{numbers}.{}", qualifier.chars().map(plain).collect::<String>())
}

/// Sign 1: `…/repository/org/apache/x/artifact/1.0/artifact-1.0.jar`, or Gradle's
/// `…/files-2.1/org.apache.x/artifact/1.0/<hash>/artifact-1.0.jar`.
fn from_repository(path: &str, stem: &str) -> Option<(String, String, String)> {
    let folders: Vec<&str> = path.split('/').rev().skip(1).collect();
    let fits = |artifact: &str, version: &str| {
        let rest = stem.strip_prefix(artifact).and_then(|rest| rest.strip_prefix('-'));
        let end = rest.and_then(|rest| rest.strip_prefix(version));
        end.is_some_and(|end| end.is_empty() || end.starts_with('-')) && is_coordinate(artifact)
    };
    let (group, artifact, version) = match folders.as_slice() {
        [_, version, artifact, group, "files-2.1", ..] => {
            ((*group).to_owned(), *artifact, *version)
        }
        [version, artifact, rest @ ..] => {
            let end = rest.iter().position(|part| REPOSITORY_ENDS.contains(part))?;
            let parts: Vec<&str> = rest.get(..end)?.iter().rev().copied().collect();
            (parts.join("."), *artifact, *version)
        }
        _ => return None,
    };
    let whole = is_coordinate(&group) && fits(artifact, version);
    whole.then(|| (group, artifact.to_owned(), version.to_owned()))
}
