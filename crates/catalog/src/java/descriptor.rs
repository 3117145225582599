//! The version that a `pom.xml` inside a jar states, where no `pom.properties` lies beside it.
//!
//! In goes the file, out comes the text of `project/version`, else of `project/parent/version`, which it
//! inherits. Only tags are followed; nothing is expanded, and what the build left as a property is no
//! version.
//! Source: Maven, "POM Reference", "Inheritance".

use super::manifest::filled;
use std::borrow::Cow;

/// How many tags are followed: the largest POMs have some 20,000.
const TAG_LIMIT: usize = 100_000;

/// The version, if it stands there in plain words.
pub(super) fn version(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest: &str = &text;
    let mut path: Vec<&str> = Vec::new();
    let mut inherited = None;
    for _ in 0..TAG_LIMIT {
        let Some((before, after)) = rest.split_once('<') else { break };
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        let (tag, following) = after.split_once('>')?;
        rest = following;
        if let Some(closed) = tag.strip_prefix('/') {
            let known = matches!(path.as_slice(), ["project", "version"]);
            if known {
                return filled(before).map(str::to_owned);
            }
            if matches!(path.as_slice(), ["project", "parent", "version"]) {
                inherited = filled(before).map(str::to_owned);
            }
            let _ = path.pop().filter(|open| *open == local(closed.trim_end()))?;
        } else if !tag.starts_with(['?', '!']) && !tag.ends_with('/') {
            path.push(local(tag.split_ascii_whitespace().next().unwrap_or_default()));
        }
    }
    inherited
}

/// A name without the prefix of its namespace.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

/// Group and artifact of the folders in which Maven puts both files of a package: the last four parts of
/// `META-INF/maven/<group>/<artifact>/pom.xml`, whatever stands before.
pub(super) fn place(name: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let mut parts = name.rsplit(|byte| matches!(byte, b'/' | b'\\')).skip(1);
    let (artifact, group) = (parts.next()?, parts.next()?);
    let maven = parts.next()? == b"maven" && parts.next()?.eq_ignore_ascii_case(b"META-INF");
    maven.then(|| (String::from_utf8_lossy(group), String::from_utf8_lossy(artifact)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_own_version_counts_before_the_inherited_one() {
        let parent = "<parent><version>1</version></parent>";
        for (inside, expected) in [
            ("<version> 2.0 </version>", Some("2.0")),
            ("<parent><version>1</version></parent>", Some("1")),
            (&format!("{parent}<!-- <version>3</version> --><version>2</version>"), Some("2")),
            (
                &format!("{parent}<dependencies><d><version>9</version></d></dependencies>"),
                Some("1"),
            ),
            ("<version>${revision}</version>", None),
            ("<dependencies/>", None),
        ] {
            let xml = format!("<?xml version='1.0'?>\n<project xmlns=\"x\">{inside}</project>");
            assert_eq!(version(xml.as_bytes()).as_deref(), expected, "{inside}");
        }
    }

    #[test]
    fn the_place_is_known_below_any_folder() {
        for name in ["META-INF/maven/g/a/pom.xml", "BOOT-INF/classes/META-INF/maven/g/a/pom.xml"] {
            assert_eq!(place(name.as_bytes()), Some(("g".into(), "a".into())), "{name}");
        }
        assert_eq!(place(b"maven/g/a/pom.xml"), None);
        assert_eq!(place(b"pom.xml"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<|>|/|!--|-->|project|version|parent|1|\\$|é){0,60}") {
            let _ = (version(text.as_bytes()), place(text.as_bytes()));
        }
    }
}
