//! Policy's own rules: what it forbids or asks for, and what of it has run out.

use std::borrow::Cow::Borrowed;
use vocabulary::{Always, Class, Rule, Severity};

/// All of them.
pub static RULES: &[&Rule] = &[
    &FORBIDDEN_PACKAGE,
    &MISSING_PACKAGE,
    &FORBIDDEN_BASE_IMAGE,
    &FORBIDDEN_LICENCE,
    &EXPIRED_IGNORE,
];

/// A package that policy forbids.
pub static FORBIDDEN_PACKAGE: Rule = Rule {
    id: Borrowed("forbidden-package"),
    class: Class::Policy,
    title: Borrowed("Package that policy forbids"),
    why: Borrowed("The policy says that this package may not be in an image."),
    severity: Severity::High,
    remedy: Borrowed("Remove the package, or change the policy after review."),
    reference: None,
    always: Some(Always::all("forbidden package", "forbidden packages")),
};

/// A package that policy requires and that is not there.
pub static MISSING_PACKAGE: Rule = Rule {
    id: Borrowed("missing-package"),
    class: Class::Policy,
    title: Borrowed("Package that policy requires"),
    why: Borrowed("The policy says that this package must be in an image, and it is not."),
    severity: Severity::Medium,
    remedy: Borrowed("Add the package, or change the policy after review."),
    reference: None,
    always: Some(Always::all(
        "package that must be there is not",
        "packages that must be there are not",
    )),
};

/// A base image that policy forbids, or none of those that it requires.
pub static FORBIDDEN_BASE_IMAGE: Rule = Rule {
    id: Borrowed("forbidden-base-image"),
    class: Class::Policy,
    title: Borrowed("Base image that policy does not allow"),
    why: Borrowed("The policy says on which base images an image may be built."),
    severity: Severity::High,
    remedy: Borrowed("Build on an allowed base image, or change the policy after review."),
    reference: None,
    always: Some(Always::all("base image is not allowed", "base images are not allowed")),
};

/// A licence that policy does not allow.
pub static FORBIDDEN_LICENCE: Rule = Rule {
    id: Borrowed("forbidden-licence"),
    class: Class::Policy,
    title: Borrowed("Licence that policy does not allow"),
    why: Borrowed("The policy says under which licences a package may be."),
    severity: Severity::Medium,
    remedy: Borrowed("Replace the package, or allow the licence after review."),
    reference: None,
    always: Some(Always::all("licence is not allowed", "licences are not allowed")),
};

/// An ignore rule that has run out.
pub static EXPIRED_IGNORE: Rule = Rule {
    id: Borrowed("expired-ignore"),
    class: Class::Policy,
    title: Borrowed("Ignore rule past its date"),
    why: Borrowed(
        "What was to be looked at again by that day has not been; the rule silences nothing any more.",
    ),
    severity: Severity::Low,
    remedy: Borrowed("Look at it again. Remove the rule, or give it a new date and reason."),
    reference: None,
    always: None,
};
