//! The map of Yarn's Plug'n'Play: which packages an application may load, and where they lie.
//!
//! In goes `.pnp.cjs`, a program that holds the map as a text (Yarn 3 and 4) or as an object (2),
//! `.pnp.data.json`, which is the map alone, or `.pnp.js` of Yarn 1, whose map is code of one shape. Out
//! come packages with the folder or the archive that they lie in, seen from the file. No code is run.
//! Source: Yarn documentation, "PnP Specification"; yarnpkg, `pnp/sources/generatePnpScript.ts`,
//! `util/generate-pnp-map.js`.

use crate::elsewhere::{Elsewhere, npm_name_at, of_berry, version_of_file};
use crate::lockfile::Declared;
use image::ReadError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Most packages of one map; the largest applications have some ten thousand.
const PACKAGES: usize = 200_000;

/// A map.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Map {
    /// Packages, each with its location as it is written.
    pub(super) packages: Vec<(Declared, String)>,
    /// Whether it leaves the map to `.pnp.data.json`.
    pub(super) is_split: bool,
    /// How many entries could not be read.
    pub(super) unread: u32,
}

#[derive(Deserialize)]
struct State<'text> {
    #[serde(borrow, rename = "packageRegistryData")]
    registry: Vec<Entry<'text>>,
}

/// A name, none for the project itself, and its references.
type Entry<'text> = (Option<Cow<'text, str>>, Vec<Reference<'text>>);
type Reference<'text> = (Option<Cow<'text, str>>, Info<'text>);

#[derive(Deserialize)]
struct Info<'text> {
    #[serde(borrow, default, rename = "packageLocation")]
    location: Cow<'text, str>,
}

/// Reads a map.
pub(super) fn parse(bytes: &[u8]) -> Result<Map, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::new("it is not UTF-8 text"))?;
    if let Some(state) = state_of(text) {
        let mut reader = serde_json::Deserializer::from_str(&state);
        let state = State::deserialize(&mut reader)
            .map_err(|_| ReadError::new("its map of packages is damaged; run `yarn install`"))?;
        return of_state(&state);
    }
    if text.contains("packageInformationStores = new Map([") {
        return Ok(of_first(text));
    }
    if text.contains(".pnp.data.json") {
        return Ok(Map { is_split: true, ..Map::default() });
    }
    Err(ReadError::new("it holds no map of packages that is known; run `yarn install`"))
}

/// The JSON in a program, or the text where it is that.
fn state_of(text: &str) -> Option<Cow<'_, str>> {
    if text.trim_start().starts_with('{') {
        return Some(Cow::Borrowed(text));
    }
    if let Some((_, rest)) = text.split_once("RAW_RUNTIME_STATE =") {
        return rest.trim_start().strip_prefix('\'').map(|inside| Cow::Owned(literal(inside)));
    }
    let (_, rest) = text.split_once("return hydrateRuntimeState({")?;
    Some(Cow::Owned(format!("{{{rest}")))
}

/// A text of JavaScript up to its quote. Yarn escapes line ends, quotes and backslashes alone.
fn literal(inside: &str) -> String {
    let mut plain = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => break,
            '\\' => match letters.next() {
                Some('\r' | '\n') | None => {}
                Some(escaped) => plain.push(escaped),
            },
            letter => plain.push(letter),
        }
    }
    plain
}

fn of_state(state: &State<'_>) -> Result<Map, ReadError> {
    let mut map = Map::default();
    for (name, references) in &state.registry {
        let Some(name) = name else { continue };
        for (reference, info) in references {
            let Some(reference) = reference.as_deref().filter(|one| !is_own(one)) else { continue };
            match declared(name, reference) {
                Some(declared) => map.packages.push((declared, info.location.clone().into_owned())),
                None => map.unread = map.unread.saturating_add(1),
            }
        }
        if map.packages.len() > PACKAGES {
            return Err(ReadError::new(format!("it names more than {PACKAGES} packages")));
        }
    }
    Ok(map)
}

/// Whether a reference is of the project's own members.
fn is_own(reference: &str) -> bool {
    let inner = reference.strip_prefix("virtual:").and_then(|rest| rest.split_once('#'));
    inner.map_or(reference, |(_, inner)| inner).starts_with("workspace:")
}

fn declared(name: &str, reference: &str) -> Option<Declared> {
    let locator = format!("{name}@{reference}");
    let (name, reference) = of_berry(&locator)?;
    if let Some(version) = reference.strip_prefix("npm:") {
        return Declared::new(&name, version, 0);
    }
    if let Some(named) = npm_name_at(&reference) {
        return Declared::new(&named, version_of_file(&named, &reference)?, 0);
    }
    let elsewhere = Elsewhere::of_npm(&reference).unwrap_or_else(|| Elsewhere::path(&reference));
    Declared::from_elsewhere(&name, version_of_file(&name, &reference), elsewhere, 0)
}

/// Yarn 1 writes `["name", new Map([` and below `["1.2.3", {` and `packageLocation: …, "path"),`.
fn of_first(text: &str) -> Map {
    let mut map = Map::default();
    let mut name = None;
    let quoted = |line: &str| -> Option<String> {
        let (inside, _) = line.strip_prefix("[\"")?.split_once('"')?;
        Some(inside.to_owned())
    };
    for line in text.lines().map(str::trim) {
        if line.ends_with(", new Map([") {
            name = quoted(line);
        } else if line.ends_with("\", {") && map.packages.len() < PACKAGES {
            if let (Some(name), Some(version)) = (&name, quoted(line)) {
                let version = version.rsplit('#').next().unwrap_or_default();
                map.packages.extend(
                    Declared::new(name, version, 0).map(|declared| (declared, String::new())),
                );
            }
        } else if let Some(rest) = line.strip_prefix("packageLocation: path.resolve(__dirname, \"")
            && let Some((_, location)) = map.packages.last_mut()
        {
            *location = rest.split('"').next().unwrap_or_default().to_owned();
        }
    }
    map
}

/// Where the folder or archive of a location lies, seen from the root of the subject.
pub(super) fn resolved(map: &str, location: &str) -> String {
    let folder = map.rsplit_once('/').map_or("", |(folder, _)| folder);
    let absolute = location.starts_with('/');
    let from = if absolute { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(location.split('/')) {
        match part {
            "" | "." => {}
            // Above the root is the root.
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let archive = parts.iter().position(|part| part.ends_with(".zip"));
    match archive {
        Some(at) => parts.get(..=at).unwrap_or_default().join("/"),
        None => format!("{}/package.json", parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"__info":["it's"],"packageRegistryData":[
        [null,[[null,{"packageLocation":"./","packageDependencies":[],"linkType":"SOFT"}]]],
        ["@s/a",[["virtual:00#npm:1.0.0",{"packageLocation":"./.yarn/__virtual__/x/0/cache/a.zip/node_modules/@s/a/"}],
                 ["npm:1.0.0",{"packageLocation":"./.yarn/cache/a.zip/node_modules/@s/a/"}]]],
        ["b",[["patch:b@npm%3A2.0.0#./b.patch",{"packageLocation":"./.yarn/unplugged/b/node_modules/b/"}]]],
        ["c",[["https://host.test/c.git#commit=01",{"packageLocation":"../up/c/"}]]],
        ["own",[["workspace:packages/own",{"packageLocation":"./packages/own/"}]]]]}"#;

    fn names(text: &str) -> Vec<String> {
        let map = parse(text.as_bytes()).unwrap();
        map.packages.iter().map(|(one, _)| format!("{} {}", one.name, one.version)).collect()
    }

    #[test]
    fn every_form_of_the_map_names_the_same_packages() {
        let expected = ["@s/a 1.0.0", "@s/a 1.0.0", "b 2.0.0", "c "];
        assert_eq!(names(STATE), expected);
        let escaped: String = STATE
            .chars()
            .flat_map(|letter| {
                let escape = matches!(letter, '\\' | '\n' | '\'').then_some('\\');
                escape.into_iter().chain([letter])
            })
            .collect();
        let third = format!(
            "#!/usr/bin/env node\nconst RAW_RUNTIME_STATE =\n'{escaped}';\nfunction x() {{}}\n"
        );
        assert_eq!(names(&third), expected);
        assert_eq!(names(&third.replace('\n', "\r\n")), expected);
        let second = format!(
            "function $$SETUP_STATE(hydrateRuntimeState, basePath) {{\n  return hydrateRuntimeState({STATE}, {{basePath: basePath}});\n}}"
        );
        assert_eq!(names(&second), expected);
    }

    #[test]
    fn the_map_of_yarn_1_is_read_as_it_is_written() {
        let text = "let packageInformationStores = new Map([\n  [\"a\", new Map([\n    [\"1.0.0\", {\n      packageLocation: path.resolve(__dirname, \"../c/npm-a-1.0.0/node_modules/a/\"),\n      packageDependencies: new Map([\n        [\"a\", \"1.0.0\"],\n      ]),\n    }],\n  ])],\n]);";
        assert_eq!(names(text), ["a 1.0.0"]);
        let map = parse(text.as_bytes()).unwrap();
        let at = resolved("srv/app/.pnp.js", &map.packages[0].1);
        assert_eq!(at, "srv/c/npm-a-1.0.0/node_modules/a/package.json");
    }

    #[test]
    fn locations_lead_to_archives_and_folders() {
        let at = |location| resolved("app/.pnp.cjs", location);
        assert_eq!(at("./.yarn/cache/a.zip/node_modules/a/"), "app/.yarn/cache/a.zip");
        assert_eq!(
            at("../../../root/.yarn/berry/cache/a.zip/node_modules/a/"),
            "root/.yarn/berry/cache/a.zip"
        );
        assert_eq!(
            at("./.yarn/unplugged/b/node_modules/b/"),
            "app/.yarn/unplugged/b/node_modules/b/package.json"
        );
    }

    #[test]
    fn a_program_without_a_map_is_a_problem_unless_it_leaves_it_to_its_data() {
        assert!(parse(b"#!/usr/bin/env node\n").is_err());
        assert!(parse(b"const RAW_RUNTIME_STATE =\n'{';").is_err());
        assert!(parse(b"require('./.pnp.data.json')").unwrap().is_split);
        for end in 0..STATE.len() {
            let _ = parse(&STATE.as_bytes()[..end]);
        }
    }
}
