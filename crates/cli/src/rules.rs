//! The rules of this program: those of each room, in one place where all rooms are known.

use vocabulary::Rules;

/// All of them, in the order in which they are shown.
pub(crate) fn all() -> Rules {
    Rules::of(&[seal::RULES]).and(&behaviour::rules()).and(&scan::rules())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_class_an_id_in_kebab_case_and_words_for_people() {
        let rules = all();
        for rule in &rules {
            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(rule.id.bytes().all(kebab), "{}", rule.id);
            assert_ne!(rule.class, vocabulary::Class::Other, "{}", rule.id);
            for text in [&rule.why, &rule.remedy] {
                assert!(text.ends_with('.') && !text.contains('\n'), "{}: {text}", rule.id);
            }
            assert!(!rule.title.ends_with('.'), "{}", rule.id);
            let reference = rule.reference.as_deref().unwrap_or("https://");
            assert!(reference.starts_with("https://"), "{reference}");
        }
    }

    #[test]
    fn the_line_and_the_words_of_every_rule() {
        let lines: Vec<String> = all()
            .iter()
            .map(|rule| {
                let always = rule.always.as_ref().map_or_else(String::new, |always| {
                    format!(" | always from {}: {} / {}", always.from, always.one, always.many)
                });
                format!("{} | {} | {}{always}", rule.class.name(), rule.id, rule.severity)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
