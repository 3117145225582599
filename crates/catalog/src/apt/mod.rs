//! Keeps what apt is told in a root file system: sources and keyrings.
//!
//! In go the files of `etc/apt` and the folders of keyrings, out come the same bytes, bounded; they are
//! asked for by [`settings`] when the distribution's archive is to be asked. The check yields no
//! packages. Nothing in these files is believed for being there: who asks decides by keys that it knows.
//! Source: sources.list(5) and apt-secure(8), apt 2.9.

use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};

/// Largest file of sources; real ones have a few hundred bytes, and with a keyring inside each stanza
/// some 75 KB for each.
const SOURCES_BYTES: u64 = 512 << 10;

/// Largest keyring that is kept; that of all Debian keys has 55 KB.
const KEYRING_BYTES: u64 = 128 << 10;

/// Files of one root file system; Debian has a dozen.
const FILES: usize = 256;

/// Reads apt's sources and keyrings.
#[derive(Debug)]
pub struct Apt;

/// What apt is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Files of sources: path and text.
    pub sources: Vec<(String, String)>,
    /// Keyrings: path and bytes.
    pub keyrings: Vec<(String, Vec<u8>)>,
}

const INTERESTS: &[Interest] = &[
    Interest::Under("etc/apt/"),
    Interest::Under("usr/local/share/keyrings/"),
    Interest::Under("usr/share/keyrings/"),
];

enum Kind {
    Sources,
    Keyring,
}

impl Kind {
    /// Apt reads no files of other endings.
    fn of(path: &str) -> Option<Self> {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let listed = path.starts_with("etc/apt/sources.list.d/") || path == "etc/apt/sources.list";
        match ending {
            "list" | "sources" if listed => Some(Self::Sources),
            "gpg" | "asc" | "pgp" => Some(Self::Keyring),
            _ => None,
        }
    }
}

/// What apt is told in a root file system. `view` is that of the check [`Apt`].
#[must_use]
pub fn settings(view: &View<'_>) -> Settings {
    let mut settings = Settings::default();
    for at in view.staying().take(FILES) {
        let path = at.path.to_owned();
        match Kind::of(at.path) {
            Some(Kind::Sources) => {
                settings.sources.push((path, String::from_utf8_lossy(at.fact).into_owned()));
            }
            Some(Kind::Keyring) => settings.keyrings.push((path, at.fact.to_vec())),
            None => {}
        }
    }
    settings
}

impl Reader for Apt {
    fn id(&self) -> &'static str {
        "apt"
    }

    fn revision(&self) -> u32 {
        2
    }

    fn interests(&self) -> &'static [Interest] {
        INTERESTS
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        match Kind::of(entry.path) {
            Some(Kind::Sources) => Want::Whole { at_most: SOURCES_BYTES },
            // Larger ones, and keys that were withdrawn, vouch for nothing here.
            Some(Kind::Keyring)
                if entry.size <= KEYRING_BYTES && !entry.name().contains("removed") =>
            {
                Want::Whole { at_most: KEYRING_BYTES }
            }
            _ => Want::No,
        }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        Ok(Some(bytes.to_vec()))
    }
}

impl Resolver for Apt {
    fn resolve(&self, _: &View<'_>) -> Resolution {
        Resolution::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{FactAt, SubjectShape};
    use std::collections::HashMap;
    use vocabulary::FileKind;

    fn wanted(path: &str, size: u64) -> bool {
        let entry = Entry { path, kind: FileKind::File, mode: 0o644, size };
        match Apt.wants(&entry, b"") {
            Want::Whole { at_most } => size <= at_most,
            _ => false,
        }
    }

    #[test]
    fn sources_and_keyrings_of_usual_size_are_kept() {
        for path in [
            "etc/apt/sources.list",
            "etc/apt/sources.list.d/debian.sources",
            "etc/apt/trusted.gpg.d/a.asc",
            "etc/apt/own.gpg",
            "usr/local/share/keyrings/own.asc",
            "usr/share/keyrings/debian-archive-keyring.gpg",
        ] {
            assert!(wanted(path, 1000), "{path}");
        }
        assert!(wanted("etc/apt/sources.list.d/keys-inside.sources", 160_000));
        assert!(!wanted("etc/apt/sources.list.d/README", 1000));
        assert!(!wanted("etc/apt/sources.list.old/a.list", 1000));
        assert!(!wanted("etc/apt/auth.conf.d/secret.conf", 1000));
        assert!(!wanted("usr/share/keyrings/debian-archive-removed-keys.gpg", 1000));
        assert!(!wanted("usr/share/keyrings/a.gpg", KEYRING_BYTES + 1));
    }

    #[test]
    fn files_that_later_layers_remove_are_no_settings() {
        let fact = |path, stays| FactAt { path, layer: Some(0), fact: b"x", stays };
        let facts = vec![
            fact("etc/apt/sources.list", true),
            fact("etc/apt/sources.list.d/a.list", false),
            fact("etc/apt/trusted.gpg.d/a.asc", true),
        ];
        let links = HashMap::new();
        let view = View::new(facts, &links, image::About::tree(SubjectShape::RootFileSystem), 1);
        let settings = settings(&view);
        assert_eq!(settings.sources, [("etc/apt/sources.list".to_owned(), "x".to_owned())]);
        assert_eq!(settings.keyrings, [("etc/apt/trusted.gpg.d/a.asc".to_owned(), b"x".to_vec())]);
    }
}
