//! The rules of a SARIF run: one for each vulnerability id, one for each other rule that fired.

use super::{Message, level};
use crate::group::{fixed_in, id_of, name_of};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use vocabulary::{Evidence, Finding, Rule, Severity};

/// Longest helpful text: services cut rules that are too large.
const TITLE_CHARACTERS: usize = 1_000;

/// A rule with the findings that it stands for.
pub(super) struct Group<'report> {
    id: &'report str,
    findings: Vec<&'report Finding>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor<'report> {
    id: &'report str,
    name: String,
    short_description: Message,
    full_description: Message,
    help: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'report str>,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Properties {
    precision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_severity: Option<String>,
    tags: Vec<&'static str>,
}

/// The id of the rule that a finding is a result of.
pub(super) fn rule_id(finding: &Finding) -> &str {
    id_of(finding)
}

/// All rules, in the order in which the findings name them, that is worst first.
pub(super) fn of<'report>(findings: &[&'report Finding]) -> Vec<Group<'report>> {
    let mut groups: Vec<Group<'report>> = Vec::new();
    let mut indexes: HashMap<&str, usize> = HashMap::new();
    for finding in findings {
        let id = rule_id(finding);
        let index = *indexes.entry(id).or_insert_with(|| {
            groups.push(Group { id, findings: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(index) {
            group.findings.push(finding);
        }
    }
    groups
}

impl<'report> Group<'report> {
    pub(super) fn id(&self) -> &'report str {
        self.id
    }

    pub(super) fn descriptor(&self) -> Descriptor<'report> {
        let severity = self.findings.iter().map(|finding| finding.severity).max();
        let severity = severity.unwrap_or_default();
        let rule = self
            .findings
            .first()
            .and_then(|finding| Rule::ALL.iter().find(|rule| rule.id == finding.rule));
        // A vulnerability is a rule of its own, with its own title. Of the others each finding has one.
        let title = match rule {
            Some(rule) if rule.id == self.id => rule.title,
            _ => self.findings.first().map_or("", |finding| &finding.title),
        };
        let title: String = title.chars().take(TITLE_CHARACTERS).collect();
        let (why, remedy) = rule.map_or(("", ""), |rule| (rule.why, rule.remedy));
        let short =
            if title.contains(self.id) { title.clone() } else { format!("{}: {title}", self.id) };
        Descriptor {
            id: self.id,
            name: rule.map_or_else(|| self.id.to_owned(), |rule| pascal_case(rule.id)),
            short_description: Message::new(&short),
            full_description: Message::new(format!("{title}. {why}").trim()),
            help: Message::new(format!("{} {remedy}", self.upgrades()).trim()),
            help_uri: self.help_uri(),
            default_configuration: Configuration { level: level(severity) },
            properties: Properties {
                precision: "high",
                security_severity: self.security_severity(severity),
                // A rule of another version of this program is of no kind that is known here.
                tags: std::iter::once("security")
                    .chain(rule.map(|rule| rule.kind.name()))
                    .collect(),
            },
        }
    }

    /// The first page about it that is a plain web address.
    fn help_uri(&self) -> Option<&'report str> {
        self.findings.iter().flat_map(|finding| &finding.evidence).find_map(|evidence| {
            match evidence {
                Evidence::Advisory(advisory) => {
                    advisory.url.as_deref().filter(|url| crate::text::is_web_address(url))
                }
                _ => None,
            }
        })
    }

    /// `0.0` to `10.0`: the computed score where the severity is made of one, else the middle of the
    /// severity's band. Nothing where the severity is unknown: no number is honest then.
    fn security_severity(&self, severity: Severity) -> Option<String> {
        let score = self
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .flat_map(|finding| &finding.evidence)
            .filter_map(|evidence| match evidence {
                Evidence::Advisory(advisory) => advisory.score,
                _ => None,
            })
            .filter(|score| Severity::from_score(*score) == severity)
            .fold(None, |best: Option<f64>, score| {
                Some(best.map_or(score, |best| best.max(score)))
            });
        let middle = match severity {
            Severity::Critical => Some(9.5),
            Severity::High => Some(8.0),
            Severity::Medium => Some(5.5),
            Severity::Low => Some(2.0),
            Severity::Negligible => Some(0.0),
            Severity::Unknown => None,
        };
        score.or(middle).map(|score| format!("{score:.1}"))
    }

    /// `Upgrade openssl to 3.0.11-1.` for each package and version that it names.
    fn upgrades(&self) -> String {
        let lines: BTreeSet<String> = self
            .findings
            .iter()
            .filter_map(|finding| {
                let purl = finding.package.as_ref()?;
                Some(format!("Upgrade {} to {}.", name_of(purl), fixed_in(finding)?))
            })
            .collect();
        let lines: Vec<_> = lines.into_iter().collect();
        lines.join(" ")
    }
}

/// `known-vulnerability` as `KnownVulnerability`: what SARIF asks of a rule's name.
fn pascal_case(id: &str) -> String {
    id.split('-')
        .flat_map(|word| {
            let mut characters = word.chars();
            characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters)
        })
        .collect()
}
