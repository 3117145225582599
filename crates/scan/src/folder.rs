//! A folder as a subject: what it is called, where in a checkout it lies, and its project's version.
//!
//! A folder that is named by where somebody stands (`.`, `..`) is called by its own name: a report that
//! is about `.` says nothing to whoever reads it elsewhere. What lies above it is only asked for, never
//! read: `.git` with a `HEAD`, or the file that stands for it in a work tree or a submodule, is the root
//! of a checkout, from which services look for the files that a report names. It decides nothing else.
//! The version is what the project's manifest says of itself, for the subject of a bill of materials.

use files::Folder;
use std::path::{Component, Path};
use vocabulary::{Subject, SubjectKind};

/// How many folders above are asked for.
const ABOVE: usize = 64;
/// Bytes of a manifest: one with thousands of dependencies has some hundred thousand.
const MANIFEST_BYTES: u64 = 1 << 20;
/// Characters of a version; longer ones are none.
const VERSION: usize = 128;

/// The subject that is a folder.
pub(crate) fn subject(reference: &str, folder: &Path) -> Subject {
    let own = folder.canonicalize().ok();
    Subject {
        kind: SubjectKind::SourceDirectory,
        name: name(reference, own.as_deref()),
        manifest_digest: None,
        config_digest: None,
        tags: Vec::new(),
        platform: None,
        base: None,
        source: None,
        checkout: own.as_deref().and_then(checkout),
        version: version(folder),
    }
}

/// The reference, unless it says where somebody stands or goes back: then it is the folder's own name.
/// What stands behind the name and says nothing (`shop/.`, `shop/`) is left out.
fn name(reference: &str, own: Option<&Path>) -> String {
    let path = reference.strip_prefix("dir:").unwrap_or(reference);
    let mut components = Path::new(path).components();
    let goes_back = components.clone().any(|part| part == Component::ParentDir);
    // A dot behind a slash is no component of its own.
    let says = matches!(components.next_back(), Some(Component::Normal(_))) && !goes_back;
    let own = own.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    if let Some(own) = own.filter(|_| !says) {
        return own;
    }
    let mut rest = reference;
    while let Some(shorter) = rest.strip_suffix("/.").or_else(|| rest.strip_suffix('/'))
        && says
    {
        rest = shorter;
    }
    rest.to_owned()
}

/// The path of a folder from the root of the checkout that it lies in.
fn checkout(folder: &Path) -> Option<String> {
    let root = folder.ancestors().take(ABOVE).find(|above| is_checkout(above))?;
    let names = folder.strip_prefix(root).ok()?.components();
    let names: Option<Vec<&str>> = names.map(|name| name.as_os_str().to_str()).collect();
    Some(names?.join("/"))
}

fn is_checkout(folder: &Path) -> bool {
    let git = folder.join(".git");
    let Ok(found) = git.symlink_metadata() else { return false };
    found.is_file() || found.is_dir() && git.join("HEAD").symlink_metadata().is_ok()
}

/// The first version that a manifest of the folder says of the project.
fn version(folder: &Path) -> Option<String> {
    let folder = Folder::open(folder).ok()?;
    let text = |name: &str| {
        let bytes = folder.read(Path::new(name), MANIFEST_BYTES).ok()?;
        String::from_utf8(bytes).ok()
    };
    let json = |name: &str| {
        let value: serde_json::Value = serde_json::from_str(&text(name)?).ok()?;
        plain(value.get("version")?.as_str()?)
    };
    let toml = |name: &str, places: &[&[&str]]| {
        let value: toml::Table = text(name)?.parse().ok()?;
        places.iter().find_map(|place| plain(at(&value, place)?))
    };
    json("package.json")
        .or_else(|| toml("Cargo.toml", &[&["package"], &["workspace", "package"]]))
        .or_else(|| toml("pyproject.toml", &[&["project"], &["tool", "poetry"]]))
        .or_else(|| json("composer.json"))
}

/// `version` of a table in tables.
fn at<'table>(table: &'table toml::Table, place: &[&str]) -> Option<&'table str> {
    let inner = place.iter().try_fold(table, |table, name| table.get(*name)?.as_table())?;
    inner.get("version")?.as_str()
}

fn plain(version: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_graphic();
    let fits = (1..=VERSION).contains(&version.len()) && version.chars().all(is_plain);
    fits.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_called_by_its_name_and_not_by_where_somebody_stands() {
        let own = Path::new("/home/me/shop");
        for (reference, expected) in [
            (".", "shop"),
            ("./", "shop"),
            ("dir:.", "shop"),
            ("sub/..", "shop"),
            ("..", "shop"),
            ("./shop", "./shop"),
            ("shop/.", "shop"),
            ("shop/", "shop"),
            ("/home/me/shop/./", "/home/me/shop"),
            ("dir:/home/me/shop/.", "dir:/home/me/shop"),
            ("./shop/../shop", "shop"),
            ("../shop", "shop"),
            ("dir:shop", "dir:shop"),
            ("/home/me/shop", "/home/me/shop"),
        ] {
            assert_eq!(name(reference, Some(own)), expected, "{reference}");
        }
        assert_eq!(name("/", Some(Path::new("/"))), "/");
        assert_eq!(name(".", None), ".");
    }

    #[test]
    fn a_folder_knows_its_place_in_the_checkout_and_its_version() {
        let bench = tempfile::tempdir().unwrap();
        let deep = bench.path().join("repo/sub/dir");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(subject("x", &deep).checkout, None);
        // An empty folder of the name is no checkout.
        std::fs::create_dir(bench.path().join("repo/.git")).unwrap();
        assert_eq!(subject("x", &deep).checkout, None);
        std::fs::write(bench.path().join("repo/.git/HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(subject("x", &deep).checkout.as_deref(), Some("sub/dir"));
        let root = bench.path().join("repo");
        assert_eq!(subject("x", &root).checkout.as_deref(), Some(""));
        // A submodule is a checkout of its own.
        std::fs::write(bench.path().join("repo/sub/.git"), "gitdir: ../.git/modules/sub\n")
            .unwrap();
        assert_eq!(subject("x", &deep).checkout.as_deref(), Some("dir"));
        for (file, text, expected) in [
            ("composer.json", r#"{"version": "4"}"#, Some("4")),
            ("pyproject.toml", "[tool.poetry]\nversion = \"3\"\n", Some("3")),
            ("Cargo.toml", "[package]\nversion.workspace = true\n", Some("3")),
            ("Cargo.toml", "[workspace.package]\nversion = \"2.0.0\"\n", Some("2.0.0")),
            ("package.json", r#"{"version": "1.2.3\u001b[2J"}"#, Some("2.0.0")),
            ("package.json", r#"{"version": "1.2.3"}"#, Some("1.2.3")),
        ] {
            std::fs::write(deep.join(file), text).unwrap();
            assert_eq!(subject("x", &deep).version.as_deref(), expected, "{file}: {text}");
        }
    }
}
