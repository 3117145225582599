//! The kinds of manifests: by what name they are known, which lock files cover them, how one is made.

use super::{Declares, read};
use image::Interest;
use vocabulary::Ecosystem;

/// A kind of manifest.
#[derive(Debug)]
pub(super) struct Kind {
    /// What shares workspaces.
    pub(super) family: &'static str,
    pub(super) ecosystem: Ecosystem,
    /// Names of the manifest; one that begins with `*` says how it ends.
    names: &'static [&'static str],
    /// Names of the lock files that cover it, in the same way.
    locks: &'static [&'static str],
    /// What makes a lock file; empty where there is no lock file of it.
    make: &'static str,
    pub(super) read: fn(&str) -> Result<Declares, String>,
}

impl Kind {
    pub(super) fn is_locked_by(&self, name: &str) -> bool {
        self.locks.iter().any(|lock| is(lock, name))
            || (self.family == "python" && is(COMPILED, name))
    }

    /// Whether a lock file of any folder above covers it.
    pub(super) fn is_covered_from_above(&self) -> bool {
        COVERED_FROM_ABOVE.contains(&self.family)
    }

    /// What is said of one without a lock file.
    pub(super) fn problem(&self, lists: bool) -> String {
        let unseen =
            if lists { "what they need in turn was not looked at" } else { "not looked at" };
        match self.make {
            "" => format!(
                "declares packages, and there are no lock files of its kind: {unseen}; scan what is built of it"
            ),
            make => format!(
                "declares packages and no lock file was found: {unseen}; make one with `{make}`"
            ),
        }
    }
}

/// Requirements that pip-tools or uv compiled hold all that a project of Python needs.
const COMPILED: &str = "*.txt";

const NPM_LOCKS: &[&str] = &[
    ".modules.yaml",
    ".package-lock.json",
    ".yarn-integrity",
    "bun.lock",
    "bun.lockb",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
];
const PYTHON_LOCKS: &[&str] = &["pdm.lock", "poetry.lock", "pylock.*", "uv.lock"];
const NUGET_LOCKS: &[&str] = &["packages.config", "packages.lock.json", "project.assets.json"];
const GRADLE_LOCKS: &[&str] = &["*.lockfile"];
const JULIA_LOCKS: &[&str] = &["Manifest.toml", "Manifest-v*", "JuliaManifest.toml"];
const HASKELL_LOCKS: &[&str] = &["cabal.project.freeze", "stack.yaml.lock"];

const fn kind(
    family: &'static str,
    ecosystem: Ecosystem,
    names: &'static [&'static str],
    locks: &'static [&'static str],
    make: &'static str,
    read: fn(&str) -> Result<Declares, String>,
) -> Kind {
    Kind { family, ecosystem, names, locks, make, read }
}

/// Families whose lock file covers all folders below its own.
const COVERED_FROM_ABOVE: [&str; 3] = ["cabal", "rebar", "sbt"];

/// Every kind, sorted by family.
pub(super) const KINDS: &[Kind] = &[
    kind("bower", Ecosystem::NPM, &["bower.json"], &[], "", read::json::bower),
    kind(
        "cabal",
        Ecosystem::HACKAGE,
        &["*.cabal"],
        HASKELL_LOCKS,
        "cabal freeze",
        read::lines::cabal,
    ),
    kind(
        "cargo",
        Ecosystem::CRATES_IO,
        &["Cargo.toml"],
        &["Cargo.lock"],
        "cargo generate-lockfile",
        read::toml::cargo,
    ),
    kind("carthage", Ecosystem::SWIFT_URL, &["Cartfile"], &[], "", read::lines::cartfile),
    kind(
        "cocoapods",
        Ecosystem::COCOAPODS,
        &["Podfile"],
        &["Podfile.lock"],
        "pod install",
        read::lines::podfile,
    ),
    kind(
        "composer",
        Ecosystem::PACKAGIST,
        &["composer.json"],
        &["composer.lock", "installed.json"],
        "composer update --no-install",
        read::json::composer,
    ),
    kind(
        "conan",
        Ecosystem::CONAN_CENTER,
        &["conanfile.py", "conanfile.txt"],
        &["conan.lock"],
        "conan lock create .",
        read::lines::conan,
    ),
    kind(
        "conda",
        Ecosystem::CONDA,
        &["environment.yaml", "environment.yml"],
        &["conda-*.lock", "conda-lock.yml", "conda-lock.yaml", "*.conda-lock.yml"],
        "conda-lock",
        read::yaml::conda,
    ),
    kind(
        "dart",
        Ecosystem::PUB,
        &["pubspec.yaml"],
        &["pubspec.lock"],
        "dart pub get",
        read::yaml::pubspec,
    ),
    kind(
        "deno",
        Ecosystem::NPM,
        &["deno.json", "deno.jsonc"],
        &["deno.lock"],
        "deno install",
        read::json::deno,
    ),
    kind(
        "dotnet",
        Ecosystem::NUGET,
        &["*.csproj", "*.fsproj", "*.vbproj"],
        NUGET_LOCKS,
        "dotnet restore --use-lock-file",
        read::xml::project,
    ),
    kind(
        "gradle",
        Ecosystem::MAVEN,
        &["build.gradle", "build.gradle.kts"],
        GRADLE_LOCKS,
        "gradle dependencies --write-locks",
        read::code::gradle,
    ),
    kind(
        "gradle",
        Ecosystem::MAVEN,
        &["*.versions.toml"],
        GRADLE_LOCKS,
        "gradle dependencies --write-locks",
        read::toml::gradle,
    ),
    kind(
        "helm",
        Ecosystem::HELM,
        &["Chart.yaml"],
        &["Chart.lock"],
        "helm dependency update",
        read::yaml::chart,
    ),
    kind("ivy", Ecosystem::MAVEN, &["ivy.xml"], &[], "", read::lines::ivy),
    kind(
        "julia",
        Ecosystem::JULIA,
        &["JuliaProject.toml", "Project.toml"],
        JULIA_LOCKS,
        "julia --project -e 'using Pkg; Pkg.resolve()'",
        read::toml::julia,
    ),
    kind(
        "leiningen",
        Ecosystem::MAVEN,
        &["deps.edn", "project.clj"],
        &[],
        "",
        read::lines::clojure,
    ),
    kind(
        "luarocks",
        Ecosystem::LUA_ROCKS,
        &["*.rockspec"],
        &["luarocks.lock"],
        "luarocks build --pin --only-deps",
        read::lines::rockspec,
    ),
    kind("mix", Ecosystem::HEX, &["mix.exs"], &["mix.lock"], "mix deps.get", read::code::mix),
    kind(
        "npm",
        Ecosystem::NPM,
        &["package.json"],
        NPM_LOCKS,
        "npm install --package-lock-only",
        read::json::npm,
    ),
    kind(
        "npm",
        Ecosystem::NPM,
        &["pnpm-workspace.yaml"],
        NPM_LOCKS,
        "pnpm install --lockfile-only",
        read::yaml::pnpm,
    ),
    kind("opam", Ecosystem::OPAM, &["*.opam"], &["*opam.locked"], "opam lock", read::lines::opam),
    kind(
        "paket",
        Ecosystem::NUGET,
        &["paket.dependencies"],
        &["paket.lock"],
        "paket install",
        read::lines::paket,
    ),
    kind(
        "pipenv",
        Ecosystem::PYPI,
        &["Pipfile"],
        &["Pipfile.lock"],
        "pipenv lock",
        read::toml::pipfile,
    ),
    kind(
        "python",
        Ecosystem::PYPI,
        &["pyproject.toml"],
        PYTHON_LOCKS,
        "uv lock",
        read::toml::pyproject,
    ),
    kind(
        "python",
        Ecosystem::PYPI,
        &["setup.cfg"],
        PYTHON_LOCKS,
        "uv pip compile setup.cfg -o requirements.txt",
        read::lines::setup_cfg,
    ),
    kind(
        "python",
        Ecosystem::PYPI,
        &["setup.py"],
        PYTHON_LOCKS,
        "uv pip compile setup.py -o requirements.txt",
        read::code::setup_py,
    ),
    kind(
        "r",
        Ecosystem::CRAN,
        &["DESCRIPTION"],
        &["renv.lock"],
        "Rscript -e 'renv::snapshot()'",
        read::lines::description,
    ),
    kind(
        "rebar",
        Ecosystem::HEX,
        &["rebar.config"],
        &["rebar.lock"],
        "rebar3 lock",
        read::code::rebar,
    ),
    kind(
        "ruby",
        Ecosystem::RUBY_GEMS,
        &["Gemfile", "gems.rb"],
        &["Gemfile.lock", "gems.locked"],
        "bundle lock",
        read::code::gemfile,
    ),
    kind(
        "ruby",
        Ecosystem::RUBY_GEMS,
        &["*.gemspec"],
        &["Gemfile.lock", "gems.locked"],
        "bundle lock",
        read::code::gemspec,
    ),
    kind(
        "sbt",
        Ecosystem::MAVEN,
        &["build.sbt"],
        &["build.sbt.lock"],
        "sbt dependencyLockWrite",
        read::code::sbt,
    ),
    kind(
        "swift",
        Ecosystem::SWIFT_URL,
        &["Package.swift"],
        &["Package.resolved"],
        "swift package resolve",
        read::code::swift,
    ),
];

/// All names of [`KINDS`] and of their lock files; a test holds it there.
pub(super) const INTERESTS: &[Interest] = &[
    Interest::Name(".modules.yaml"),
    Interest::Name(".package-lock.json"),
    Interest::Name(".yarn-integrity"),
    Interest::Name("Cargo.lock"),
    Interest::Name("Cargo.toml"),
    Interest::Name("Cartfile"),
    Interest::Name("Chart.lock"),
    Interest::Name("Chart.yaml"),
    Interest::Name("DESCRIPTION"),
    Interest::Name("Gemfile"),
    Interest::Name("Gemfile.lock"),
    Interest::Name("JuliaManifest.toml"),
    Interest::Name("JuliaProject.toml"),
    Interest::Name("Package.resolved"),
    Interest::Name("Package.swift"),
    Interest::Name("Pipfile"),
    Interest::Name("Pipfile.lock"),
    Interest::Name("Podfile"),
    Interest::Name("Podfile.lock"),
    Interest::Name("Project.toml"),
    Interest::Name("bower.json"),
    Interest::Name("build.gradle"),
    Interest::Name("build.gradle.kts"),
    Interest::Name("build.sbt"),
    Interest::Name("build.sbt.lock"),
    Interest::Name("bun.lock"),
    Interest::Name("bun.lockb"),
    Interest::Name("cabal.project.freeze"),
    Interest::Name("composer.json"),
    Interest::Name("composer.lock"),
    Interest::Name("conan.lock"),
    Interest::Name("conanfile.py"),
    Interest::Name("conanfile.txt"),
    Interest::Name("conda-lock.yaml"),
    Interest::Name("deno.json"),
    Interest::Name("deno.jsonc"),
    Interest::Name("deno.lock"),
    Interest::Name("deps.edn"),
    Interest::Name("environment.yaml"),
    Interest::Name("gems.locked"),
    Interest::Name("gems.rb"),
    Interest::Name("installed.json"),
    Interest::Name("ivy.xml"),
    Interest::Name("mix.exs"),
    Interest::Name("mix.lock"),
    Interest::Name("npm-shrinkwrap.json"),
    Interest::Name("package-lock.json"),
    Interest::Name("package.json"),
    Interest::Name("packages.config"),
    Interest::Name("packages.lock.json"),
    Interest::Name("paket.dependencies"),
    Interest::Name("paket.lock"),
    Interest::Name("pdm.lock"),
    Interest::Name("pnpm-lock.yaml"),
    Interest::Name("pnpm-workspace.yaml"),
    Interest::Name("poetry.lock"),
    Interest::Name("project.assets.json"),
    Interest::Name("project.clj"),
    Interest::Name("pubspec.lock"),
    Interest::Name("pubspec.yaml"),
    Interest::Name("rebar.config"),
    Interest::Name("rebar.lock"),
    Interest::Name("renv.lock"),
    Interest::Name("setup.cfg"),
    Interest::Name("setup.py"),
    Interest::Name("stack.yaml.lock"),
    Interest::Name("uv.lock"),
    Interest::Name("yarn.lock"),
    Interest::Extension("cabal"),
    Interest::Extension("csproj"),
    Interest::Extension("fsproj"),
    Interest::Extension("gemspec"),
    Interest::Extension("lock"),
    Interest::Extension("locked"),
    Interest::Extension("lockfile"),
    Interest::Extension("opam"),
    Interest::Extension("rockspec"),
    Interest::Extension("toml"),
    Interest::Extension("txt"),
    Interest::Extension("vbproj"),
    Interest::Extension("yml"),
];

/// Whether a name is that of a pattern with at most one `*`.
fn is(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}

/// The kind of the manifest of this name, and its place in the list.
pub(super) fn of(name: &str) -> Option<(u32, &'static Kind)> {
    let named = |kind: &Kind| kind.names.iter().any(|pattern| is(pattern, name));
    (0_u32..).zip(KINDS).find(|(_, kind)| named(kind))
}

pub(super) fn is_lock(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.locks.iter().any(|pattern| is(pattern, name)))
}

/// Whether these are requirements that pip-tools or uv compiled; both say so in the first lines.
pub(super) fn is_compiled(name: &str, head: &[u8]) -> bool {
    let says = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    is(COMPILED, name) && (says(b"autogenerated by pip-compile") || says(b"autogenerated by uv"))
}

/// The folder of the project whose tools put a lock file into a folder of their own.
pub(super) fn project_of(folder: &str) -> &str {
    let own = ["obj", "node_modules", "vendor/composer", "gradle/dependency-locks"];
    for own in own {
        match folder.strip_suffix(own) {
            Some("") => return "",
            Some(before) if before.ends_with('/') => return before.trim_end_matches('/'),
            _ => {}
        }
    }
    // Xcode keeps `Package.resolved` in the project or workspace beside the sources.
    let inside = folder.strip_suffix("/xcshareddata/swiftpm");
    match inside.map(|inside| inside.strip_suffix("/project.xcworkspace").unwrap_or(inside)) {
        Some(bundle) => bundle.rsplit_once('/').map_or("", |(before, _)| before),
        None => folder,
    }
}

/// Whether a manifest lies in a folder into which a tool puts the dependencies of a project.
pub(super) fn is_of_a_dependency(path: &str) -> bool {
    const FOLDERS: &[&str] = &[
        ".build",
        ".bundle",
        ".cargo",
        ".gradle",
        ".pub-cache",
        ".stack-work",
        ".tox",
        ".venv",
        "Carthage",
        "Pods",
        "_build",
        "bower_components",
        "dist-newstyle",
        "jspm_packages",
        "vendor",
    ];
    let erlang = path.ends_with("mix.exs") || path.ends_with("rebar.config");
    path.split('/').any(|part| FOLDERS.contains(&part) || (erlang && part == "deps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_kind_is_an_interest() {
        for pattern in KINDS.iter().flat_map(|kind| kind.names.iter().chain(kind.locks)) {
            let ending = pattern.rsplit_once('.').map_or("", |(_, ending)| ending);
            let known = INTERESTS.iter().any(|interest| match interest {
                Interest::Name(name) => name == pattern,
                Interest::Extension(extension) => *extension == ending,
                _ => false,
            });
            assert!(known || matches!(*pattern, "pylock.*" | "Manifest-v*"), "{pattern}");
        }
    }

    #[test]
    fn a_lock_file_in_a_folder_of_a_tool_is_the_projects() {
        for (folder, project) in [
            ("a/obj", "a"),
            ("obj", ""),
            ("blobj", "blobj"),
            ("a/vendor/composer", "a"),
            ("x/App.xcodeproj/project.xcworkspace/xcshareddata/swiftpm", "x"),
            ("App.xcworkspace/xcshareddata/swiftpm", ""),
        ] {
            assert_eq!(project_of(folder), project, "{folder}");
        }
    }
}
