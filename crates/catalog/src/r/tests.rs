use super::*;
use crate::language::testing::{purls, resolve};
use crate::view_tests::{Layers, read_file};
use proptest::prelude::*;

const MARKDOWN: &str = "Package: markdown\nType: Package\nTitle: Render Markdown with\n    'commonmark'\nVersion: 1.12\nAuthors@R: c(\n    person(\"A\", \"B\"))\nLicense: MIT + file LICENSE\nRepository: CRAN\nNeedsCompilation: no\nPackaged: 2023-12-06 05:02:28 UTC; a\nBuilt: R 4.3.1; ; 2024-01-01 00:00:00 UTC; unix\n";
const PLACE: &str = "usr/local/lib/R/site-library/markdown/DESCRIPTION";

#[test]
fn installed_packages_are_told_apart_by_where_they_came_from() {
    let limma = MARKDOWN.replace("markdown", "limma").replace("CRAN", "Bioconductor 3.18");
    let github = MARKDOWN.replace("markdown", "own") + "RemoteType: github\n";
    let base = "Package: base\nVersion: 4.3.1\nPriority: base\nLicense: Part of R 4.3.1\nBuilt: R 4.3.1; ; ; unix\n";
    let stats = base.replace("Package: base", "Package: stats");
    let found = resolve(
        &R,
        &[
            (PLACE, MARKDOWN.as_bytes()),
            ("usr/lib/R/library/limma/DESCRIPTION", limma.as_bytes()),
            ("usr/lib/R/library/own/DESCRIPTION", github.as_bytes()),
            ("usr/lib/R/library/base/DESCRIPTION", base.as_bytes()),
            ("usr/lib/R/library/stats/DESCRIPTION", stats.as_bytes()),
        ],
    );
    assert!(found.problems.is_empty());
    assert_eq!(
        purls(&found),
        [
            "pkg:cran/markdown@1.12",
            "pkg:generic/R@4.3.1",
            "pkg:generic/limma@1.12",
            "pkg:generic/own@1.12",
        ]
    );
    let of = |name: &str| found.packages.iter().find(|one| one.package.name == name).unwrap();
    assert_eq!(of("markdown").package.licences, ["MIT + file LICENSE"]);
    assert_eq!(of("markdown").package.ecosystem, Ecosystem::CRAN);
    assert!(of("markdown").proof.is_none() && of("limma").proof.is_some());
}

#[test]
fn a_removed_package_is_not_listed() {
    let layers = Layers::default().layer().file(PLACE, MARKDOWN).layer().whiteout(PLACE);
    assert!(layers.resolve(&R).packages.is_empty());
}

#[test]
fn sources_and_other_files_of_the_name_are_left_out() {
    let source = MARKDOWN.replace("Built", "Build");
    for text in [source.as_str(), "", "A tool for everything.\n", "Package: a\nBuilt: yesterday\n"]
    {
        assert_eq!(read_file(&R, PLACE, text.as_bytes()).unwrap(), None, "{text}");
    }
    for text in [
        MARKDOWN.replace("Package: markdown", "Package: ../a"),
        MARKDOWN.replace("Version: 1.12", "Version: 1\x1b[2J"),
        MARKDOWN.replace("Version: 1.12\n", ""),
    ] {
        assert!(read_file(&R, PLACE, text.as_bytes()).is_err(), "{text}");
    }
    assert!(read_file(&R, PLACE, &vec![b'a'; 2 << 20]).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(Package:|Version:|Built: R 4|Priority: base|\n| |a|1){0,40}") {
        let _ = parse(&bytes);
        let _ = parse(text.as_bytes());
    }
}
