//! Tells of which form a document is, and unpacks what lies around it.
//!
//! In go bytes, out comes the document, or an error that names the form that was found instead. Around
//! a document may lie gzip, a DSSE envelope (what `cosign attest` stores), an in-toto statement, or
//! what GitHub's dependency graph exports; signatures are not looked at, and the document says so.
//! Sources: DSSE 1.0 "Envelope", in-toto attestation framework "Statement", cosign `COSIGN_PREDICATE_SPEC`.

use crate::cyclonedx;
use crate::document::Document;
use crate::error::{SbomError, json, shape};
use crate::github;
use crate::limits::DOCUMENT_BYTES;
use crate::merged::merged;
use crate::own;
use crate::spdx;
use crate::syft;
use crate::xml::Xml;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::GeneralPurposeConfig;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;
use vocabulary::Problem;

/// Deepest wrapping that is opened: a bundle, its envelope, the statement in it, its predicate.
const WRAPPED: usize = 4;
/// Most documents of one file, a line each.
const LINES: usize = 64;
/// How a statement of another kind is called.
const STATEMENT_OF: &str = "an in-toto statement of ";
/// Bytes of a text in which the first line that is no remark is looked for.
const PREAMBLE: usize = 64 << 10;
/// Members that an error names of JSON of another form.
const MEMBERS: usize = 6;

/// Reads a document.
///
/// # Errors
/// Where it is of none of the known forms, or not what it claims to be.
pub fn read(bytes: &[u8]) -> Result<Document, SbomError> {
    let bytes = unpacked(bytes)?;
    match lines_of(&bytes) {
        Some(lines) => read_lines(lines),
        None => read_at(&bytes, 0),
    }
}

/// The lines of a document of which each is JSON of its own, as `cosign download attestation` prints
/// them; none where it is one document.
fn lines_of(bytes: &[u8]) -> Option<Vec<(usize, &[u8])>> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let whole = bytes.split(|byte| *byte == b'\n').zip(1..);
    let mut lines = whole.filter(|(line, _)| !line.trim_ascii().is_empty());
    let (first, number) = lines.next()?;
    let (second, next) = lines.next()?;
    let starts = second.trim_ascii_start().starts_with(b"{");
    if !starts || serde_json::from_slice::<IgnoredAny>(first).is_err() {
        return None;
    }
    let rest = lines.map(|(line, number)| (number, line));
    Some([(number, first), (next, second)].into_iter().chain(rest.take(LINES)).collect())
}

/// Puts the bills among several lines together. Statements of another kind are none; what cannot be read
/// is said.
fn read_lines(lines: Vec<(usize, &[u8])>) -> Result<Document, SbomError> {
    let (mut documents, mut problems, mut first) = (Vec::new(), Vec::new(), None);
    let beyond = lines.get(LINES).map(|(number, _)| *number);
    for (number, line) in lines.into_iter().take(LINES) {
        match read_at(line, 0) {
            Ok(document) => documents.push(document),
            Err(error) => {
                if !matches!(&error, SbomError::Unknown { found } if found.starts_with(STATEMENT_OF))
                {
                    problems.push(problem(number, error.to_string()));
                }
                first = first.or(Some(error));
            }
        }
    }
    if let (true, Some(error)) = (documents.is_empty(), first) {
        return Err(error);
    }
    if let Some(number) = beyond {
        problems.push(problem(
            number,
            format!(
                "more than {LINES} documents: it and those behind it were not read; divide the file"
            ),
        ));
    }
    let mut document = merged(documents);
    document.problems.extend(problems);
    Ok(document)
}

fn problem(line: usize, reason: String) -> Problem {
    Problem { path: format!("line {line}"), layer: None, reason }
}

/// Whether the first bytes of a file are those of a document that [`read`] takes: such a file needs no
/// `sbom:` before its name.
#[must_use]
pub fn looks_like_one(head: &[u8]) -> bool {
    let mut inflated = Vec::new();
    let head = if is_gzip(head) {
        // What is cut off ends the stream early, which is no matter here.
        let _ = flate2::read::MultiGzDecoder::new(head).take(512).read_to_end(&mut inflated);
        inflated.as_slice()
    } else {
        head
    };
    let text = String::from_utf8_lossy(head);
    let text = match utf_16(head) {
        Some(text) => Cow::Owned(text),
        None => text,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('{')
        || text.starts_with("<?xml")
        || text.starts_with("<bom")
        || text.starts_with("SPDXVersion:")
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// The plain document as UTF-8 as far as it is text.
fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, SbomError> {
    let mut bytes = Cow::Borrowed(bytes);
    if is_gzip(&bytes) {
        let mut plain = Vec::new();
        let stream = flate2::read::MultiGzDecoder::new(&*bytes);
        let read = stream.take(DOCUMENT_BYTES + 1).read_to_end(&mut plain);
        read.map_err(|error| SbomError::Shape { form: "gzip", reason: error.to_string() })?;
        if plain.len() as u64 > DOCUMENT_BYTES {
            return Err(SbomError::TooLarge);
        }
        bytes = Cow::Owned(plain);
    }
    if let Some(text) = utf_16(&bytes) {
        return Ok(Cow::Owned(text.into_bytes()));
    }
    Ok(match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
        Cow::Owned(bytes) if bytes.starts_with(b"\xef\xbb\xbf") => {
            Cow::Owned(bytes.into_iter().skip(3).collect())
        }
        owned => owned,
    })
}

/// UTF-16 as text: by its mark, or by the null in the first sign, which is one of ASCII in every form.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let (body, little) = match bytes {
        [0xff, 0xfe, body @ ..] => (body, true),
        [0xfe, 0xff, body @ ..] => (body, false),
        [first, 0, ..] if first.is_ascii_graphic() => (bytes, true),
        [0, second, ..] if second.is_ascii_graphic() => (bytes, false),
        _ => return None,
    };
    let (pairs, _) = body.as_chunks::<2>();
    let unit =
        |pair: &[u8; 2]| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    Some(char::decode_utf16(pairs.iter().map(unit)).map(|c| c.unwrap_or('\u{fffd}')).collect())
}

fn read_at(bytes: &[u8], depth: usize) -> Result<Document, SbomError> {
    match bytes.trim_ascii_start() {
        [] => unknown("empty"),
        [b'{', ..] => read_json(bytes, depth),
        [b'[', ..] => unknown("a JSON list"),
        [b'<', ..] => read_xml(bytes),
        text => read_text(bytes, text),
    }
}

fn unknown<T>(found: impl Into<String>) -> Result<T, SbomError> {
    Err(SbomError::Unknown { found: found.into() })
}

/// What tells the forms of JSON apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(rename = "bomFormat")]
    bom_format: Option<Value>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<Value>,
    #[serde(rename = "@context")]
    context: Option<Value>,
    #[serde(rename = "@graph")]
    graph: Option<IgnoredAny>,
    schema: Option<Value>,
    artifacts: Option<IgnoredAny>,
    #[serde(rename = "predicateType")]
    predicate_type: Option<Value>,
    sbom: Option<IgnoredAny>,
    #[serde(rename = "Data")]
    data: Option<IgnoredAny>,
    #[serde(rename = "payloadType")]
    payload_type: Option<Value>,
    payload: Option<IgnoredAny>,
    #[serde(rename = "dsseEnvelope")]
    envelope: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
    detector: Option<IgnoredAny>,
}

/// A document inside another.
#[derive(Deserialize)]
struct Wrapped<'text> {
    #[serde(borrow, alias = "sbom", alias = "Data", alias = "dsseEnvelope")]
    predicate: &'text serde_json::value::RawValue,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

fn read_json(bytes: &[u8], depth: usize) -> Result<Document, SbomError> {
    let head: Head = json("JSON", bytes)?;
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let schema = text(&head.schema).unwrap_or_default();
    if text(&head.bom_format).as_deref() == Some("CycloneDX") {
        return cyclonedx::read(bytes);
    }
    if let Some(version) = text(&head.spdx_version) {
        return spdx::read(bytes, &version);
    }
    if schema.starts_with("lazaret.packages/") || schema.starts_with("lazaret.report/") {
        return own::read(bytes, &schema);
    }
    if head.artifacts.is_some() && head.schema.is_some() {
        return syft::read(bytes);
    }
    if head.manifests.is_some() && head.detector.is_some() {
        return github::read(bytes);
    }
    let context = head.context.as_ref().map(Value::to_string).unwrap_or_default();
    if head.graph.is_some() && context.contains("spdx.org/rdf/3") {
        return spdx::read_linked(bytes);
    }
    read_wrapped(bytes, &head, text(&head.predicate_type), depth)
}

fn read_wrapped(
    bytes: &[u8],
    head: &Head,
    predicate_type: Option<String>,
    depth: usize,
) -> Result<Document, SbomError> {
    let is_wrapped = predicate_type.is_some()
        || head.sbom.is_some()
        || head.envelope.is_some()
        || head.data.is_some()
        || head.payload.is_some() && head.payload_type.is_some();
    if !is_wrapped {
        return unknown(foreign(bytes));
    }
    if depth >= WRAPPED {
        return unknown("one wrapping inside another, and no end of it");
    }
    if head.payload_type.is_some() {
        let envelope: Envelope = json("DSSE", bytes)?;
        let mut document = read_at(&decoded(&envelope.payload)?, depth + 1)?;
        document.form.push_str(", in an envelope whose signatures were not verified");
        return Ok(document);
    }
    let wrapped: Wrapped<'_> =
        serde_json::from_slice(bytes).map_err(|error| shape("in-toto", &error))?;
    let inner = wrapped.predicate.get();
    // cosign keeps what is not JSON as a text.
    let inner: Cow<'_, str> = match serde_json::from_str::<String>(inner) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(inner),
    };
    match (read_at(inner.as_bytes(), depth + 1), predicate_type) {
        (Err(SbomError::Unknown { .. }), Some(kind)) => {
            let kind: String = kind.chars().take(200).collect();
            unknown(format!("{STATEMENT_OF}`{kind}`"))
        }
        (read, _) => read,
    }
}

/// DSSE takes both alphabets, with padding or without.
fn decoded(text: &str) -> Result<Vec<u8>, SbomError> {
    let either = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let standard: Vec<u8> =
        text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(either).collect();
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config)
        .decode(standard)
        .map_err(|error| SbomError::Shape { form: "DSSE", reason: error.to_string() })
}

/// Other forms of JSON by what stands at their top: all of these members.
const FOREIGN: [(&[&str], &str); 10] = [
    (&["runs", "version"], "SARIF; give it to `lazaret scan --import`"),
    (
        &["Results", "SchemaVersion"],
        "Trivy's report; let it write a bill, with `--format cyclonedx`",
    ),
    (&["matches", "descriptor"], "Grype's report; give the bill that it was made of"),
    (&["statements", "@context"], "OpenVEX; give it to `lazaret scan --vex`"),
    (&["document", "vulnerabilities"], "CSAF; give it to `lazaret scan --vex`"),
    (&["lockfileVersion"], "a lock file of npm; scan the folder that it is in"),
    (&["affected", "modified"], "an OSV record; see `lazaret db update`"),
    (&["dependencies", "vulnerabilities", "version", "scan"], "GitLab's report"),
    (&["schemaVersion", "layers"], "the manifest of an image"),
    (&["schema", "findings"], "a result of Lazaret that is no report"),
];

fn foreign(bytes: &[u8]) -> String {
    let members: BTreeMap<String, IgnoredAny> = json("JSON", bytes).unwrap_or_default();
    let known = FOREIGN.iter().find(|(keys, _)| keys.iter().all(|key| members.contains_key(*key)));
    if let Some((_, name)) = known {
        return (*name).to_owned();
    }
    let shown: Vec<String> = members
        .keys()
        .take(MEMBERS)
        .map(|key| format!("`{}`", key.chars().take(40).collect::<String>().escape_debug()))
        .collect();
    match (shown.as_slice(), members.len().saturating_sub(MEMBERS)) {
        ([], _) => "JSON without members".to_owned(),
        (shown, 0) => format!("JSON with {}", shown.join(", ")),
        (shown, more) => format!("JSON with {} and {more} more", shown.join(", ")),
    }
}

fn read_xml(bytes: &[u8]) -> Result<Document, SbomError> {
    let text = xml_text(bytes)?;
    let (_, root) = Xml::open("XML", &text)?;
    match root.name.as_str() {
        "bom" => cyclonedx::read_xml(&text),
        "RDF" => unknown("SPDX as RDF/XML; make it anew as JSON"),
        "SoftwareIdentity" => unknown("a SWID tag"),
        "project" => unknown("a Maven project; scan the folder that it is in"),
        "html" => unknown("a web page"),
        name => {
            let name: String = name.chars().take(40).collect();
            unknown(format!("XML of `{}`", name.escape_debug()))
        }
    }
}

/// The text of an XML document, which says its encoding in its first line where that is not UTF-8.
/// Source: XML 1.0, 4.3.3.
fn xml_text(bytes: &[u8]) -> Result<Cow<'_, str>, SbomError> {
    let head = bytes.get(..bytes.len().min(200)).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let declared = head.split("?>").next().and_then(|line| line.split_once("encoding="));
    let encoding = declared.and_then(|(_, rest)| rest.split(['"', '\'']).nth(1)).unwrap_or("utf-8");
    match encoding {
        "iso-8859-1" | "latin1" | "windows-1252" => {
            Ok(Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()))
        }
        // What was UTF-16 is UTF-8 by now.
        "utf-8" | "utf8" | "us-ascii" | "utf-16" | "utf-16le" | "utf-16be" => {
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| SbomError::Shape {
                form: "XML",
                reason: format!("it is not {encoding}: {error}"),
            })
        }
        other => Err(SbomError::Shape {
            form: "XML",
            reason: format!("its encoding `{}` is not read; use UTF-8", other.escape_debug()),
        }),
    }
}

fn read_text(bytes: &[u8], trimmed: &[u8]) -> Result<Document, SbomError> {
    if let Some(packing) = packing(bytes) {
        return unknown(format!("packed with {packing}; unpack it first"));
    }
    let preamble = trimmed.get(..trimmed.len().min(PREAMBLE)).unwrap_or_default();
    let preamble = String::from_utf8_lossy(preamble);
    let lines = || preamble.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines().find(|line| !line.starts_with('#') && *line != "---").unwrap_or_default();
    if lines().any(|line| line.starts_with("SPDXVersion:")) {
        let text = std::str::from_utf8(bytes).map_err(|error| SbomError::Shape {
            form: "SPDX tag-value",
            reason: format!("it is not UTF-8: {error}"),
        })?;
        return spdx::read_tags(text);
    }
    for (key, name) in [
        ("spdxVersion:", "SPDX as YAML; make it anew as JSON"),
        ("SPDXID:", "SPDX as YAML; make it anew as JSON"),
        ("bomFormat:", "CycloneDX as YAML; make it anew as JSON"),
    ] {
        if first.starts_with(key) || lines().any(|line| line.starts_with(key)) {
            return unknown(name);
        }
    }
    match std::str::from_utf8(trimmed) {
        Ok(_) => unknown("text of another kind"),
        Err(_) => unknown("neither text nor packed by gzip"),
    }
}

/// How bytes are packed that are not unpacked here.
fn packing(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [b'P', b'K', 3, 4, ..] => "zip",
        [b'7', b'z', 0xbc, 0xaf, ..] => "7z",
        [4, 0x22, 0x4d, 0x18, ..] => "lz4",
        [b'L', b'Z', b'I', b'P', ..] => "lzip",
        _ => return None,
    })
}
