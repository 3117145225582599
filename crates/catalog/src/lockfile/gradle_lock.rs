//! `gradle.lockfile` and `buildscript-gradle.lockfile`. Source: Gradle user manual, "Locking versions".
//!
//! A line is `group:artifact:version=configuration,…`; `empty=` names configurations that lock nothing.

use super::listing::{Entry, Listing};
use super::{Declared, Lockfile, Reader, is_named};
use image::Interest;
use vocabulary::Ecosystem;

const NAMES: [&str; 2] = ["gradle.lockfile", "buildscript-gradle.lockfile"];

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "gradle-lock",
    ecosystem: Ecosystem::MAVEN,
    interests: &[Interest::Name("gradle.lockfile"), Interest::Name("buildscript-gradle.lockfile")],
    accepts: |path| is_named(path, &NAMES),
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

fn parse(text: &str) -> Result<Listing, String> {
    let mut found = Listing::default();
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // Configurations without any: the list is there.
        if line.starts_with("empty=") {
            found.push(Entry::Own);
            continue;
        }
        let coordinates = line.split_once('=').map(|(coordinates, _)| coordinates);
        let parts: Vec<&str> = coordinates.unwrap_or_default().split(':').collect();
        let [group, artifact, version] = parts.as_slice() else {
            return Err(malformed(number));
        };
        if parts.iter().any(|part| part.trim().is_empty()) {
            return Err(malformed(number));
        }
        let declared = Declared::new(&format!("{group}:{artifact}"), version, number);
        found.push(Entry::package(declared, number));
    }
    Ok(found)
}

fn malformed(number: u32) -> String {
    format!("line {number} is not of a gradle.lockfile: `group:artifact:version=…`")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_part_may_not_be_empty() {
        for line in ["x.a.b::1.0=a", ":b:1.0=a", "a:b:=a", "$ / 2%: :0|a=", "a: :1=a"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("a:b:1.0=a").is_ok());
    }
}
