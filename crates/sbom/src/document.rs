//! A document as it is stated: what it is about, its components, and what its maker could not look at.

use crate::limits::{FINDINGS, kept};
use crate::stated::{self, Stated};
use vocabulary::{
    Coverage, Digest, Distribution, Finding, Package, Platform, Problem, Relation, Scope, Status,
};

/// What a document is, and what it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The form with its version, such as `CycloneDX 1.6`.
    pub form: String,
    /// What it is about, where it says so.
    pub name: Option<String>,
    /// Digest of the manifest of the image that it is about, as stated.
    pub manifest_digest: Option<Digest>,
    /// Digest of its configuration, as stated.
    pub config_digest: Option<Digest>,
    /// Names of the image, as stated.
    pub tags: Vec<String>,
    /// Its platform, as stated.
    pub platform: Option<Platform>,
    /// The distribution, as stated.
    pub distribution: Option<Distribution>,
    /// Components that are still to be made packages of.
    pub components: Vec<Component>,
    /// Packages, where the document holds them whole.
    pub packages: Vec<Package>,
    /// What its maker said was not looked at in full.
    pub coverage: Vec<Coverage>,
    /// What it names and does not describe.
    pub problems: Vec<Problem>,
    /// Whether it says that what it is about was looked at in full and holds no packages.
    pub states_none: bool,
    /// Content that its maker saw not to be what names it, which nobody can see again by a bill.
    pub mismatches: Vec<Mismatch>,
}

/// Content that is not what names it, as a bill has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// In one line.
    Told(String),
    /// As it was found.
    Found(Box<Finding>),
}

/// By what bills of this program name such content: the id of the rule that found it, which is a word of
/// their form.
pub(crate) const MISMATCH: &str = "digest-mismatch";

impl Document {
    /// Takes a distribution that is stated. Packages of a second one could not be told apart from those
    /// of the first.
    pub(crate) fn runs_on(&mut self, told: Distribution) {
        let release = |one: &Distribution| (one.id.clone(), one.version.clone());
        match &self.distribution {
            None => self.distribution = Some(told),
            Some(first) if release(first) == release(&told) => {}
            Some(first) => {
                let reason = format!(
                    "a second distribution, beside {} {}: its packages were not matched as such; scan it apart",
                    first.id, first.version
                );
                let path = format!("{} {}", told.id, told.version);
                self.problems.push(Problem { path, layer: None, reason });
            }
        }
    }
}

impl Document {
    /// Takes a word of Lazaret about the document as a whole: a check that did not run in full, or
    /// content that is not what names it. Whether it was one.
    pub(crate) fn take_own(&mut self, name: &str, value: &str) -> bool {
        if name == MISMATCH {
            if self.mismatches.len() < FINDINGS {
                self.mismatches.push(Mismatch::Told(kept(value)));
            }
            return true;
        }
        if name == "packages" {
            self.states_none = value == NO_PACKAGES;
            return true;
        }
        let Some(check) = name.strip_prefix("coverage:") else { return false };
        // Advisories are matched anew.
        if check.starts_with("vulnerabilities:") || check.starts_with("risk:") {
            return true;
        }
        let (status, reason) = value.split_once(": ").unwrap_or((value, ""));
        let status = match status {
            "partial" => Status::Partial,
            "failed" => Status::Failed,
            _ => Status::Skipped,
        };
        let reason = Some(kept(reason)).filter(|reason| !reason.is_empty());
        self.coverage.push(Coverage { status, reason, ..Coverage::ran(kept(check)) });
        true
    }

    /// Takes the package that the document is about. It is none of those that it consists of, and
    /// whoever builds it publishes no advisories of it: without a version, or of a name that nobody
    /// else uses, it would be counted as not looked at. It is listed where it is all that there is, and
    /// where it is of a distribution: such documents are made of each package that is published.
    pub(crate) fn is_about(&mut self, subject: Option<Component>) {
        let Some(subject) = subject else { return };
        let of_distribution = subject.purl.as_deref().is_some_and(stated::is_of_distribution);
        if of_distribution || self.components.is_empty() {
            self.components.push(subject);
        }
    }
}

/// One component, as stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Its package URL, as text.
    pub purl: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version; empty where none is stated.
    pub version: String,
    /// Whether `name` stands without a group, and so is the whole name.
    pub ungrouped: bool,
    /// Licences, as stated.
    pub licences: Vec<String>,
    /// What else is stated, in the words of Lazaret.
    pub stated: Stated,
    /// How the document names it, where it does.
    pub reference: String,
    /// Whether what the document is about asks for it.
    pub relation: Option<Relation>,
    /// For what it is there.
    pub scope: Option<Scope>,
    /// Package URLs, as text, of the components that it needs.
    pub requires: Vec<String>,
}

impl Component {
    /// What is stated in the words of Lazaret counts before what the form says by its own means; in a
    /// bill of ours in place of it, since the form has no word for "nobody knows".
    pub(crate) fn settle(&mut self) {
        let own = self.stated.is_own();
        self.relation = self.stated.relation.or_else(|| self.relation.filter(|_| !own));
        self.scope = self.stated.scope.or_else(|| self.scope.filter(|_| !own));
    }
}

/// How Lazaret says that there are no packages (`lazaret:packages`), where it looked at all there is: a
/// bill that merely lists none says nothing.
const NO_PACKAGES: &str = "none";
