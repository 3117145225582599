//! Manifests that are programs: read as text, never run. Sources: Gradle, "Declaring dependencies"; sbt
//! reference, "Library dependencies"; Bundler, "Gemfile"; Mix, `mix deps`; SwiftPM,
//! "PackageDescription"; setuptools, "setup()".

use super::{Declares, exact, lines, listed, quoted, unpinned};
use crate::lockfile::Declared;
use crate::lockfile::listing::Entry;
use crate::lockfile::requirements;

/// How the names of Gradle's configurations end, or what they are.
const CONFIGURATIONS: [&str; 14] = [
    "annotationprocessor",
    "api",
    "classpath",
    "compile",
    "compileonly",
    "detektplugins",
    "implementation",
    "kapt",
    "kapttest",
    "ksp",
    "provided",
    "runtime",
    "runtimeonly",
    "corelibrarydesugaring",
];

pub(in crate::manifests) fn gradle(text: &str) -> Result<Declares, String> {
    let mut declares = Declares::default();
    for (line, number) in lines(text, "//") {
        let line = line.strip_prefix("dependencies {").unwrap_or(line).trim();
        let word: String = line
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let rest = line.get(word.len()..).unwrap_or_default().trim_start();
        let is_configuration = CONFIGURATIONS.iter().any(|known| word.ends_with(known))
            && rest.starts_with(['(', '"', '\'', 'l', 'g', 'p', 'e', '[', 'd']);
        let own = ["project", "files", "fileTree", "gradleApi", "localGroovy"];
        let inside = rest.trim_start_matches(['(', ' ']);
        if !is_configuration
            || own.iter().any(|own| inside.starts_with(own))
            || inside.starts_with('=')
        {
            continue;
        }
        declares.any = true;
        for coordinates in quoted(line) {
            let parts: Vec<&str> = coordinates.split(':').collect();
            declares.packages.extend(match parts.as_slice() {
                [group, name] => Declared::unpinned(&format!("{group}:{name}"), number),
                [group, name, version, ..] => {
                    let name = format!("{group}:{name}");
                    let version = version.split('@').next().unwrap_or(version);
                    match exact(version.trim_end_matches("!!")) {
                        "" => Declared::unpinned(&name, number),
                        version => Declared::new(&name, version, number),
                    }
                }
                _ => None,
            });
        }
    }
    Ok(declares)
}

pub(in crate::manifests) fn sbt(text: &str) -> Result<Declares, String> {
    let scala = lines(text, "//").find_map(|(line, _)| {
        let rest = line.split_once("scalaVersion")?.1.trim_start().strip_prefix(":=")?;
        quoted(rest).first().copied()
    });
    // The binary version: `2.13` of 2, `3` of 3.
    let binary = scala.map(|version| {
        let parts = if version.starts_with('2') { 2 } else { 1 };
        version.split('.').take(parts).collect::<Vec<_>>().join(".")
    });
    let mut declares = Declares::default();
    for (line, number) in lines(text, "//") {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('%') {
            let crossed = after.starts_with('%');
            let group = quoted(before).last().copied();
            let mut texts = quoted(after).into_iter();
            let (name, version) = (texts.next(), texts.next());
            let (Some(group), Some(name)) = (group, name) else { break };
            declares.any = true;
            let suffix = match (&binary, crossed) {
                (_, false) => Some(String::new()),
                (Some(binary), true) => Some(format!("_{binary}")),
                (None, true) => None,
            };
            declares.packages.extend(suffix.and_then(|suffix| {
                let name = format!("{group}:{name}{suffix}");
                match exact(version.unwrap_or_default()) {
                    "" => Declared::unpinned(&name, number),
                    version => Declared::new(&name, version, number),
                }
            }));
            // The next module of the line, behind this one's comma.
            rest = match after.split_once(',') {
                Some((_, next)) => next,
                None => break,
            };
        }
        declares.any |= line.contains("libraryDependencies");
    }
    Ok(declares)
}

pub(in crate::manifests) fn gemfile(text: &str) -> Result<Declares, String> {
    let mut own_specification = false;
    let all = lines(text, "#").filter_map(|(line, number)| {
        own_specification |= line.starts_with("gemspec");
        let rest = line.strip_prefix("gem").filter(|rest| rest.starts_with([' ', '(']))?;
        let texts = quoted(rest);
        let own = rest.contains("path:") || rest.contains(":path");
        let pinned = texts.get(1).filter(|_| !rest.contains("git"));
        let version = pinned.map_or("", |text| exact(text.trim_start_matches(['=', ' '])));
        (!own).then_some((*texts.first()?, version, number))
    });
    let declares = listed(all.collect::<Vec<_>>());
    Ok(declares)
}

pub(in crate::manifests) fn gemspec(text: &str) -> Result<Declares, String> {
    let kinds = ["add_dependency", "add_runtime_dependency", "add_development_dependency"];
    let all = lines(text, "#").filter_map(|(line, number)| {
        let rest = kinds.iter().find_map(|kind| Some(line.split_once(kind)?.1))?;
        Some((*quoted(rest).first()?, number))
    });
    let mut declares = unpinned(all.collect::<Vec<_>>());
    declares.any |= lines(text, "#").any(|(line, _)| kinds.iter().any(|kind| line.contains(kind)));
    Ok(declares)
}

pub(in crate::manifests) fn mix(text: &str) -> Result<Declares, String> {
    let mut named = Vec::new();
    let mut open = false;
    for (line, number) in lines(text, "#") {
        open |= line.starts_with("defp deps")
            || line.starts_with("def deps")
            || line.starts_with("deps:");
        if !open {
            continue;
        }
        for entry in line.split("{:").skip(1) {
            let own = entry.contains("path:") || entry.contains("in_umbrella:");
            let name = entry.split([',', '}']).next().unwrap_or_default().trim();
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            named.extend((!own && is_name && !name.is_empty()).then_some((name, number)));
        }
        open = !(line == "end" || line.ends_with(", do: []"));
    }
    let mut declares = unpinned(named);
    let umbrella = lines(text, "#").find_map(|(line, _)| {
        Some(quoted(line.split_once("apps_path:")?.1).first()?.trim_matches('/').to_owned())
    });
    declares.members.extend(umbrella.map(|folder| format!("{folder}/*")));
    Ok(declares)
}

/// `{deps, [ … ]}` of Erlang terms.
pub(in crate::manifests) fn rebar(text: &str) -> Result<Declares, String> {
    let plain: String = lines(text, "%").map(|(line, _)| format!("{line}\n")).collect();
    let Some((_, list)) = plain.split_once("{deps,") else { return Ok(Declares::default()) };
    let list = list.trim_start().strip_prefix('[').unwrap_or_default();
    let mut depth = 0_usize;
    let mut named = Vec::new();
    // Names stand at the top of the list, or first in the tuples of it.
    for part in list.split_inclusive(['{', '}', '[', ']', ',']) {
        let word = part.trim_end_matches(['{', '}', '[', ']', ',']).trim();
        let is_name = word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name && (depth == 0 || (depth == 1 && part.ends_with([',', '}']))) {
            named.push((depth, word));
        }
        match part.chars().last() {
            Some('{' | '[') => depth += 1,
            Some('}' | ']') if depth > 0 => depth -= 1,
            Some('}' | ']') => break,
            _ => {}
        }
    }
    Ok(unpinned(named.into_iter().map(|(_, name)| (name, 0))))
}

pub(in crate::manifests) fn swift(text: &str) -> Result<Declares, String> {
    let any = lines(text, "//").any(|(line, _)| {
        line.contains(".package(") && !line.contains("path:") || line.starts_with("url:")
    });
    Ok(Declares { any, ..Declares::default() })
}

/// The texts of `install_requires=[…]` and its kin, where they stand there.
pub(in crate::manifests) fn setup_py(text: &str) -> Result<Declares, String> {
    let plain: String = lines(text, "#").map(|(line, _)| format!("{line}\n")).collect();
    let mut declares = Declares::default();
    for keyword in ["install_requires", "extras_require", "tests_require"] {
        let Some((_, value)) = plain.split_once(keyword) else { continue };
        let value = value.trim_start_matches([' ', '=', '\n']);
        let Some(end) = value.find(if value.starts_with('{') { '}' } else { ']' }) else {
            declares.any = true;
            continue;
        };
        let list = value.get(..end).unwrap_or_default();
        if !list.starts_with(['[', '{']) {
            // It comes from elsewhere in the program.
            declares.any = true;
            continue;
        }
        // Of a dictionary the texts before a colon are names of extras.
        for one in list.split(['\n', ',', '[', '{']).filter(|part| !part.trim_end().ends_with(':'))
        {
            for text in quoted(one) {
                declares.any = true;
                if let Entry::Package(declared) = requirements::entry(text, 0) {
                    declares.packages.push(declared);
                }
            }
        }
    }
    Ok(declares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(declares: &Result<Declares, String>) -> Vec<String> {
        let declares = declares.as_ref().unwrap();
        declares.packages.iter().map(|one| format!("{}@{}", one.name, one.version)).collect()
    }

    #[test]
    fn gradle_names_coordinates_in_plain_text() {
        let text = "plugins { id 'java' }\ndependencies { implementation 'g:a:1.0' }\ndependencies {\n  testImplementation(\"g:b:$v\")\n\
            api project(':own')\n  implementation libs.x\n  kapt \"g:c\"\n  // implementation 'g:d:1.0'\n  classpath 'g:e:1.+'\n}\n";
        let found = gradle(text);
        assert_eq!(shown(&found), ["g:a@1.0", "g:b@", "g:c@", "g:e@"]);
        assert!(
            !gradle(
                "plugins { id 'java' }\ndependencies {\n api project(':x')\n}\nimplementation = 1\n"
            )
            .unwrap()
            .any
        );
        assert!(gradle("dependencies {\n implementation(libs.x)\n}").unwrap().any);
    }

    #[test]
    fn sbt_names_modules_and_those_of_its_scala() {
        let text = "scalaVersion := \"2.13.1\"\nlibraryDependencies ++= Seq(\n  \"g\" % \"a\" % \"1.0\",\n  \"g\" %% \"b\" % \"2.0\" % Test\n)\n";
        assert_eq!(shown(&sbt(text)), ["g:a@1.0", "g:b_2.13@2.0"]);
        assert!(sbt("libraryDependencies += x").unwrap().any && !sbt("name := \"x\"").unwrap().any);
    }

    #[test]
    fn ruby_and_elixir_and_erlang_name_packages() {
        let found = gemfile(
            "source 'https://h.test'\ngem 'a', '1.0'\ngem \"b\", '~> 1'\n# gem 'c'\ngem 'd', path: '.'\n",
        );
        assert_eq!(shown(&found), ["a@1.0", "b@"]);
        let found = gemspec(
            "Gem::Specification.new do |s|\n  s.add_dependency \"a\", '>= 1'\n  s.add_development_dependency('b')\nend\n",
        );
        assert_eq!(shown(&found), ["a@", "b@"]);
        let text = "def project do\n [apps_path: \"apps\", deps: deps()]\nend\ndefp deps do\n  [\n   {:a, \"~> 1\"}, {:b, path: \"../b\"},\n   # {:c, 1}\n   {:d, git: \"x\"}\n  ]\nend\n";
        let found = mix(text);
        assert_eq!(shown(&found), ["a@", "d@"]);
        assert_eq!(found.unwrap().members, ["apps/*"]);
        let found = rebar(
            "{erl_opts, [x]}.\n{deps, [\n a, {b, \"1.0\"}, {c, {git, \"x\", {tag, \"y\"}}}]}.\n{x, [d]}.\n",
        );
        assert_eq!(shown(&found), ["a@", "b@", "c@"]);
        assert!(!rebar("{deps, []}.\n").unwrap().any);
    }

    #[test]
    fn python_and_swift_programs_are_read_as_text() {
        let found = setup_py(
            "setup(install_requires=['a==1.0', \"b>=1\"], # x\n extras_require={'t': ['c']})\n",
        );
        assert_eq!(shown(&found), ["a@1.0", "b@", "c@"]);
        assert!(setup_py("setup(install_requires=read())").unwrap().any);
        assert!(!setup_py("setup(name='x')").unwrap().any);
        assert!(swift("  .package(url: \"https://h.test/a\", from: \"1.0.0\"),").unwrap().any);
        assert!(!swift("  .package(path: \"../a\"),").unwrap().any);
    }
}
