//! The lists and checksums of the files of a package: `info/*.list` and `info/*.md5sums`.
//!
//! The list names everything, folders included; the checksums leave out conffiles and links. Both
//! are kept sorted by path, so that they are merged in one pass.

use crate::owned::{Blob, Budget, Packer, digest_of_hex};
use crate::text::{lines, path};
use image::{OwnedDigest, OwnedFile};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The paths of a list but those of folders, which the next line lies below.
pub(crate) fn read_list(bytes: &[u8]) -> Blob<'static> {
    let mut paths: Vec<Cow<'_, str>> = Vec::new();
    let mut all = lines(bytes).peekable();
    while let Some(line) = all.next() {
        let folder = all.peek().is_some_and(|next| {
            next.strip_prefix(line).is_some_and(|rest| rest.first() == Some(&b'/'))
        });
        if !folder && line != b"/." {
            paths.push(path(line));
        }
    }
    // Stable, since that is quick with runs that are sorted already.
    paths.sort();
    let mut packer = Packer::default();
    for path in &paths {
        packer.push(path, None);
    }
    packer.finish()
}

/// The lines of md5sum(1): digest, two spaces, path.
pub(super) fn read_sums(bytes: &[u8]) -> Blob<'static> {
    let mut sums: Vec<(Cow<'_, str>, OwnedDigest)> = lines(bytes)
        .filter_map(|line| {
            let (digest, rest) = line.split_at_checked(32)?;
            let rest = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
            Some((path(rest), digest_of_hex(digest)?))
        })
        .collect();
    sums.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut packer = Packer::default();
    for (path, digest) in &sums {
        packer.push(path, Some(digest));
    }
    packer.finish()
}

/// All files of both, each once, with the digest where there is one; sorted by path.
pub(super) fn merge(list: &Blob<'_>, sums: &Blob<'_>, budget: &mut Budget) -> Vec<OwnedFile> {
    let mut owned = Vec::with_capacity(sums.estimate());
    let (mut list, mut sums) = (list.files(), sums.files());
    let (mut more_list, mut more_sums) = (list.advance(), sums.advance());
    while more_list || more_sums {
        let order = match (more_list, more_sums) {
            (true, true) => list.path().cmp(sums.path()),
            (true, false) => Ordering::Less,
            (false, _) => Ordering::Greater,
        };
        let from = if order == Ordering::Less { &list } else { &sums };
        if !budget.take(from.path().len()) {
            break;
        }
        owned.push(from.owned());
        if order != Ordering::Greater {
            more_list = list.advance();
        }
        if order != Ordering::Less {
            more_sums = sums.advance();
        }
    }
    owned
}

/// Adds the digests that `status` records for conffiles. `owned` is sorted by path.
pub(super) fn add_digests(owned: &mut [OwnedFile], conffiles: &Blob<'_>) {
    let mut files = conffiles.files();
    while files.advance() {
        if let Ok(at) = owned.binary_search_by(|file| file.path.as_str().cmp(files.path()))
            && let Some(file) = owned.get_mut(at)
        {
            file.digest = file.digest.or(files.owned().digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn merged(list: &str, sums: &str) -> Vec<(String, bool)> {
        let merged =
            merge(&read_list(list.as_bytes()), &read_sums(sums.as_bytes()), &mut Budget::default());
        merged.into_iter().map(|file| (file.path, file.digest.is_some())).collect()
    }

    #[test]
    fn list_and_checksums_are_merged_without_folders_and_doubles() {
        let digest = "d41d8cd98f00b204e9800998ecf8427e";
        let list = "/.\n/usr\n/usr/bin\n/usr/bin/b\n/usr/bin/a\n/etc\n/etc/a.conf\n";
        let sums = format!("{digest}  usr/bin/a\n{digest}  ./usr/bin/b\n{digest}  usr/bin/c\n");
        let expected =
            [("etc/a.conf", false), ("usr/bin/a", true), ("usr/bin/b", true), ("usr/bin/c", true)];
        assert_eq!(merged(list, &sums), expected.map(|(path, digest)| (path.to_owned(), digest)));
    }

    #[test]
    fn lines_that_are_no_checksums_are_left_out() {
        assert!(merged("", "x\n\nzz1d8cd98f00b204e9800998ecf8427e  a\n").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            list in prop::collection::vec(any::<u8>(), 0..300),
            sums in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let count = merge(&read_list(&list), &read_sums(&sums), &mut Budget::default()).len();
            prop_assert!(count <= list.len() + sums.len());
        }

        #[test]
        fn a_merge_is_sorted_and_holds_every_path(
            list in prop::collection::btree_set("[a-c]/[a-c]{1,3}", 0..12),
            sums in prop::collection::btree_set("[a-c]/[a-c]{1,3}", 0..12),
        ) {
            let lines: String = list.iter().map(|path| format!("/{path}\n")).collect();
            let digests: String = sums
                .iter()
                .map(|path| format!("d41d8cd98f00b204e9800998ecf8427e  {path}\n"))
                .collect();
            let paths: Vec<String> = merged(&lines, &digests).into_iter().map(|(path, _)| path).collect();
            let union: Vec<String> = list.union(&sums).cloned().collect();
            prop_assert_eq!(paths, union);
        }
    }
}
