//! Manifests in TOML. Sources: The Cargo Book, "The Manifest Format"; PyPA, "pyproject.toml
//! specification", PEP 735; Poetry, "The pyproject.toml file"; pipenv, "Pipfile"; Gradle, "Version
//! catalogs"; Pkg.jl, "Project.toml".

use super::{Declares, exact, listed, unpinned};
use crate::lockfile::listing::Entry;
use crate::lockfile::{python_name, requirements, toml_error};
use toml::{Table, Value};

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
    let of_targets = group(&file, &["target"]).filter_map(|(_, target)| target.as_table());
    let tables = std::iter::once(&file).chain(of_targets);
    let all = tables.flat_map(|table| CARGO_GROUPS.iter().flat_map(|key| group(table, &[key])));
    let all = all.chain(group(&file, &["workspace", "dependencies"]));
    // A folder alone is the project's own.
    let others = all.filter(|(_, value)| value.get("path").is_none());
    let named = others
        .map(|(name, value)| (value.get("package").and_then(Value::as_str).unwrap_or(name), 0));
    let mut declares = unpinned(named);
    if let Some(workspace) = file.get("workspace") {
        // Whatever lies below belongs to it as a member or by its path, but for what it excludes.
        declares.members.push("**".to_owned());
        declares
            .members
            .extend(texts(workspace.get("exclude")).map(|folder| format!("!{folder}/**")));
    }
    Ok(declares)
}

pub(in crate::manifests) fn pyproject(text: &str) -> Result<Declares, String> {
    let file = table(text)?;
    let mut declares = Declares::default();
    let project = texts(at(&file, &["project", "dependencies"]));
    let optional = group(&file, &["project", "optional-dependencies"]);
    let groups = group(&file, &["dependency-groups"]);
    let flit = texts(at(&file, &["tool", "flit", "metadata", "requires"]));
    let pdm = group(&file, &["tool", "pdm", "dev-dependencies"]);
    let uv = texts(at(&file, &["tool", "uv", "dev-dependencies"]));
    let of_groups = optional.chain(groups).chain(pdm).flat_map(|(_, list)| texts(Some(list)));
    for line in project.chain(of_groups).chain(flit).chain(uv) {
        declares.any = true;
        if let Entry::Package(declared) = requirements::entry(line, 0) {
            declares.packages.push(declared);
        }
    }
    let poetry = ["dependencies", "dev-dependencies"];
    let poetry = poetry.iter().flat_map(|key| group(&file, &["tool", "poetry", key]));
    let poetry_groups = group(&file, &["tool", "poetry", "group"])
        .flat_map(|(_, of)| of.get("dependencies").and_then(Value::as_table).into_iter().flatten())
        .map(|(name, value)| (name.as_str(), value));
    let others = poetry.chain(poetry_groups);
    let others = others.filter(|(name, value)| *name != "python" && value.get("path").is_none());
    let named: Vec<(String, &str)> =
        others.map(|(name, value)| (python_name(name), pin(value))).collect();
    let poetry = listed(named.iter().map(|(name, version)| (name.as_str(), *version, 0)));
    declares.any |= poetry.any;
    declares.packages.extend(poetry.packages);
    let workspace = at(&file, &["tool", "uv", "workspace"]);
    declares.members.extend(texts(workspace.and_then(|of| of.get("members"))).map(str::to_owned));
    let excluded = texts(workspace.and_then(|of| of.get("exclude")));
    declares.members.extend(excluded.map(|folder| format!("!{folder}")));
    Ok(declares)
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
    let all: Vec<(String, &str)> = all
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, value)| (python_name(name), pin(value)))
        .collect();
    Ok(listed(all.iter().map(|(name, version)| (name.as_str(), *version, 0))))
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
        assert_eq!(shown(&found), ["a@", "d@", "e@"]);
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
        assert_eq!(shown(&found.unwrap()), ["a-b@", "c@1.0"]);
        let found =
            julia("name='X'\n[deps]\nJSON='682c06a0-de6a-54ab-a142-c8b1cf79cde6'\n").unwrap();
        assert_eq!(shown(&found), ["JSON@"]);
        assert!(!julia("[deps]\na='1'\n").unwrap().any);
    }
}
