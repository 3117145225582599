//! Where a package comes from that is of no public registry: git, an address, a folder, a registry of
//! somebody's own.
//!
//! In goes what a lock file says of it, in its own spelling, out comes the qualifier that a package URL
//! has for it: `vcs_url`, `download_url` or `repository_url`. What could be a secret is left out: user
//! and password, and the whole query, in which tokens and signatures stand; a bill of materials is
//! handed on. Sources: purl-spec, "Known qualifiers"; SPDX 2.3, 7.7 "Package download location field";
//! npm, "package.json", dependencies; Yarn, "Protocols"; pip, "VCS Support".

use crate::text::capped;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use vocabulary::Purl;

/// Longest address that is kept; browsers and tools take some 2,000 letters.
const ADDRESS_LIMIT: usize = 2_000;
/// How often one reference may stand in another, such as a patch of a virtual package.
const STEPS: usize = 4;

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Elsewhere {
    /// A repository of source code, as SPDX writes it: `git+https://host/path@revision`.
    Vcs(String),
    /// An archive at an address, or a file or folder: `file:path`.
    Download(String),
    /// Another registry than the public one.
    Registry(String),
    /// A user and a channel of Conan, in one of its remotes.
    Channel {
        /// The user.
        user: String,
        /// The channel.
        channel: String,
    },
}

impl Elsewhere {
    /// The package URL with what says where it comes from.
    pub(crate) fn qualify(&self, purl: Purl) -> Purl {
        match self {
            Self::Vcs(address) => purl.with_qualifier("vcs_url", address),
            Self::Download(address) => purl.with_qualifier("download_url", address),
            Self::Registry(address) => purl.with_qualifier("repository_url", address),
            Self::Channel { user, channel } => {
                purl.with_qualifier("user", user).with_qualifier("channel", channel)
            }
        }
    }

    /// A git repository, in any of git's spellings, and what is checked out of it.
    pub(crate) fn git(address: &str, revision: Option<&str>) -> Self {
        Self::vcs("git", address, revision)
    }

    /// A repository of a version control system: `git`, `hg`, `svn`, `bzr`.
    pub(crate) fn vcs(tool: &str, address: &str, revision: Option<&str>) -> Self {
        let address = address.trim();
        let address =
            address.strip_prefix(tool).and_then(|rest| rest.strip_prefix('+')).unwrap_or(address);
        let bare = address.split(['#', '?']).next().unwrap_or(address);
        let plain = match (bare.split_once("://"), bare.split_once(':')) {
            (Some(_), _) => without_secrets(bare).into_owned(),
            // `user@host:path`, as scp has it; a letter alone is a drive.
            (None, Some((host, path))) if host.len() > 1 && !host.contains('/') => {
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                format!("ssh://git@{host}/{}", path.trim_start_matches('/'))
            }
            (None, _) if bare.contains('@') => format!("ssh://{bare}"),
            (None, _) => format!("file://{bare}"),
        };
        let revision = revision.map(str::trim).filter(|text| is_revision(text));
        let revision = revision.map(|text| format!("@{text}")).unwrap_or_default();
        Self::Vcs(capped(&format!("{tool}+{plain}{revision}"), ADDRESS_LIMIT).to_owned())
    }

    /// An archive at an address.
    pub(crate) fn download(address: &str) -> Self {
        let bare = address.trim();
        let bare = bare.split(['#', '?']).next().unwrap_or(bare);
        Self::Download(capped(&without_secrets(bare), ADDRESS_LIMIT).to_owned())
    }

    /// A file or folder, relative to the file that names it or not.
    pub(crate) fn path(path: &str) -> Self {
        let path = path.trim();
        let kinds = ["file:", "link:", "portal:", "path:", "exec:", "root:"];
        let path = kinds.iter().find_map(|kind| path.strip_prefix(kind)).unwrap_or(path);
        let path = path.split(['#', '?']).next().unwrap_or(path);
        Self::Download(capped(&format!("file:{}", without_secrets(path)), ADDRESS_LIMIT).to_owned())
    }

    /// Another registry.
    pub(crate) fn registry(address: &str) -> Self {
        let address = address.trim();
        let kinds = ["registry+", "sparse+", "hosted+"];
        let address = kinds.iter().find_map(|kind| address.strip_prefix(kind)).unwrap_or(address);
        let bare = address.split(['#', '?']).next().unwrap_or(address);
        Self::Registry(capped(&without_secrets(bare), ADDRESS_LIMIT).to_owned())
    }

    /// What npm, Yarn, pnpm and Bun write where a package is of no registry; none for a version, a
    /// range or a tag.
    pub(crate) fn of_npm(reference: &str) -> Option<Self> {
        let text = reference.trim();
        let (bare, fragment) = text.split_once('#').unwrap_or((text, ""));
        let hosts = [
            ("github:", "https://github.com/"),
            ("gitlab:", "https://gitlab.com/"),
            ("bitbucket:", "https://bitbucket.org/"),
            ("gist:", "https://gist.github.com/"),
        ];
        let git = |address: &str| Some(Self::git(address, revision(fragment)));
        for (short, host) in hosts {
            if let Some(rest) = bare.strip_prefix(short) {
                return git(&format!("{host}{}.git", rest.trim_end_matches(".git")));
            }
        }
        if ["git+", "git:", "git@", "ssh:"].iter().any(|kind| bare.starts_with(kind)) {
            return git(bare);
        }
        if bare.starts_with("http://") || bare.starts_with("https://") {
            let is_git = fragment.starts_with("commit=")
                || bare.split('?').next().is_some_and(|path| path.ends_with(".git"));
            return if is_git { git(bare) } else { Some(Self::download(bare)) };
        }
        let paths = ["file:", "link:", "portal:", "exec:", "./", "../", "/", "~/"];
        if paths.iter().any(|kind| bare.starts_with(kind)) || matches!(bare, "." | "..") {
            return Some(Self::path(bare));
        }
        let is_short = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let (owner, repository) = bare.split_once('/')?;
        (is_short(owner) && is_short(repository))
            .then(|| git(&format!("https://github.com/{bare}.git")))?
    }
}

/// The package whose archive a registry of npm serves at an address: `…/@scope/name/-/name-1.0.0.tgz`.
pub(crate) fn npm_name_at(address: &str) -> Option<String> {
    let bare = address.split(['#', '?']).next().filter(|bare| bare.starts_with("http"))?;
    let (before, _) = bare.split_once("/-/")?;
    let mut parts = before.rsplit('/').map(decoded);
    let name = parts.next().filter(|name| !name.is_empty())?;
    match parts.next().filter(|scope| scope.len() > 1 && scope.starts_with('@')) {
        Some(scope) => Some(format!("{scope}/{name}")),
        None => Some(name),
    }
}

/// What a fragment of npm or Yarn says is checked out: `abc`, `commit=abc&workspace=x`.
fn revision(fragment: &str) -> Option<&str> {
    let named = fragment.split('&').find_map(|part| {
        ["commit=", "tag=", "head="].iter().find_map(|key| part.strip_prefix(key))
    });
    named.or_else(|| Some(fragment).filter(|text| !text.contains(['=', ':', '&'])))
}

/// A commit, a tag or a branch, without what could be anything else.
fn is_revision(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+~".contains(&byte);
    !text.is_empty() && text.len() <= 200 && text.bytes().all(allowed)
}

/// An address without user and password; `git`, the user that everybody is for ssh, stays.
pub(crate) fn without_secrets(address: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = address.split_once("://") else { return Cow::Borrowed(address) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        None => Cow::Borrowed(address),
        Some(("git", _)) => Cow::Borrowed(address),
        Some((_, host)) => Cow::Owned(format!("{scheme}://{host}{path}")),
    }
}

/// Whether a text is a version as a release has one: numbers first, and no address. Branches and
/// commits are none.
pub(crate) fn is_release(version: &str) -> bool {
    let bare = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+~!:".contains(&byte);
    bare.starts_with(|first: char| first.is_ascii_digit())
        && bare.bytes().all(allowed)
        && (bare.contains('.') || bare.len() < 12 && bare.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The version that a tag names: `v1.2.3` and `1.2.3`, also behind `refs/tags/`.
pub(crate) fn version_of_tag(tag: &str) -> Option<&str> {
    let tag = tag.rsplit('/').next().unwrap_or(tag);
    let bare = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    (bare.contains('.') && is_release(bare)).then_some(bare)
}

/// The version that the file of an address names: `name-1.2.3.tgz`, `name-1.2.3-py3-none-any.whl`,
/// `archive/v1.2.3.zip`.
pub(crate) fn version_of_file<'text>(name: &str, address: &'text str) -> Option<&'text str> {
    let bare = address.split(['#', '?']).next().unwrap_or(address).trim_end_matches('/');
    let file = bare.rsplit('/').next().unwrap_or(bare);
    if let Some(wheel) = file.strip_suffix(".whl") {
        return wheel.split('-').nth(1).filter(|version| is_release(version));
    }
    let endings = [".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".gem"];
    let stem = endings.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    let name = name.rsplit('/').next().unwrap_or(name);
    let same = |left: u8, right: u8| {
        let plain = |byte: u8| if matches!(byte, b'_' | b'.') { b'-' } else { byte };
        plain(left.to_ascii_lowercase()) == plain(right.to_ascii_lowercase())
    };
    let begins = stem.len() > name.len()
        && stem.bytes().zip(name.bytes()).all(|(left, right)| same(left, right));
    let behind = begins.then(|| stem.get(name.len()..)?.strip_prefix('-')).flatten();
    version_of_tag(behind.unwrap_or(stem))
}

/// Name and reference of what Yarn's berry resolves, `name@reference`, seen through patches and
/// virtual packages, and without bindings (`::version=…`).
pub(crate) fn of_berry(locator: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let mut locator = Cow::Borrowed(locator);
    for _ in 0..STEPS {
        let start = usize::from(locator.starts_with('@'));
        let at = locator.get(start..)?.find('@')? + start;
        let name = locator.get(..at)?.to_owned();
        let reference = locator.get(at + 1..)?;
        let reference = reference.split_once("::").map_or(reference, |(bare, _)| bare);
        if let Some(virtual_of) = reference.strip_prefix("virtual:") {
            let (_, inner) = virtual_of.split_once('#')?;
            locator = Cow::Owned(format!("{name}@{inner}"));
        } else if let Some(patched) = reference.strip_prefix("patch:") {
            let inner = patched.split_once('#').map_or(patched, |(inner, _)| inner);
            locator = Cow::Owned(decoded(inner));
        } else {
            let reference = reference.to_owned();
            return Some((Cow::Owned(name), Cow::Owned(reference)));
        }
    }
    None
}

/// Text with `%40` and its kin decoded; what is no such code stays.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Option<Elsewhere>) -> String {
        found.map_or_else(String::new, |found| {
            let purl = found.qualify(Purl::new("npm", "a"));
            purl.qualifiers().map(|(key, value)| format!("{key}={value}")).collect()
        })
    }

    #[test]
    fn every_spelling_of_a_repository_becomes_the_one_of_spdx() {
        for (text, expected) in [
            (
                "git+ssh://git@host.test/a/b.git#0123",
                "vcs_url=git+ssh://git@host.test/a/b.git@0123",
            ),
            ("git@host.test:a/b.git#v1", "vcs_url=git+ssh://git@host.test/a/b.git@v1"),
            ("github:a/b#0123", "vcs_url=git+https://github.com/a/b.git@0123"),
            ("a/b", "vcs_url=git+https://github.com/a/b.git"),
            (
                "https://host.test/a.git#commit=01&workspace=x",
                "vcs_url=git+https://host.test/a.git@01",
            ),
            ("git+https://host.test/a.git#semver:^1.0.0", "vcs_url=git+https://host.test/a.git"),
            ("https://host.test/a.tgz#0123", "download_url=https://host.test/a.tgz"),
            ("file:../a", "download_url=file:../a"),
            ("link:./a", "download_url=file:./a"),
            ("../a", "download_url=file:../a"),
        ] {
            assert_eq!(shown(Elsewhere::of_npm(text)), expected, "{text}");
        }
        for version in ["1.0.0", "^1.0.0 || >=2", "latest", "*", "", "npm:a@1", "workspace:a"] {
            assert_eq!(Elsewhere::of_npm(version), None, "{version}");
        }
    }

    #[test]
    fn no_secret_of_an_address_is_kept() {
        for text in [
            "git+https://user:obviously-fake@host.test/a.git#01",
            "https://obviously-fake@host.test/a.tgz",
            "https://host.test/a.tgz?token=obviously-fake",
            "git+https://x-token:obviously-fake@host.test/a.git?t=obviously-fake",
        ] {
            assert!(!shown(Elsewhere::of_npm(text)).contains("fake"), "{text}");
        }
        let registry = Elsewhere::registry("sparse+https://u:obviously-fake@host.test/index/");
        assert_eq!(shown(Some(registry)), "repository_url=https://host.test/index/");
    }

    #[test]
    fn versions_are_those_of_releases_alone() {
        for release in ["1", "1.2.3", "v1.0", "1.0-rc.1+build", "1!2.0", "0.0.0-2024.1", "20240101"]
        {
            assert!(is_release(release), "{release}");
        }
        for other in
            ["main", "dev-main", "1d7e288222b53a0cab90a331f1865220ec29560c", "", "v", "a.1"]
        {
            assert!(!is_release(other), "{other}");
        }
        assert_eq!(version_of_tag("refs/tags/v1.2.3"), Some("1.2.3"));
        assert_eq!(version_of_tag("release"), None);
        for (name, address, version) in [
            ("a", "https://host.test/a-1.2.3.tgz", Some("1.2.3")),
            ("@s/a", "file:vendor/a-1.2.3.tgz#x", Some("1.2.3")),
            ("direct", "https://host.test/direct-1.0-py3-none-any.whl", Some("1.0")),
            ("some-name", "https://host.test/Some_Name-1.0.tar.gz", Some("1.0")),
            ("x", "https://host.test/o/x/archive/refs/tags/v2.0.1.zip", Some("2.0.1")),
            ("x", "https://codeload.host.test/o/x/tar.gz/1d7e288222b5", None),
            ("x", "https://host.test/x.tgz", None),
        ] {
            assert_eq!(version_of_file(name, address), version, "{address}");
        }
    }

    #[test]
    fn an_archive_of_a_registry_names_its_package() {
        let at = |address| npm_name_at(address);
        assert_eq!(at("https://r.test/is-odd/-/is-odd-3.0.1.tgz#00").as_deref(), Some("is-odd"));
        assert_eq!(at("https://r.test/npm/@s/a/-/a-1.0.0.tgz").as_deref(), Some("@s/a"));
        assert_eq!(at("https://r.test/@s%2fa/-/a-1.0.0.tgz").as_deref(), Some("@s/a"));
        assert_eq!(at("https://host.test/a-1.0.0.tgz"), None);
    }

    #[test]
    fn patches_and_virtual_packages_are_seen_through() {
        let of = |text: &str| of_berry(text).map(|(name, reference)| format!("{name} {reference}"));
        assert_eq!(of("a@npm:1.0.0::__archiveUrl=x").as_deref(), Some("a npm:1.0.0"));
        assert_eq!(
            of("a@patch:a@npm%3A1.0.0#./x.patch::version=1").as_deref(),
            Some("a npm:1.0.0")
        );
        assert_eq!(of("@s/a@virtual:00#npm:2.0.0").as_deref(), Some("@s/a npm:2.0.0"));
        let deep = format!("a@{}npm:1", "virtual:0#".repeat(50));
        assert_eq!(of(&deep), None);
        assert_eq!(decoded("%40a%2Fb%zz%é"), "@a/b%zz%é");
    }
}
