//! A secret as it may be shown: enough to find it again, too little to use it.
//!
//! In goes the secret, out comes its beginning and its end, where it is long enough, and how long it is,
//! roughly. The one design decision: this is done by the constructor, so that no value, no form and no
//! log can hold more. No digest is kept either: that of a short secret tells the secret.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Characters that are shown of its beginning: what tells a token's kind, such as `ghp_`.
const HEAD: usize = 4;
/// Characters that are shown of its end: what tells two tokens of one kind apart.
const TAIL: usize = 2;
/// Characters that a secret has at least of which some are shown: 18 stay hidden, more than 100 bits of
/// a token that is made of letters and digits.
const LONG_ENOUGH: usize = 24;
/// What stands for what is hidden.
const HIDDEN: &str = "…";

/// How long a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Up to 23 characters.
    Short,
    /// Up to 64.
    Medium,
    /// More.
    Long,
}

/// A secret that cannot be read any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Read")]
pub struct Redacted {
    /// Such as `ghp_…9Z`; `…` alone where it is not long enough.
    shown: String,
    /// How long it is.
    length: Length,
}

#[derive(Deserialize)]
struct Read {
    shown: String,
    length: Length,
}

impl Redacted {
    /// Takes from a secret what may be shown.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let characters = secret.chars().count();
        let length = match characters {
            0..LONG_ENOUGH => Length::Short,
            LONG_ENOUGH..=64 => Length::Medium,
            _ => Length::Long,
        };
        let head: String = secret.chars().take(HEAD).collect();
        let tail: String = secret.chars().skip(characters.saturating_sub(TAIL)).collect();
        // What is more than letters, digits and signs is no token, and may be anything.
        let plain = |text: &str| text.chars().all(|one| one.is_ascii_graphic());
        let shown = match length {
            Length::Medium | Length::Long if plain(&head) && plain(&tail) => {
                format!("{head}{HIDDEN}{tail}")
            }
            _ => HIDDEN.to_owned(),
        };
        Self { shown, length }
    }

    /// How long it is.
    #[must_use]
    pub const fn length(&self) -> Length {
        self.length
    }
}

/// What was written by hand into a report shows no more either.
impl TryFrom<Read> for Redacted {
    type Error = &'static str;

    fn try_from(Read { shown, length }: Read) -> Result<Self, Self::Error> {
        let parts = shown.split_once(HIDDEN);
        match parts.filter(|(head, tail)| head.len() <= HEAD && tail.len() <= TAIL) {
            Some(_) => Ok(Self { shown, length }),
            None => Err("what is shown of a match is longer than may be shown"),
        }
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_token_shows_its_kind_and_its_end() {
        let redacted = Redacted::new("made_up_token_0123456789_ABCDEFGHIJ");
        assert_eq!((redacted.to_string().as_str(), redacted.length()), ("made…IJ", Length::Medium));
        let key = format!("-----BEGIN MADE UP KEY-----\n{}", "A".repeat(800));
        assert_eq!(Redacted::new(&key).to_string(), "----…AA");
        assert_eq!(Redacted::new(&key).length(), Length::Long);
    }

    #[test]
    fn of_a_short_one_nothing_is_shown() {
        for secret in ["", "hunter2", "twenty-three-characters"] {
            let redacted = Redacted::new(secret);
            assert_eq!((redacted.to_string().as_str(), redacted.length()), ("…", Length::Short));
        }
    }

    #[test]
    fn a_report_cannot_bring_more() {
        let text = r#"{"shown":"made_up_token","length":"medium"}"#;
        assert!(serde_json::from_str::<Redacted>(text).is_err());
        let text = r#"{"shown":"made_up…","length":"medium"}"#;
        assert!(serde_json::from_str::<Redacted>(text).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_secret_all_but_six_characters_stay_hidden(secret in ".{0,200}") {
            let redacted = Redacted::new(&secret);
            let json = serde_json::to_string(&redacted).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Redacted>(&json).unwrap(), &redacted);
            for value in [redacted.to_string(), json, format!("{redacted:?}")] {
                // No run of five of its characters is anywhere but where the words around it have it.
                let characters: Vec<char> = secret.chars().collect();
                for run in characters.windows(HEAD + 1) {
                    let run: String = run.iter().collect();
                    let words = "{\"shown\":\"…\",\"length\":\"medium\"short long Redacted { shown: \"…\", length: Medium Short Long }";
                    prop_assert!(!value.contains(&run) || words.contains(&run), "{value}");
                }
            }
        }
    }
}
