//! The table of ecosystems in the documentation is that of the code.
//!
//! `LAZARET_UPDATE_DOCS=1 cargo test -p scan --test ecosystems` writes it anew.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail, and says so")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use version::Scheme;
use vocabulary::Ecosystem;

/// Lock files that pin packages of another ecosystem than their own, too.
const PINNED: &[(&str, &str)] = &[
    ("conda-environment", "PyPI"),
    ("conda-lock", "PyPI"),
    ("deno-lock", "JSR"),
    ("deno-lock", "program"),
];

/// What the table cannot say.
const ELSEWHERE: &str = "\n## Packages that are of no public registry\n\nWhat a lock file has from git, an address, a folder or a registry of its own is listed, with `vcs_url`, `download_url` or `repository_url` in its package URL (users of Conan: `user` and `channel`), without user, password and query. It is matched by name and version, since forks and mirrors of public packages are the rule; what has no version, or is a branch, is counted in coverage: *come from git, URLs, paths or private registries: listed, not matched*. A registry that serves the same packages from another host is a mirror and no qualifier is written. The project itself and the members of its own workspace are not listed, nor are crates of the workspace and what an SDK brings.\n";

/// Before the table of what lock files tell.
const RELATIONS: &str = "\n## Who asks for what\n\nWhat each format says itself, as its reader finds it in the cases of its tests: whether the project asks for a package itself (*relation*: direct or indirect), for what it is there (*scope*: runtime, optional, development), and what each package needs (*edges*). Where a file does not say relation or scope, the manifest beside it does: `package.json`, `Cargo.toml` and `pyproject.toml` name what is asked for and for what, other manifests the names; what is reached by the file's own edges from what runs is runtime, and what only development reaches is development. Of a name in several versions the words that it is asked for in tell which is meant (`name@range` of Yarn, the folder at the top of npm's version 1). Without the manifest, without edges, or where one of these is not certain, nothing is said; findings do not depend on it. `dev` with `optional` of npm is development, `devOptional` is optional.\n\n| format | relation | scope | edges |\n|---|---|---|---|\n";

/// Which package database a distribution's packages stand in, by the order of its versions.
fn database_of(scheme: Option<Scheme>) -> Option<&'static str> {
    match scheme {
        Some(Scheme::Debian) => Some("dpkg"),
        Some(Scheme::Rpm) => Some("rpm"),
        Some(Scheme::Alpine) => Some("apk"),
        Some(Scheme::Alpm) => Some("pacman"),
        Some(Scheme::Portage) => Some("portage"),
        _ => None,
    }
}

fn readers() -> BTreeMap<String, Vec<String>> {
    let mut readers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |ecosystem: &str, reader: &str| {
        readers.entry(ecosystem.to_owned()).or_default().push(reader.to_owned());
    };
    for cataloger in catalog::catalogers() {
        cataloger.yields.iter().for_each(|ecosystem| add(ecosystem, cataloger.check.id()));
    }
    for lockfile in catalog::lockfile::ALL {
        add(lockfile.ecosystem().as_str(), lockfile.name());
    }
    PINNED.iter().for_each(|(check, ecosystem)| add(ecosystem, check));
    for ecosystem in Ecosystem::KNOWN.iter().filter(|one| one.is_distribution()) {
        if let Some(database) = database_of(Scheme::of_ecosystem(ecosystem.as_str())) {
            add(ecosystem.as_str(), database);
        }
    }
    readers
}

fn table() -> String {
    let readers = readers();
    let mut text = String::from(
        "# Ecosystems\n\nMade from the code; a test holds it there. *Read by* names checks, as coverage does: package databases and what is installed first, then lock files and manifests, which count in source folders.\n\n| ecosystem | read by | versions in the order of | matched |\n|---|---|---|---|\n",
    );
    for ecosystem in Ecosystem::KNOWN {
        let read = readers.get(ecosystem.as_str()).map_or_else(
            || "bills of materials only".to_owned(),
            |list| list.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "),
        );
        let scheme = Scheme::of_ecosystem(ecosystem.as_str());
        let order = scheme.map_or("–".to_owned(), |scheme| format!("{scheme:?}"));
        let matched = match (ecosystem.has_advisories(), ecosystem.is_distribution(), scheme) {
            (false, ..) => "listed; no advisory source, said to be not checked",
            (true, _, None) => "listed; its order is not known here, said to be not checked",
            (true, ..) if !ecosystem.is_published() => {
                "by release, name and source package where a database of your own has it; else said to be not checked"
            }
            (true, true, Some(_)) => "by release, name and source package",
            (true, false, Some(_)) => "by name",
        };
        writeln!(text, "| {ecosystem} | {read} | {order} | {matched} |").unwrap();
    }
    text + &relations() + ELSEWHERE
}

/// What a format of lock files tells of its packages beyond name and version, as its reader finds it in
/// the cases: for each of relation, scope and edges, of none, some or all files.
fn told(lockfile: &catalog::lockfile::Lockfile) -> [&'static str; 3] {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/src/lockfile/cases");
    let mut files = Vec::new();
    gather(&cases.join(lockfile.name()), &mut files);
    let mut tells = [0_usize; 3];
    let mut all = 0;
    for file in files {
        let Ok(listing) = lockfile.listing(&std::fs::read(file).unwrap()) else { continue };
        let any =
            |told: fn(&catalog::lockfile::Declared) -> bool| listing.packages.iter().any(told);
        let found = [
            any(|one| one.relation.is_some()),
            any(|one| one.scope.is_some()),
            any(|one| !one.needs.is_empty()),
        ];
        all += usize::from(!listing.packages.is_empty());
        for (count, found) in tells.iter_mut().zip(found) {
            *count += usize::from(found);
        }
    }
    tells.map(|count| match count {
        0 => "–",
        count if count == all => "yes",
        _ => "where the file has it",
    })
}

fn gather(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .map(|all| all.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            gather(&entry, files);
        } else {
            files.push(entry);
        }
    }
}

fn relations() -> String {
    let mut text = String::from(RELATIONS);
    for lockfile in catalog::lockfile::ALL {
        let [relation, scope, edges] = told(lockfile);
        writeln!(text, "| `{}` | {relation} | {scope} | {edges} |", lockfile.name()).unwrap();
    }
    text
}

#[test]
fn the_documentation_lists_every_ecosystem_as_the_code_has_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ecosystems.md");
    let table = table();
    if std::env::var_os("LAZARET_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == table,
        "docs/ecosystems.md is not that of the code; run LAZARET_UPDATE_DOCS=1 cargo test -p scan --test ecosystems"
    );
}

#[test]
fn every_cataloger_is_a_check_and_yields_what_is_known() {
    let catalogers = catalog::catalogers();
    let named: Vec<&str> = catalogers.iter().map(|one| one.check.id()).collect();
    let checks =
        scan::checks(&scan::Selection::parse(["packages"], &scan::Selection::all()).unwrap());
    let ids: Vec<&str> = checks.iter().map(|check| check.id()).collect();
    assert_eq!(named, ids);
    let known = |name: &str| {
        name.starts_with('*') || Ecosystem::KNOWN.iter().any(|one| one.as_str() == name)
    };
    assert!(catalogers.iter().all(|one| one.yields.iter().all(|name| known(name))));
}
