//! Manifests in JSON. Sources: npm, "package.json"; Composer, "The composer.json schema"; Deno,
//! "Configuration"; Bower, "bower.json specification".

use super::{Declares, exact, listed};
use crate::lockfile::{Declared, json_error};
use serde_json::Value;

type Object = serde_json::Map<String, Value>;

fn object(text: &str) -> Result<Object, String> {
    if text.trim().is_empty() {
        return Ok(Object::new());
    }
    serde_json::from_str(text).map_err(|error| json_error(&error))
}

/// An object of the file; null and what is missing are empty.
fn group<'file>(file: &'file Object, key: &str) -> impl Iterator<Item = (&'file str, &'file str)> {
    let entries = file.get(key).and_then(Value::as_object).into_iter().flatten();
    entries.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(in crate::manifests) fn npm(text: &str) -> Result<Declares, String> {
    let file = object(text)?;
    let mut declares = Declares::default();
    let groups = ["dependencies", "devDependencies", "optionalDependencies"];
    for (name, wanted) in groups.iter().flat_map(|key| group(&file, key)) {
        // The project's own folders.
        if ["file:", "link:", "portal:", "workspace:"].iter().any(|own| wanted.starts_with(own)) {
            continue;
        }
        let (name, wanted) = match wanted.strip_prefix("npm:") {
            Some(alias) => crate::lockfile::split_npm(alias).unwrap_or((alias, "")),
            None => (name, wanted),
        };
        declares.any = true;
        declares.packages.extend(match exact(wanted.trim_start_matches('=')) {
            // `1` and `1.2` are ranges.
            version if version.split('.').count() >= 3 => Declared::new(name, version, 0),
            _ => Declared::unpinned(name, 0),
        });
    }
    let workspaces = file.get("workspaces");
    declares.members = texts(workspaces);
    declares.members.extend(texts(workspaces.and_then(|of| of.get("packages"))));
    Ok(declares)
}

pub(in crate::manifests) fn bower(text: &str) -> Result<Declares, String> {
    let file = object(text)?;
    let any = ["dependencies", "devDependencies"].iter().any(|key| group(&file, key).count() > 0);
    Ok(Declares { any, ..Declares::default() })
}

pub(in crate::manifests) fn composer(text: &str) -> Result<Declares, String> {
    let file = object(text)?;
    // What has no `/` is the platform: PHP, its extensions and libraries.
    let all = ["require", "require-dev"].into_iter().flat_map(|key| group(&file, key));
    let all: Vec<(String, &str)> = all
        .filter(|(name, _)| name.contains('/'))
        .map(|(name, wanted)| (name.to_ascii_lowercase(), exact(wanted.trim_start_matches('v'))))
        .collect();
    Ok(listed(all.iter().map(|(name, version)| {
        let whole = version.split('.').count() >= 3;
        (name.as_str(), if whole { *version } else { "" }, 0)
    })))
}

/// With comments, as `deno.jsonc` may have them.
pub(in crate::manifests) fn deno(text: &str) -> Result<Declares, String> {
    let file = object(&without_comments(text))?;
    let packages = group(&file, "imports").filter_map(|(_, target)| {
        let (name, wanted) = crate::lockfile::split_npm(target.strip_prefix("npm:")?)
            .unwrap_or((target.strip_prefix("npm:")?, ""));
        let version = exact(wanted.split('/').next().unwrap_or(wanted));
        let whole = version.split('.').count() >= 3;
        Some((name.trim_start_matches('/'), if whole { version } else { "" }, 0))
    });
    let mut declares = listed(packages);
    declares.any |= group(&file, "imports")
        .any(|(_, target)| target.starts_with("jsr:") || target.contains("://"));
    let workspace = file.get("workspace");
    declares.members = texts(workspace);
    declares.members.extend(texts(workspace.and_then(|of| of.get("members"))));
    Ok(declares)
}

/// Without comments and commas before a closing bracket; texts stay as they are.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let (mut in_text, mut escaped) = (false, false);
    while let Some(letter) = letters.next() {
        match (in_text, letter, letters.peek()) {
            (true, ..) => {
                in_text = escaped || letter != '"';
                escaped = !escaped && letter == '\\';
            }
            (false, '/', Some('/')) => {
                letters.by_ref().find(|letter| *letter == '\n');
                plain.push('\n');
                continue;
            }
            (false, '/', Some('*')) => {
                let mut last = ' ';
                letters.next();
                letters
                    .by_ref()
                    .find(|letter| std::mem::replace(&mut last, *letter) == '*' && *letter == '/');
                continue;
            }
            (false, '}' | ']', _) => {
                let kept = plain.trim_end().strip_suffix(',').map(str::len);
                plain.truncate(kept.unwrap_or(plain.len()));
            }
            _ => in_text = letter == '"',
        }
        plain.push(letter);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(declares: &Declares) -> Vec<String> {
        declares.packages.iter().map(|one| format!("{}@{}", one.name, one.version)).collect()
    }

    #[test]
    fn npm_names_what_it_asks_for_and_pins_what_is_one_version() {
        let text = r#"{"dependencies":{"a":"1.2.3","b":"^1.0.0","c":"npm:@s/d@2.0.0","e":"1.x","own":"workspace:*"},
            "devDependencies":null,"optionalDependencies":{"f":"git+https://h.test/f"},"workspaces":{"packages":["p/*"]}}"#;
        let found = npm(text).unwrap();
        assert_eq!(shown(&found), ["a@1.2.3", "b@", "@s/d@2.0.0", "e@", "f@"]);
        assert_eq!(found.members, ["p/*"]);
        assert!(!npm(r#"{"name":"x","dependencies":{}}"#).unwrap().any && npm("{").is_err());
    }

    #[test]
    fn the_platform_of_php_is_no_package() {
        let found =
            composer(r#"{"require":{"php":">=8","ext-json":"*","A/b":"1.2.3","c/d":"^1"}}"#);
        assert_eq!(shown(&found.unwrap()), ["a/b@1.2.3", "c/d@"]);
        assert!(!composer(r#"{"require":{"php":">=8"}}"#).unwrap().any);
    }

    #[test]
    fn comments_of_deno_are_passed_over() {
        let text = "{ // x\n \"imports\": {\"a\": \"npm:@s/a@^1\", /* \"b\" */ \"c\": \"jsr:@s/c@1\", \"d\": \"npm:d@1.2.3\",},}";
        let found = deno(text).unwrap();
        assert_eq!(shown(&found), ["@s/a@", "d@1.2.3"]);
        assert!(found.any && deno("/*").is_ok() && deno("{\"a\": \"\\\"//\"}").is_ok());
    }
}
