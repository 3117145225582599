//! Which checks a file could concern, in a few comparisons for each entry.
//!
//! Built once from the checks' interests. Names, extensions and paths are kept by length, so that an
//! entry is compared only with those of its own length: a million entries that concern no check cost
//! some tens of nanoseconds each.

use crate::check::{Check, Interest};

/// A set of checks, one bit each.
pub(crate) type Mask = u64;

/// The checks of a walk and their interests.
pub struct Dispatch<'walk> {
    checks: Vec<&'walk dyn Check>,
    names: ByLength,
    extensions: ByLength,
    paths: ByLength,
    under: Vec<(&'static str, Mask)>,
    /// The first bytes of those folders.
    under_first: [bool; 256],
    magic: Vec<([u8; 4], Mask)>,
}

#[derive(Default)]
struct ByLength(Vec<Vec<(&'static str, Mask)>>);

impl ByLength {
    fn insert(&mut self, text: &'static str, mask: Mask) {
        if self.0.len() <= text.len() {
            self.0.resize_with(text.len() + 1, Vec::new);
        }
        let Some(same_length) = self.0.get_mut(text.len()) else { return };
        match same_length.iter_mut().find(|(known, _)| *known == text) {
            Some((_, of_known)) => *of_known |= mask,
            None => same_length.push((text, mask)),
        }
    }

    fn get(&self, text: &str) -> Mask {
        let same_length = self.0.get(text.len()).map_or(&[][..], Vec::as_slice);
        // The first byte settles nearly all of it without a call.
        let first = text.as_bytes().first();
        let same = |known: &str| known.as_bytes().first() == first && known == text;
        same_length.iter().find(|(known, _)| same(known)).map_or(0, |(_, mask)| *mask)
    }
}

/// What follows the last such byte; none where there is none. `byte` is ASCII.
pub(crate) fn behind_last(byte: u8, text: &str) -> Option<&str> {
    let at = text.as_bytes().iter().rposition(|known| *known == byte)?;
    text.get(at + 1..)
}

impl<'walk> Dispatch<'walk> {
    /// How many checks one walk takes: one bit of a mask each.
    pub const CHECKS: usize = 64;

    /// Indexes the interests of `checks`; those beyond [`Self::CHECKS`] are left out.
    #[must_use]
    pub fn new(checks: &[&'walk dyn Check]) -> Self {
        let mut dispatch = Self {
            checks: checks.iter().copied().take(Self::CHECKS).collect(),
            names: ByLength::default(),
            extensions: ByLength::default(),
            paths: ByLength::default(),
            under: Vec::new(),
            under_first: [false; 256],
            magic: Vec::new(),
        };
        for (index, check) in checks.iter().take(Self::CHECKS).enumerate() {
            let mask = 1 << index;
            for interest in check.interests() {
                match interest {
                    Interest::Name(name) => dispatch.names.insert(name, mask),
                    Interest::Extension(extension) => dispatch.extensions.insert(extension, mask),
                    Interest::Path(path) => dispatch.paths.insert(path, mask),
                    Interest::Under(folder) => {
                        let first = folder.as_bytes().first().map_or(0, |byte| usize::from(*byte));
                        if let Some(known) = dispatch.under_first.get_mut(first) {
                            *known = true;
                        }
                        dispatch.under.push((folder, mask));
                    }
                    Interest::Magic(magic) => dispatch.magic.push((*magic, mask)),
                }
            }
        }
        dispatch
    }

    /// The checks, in the order of the bits.
    #[must_use]
    pub fn checks(&self) -> &[&'walk dyn Check] {
        &self.checks
    }

    /// Whether a file at this path could concern any check.
    pub(crate) fn concerns(&self, path: &str) -> bool {
        self.by_path(path) != 0
    }

    /// Checks that a file at this path could concern.
    pub(crate) fn by_path(&self, path: &str) -> Mask {
        let name = behind_last(b'/', path).unwrap_or(path);
        let extension = behind_last(b'.', name).unwrap_or_default();
        let mut mask = self.names.get(name) | self.paths.get(path);
        if !extension.is_empty() {
            mask |= self.extensions.get(extension);
        }
        let first = path.as_bytes().first().map_or(0, |byte| usize::from(*byte));
        if !self.under_first.get(first).is_some_and(|known| *known) {
            return mask;
        }
        for (folder, of_folder) in &self.under {
            if path.starts_with(folder) {
                mask |= of_folder;
            }
        }
        mask
    }

    /// Checks that a file with these first bytes could concern.
    pub(crate) fn by_head(&self, head: &[u8]) -> Mask {
        let Some(first) = head.first_chunk::<4>() else { return 0 };
        self.magic.iter().filter(|(magic, _)| magic == first).fold(0, |mask, (_, more)| mask | more)
    }

    /// The checks of a mask.
    pub(crate) fn of(&self, mask: Mask) -> impl Iterator<Item = &'walk dyn Check> + '_ {
        let mut rest = mask;
        std::iter::from_fn(move || {
            let index = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            self.checks.get(usize::try_from(index).ok()?).copied()
        })
    }
}
