//! Reads snaps that lie unpacked: `snap/NAME/REVISION/meta/snap.yaml`.
//!
//! In go the files by which snaps name themselves, out come the snaps. Of the YAML the keys at the left
//! edge are read: name, version, licence. Snaps that are packed are told of by the check `unread`.
//!
//! Sources: snapcraft documentation, "The snap format"; snapd, `dirs/dirs.go` for the places. Package
//! URLs are of a type of our own, since purl-spec has none.

use crate::language::{Named, decode, encode};
use crate::text::{lines, text};
use image::{Entry, Fact, Interest, ReadError, Reader, Resolution, Resolver, View, Want};
use std::borrow::Cow;
use vocabulary::Ecosystem;

/// Largest file; those of large applications have about 50 kB.
const SIZE_LIMIT: u64 = 4 << 20;

/// Reads unpacked snaps.
#[derive(Debug)]
pub struct Snap;

/// Whether it is the file of an installed snap, at the root or below snapd's own folder.
fn is_installed(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (file, meta, revision, name, snaps) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    (file, meta, snaps) == (Some("snap.yaml"), Some("meta"), Some("snap"))
        && revision.is_some()
        && name.is_some()
}

impl Reader for Snap {
    fn id(&self) -> &'static str {
        "snap"
    }

    fn revision(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("snap.yaml")]
    }

    fn wants(&self, entry: &Entry<'_>, _: &[u8]) -> Want {
        if is_installed(entry.path) { Want::Whole { at_most: SIZE_LIMIT } } else { Want::No }
    }

    fn read(&self, _: &Entry<'_>, bytes: &[u8]) -> Result<Option<Fact>, ReadError> {
        let (mut name, mut version, mut licence) = (None, None, None);
        for line in lines(bytes) {
            let Some((key, value)) = pair(line) else { continue };
            match key {
                b"name" => name = name.or(Some(value)),
                b"version" => version = version.or(Some(value)),
                b"license" => licence = licence.or(Some(value)),
                _ => {}
            }
        }
        let named = name
            .zip(version)
            .and_then(|(name, version)| Named::new(&name, &version, licence.as_deref()));
        encode(&named.ok_or_else(|| ReadError::new("it states no name or no version of a snap"))?)
    }
}

impl Resolver for Snap {
    fn resolve(&self, view: &View<'_>) -> Resolution {
        let mut resolution = Resolution::default();
        for at in view.staying() {
            if let Some(named) = decode::<Named>(&at, &mut resolution.problems) {
                resolution.packages.push(named.cataloged("snap", Ecosystem::SNAP, &at));
            }
        }
        resolution
    }
}

/// `key: value` at the left edge; quotes and a comment behind the value taken off.
fn pair(line: &[u8]) -> Option<(&[u8], Cow<'_, str>)> {
    let (key, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
    let value = value.get(1..)?.trim_ascii();
    let quoted = |quote: u8| {
        let inner = value.strip_prefix(&[quote])?;
        inner.get(..memchr::memchr(quote, inner)?)
    };
    let bare = || {
        let end = memchr::memmem::find(value, b" #").unwrap_or(value.len());
        value.get(..end).unwrap_or_default().trim_ascii()
    };
    Some((key, text(quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or_else(bare))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::testing::{purls, resolve};
    use crate::view_tests::read_file;
    use proptest::prelude::*;

    #[test]
    fn an_unpacked_snap_names_itself() {
        let text = b"name: core22 # base\nversion: '20240904'\nsummary: a\nlicense: MIT\napps:\n  x:\n    name: no\n";
        let found = resolve(
            &Snap,
            &[("snap/core22/1621/meta/snap.yaml", text), ("src/meta/snap.yaml", text)],
        );
        assert_eq!(purls(&found), ["pkg:snap/core22@20240904"]);
        assert_eq!(found.packages[0].package.licences, ["MIT"]);
        for text in ["", "name: a\n", "version: 1\n", "name:\nversion: 1\n"] {
            assert!(read_file(&Snap, "snap/a/1/meta/snap.yaml", text.as_bytes()).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, line in "(name|version|:| |'|\"|#|a){0,20}") {
            let _ = read_file(&Snap, "snap/a/1/meta/snap.yaml", &bytes);
            let _ = read_file(&Snap, "snap/a/1/meta/snap.yaml", line.as_bytes());
        }
    }
}
