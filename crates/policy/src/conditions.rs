//! Conditions that a policy names: patterns of packages, bounds of versions, licences and base images.
//!
//! In go texts, out come values that tell whether a package or a finding is meant. Patterns are texts with
//! `*` for any text; versions are compared in the order of the package's ecosystem.

use std::cmp::Ordering;
use version::Scheme;
use vocabulary::{Finding, Package, Purl, Severity};

/// Longest pattern.
const PATTERN: usize = 1_000;

/// A text with `*` for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// A pattern.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().take(PATTERN).collect())
    }

    /// Whether a text is of this pattern. Takes time in proportion to the product of the lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A package URL without qualifiers, in which name and version may hold `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePattern {
    name: Text,
    version: Option<Text>,
    /// The package itself, where it is one alone.
    purl: Option<Purl>,
}

impl PackagePattern {
    /// Of one package; without a version, in all of its versions.
    pub(crate) fn of(purl: Purl) -> Self {
        let version = purl.version().map(Text::new);
        Self { name: Text::new(&name_of(&purl)), version, purl: Some(purl) }
    }

    pub(crate) const fn purl(&self) -> Option<&Purl> {
        self.purl.as_ref()
    }

    /// Reads `pkg:npm/left-*@1.*`.
    ///
    /// # Errors
    /// Where it does not begin with `pkg:`, has no name, or has qualifiers.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest =
            text.strip_prefix("pkg:").ok_or("it is no package URL; write it as pkg:type/name")?;
        if rest.contains(['?', '#']) {
            return Err("it has qualifiers; leave out what follows `?` or `#`".to_owned());
        }
        if !rest.contains('*') {
            return text.parse().map(Self::of).map_err(|_: vocabulary::PurlError| {
                "it is no package URL; write it as pkg:type/name".to_owned()
            });
        }
        // A scope's `@` is followed by a slash, a version's is not.
        let (name, version) = match rest.rsplit_once('@') {
            Some((name, version)) if !version.contains('/') && !name.is_empty() => {
                (name, Some(Text::new(version)))
            }
            _ => (rest, None),
        };
        if !name.contains('/') || name.ends_with('/') {
            return Err("it names no package; write it as pkg:type/name".to_owned());
        }
        Ok(Self { name: Text::new(&name.replace("%40", "@")), version, purl: None })
    }

    /// Whether a package is of this pattern.
    #[must_use]
    pub fn matches(&self, purl: &Purl) -> bool {
        self.name.matches(&name_of(purl))
            && self
                .version
                .as_ref()
                .is_none_or(|version| version.matches(purl.version().unwrap_or_default()))
    }
}

fn name_of(purl: &Purl) -> String {
    let namespace = purl.namespace().map(|namespace| format!("{namespace}/"));
    format!("{}/{}{}", purl.kind(), namespace.unwrap_or_default(), purl.name())
}

impl std::fmt::Display for PackagePattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "pkg:{}", self.name)?;
        self.version.iter().try_for_each(|version| write!(formatter, "@{version}"))
    }
}

/// Bounds such as `>= 1.0, < 1.4`: all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionBounds(Vec<(Bound, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl VersionBounds {
    /// Reads bounds.
    ///
    /// # Errors
    /// Where one does not begin with a comparison.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SIGNS: [(&str, Bound); 5] = [
            ("<=", Bound::LessOrEqual),
            (">=", Bound::GreaterOrEqual),
            ("<", Bound::Less),
            (">", Bound::Greater),
            ("=", Bound::Equal),
        ];
        let bounds = text.split(',').map(|part| {
            let part = part.trim();
            SIGNS
                .iter()
                .find_map(|(sign, bound)| {
                    Some((*bound, part.strip_prefix(sign)?.trim().to_owned()))
                })
                .filter(|(_, version)| !version.is_empty())
                .ok_or_else(|| {
                    "here is no bound; write it as `< 1.2`, `<=`, `=`, `>=` or `>`".to_owned()
                })
        });
        bounds.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a version is within; none where it has no place in the ecosystem's order.
    fn hold(&self, package: &Package) -> Option<bool> {
        let scheme = Scheme::of_ecosystem(package.ecosystem.as_str())?;
        self.0.iter().try_fold(true, |all, (bound, version)| {
            let order = scheme.compare(&package.version, version).ok()?;
            let holds = match bound {
                Bound::Less => order == Ordering::Less,
                Bound::LessOrEqual => order != Ordering::Greater,
                Bound::Equal => order == Ordering::Equal,
                Bound::GreaterOrEqual => order != Ordering::Less,
                Bound::Greater => order == Ordering::Greater,
            };
            Some(all && holds)
        })
    }
}

/// A package that may not, or must, be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRule {
    pub(crate) package: PackagePattern,
    pub(crate) versions: Option<VersionBounds>,
    pub(crate) reason: String,
    /// File and line.
    pub(crate) by: String,
}

impl PackageRule {
    /// A version without an order counts as within: it cannot be shown to be allowed.
    pub(crate) fn matches(&self, package: &Package, unknown: bool) -> bool {
        self.package.matches(&package.purl)
            && self.versions.as_ref().is_none_or(|bounds| bounds.hold(package).unwrap_or(unknown))
    }
}

/// A severity that counts instead of the advisories'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub(crate) id: Option<String>,
    pub(crate) rule: Option<String>,
    pub(crate) package: Option<PackagePattern>,
    pub(crate) severity: Severity,
    pub(crate) reason: String,
    /// File and line.
    pub(crate) by: String,
}

impl Override {
    pub(crate) fn matches(&self, finding: &Finding) -> bool {
        let named = |id: &String| finding.is_known_as(id);
        let of_package = |pattern: &PackagePattern| {
            finding.package.as_ref().is_some_and(|purl| pattern.matches(purl))
        };
        self.id.as_ref().is_none_or(named)
            && self.rule.as_ref().is_none_or(|rule| *rule == finding.rule)
            && self.package.as_ref().is_none_or(of_package)
    }
}

/// Which licences packages may have. Each id with the line that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LicenceRules {
    pub(crate) allow: Vec<(String, String)>,
    pub(crate) deny: Vec<(String, String)>,
    /// Where unknown licences are denied.
    pub(crate) unknown: Option<String>,
    pub(crate) except: Vec<PackagePattern>,
}

/// An SPDX id in its own spelling, or a `LicenseRef-`.
///
/// # Errors
/// Where it is neither.
pub(crate) fn licence_id(text: &str) -> Result<String, String> {
    if text.starts_with("LicenseRef-") {
        return Ok(text.to_owned());
    }
    match spdx::license_id(text) {
        Some(id) => Ok(id.name.to_owned()),
        None => Err(match spdx::imprecise_license_id(text) {
            Some((id, _)) => format!("here is no SPDX id; did you mean `{}`?", id.name),
            None => "here is no SPDX id, such as MIT or Apache-2.0".to_owned(),
        }),
    }
}

impl LicenceRules {
    /// Why a package's licences are not allowed, and by which line.
    pub(crate) fn refuse(&self, package: &Package, place: &str) -> Option<(String, String)> {
        if self.except.iter().any(|pattern| pattern.matches(&package.purl)) {
            return None;
        }
        let mut known = false;
        for text in &package.licences {
            let Ok(expression) = spdx::Expression::parse(text) else { continue };
            known = true;
            let names = |list: &[(String, String)], requirement: &spdx::LicenseReq| {
                let name = requirement.license.to_string();
                list.iter().find(|(id, _)| *id == name).map(|(_, by)| by.clone())
            };
            if !expression.evaluate(|requirement| names(&self.deny, requirement).is_none()) {
                let by = expression
                    .requirements()
                    .find_map(|one| names(&self.deny, &one.req))
                    .unwrap_or_else(|| place.to_owned());
                return Some((format!("{text} is denied"), by));
            }
            if !self.allow.is_empty()
                && !expression.evaluate(|requirement| names(&self.allow, requirement).is_some())
            {
                return Some((
                    format!("{text} is not among those that are allowed"),
                    place.to_owned(),
                ));
            }
        }
        let unknown = self.unknown.as_ref().filter(|_| !known)?;
        let stated = package.licences.join(", ");
        let stated = if stated.is_empty() { "none stated".to_owned() } else { stated };
        Some((format!("its licence is not known ({stated})"), unknown.clone()))
    }
}

/// On which base images an image may be built. Each name with its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseRules {
    pub(crate) allow: Vec<(Text, String)>,
    pub(crate) forbid: Vec<(Text, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let matches = |pattern: &str, text: &str| Text::new(pattern).matches(text);
        assert!(matches("*", "") && matches("a*c", "abc") && matches("a*b*c", "a-b-b-c"));
        assert!(matches("docker.io/library/debian:*", "docker.io/library/debian:12"));
        assert!(!matches("a*c", "ab") && !matches("ab", "abc") && !matches("a*a", "a"));
        assert!(matches("*x*x", "xx") && !matches("*x*x", "x"));
        let slow = format!("{}b", "a*".repeat(400));
        assert!(!matches(&slow, &"a".repeat(10_000)));
    }

    #[test]
    fn a_pattern_tells_scope_and_version_apart() {
        let matches = |pattern: &str, purl: &str| {
            PackagePattern::parse(pattern).unwrap().matches(&purl.parse().unwrap())
        };
        assert!(matches("pkg:npm/@scope/a", "pkg:npm/%40scope/a@1.0"));
        assert!(matches("pkg:npm/%40scope/*@1.*", "pkg:npm/%40scope/a@1.0"));
        assert!(!matches("pkg:npm/@scope/a@2", "pkg:npm/%40scope/a@1.0"));
        assert!(matches("pkg:deb/debian/telnet", "pkg:deb/debian/telnet@1?arch=amd64"));
        for wrong in ["telnet", "pkg:npm", "pkg:npm/", "pkg:npm/a?b=c"] {
            assert!(PackagePattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bounds_are_read_or_refused() {
        assert!(VersionBounds::parse(">= 1.0, < 2").is_ok());
        for wrong in ["", "1.0", "<", "~> 1", ">= 1,"] {
            assert!(VersionBounds::parse(wrong).is_err(), "{wrong}");
        }
    }
}
