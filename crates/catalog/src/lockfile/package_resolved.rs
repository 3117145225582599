//! `Package.resolved` of Swift, versions 1 to 3. Source: Swift Package Manager, `PinsStore.swift`; OSV
//! schema, "SwiftURL".
//!
//! A package is named by the address of its repository, without scheme, user and `.git`: so do the
//! advisories. Pins of a branch or a commit are listed without a version, folders with their path, and
//! packages of a registry under its names, which are none of these.

use super::listing::{Entry, Listing, nullable};
use super::{Declared, Lockfile, Reader, is_named, json_error};
use crate::elsewhere::Elsewhere;
use image::Interest;
use serde::Deserialize;
use std::borrow::Cow;
use vocabulary::Ecosystem;

/// The check.
pub const CHECK: Lockfile = Lockfile {
    id: "package-resolved",
    ecosystem: Ecosystem::SWIFT_URL,
    interests: &[Interest::Name("Package.resolved")],
    accepts: |path| {
        is_named(path, &["Package.resolved"]) && !path.split('/').any(|part| part == ".build")
    },
    at_most: 16 << 20,
    reader: Reader::Alone(parse),
};

#[derive(Deserialize)]
struct File<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    pins: Option<Vec<Pin<'text>>>,
    #[serde(borrow)]
    object: Option<Object<'text>>,
}

/// Version 1 holds its pins here.
#[derive(Deserialize)]
struct Object<'text> {
    #[serde(default, borrow, deserialize_with = "nullable")]
    pins: Option<Vec<Pin<'text>>>,
}

#[derive(Deserialize)]
struct Pin<'text> {
    #[serde(borrow, alias = "package")]
    identity: Option<Cow<'text, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'text, str>>,
    #[serde(borrow, alias = "repositoryURL")]
    location: Option<Cow<'text, str>>,
    #[serde(borrow)]
    state: Option<State<'text>>,
}

#[derive(Deserialize)]
struct State<'text> {
    #[serde(borrow)]
    version: Option<Cow<'text, str>>,
    #[serde(borrow)]
    revision: Option<Cow<'text, str>>,
    #[serde(borrow)]
    branch: Option<Cow<'text, str>>,
}

fn parse(text: &str) -> Result<Listing, String> {
    if text.trim().is_empty() {
        return Ok(Listing::empty());
    }
    let file: File<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let lists = [&file.pins, &file.object.and_then(|object| object.pins)];
    let seen = lists.iter().any(|list| list.is_some());
    let listed = lists.into_iter().flatten().flatten().map(|pin| Entry::package(declared(pin), 0));
    Ok(Listing::of_list_if(seen, listed))
}

fn declared(pin: &Pin<'_>) -> Option<Declared> {
    let state = pin.state.as_ref();
    let version = state.and_then(|state| state.version.as_deref());
    let revision = state.and_then(|state| state.revision.as_deref().or(state.branch.as_deref()));
    let address = pin.location.as_deref().unwrap_or_default();
    let identity = pin.identity.as_deref().unwrap_or_default();
    if pin.kind.as_deref() == Some("registry") {
        // `scope.name`; which registry serves the scope is a setting of the machine's.
        let (scope, name) = identity.split_once('.')?;
        return Declared::new(&format!("{scope}/{name}"), version?, 0);
    }
    match (name_of(address), version) {
        (Some(name), Some(version)) => Declared::new(&name, version, 0),
        (Some(name), None) => {
            Declared::from_elsewhere(&name, None, Elsewhere::git(address, revision), 0)
        }
        (None, version) => {
            let last = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let name = if identity.is_empty() { last } else { identity };
            let elsewhere = match address.contains("://") {
                true => Elsewhere::git(address, revision),
                false => Elsewhere::path(address),
            };
            Declared::from_elsewhere(name, version, elsewhere, 0)
        }
    }
}

/// `https://host/owner/name.git`, `ssh://user@host/owner/name` and `user@host:owner/name`.
fn name_of(address: &str) -> Option<String> {
    let (rest, has_scheme) = match address.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => (rest, true),
        Some(_) => return None,
        None => (address, false),
    };
    let (host, path) = rest.split_once(if has_scheme { '/' } else { ':' })?;
    let host = host.rsplit('@').next().unwrap_or(host);
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let sound = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-:".contains(&byte);
        !matches!(part, "" | "." | "..") && part.bytes().all(allowed)
    };
    (sound(host) && path.split('/').all(sound)).then(|| format!("{host}/{path}"))
}
