//! VEX: what a publisher says of vulnerabilities in its product, read as facts and applied by policy.
//!
//! In go OpenVEX and CSAF documents that the user names, out come statements; a finding that the newest
//! matching statement calls not affected or fixed is silenced, with its justification shown. A
//! statement is about a package by its package URL, or about the whole image by `pkg:oci` and digest,
//! then about all of its packages or those that it names. Its author is believed because the user
//! named the file. A third form is that of govulncheck: about a module as it is built into the Go
//! program of a main module, and in no other. Statements that meet nothing are counted and named: a
//! product that is named otherwise than the package is easily taken for one that was silenced.
//!
//! Sources: OpenVEX specification 0.2.0; CSAF 2.0, profile VEX (4.5), product tree (3.2.2).

mod csaf;
mod openvex;

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{
    Coverage, Ecosystem, Finding, Nullable, Package, Programs, Purl, Subject, counted,
};

/// The check that says which statements met nothing.
const CHECK: &str = "vex";

/// Largest document.
const BYTES: usize = 64 << 20;
/// Most statements of one document.
const STATEMENTS: usize = 200_000;
/// Longest text that is kept of a statement, in characters.
const TEXT: usize = 1_000;
/// Statements that met nothing and are named, of each document.
const NAMED: usize = 3;
/// Characters of a product's name among them.
const NAME: usize = 120;

/// What a publisher says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VexStatus {
    /// The fault does not matter in the product.
    NotAffected,
    /// It is mended in it.
    Fixed,
    /// It matters.
    Affected,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// One statement about one vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexStatement {
    /// Its id and aliases.
    pub(crate) ids: Vec<String>,
    pub(crate) status: VexStatus,
    pub(crate) products: Vec<VexProduct>,
    /// Products that have no package URL, or one that cannot be read, as they are written.
    pub(crate) unread: Vec<String>,
    /// `vulnerable_code_not_present` and the like.
    pub(crate) justification: Option<String>,
    /// In words.
    pub(crate) impact: Option<String>,
    /// When it was said, RFC 3339: as text, which sorts.
    pub(crate) time: String,
    /// The document.
    pub(crate) by: String,
}

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VexProduct {
    pub(crate) purl: Purl,
    /// Parts of it; empty means all.
    pub(crate) parts: Vec<Purl>,
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VexError {
    /// It is larger than any real one.
    #[error("it is larger than 64 MiB, or has more than {STATEMENTS} statements")]
    TooLarge,
    /// It is not JSON, or not of its form.
    #[error("it is not {form}: {reason}")]
    Shape {
        /// The form.
        form: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It is neither.
    #[error("it is neither OpenVEX nor CSAF; both are JSON")]
    Unknown,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "@context")]
    context: Option<serde_json::Value>,
    document: Option<serde::de::IgnoredAny>,
}

/// Reads JSON, in which `null` is what is empty.
fn json<'de, T: Deserialize<'de>>(form: &'static str, bytes: &'de [u8]) -> Result<T, VexError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = T::deserialize(Nullable(&mut json));
    read.and_then(|value| json.end().map(|()| value)).map_err(|error| shape(form, &error))
}

/// What a decision is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'about> {
    /// The subject.
    pub subject: &'about Subject,
    /// Its packages.
    pub packages: &'about [Package],
    /// What its programs say; none where only a report is left of them.
    pub programs: Option<&'about Programs>,
}

/// The packages of a subject as products: by name, and the main modules of Go programs by path.
pub(crate) struct Products<'about> {
    subject: &'about Subject,
    by_name: HashMap<String, Vec<&'about Purl>>,
    mains: HashMap<&'about str, &'about Purl>,
}

impl<'about> Products<'about> {
    pub(crate) fn new(about: &About<'about>) -> Self {
        let mut by_name: HashMap<String, Vec<&Purl>> = HashMap::new();
        let mut mains: HashMap<&str, &Purl> = HashMap::new();
        for package in about.packages {
            by_name.entry(name_of(&package.purl)).or_default().push(&package.purl);
            let Some(path) = package.location.path().filter(|_| is_main(about, package)) else {
                continue;
            };
            // Of modules in each other the inner one is the main one.
            let known = mains.entry(path).or_insert(&package.purl);
            if name_of(&package.purl).len() > name_of(known).len() {
                *known = &package.purl;
            }
        }
        // What a folder's files say of their own module.
        for (path, module) in about.programs.into_iter().flat_map(Programs::mains) {
            mains.entry(path).or_insert(module);
        }
        Self { subject: about.subject, by_name, mains }
    }

    fn holds(&self, stated: &Purl) -> bool {
        let named = self.by_name.get(&name_of(stated));
        named.into_iter().flatten().any(|found| covers(stated, found))
    }

    /// Whether a statement about a product could silence anything here: the product is there, and so is
    /// one of the parts that it names.
    fn meets(&self, product: &VexProduct) -> bool {
        let in_parts = || product.parts.iter().any(|part| self.holds(part));
        if is_of_subject(&product.purl, self.subject) {
            product.parts.is_empty() || in_parts()
        } else if product.parts.is_empty() {
            self.holds(&product.purl)
        } else {
            self.mains.values().any(|main| is_main_module(&product.purl, main)) && in_parts()
        }
    }
}

/// Whether a package is the main module of the Go program that proves it: its main package lies in it.
/// Where the program is not at hand, the main module is the one that has no version.
fn is_main(about: &About<'_>, package: &Package) -> bool {
    if package.ecosystem != Ecosystem::GO {
        return false;
    }
    match about.programs.and_then(|programs| programs.of(package)) {
        Some(program) if !matches!(program.main.as_str(), "" | "command-line-arguments") => program
            .main
            .strip_prefix(package.name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        _ => package.version.is_empty(),
    }
}

/// Which statements met no package of the subject, by document; none where there are no statements.
#[must_use]
pub fn vex_coverage(statements: &[VexStatement], about: &About<'_>) -> Option<Coverage> {
    if statements.is_empty() {
        return None;
    }
    let products = Products::new(about);
    let mut unmet: BTreeMap<&str, (u64, u64, Vec<String>)> = BTreeMap::new();
    for statement in statements {
        let met = statement.products.iter().any(|product| products.meets(product));
        let (without, all, named) = unmet.entry(&statement.by).or_default();
        *without += u64::from(!met);
        *all += 1;
        if !met && named.len() < NAMED {
            named.push(statement.named());
        }
    }
    let reasons: Vec<String> = unmet
        .into_iter()
        .filter(|(_, (without, ..))| *without > 0)
        .map(|(by, (without, all, named))| {
            let all = counted(all, "statement", "statements");
            let more = without.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = named.join(", ");
            format!("{without} of {all} of {by} met no package: {named}{more}")
        })
        .collect();
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    Some(Coverage { reason, ..Coverage::ran(CHECK) })
}

/// Reads a document; `name` is how findings call it.
///
/// # Errors
/// Where it is neither OpenVEX nor CSAF.
pub fn parse_vex(name: &str, bytes: &[u8]) -> Result<Vec<VexStatement>, VexError> {
    if bytes.len() > BYTES {
        return Err(VexError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head: Head = json("JSON", bytes)?;
    let context = head.context.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    let statements = if context.contains("openvex.dev") {
        openvex::read(name, bytes)?
    } else if head.document.is_some() {
        csaf::read(name, bytes)?
    } else {
        return Err(VexError::Unknown);
    };
    if statements.len() > STATEMENTS { Err(VexError::TooLarge) } else { Ok(statements) }
}

fn shape(form: &'static str, error: &serde_json::Error) -> VexError {
    VexError::Shape { form, reason: error.to_string() }
}

fn kept(text: &str) -> String {
    text.chars().take(TEXT).collect()
}

impl VexStatement {
    /// In a few words: the vulnerability, and the first product.
    fn named(&self) -> String {
        let id = self.ids.first().map_or("a statement without an id", String::as_str);
        let first = self.products.first().map(|product| match product.parts.first() {
            Some(part) => format!("{part} in {}", product.purl),
            None => product.purl.to_string(),
        });
        let product = first.or_else(|| self.unread.first().cloned());
        let product: String = match product.as_deref() {
            None | Some("") => "no product".to_owned(),
            Some(text) => format!("`{}`", text.chars().take(NAME).collect::<String>()),
        };
        let all = self.products.len() + self.unread.len();
        let more = if all > 1 { format!(" and {} more", all - 1) } else { String::new() };
        format!("{id} of {product}{more}")
    }

    /// Whether it is about a finding of a subject.
    fn is_about(&self, finding: &Finding, products: &Products<'_>) -> bool {
        let Some(package) = &finding.package else { return false };
        let main = finding.location.path().and_then(|path| products.mains.get(path));
        self.ids.iter().any(|id| finding.is_known_as(id))
            && self.products.iter().any(|product| {
                let in_part = || product.parts.iter().any(|part| covers(part, package));
                if is_of_subject(&product.purl, products.subject) {
                    product.parts.is_empty() || in_part()
                } else if product.parts.is_empty() {
                    covers(&product.purl, package)
                } else {
                    main.is_some_and(|main| is_main_module(&product.purl, main)) && in_part()
                }
            })
    }
}

/// Type, namespace and name. Modules of Go are written in lower case by some, and with all slashes of
/// the path encoded by govulncheck.
fn name_of(purl: &Purl) -> String {
    let path = match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    };
    match purl.kind() {
        "golang" => format!("golang:{}", path.to_ascii_lowercase()),
        kind => format!("{kind}:{path}"),
    }
}

/// Whether a package URL that a statement names stands for a package: type, namespace and name are the
/// same, and version and qualifiers, where it has them. Source: OpenVEX 0.2.0, "purl matching".
fn covers(stated: &Purl, found: &Purl) -> bool {
    let is_go = stated.kind() == "golang";
    let same_name = match is_go {
        true => found.kind() == "golang" && name_of(stated) == name_of(found),
        false => {
            (stated.kind(), stated.namespace(), stated.name())
                == (found.kind(), found.namespace(), found.name())
        }
    };
    let bare = |version: &'_ str| match is_go {
        true => version.strip_prefix('v').unwrap_or(version).to_owned(),
        false => version.to_owned(),
    };
    same_name
        && stated.version().is_none_or(|version| found.version().map(bare) == Some(bare(version)))
        && stated.qualifiers().all(|(key, value)| match found.qualifier(key) {
            Some(own) => own == value,
            // What came from elsewhere is another package than that of the registry.
            None => !ELSEWHERE.contains(&key),
        })
}

/// Whether a package URL that a statement names stands for a main module. What is built of a folder has no
/// version, and tools write none, `(devel)` or `v0.0.0` for that. Source: `debug.Module`, "main module".
fn is_main_module(stated: &Purl, main: &Purl) -> bool {
    let is_none = |version: Option<&str>| matches!(version, None | Some("" | "(devel)" | "v0.0.0"));
    let unversioned = is_none(stated.version()) && is_none(main.version());
    let stands = unversioned && stated.kind() == "golang" && name_of(stated) == name_of(main);
    covers(stated, main) || stands
}

/// Qualifiers that say that a package did not come from its public registry.
const ELSEWHERE: [&str; 3] = ["vcs_url", "download_url", "repository_url"];

/// Whether `pkg:oci/name@sha256:…` is the image itself, by its digest; without one by repository and
/// tag, where the subject has that very tag. A name alone is none. Source: purl-spec, type `oci`.
fn is_of_subject(purl: &Purl, subject: &Subject) -> bool {
    if purl.kind() != "oci" {
        return false;
    }
    if let Some(version) = purl.version() {
        let digests = [&subject.manifest_digest, &subject.config_digest];
        return digests.into_iter().flatten().any(|digest| digest.to_string() == version);
    }
    let (Some(repository), Some(tag)) = (purl.qualifier("repository_url"), purl.qualifier("tag"))
    else {
        return false;
    };
    let wanted = in_full(&format!("{repository}:{tag}"));
    let names = subject.tags.iter().chain([&subject.name]);
    names.into_iter().any(|name| in_full(name) == wanted)
}

/// A name of an image with registry and namespace: `app:1` is `docker.io/library/app:1`, as Docker has
/// it.
fn in_full(name: &str) -> String {
    let name = ["registry:", "docker:", "containerd:", "podman:"]
        .iter()
        .find_map(|scheme| name.strip_prefix(scheme))
        .unwrap_or(name);
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => {
            name.strip_prefix("index.").unwrap_or(name).to_owned()
        }
        Some(_) => format!("docker.io/{name}"),
    }
}

/// The statement that counts for a finding: the newest of those that are about it.
pub(crate) fn of<'vex>(
    statements: &'vex [VexStatement],
    finding: &Finding,
    products: &Products<'_>,
) -> Option<&'vex VexStatement> {
    let about = statements.iter().filter(|statement| statement.is_about(finding, products));
    about
        .max_by(|left, right| left.time.cmp(&right.time))
        .filter(|newest| matches!(newest.status, VexStatus::NotAffected | VexStatus::Fixed))
}

#[cfg(test)]
mod tests;
