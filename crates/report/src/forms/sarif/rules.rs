//! The rules of a SARIF run: one for each vulnerability id, one for each other rule that fired.

use super::{Message, level};
use crate::forms::markdown::plain;
use crate::group::{id_of, mended_in, name_of};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use vocabulary::{Confidence, Evidence, Finding, Rule, Rules, Severity, counted};

/// Characters of a title: some advisories have a page of text there.
const TITLE_CHARACTERS: usize = 500;
/// Characters of a description. GitHub, "SARIF support for code scanning": 1,024.
const DESCRIPTION_CHARACTERS: usize = 1_024;
/// Packages that the help of a rule names; their number is said where there are more.
const PACKAGES: usize = 20;

/// A rule with the findings that it stands for.
pub(super) struct Group<'report> {
    id: &'report str,
    /// The rule as the report has it.
    rule: Option<&'report Rule>,
    findings: Vec<&'report Finding>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor<'report> {
    id: &'report str,
    name: String,
    short_description: Message,
    full_description: Message,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'report str>,
    default_configuration: Configuration,
    properties: Properties,
}

/// The same help twice: for whoever shows plain text, and for whoever shows Markdown.
#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
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
pub(super) fn of<'report>(
    rules: &'report Rules,
    findings: &[&'report Finding],
) -> Vec<Group<'report>> {
    let mut groups: Vec<Group<'report>> = Vec::new();
    let mut indexes: HashMap<&str, usize> = HashMap::new();
    for finding in findings {
        let id = rule_id(finding);
        let index = *indexes.entry(id).or_insert_with(|| {
            groups.push(Group { id, rule: rules.get(&finding.rule), findings: Vec::new() });
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
        let rule = self.rule;
        // A vulnerability is a rule of its own, with its own title. Of the others each finding has one.
        let title = match rule {
            Some(rule) if rule.id == self.id => rule.title.as_ref(),
            _ => self.findings.first().map_or("", |finding| &finding.title),
        };
        let title: String = title.chars().take(TITLE_CHARACTERS).collect();
        let (why, remedy) = rule.map_or(("", ""), |rule| (rule.why.as_ref(), rule.remedy.as_ref()));
        let short =
            if title.contains(self.id) { title.clone() } else { format!("{}: {title}", self.id) };
        Descriptor {
            id: self.id,
            name: rule.map_or_else(|| self.id.to_owned(), |rule| pascal_case(&rule.id)),
            short_description: described(&short),
            full_description: described(format!("{}. {why}", title.trim_end_matches('.')).trim()),
            help: self.help(&title, why, remedy),
            help_uri: self.help_uri(),
            default_configuration: Configuration { level: level(severity) },
            properties: Properties {
                precision: self.precision(),
                security_severity: self.security_severity(severity),
                tags: std::iter::once("security")
                    .chain(rule.map(|rule| rule.class.name()))
                    .collect(),
            },
        }
    }

    /// The first page about it that is a plain web address.
    fn help_uri(&self) -> Option<&'report str> {
        let reference = self.rule.and_then(|rule| rule.reference.as_deref());
        let reference = reference.filter(|_| self.rule.is_some_and(|rule| rule.id == self.id));
        self.advisory_uri().or_else(|| reference.filter(|url| crate::text::is_web_address(url)))
    }

    /// The page of the first advisory that has one.
    fn advisory_uri(&self) -> Option<&'report str> {
        self.findings.iter().flat_map(|finding| &finding.evidence).find_map(|evidence| {
            match evidence {
                Evidence::Advisory(advisory) => {
                    advisory.url.as_deref().filter(|url| crate::text::is_web_address(url))
                }
                _ => None,
            }
        })
    }

    /// GitHub, "SARIF support for code scanning": `very-high` to `low`. The least sure result counts.
    fn precision(&self) -> &'static str {
        match self.findings.iter().map(|finding| finding.confidence).min() {
            Some(Confidence::Confirmed) => "very-high",
            Some(Confidence::High) | None => "high",
            Some(Confidence::Medium) => "medium",
            Some(Confidence::Low | Confidence::None) => "low",
        }
    }

    /// `0.1` to `10.0`: the computed score where the severity is made of one, else the middle of the
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
            // Zero is no severity to GitHub, and what is negligible is rated.
            Severity::Negligible => Some(0.1),
            Severity::Unknown => None,
        };
        score.or(middle).map(|score| format!("{:.1}", score.max(0.1)))
    }

    /// What it is and what to do, never empty: GitHub shows it beside the alert.
    fn help(&self, title: &str, why: &str, remedy: &str) -> Help {
        let packages = self.packages();
        let more = packages.len().saturating_sub(PACKAGES);
        let more =
            (more > 0).then(|| format!("And {} more.", counted(more, "package", "packages")));
        let upgrades: Vec<String> = packages
            .iter()
            .take(PACKAGES)
            .filter_map(|(name, _, _, to)| Some(format!("Upgrade {name} to {}.", (*to)?)))
            .chain(more.clone())
            .collect();
        let text = format!("{} {remedy}", upgrades.join(" "));
        let text = if text.trim().is_empty() { title } else { text.trim() };
        Help {
            text: Message::new(text).text,
            markdown: self.markdown(title, why, remedy, &packages, more),
        }
    }

    fn markdown(
        &self,
        title: &str,
        why: &str,
        remedy: &str,
        packages: &BTreeSet<Row<'_>>,
        more: Option<String>,
    ) -> String {
        let cell = |text: &str| if text.is_empty() { String::new() } else { plain(text) };
        let mut parts = vec![format!("**{}**: {}", plain(self.id), plain(title))];
        parts.extend([why, remedy].into_iter().filter(|part| !part.is_empty()).map(plain_whole));
        if !packages.is_empty() {
            let rows = packages.iter().take(PACKAGES).map(|(name, version, fixed, to)| {
                let fixed = fixed.as_deref().map_or_else(|| "no fix is known".to_owned(), cell);
                let to = to.map_or_else(|| "none is known to help".to_owned(), cell);
                format!("| {} | {} | {fixed} | {to} |", cell(name), cell(version))
            });
            let head = ["| Package | Installed | Mended in | Upgrade to |", "|---|---|---|---|"]
                .map(str::to_owned);
            parts.push(head.into_iter().chain(rows).collect::<Vec<_>>().join("\n"));
        }
        parts.extend(more);
        parts.extend(self.help_uri().map(|url| format!("<{url}>")));
        parts.join("\n\n")
    }

    /// The packages that it was found in: name, version, the version that mends it, and that to go to.
    fn packages(&self) -> BTreeSet<Row<'report>> {
        let of = |finding: &&'report Finding| {
            let finding: &'report Finding = finding;
            // Of other findings the package says whose the file is, and nothing mends it.
            let purl = finding.package.as_ref().filter(|_| id_of(finding) != finding.rule)?;
            let version = purl.version().unwrap_or_default();
            Some((name_of(purl), version, mended_in(finding), finding.offered()))
        };
        self.findings.iter().filter_map(of).collect()
    }
}

/// A package, its version, the version that mends it, and the one to go to.
type Row<'report> =
    (Cow<'report, str>, &'report str, Option<Cow<'report, str>>, Option<&'report str>);

/// A description, no longer than is taken.
fn described(text: &str) -> Message {
    let mut message = Message::new(text);
    if message.text.chars().count() > DESCRIPTION_CHARACTERS {
        let kept = message.text.chars().take(DESCRIPTION_CHARACTERS - 1);
        // A sign that is written as two is not cut between them.
        message.text = kept.collect::<String>().trim_end_matches(['\\', '{', '}']).to_owned();
        message.text.push('…');
    }
    message
}

/// A text of this program, which is longer than a cell.
fn plain_whole(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
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
