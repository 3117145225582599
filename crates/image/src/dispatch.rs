//! Which checks a file could concern, in a few comparisons for each entry.
//!
//! Built once from the checks' interests. Names, extensions and paths are kept by length, so that an
//! entry is compared only with those of its own length: a million entries that concern no check cost
//! some tens of nanoseconds each. How many checks there are has no bound: a set of them is a list of
//! numbers, and the empty list, which nearly every entry has, costs nothing.

use crate::check::{Check, Interest};

/// A set of checks, by their numbers in the list: sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Concerned(Vec<u16>);

impl Concerned {
    /// Whether no check is concerned.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this check is.
    #[must_use]
    pub fn contains(&self, check: u16) -> bool {
        self.0.binary_search(&check).is_ok()
    }

    /// Takes away those of `other`.
    pub(crate) fn without(mut self, other: &Self) -> Self {
        self.0.retain(|check| !other.contains(*check));
        self
    }

    /// Keeps only those that `other` has too.
    pub(crate) fn meet(mut self, other: &Self) -> Self {
        self.0.retain(|check| other.contains(*check));
        self
    }

    /// Adds one.
    pub(crate) fn insert(&mut self, check: u16) {
        if let Err(place) = self.0.binary_search(&check) {
            self.0.insert(place, check);
        }
    }

    fn extend(&mut self, more: &[u16]) {
        if self.0.is_empty() {
            self.0.extend_from_slice(more);
        } else {
            more.iter().for_each(|check| self.insert(*check));
        }
    }

    /// Their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }
}

/// The checks of a walk and their interests.
pub struct Dispatch<'walk> {
    checks: Vec<&'walk dyn Check>,
    names: ByLength,
    extensions: ByLength,
    paths: ByLength,
    under: Vec<(&'static str, Vec<u16>)>,
    /// The first bytes of those folders.
    under_first: [bool; 256],
    magic: Vec<([u8; 4], Vec<u16>)>,
}

#[derive(Default)]
struct ByLength(Vec<Vec<(&'static str, Vec<u16>)>>);

impl ByLength {
    fn insert(&mut self, text: &'static str, check: u16) {
        if self.0.len() <= text.len() {
            self.0.resize_with(text.len() + 1, Vec::new);
        }
        let Some(same_length) = self.0.get_mut(text.len()) else { return };
        add(same_length, text, check);
    }

    fn get(&self, text: &str) -> &[u16] {
        let same_length = self.0.get(text.len()).map_or(&[][..], Vec::as_slice);
        // The first byte settles nearly all of it without a call.
        let first = text.as_bytes().first();
        let same = |known: &str| known.as_bytes().first() == first && known == text;
        same_length.iter().find(|(known, _)| same(known)).map_or(&[], |(_, checks)| checks)
    }
}

/// Notes that `check` is concerned with `key`.
fn add<Key: PartialEq>(list: &mut Vec<(Key, Vec<u16>)>, key: Key, check: u16) {
    match list.iter_mut().find(|(known, _)| *known == key) {
        Some((_, checks)) if checks.last() == Some(&check) => {}
        Some((_, checks)) => checks.push(check),
        None => list.push((key, vec![check])),
    }
}

/// What follows the last such byte; none where there is none. `byte` is ASCII.
pub(crate) fn behind_last(byte: u8, text: &str) -> Option<&str> {
    let at = text.as_bytes().iter().rposition(|known| *known == byte)?;
    text.get(at + 1..)
}

impl<'walk> Dispatch<'walk> {
    /// Indexes the interests of `checks`.
    #[must_use]
    pub fn new(checks: &[&'walk dyn Check]) -> Self {
        let mut dispatch = Self {
            checks: checks.to_vec(),
            names: ByLength::default(),
            extensions: ByLength::default(),
            paths: ByLength::default(),
            under: Vec::new(),
            under_first: [false; 256],
            magic: Vec::new(),
        };
        for (check, number) in checks.iter().zip(0_u16..) {
            for interest in check.interests() {
                match interest {
                    Interest::Name(name) => dispatch.names.insert(name, number),
                    Interest::Extension(extension) => dispatch.extensions.insert(extension, number),
                    Interest::Path(path) => dispatch.paths.insert(path, number),
                    Interest::Under(folder) => {
                        let first = folder.as_bytes().first().map_or(0, |byte| usize::from(*byte));
                        if let Some(known) = dispatch.under_first.get_mut(first) {
                            *known = true;
                        }
                        add(&mut dispatch.under, *folder, number);
                    }
                    Interest::Magic(magic) => add(&mut dispatch.magic, *magic, number),
                }
            }
        }
        dispatch
    }

    /// The checks, in the order of their numbers.
    #[must_use]
    pub fn checks(&self) -> &[&'walk dyn Check] {
        &self.checks
    }

    /// The checks with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u16, &'walk dyn Check)> + '_ {
        (0_u16..).zip(self.checks.iter().copied())
    }

    /// Whether a file at this path could concern any check.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        !self.by_path(path).is_empty()
    }

    /// Checks that a file at this path could concern.
    pub(crate) fn by_path(&self, path: &str) -> Concerned {
        let name = behind_last(b'/', path).unwrap_or(path);
        let extension = behind_last(b'.', name).unwrap_or_default();
        let mut concerned = Concerned::default();
        concerned.extend(self.names.get(name));
        concerned.extend(self.paths.get(path));
        if !extension.is_empty() {
            concerned.extend(self.extensions.get(extension));
        }
        let first = path.as_bytes().first().map_or(0, |byte| usize::from(*byte));
        if !self.under_first.get(first).is_some_and(|known| *known) {
            return concerned;
        }
        for (folder, checks) in &self.under {
            if path.starts_with(folder) {
                concerned.extend(checks);
            }
        }
        concerned
    }

    /// Checks that every file in this folder could concern.
    pub(crate) fn by_folder(&self, path: &str) -> Concerned {
        let mut concerned = Concerned::default();
        for (folder, checks) in &self.under {
            let above = folder.trim_end_matches('/');
            if path == above || path.starts_with(folder) {
                concerned.extend(checks);
            }
        }
        concerned
    }

    /// Whether any check goes by the first bytes of files.
    pub(crate) const fn goes_by_head(&self) -> bool {
        !self.magic.is_empty()
    }

    /// Adds the checks that a file with these first bytes could concern.
    pub(crate) fn add_by_head(&self, head: &[u8], concerned: &mut Concerned) {
        let Some(first) = head.first_chunk::<4>() else { return };
        for (magic, checks) in &self.magic {
            if magic == first {
                concerned.extend(checks);
            }
        }
    }

    /// The checks of a set.
    pub(crate) fn of<'set>(
        &'set self,
        concerned: &'set Concerned,
    ) -> impl Iterator<Item = &'walk dyn Check> + 'set {
        concerned.iter().filter_map(|check| self.checks.get(usize::from(check)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Entry, Fact, ReadError, Resolution, Want};
    use crate::facts::View;

    struct Numbered;

    impl Check for Numbered {
        fn id(&self) -> &'static str {
            "numbered"
        }
        fn revision(&self) -> u32 {
            1
        }
        fn interests(&self) -> &'static [Interest] {
            const { &[Interest::Name("a"), Interest::Under("x/"), Interest::Magic(*b"abcd")] }
        }
        fn wants(&self, _: &Entry<'_>, _: &[u8]) -> Want {
            Want::No
        }
        fn read(&self, _: &Entry<'_>, _: &[u8]) -> Result<Option<Fact>, ReadError> {
            Ok(None)
        }
        fn resolve(&self, _: &View<'_>) -> Resolution {
            Resolution::default()
        }
    }

    #[test]
    fn no_check_is_left_out_however_many_there_are() {
        let checks: Vec<&dyn Check> = vec![&Numbered; 300];
        let dispatch = Dispatch::new(&checks);
        for path in ["a", "b/a", "x/y", "x/a"] {
            assert_eq!(dispatch.of(&dispatch.by_path(path)).count(), 300, "{path}");
        }
        let mut concerned = dispatch.by_path("nothing");
        assert!(concerned.is_empty());
        dispatch.add_by_head(b"abcdef", &mut concerned);
        assert_eq!(concerned.iter().count(), 300);
        let without = dispatch.by_path("a").without(&concerned);
        assert!(without.is_empty());
    }
}
