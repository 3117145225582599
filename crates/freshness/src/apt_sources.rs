//! Where an image's apt takes packages from.
//!
//! In goes a file of apt, out come the archives that it names, as far as their place and suite go:
//! which components an image enables is of no concern, since what is installed is known. What apt
//! would refuse is left out here. Source: sources.list(5), apt 2.9.

use crate::deb822::{field, stanzas};

/// Sources of one image: real ones have up to a dozen.
const SOURCES: usize = 256;

/// Files of keys that one source names: real ones name one.
const KEYRINGS: usize = 8;

/// How a key begins that stands in a file of sources itself.
const BLOCK: &str = "-----BEGIN PGP";

/// A place and a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As it is written, such as `http://deb.debian.org/debian-security`.
    pub uri: String,
    /// Such as `bookworm-security`.
    pub suite: String,
    /// The files of keys that apt is told to hold it against, as `Signed-By` names them.
    pub keyrings: Vec<String>,
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
        .filter(|value| value.contains(BLOCK))
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
    let (options, rest) = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options.split_whitespace().filter_map(|option| option.split_once('='));
    let signed_by = signed_by.filter(|(name, _)| name.eq_ignore_ascii_case("signed-by"));
    let keyrings = keyrings(signed_by.flat_map(|(_, value)| value.split(',')));
    let mut words = rest.split_whitespace();
    Some(Source { uri: words.next()?.to_owned(), suite: words.next()?.to_owned(), keyrings })
}

/// Fingerprints, and keys that stand in the file itself, are no files.
fn keyrings<'text>(named: impl Iterator<Item = &'text str>) -> Vec<String> {
    named.filter(|one| one.starts_with('/')).take(KEYRINGS).map(str::to_owned).collect()
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
        let signed_by = field(&stanza, "signed-by").unwrap_or_default();
        let signed_by = Some(signed_by).filter(|value| !value.contains(BLOCK)).unwrap_or_default();
        let keyrings = keyrings(signed_by.split([' ', '\t', '\n', ',']));
        for uri in words("uris") {
            for suite in words("suites") {
                if found.len() == SOURCES {
                    return found;
                }
                let (uri, suite) = (uri.to_owned(), suite.to_owned());
                found.push(Source { uri, suite, keyrings: keyrings.clone() });
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
    fn keyrings_are_those_that_a_source_is_signed_by() {
        let keyrings = |path: &str, text: &str| sources(path, text).remove(0).keyrings;
        let line = "deb [arch=amd64 Signed-By=/opt/a.gpg,/opt/b.asc] http://a.test x main\n";
        assert_eq!(keyrings("a.list", line), ["/opt/a.gpg", "/opt/b.asc"]);
        assert_eq!(keyrings("a.list", "deb [ signed-by=4D64FEC119C2! ] http://a x\n"), [""; 0]);
        let block = "Types: deb\nURIs: http://a.test\nSuites: x\nSigned-By:";
        let several = format!("{block} /opt/a.gpg 4D64FEC119C2\n  /opt/b.asc\n");
        assert_eq!(keyrings("a.sources", &several), ["/opt/a.gpg", "/opt/b.asc"]);
        let inside = format!("{block}\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n /AAA\n");
        assert_eq!(keyrings("a.sources", &inside), [""; 0]);
        let many = format!("{block}{}", " /opt/a.gpg".repeat(1000));
        assert_eq!(keyrings("a.sources", &many).len(), KEYRINGS);
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
