//! The id of a vulnerability, as somebody asks for it.

use crate::refusal::FleetError;
use std::str::FromStr;

/// Characters of an id: the longest in public databases have some forty.
const ID_CHARACTERS: usize = 128;

/// A CVE, or the id of an advisory: one printable word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Id {
    type Err = FleetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.trim();
        let plain = |c: char| c.is_ascii_graphic();
        if id.is_empty() || id.len() > ID_CHARACTERS || !id.chars().all(plain) {
            let cut: String = text.chars().take(ID_CHARACTERS).collect();
            return Err(FleetError::Id(cut.escape_debug().to_string()));
        }
        Ok(Self(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_word_of_a_bounded_length() {
        assert_eq!(" CVE-2099-0001 ".parse::<Id>().unwrap().as_str(), "CVE-2099-0001");
        for wrong in ["", " ", "CVE 1", "a\u{1b}[2J", &"x".repeat(200)] {
            let error = wrong.parse::<Id>().unwrap_err();
            assert!(!error.to_string().contains('\u{1b}'));
        }
    }
}
