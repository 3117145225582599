//! Where packages of JavaScript lie: which files tell of them, by their path alone.
//!
//! Sources: npm documentation, "folders"; Debian JavaScript policy; Bun, `docs/install/cache`; Deno,
//! `npm_cache_dir`; Yarn documentation, "Plug'n'Play" and `cacheFolder`; Electron, "ASAR Archives".

/// Folders in which a package keeps the packages that it is tested with: they are data, no code runs
/// from them.
const TEST_FOLDERS: &[&str] =
    &["test", "tests", "__tests__", "__fixtures__", "fixture", "fixtures", "testdata"];

/// What a file tells of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The `package.json` of an installed package.
    Package,
    /// That of a package in the cache of Bun or Deno, from which it runs or is linked.
    Cached,
    /// A packed package in a cache of Yarn.
    Archive,
    /// The map of Yarn's Plug'n'Play: a program that holds it, or its data alone.
    Map,
    /// What npm writes down of a `node_modules`.
    Lock,
    /// An application of Electron in one file.
    Application,
}

/// What the file at a path tells; none for one that tells nothing.
pub(super) fn of(path: &str) -> Option<Place> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "package.json" if is_package(path) => Some(Place::Package),
        "package.json" if is_cached(folder) => Some(Place::Cached),
        ".pnp.cjs" | ".pnp.js" | ".pnp.data.json" => {
            let is_own = !folder.split('/').any(|part| part == "node_modules");
            is_own.then_some(Place::Map)
        }
        ".package-lock.json" if folder.rsplit('/').next() == Some("node_modules") => {
            (!is_test_data(folder.trim_end_matches("node_modules"))).then_some(Place::Lock)
        }
        _ if name.ends_with(".asar") => Some(Place::Application),
        _ if name.ends_with(".zip") && is_archive(folder, name) => Some(Place::Archive),
        _ => None,
    }
}

/// Whether a `package.json` at this path is that of an installed package.
pub(super) fn is_package(path: &str) -> bool {
    let Some(folder) = path.strip_suffix("/package.json") else { return false };
    let (before, package) = match folder.rfind("node_modules/") {
        Some(at) if at == 0 || folder.get(..at).is_some_and(|before| before.ends_with('/')) => {
            (folder.get(..at), folder.get(at..).and_then(|rest| rest.strip_prefix("node_modules/")))
        }
        _ => (Some(""), folder.strip_prefix("usr/share/nodejs/")),
    };
    let (Some(before), Some(package)) = (before, package) else { return false };
    is_package_folder(package) && !is_test_data(before)
}

/// `name` or `@scope/name`; a name never begins with a dot (`.bin`, `.cache`, `.pnpm`).
fn is_package_folder(folder: &str) -> bool {
    let name = match folder.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        Some(Some((scope, name))) if !scope.is_empty() => name,
        Some(_) => return false,
        None => folder,
    };
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

/// Whether a path leads through the test folder of a package that is itself installed.
fn is_test_data(before: &str) -> bool {
    let mut inside_package = false;
    before.split('/').any(|part| {
        inside_package |= part == "node_modules";
        inside_package && TEST_FOLDERS.contains(&part)
    })
}

/// `install/cache/[@scope/]name@version@@@1` of Bun, `npm/HOST/[@scope/]name/version` of Deno.
fn is_cached(folder: &str) -> bool {
    let scoped = |rest: &str| rest.starts_with('@') as usize;
    let of_bun = folder.rsplit_once("install/cache/").is_some_and(|(before, rest)| {
        let name = rest.rsplit('/').next().unwrap_or(rest);
        (before.is_empty() || before.ends_with('/'))
            && rest.matches('/').count() == scoped(rest)
            && name.get(1..).is_some_and(|name| name.contains('@'))
    });
    let of_deno = || {
        let (before, rest) = folder.rsplit_once("npm/")?;
        let (host, rest) = rest.split_once('/')?;
        let (_, version) = rest.rsplit_once('/')?;
        let fits = (before.is_empty() || before.ends_with('/'))
            && host.contains('.')
            && rest.matches('/').count() == 1 + scoped(rest)
            && version.starts_with(|first: char| first.is_ascii_digit());
        Some(fits)
    };
    of_bun || of_deno() == Some(true)
}

/// Whether an archive is one of Yarn's: it lies in a folder that Yarn uses, or is named as Yarn names.
fn is_archive(folder: &str, name: &str) -> bool {
    let in_cache = [".yarn/cache", "yarn/berry/cache"].iter().any(|cache| {
        folder
            .strip_suffix(cache)
            .is_some_and(|before| before.is_empty() || before.ends_with(['/', '.']))
    });
    in_cache || named(name).is_some()
}

/// Name and version that the name of an archive tells: `@scope-name-npm-1.2.3-0123456789-10c0.zip`.
/// Source: Yarn, `structUtils.slugifyLocator`, `Cache.getLocatorFilename`. A scope with a hyphen cannot
/// be told from a name with one: the first divides.
pub(super) fn named(file: &str) -> Option<(String, &str)> {
    let stem = file.strip_suffix(".zip")?;
    let (name, rest) = stem.rsplit_once("-npm-")?;
    let mut parts = rest.rsplitn(3, '-');
    let (_key, hash, version) = (parts.next()?, parts.next()?, parts.next()?);
    let hashed = hash.len() == 10 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match name.strip_prefix('@').map(|scoped| scoped.split_once('-')) {
        Some(Some((scope, name))) => format!("@{scope}/{name}"),
        Some(None) => return None,
        None => name.to_owned(),
    };
    (hashed && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_maps_and_archives_are_told_by_their_place() {
        for (path, place) in [
            ("root/.bun/install/cache/lodash@4.17.20@@@1/package.json", Some(Place::Cached)),
            ("root/.bun/install/cache/@s/a@1.0.0@@@1/package.json", Some(Place::Cached)),
            ("root/.bun/install/cache/lodash@4.17.20@@@1/fp/package.json", None),
            ("deno-dir/npm/registry.npmjs.org/chalk/5.0.1/package.json", Some(Place::Cached)),
            ("deno-dir/npm/registry.npmjs.org/@s/a/5.0.1/package.json", Some(Place::Cached)),
            ("usr/lib/npm/docs/a/package.json", None),
            ("app/.pnp.cjs", Some(Place::Map)),
            ("app/.pnp.data.json", Some(Place::Map)),
            ("app/node_modules/x/.pnp.js", None),
            ("app/node_modules/.package-lock.json", Some(Place::Lock)),
            ("app/.package-lock.json", None),
            ("app/.yarn/cache/fsevents-patch-2882183fbf-8.zip", Some(Place::Archive)),
            ("root/.yarn/berry/cache/a-npm-1.0.0-0123456789-10c0.zip", Some(Place::Archive)),
            ("usr/local/share/.cache/yarn/berry/cache/x.zip", Some(Place::Archive)),
            ("opt/own-cache/a-npm-1.0.0-0123456789-8.zip", Some(Place::Archive)),
            ("opt/backup.zip", None),
            ("opt/app/resources/app.asar", Some(Place::Application)),
        ] {
            assert_eq!(of(path), place, "{path}");
        }
    }

    #[test]
    fn the_name_of_an_archive_tells_name_and_version() {
        let of = |file: &str| named(file).map(|(name, version)| format!("{name} {version}"));
        let plain = of("lodash-npm-4.17.20-8b4b0f2d1a-10c0.zip");
        assert_eq!(plain.as_deref(), Some("lodash 4.17.20"));
        let scoped = of("@babel-core-npm-7.1.0-rc.1-0123456789-8.zip");
        assert_eq!(scoped.as_deref(), Some("@babel/core 7.1.0-rc.1"));
        assert_eq!(of("local-file-207d2cc199-10c0.zip"), None);
    }
}
