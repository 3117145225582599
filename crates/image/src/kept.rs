//! The one container for lists that have a bound: what it keeps, and how much it left out.
//!
//! A limit that drops in silence turns a flood into a clean report. So a bounded list of this room is
//! a [`Kept`], which counts what did not fit, and [`crate::LayerFacts::gaps`] makes of every such
//! count a gap of the check concerned: no limit can be reached unseen.

use serde::{Deserialize, Serialize};

/// A list with a bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    items: Vec<T>,
    left_out: u64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { items: Vec::new(), left_out: 0 }
    }
}

impl<T> Kept<T> {
    /// Adds what `item` makes while there are fewer than `at_most`, else counts it as left out.
    pub fn push(&mut self, at_most: usize, item: impl FnOnce() -> T) {
        if self.items.len() < at_most {
            self.items.push(item());
        } else {
            self.leave_out(1);
        }
    }

    /// Counts more that are left out.
    pub const fn leave_out(&mut self, count: u64) {
        self.left_out = self.left_out.saturating_add(count);
    }

    /// How many were left out.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Adds what another list kept, and what it left out.
    pub fn append(&mut self, other: Self) {
        self.items.extend(other.items);
        self.leave_out(other.left_out);
    }

    /// Whether nothing came, neither kept nor left out.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        self.items.is_empty() && self.left_out == 0
    }

    /// Keeps only what `stays` says: what goes is gone, and not left out.
    pub fn retain(&mut self, stays: impl FnMut(&T) -> bool) {
        self.items.retain(stays);
    }

    /// Sorts what is kept.
    pub fn sort(&mut self)
    where
        T: Ord,
    {
        self.items.sort();
    }
}

impl<T> std::ops::Deref for Kept<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<'kept, T> IntoIterator for &'kept Kept<T> {
    type Item = &'kept T;
    type IntoIter = std::slice::Iter<'kept, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// All of them kept: for lists that were bounded where they were read.
impl<T> From<Vec<T>> for Kept<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, left_out: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut kept = Kept::default();
        (0..5).for_each(|number| kept.push(3, || number));
        assert_eq!((&kept[..], kept.left_out()), (&[0, 1, 2][..], 2));
        let mut all = Kept::from(vec![7]);
        all.append(kept);
        assert_eq!((&all[..], all.left_out()), (&[7, 0, 1, 2][..], 2));
        assert!(!all.is_untouched() && Kept::<u8>::default().is_untouched());
    }
}
