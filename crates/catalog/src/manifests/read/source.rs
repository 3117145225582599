//! Packages that a manifest takes from git, an address or a folder, whatever it calls them.

use super::{Declares, quoted};
use crate::elsewhere::{Elsewhere, version_of_file};
use crate::lockfile::Declared;

/// A table of data, of which texts can be asked for.
pub(super) fn of_fields<'text>(field: impl Fn(&str) -> Option<&'text str>) -> Option<Elsewhere> {
    if let Some((tool, address)) =
        ["git", "hg", "svn"].iter().find_map(|tool| Some((*tool, field(tool)?)))
    {
        let revision = ["rev", "tag", "branch", "ref"].iter().find_map(|key| field(key));
        return Some(Elsewhere::vcs(tool, address, revision));
    }
    if let Some(address) = field("url").or_else(|| field("file")) {
        let is_address = address.contains("://");
        return Some(if is_address {
            Elsewhere::download(address)
        } else {
            Elsewhere::path(address)
        });
    }
    field("path").map(Elsewhere::path)
}

/// Options of a line of Ruby or Elixir: `git: "…"`, `:git => '…'`, `github: "owner/name"`.
pub(super) fn of_options(line: &str) -> Option<Elsewhere> {
    let option = |key: &str| option(line, key);
    let hosts = [
        ("github", "https://github.com/"),
        ("gitlab", "https://gitlab.com/"),
        ("bitbucket", "https://bitbucket.org/"),
    ];
    if let Some((host, name)) = hosts.iter().find_map(|(key, host)| Some((host, option(key)?))) {
        let revision = ["ref", "tag", "branch", "commit"].iter().find_map(|key| option(key));
        // Of the repository `rails/rails` the short form is `rails`.
        let name = if name.contains('/') { name.to_owned() } else { format!("{name}/{name}") };
        return Some(Elsewhere::git(&format!("{host}{name}.git"), revision));
    }
    of_fields(|key| match key {
        "url" | "file" | "svn" | "hg" => None,
        "rev" => option("ref").or_else(|| option("commit")),
        key => option(key),
    })
}

/// The text of an option; none where it is no plain text.
fn option<'line>(line: &'line str, key: &str) -> Option<&'line str> {
    for (at, _) in line.match_indices(key) {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + key.len()..).unwrap_or_default().trim_start();
        let value = if before.ends_with(':') {
            after.strip_prefix("=>")
        } else if before.ends_with([' ', ',', '(', '{', '\t']) {
            after.strip_prefix(':')
        } else {
            None
        };
        if let Some(value) = value.map(str::trim_start).filter(|text| text.starts_with(['"', '\'']))
        {
            return quoted(value).first().copied();
        }
    }
    None
}

/// Adds a package with where it comes from; an archive may name its version itself.
pub(super) fn add(
    declares: &mut Declares,
    (name, version, from, line): (&str, &str, Option<Elsewhere>, u32),
) {
    declares.packages.extend(match (from, version) {
        (Some(from), _) => {
            let of_file = match &from {
                Elsewhere::Download(address) => version_of_file(name, address).map(str::to_owned),
                _ => None,
            };
            Declared::from_elsewhere(name, of_file.as_deref(), from, line)
        }
        (None, "") => Declared::unpinned(name, line),
        (None, version) => Declared::new(name, version, line),
    });
}

/// Whether a package is a file or folder of the machine: such alone need no lock file.
pub(in crate::manifests) fn is_path(package: &Declared) -> bool {
    matches!(&package.elsewhere, Some(Elsewhere::Download(address)) if address.starts_with("file:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_programs_say_where_from_and_no_secret() {
        for (line, expected) in [
            (
                "gem 'a', git: 'https://u:obviously-fake@h.test/a.git', tag: 'v1'",
                "git+https://h.test/a.git@v1",
            ),
            ("gem 'a', :git => \"https://h.test/a\", :ref => '01'", "git+https://h.test/a@01"),
            ("{:a, github: \"o/a\", branch: \"main\"}", "git+https://github.com/o/a.git@main"),
            ("gem 'a', github: 'rails'", "git+https://github.com/rails/rails.git"),
        ] {
            assert_eq!(of_options(line), Some(Elsewhere::Vcs(expected.to_owned())), "{line}");
        }
        assert_eq!(of_options("gem 'a', path: '../a'"), Some(Elsewhere::path("../a")));
        for line in ["gem 'git', '1.0'", "gem 'a', git: address", "gem 'a', '~> 1'", "gem 'path'"] {
            assert_eq!(of_options(line), None, "{line}");
        }
    }
}
