//! Package databases that are known and not read.
//!
//! In go their paths, out comes a problem for each kind: a system whose packages somebody keeps a list
//! of is never clean because this program does not read that list. A kind leaves this table on the day
//! on which a cataloger reads it.
//!
//! Sources: the manuals of the package managers that the table names.

use image::{
    Entry, Fact, Flow, Interest, ReadError, Reader, Reading, Resolution, Resolver, View, Want,
};
use std::collections::BTreeMap;
use vocabulary::Problem;

/// A kind of database: whose it is, and which file proves it.
struct Known {
    /// In the words of a report.
    name: &'static str,
    interest: Interest,
    /// Whether a file that the interest lets through belongs to it; keeps facts few where a database
    /// has a million files.
    proves: fn(&str) -> bool,
}

/// Any file.
const fn any(_: &str) -> bool {
    true
}

/// All that are known.
const KNOWN: &[Known] = &[
    Known {
        name: "Clear Linux (swupd)",
        interest: Interest::Under("usr/share/clear/bundles/"),
        proves: any,
    },
    Known {
        name: "Container-Optimized OS",
        interest: Interest::Path("etc/cos-package-info.json"),
        proves: any,
    },
    Known { name: "CRUX (pkgutils)", interest: Interest::Path("var/lib/pkg/db"), proves: any },
    Known {
        name: "Flatpak",
        interest: Interest::Under("var/lib/flatpak/"),
        proves: |path| path.ends_with("/metadata"),
    },
    Known {
        name: "FreeBSD (pkg)",
        interest: Interest::Path("var/db/pkg/local.sqlite"),
        proves: any,
    },
    Known {
        name: "GNU Guix",
        interest: Interest::Under("gnu/store/"),
        // A profile lists what is in it.
        proves: |path| path.split('/').count() == 4 && path.ends_with("-profile/manifest"),
    },
    Known {
        name: "KISS Linux",
        interest: Interest::Under("var/db/kiss/installed/"),
        proves: |path| path.ends_with("/version"),
    },
    Known { name: "pkgsrc", interest: Interest::Under("usr/pkg/pkgdb/"), proves: any },
    Known {
        name: "Pardus (pisi)",
        interest: Interest::Under("var/lib/pisi/package/"),
        proves: |path| path.ends_with("/metadata.xml"),
    },
    Known {
        name: "snaps that are packed",
        interest: Interest::Under("var/lib/snapd/"),
        proves: |path| path.ends_with(".snap"),
    },
    Known {
        name: "Solus (eopkg)",
        interest: Interest::Under("var/lib/eopkg/package/"),
        proves: |path| path.ends_with("/metadata.xml"),
    },
    Known {
        name: "SteamOS (pacman)",
        interest: Interest::Under("usr/lib/holo/pacmandb/local/"),
        proves: |path| path.ends_with("/desc"),
    },
    Known {
        name: "Tiny Core Linux",
        interest: Interest::Under("usr/local/tce.installed/"),
        proves: any,
    },
    Known {
        name: "Windows (registry)",
        interest: Interest::Path("Files/Windows/System32/config/SOFTWARE"),
        proves: any,
    },
];

/// Their interests, in the same order: a constant, since the trait lends it for ever.
const INTERESTS: [Interest; KNOWN.len()] = {
    let mut interests = [Interest::Path(""); KNOWN.len()];
    let mut at = 0;
    while at < KNOWN.len() {
        #[expect(clippy::indexing_slicing, reason = "both have one length, at compile time")]
        {
            interests[at] = KNOWN[at].interest;
        }
        at += 1;
    }
    interests
};

/// Tells of package databases that are not read.
#[derive(Debug)]
pub struct Unread;

fn known(path: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        let is_there = match known.interest {
            Interest::Path(own) => path == own,
            Interest::Under(folder) => path.starts_with(folder),
            _ => false,
        };
        is_there && (known.proves)(path)
    })
}

impl Reader for Unread {
    fn id(&self) -> &'static str {
        "unread"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &INTERESTS
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if known(entry.path).is_some() { Want::Stream(Box::new(There)) } else { Want::No }
    }

    fn read(&self, _: &Entry<'_>, _: &[u8]) -> Result<Option<Fact>, ReadError> {
        Ok(Some(Fact::new()))
    }
}

impl Resolver for Unread {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut found: BTreeMap<&str, Problem> = BTreeMap::new();
        for at in view.staying() {
            let Some(known) = known(at.path) else { continue };
            found.entry(known.name).or_insert_with(|| Problem {
                path: at.path.to_owned(),
                layer: at.layer,
                reason: format!(
                    "is of a package database that is known and not read: {}; its packages are not checked",
                    known.name
                ),
            });
        }
        Resolution { problems: found.into_values().collect(), ..Resolution::default() }
    }
}

/// A file that is there; its content is not asked for.
struct There;

impl Reading for There {
    fn push(&mut self, _: &[u8]) -> Flow {
        Flow::Enough
    }

    fn finish(self: Box<Self>) -> Result<Option<Fact>, ReadError> {
        Ok(Some(Fact::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_tests::Layers;

    #[test]
    fn each_kind_is_told_once_with_its_name() {
        let out = Layers::default()
            .layer()
            .file("usr/share/clear/bundles/os-core", "")
            .file("usr/share/clear/bundles/curl", "")
            .file("gnu/store/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-profile/manifest", "")
            .file("gnu/store/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-bash-5.1/bin/bash", "")
            .file("var/lib/snapd/snaps/core_1.snap", "hsqs")
            .file("var/lib/snapd/state.json", "{}")
            .resolve(&Unread);
        let told: Vec<(&str, bool)> = out
            .problems
            .iter()
            .map(|problem| (problem.path.as_str(), problem.reason.contains("not read: ")))
            .collect();
        assert_eq!(
            told,
            [
                ("usr/share/clear/bundles/os-core", true),
                ("gnu/store/0c0y7zfapm7ldn7w0r1rsq7hgdn3i3zn-profile/manifest", true),
                ("var/lib/snapd/snaps/core_1.snap", true)
            ]
        );
    }

    #[test]
    fn a_database_that_a_later_layer_removes_is_not_told() {
        let out = Layers::default()
            .layer()
            .file("var/lib/pkg/db", "a\n1\n\n")
            .layer()
            .whiteout("var/lib/pkg/db")
            .resolve(&Unread);
        assert!(out.problems.is_empty());
    }
}
