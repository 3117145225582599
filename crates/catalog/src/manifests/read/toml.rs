//! Manifests in TOML. Sources: The Cargo Book, "The Manifest Format"; PyPA, "pyproject.toml
//! specification", PEP 735; Poetry, "The pyproject.toml file"; pipenv, "Pipfile"; Gradle, "Version
//! catalogs"; Pkg.jl, "Project.toml".

use super::{Declares, exact, listed, source, sourced, unpinned};
use crate::elsewhere::Elsewhere;
use crate::lockfile::listing::Entry;
use crate::lockfile::{python_name, requirements, toml_error};
use toml::{Table, Value};
use vocabulary::Scope;

fn table(text: &str) -> Result<Table, String> {
    toml::from_str(text).map_err(|error| toml_error(&error))
}

fn at<'file>(file: &'file Table, path: &[&str]) -> Option<&'file Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(file.get(*first)?, |value, key| value.as_table()?.get(*key))
}

fn group<'file>(
    file: &'file Table,
    path: &[&str],
) -> impl Iterator<Item = (&'file str, &'file Value)> + use<'file> {
    let entries = at(file, path).and_then(Value::as_table).into_iter().flatten();
    entries.map(|(name, value)| (name.as_str(), value))
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

const CARGO_GROUPS: [&str; 3] = ["build-dependencies", "dependencies", "dev-dependencies"];

pub(in crate::manifests) fn cargo(text: &str) -> Result<Declares, String> {
    let file = table(text)?;
    let own = at(&file, &["package", "name"]).and_then(Value::as_str);
    let of_targets = group(&file, &["target"]).filter_map(|(_, target)| target.as_table());
    let tables = std::iter::once(&file).chain(of_targets);
    let all = tables.flat_map(|table| {
        let groups = CARGO_GROUPS.iter();
        groups.flat_map(|key| group(table, &[key]).map(|(name, value)| (*key, name, value)))
    });
    let package = |name: &'_ str, value: &Value| {
        let named = value.get("package").and_then(Value::as_str);
        (named.unwrap_or(name).to_owned(), String::new(), of_table(value), 0)
    };
    let mut declares = Declares::default();
    for (key, name, value) in all {
        let before = declares.packages.len();
        let (name, version, from, line) = package(name, value);
        declares.any |= from.is_none();
        source::add(&mut declares, (&name, &version, from, line));
        let is_optional = value.get("optional").and_then(Value::as_bool) == Some(true);
        declares.scoped(
            before,
            match key {
                "dependencies" if is_optional => Scope::Optional,
                "dependencies" => Scope::Runtime,
                _ => Scope::Development,
            },
        );
    }
    // What a workspace keeps for its members is locked only where one asks for it, and what it calls
    // otherwise (`package`) is known there alone.
    let inherited = |name: &str| {
        let mut all = CARGO_GROUPS.iter().flat_map(|key| group(&file, &[key]));
        all.any(|(other, value)| other == name && value.get("workspace").is_some())
    };
    let locked = declares.packages.iter().filter(|one| !source::is_path(one));
    let locked = locked.filter(|one| Some(one.name.as_str()) != own && !inherited(&one.name));
    declares.locked = locked.map(|one| one.name.clone()).collect();
    let kept = group(&file, &["workspace", "dependencies"]);
    let kept = sourced(kept.map(|(name, value)| package(name, value)));
    declares.any |= kept.any;
    declares.offered = u32::try_from(kept.packages.len()).unwrap_or(u32::MAX);
    declares.packages.extend(kept.packages);
    if let Some(workspace) = file.get("workspace") {
        // Whatever lies below belongs to it as a member or by its path, but for what it excludes.
        declares.members.push("**".to_owned());
        declares
            .members
            .extend(texts(workspace.get("exclude")).map(|folder| format!("!{folder}/**")));
    }
    Ok(declares)
}

/// `{git = …}`, `{url = …}` and `{path = …}`.
fn of_table(value: &Value) -> Option<Elsewhere> {
    source::of_fields(|key| value.get(key)?.as_str())
}

pub(in crate::manifests) fn pyproject(text: &str) -> Result<Declares, String> {
    let file = table(text)?;
    let mut declares = Declares::default();
    of_standards(&file, &mut declares);
    of_poetry(&file, &mut declares);
    of_uv(&file, &mut declares);
    let tool = |name: &str| at(&file, &["tool", name]).is_some();
    let backend = at(&file, &["build-system", "build-backend"]).and_then(Value::as_str);
    let backend = |name: &str| backend.is_some_and(|backend| backend.starts_with(name));
    declares.make = match () {
        () if tool("poetry") => Some("poetry lock"),
        () if tool("pdm") => Some("pdm lock"),
        () if tool("uv") => Some("uv lock"),
        () if backend("poetry") => Some("poetry lock"),
        () if backend("pdm") => Some("pdm lock"),
        () => None,
    }
    .map(str::to_owned);
    Ok(declares)
}

/// What the standards of Python have tables for, and tools that write lists in the same way.
fn of_standards(file: &Table, declares: &mut Declares) {
    let own = at(file, &["project", "name"]).and_then(Value::as_str).map(python_name);
    let project = texts(at(file, &["project", "dependencies"]));
    let optional = group(file, &["project", "optional-dependencies"]);
    let groups = group(file, &["dependency-groups"]);
    let flit = texts(at(file, &["tool", "flit", "metadata", "requires"]));
    let pdm = group(file, &["tool", "pdm", "dev-dependencies"]);
    let uv = texts(at(file, &["tool", "uv", "dev-dependencies"]));
    let optional = optional.flat_map(|(_, list)| texts(Some(list)));
    let optional = optional.map(|line| (line, false, Scope::Optional));
    let groups = groups.chain(pdm).flat_map(|(_, list)| texts(Some(list))).chain(uv);
    let groups = groups.map(|line| (line, false, Scope::Development));
    let flit = flit.map(|line| (line, false, Scope::Runtime));
    let project = project.map(|line| (line, true, Scope::Runtime));
    for (line, is_main, scope) in project.chain(optional).chain(groups).chain(flit) {
        match requirements::entry(line, 0) {
            // Its own extras: `name[extra]`.
            Entry::Package(found) if Some(&found.name) == own.as_ref() => {}
            Entry::Package(mut found) => {
                found.scope = Some(scope);
                // Under a condition it may be for no version of Python that is asked for, and groups
                // are locked as the tool is called.
                if is_main && found.elsewhere.is_none() && !line.contains(';') {
                    declares.locked.push(found.name.clone());
                }
                declares.any |= !source::is_path(&found);
                declares.packages.push(found);
            }
            Entry::Own => {}
            Entry::Unread(_) => (declares.any, declares.hidden) = (true, true),
        }
    }
}

fn of_poetry(file: &Table, declares: &mut Declares) {
    let main = group(file, &["tool", "poetry", "dependencies"]).map(|one| (one, true));
    let old = group(file, &["tool", "poetry", "dev-dependencies"]);
    let poetry_groups = group(file, &["tool", "poetry", "group"])
        .flat_map(|(_, of)| of.get("dependencies").and_then(Value::as_table).into_iter().flatten())
        .map(|(name, value)| (name.as_str(), value));
    let all = main.chain(old.chain(poetry_groups).map(|one| (one, false)));
    for ((name, value), is_main) in all.filter(|((name, _), _)| *name != "python") {
        let before = declares.packages.len();
        let name = python_name(name);
        let from = of_table(value);
        declares.any |= from.is_none();
        // One with several conditions is a list.
        let is_plain = from.is_none()
            && (value.is_str() || value.is_table())
            && ["markers", "platform", "python"].iter().all(|key| value.get(key).is_none());
        declares.locked.extend(is_plain.then(|| name.clone()));
        source::add(declares, (&name, pin(value), from, 0));
        let is_optional = value.get("optional").and_then(Value::as_bool) == Some(true);
        declares.scoped(
            before,
            match (is_main, is_optional) {
                (true, true) => Scope::Optional,
                (true, false) => Scope::Runtime,
                (false, _) => Scope::Development,
            },
        );
    }
}

/// Where uv takes packages from that are named elsewhere in the file, and its workspace.
fn of_uv(file: &Table, declares: &mut Declares) {
    for (name, value) in group(file, &["tool", "uv", "sources"]) {
        let name = python_name(name);
        let is_own = value.get("workspace").and_then(Value::as_bool) == Some(true);
        let from = of_table(value);
        if !is_own && from.is_none() {
            continue;
        }
        declares.locked.retain(|one| *one != name);
        let mut found = Vec::new();
        for one in std::mem::take(&mut declares.packages) {
            match &from {
                _ if one.name != name => found.push(one),
                Some(from) => {
                    let mut only = Declares::default();
                    source::add(&mut only, (&name, "", Some(from.clone()), one.line));
                    only.packages.iter_mut().for_each(|new| new.scope = one.scope);
                    found.append(&mut only.packages);
                }
                None => {}
            }
        }
        declares.packages = found;
    }
    let workspace = at(file, &["tool", "uv", "workspace"]);
    declares.members.extend(texts(workspace.and_then(|of| of.get("members"))).map(str::to_owned));
    let excluded = texts(workspace.and_then(|of| of.get("exclude")));
    declares.members.extend(excluded.map(|folder| format!("!{folder}")));
}

/// `"==1.0"`, and `"1.0"` of Poetry, which is exactly that.
fn pin(value: &Value) -> &str {
    let text = value.as_str().or_else(|| value.get("version")?.as_str()).unwrap_or_default();
    exact(text.trim_start_matches('='))
}

pub(in crate::manifests) fn pipfile(text: &str) -> Result<Declares, String> {
    let file = table(text)?;
    let tools = ["source", "requires", "scripts", "pipenv"];
    let categories = file.iter().filter(|(name, _)| !tools.contains(&name.as_str()));
    let all = categories.filter_map(|(_, of)| of.as_table()).flatten();
    let all =
        all.map(|(name, value)| (python_name(name), pin(value).to_owned(), of_table(value), 0));
    Ok(sourced(all))
}

pub(in crate::manifests) fn gradle(text: &str) -> Result<Declares, String> {
    let file = table(text)?;
    let version_of = |library: &Value| -> Option<String> {
        let version = library.get("version")?;
        let reference = version.get("ref").and_then(Value::as_str);
        let version = reference.map_or(Some(version), |name| at(&file, &["versions", name]))?;
        let strictly = version.get("strictly").or_else(|| version.get("require"));
        strictly.unwrap_or(version).as_str().map(str::to_owned)
    };
    let all = group(&file, &["libraries"]).filter_map(|(_, library)| {
        if let Some(text) = library.as_str() {
            let (module, version) = text.rsplit_once(':')?;
            return Some((module.to_owned(), version.to_owned()));
        }
        let module = match library.get("module").and_then(Value::as_str) {
            Some(module) => module.to_owned(),
            None => {
                format!("{}:{}", library.get("group")?.as_str()?, library.get("name")?.as_str()?)
            }
        };
        Some((module, version_of(library).unwrap_or_default()))
    });
    let all: Vec<(String, String)> = all.collect();
    Ok(listed(all.iter().map(|(module, version)| (module.as_str(), exact(version), 0))))
}

/// Of Julia, where it is one: other tools have files of this name.
pub(in crate::manifests) fn julia(text: &str) -> Result<Declares, String> {
    let file = table(text)?;
    let uuid = |value: &Value| value.as_str().is_some_and(|uuid| uuid.len() == 36);
    let all = ["deps", "weakdeps", "extras"].into_iter().flat_map(|key| group(&file, &[key]));
    Ok(unpinned(all.filter(|(_, value)| uuid(value)).map(|(name, _)| (name, 0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(declares: &Declares) -> Vec<String> {
        declares.packages.iter().map(|one| format!("{}@{}", one.name, one.version)).collect()
    }

    #[test]
    fn cargo_names_packages_and_not_the_projects_own_folders() {
        let text = "[package]\nname='x'\n[dependencies]\na='1'\nb={path='../b'}\nc={package='d',version='1'}\n\
            [target.'cfg(unix)'.dev-dependencies]\ne='1'\n[workspace]\nmembers=['m']\nexclude=['n']\n";
        let found = cargo(text).unwrap();
        assert_eq!(shown(&found), ["a@", "b@", "d@", "e@"]);
        assert_eq!(found.locked, ["a", "d", "e"]);
        assert_eq!(found.members, ["**", "!n/**"]);
        assert!(cargo("[").is_err() && !cargo("[package]\nname='x'\n").unwrap().any);
    }

    #[test]
    fn every_table_of_a_pyproject_that_asks_for_packages_is_read() {
        let text = "[project]\ndependencies=['a==1.0','b>=1']\n[project.optional-dependencies]\nx=['c']\n\
            [dependency-groups]\ndev=['d',{include-group='x'}]\n[tool.poetry.dependencies]\npython='^3'\ne='1.0'\nf='^1'\n\
            [tool.poetry.group.dev.dependencies]\ng={version='==2.0'}\n[tool.uv.workspace]\nmembers=['p/*']\n";
        let found = pyproject(text).unwrap();
        assert_eq!(shown(&found), ["a@1.0", "b@", "c@", "d@", "e@1.0", "f@", "g@2.0"]);
        assert_eq!(found.members, ["p/*"]);
        assert!(!pyproject("[build-system]\nrequires=['setuptools']\n[tool.black]\n").unwrap().any);
    }

    #[test]
    fn packages_of_no_registry_say_where_they_come_from_and_keep_no_secret() {
        let from = |found: Result<Declares, String>| -> Vec<String> {
            let all = found.unwrap().packages.into_iter();
            all.map(|one| match one.elsewhere {
                Some(Elsewhere::Vcs(address) | Elsewhere::Download(address)) => address,
                _ => "-".to_owned(),
            })
            .collect()
        };
        assert_eq!(
            from(cargo(
                "[dependencies]\na={git='https://u:obviously-fake@h.test/a',tag='v1'}\nb={path='../b'}\nc='1'\n"
            )),
            ["git+https://h.test/a@v1", "file:../b", "-"]
        );
        assert_eq!(
            from(pyproject(
                "[project]\nname='P'\ndependencies=['a @ git+https://h.test/a@v1','b','p[x]','w']\n\
                [tool.uv.sources]\nb={git='https://h.test/b',rev='01'}\nw={workspace=true}\n\
                [tool.poetry.dependencies]\nc={git='https://h.test/c.git',branch='x'}\nd={url='https://h.test/d-1.0.zip'}\ne={path='../e'}\n"
            )),
            [
                "git+https://h.test/a@v1",
                "git+https://h.test/b@01",
                "git+https://h.test/c.git@x",
                "https://h.test/d-1.0.zip",
                "file:../e",
            ]
        );
        assert_eq!(
            from(pipfile(
                "[packages]\na={git='https://h.test/a.git',ref='01'}\nb={file='https://h.test/b.zip'}\n"
            )),
            ["git+https://h.test/a.git@01", "https://h.test/b.zip"]
        );
    }

    #[test]
    fn what_is_under_a_condition_or_in_a_group_need_not_be_locked() {
        let text = "[project]\ndependencies=['a','b; sys_platform==\"win32\"']\n[dependency-groups]\ndev=['c']\n\
            [tool.poetry.dependencies]\nd='^1'\ne={version='1',markers='x'}\n";
        assert_eq!(pyproject(text).unwrap().locked, ["a", "d"]);
    }

    #[test]
    fn a_catalog_of_gradle_names_modules_and_versions() {
        let text = "[versions]\nv='1.2'\nw={strictly='2.0'}\n[libraries]\na={module='g:a',version.ref='v'}\n\
            b={group='g',name='b',version.ref='w'}\nc='g:c:3.0'\nd={module='g:d'}\ne={module='g:e',version='[1,2)'}\n";
        assert_eq!(
            shown(&gradle(text).unwrap()),
            ["g:a@1.2", "g:b@2.0", "g:c@3.0", "g:d@", "g:e@"]
        );
    }

    #[test]
    fn pipfile_and_julia_name_packages() {
        let found = pipfile(
            "[[source]]\nname='x'\n[packages]\nA_b='*'\nc='==1.0'\n[dev-packages]\nd={path='.'}\n",
        );
        assert_eq!(shown(&found.unwrap()), ["d@", "a-b@", "c@1.0"]);
        let found =
            julia("name='X'\n[deps]\nJSON='682c06a0-de6a-54ab-a142-c8b1cf79cde6'\n").unwrap();
        assert_eq!(shown(&found), ["JSON@"]);
        assert!(!julia("[deps]\na='1'\n").unwrap().any);
    }
}
