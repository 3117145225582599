//! Licences as SPDX expressions, as far as what is stated has one meaning.
//!
//! In goes a text as a package states it, in the words of its ecosystem; out comes an SPDX expression,
//! or nothing where the text has no single meaning: `BSD` alone is any of several licences, and is
//! not guessed. Such a text is kept as it stands and counts as unknown. Each text of a package is
//! turned by itself: where a package states several, all of them hold.
//!
//! Sources: SPDX specification 2.3, annex D; Debian, "Machine-readable debian/copyright file", short
//! names; Fedora, "Licensing:Main" and its mapping to SPDX; PyPI's classifiers; Cargo's manifest format
//! (`/` for OR, of old).

/// Longest text that is turned; longer ones are licence texts, not names.
const LONGEST: usize = 400;
/// Deepest nesting of brackets.
const DEPTH: usize = 16;

/// Names, in lower case, and what they stand for. Sorted.
const ALIASES: &[(&str, &str)] = &[
    ("agplv3", "AGPL-3.0-only"),
    ("agplv3+", "AGPL-3.0-or-later"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license v2.0", "Apache-2.0"),
    ("apache license, version 2.0", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("apache v2", "Apache-2.0"),
    ("apache-2", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    // Of distributions, which mean the licence of Perl by it.
    ("artistic", "Artistic-1.0-Perl"),
    ("artistic 2.0", "Artistic-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("boost", "BSL-1.0"),
    ("bsd 2-clause", "BSD-2-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd with advertising", "BSD-4-Clause"),
    ("bsd-2-clause license", "BSD-2-Clause"),
    ("bsd-3-clause license", "BSD-3-Clause"),
    ("cc0", "CC0-1.0"),
    ("cc0 1.0 universal (cc0 1.0) public domain dedication", "CC0-1.0"),
    ("cddl 1.0", "CDDL-1.0"),
    ("eclipse public license 1.0", "EPL-1.0"),
    ("eclipse public license 2.0", "EPL-2.0"),
    ("epl 1.0", "EPL-1.0"),
    ("epl 2.0", "EPL-2.0"),
    ("expat", "MIT"),
    ("gnu affero general public license v3", "AGPL-3.0-only"),
    ("gnu affero general public license v3 or later (agplv3+)", "AGPL-3.0-or-later"),
    ("gnu general public license v2 (gplv2)", "GPL-2.0-only"),
    ("gnu general public license v2 or later (gplv2+)", "GPL-2.0-or-later"),
    ("gnu general public license v3 (gplv3)", "GPL-3.0-only"),
    ("gnu general public license v3 or later (gplv3+)", "GPL-3.0-or-later"),
    ("gnu lesser general public license v2 or later (lgplv2+)", "LGPL-2.0-or-later"),
    ("gnu lesser general public license v3 (lgplv3)", "LGPL-3.0-only"),
    ("gnu lesser general public license v3 or later (lgplv3+)", "LGPL-3.0-or-later"),
    ("gpl+", "GPL-1.0-or-later"),
    ("gplv2", "GPL-2.0-only"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gplv3", "GPL-3.0-only"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("isc license", "ISC"),
    ("isc license (iscl)", "ISC"),
    ("lgplv2+", "LGPL-2.0-or-later"),
    ("lgplv2.1", "LGPL-2.1-only"),
    ("lgplv2.1+", "LGPL-2.1-or-later"),
    ("lgplv3", "LGPL-3.0-only"),
    ("lgplv3+", "LGPL-3.0-or-later"),
    ("mit license", "MIT"),
    ("mit no attribution license (mit-0)", "MIT-0"),
    ("modified bsd", "BSD-3-Clause"),
    ("mozilla public license 1.1 (mpl 1.1)", "MPL-1.1"),
    ("mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"),
    ("mozilla public license version 2.0", "MPL-2.0"),
    ("mpl 2.0", "MPL-2.0"),
    ("mplv1.1", "MPL-1.1"),
    ("mplv2.0", "MPL-2.0"),
    ("new bsd", "BSD-3-Clause"),
    ("new bsd license", "BSD-3-Clause"),
    ("openldap", "OLDAP-2.8"),
    ("python software foundation license", "PSF-2.0"),
    ("simplified bsd", "BSD-2-Clause"),
    ("simplified bsd license", "BSD-2-Clause"),
    ("the apache license, version 2.0", "Apache-2.0"),
    ("the apache software license, version 2.0", "Apache-2.0"),
    ("the bsd 2-clause license", "BSD-2-Clause"),
    ("the bsd 3-clause license", "BSD-3-Clause"),
    ("the mit license", "MIT"),
    ("the mit license (mit)", "MIT"),
    ("the unlicense", "Unlicense"),
    ("the unlicense (unlicense)", "Unlicense"),
    ("zlib/libpng", "Zlib"),
    ("zlib/libpng license", "Zlib"),
];

/// What a package states, each text as an expression where it has one.
#[must_use]
pub fn expressions(stated: Vec<String>) -> Vec<String> {
    let mut turned = Vec::with_capacity(stated.len());
    for text in stated {
        let text = expression(&text).unwrap_or(text);
        if !turned.contains(&text) {
            turned.push(text);
        }
    }
    turned
}

/// The SPDX expression of a text; none where it has no single meaning.
#[must_use]
pub fn expression(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    if spdx::Expression::parse(text).is_ok() {
        return Some(text.to_owned());
    }
    // A classifier's last part is its name.
    let text = text
        .strip_prefix("License :: ")
        .map_or(text, |rest| rest.rsplit_once(" :: ").map_or(rest, |(_, name)| name));
    let turned = alternatives(text, 0)?;
    spdx::Expression::parse(&turned).is_ok().then_some(turned)
}

/// `A or B`, `A / B`.
fn alternatives(text: &str, depth: usize) -> Option<String> {
    let mut parts = divided(text, &[" or ", " | "]);
    if parts.len() == 1 && known(text).is_none() && text.contains('/') && !text.contains(' ') {
        parts = text.split('/').collect();
    }
    joined(&parts, " OR ", depth, conjunction)
}

/// `A and B`.
fn conjunction(text: &str, depth: usize) -> Option<String> {
    joined(&divided(text, &[" and ", " & "]), " AND ", depth, leaf)
}

fn joined(
    parts: &[&str],
    operator: &str,
    depth: usize,
    read: fn(&str, usize) -> Option<String>,
) -> Option<String> {
    let parts: Option<Vec<String>> = parts.iter().map(|part| read(part.trim(), depth)).collect();
    let parts = parts?;
    match parts.as_slice() {
        [one] => Some(one.clone()),
        several => {
            // A conjunction inside alternatives needs no brackets, but people read it better so.
            let bracketed = several.iter().map(|part| {
                if part.contains(' ') && !part.starts_with('(') {
                    format!("({part})")
                } else {
                    part.clone()
                }
            });
            Some(bracketed.collect::<Vec<_>>().join(operator))
        }
    }
}

/// One licence, or an expression in brackets.
fn leaf(text: &str, depth: usize) -> Option<String> {
    if let Some(id) = known(text) {
        return Some(id);
    }
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    if depth >= DEPTH {
        return None;
    }
    let turned = alternatives(inner.trim(), depth + 1)?;
    Some(if turned.contains(' ') { format!("({turned})") } else { turned })
}

/// The id of one licence.
fn known(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    // Before SPDX's own: `GPL-2.0` is an id there, but one that expressions may not use any more.
    if let Some(gnu) = gnu(&lower) {
        return Some(gnu);
    }
    if let Some(id) = spdx::license_id(text) {
        return Some(id.name.to_owned());
    }
    if let Ok(at) = ALIASES.binary_search_by_key(&lower.as_str(), |(name, _)| name) {
        return ALIASES.get(at).map(|(_, id)| (*id).to_owned());
    }
    // SPDX ids are unique without regard to case.
    spdx::identifiers::LICENSES
        .iter()
        .find(|licence| licence.name.eq_ignore_ascii_case(text))
        .map(|licence| licence.name.to_owned())
}

/// Debian's short names of the GNU licences: `GPL-2+`, `LGPL-2.1`, `GFDL-1.3+`.
fn gnu(text: &str) -> Option<String> {
    let (family, version) = text.split_once('-')?;
    let family = match family {
        "gpl" => "GPL",
        "lgpl" => "LGPL",
        "agpl" => "AGPL",
        "gfdl" => "GFDL",
        _ => return None,
    };
    let (number, suffix) = match version.strip_suffix('+') {
        Some(number) => (number, "or-later"),
        None => (version, "only"),
    };
    let number = match number.split_once('.') {
        Some(_) => number.to_owned(),
        None => format!("{number}.0"),
    };
    let id = format!("{family}-{number}-{suffix}");
    spdx::license_id(&id).map(|id| id.name.to_owned())
}

/// Divides at operators outside brackets, in any case of letters.
fn divided<'text>(text: &'text str, operators: &[&str]) -> Vec<&'text str> {
    let lower = text.to_ascii_lowercase();
    let mut parts = Vec::new();
    let (mut start, mut depth, mut at) = (0, 0_usize, 0);
    while let Some(rest) = lower.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.as_bytes().first() {
            Some(b'(') => depth += 1,
            Some(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let operator = operators.iter().find(|operator| depth == 0 && rest.starts_with(**operator));
        if let Some(operator) = operator {
            parts.extend(text.get(start..at));
            at += operator.len();
            start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_ids_of_spdx() {
        assert!(ALIASES.is_sorted_by_key(|(name, _)| *name));
        for (name, id) in ALIASES {
            assert_eq!(spdx::license_id(id).map(|id| id.name), Some(*id), "{name}");
            assert_eq!(*name, name.to_ascii_lowercase());
        }
    }

    #[test]
    fn what_ecosystems_write_becomes_an_expression() {
        for (text, expected) in [
            // Debian
            ("GPL-2+", "GPL-2.0-or-later"),
            ("LGPL-2.1", "LGPL-2.1-only"),
            ("Expat", "MIT"),
            ("Artistic or GPL-1+", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("GFDL-1.3+", "GFDL-1.3-or-later"),
            // rpm
            ("GPLv2+ and MIT", "GPL-2.0-or-later AND MIT"),
            (
                "(LGPLv3+ or GPLv2+) and ASL 2.0",
                "(LGPL-3.0-or-later OR GPL-2.0-or-later) AND Apache-2.0",
            ),
            // apk, npm, Cargo, Ruby
            ("MIT AND BSD-2-Clause", "MIT AND BSD-2-Clause"),
            ("(MIT OR Apache-2.0)", "(MIT OR Apache-2.0)"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("mit", "MIT"),
            // Python, Maven
            ("License :: OSI Approved :: MIT License", "MIT"),
            ("Apache 2.0", "Apache-2.0"),
            ("The Apache Software License, Version 2.0", "Apache-2.0"),
        ] {
            assert_eq!(expression(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_single_meaning_stays_unknown() {
        for text in [
            "BSD",
            "GPL",
            "LGPL",
            "public-domain",
            "SEE LICENSE IN LICENSE.md",
            "UNLICENSED",
            "License :: OSI Approved :: BSD License",
            "Apache Software License",
            "MIT and something else",
            "GPL-2+ with OpenSSL exception",
            "https://example.invalid/licence",
            "",
            "(MIT",
        ] {
            assert_eq!(expression(text), None, "{text}");
        }
        assert_eq!(
            expressions(vec!["BSD".into(), "MIT License".into(), "MIT".into()]),
            ["BSD", "MIT"]
        );
    }

    #[test]
    fn an_expression_stays_what_it_is() {
        for text in ["GPL-2+", "Artistic or GPL-1+", "(LGPLv3+ or GPLv2+) and ASL 2.0", "MIT/X11"] {
            if let Some(turned) = expression(text) {
                assert_eq!(expression(&turned).as_deref(), Some(turned.as_str()));
            }
        }
        let brackets = "(".repeat(200) + &")".repeat(200);
        assert_eq!(expression(&brackets), None);
        assert_eq!(expression("ünïcode and MIT or (x"), None);
    }
}
