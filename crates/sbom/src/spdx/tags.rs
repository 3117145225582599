//! SPDX 2.2 and 2.3 as tag-value: one `Tag: value` a line, long values between `<text>` and `</text>`.
//!
//! A package begins with `PackageName`, and what follows belongs to it; relationships and annotations
//! name what they are about. Tags that are not used are passed over. Source: SPDX specification 2.3,
//! clauses 4.4 (format), 6 to 12.

use super::{Annotation, Entry, Extracted, Named, Other, Reference, Relationship, Spdx, document};
use crate::document::Document;
use crate::error::SbomError;
use crate::limits::{COMPONENTS, kept};
use std::collections::HashMap;

const FORM: &str = "SPDX tag-value";
/// The document itself, as an element.
const ROOT: &str = "SPDXRef-DOCUMENT";

pub(crate) fn read(text: &str) -> Result<Document, SbomError> {
    let mut spdx = Spdx::default();
    let mut version = "";
    let mut section = Section::Document;
    let mut annotation = None;
    let mut comments: HashMap<&str, Vec<Annotation>> = HashMap::new();
    let mut tags = Tags { text, line: 0 };
    while let Some((line, tag, value)) = tags.next()? {
        match tag {
            "SPDXVersion" => version = value,
            "Creator" => spdx.creation.creators.push(value.to_owned()),
            "PackageName" => {
                if spdx.packages.len() >= COMPONENTS {
                    return Err(SbomError::TooMany);
                }
                section = Section::Package;
                spdx.packages.push(Entry { name: value.to_owned(), ..Entry::default() });
            }
            "FileName" | "SnippetSPDXID" => {
                // A file behind a package is one of its own: clause 8.
                if let Some(package) = spdx.packages.last_mut().filter(|_| tag == "FileName") {
                    package.files.push(value.to_owned());
                }
                section = Section::Other;
                if tag == "SnippetSPDXID" {
                    spdx.snippets.push(Named { id: value.to_owned() });
                }
            }
            "LicenseID" => {
                section = Section::Other;
                let id = value.to_owned();
                spdx.extracted.push(Extracted { id, ..Extracted::default() });
            }
            "ExtractedText" => {
                if let Some(one) = spdx.extracted.last_mut() {
                    one.text = kept(value);
                }
            }
            "SPDXID" if section == Section::Other => {
                spdx.files.push(Named { id: value.to_owned() });
            }
            "Relationship" => spdx.relationships.push(relationship(line, value)?),
            "ExternalDocumentRef" => {
                // Its name here, its address and its checksum: clause 6.6.
                let mut parts = value.split_whitespace().map(str::to_owned);
                let (id, address) = (parts.next().unwrap_or_default(), parts.next());
                spdx.others.push(Other { id, address: address.unwrap_or_default() });
            }
            "SPDXREF" => annotation = Some(value),
            "AnnotationComment" => {
                let about = annotation.take().unwrap_or(ROOT);
                let comment = Annotation { comment: value.to_owned() };
                comments.entry(about).or_default().push(comment);
            }
            _ if section == Section::Package => {
                if let Some(package) = spdx.packages.last_mut() {
                    of_package(package, tag, value);
                }
            }
            _ => {}
        }
    }
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        return Err(SbomError::Version {
            form: FORM,
            version: version.chars().take(40).collect(),
            known: "SPDX-2.2 or SPDX-2.3",
        });
    }
    spdx.annotations = comments.remove(ROOT).unwrap_or_default();
    for package in &mut spdx.packages {
        package.annotations = comments.remove(package.id.as_str()).unwrap_or_default();
    }
    document(version.replacen('-', " ", 1), spdx)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Document,
    Package,
    Other,
}

fn of_package(package: &mut Entry, tag: &str, value: &str) {
    let text = || Some(value.to_owned());
    match tag {
        "SPDXID" => package.id = value.to_owned(),
        "PackageVersion" => package.version = text(),
        "PrimaryPackagePurpose" => package.purpose = text(),
        "PackageLicenseDeclared" => package.declared = text(),
        "PackageLicenseConcluded" => package.concluded = text(),
        "PackageSourceInfo" => package.source_info = text(),
        "PackageSummary" => package.summary = text(),
        "ExternalRef" => {
            // Category, type and locator; the category is of no use.
            let mut parts = value.split_whitespace().skip(1);
            if let (Some(kind), Some(locator)) = (parts.next(), parts.next()) {
                let reference = Reference { kind: kind.to_owned(), locator: locator.to_owned() };
                package.references.push(reference);
            }
        }
        _ => {}
    }
}

/// `SPDXRef-A CONTAINS SPDXRef-B`
fn relationship(line: usize, value: &str) -> Result<Relationship, SbomError> {
    let parts: Vec<&str> = value.split_whitespace().collect();
    let [from, kind, to] = parts.as_slice() else {
        return Err(fault(line, "a relationship is of two elements and what is between them"));
    };
    let (from, kind, to) = ((*from).to_owned(), (*kind).to_owned(), (*to).to_owned());
    Ok(Relationship { from, kind, to, ..Relationship::default() })
}

/// The tags of a document.
struct Tags<'text> {
    text: &'text str,
    line: usize,
}

impl<'text> Tags<'text> {
    /// The next tag with its line and value.
    fn next(&mut self) -> Result<Option<(usize, &'text str, &'text str)>, SbomError> {
        loop {
            if self.text.is_empty() {
                return Ok(None);
            }
            let (line, rest) = self.text.split_once('\n').unwrap_or((self.text, ""));
            self.line += 1;
            let at = self.line;
            let whole = self.text;
            self.text = rest;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((tag, value)) = line.split_once(':') else {
                return Err(fault(at, "it is no `Tag: value`"));
            };
            let value = value.trim();
            if !value.starts_with("<text>") {
                return Ok(Some((at, tag.trim(), value)));
            }
            let begins = whole.find("<text>").map_or(0, |begins| begins + "<text>".len());
            let long = whole.get(begins..).unwrap_or_default();
            let Some((value, after)) = long.split_once("</text>") else {
                return Err(fault(at, "`<text>` has no `</text>`"));
            };
            self.line += value.matches('\n').count();
            self.text = after.split_once('\n').map_or("", |(_, rest)| rest);
            return Ok(Some((at, tag.trim(), value.trim())));
        }
    }
}

fn fault(line: usize, reason: &str) -> SbomError {
    SbomError::Shape { form: FORM, reason: format!("line {line}: {reason}") }
}
