//! GitLab's security reports, schema 15.2: `container_scanning` of an image, `dependency_scanning` of a
//! folder.
//!
//! GitLab shows vulnerabilities of packages alone: other findings are left out, and how many is a
//! message of the scan, as are what was decided and each check that did not run in full. The scan's
//! `status` follows the verdict: `failure` where not all could be looked at, for then an empty list says
//! nothing; that vulnerabilities were found is no failure of a scan ("Security scanner integration",
//! "Exit code"). A report of dependencies lists the files that were read with what they name, who asks
//! for it and by whom it is brought. Sources: gitlab-org, `security-report-schemas`,
//! `container-scanning-report-format.json` and `dependency-scanning-report-format.json`; GitLab
//! documentation, "Security scanner integration".

mod dependencies;

use crate::form::{Form, Format};
use crate::forms::json::{Stream, write};
use crate::group::{id_of, name_of, open_findings};
use crate::style::{HOME_PAGE, Style};
use crate::text::cut;
use dependencies::Files;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io;
use vocabulary::{Evidence, Finding, Outcome, Report, Severity, Status, SubjectKind, counted};

/// GitLab's security report: of dependencies for a folder, of a container for the others. Its "Security
/// scanner integration", "Output file", recommends the name: `gl-` and the kind of the scan.
pub(crate) const FORMAT: Format = Format::of(&FORM);
static FORM: Form = Form {
    is_name: |name| {
        let kinds = ["container-scanning", "dependency-scanning"];
        name.starts_with("gl-")
            && name.ends_with(".json")
            && kinds.iter().any(|kind| name.contains(kind))
            && !name.ends_with(".cdx.json")
    },
    names: "`gl-container-scanning-report.json` or `gl-dependency-scanning-report.json`",
    is_json: true,
    ..Form::new("gitlab", render)
};

/// A patch that GitLab does not know is checked as the last one that it knows of the same line.
const VERSION: &str = "15.2.1";
/// Where wiring gives no time.
const NO_TIME: &str = "1970-01-01T00:00:00";
/// Identifiers of a vulnerability that GitLab keeps.
const IDENTIFIERS: usize = 20;
/// Characters of names and of a solution that the schema allows, one less for the sign of a cut.
const NAME: usize = 254;
const SOLUTION: usize = 6_999;

#[derive(Serialize)]
struct Document<'report, V> {
    version: &'static str,
    schema: String,
    scan: Scan<'report>,
    vulnerabilities: V,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependency_files: Option<Vec<dependencies::File<'report>>>,
}

#[derive(Serialize)]
struct Scan<'report> {
    analyzer: Tool<'report>,
    scanner: Tool<'report>,
    start_time: String,
    end_time: String,
    status: &'static str,
    messages: Vec<Message>,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Message {
    level: &'static str,
    value: String,
}

#[derive(Clone, Serialize)]
struct Tool<'report> {
    id: &'report str,
    name: &'static str,
    url: &'static str,
    version: &'report str,
    vendor: Vendor,
}

#[derive(Clone, Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Vulnerability<'report> {
    id: String,
    name: String,
    description: &'report str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<String>,
    identifiers: Vec<Identifier<'report>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'report>>,
    location: Location<'report>,
}

#[derive(Serialize)]
struct Identifier<'report> {
    #[serde(rename = "type")]
    kind: String,
    name: &'report str,
    value: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'report str>,
}

#[derive(Serialize)]
struct Link<'report> {
    url: &'report str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Location<'report> {
    Container {
        dependency: dependencies::Dependency<'report>,
        operating_system: String,
        image: String,
    },
    /// The line is that of the schemas of code: who shows this one by it may, and the others leave it.
    File {
        file: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        start_line: Option<u32>,
        dependency: dependencies::Dependency<'report>,
    },
}

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let tool = Tool {
        id: &report.tool.name,
        name: "Lazaret",
        url: HOME_PAGE,
        version: &report.tool.version,
        vendor: Vendor { name: "Lazaret" },
    };
    // The schema's times have no zone.
    let time = style.time().unwrap_or(NO_TIME);
    let time = time.get(..19).unwrap_or(NO_TIME).to_owned();
    let of_files = is_of_files(report);
    let kind = if of_files { "dependency_scanning" } else { "container_scanning" };
    let form = kind.replace('_', "-");
    let files = of_files.then(|| Files::of(report));
    let document = Document {
        version: VERSION,
        schema: format!(
            "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v{VERSION}/dist/{form}-report-format.json"
        ),
        scan: Scan {
            analyzer: tool.clone(),
            scanner: tool,
            start_time: time.clone(),
            end_time: time,
            status: match report.decision.outcome {
                Outcome::Incomplete => "failure",
                Outcome::Pass | Outcome::Findings | Outcome::NoLine => "success",
            },
            messages: messages(report),
            kind,
        },
        vulnerabilities: Stream(|| {
            let with_package = open_findings(report).filter(|finding| finding.package.is_some());
            with_package.map(|finding| vulnerability(report, files.as_ref(), finding))
        }),
        dependency_files: files.as_ref().map(Files::written),
    };
    write(&document, out)
}

/// Whether it is about files that name packages, and not about a system in which they are installed.
const fn is_of_files(report: &Report) -> bool {
    match report.subject.kind {
        SubjectKind::SourceDirectory => true,
        SubjectKind::Sbom => report.distribution.is_none(),
        SubjectKind::Image
        | SubjectKind::Container
        | SubjectKind::RootDirectory
        | SubjectKind::Host => false,
    }
}

/// What a reader of the vulnerabilities alone would not see.
fn messages(report: &Report) -> Vec<Message> {
    let without = open_findings(report).filter(|finding| finding.package.is_none()).count();
    let left_out = (without > 0).then(|| Message {
        level: "warn",
        value: format!(
            "{} left out, which are of no package; see another form of the report",
            counted(without, "finding", "findings")
        ),
    });
    let gaps = report.coverage.iter().filter(|coverage| coverage.status != Status::Ran);
    let gaps = gaps.map(|coverage| {
        let reason = coverage.reason.as_deref().or_else(|| coverage.general_problem());
        let reason = reason.unwrap_or("could not read all files");
        Message { level: "warn", value: format!("{} not in full: {reason}", coverage.check) }
    });
    std::iter::once(verdict(report)).chain(left_out).chain(gaps).collect()
}

fn vulnerability<'report>(
    report: &'report Report,
    files: Option<&Files<'report>>,
    finding: &'report Finding,
) -> Vulnerability<'report> {
    let url = finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Advisory(advisory) => advisory.url.as_deref(),
        _ => None,
    });
    let url = url.filter(|url| crate::text::is_web_address(url));
    let package = finding.package.as_ref();
    let id = id_of(finding);
    Vulnerability {
        id: uuid(finding.fingerprint.as_str()),
        name: short(&format!("{id} in {}", package.map_or("".into(), name_of)), NAME),
        description: &finding.title,
        severity: severity(finding.severity),
        solution: finding.instruction().map(|instruction| short(instruction, SOLUTION)),
        identifiers: identifiers(finding, url),
        links: url.map(|url| Link { url }).into_iter().collect(),
        location: location(report, files, finding),
    }
}

/// The id that it is known by first: by that GitLab knows it again. No more than are kept.
fn identifiers<'report>(
    finding: &'report Finding,
    url: Option<&'report str>,
) -> Vec<Identifier<'report>> {
    let id = id_of(finding);
    let others = finding.aliases.iter().map(String::as_str);
    let records = finding.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Advisory(advisory) => Some(advisory.record.as_str()),
        _ => None,
    });
    let mut seen = BTreeSet::new();
    std::iter::once(id)
        .chain(others)
        .chain(records)
        .filter(|id| !id.is_empty() && id.chars().count() <= NAME && seen.insert(*id))
        .take(IDENTIFIERS)
        .map(|one| Identifier {
            kind: kind(one),
            name: one,
            value: one,
            url: url.filter(|_| one == id),
        })
        .collect()
}

fn location<'report>(
    report: &'report Report,
    files: Option<&Files<'report>>,
    finding: &'report Finding,
) -> Location<'report> {
    let Some(files) = files else {
        return Location::Container {
            dependency: dependencies::of(finding),
            operating_system: report.distribution.as_ref().map_or_else(
                || "unknown".to_owned(),
                |distribution| {
                    short(&format!("{} {}", distribution.id, distribution.version), NAME)
                },
            ),
            image: image(report),
        };
    };
    let start_line = match &finding.location {
        vocabulary::Location::File { line, .. } => *line,
        _ => None,
    };
    let file = dependencies::file_of(report, &finding.location);
    Location::File { file, start_line, dependency: files.dependency(finding) }
}

fn short(text: &str, characters: usize) -> String {
    cut(text, characters).collect()
}

/// What was decided, and why.
fn verdict(report: &Report) -> Message {
    let decision = &report.decision;
    let level = match decision.outcome {
        Outcome::Pass | Outcome::Findings => "info",
        Outcome::NoLine | Outcome::Incomplete => "warn",
    };
    let value = format!("{}: {}", decision.outcome.word(), decision.reasons.join("; "));
    Message { level, value: crate::text::escape(&value).into_owned() }
}

/// A name as the schema's pattern has it, with a tag or a digest; a scheme is left out.
fn image(report: &Report) -> String {
    let subject = &report.subject;
    let bare_tag = subject.tags.iter().find(|tag| !vocabulary::is_image_name(tag));
    let name = subject.image_name().map_or_else(|| subject.plain_name(), Into::into);
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_/:@".contains(c) { c } else { '-' };
    let shaped = |name: &str| {
        let name: String = name.chars().map(plain).collect();
        name.trim_matches(['-', '/', '.', ':', '@']).to_owned()
    };
    let name = shaped(&name);
    let tag = bare_tag.map(|tag| shaped(tag)).filter(|tag| !tag.is_empty());
    match (name.as_str(), tag) {
        ("", _) => "subject:latest".to_owned(),
        (named, _) if named.contains(':') => named.to_owned(),
        (bare, tag) => format!("{bare}:{}", tag.as_deref().unwrap_or("latest")),
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Negligible => "Info",
        Severity::Unknown => "Unknown",
    }
}

/// `cve`, `ghsa`, or the letters that the id begins with.
fn kind(id: &str) -> String {
    id.split('-').next().unwrap_or("lazaret").to_ascii_lowercase()
}

/// The fingerprint in the shape of a UUID, which GitLab asks for.
fn uuid(fingerprint: &str) -> String {
    let part = |from: usize, to: usize| fingerprint.get(from..to).unwrap_or("0");
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
