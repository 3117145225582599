//! The list of all output forms, and what follows from it: help, errors, and which file is in which form.
//!
//! The names of files are those that each form's own standard, or the service that reads it, recommends;
//! each form says which. A form that is not written under such a name is no form here: `.cdx.xml` would be
//! XML and `.spdx` tag-value, and JSON under these names is not what its reader expects.

mod built_in;
mod cyclonedx;
pub(crate) mod github;
mod gitlab;
pub(crate) mod json;
mod junit;
mod markdown;
mod sarif;
mod spdx;
pub(crate) mod table;

use crate::form::Format;
use std::str::FromStr;

/// Every form but templates, in the order in which help texts name them.
static FORMS: [Format; 11] = [
    table::FORMAT,
    json::FORMAT,
    cyclonedx::FORMAT,
    sarif::FORMAT,
    spdx::FORMAT,
    markdown::FORMAT,
    junit::FORMAT,
    gitlab::FORMAT,
    github::FORMAT,
    built_in::PAGE_FORMAT,
    built_in::SPREADSHEET_FORMAT,
];

/// Endings that name a form which is not written, although what they end with is known.
const OTHERS: [&str; 2] = [".cdx.xml", ".spdx.xml"];

impl Format {
    /// For people.
    pub const TABLE: Self = table::FORMAT;
    /// The vocabulary's own form.
    pub const JSON: Self = json::FORMAT;

    /// Every format but templates, in the order in which help texts name them.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMS.iter().copied()
    }
}

/// Why a text is not a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an output format; use {names}", names = format_names())]
pub struct FormatError(String);

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all()
            .find(|format| format.name() == text)
            .ok_or_else(|| FormatError(text.chars().take(80).collect()))
    }
}

/// The names of all formats, for people.
#[must_use]
pub fn format_names() -> String {
    names(|_| true)
}

/// The names of files that ask for a form, for people.
#[must_use]
pub fn file_names() -> String {
    let all = Format::all().filter_map(Format::form).map(|form| form.names);
    all.filter(|names| !names.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Why a form cannot tell of packages alone, and which can.
#[must_use]
pub fn no_packages(format: Format) -> String {
    let names = names(Format::has_packages);
    format!("`{format}` has no form for packages; use {names}")
}

/// Why a form cannot tell of differences, and which can.
#[must_use]
pub fn no_differences(format: Format) -> String {
    let names = names(Format::has_differences);
    format!("`{format}` has no form for differences; use {names}")
}

fn names(can: fn(Format) -> bool) -> String {
    let names: Vec<&str> = Format::all().filter(|format| can(*format)).map(Format::name).collect();
    format!("{} or template:FILE", names.join(", "))
}

/// The form that the name of a file asks for, in any case of letters; none where its ending names none.
#[must_use]
pub fn of_file(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or(&name);
    if OTHERS.iter().any(|other| last.ends_with(other)) {
        return None;
    }
    let fit = |format: Format| -> Option<(usize, Format)> {
        let form = format.form()?;
        let ending = form.endings.iter().filter(|ending| last.ends_with(**ending));
        let longest = ending.map(|ending| ending.len()).max();
        // A whole name says more than an ending.
        let whole = (form.is_name)(last).then_some(last.len());
        longest.max(whole).map(|length| (length, format))
    };
    Format::all().filter_map(fit).max_by_key(|(length, _)| *length).map(|(_, format)| format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_form() {
        for (name, expected) in [
            ("x.sarif", Some(sarif::FORMAT)),
            ("out/x.sarif.json", Some(sarif::FORMAT)),
            ("X.SARIF", Some(sarif::FORMAT)),
            ("x.cdx.json", Some(cyclonedx::FORMAT)),
            ("a.json/bom.json", Some(cyclonedx::FORMAT)),
            ("my-bom.json", Some(json::FORMAT)),
            ("x.spdx.json", Some(spdx::FORMAT)),
            ("x.json", Some(json::FORMAT)),
            ("x.md", Some(markdown::FORMAT)),
            ("x.xml", Some(junit::FORMAT)),
            ("x.html", Some(built_in::PAGE_FORMAT)),
            ("x.htm", Some(built_in::PAGE_FORMAT)),
            ("x.csv", Some(built_in::SPREADSHEET_FORMAT)),
            ("x.txt", Some(table::FORMAT)),
            ("gl-container-scanning-report.json", Some(gitlab::FORMAT)),
            ("gl-dependency-scanning-report.json", Some(gitlab::FORMAT)),
            ("gl-dependency-scanning.json", Some(gitlab::FORMAT)),
            ("gl-sbom-npm.cdx.json", Some(cyclonedx::FORMAT)),
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
    fn every_form_is_listed_once_and_found_by_its_name() {
        let names: Vec<&str> = Format::all().map(Format::name).collect();
        for name in &names {
            assert_eq!(name.parse::<Format>().unwrap().name(), *name);
        }
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        // Each declares itself where its code is.
        let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/forms")).unwrap();
        let texts = sources.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok());
        let declared: usize =
            texts.map(|text| text.matches(concat!("Format::of(", "&FORM")).count()).sum();
        assert_eq!(declared + 2, names.len());
    }

    #[test]
    fn what_people_are_told_is_what_is_known() {
        let told = file_names();
        let told = told.split('`').skip(1).step_by(2);
        for name in told {
            assert!(of_file(name).is_some(), "{name}");
        }
    }
}
