//! Programs that no package manager put there, recognised by what their files carry.
//!
//! In goes a file whose name a rule of [`rules`] knows, as a stream; out comes the program with the
//! version that its bytes pin. The rules are data ([`table`]): file names, the literal text around
//! the version, texts that must or must not be there as well. Bitnami's advisories speak of upstream
//! versions, so programs that it publishes are matched there; the others are listed, and coverage
//! says that nobody was asked about them.
//!
//! The decision: nothing is guessed. A file that carries two versions where a rule expects one is
//! listed without one, a pre-release that a rule does not spell out is not taken for the release,
//! and no version is taken from a file's name. Programs written in Go, and servers made of jars, have
//! no rule: `go` and `java` list them with the names that their advisories use. A program that a
//! wheel or an npm package brought is listed beside that package: its own advisories do not speak of
//! what it bundles.

mod matcher;
mod rules;
mod table;

use crate::language::{Installed, ProofHasher, decode, encode, may_be_of_a_distribution};
use image::{
    Cataloged, ContentDigests, Entry, Fact, FactAt, Flow, Interest, ReadError, Reading, Resolution,
    Resolver, View, Want,
};
use matcher::Scan;
use rules::{Advisories, Rule};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;
use table::RULES;
use vocabulary::{Ecosystem, Identified, Purl};

/// What a template of a file name may stand for: `#` is each of these numbers. Patch levels that are
/// part of a library's name stay below it.
const NUMBERS: u8 = 20;

/// The `programs` cataloger.
#[derive(Debug)]
pub struct Programs;

/// What is kept of one program.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ProgramFact<'fact> {
    rule: &'fact str,
    version: &'fact str,
    proof: Option<ContentDigests>,
}

/// The rules by file name, templates spelled out.
static BY_NAME: LazyLock<HashMap<&'static str, Vec<&'static Rule>>> = LazyLock::new(|| {
    let mut by_name: HashMap<&'static str, Vec<&'static Rule>> = HashMap::new();
    for rule in RULES {
        for name in rule.files.iter().flat_map(|template| spelled_out(template)) {
            by_name.entry(name).or_default().push(rule);
        }
    }
    by_name
});

static INTERESTS: LazyLock<Vec<Interest>> = LazyLock::new(|| {
    let mut names: Vec<&'static str> = BY_NAME.keys().copied().collect();
    // Plain names first: the fuzzer reaches the first 256.
    let numbered = |name: &str| name.bytes().any(|byte| byte.is_ascii_digit());
    names.sort_unstable_by_key(|name| (numbered(name), *name));
    names.into_iter().map(Interest::Name).collect()
});

/// The names that a template stands for. They live as long as the table: it is spelled out once.
fn spelled_out(template: &'static str) -> Vec<&'static str> {
    let Some((before, after)) = template.split_once('#') else { return vec![template] };
    (0..NUMBERS).map(|number| &*format!("{before}{number}{after}").leak()).collect()
}

/// The rules that a file of this name and beginning could fulfil.
fn candidates(entry: &Entry<'_>, head: &[u8]) -> Vec<&'static Rule> {
    let rules = BY_NAME.get(entry.name()).into_iter().flatten().copied();
    rules.filter(|rule| head.starts_with(rule.head)).collect()
}

impl image::Reader for Programs {
    fn id(&self) -> &'static str {
        "programs"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn follows_links(&self) -> bool {
        false
    }

    fn interests(&self) -> &'static [Interest] {
        &INTERESTS
    }

    fn wants(&self, entry: &Entry<'_>, head: &[u8]) -> Want {
        let rules = candidates(entry, head);
        if rules.is_empty() { Want::No } else { Want::Stream(Box::new(Reader::new(entry, &rules))) }
    }

    fn read(&self, entry: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let mut reader = Box::new(Reader::new(entry, &candidates(entry, bytes)));
        reader.push(bytes);
        reader.finish()
    }
}

impl Resolver for Programs {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            let Some(fact) = decode::<ProgramFact<'_>>(&at, &mut resolution.problems) else {
                continue;
            };
            if let Some(rule) = RULES.iter().find(|rule| rule.id == fact.rule) {
                resolution.packages.push(package(rule, &fact, &at));
            }
        }
        resolution
    }
}

struct Reader {
    scan: Scan,
    /// Version that the file's name states, such as `3.11`.
    named: Option<String>,
    proof: Option<ProofHasher>,
}

impl Reader {
    fn new(entry: &Entry<'_>, rules: &[&'static Rule]) -> Self {
        Self {
            scan: Scan::new(rules),
            named: stated(entry.name()),
            proof: may_be_of_a_distribution(entry.path).then(ProofHasher::default),
        }
    }
}

impl Reading for Reader {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        if let Some(proof) = &mut self.proof {
            proof.update(bytes);
        }
        self.scan.push(bytes);
        Flow::More
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        let Some(found) = self.scan.finish(self.named.as_deref())? else { return Ok(None) };
        encode(&ProgramFact {
            rule: found.rule.id,
            version: &found.version,
            proof: self.proof.map(ProofHasher::finish),
        })
    }
}

/// The first two numbers of a file's name: `3.11` of `libpython3.11.so.1.0`.
fn stated(name: &str) -> Option<String> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let from = name.bytes().position(|byte| byte.is_ascii_digit())?;
    let text = name.get(from..)?;
    let (major, rest) = text.split_at_checked(digits(text))?;
    let rest = rest.strip_prefix('.')?;
    let minor = rest.get(..digits(rest)).filter(|minor| !minor.is_empty())?;
    Some(format!("{major}.{minor}"))
}

fn package(rule: &Rule, fact: &ProgramFact<'_>, at: &FactAt<'_>) -> Cataloged {
    let (kind, name, ecosystem) = match rule.advisories {
        Advisories::Bitnami(name) => ("bitnami", name, Ecosystem::BITNAMI),
        Advisories::Nobody => ("generic", rule.name, Ecosystem::PROGRAM),
    };
    let installed = Installed {
        purl: Purl::new(kind, name).with_version(fact.version),
        ecosystem,
        name: name.to_owned(),
        version: fact.version.to_owned(),
        licences: Vec::new(),
        path: at.path.to_owned(),
        layer: at.layer,
        files: Vec::new(),
        proof: fact.proof,
    };
    let mut cataloged = installed.cataloged();
    let by = if fact.version.is_empty() { "content, of several versions" } else { "content" };
    cataloged.package.identified =
        Some(Box::new(Identified { by: by.to_owned(), confidence: rule.confidence }));
    cataloged
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
