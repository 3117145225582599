//! Manifests in JSON. Sources: npm, "package.json"; Composer, "The composer.json schema"; Deno,
//! "Configuration"; Bower, "bower.json specification".

use super::{Declares, exact, listed, source};
use crate::elsewhere::Elsewhere;
use crate::language::TEXT_LIMIT;
use crate::lockfile::{Declared, json_error};
use serde_json::Value;
use vocabulary::Scope;

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
    let groups = [
        ("dependencies", Scope::Runtime),
        ("devDependencies", Scope::Development),
        ("optionalDependencies", Scope::Optional),
    ];
    let all = groups
        .iter()
        .flat_map(|(key, scope)| group(&file, key).map(|(name, wanted)| (name, wanted, *scope)));
    for (called, wanted, scope) in all {
        let name = called;
        let before = declares.packages.len();
        // The project's own folders.
        if wanted.starts_with("workspace:") {
            continue;
        }
        if let Some(from) = Elsewhere::of_npm(wanted) {
            source::add(&mut declares, (name, "", Some(from), 0));
            asked_for(&mut declares, before, (called, wanted, scope));
            continue;
        }
        let written = wanted;
        let (name, wanted) = match wanted.strip_prefix("npm:") {
            Some(alias) => crate::lockfile::split_npm(alias).unwrap_or((alias, "")),
            None => (name, wanted),
        };
        declares.any = true;
        declares.locked.push(name.to_owned());
        declares.packages.extend(match exact(wanted.trim_start_matches('=')) {
            // `1` and `1.2` are ranges.
            version if version.split('.').count() >= 3 => Declared::new(name, version, 0),
            _ => Declared::unpinned(name, 0),
        });
        asked_for(&mut declares, before, (called, written, scope));
    }
    let workspaces = file.get("workspaces");
    declares.members = texts(workspaces);
    declares.members.extend(texts(workspaces.and_then(|of| of.get("packages"))));
    declares.name = file.get("name").and_then(Value::as_str).map(str::to_owned);
    let tool = file.get("packageManager").and_then(Value::as_str).unwrap_or_default();
    declares.make = match tool.split('@').next().unwrap_or_default() {
        "bun" => Some("bun install --lockfile-only"),
        "npm" => Some("npm install --package-lock-only"),
        "pnpm" => Some("pnpm install --lockfile-only"),
        "yarn" => Some("yarn install"),
        _ => None,
    }
    .map(str::to_owned);
    Ok(declares)
}

/// Says for what a package is asked for, and in what words lock files have that: Yarn's two forms and
/// npm's folder.
fn asked_for(declares: &mut Declares, before: usize, (called, wanted, scope): (&str, &str, Scope)) {
    declares.scoped(before, scope);
    for one in declares.packages.iter_mut().skip(before) {
        let of_registry = format!("{called}@npm:{wanted}");
        let keys = [format!("{called}@{wanted}"), of_registry, called.to_owned()];
        one.keys = keys.into_iter().filter(|key| key.len() <= TEXT_LIMIT).map(Box::from).collect();
    }
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
    let repositories: Vec<&Value> = match file.get("repositories") {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(Value::Object(all)) => all.values().collect(),
        _ => Vec::new(),
    };
    let all = all.filter(|(name, _)| name.contains('/')).map(|(name, wanted)| {
        let name = name.to_ascii_lowercase();
        let version = exact(wanted.trim_start_matches('v'));
        let version = if version.split('.').count() >= 3 { version } else { "" };
        let from = repositories.iter().find_map(|one| of_repository(one, &name));
        (name, version.to_owned(), from, 0)
    });
    let mut declares = super::sourced(all);
    // What the project stands in for itself is not installed.
    let own = ["replace", "provide"].iter().flat_map(|key| group(&file, key));
    let own: Vec<String> = own.map(|(name, _)| name.to_ascii_lowercase()).collect();
    let names = declares.packages.iter().map(|one| &one.name);
    declares.locked = names.filter(|name| !own.contains(name)).cloned().collect();
    Ok(declares)
}

/// Where a package comes from, if a repository of the file is surely its: one that is called like it,
/// or that describes it.
fn of_repository(repository: &Value, name: &str) -> Option<Elsewhere> {
    let text = |key: &str| repository.get(key).and_then(Value::as_str);
    let url = text("url").unwrap_or_default();
    let ends = url.trim_end_matches('/').trim_end_matches(".git").to_ascii_lowercase();
    let ends =
        |name: &str| ends.strip_suffix(name).is_some_and(|before| before.ends_with(['/', ':']));
    match text("type")? {
        "vcs" | "git" | "github" | "gitlab" | "bitbucket" if ends(name) => {
            Some(Elsewhere::git(url, None))
        }
        "path" if name.rsplit('/').next().is_some_and(ends) => Some(Elsewhere::path(url)),
        "package" => {
            let package = repository.get("package")?;
            let named = package.get("name").and_then(Value::as_str)?;
            let field = |of: &str, key: &str| package.get(of)?.get(key)?.as_str();
            let from = match field("dist", "url") {
                Some(url) => Elsewhere::download(url),
                None => Elsewhere::git(field("source", "url")?, field("source", "reference")),
            };
            named.eq_ignore_ascii_case(name).then_some(from)
        }
        _ => None,
    }
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
        assert_eq!(found.packages[4].elsewhere, Some(Elsewhere::git("https://h.test/f", None)));
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
    fn npm_says_where_packages_of_no_registry_come_from_and_keeps_no_secret() {
        let text = r#"{"dependencies":{"left":"github:a/b#abc","tar":"https://user:obviously-fake@h.test/tar-1.0.0.tgz","x":"file:../x"}}"#;
        let found = npm(text).unwrap();
        assert_eq!(shown(&found), ["left@", "tar@1.0.0", "x@"]);
        let from: Vec<_> = found.packages.iter().filter_map(|one| one.elsewhere.clone()).collect();
        assert_eq!(
            from,
            [
                Elsewhere::git("https://github.com/a/b.git", Some("abc")),
                Elsewhere::Download("https://h.test/tar-1.0.0.tgz".to_owned()),
                Elsewhere::path("../x"),
            ]
        );
        assert!(found.locked.is_empty());
    }

    #[test]
    fn composer_says_where_packages_of_its_own_repositories_come_from() {
        let found = composer(
            r#"{"require":{"a/b":"dev-main","c/d":"1.0.0","e/f":"*","g/h":"^1"},"repositories":[
            {"type":"vcs","url":"https://u:obviously-fake@h.test/a/b.git"},{"type":"path","url":"../f"},
            {"type":"package","package":{"name":"c/d","dist":{"url":"https://h.test/d-1.0.0.zip"}}}],"replace":{"g/h":"*"}}"#,
        )
        .unwrap();
        let from: Vec<_> = found.packages.iter().map(|one| one.elsewhere.clone()).collect();
        assert_eq!(
            from,
            [
                Some(Elsewhere::git("https://h.test/a/b.git", None)),
                Some(Elsewhere::download("https://h.test/d-1.0.0.zip")),
                Some(Elsewhere::path("../f")),
                None,
            ]
        );
        assert_eq!(found.locked, ["a/b", "c/d", "e/f"]);
    }

    #[test]
    fn comments_of_deno_are_passed_over() {
        let text = "{ // x\n \"imports\": {\"a\": \"npm:@s/a@^1\", /* \"b\" */ \"c\": \"jsr:@s/c@1\", \"d\": \"npm:d@1.2.3\",},}";
        let found = deno(text).unwrap();
        assert_eq!(shown(&found), ["@s/a@", "d@1.2.3"]);
        assert!(found.any && deno("/*").is_ok() && deno("{\"a\": \"\\\"//\"}").is_ok());
    }
}
