//! Licences as CycloneDX takes them: an SPDX id, an SPDX expression, or a name.
//!
//! The schema allows either one expression or any number of licences, and checks ids against the
//! SPDX list; so text that is neither id nor expression is a name.

use serde::Serialize;

/// Licences kept of one package: package metadata can list any number.
const LICENCES: usize = 50;
/// Characters kept of one licence: some packages put the whole text there.
const CHARACTERS: usize = 300;

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum LicenceChoice<'text> {
    Expression { expression: &'text str },
    Licence { license: Licence<'text> },
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Licence<'text> {
    Id(&'static str),
    Name(std::borrow::Cow<'text, str>),
}

/// The licences of a package.
pub(super) fn choices(licences: &[String]) -> Vec<LicenceChoice<'_>> {
    if let [single] = licences
        && spdx_id(single).is_none()
        && is_expression(single)
    {
        return vec![LicenceChoice::Expression { expression: single }];
    }
    licences
        .iter()
        .filter(|text| !text.trim().is_empty())
        .take(LICENCES)
        .map(|text| LicenceChoice::Licence {
            license: spdx_id(text).map_or_else(|| name(text), Licence::Id),
        })
        .collect()
}

fn name(text: &str) -> Licence<'_> {
    Licence::Name(match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    })
}

fn spdx_id(text: &str) -> Option<&'static str> {
    spdx::license_id(text).map(|licence| licence.name)
}

fn is_expression(text: &str) -> bool {
    text.len() <= CHARACTERS && spdx::Expression::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(licences: &[&str]) -> String {
        let licences: Vec<_> = licences.iter().map(|text| (*text).to_owned()).collect();
        serde_json::to_string(&choices(&licences)).unwrap()
    }

    #[test]
    fn ids_expressions_and_names_are_told_apart() {
        assert_eq!(json(&["MIT"]), r#"[{"license":{"id":"MIT"}}]"#);
        assert_eq!(json(&["MIT OR Apache-2.0"]), r#"[{"expression":"MIT OR Apache-2.0"}]"#);
        assert_eq!(json(&["BSD style"]), r#"[{"license":{"name":"BSD style"}}]"#);
        assert_eq!(json(&["", " "]), "[]");
    }

    #[test]
    fn an_expression_among_several_licences_is_a_name_as_the_schema_asks() {
        assert_eq!(
            json(&["MIT OR Apache-2.0", "ISC"]),
            r#"[{"license":{"name":"MIT OR Apache-2.0"}},{"license":{"id":"ISC"}}]"#
        );
    }

    #[test]
    fn a_whole_licence_text_is_cut() {
        assert!(json(&["x ".repeat(10_000).as_str()]).len() < 400);
    }
}
