//! The form that a file's name asks for.
//!
//! The names are those that each form's own standard, or the service that reads it, recommends:
//! CycloneDX 1.6 (`bom.json`, `*.cdx.json`), SPDX 2.3 annex D (`*.spdx.json`), SARIF 2.1.0, 3.2
//! (`*.sarif`, `*.sarif.json`), and GitLab, "Security scanner integration", "Output file" (`gl-` and
//! the kind of the scan). A form that is not written under such a name is no form here: `.cdx.xml`
//! would be XML and `.spdx` tag-value, and JSON under these names is not what its reader expects.

use crate::Format;

/// What can be at the end of a file's name, in the order in which it is looked for, and its form.
const KNOWN: [(&str, Format); 12] = [
    (".cdx.json", Format::CycloneDx),
    (".spdx.json", Format::Spdx),
    (".sarif.json", Format::Sarif),
    (".sarif", Format::Sarif),
    (".md", Format::Markdown),
    (".markdown", Format::Markdown),
    (".xml", Format::Junit),
    (".html", Format::Html),
    (".htm", Format::Html),
    (".csv", Format::Csv),
    (".txt", Format::Table),
    (".json", Format::Json),
];

/// Endings that name a form which is not written, although what they end with is known.
const OTHERS: [&str; 2] = [".cdx.xml", ".spdx.xml"];

/// The names for people.
pub const ENDINGS: &str = "`.json`, `.sarif`, `.cdx.json` or `bom.json`, `.spdx.json`, `.md`, \
    `.xml` (JUnit), `.html`, `.csv`, `.txt` (table), `gl-container-scanning-report.json` and \
    `gl-dependency-scanning-report.json`";

/// The form that the name of a file asks for, in any case of letters; none where its ending names none.
#[must_use]
pub fn of_file(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or(&name);
    if OTHERS.iter().any(|other| last.ends_with(other)) {
        return None;
    }
    if last == "bom.json" {
        return Some(Format::CycloneDx);
    }
    let of_gitlab = ["container-scanning", "dependency-scanning"];
    if last.starts_with("gl-")
        && last.ends_with(".json")
        && of_gitlab.iter().any(|kind| last.contains(kind))
        && !last.ends_with(".cdx.json")
    {
        return Some(Format::Gitlab);
    }
    KNOWN.iter().find(|(ending, _)| last.ends_with(ending)).map(|(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_form() {
        for (name, expected) in [
            ("x.sarif", Some(Format::Sarif)),
            ("out/x.sarif.json", Some(Format::Sarif)),
            ("X.SARIF", Some(Format::Sarif)),
            ("x.cdx.json", Some(Format::CycloneDx)),
            ("a.json/bom.json", Some(Format::CycloneDx)),
            ("my-bom.json", Some(Format::Json)),
            ("x.spdx.json", Some(Format::Spdx)),
            ("x.json", Some(Format::Json)),
            ("x.md", Some(Format::Markdown)),
            ("x.xml", Some(Format::Junit)),
            ("x.html", Some(Format::Html)),
            ("x.htm", Some(Format::Html)),
            ("x.csv", Some(Format::Csv)),
            ("x.txt", Some(Format::Table)),
            ("gl-container-scanning-report.json", Some(Format::Gitlab)),
            ("gl-dependency-scanning-report.json", Some(Format::Gitlab)),
            ("gl-dependency-scanning.json", Some(Format::Gitlab)),
            ("gl-sbom-npm.cdx.json", Some(Format::CycloneDx)),
            ("gl-container-scanning/x", None),
            // These would be forms that are not written.
            ("x.cdx.xml", None),
            ("x.spdx", None),
            ("x.spdx.xml", None),
            ("x.pdf", None),
            ("x.json.gz", None),
            ("sarif", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(of_file(name), expected, "{name}");
        }
    }

    #[test]
    fn what_people_are_told_is_what_is_known() {
        let told = ENDINGS.split('`').skip(1).step_by(2);
        for name in told {
            assert!(of_file(name).is_some(), "{name}");
        }
    }
}
