//! The rules of sealing, in the order in which they are shown: whether the evidence holds, whether the
//! image is the one, and then which of its files are not.

use std::borrow::Cow::Borrowed;
use vocabulary::{Always, Class, Rule, Severity};

/// All of them.
pub static RULES: &[&Rule] =
    &[&BROKEN_SEAL, &SEAL_MISMATCH, &ROLLED_BACK_IMAGE, &FILE_CHANGED, &FILE_ADDED, &FILE_REMOVED];

/// A seal whose signature or record does not hold.
pub static BROKEN_SEAL: Rule = Rule {
    id: Borrowed("broken-seal"),
    class: Class::Integrity,
    title: Borrowed("Seal that does not hold"),
    why: Borrowed(
        "The signature, the chain of the store or the sealed record is not what was written: the evidence itself was damaged or forged.",
    ),
    severity: Severity::Critical,
    remedy: Borrowed(
        "Do not rely on this store. Restore it from a copy, and seal again from a trusted source.",
    ),
    reference: None,
    always: Some(Always::all("seal does not hold", "seals do not hold")),
};

/// An image whose content is not what was sealed under its name.
pub static SEAL_MISMATCH: Rule = Rule {
    id: Borrowed("seal-mismatch"),
    class: Class::Integrity,
    title: Borrowed("Image differs from its seal"),
    why: Borrowed(
        "Manifest, configuration or layers are not those that were sealed under this name. The digests of an image agree with each other after an attacker has rebuilt it; only the seal tells.",
    ),
    severity: Severity::Critical,
    remedy: Borrowed("Do not run it. Restore the sealed image, or seal the new one after review."),
    reference: None,
    always: Some(Always::all("difference from the seal", "differences from the seal")),
};

/// A name that points at an image sealed earlier than the newest one.
pub static ROLLED_BACK_IMAGE: Rule = Rule {
    id: Borrowed("rolled-back-image"),
    class: Class::Integrity,
    title: Borrowed("Older sealed image under this name"),
    why: Borrowed(
        "The name was moved back to an image that a newer seal has replaced: its mended faults are open again.",
    ),
    severity: Severity::High,
    remedy: Borrowed(
        "Move the name to the image of the newest seal, or seal this one again if that is meant.",
    ),
    reference: None,
    always: Some(Always::all(
        "name points at an image that a newer seal has replaced",
        "names point at images that newer seals have replaced",
    )),
};

// Comparing rates programs, libraries and security settings high, and other files lower: those are left
// to the line.

/// A file that is not as the sealed record, or the image, has it.
pub static FILE_CHANGED: Rule = Rule {
    id: Borrowed("file-changed"),
    class: Class::Integrity,
    title: Borrowed("File changed"),
    why: Borrowed("Its content, kind, mode, owner or attributes are not those on record."),
    severity: Severity::Medium,
    remedy: Borrowed("Find out who changed it. Recreate the container, or restore the image."),
    reference: None,
    always: Some(Always::from(
        Severity::High,
        "file that matters was changed",
        "files that matter were changed",
    )),
};

/// A file that the sealed record, or the image, does not have.
pub static FILE_ADDED: Rule = Rule {
    id: Borrowed("file-added"),
    class: Class::Integrity,
    title: Borrowed("File added"),
    why: Borrowed(
        "It was not there when the image was recorded; a program that was dropped in is how most break-ins go on.",
    ),
    severity: Severity::Medium,
    remedy: Borrowed("Find out who added it. Recreate the container, or restore the image."),
    reference: None,
    always: Some(Always::from(
        Severity::High,
        "file that matters was added",
        "files that matter were added",
    )),
};

/// A file of the sealed record, or the image, that is gone.
pub static FILE_REMOVED: Rule = Rule {
    id: Borrowed("file-removed"),
    class: Class::Integrity,
    title: Borrowed("File removed"),
    why: Borrowed("It was there when the image was recorded."),
    severity: Severity::Medium,
    remedy: Borrowed("Find out who removed it. Recreate the container, or restore the image."),
    reference: None,
    always: Some(Always::from(
        Severity::High,
        "file that matters was removed",
        "files that matter were removed",
    )),
};
