//! What a rule says: the vocabulary of [`super::table`].
//!
//! A rule is a constant, checked by tests rather than read at run time: no parser, no way to be
//! malformed in the field. A pattern is literal text around a version, not a regular expression: the
//! literal is found by `memchr`, at the speed of reading, and only there is a version looked for.

use vocabulary::Confidence;

/// Longest literal of a pattern.
pub(super) const LITERAL_LIMIT: usize = 48;
/// Longest version text; real ones have up to 16 letters.
pub(super) const VERSION_LIMIT: usize = 40;

/// How one program is recognised.
#[derive(Debug)]
pub(super) struct Rule {
    /// Kebab-case, unique.
    pub(super) id: &'static str,
    /// What the program is called where nobody publishes advisories under another name.
    pub(super) name: &'static str,
    /// File names; `#` stands for a number.
    pub(super) files: &'static [&'static str],
    /// What the file begins with.
    pub(super) head: &'static [u8],
    /// Where the version stands; the first that finds one counts.
    pub(super) patterns: &'static [Pattern],
    /// Texts that must be there too, anywhere: the second sign where a pattern alone is not enough.
    pub(super) also: &'static [&'static [u8]],
    /// Texts of relatives that are another program.
    pub(super) never: &'static [&'static [u8]],
    /// Whether the version must agree with the one in the file's name, where there is one.
    pub(super) agrees_with_name: bool,
    pub(super) advisories: Advisories,
    pub(super) confidence: Confidence,
    /// Whether the rule was held against a real program; else its sample is written from what the
    /// program's source or other scanners document. Read by tests alone, kept where it is reviewed.
    #[cfg_attr(not(test), expect(dead_code, reason = "stated for the reader and the tests"))]
    pub(super) seen: bool,
}

/// Who publishes advisories that speak of the program's upstream versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advisories {
    /// Bitnami, under this name.
    Bitnami(&'static str),
    /// Nobody in a form that is read here: it is listed.
    Nobody,
}

/// Literal text around a version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    /// What stands directly before the version.
    pub(super) before: &'static [u8],
    /// What the version begins with.
    pub(super) lead: &'static str,
    /// How many numbers it has, at least and at most.
    pub(super) numbers: (u8, u8),
    pub(super) suffix: Suffix,
    /// What stands directly behind it, one of these; a NUL at the beginning stands for any count of
    /// them, since compilers align texts.
    pub(super) after: &'static [&'static [u8]],
}

/// What may follow the numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    None,
    /// Up to two lower-case letters, as `w` in OpenSSL 1.1.1w.
    Letters,
    /// `p` and a number, as OpenSSH always has it.
    Patch,
    /// The same, where it may be missing, as in sudo.
    MayBePatch,
    /// The same, left out of the version, as Ruby's advisories do.
    DroppedPatch,
    /// `-` and a number, as ImageMagick has it.
    Release,
    /// `_` and a number, as Java 8 has it.
    Update,
    /// What a packager put behind the version, left out of it.
    Dropped,
}

impl Rule {
    pub(super) const fn bitnami(self, name: &'static str) -> Self {
        Self { advisories: Advisories::Bitnami(name), ..self }
    }

    pub(super) const fn also(self, also: &'static [&'static [u8]]) -> Self {
        Self { also, ..self }
    }

    pub(super) const fn never(self, never: &'static [&'static [u8]]) -> Self {
        Self { never, ..self }
    }

    /// A file that is text and begins so.
    pub(super) const fn text(self, head: &'static [u8]) -> Self {
        Self { head, ..self }
    }

    pub(super) const fn agrees_with_name(self) -> Self {
        Self { agrees_with_name: true, ..self }
    }

    /// The literal next to the version does not name the program: other signs do.
    pub(super) const fn medium(self) -> Self {
        Self { confidence: Confidence::Medium, ..self }
    }

    /// Written from documentation, not held against a real program.
    pub(super) const fn documented(self) -> Self {
        Self { seen: false, ..self }
    }

    /// Called otherwise than its rule.
    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

/// An ELF program or library that was seen, of which no advisories speak, until said otherwise.
pub(super) const fn rule(
    id: &'static str,
    files: &'static [&'static str],
    patterns: &'static [Pattern],
) -> Rule {
    Rule {
        id,
        name: id,
        files,
        head: b"\x7fELF",
        patterns,
        also: &[],
        never: &[],
        agrees_with_name: false,
        advisories: Advisories::Nobody,
        confidence: Confidence::High,
        seen: true,
    }
}

/// Text, a version of three numbers, text.
pub(super) const fn version(before: &'static [u8], after: &'static [&'static [u8]]) -> Pattern {
    Pattern { before, lead: "", numbers: (3, 3), suffix: Suffix::None, after }
}

impl Pattern {
    pub(super) const fn numbers(self, least: u8, most: u8) -> Self {
        Self { numbers: (least, most), ..self }
    }

    pub(super) const fn suffix(self, suffix: Suffix) -> Self {
        Self { suffix, ..self }
    }

    pub(super) const fn lead(self, lead: &'static str) -> Self {
        Self { lead, ..self }
    }
}
