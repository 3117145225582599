//! Which readers a file could concern, in a few comparisons for each entry.
//!
//! Built once from the readers' interests. Names, extensions and paths are kept by length, so that an
//! entry is compared only with those of its own length: a million entries that concern no reader cost
//! some tens of nanoseconds each. How many readers there are has no bound: a set of them is a list of
//! numbers, and the empty list, which nearly every entry has, costs nothing.

use crate::check::{Interest, Place, Reader};
use crate::limits::WHOLE_FILE_BYTES;

/// A set of readers, by their numbers in the list: sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Concerned(Vec<u16>);

impl Concerned {
    /// Whether no reader is concerned.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this reader is.
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
    pub fn insert(&mut self, check: u16) {
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
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }
}

/// Whether bytes are text: UTF-8 without NUL.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes).is_none() && std::str::from_utf8(bytes).is_ok()
}

/// Whether first bytes may be those of text: a character may be cut off at their end.
fn begins_as_text(head: &[u8]) -> bool {
    let broken = std::str::from_utf8(head).err().is_some_and(|error| error.error_len().is_some());
    !broken && memchr::memchr(0, head).is_none()
}

/// The readers of a walk and their interests.
pub struct Dispatch<'walk> {
    readers: Vec<&'walk dyn Reader>,
    names: ByLength,
    extensions: ByLength,
    paths: ByLength,
    under: Vec<(&'static str, Vec<u16>)>,
    /// The first bytes of those folders.
    under_first: [bool; 256],
    magic: Vec<([u8; 4], Vec<u16>)>,
    /// Readers of every regular file.
    every: Vec<u16>,
    /// Readers of text, with the most bytes of it; and the most that any of them takes.
    texts: Vec<(u64, u16)>,
    longest_text: u64,
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
    /// Indexes the interests of `readers`.
    #[must_use]
    pub fn new(readers: &[&'walk dyn Reader]) -> Self {
        let mut dispatch = Self {
            readers: readers.to_vec(),
            names: ByLength::default(),
            extensions: ByLength::default(),
            paths: ByLength::default(),
            under: Vec::new(),
            under_first: [false; 256],
            magic: Vec::new(),
            every: Vec::new(),
            texts: Vec::new(),
            longest_text: 0,
        };
        for (reader, number) in readers.iter().zip(0_u16..) {
            for interest in reader.interests() {
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
                    Interest::Every => dispatch.every.push(number),
                    Interest::Text { at_most } => {
                        let at_most = (*at_most).min(WHOLE_FILE_BYTES);
                        dispatch.longest_text = dispatch.longest_text.max(at_most);
                        dispatch.texts.push((at_most, number));
                    }
                }
            }
        }
        dispatch
    }

    /// The readers, in the order of their numbers.
    #[must_use]
    pub fn readers(&self) -> &[&'walk dyn Reader] {
        &self.readers
    }

    /// The readers with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u16, &'walk dyn Reader)> + '_ {
        (0_u16..).zip(self.readers.iter().copied())
    }

    /// Whether a file at this path could concern any reader by it.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        !self.by_path(path).is_empty()
    }

    /// Readers that a file at this path could concern.
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

    /// Readers that every file in this folder could concern.
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

    /// Readers that go by this very name of a file.
    pub(crate) fn by_name(&self, path: &str) -> Concerned {
        let name = behind_last(b'/', path).unwrap_or(path);
        Concerned(self.names.get(name).to_vec())
    }

    /// The readers of what is declared: it counts in source folders, and not in what is made of them.
    pub(crate) fn of_declarations(&self) -> Concerned {
        let declared = self.numbered().filter(|(_, reader)| {
            reader.counts().hold(Place::SourceFolder) && !reader.counts().hold(Place::RootFolder)
        });
        Concerned(declared.map(|(number, _)| number).collect())
    }

    /// The readers that other names can tell more.
    pub(crate) fn following(&self) -> Concerned {
        let following = self.numbered().filter(|(_, reader)| reader.follows_links());
        Concerned(following.map(|(number, _)| number).collect())
    }

    /// Whether every regular file of this size could concern a reader, whatever its path.
    pub(crate) const fn goes_by_content(&self, size: u64) -> bool {
        !self.every.is_empty() || size <= self.longest_text && !self.texts.is_empty()
    }

    /// The readers that a file of this size could concern as text, where its first bytes are some. Those
    /// that are concerned anyway are not among them: they take it whatever it turns out to be.
    pub(crate) fn by_text(&self, size: u64, head: &[u8], concerned: &Concerned) -> Concerned {
        let mut by_text = Concerned::default();
        if size <= self.longest_text && begins_as_text(head) {
            let takes =
                |(at_most, number): &&(u64, u16)| size <= *at_most && !concerned.contains(*number);
            self.texts.iter().filter(takes).for_each(|(_, number)| by_text.insert(*number));
        }
        by_text
    }

    /// Adds the readers that a file with these first bytes could concern.
    pub(crate) fn add_by_head(&self, head: &[u8], concerned: &mut Concerned) {
        concerned.extend(&self.every);
        let Some(first) = head.first_chunk::<4>() else { return };
        for (magic, checks) in &self.magic {
            if magic == first {
                concerned.extend(checks);
            }
        }
    }

    /// The readers of a set.
    pub(crate) fn of<'set>(
        &'set self,
        concerned: &'set Concerned,
    ) -> impl Iterator<Item = &'walk dyn Reader> + 'set {
        concerned.iter().filter_map(|check| self.readers.get(usize::from(check)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Entry, Fact, ReadError, Want};

    struct Numbered;

    impl Reader for Numbered {
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
    }

    #[test]
    fn no_reader_is_left_out_however_many_there_are() {
        let readers: Vec<&dyn Reader> = vec![&Numbered; 300];
        let dispatch = Dispatch::new(&readers);
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

    #[test]
    fn text_is_utf8_without_nul_and_may_be_cut_off_in_its_first_bytes() {
        assert!(is_text(b"") && is_text("gr\u{fc}n\n".as_bytes()));
        assert!(!is_text(b"a\0b") && !is_text(b"\xff\xfe"));
        assert!(begins_as_text("\u{fc}".as_bytes().get(..1).unwrap()));
        assert!(!begins_as_text(b"\x7fELF\x02\x01\x01\0") && !begins_as_text(b"\xfc\x80 a"));
    }
}
