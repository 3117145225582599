//! A number and what it counts, in words: `1 container`, `3 containers`.
//!
//! Every room that tells people something counts, and none should say `1 containers`.

use std::fmt::Display;

/// `1 finding`, `3 findings`.
#[must_use]
pub fn counted(
    number: impl Copy + Display + PartialEq + From<u8>,
    one: &str,
    many: &str,
) -> String {
    let noun = if number == 1.into() { one } else { many };
    format!("{number} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(counted(0_u64, "seal", "seals"), "0 seals");
        assert_eq!(counted(1_usize, "seal", "seals"), "1 seal");
        assert_eq!(counted(2_u64, "seal", "seals"), "2 seals");
    }
}
