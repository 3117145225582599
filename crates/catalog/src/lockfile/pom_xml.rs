//! `pom.xml` of Maven. Source: Maven, "POM Reference", "Introduction to the POM", inheritance and
//! interpolation, and "Introduction to the Dependency Mechanism".
//!
//! Read together are the POMs of the folder and of a local repository (`.m2`) that lies inside of it:
//! parents by their path or coordinates, imported files, and the POMs of dependencies, for what these
//! need in turn. Versions stand in a dependency, or come from properties, the project's or its parents'
//! coordinates, or `dependencyManagement`. Where a version comes from a POM that is not there, or is a
//! range, the dependency is listed without one, and counted as not matched: a guess would be worse; and
//! what dependencies need in turn whose POMs are not there is said to be unknown. What is only for tests
//! or given by the machine (`test`, `provided`, `system`) is left out: it is not shipped.

mod model;
mod pom;

use super::{Lockfile, Reader, Together, is_named};
use image::Interest;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "pom-xml",
    ecosystem: Ecosystem::MAVEN,
    interests: &[Interest::Name("pom.xml"), Interest::Extension("pom")],
    accepts: |path| is_named(path, &["pom.xml"]) || path.ends_with(".pom"),
    at_most: 8 << 20,
    reader: Reader::Together(Together { counts, read: pom::read, join: model::join }),
};

/// POMs of a local repository are others' own: they matter where one of the project leads to them.
fn counts(path: &str) -> bool {
    is_named(path, &["pom.xml"]) && !path.split('/').any(|part| part == ".m2")
}

#[cfg(test)]
mod tests;
