//! Manifests that are lists in a form of their own. Sources: Cabal user guide; R, "Writing R
//! Extensions"; LuaRocks, "Rockspec format"; opam manual; Paket, "The paket.dependencies file"; Conan,
//! "conanfile.txt"; CocoaPods, "Podfile syntax"; setuptools, "Configuring setuptools using setup.cfg".

use super::{Declares, exact, lines, listed, quoted, unpinned};
use crate::lockfile::listing::Entry;
use crate::lockfile::requirements;

/// Whether it asks for something, where no names can be told.
fn any(any: bool) -> Result<Declares, String> {
    Ok(Declares { any, ..Declares::default() })
}

pub(in crate::manifests) fn cartfile(text: &str) -> Result<Declares, String> {
    any(lines(text, "#").any(|(line, _)| line.starts_with(['g', 'b'])))
}

pub(in crate::manifests) fn ivy(text: &str) -> Result<Declares, String> {
    any(text.contains("<dependency "))
}

pub(in crate::manifests) fn clojure(text: &str) -> Result<Declares, String> {
    any(lines(text, ";").any(|(line, _)| {
        line.contains(":dependencies") || line.contains(":deps") || line.contains(":mvn/version")
    }))
}

pub(in crate::manifests) fn podfile(text: &str) -> Result<Declares, String> {
    let all: Vec<(String, &str, u32)> = lines(text, "#")
        .filter_map(|(line, number)| {
            let rest = line.strip_prefix("pod").filter(|rest| rest.starts_with([' ', '(']))?;
            let texts = quoted(rest);
            let name = texts.first()?.split('/').next()?.to_owned();
            let own = rest.contains(":path");
            (!own).then(|| (name, texts.get(1).map_or("", |version| exact(version)), number))
        })
        .collect();
    Ok(listed(all.iter().map(|(name, version, line)| (name.as_str(), *version, *line))))
}

/// `conanfile.txt`, and of `conanfile.py` whether it requires anything.
pub(in crate::manifests) fn conan(text: &str) -> Result<Declares, String> {
    if text.contains("ConanFile") {
        return any(lines(text, "#").any(|(line, _)| {
            line.starts_with("requires")
                || line.contains("self.requires(")
                || line.contains("_requires")
        }));
    }
    let mut section = "";
    let mut all = Vec::new();
    for (line, number) in lines(text, "#") {
        if line.starts_with('[') {
            section = line;
        } else if matches!(
            section,
            "[requires]" | "[build_requires]" | "[tool_requires]" | "[test_requires]"
        ) {
            let reference = line.split(['#', '@']).next().unwrap_or(line);
            let (name, version) = reference.split_once('/').unwrap_or((reference, ""));
            // A user and channel are of a private remote.
            all.push((name, if line.contains('@') { "" } else { exact(version) }, number));
        }
    }
    Ok(listed(all))
}

pub(in crate::manifests) fn paket(text: &str) -> Result<Declares, String> {
    let all = lines(text, "//").filter_map(|(line, number)| {
        let mut words = line.split_whitespace();
        match words.next()? {
            "nuget" | "clitool" => Some((words.next()?, number)),
            _ => None,
        }
    });
    let mut declares = unpinned(all);
    declares.any |= lines(text, "//").any(|(line, _)| {
        ["github ", "git ", "gist ", "http "].iter().any(|kind| line.starts_with(kind))
    });
    Ok(declares)
}

pub(in crate::manifests) fn cabal(text: &str) -> Result<Declares, String> {
    let mut named = Vec::new();
    let mut in_field = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim();
        if content.starts_with("--") || content.is_empty() {
            continue;
        }
        let field =
            content.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("build-depends:"));
        let list = if field { content.get(14..).unwrap_or_default() } else { content };
        let other_field = !field
            && content.split_once(':').is_some_and(|(key, _)| {
                !key.is_empty()
                    && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        in_field = field || (in_field && !other_field && line.starts_with([' ', '\t']));
        if in_field {
            named.extend(list.split(',').filter_map(|entry| {
                let name = entry
                    .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
                    .find(|part| !part.is_empty())?;
                // `base` is the compiler's own.
                (name != "base" && name.contains(|letter: char| letter.is_ascii_alphabetic()))
                    .then_some((name, number))
            }));
        }
    }
    Ok(unpinned(named))
}

/// Of a source package; one with `Built` is installed.
pub(in crate::manifests) fn description(text: &str) -> Result<Declares, String> {
    let fields = crate::text::fields(text.as_bytes());
    if fields.iter().any(|(key, _)| *key == b"Built") {
        return Ok(Declares::default());
    }
    let wanted: [&[u8]; 4] = [b"Depends", b"Imports", b"LinkingTo", b"Suggests"];
    let lists = fields.iter().filter(|(key, _)| wanted.contains(key));
    let names = lists.flat_map(|(_, value)| value.split(',')).filter_map(|entry| {
        let name = entry.split(['(', ' ']).find(|part| !part.trim().is_empty())?.trim();
        (name != "R").then_some((name, 0))
    });
    Ok(unpinned(names))
}

pub(in crate::manifests) fn rockspec(text: &str) -> Result<Declares, String> {
    let mut open = false;
    let mut named = Vec::new();
    for (line, number) in lines(text, "--") {
        open |= ["dependencies", "build_dependencies", "test_dependencies"].iter().any(|key| {
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
        });
        if open {
            let names = quoted(line).into_iter().filter_map(|text| text.split_whitespace().next());
            named.extend(names.filter(|name| *name != "lua").map(|name| (name, number)));
            open = !line.contains('}');
        }
    }
    Ok(unpinned(named))
}

pub(in crate::manifests) fn opam(text: &str) -> Result<Declares, String> {
    let mut open = false;
    let mut depth = 0_i32;
    let mut named = Vec::new();
    for (line, number) in lines(text, "#") {
        open |= ["depends:", "depopts:"].iter().any(|key| line.starts_with(key));
        if !open {
            continue;
        }
        // What stands in braces are versions and conditions.
        for part in line.split_inclusive(['{', '}']) {
            if depth == 0 {
                named.extend(
                    quoted(part)
                        .into_iter()
                        .filter(|name| *name != "ocaml")
                        .map(|name| (name, number)),
                );
            }
            depth += if part.ends_with('{') { 1 } else { -i32::from(part.ends_with('}')) };
        }
        open = !(depth <= 0 && line.contains(']'));
    }
    Ok(unpinned(named))
}

pub(in crate::manifests) fn setup_cfg(text: &str) -> Result<Declares, String> {
    let mut declares = Declares::default();
    let (mut section, mut in_list) = ("", false);
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let mut requirement = content;
        if !line.starts_with([' ', '\t']) {
            if content.starts_with('[') {
                (section, in_list) = (content, false);
                continue;
            }
            let (key, value) = content.split_once('=').unwrap_or((content, ""));
            let wanted = matches!(key.trim(), "install_requires" | "tests_require");
            in_list = (section == "[options]" && wanted) || section == "[options.extras_require]";
            requirement = value.trim();
        }
        if in_list && !requirement.is_empty() {
            for one in requirement.split('\n').filter(|one| !one.starts_with("file:")) {
                declares.any = true;
                if let Entry::Package(declared) = requirements::entry(one, number) {
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

    fn shown(declares: Result<Declares, String>) -> Vec<String> {
        declares
            .unwrap()
            .packages
            .iter()
            .map(|one| format!("{}@{}", one.name, one.version))
            .collect()
    }

    #[test]
    fn each_form_names_what_it_asks_for() {
        assert_eq!(
            shown(podfile(
                "pod 'A/B', '1.0.0' # x\npod 'C', '~> 1'\npod 'D', :path => '.'\n# pod 'E'\n"
            )),
            ["A@1.0.0", "C@"]
        );
        assert_eq!(
            shown(conan("[requires]\na/1.0\nb/[>1]\nc/1.0@u/s\n[generators]\nx\n")),
            ["a@1.0", "b@", "c@"]
        );
        assert_eq!(shown(paket("source x\nnuget A.B ~> 1\n// nuget C\n")), ["A.B@"]);
        assert_eq!(
            shown(cabal(
                "library\n  build-depends: base >=4,\n                 text ^>=1\n               , aeson\n  exposed: x\n"
            )),
            ["text@", "aeson@"]
        );
        assert_eq!(
            shown(description("Package: x\nDepends: R (>= 4), a\nImports: b (>= 1),\n  c\n")),
            ["a@", "b@", "c@"]
        );
        assert_eq!(
            shown(rockspec(
                "dependencies = {\n  \"lua >= 5.1\",\n  \"a ~> 1\"\n}\nbuild = {\"x\"}\n"
            )),
            ["a@"]
        );
        assert_eq!(
            shown(opam(
                "depends: [\n \"ocaml\" {>= \"4\"}\n \"a\" {>= \"1\" & build}\n]\nx: [\"y\"]\n"
            )),
            ["a@"]
        );
        assert_eq!(
            shown(setup_cfg(
                "[metadata]\nname = x\n[options]\ninstall_requires =\n  a==1.0\n  b\n[options.extras_require]\ntest = c\n"
            )),
            ["a@1.0", "b@", "c@"]
        );
    }

    #[test]
    fn a_manifest_that_asks_for_nothing_is_told_by_that() {
        assert!(!description("Package: x\nBuilt: R 4\nImports: a\n").unwrap().any);
        assert!(
            !conan("from conan import ConanFile\nclass X(ConanFile):\n  name = 'x'\n").unwrap().any
        );
        assert!(conan("from conan import ConanFile\n  requires = 'a/1'\n").unwrap().any);
        assert!(
            clojure("{:deps {a {:mvn/version \"1\"}}}").unwrap().any && !ivy("<ivy/>").unwrap().any
        );
    }
}
