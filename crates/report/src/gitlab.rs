//! GitLab's container scanning report, schema 15.
//!
//! GitLab shows vulnerabilities of packages alone: other findings are left out, and how many is a
//! message of the scan, as are what was decided and each check that did not run in full; the scan's
//! status says where not all could be looked at. Source: gitlab-org, `security-report-schemas`,
//! `container-scanning-report-format.json` 15.0.

use crate::Style;
use crate::group::{fixed_in, id_of, open_findings};
use crate::json::{Stream, write};
use serde::Serialize;
use std::io;
use vocabulary::{Evidence, Finding, Outcome, Report, Severity, Status, counted};

const SCHEMA: &str = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.0.0/dist/container-scanning-report-format.json";
/// Where wiring gives no time.
const NO_TIME: &str = "1970-01-01T00:00:00";

#[derive(Serialize)]
struct Document<'report, V> {
    version: &'static str,
    schema: &'static str,
    scan: Scan<'report>,
    vulnerabilities: V,
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
    solution: Option<&'report str>,
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
struct Location<'report> {
    dependency: Dependency<'report>,
    operating_system: String,
    image: String,
}

#[derive(Serialize)]
struct Dependency<'report> {
    package: Package<'report>,
    version: &'report str,
}

#[derive(Serialize)]
struct Package<'report> {
    name: &'report str,
}

pub(crate) fn render(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    let tool = Tool {
        id: &report.tool.name,
        name: "Lazaret",
        version: &report.tool.version,
        vendor: Vendor { name: "Lazaret" },
    };
    // The schema's times have no zone.
    let time = style.timestamp.as_deref().or(style.moment.as_deref()).unwrap_or(NO_TIME);
    let time = time.get(..19).unwrap_or(NO_TIME).to_owned();
    let status = if report.decision.outcome == Outcome::Incomplete { "failure" } else { "success" };
    let document = Document {
        version: "15.0.0",
        schema: SCHEMA,
        scan: Scan {
            analyzer: tool.clone(),
            scanner: tool,
            start_time: time.clone(),
            end_time: time,
            status,
            messages: messages(report),
            kind: "container_scanning",
        },
        vulnerabilities: Stream(|| {
            let with_package = open_findings(report).filter(|finding| finding.package.is_some());
            with_package.map(|finding| vulnerability(report, finding))
        }),
    };
    write(&document, out)
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
        let reason = coverage.reason.as_deref().unwrap_or("could not read all files");
        Message { level: "warn", value: format!("{} not in full: {reason}", coverage.check) }
    });
    std::iter::once(verdict(report)).chain(left_out).chain(gaps).collect()
}

fn vulnerability<'report>(
    report: &'report Report,
    finding: &'report Finding,
) -> Vulnerability<'report> {
    let url = finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Advisory(advisory) => advisory.url.as_deref(),
        _ => None,
    });
    let url = url.filter(|url| crate::text::is_web_address(url));
    let package = finding.package.as_ref();
    let ids = std::iter::once(id_of(finding)).chain(finding.aliases.iter().map(String::as_str));
    Vulnerability {
        id: uuid(finding.fingerprint.as_str()),
        name: format!("{} in {}", id_of(finding), package.map_or("", |purl| purl.name())),
        description: &finding.title,
        severity: severity(finding.severity),
        solution: finding
            .fix
            .as_ref()
            .filter(|_| fixed_in(finding).is_some())
            .map(|fix| fix.title.as_str()),
        identifiers: ids
            .map(|id| Identifier {
                kind: kind(id),
                name: id,
                value: id,
                url: url.filter(|_| id == id_of(finding)),
            })
            .collect(),
        links: url.map(|url| Link { url }).into_iter().collect(),
        location: Location {
            dependency: Dependency {
                package: Package { name: package.map_or("", |purl| purl.name()) },
                version: package.and_then(|purl| purl.version()).unwrap_or_default(),
            },
            operating_system: report.distribution.as_ref().map_or_else(
                || "unknown".to_owned(),
                |distribution| format!("{} {}", distribution.id, distribution.version),
            ),
            image: image(report),
        },
    }
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
    const SCHEMES: [&str; 7] = [
        "docker:",
        "containerd:",
        "registry:",
        "docker-archive:",
        "oci-archive:",
        "oci-dir:",
        "dir:",
    ];
    let subject = &report.subject;
    let name = subject.tags.first().unwrap_or(&subject.name);
    let name = SCHEMES.iter().find_map(|scheme| name.strip_prefix(scheme)).unwrap_or(name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_/:@".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches(['-', '/', '.']);
    match name {
        "" => "subject:latest".to_owned(),
        named if named.contains(':') => named.to_owned(),
        bare => format!("{bare}:latest"),
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
