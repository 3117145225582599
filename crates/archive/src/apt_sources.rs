//! Where an image's apt takes packages from.
//!
//! In goes a file of apt, out come the archives that it names, as far as their place and suite go:
//! which components an image enables is of no concern, since what is installed is known. What apt
//! would refuse is left out here. Source: sources.list(5), apt 2.9.

use crate::deb822::{field, stanzas};

/// Sources of one image: real ones have up to a dozen.
const SOURCES: usize = 256;

/// A place and a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As it is written, such as `http://deb.debian.org/debian-security`.
    pub uri: String,
    /// Such as `bookworm-security`.
    pub suite: String,
}

/// What a file names, by its name: `.sources` are deb822, others are lines.
#[must_use]
pub fn sources(path: &str, text: &str) -> Vec<Source> {
    let mut found = if path.ends_with(".sources") { blocks(text) } else { lines(text) };
    found.truncate(SOURCES);
    found
}

/// Keys that stand in a deb822 file itself (`Signed-By` with a block of armor).
#[must_use]
pub fn keys(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".sources") {
        return Vec::new();
    }
    let armor = |value: &str| {
        let lines = value.lines().map(|line| if line == "." { "" } else { line });
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    stanzas(text)
        .iter()
        .filter_map(|stanza| field(stanza, "signed-by"))
        .filter(|value| value.contains("-----BEGIN PGP"))
        .take(SOURCES)
        .map(armor)
        .collect()
}

/// `deb [option=value …] uri suite component…`
fn lines(text: &str) -> Vec<Source> {
    text.lines().filter_map(line).take(SOURCES).collect()
}

fn line(line: &str) -> Option<Source> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let rest = line.strip_prefix("deb")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    Some(Source { uri: words.next()?.to_owned(), suite: words.next()?.to_owned() })
}

fn blocks(text: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for stanza in stanzas(text) {
        let words = |name| field(&stanza, name).unwrap_or_default().split_whitespace();
        let off = ["no", "false", "without", "off", "disable", "0"];
        let enabled = !words("enabled").any(|word| off.contains(&word.to_lowercase().as_str()));
        if !enabled || !words("types").any(|kind| kind == "deb") {
            continue;
        }
        for uri in words("uris") {
            for suite in words("suites") {
                if found.len() == SOURCES {
                    return found;
                }
                found.push(Source { uri: uri.to_owned(), suite: suite.to_owned() });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> Vec<String> {
        sources(path, text).into_iter().map(|one| format!("{} {}", one.uri, one.suite)).collect()
    }

    #[test]
    fn lines_are_read_with_their_options_and_remarks() {
        let text = "# a remark\n\
            deb http://a.test/debian bookworm main contrib # more\n\
            deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://b.test/x y-security main\n\
            deb-src http://c.test/debian bookworm main\n\
            \tdeb\thttp://d.test/ ./\n\
            deb http://no-suite.test\ndebian http://e.test f\ndeb [broken http://f.test g\n";
        let expected =
            ["http://a.test/debian bookworm", "http://b.test/x y-security", "http://d.test/ ./"];
        assert_eq!(named("etc/apt/sources.list", text), expected);
    }

    #[test]
    fn blocks_are_read_with_every_place_and_suite_unless_disabled() {
        let text = "Types: deb deb-src\nURIs: http://a.test/debian\n  http://b.test/debian\n\
            Suites: bookworm bookworm-updates\nComponents: main\n\n# remark\n\
            Types: deb-src\nURIs: http://c.test\nSuites: x\n\n\
            Enabled: no\nTypes: deb\nURIs: http://d.test\nSuites: x\n";
        let expected = [
            "http://a.test/debian bookworm",
            "http://a.test/debian bookworm-updates",
            "http://b.test/debian bookworm",
            "http://b.test/debian bookworm-updates",
        ];
        assert_eq!(named("a.sources", text), expected);
    }

    #[test]
    fn keys_inside_a_block_are_found() {
        let text = "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AAAA\n\
            \x20-----END PGP PUBLIC KEY BLOCK-----\n";
        let expected = "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n\
            -----END PGP PUBLIC KEY BLOCK-----\n";
        assert_eq!(keys("a.sources", text), [expected]);
    }
}
