//! The ignore file: what people chose to silence, with a reason and, better, a last day.
//!
//! TOML, because a reason is prose and a date is a date there. A reason must be given, and a key that
//! is not known is an error: a misspelt `expires` must not silence for ever.
//!
//! ```toml
//! [[ignore]]
//! id = "CVE-2023-1234"
//! reason = "the parser is not reachable from outside"
//! expires = 2027-01-31                # optional: the last day on which it holds
//! package = "pkg:npm/example@1.2.3"   # optional: only there; without version, all versions
//! path = "app/"                       # optional: only this file, or below a folder with a slash
//! ```

use crate::conditions::PackagePattern;
use crate::date::Date;
use crate::rules::EXPIRED_IGNORE;
use serde::Deserialize;
use vocabulary::{Finding, OriginKind, Purl, Rules};

/// Largest ignore file: a thousand rules with long reasons are a tenth of it.
const FILE_BYTES: usize = 4 << 20;
/// Most rules of one file.
const MOST: usize = 20_000;

/// One rule that silences findings. What it names must all hold; it names something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Id or alias of the finding, such as `CVE-2023-1234`.
    pub id: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// File and line that say it, where that is known.
    pub by: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    /// Only in such packages.
    pub package: Option<PackagePattern>,
    /// Only in this file, or below this folder where it ends with a slash.
    pub path: Option<String>,
    /// Only in these layers.
    pub layer: Option<LayerScope>,
}

/// Layers that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerScope {
    /// Those of the base image.
    Base,
    /// Those that the image's author added.
    Own,
    /// One, counted from 0 at the bottom.
    Index(u32),
}

impl LayerScope {
    /// Reads `base`, `own` or a number.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "base" => Ok(Self::Base),
            "own" => Ok(Self::Own),
            number => number
                .parse()
                .map(Self::Index)
                .map_err(|_| "`layer` is base, own, or a number from 0 on".to_owned()),
        }
    }

    fn covers(self, finding: &Finding) -> bool {
        match self {
            Self::Base => finding.origin == OriginKind::Base,
            Self::Own => finding.origin == OriginKind::Application,
            Self::Index(index) => finding.layer == Some(index),
        }
    }
}

/// A path as findings write it.
pub(crate) fn relative(path: &str) -> String {
    path.trim_start_matches("./").trim_start_matches('/').to_owned()
}

/// Why an ignore file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// It is larger than [`FILE_BYTES`], or holds more than [`RULES`].
    #[error("ignore file is too large: at most {FILE_BYTES} bytes and {MOST} rules are read")]
    TooLarge,
    /// It is not TOML, or not of this shape.
    #[error(
        "ignore file, line {line}: {reason}; a rule is `[[ignore]]` with id and reason, and optionally expires, package and path"
    )]
    Shape {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A value of one rule is wrong.
    #[error("ignore file, rule {rule}: {reason}")]
    Rule {
        /// Place of the rule, counted from 1.
        rule: usize,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ignore: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    reason: String,
    expires: Option<Day>,
    package: Option<String>,
    path: Option<String>,
}

/// A date as TOML writes it, or as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Date(documents::toml::Datetime),
    Text(String),
}

/// Reads the text of an ignore file. `rules` are those that there are, policy's own left out: none of
/// them can be ignored as a whole.
///
/// # Errors
/// Where the text is not TOML of the shape that the module describes; the error says where.
pub fn parse_ignores(text: &str, rules: &Rules) -> Result<Vec<Ignore>, IgnoreError> {
    if text.len() > FILE_BYTES {
        return Err(IgnoreError::TooLarge);
    }
    let file: File = documents::toml::read(text).map_err(|error| IgnoreError::Shape {
        line: error.place.line,
        reason: documents::toml::reason(&error.wrong.to_string()),
    })?;
    if file.ignore.len() > MOST {
        return Err(IgnoreError::TooLarge);
    }
    let rules = &rules.and(&Rules::of(&[crate::rules::RULES]));
    file.ignore
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            rule(rules, entry).map_err(|reason| IgnoreError::Rule { rule: index + 1, reason })
        })
        .collect()
}

fn rule(rules: &Rules, entry: Entry) -> Result<Ignore, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if entry.id.is_empty() || !entry.id.bytes().all(known) {
        return Err("`id` is not an id; use one such as CVE-2023-1234".to_owned());
    }
    if rules.get(&entry.id).is_some() {
        return Err("a whole rule cannot be ignored; name a vulnerability".to_owned());
    }
    if entry.reason.trim().is_empty() {
        return Err("`reason` is empty; say why it may be ignored".to_owned());
    }
    let expires = match entry.expires {
        None => None,
        Some(day) => {
            let text = match day {
                Day::Date(date) => date.to_string(),
                Day::Text(text) => text,
            };
            let wrong = |_| "`expires` is no day, such as 2027-01-31".to_owned();
            Some(text.parse::<Date>().map_err(wrong)?)
        }
    };
    let package = match entry.package {
        None => None,
        Some(text) if text.contains(['?', '#']) => {
            return Err("`package` has qualifiers; leave out what follows `?` or `#`".to_owned());
        }
        Some(text) => Some(text.parse::<Purl>().map_err(|_| {
            "`package` is no package URL, such as pkg:npm/example@1.2.3".to_owned()
        })?),
    };
    let path = entry.path.map(|path| relative(&path));
    if path.as_deref().is_some_and(str::is_empty) {
        return Err(
            "`path` is empty; leave it out, or name a file or a folder with a slash at its end"
                .to_owned(),
        );
    }
    Ok(Ignore {
        id: Some(entry.id),
        reason: entry.reason.trim().to_owned(),
        owner: None,
        by: None,
        expires,
        package: package.map(PackagePattern::of),
        path,
        layer: None,
    })
}

impl Ignore {
    /// Whether it still holds on that day.
    #[must_use]
    pub fn holds_on(&self, today: Date) -> bool {
        self.expires.is_none_or(|last| today <= last)
    }

    /// Whether all that it names but the id is the finding's; the id is compared by the caller.
    pub(crate) fn covers(&self, finding: &Finding) -> bool {
        let of_package = |pattern: &PackagePattern| {
            finding.package.as_ref().is_some_and(|found| pattern.matches(found))
        };
        let below = |path: &str| {
            finding.location.path().is_some_and(|found| {
                found == path || path.ends_with('/') && found.starts_with(path)
            })
        };
        finding.rule != EXPIRED_IGNORE.id
            && self.package.as_ref().is_none_or(of_package)
            && self.path.as_deref().is_none_or(below)
            && self.layer.is_none_or(|layer| layer.covers(finding))
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn shown(&self) -> String {
        let package = self.package.as_ref().map(ToString::to_string);
        let parts = [self.id.clone(), package, self.path.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rules;

    fn refused(text: &str) -> String {
        let error = parse_ignores(text, &rules()).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    #[test]
    fn every_key_is_read() {
        let read = parse_ignores(
            r#"
            [[ignore]]
            id = "CVE-2099-1"
            reason = " not reachable "
            expires = 2099-12-31
            package = "pkg:npm/%40scope/a"
            path = "./app/"
            [[ignore]]
            id = "GHSA-aaaa-bbbb-cccc"
            reason = "test data only"
            expires = "2099-12-30"
            "#,
            &rules(),
        )
        .unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].reason, "not reachable");
        assert_eq!(read[0].expires, Date::new(2099, 12, 31));
        assert_eq!(read[0].path.as_deref(), Some("app/"));
        let package = read[0].package.as_ref().unwrap();
        assert!(package.matches(&"pkg:npm/%40scope/a@7".parse().unwrap()));
        assert_eq!(read[1].expires, Date::new(2099, 12, 30));
        assert!(parse_ignores("# nothing yet\n", &rules()).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_what_to_do() {
        insta::assert_snapshot!(
            [
                "CVE-2099-1  # plain",
                "[[ignore]]\nid = \"CVE-2099-1\"\n",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\nexpire = 2099-01-01",
                "[[ignored]]\nid = \"CVE-2099-1\"\nreason = \"x\"",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"  \"",
                "[[ignore]]\nid = \"CVE 2099\"\nreason = \"x\"",
                "[[ignore]]\nid = \"digest-mismatch\"\nreason = \"x\"",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\nexpires = \"soon\"",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\nexpires = 2099-01-01T00:00:00Z",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\npackage = \"lodash\"",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\npackage = \"pkg:deb/a?arch=b\"",
                "[[ignore]]\nid = \"CVE-2099-1\"\nreason = \"x\"\npath = \"/\"",
            ]
            .map(refused)
            .join("\n")
        );
    }

    #[test]
    fn absurd_files_are_refused() {
        assert_eq!(
            parse_ignores(&"#".repeat(FILE_BYTES + 1), &rules()),
            Err(IgnoreError::TooLarge)
        );
        let deep = format!("ignore = {}", "[".repeat(100_000));
        assert!(parse_ignores(&deep, &rules()).is_err());
    }
}
