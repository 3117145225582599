//! What mends a finding: a version to go to, an edit of a file, or a setting.
//!
//! In go the facts and what was checked, out comes one value that every form can show by its title. The
//! one design decision: facts and advice are apart. The first version that an advisory calls mended may
//! be a pre-release, malicious, or just as vulnerable in another way: it is a fact, and nothing to go to.
//! What is offered has been matched, and is what the step says that clears the finding
//! ([`crate::upgrade`]).

use crate::Span;
use serde::{Deserialize, Serialize};

/// Whether a fix may be applied without a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// Behaviour stays; for example a distribution's security update.
    Safe,
    /// A person should look; for example a new major version.
    Review,
}

/// What mends a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fix {
    /// Another version of a package, or of what it belongs to.
    Upgrade(Upgrade),
    /// A change of a text file.
    Edit(Edit),
    /// Something to be set, where there is no file that could be edited.
    Setting(Setting),
}

/// Another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// One line: what to do, such as `upgrade openssl to 3.0.11-1~deb12u2`; where no upgrade is offered,
    /// what is known, such as `no upgrade is known to help; fixed in 2.0.0-rc.1`.
    pub title: String,
    /// Safe, or to be reviewed.
    pub safety: Safety,
    /// The least version that advisories call mended, for packages. A fact; see [`Self::to`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where no version that mends it is known by name: the last one that has it. Any later one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The version to go to: that of the step that clears it, which was matched. None where no step does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Set where the version to go to, or where there is none the one that mends it, is served only to
    /// subscribers, with the subscription's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
}

/// A change of a text file. Done twice it does the same; after it the rule fires no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// One line: what to do, such as `name a user in Dockerfile`.
    pub title: String,
    /// Its grade: safe, or to be reviewed.
    pub safety: Safety,
    /// The file's path in the subject.
    pub file: String,
    /// What is replaced; an empty span is where something is put in.
    pub span: Span,
    /// What stands there then.
    pub replacement: String,
}

/// Something to be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// One line: what to do, such as `run the container with a read-only root`.
    pub title: String,
    /// Safe, or to be reviewed.
    pub safety: Safety,
    /// What to set, by the name that its place has for it, such as `securityContext.readOnlyRootFilesystem`.
    pub name: String,
    /// To what.
    pub value: String,
    /// Where: a program's options, a service, an object of a cluster.
    pub place: String,
}

impl Fix {
    /// One line: what to do, or what is known.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Upgrade(upgrade) => &upgrade.title,
            Self::Edit(edit) => &edit.title,
            Self::Setting(setting) => &setting.title,
        }
    }

    /// Whether it may be applied without a look.
    #[must_use]
    pub const fn safety(&self) -> Safety {
        match self {
            Self::Upgrade(Upgrade { safety, .. })
            | Self::Edit(Edit { safety, .. })
            | Self::Setting(Setting { safety, .. }) => *safety,
        }
    }

    /// The other version, where that is what mends it.
    #[must_use]
    pub const fn upgrade(&self) -> Option<&Upgrade> {
        match self {
            Self::Upgrade(upgrade) => Some(upgrade),
            Self::Edit(_) | Self::Setting(_) => None,
        }
    }

    /// The same, to be changed: where to go is known later than what mends it.
    #[must_use]
    pub const fn upgrade_mut(&mut self) -> Option<&mut Upgrade> {
        match self {
            Self::Upgrade(upgrade) => Some(upgrade),
            Self::Edit(_) | Self::Setting(_) => None,
        }
    }

    /// What is to be done; none where only facts are known.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        match self {
            Self::Upgrade(upgrade) => upgrade.instruction(),
            Self::Edit(_) | Self::Setting(_) => Some(self.title()),
        }
    }
}

impl Upgrade {
    /// Whether a version ends it: an advisory names one, or one that is offered was matched.
    #[must_use]
    pub const fn is_release(&self) -> bool {
        self.version.is_some() || self.after.is_some() || self.to.is_some()
    }

    /// What is to be done; none where only facts are known.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        (self.to.is_some() || !self.is_release()).then_some(self.title.as_str())
    }

    /// What advisories say: `fixed in 1.2.3`, or `fixed after 1.2.2`.
    #[must_use]
    pub fn fact(&self) -> Option<String> {
        match (&self.version, &self.after) {
            (Some(version), _) => Some(format!("fixed in {version}")),
            (None, Some(after)) => Some(format!("fixed after {after}")),
            (None, None) => None,
        }
    }

    /// The version that advisories call mended, or `after` the last one that has it.
    #[must_use]
    pub fn named(&self) -> Option<std::borrow::Cow<'_, str>> {
        match (&self.version, &self.after) {
            (Some(version), _) => Some(version.as_str().into()),
            (None, Some(after)) => Some(format!("after {after}").into()),
            (None, None) => None,
        }
    }
}

/// Read flat, so that elements are counted as everywhere ([`crate::within`]). One without a `kind` is an
/// upgrade: `lazaret.report/1` knew no other.
impl<'de> Deserialize<'de> for Fix {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let read = Read::deserialize(deserializer)?;
        let (title, safety) = (read.title, read.safety);
        let lacks = |field| D::Error::missing_field(field);
        Ok(match read.kind {
            Kind::Upgrade => Self::Upgrade(Upgrade {
                title,
                safety,
                version: read.version,
                after: read.after,
                to: read.to,
                subscription: read.subscription,
            }),
            Kind::Edit => Self::Edit(Edit {
                title,
                safety,
                file: read.file.ok_or_else(|| lacks("file"))?,
                span: read.span.ok_or_else(|| lacks("span"))?,
                replacement: read.replacement.ok_or_else(|| lacks("replacement"))?,
            }),
            Kind::Setting => Self::Setting(Setting {
                title,
                safety,
                name: read.name.ok_or_else(|| lacks("name"))?,
                value: read.value.ok_or_else(|| lacks("value"))?,
                place: read.place.ok_or_else(|| lacks("place"))?,
            }),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Upgrade,
    Edit,
    Setting,
}

/// All fields of all kinds.
#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    kind: Kind,
    title: String,
    safety: Safety,
    version: Option<String>,
    after: Option<String>,
    to: Option<String>,
    subscription: Option<String>,
    file: Option<String>,
    span: Option<Span>,
    replacement: Option<String>,
    name: Option<String>,
    value: Option<String>,
    place: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade() -> Upgrade {
        Upgrade {
            title: "upgrade acme to 1.2".to_owned(),
            safety: Safety::Safe,
            version: Some("1.1".to_owned()),
            after: None,
            to: Some("1.2".to_owned()),
            subscription: None,
        }
    }

    #[test]
    fn every_kind_says_what_it_is_and_reads_back() {
        let span = Span { line: 3, column: 1, end_line: 3, end_column: 1 };
        let edit = Edit {
            title: "name a user in Dockerfile".to_owned(),
            safety: Safety::Review,
            file: "Dockerfile".to_owned(),
            span,
            replacement: "USER 65532\n".to_owned(),
        };
        let setting = Setting {
            title: "run it with a read-only root".to_owned(),
            safety: Safety::Review,
            name: "--read-only".to_owned(),
            value: String::new(),
            place: "docker run".to_owned(),
        };
        for (fix, kind) in [
            (Fix::Upgrade(upgrade()), "upgrade"),
            (Fix::Edit(edit), "edit"),
            (Fix::Setting(setting), "setting"),
        ] {
            let json = serde_json::to_value(&fix).unwrap();
            assert_eq!(json["kind"], kind);
            assert_eq!(json["title"], fix.title());
            assert_eq!(fix.instruction(), Some(fix.title()));
            assert_eq!(serde_json::from_value::<Fix>(json).unwrap(), fix);
        }
    }

    #[test]
    fn a_fix_of_report_1_is_an_upgrade() {
        let text = r#"{"title":"upgrade acme to 1.2","safety":"safe","version":"1.1","to":"1.2"}"#;
        assert_eq!(serde_json::from_str::<Fix>(text).unwrap(), Fix::Upgrade(upgrade()));
    }

    #[test]
    fn a_fix_that_lacks_what_its_kind_needs_is_refused() {
        let text = r#"{"kind":"edit","title":"x","safety":"review","file":"Dockerfile"}"#;
        assert!(serde_json::from_str::<Fix>(text).unwrap_err().to_string().contains("`span`"));
    }

    #[test]
    fn a_fact_is_no_instruction() {
        let fact = Upgrade { to: None, ..upgrade() };
        assert_eq!(fact.fact().as_deref(), Some("fixed in 1.1"));
        assert_eq!(Fix::Upgrade(fact).instruction(), None);
    }
}
