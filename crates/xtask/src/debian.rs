//! Makes root file systems from the package mirror that this machine's own apt uses.
//!
//! In go release names and packages, out comes a plain tar by way of `mmdebstrap`, which needs no
//! container engine. No mirror is named in this project: it is the one of `/etc/apt`, or that of
//! `LAZARET_DEMO_MIRROR`. Only the release itself is used, never its updates. Source: sources.list(5).

use crate::command::command;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Releases of Debian, oldest first.
pub(crate) const DEBIAN: &[&str] = &["stretch", "buster", "bullseye", "bookworm", "trixie"];

/// Releases of Ubuntu, oldest first: where the machine's mirror is one of Ubuntu.
pub(crate) const UBUNTU: &[&str] = &["focal", "jammy", "noble"];

/// Makes the tar of the first of these releases that the mirror has, and says which it was.
pub(crate) fn first_served<'name>(
    releases: &[&'name str],
    packages: &[&str],
    tar: &Path,
) -> Result<&'name str> {
    let mirror = mirror(releases)?;
    let mut complaint = String::new();
    for release in releases {
        eprintln!("making {release} with {} …", packages_shown(packages));
        let mut arguments = vec!["--quiet".to_owned(), "--variant=minbase".to_owned()];
        if !packages.is_empty() {
            arguments.push(format!("--include={}", packages.join(",")));
        }
        arguments.extend(["--format=tar".to_owned(), (*release).to_owned()]);
        arguments.push(tar.display().to_string());
        arguments.push(format!("deb {mirror} {release} {}", components(release)));
        let mut made = command("mmdebstrap", arguments);
        let output = made.env("SOURCE_DATE_EPOCH", "1577836800").output();
        let Ok(output) = output else {
            bail!("`mmdebstrap` is missing: `./dev setup` installs it")
        };
        if output.status.success() {
            return Ok(release);
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.lines().filter(|line| !line.starts_with("I:")).take(3);
        complaint = last.collect::<Vec<_>>().join("; ");
        eprintln!("  not to be had here");
    }
    bail!("`mmdebstrap` cannot make any of {releases:?} here: {complaint}")
}

fn packages_shown(packages: &[&str]) -> String {
    if packages.is_empty() { "its base packages".to_owned() } else { packages.join(", ") }
}

fn components(release: &str) -> &'static str {
    if UBUNTU.contains(&release) { "main universe" } else { "main" }
}

/// The address of a mirror that this machine is set up to use for these distributions.
pub(crate) fn mirror(releases: &[&str]) -> Result<String> {
    if let Ok(mirror) = std::env::var("LAZARET_DEMO_MIRROR") {
        return Ok(mirror);
    }
    let all = if UBUNTU.iter().any(|name| releases.contains(name)) { UBUNTU } else { DEBIAN };
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let mut more: Vec<PathBuf> = std::fs::read_dir("/etc/apt/sources.list.d")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    more.sort();
    files.extend(more);
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let found = texts
        .flat_map(|text| sources(&text))
        .find(|(_, suites)| suites.iter().any(|suite| all.contains(&suite.as_str())));
    match found {
        Some((address, _)) => Ok(address),
        None => bail!(
            "/etc/apt names no mirror that has {}: set LAZARET_DEMO_MIRROR to one",
            all.join(", ")
        ),
    }
}

/// Addresses and suites in either form of sources.list(5).
fn sources(text: &str) -> Vec<(String, Vec<String>)> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut found = Vec::new();
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("deb ")) {
        let line = match line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((_, rest)) => rest,
            None => line,
        };
        if let [address, suite, ..] = words(line).as_slice() {
            found.push((address.clone(), vec![suite.clone()]));
        }
    }
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            let lines = stanza.lines().filter_map(|line| line.split_once(':'));
            let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            values.next().map(|(_, value)| words(value)).unwrap_or_default()
        };
        let suites = field("suites");
        found.extend(field("uris").into_iter().map(|address| (address, suites.clone())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_apt_sources_are_read() {
        let lines = "# deb http://no.test x\ndeb [arch=amd64 signed-by=/k] http://m.test/debian \
                     bookworm main contrib\n";
        let expected = vec![("http://m.test/debian".to_owned(), vec!["bookworm".to_owned()])];
        assert_eq!(sources(lines), expected);
        let stanzas = "Types: deb\n# http://no.test\nURIs: http://m.test/debian\n\
                       Suites: bookworm bookworm-updates\n\nTypes: deb\nURIs: http://s.test\nSuites: s\n";
        let found = sources(stanzas);
        assert_eq!(found[0].0, "http://m.test/debian");
        assert_eq!(found[0].1, ["bookworm", "bookworm-updates"]);
        assert_eq!(found[1].0, "http://s.test");
    }
}
