//! Every version that a real advisory names has an order, but for the few that name none.

#![allow(clippy::print_stderr, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use support::real_versions;
use testkit::skip;
use version::Scheme;

/// How many texts of an ecosystem may be no version at all, such as a lone `~` (npm), a quoted
/// version (RubyGems), a nightly build's name (Bitnami) or template text (PyPI).
const NO_VERSIONS: usize = 5;

const READER: &str = "`python3`, which reads the advisories for this test, is not installed";

#[test]
fn real_advisories_name_versions() {
    let Some(all) = real_versions() else { return skip(READER) };
    for (ecosystem, versions) in all {
        let Some(scheme) = Scheme::of_ecosystem(ecosystem) else {
            eprintln!("{ecosystem}: {} versions, no order known", versions.len());
            continue;
        };
        let wrong: Vec<String> = versions
            .iter()
            .filter_map(|version| scheme.check(version).err())
            .map(|error| error.to_string())
            .collect();
        eprintln!("{ecosystem}: {} versions, {} refused {wrong:?}", versions.len(), wrong.len());
        assert!(wrong.len() <= NO_VERSIONS, "{wrong:#?}");
    }
}

#[test]
fn sorting_real_versions_agrees_with_every_comparison() {
    let Some(all) = real_versions() else { return skip(READER) };
    for (ecosystem, versions) in all {
        let Some(scheme) = Scheme::of_ecosystem(ecosystem) else { continue };
        let mut sorted: Vec<&String> =
            versions.iter().filter(|version| scheme.check(version).is_ok()).collect();
        sorted.sort_by(|left, right| scheme.compare(left, right).expect("checked"));
        for gap in [1, 2, 3, 7, 50] {
            for (left, right) in sorted.iter().zip(sorted.iter().skip(gap)) {
                let order = scheme.compare(left, right).expect("checked");
                assert!(order.is_le(), "{scheme:?}: `{left}` is sorted before `{right}`");
            }
        }
    }
}
