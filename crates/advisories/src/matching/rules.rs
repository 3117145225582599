//! The rules of matching: what an advisory names, as a fault or as a package made to do harm.

use std::borrow::Cow::Borrowed;
use vocabulary::{Always, Class, Rule, Severity};

/// A package version that an advisory names as affected.
pub static KNOWN_VULNERABILITY: Rule = Rule {
    id: Borrowed("known-vulnerability"),
    class: Class::Vulnerability,
    title: Borrowed("Package with a known vulnerability"),
    why: Borrowed("An advisory names this version as affected; attackers read advisories too."),
    severity: Severity::Unknown,
    remedy: Borrowed("Upgrade to the version that mends it, or rebuild on a newer base image."),
    reference: Some(Borrowed("https://ossf.github.io/osv-schema/")),
    always: None,
};

/// A package that was published to do harm.
pub static MALICIOUS_PACKAGE: Rule = Rule {
    id: Borrowed("malicious-package"),
    class: Class::Malware,
    title: Borrowed("Malicious package"),
    why: Borrowed(
        "This package was published to do harm. Whatever could run it must be taken as compromised.",
    ),
    severity: Severity::Critical,
    remedy: Borrowed(
        "Remove the package, rebuild, and change every secret that the build or the container could read.",
    ),
    reference: Some(Borrowed("https://github.com/ossf/malicious-packages")),
    always: Some(Always::all("malicious package", "malicious packages")),
};
