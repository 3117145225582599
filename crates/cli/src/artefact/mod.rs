//! The database as an artefact: `db push`, `db pull`, and whatever takes `oci://…` as a source.
//!
//! In go a place and a word on whom to trust there, out come databases in the user's folder, or an
//! artefact at that place. A database decides verdicts: one from anywhere is taken only if a key says
//! so that the user named, or the user named its digest, or said in so many words to take it unsigned.

mod layout;
mod pull;
mod push;
mod source;

pub(crate) use pull::{Taking, pull_command};
pub(crate) use push::push_command;

use crate::args::TrustArgs;
use crate::exit::Failure;
use crate::world::World;
use seal::VerifyingKey;
use std::path::{Path, PathBuf};
use vocabulary::Digest;

/// Where an artefact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A repository of a registry, `HOST/PATH[:TAG]`.
    Registry(String),
    /// A folder: an OCI layout.
    Folder(PathBuf),
    /// The same, given out by a web server.
    Url(String),
}

/// A place, and the digest that the artefact there must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) place: Place,
    pub(crate) pin: Option<Digest>,
    /// For people, and for the manifests of what was taken from there.
    pub(crate) shown: String,
}

impl Named {
    /// What a source of advisories names, if that is an artefact and not a mirror of the bucket:
    /// `oci://REPOSITORY`, `oci:URL`, `oci:FOLDER`, or a folder that is an OCI layout.
    pub(crate) fn of_source(text: &str) -> Option<Self> {
        let (bare, pin) = pinned(text);
        let place = if let Some(name) = bare.strip_prefix("oci://") {
            // The pin is a part of a repository's name.
            let name = text.strip_prefix("oci://").unwrap_or(name);
            Place::Registry(name.to_owned())
        } else if let Some(rest) = bare.strip_prefix("oci:") {
            of_path(rest)
        } else if !is_address(bare) && Path::new(bare).join("oci-layout").exists() {
            Place::Folder(PathBuf::from(bare))
        } else {
            return None;
        };
        let shown = match &place {
            Place::Url(url) => format!("oci:{}", fetch::redact(url)),
            Place::Registry(_) => without_login(text),
            Place::Folder(folder) => format!("oci:{}", folder.display()),
        };
        Some(Self { place, pin, shown })
    }

    /// What `db push` and `db pull` are given: there a folder or URL can be nothing else.
    pub(crate) fn of_argument(text: &str) -> Self {
        Self::of_source(text).unwrap_or_else(|| {
            let (bare, pin) = pinned(text);
            let place = of_path(bare);
            let shown = match &place {
                Place::Url(url) => format!("oci:{}", fetch::redact(url)),
                _ => format!("oci:{bare}"),
            };
            Self { place, pin, shown }
        })
    }

    /// What the arguments or settings of a command name as its source, if that is an artefact.
    pub(crate) fn of_world(world: &World, named: Option<&str>) -> Option<Self> {
        Self::of_source(named.or(world.settings.db_source.as_deref())?)
    }

    /// A repository's name has no place for a login, and one that stands there would end up in lists of
    /// processes and histories.
    pub(crate) fn refuse_login(&self) -> Result<(), Failure> {
        let Place::Registry(name) = &self.place else { return Ok(()) };
        let (bare, _) = pinned(name);
        let host = bare.split_once('/').map_or(bare, |(host, _)| host);
        if !host.contains('@') {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "`{}` was given with a login before its host, which is not used; log in with `docker login`, or set LAZARET_REGISTRY_USERNAME and LAZARET_REGISTRY_PASSWORD",
            self.shown
        )))
    }

    /// Whether somebody is asked for it.
    pub(crate) const fn is_networked(&self) -> bool {
        !matches!(self.place, Place::Folder(_))
    }
}

/// A repository without what stands before its host: `USER:PASSWORD@`.
fn without_login(text: &str) -> String {
    let name = text.strip_prefix("oci://").unwrap_or(text);
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    match host.rsplit_once('@') {
        Some((_, host)) => format!("oci://{host}/{path}"),
        None => text.to_owned(),
    }
}

/// `TEXT@sha256:…`, taken apart.
fn pinned(text: &str) -> (&str, Option<Digest>) {
    let parts = text.rsplit_once('@');
    match parts.and_then(|(bare, digest)| Some((bare, digest.parse::<Digest>().ok()?))) {
        Some((bare, digest)) => (bare, Some(digest)),
        None => (text, None),
    }
}

fn of_path(text: &str) -> Place {
    match is_address(text) {
        true => Place::Url(text.to_owned()),
        false => Place::Folder(PathBuf::from(text)),
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Whom to believe.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The file that was named, and the keys in it.
    keys: Option<(PathBuf, Vec<VerifyingKey>)>,
    unsigned: bool,
    allow_older: bool,
}

impl Trust {
    /// From what a command was given, else the environment, which clap has read, else the settings: the
    /// user's own, for a file that was merely found may name no key.
    ///
    /// # Errors
    /// Where nothing says that what is there may be believed, before anybody is asked for it.
    pub(crate) fn of(world: &World, named: &Named, args: &TrustArgs) -> Result<Self, Failure> {
        let own = args.key.as_ref().or(world.settings.db_key.as_ref());
        let keys = own.map(|file| {
            let keys =
                VerifyingKey::load(file).map_err(|error| Failure::usage(error.to_string()))?;
            Ok::<_, Failure>((file.clone(), keys))
        });
        let trust = Self {
            keys: keys.transpose()?,
            unsigned: args.unsigned,
            allow_older: args.allow_older,
        };
        let shown = &named.shown;
        named.refuse_login()?;
        match (&trust.keys, trust.unsigned) {
            (Some((file, _)), true) => Err(Failure::usage(format!(
                "`{}` is to verify the signature of `{shown}`, and --unsigned is given; leave out one of the two",
                file.display()
            ))),
            (None, false) if named.pin.is_none() => Err(Failure::usage(format!(
                "`{shown}` decides what is found, and nothing says whom to believe: name the public key it is signed by (--key, --db-key, LAZARET_DB_KEY or `db-key`), or its digest (`{shown}@sha256:…`), or give --unsigned to `db pull`"
            ))),
            _ => Ok(trust),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_mirrors() {
        let hex = "a".repeat(64);
        let of =
            |text: &str| Named::of_source(text).map(|named| (named.place, named.pin.is_some()));
        let registry = |name: &str| Place::Registry(name.to_owned());
        assert_eq!(of("oci://h/db:1"), Some((registry("h/db:1"), false)));
        let pinned = format!("h/db@sha256:{hex}");
        assert_eq!(of(&format!("oci://{pinned}")), Some((registry(&pinned), true)));
        assert_eq!(of("oci:https://h/x/"), Some((Place::Url("https://h/x/".to_owned()), false)));
        assert_eq!(of("oci:some/folder"), Some((Place::Folder("some/folder".into()), false)));
        let pinned = format!("oci:https://user@h/x@sha256:{hex}");
        assert_eq!(of(&pinned), Some((Place::Url("https://user@h/x".to_owned()), true)));
        for mirror in ["https://h/x", "http://h", "some/folder", "/"] {
            assert_eq!(of(mirror), None, "{mirror}");
        }
        let argument = Named::of_argument("https://u:secret@h/x?t=secret");
        assert!(!argument.shown.contains("secret"), "{}", argument.shown);
        assert_eq!(Named::of_argument("folder").place, Place::Folder("folder".into()));
        let pinned = format!("oci://u:se@cret@h:1/x@sha256:{hex}");
        for text in ["oci://u:secret@h/x", "oci://u:secret@h:1/x:tag", "oci://secret@h", &pinned] {
            let named = Named::of_argument(text);
            assert!(!named.shown.contains("cret"), "{}", named.shown);
            assert!(named.refuse_login().is_err(), "{text}");
        }
        assert!(Named::of_argument("oci://h/x:1").refuse_login().is_ok());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("oci-layout"), "{}").unwrap();
        assert!(of(&folder.path().display().to_string()).is_some());
    }
}
