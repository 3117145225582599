//! Which versions come before a release: what nobody is told to upgrade to.
//!
//! In go a scheme and a text, out comes whether its author calls it unfinished. Not the order: a text
//! of one scheme can sort before another and be a release all the same. Sources: Semantic Versioning
//! 2.0.0, item 9; PEP 440, "Pre-releases" and "Developmental releases"; Maven, "Version Order
//! Specification"; RubyGems, `Gem::Version#prerelease?`; Composer, "Stability"; opam manual,
//! "Version ordering".

use crate::Scheme;

/// Words that say so wherever they stand.
const WORDS: [&str; 13] = [
    "alpha",
    "beta",
    "canary",
    "cr",
    "dev",
    "ea",
    "milestone",
    "nightly",
    "pre",
    "preview",
    "rc",
    "snapshot",
    "unstable",
];
/// Letters that say so before a number.
const LETTERS: [&str; 4] = ["a", "b", "c", "m"];

impl Scheme {
    /// Whether a version comes before a release. Versions of distributions never do: what their
    /// archive has is released, whatever its upstream calls it.
    #[must_use]
    pub fn is_pre_release(self, text: &str) -> bool {
        let text = text.split('+').next().unwrap_or_default();
        match self {
            _ if self.is_of_distribution() => false,
            Self::RubyGems => text.bytes().any(|byte| byte.is_ascii_alphabetic()),
            Self::Opam => text.contains('~') || says_so(text),
            Self::Npm | Self::NuGet | Self::Pub | Self::Go => text.contains('-'),
            // Some of these publish revisions of a release: `18.1.0-2`.
            Self::Semver => text
                .split_once('-')
                .is_some_and(|(_, rest)| !rest.bytes().all(|byte| byte.is_ascii_digit())),
            _ => says_so(text),
        }
    }

    /// Whether distributions use it for what they build.
    #[must_use]
    pub const fn is_of_distribution(self) -> bool {
        matches!(self, Self::Debian | Self::Rpm | Self::Alpine | Self::Alpm | Self::Portage)
    }
}

fn says_so(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let is_letter = |letter: char| letter.is_ascii_lowercase();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_letter) {
        let (_, word) = rest.split_at(start);
        let end = word.find(|letter| !is_letter(letter)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let numbered = after.trim_start_matches(['-', '.', '_']);
        let numbered = numbered.starts_with(|next: char| next.is_ascii_digit());
        if WORDS.contains(&word) || numbered && start > 0 && LETTERS.contains(&word) {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_its_author_calls_unfinished_comes_before_a_release() {
        let before = [
            (Scheme::Npm, "1.0.0-next.1"),
            (Scheme::Semver, "2.0.0-rc.1"),
            (Scheme::Go, "v0.0.0-20240101000000-abcdefabcdef"),
            (Scheme::Pep440, "1.0a1"),
            (Scheme::Pep440, "1.0.dev3"),
            (Scheme::Pep440, "3.0rc1"),
            (Scheme::Maven, "1.0-SNAPSHOT"),
            (Scheme::Maven, "10.0.0-M5"),
            (Scheme::Maven, "5.0.0.Alpha2"),
            (Scheme::Maven, "4.0.0.CR1"),
            (Scheme::RubyGems, "7.0.0.beta1"),
            (Scheme::Packagist, "2.0.0-RC3"),
            (Scheme::Opam, "1.2~beta1"),
        ];
        for (scheme, text) in before {
            assert!(scheme.is_pre_release(text), "{scheme:?} {text}");
        }
        let releases = [
            (Scheme::Npm, "1.0.0+build-5"),
            (Scheme::Semver, "18.1.0-2"),
            (Scheme::Go, "v2.0.0+incompatible"),
            (Scheme::Pep440, "1.0.post1"),
            (Scheme::Pep440, "1.0+local.a1"),
            (Scheme::Maven, "5.3.27.RELEASE"),
            (Scheme::Maven, "31.1-jre"),
            (Scheme::Maven, "4.1.94.Final"),
            (Scheme::RubyGems, "7.0.4.3"),
            (Scheme::Packagist, "1.0.0-p1"),
            (Scheme::Debian, "1:2.0~rc1-1"),
            (Scheme::Alpine, "3.0_rc1-r0"),
        ];
        for (scheme, text) in releases {
            assert!(!scheme.is_pre_release(text), "{scheme:?} {text}");
        }
    }
}
