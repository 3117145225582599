//! Says where packages were matched by their own names only, because nothing tells their sources.
//!
//! In go the packages and the advisories, out comes coverage of the check `sources`. The manifest of a
//! chiselled root names binary packages and not what they were built from. Advisories that list the
//! binaries concern them all the same; those that name a source alone are missed, and that is said.

use advisories::Databases;
use vocabulary::{Coverage, Distribution, Package, Problem};

/// The check, in the coverage.
const CHECK: &str = "sources";

/// What could not be matched by source; none where all could, or no advisory names sources alone.
#[must_use]
pub fn coverage(
    packages: &[Package],
    distribution: Option<&Distribution>,
    databases: &Databases,
) -> Option<Coverage> {
    let without = packages.iter().filter(|package| is_without_source(package));
    let (first, count) = (without.clone().next()?, without.count());
    // Where there are no advisories, the coverage of matching says so.
    if !databases.names_sources_alone(distribution?)? {
        return None;
    }
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let debs = vocabulary::counted(count, "deb", "debs");
    let problem = Problem {
        path: first.location.path().unwrap_or_default().to_owned(),
        layer: first.location.layer(),
        reason: format!(
            "{debs} without a source name: advisories that name sources alone are not matched"
        ),
    };
    Some(Coverage::with_problems(CHECK, vec![problem]))
}

/// Of a chisel manifest. Elsewhere a missing source means that it has the package's own name.
fn is_without_source(package: &Package) -> bool {
    package.source.is_none()
        && package.purl.kind() == "deb"
        && package.location.path().is_some_and(catalog::chisel::is_manifest)
}
