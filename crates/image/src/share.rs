//! What layers of one image may keep together.
//!
//! A bound for each layer is none for an image: there may be a thousand of them. So every layer says
//! what it keeps before it keeps it, and one stays only if it and all below it fit together. Sums only
//! grow, so that a layer that does not fit knows it at once, whatever the others still do; and which
//! ones stay depends on the image alone, not on who was faster, nor on what a cache knew.

use crate::limits::SHARE_STEP;
use std::sync::atomic::{AtomicU64, Ordering};

/// The sums of all layers of an image.
#[derive(Debug)]
pub struct Shares {
    total: u64,
    /// What each layer was given, in whole steps.
    kept: Vec<AtomicU64>,
    /// What it keeps of that, as far as its readings have ended.
    used: Vec<AtomicU64>,
}

impl Shares {
    /// For so many layers, of which each keeps nothing yet.
    #[must_use]
    pub fn new(layers: usize, total: u64) -> Self {
        let nothing = || (0..layers).map(|_| AtomicU64::new(0)).collect();
        Self { total, kept: nothing(), used: nothing() }
    }

    /// What a layer keeps is known, or that part of it which is not to be read. It takes as many steps
    /// as if it were read now.
    pub fn settle(&self, layer: usize, bytes: u64) {
        if let (Some(kept), Some(used)) = (self.kept.get(layer), self.used.get(layer)) {
            used.store(bytes, Ordering::Relaxed);
            kept.store(bytes.div_ceil(SHARE_STEP).saturating_mul(SHARE_STEP), Ordering::Relaxed);
        }
    }

    /// Whether a layer fits with all below it, as far as is known.
    #[must_use]
    pub fn fits(&self, layer: usize) -> bool {
        let below = self.kept.iter().take(layer.saturating_add(1));
        let sum = below.fold(0_u64, |sum, kept| sum.saturating_add(kept.load(Ordering::Relaxed)));
        sum <= self.total
    }

    pub(crate) fn of(&self, layer: usize) -> Share<'_> {
        let of = |all: &[AtomicU64]| all.get(layer).map_or(0, |one| one.load(Ordering::Relaxed));
        let credit = of(&self.kept).saturating_sub(of(&self.used));
        Share { shares: self, layer, credit, taken: 0 }
    }
}

/// The share of one layer in one reading of it. What several readings keep adds up, so that it takes
/// no more steps than if all were kept at once.
#[derive(Debug)]
pub(crate) struct Share<'shares> {
    shares: &'shares Shares,
    layer: usize,
    /// Bytes that were asked for and not kept yet.
    credit: u64,
    /// Bytes that this reading keeps.
    taken: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if let Some(used) = self.shares.used.get(self.layer) {
            used.fetch_add(self.taken, Ordering::Relaxed);
        }
    }
}

impl Share<'_> {
    /// Whether so many bytes more may be kept. Once they may not, never again.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        if self.credit < bytes {
            let more = bytes.saturating_sub(self.credit).div_ceil(SHARE_STEP);
            let more = more.saturating_mul(SHARE_STEP);
            if let Some(kept) = self.shares.kept.get(self.layer) {
                kept.fetch_add(more, Ordering::Relaxed);
            }
            self.credit = self.credit.saturating_add(more);
            if !self.shares.fits(self.layer) {
                return false;
            }
        }
        self.credit = self.credit.saturating_sub(bytes);
        self.taken = self.taken.saturating_add(bytes);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_stays_if_it_and_all_below_it_fit() {
        let shares = Shares::new(3, 10 * SHARE_STEP);
        let mut of: Vec<Share<'_>> = (0..3).map(|layer| shares.of(layer)).collect();
        assert!(of[2].take(6 * SHARE_STEP) && of[0].take(1) && of[0].take(SHARE_STEP - 1));
        assert!(of[1].take(3 * SHARE_STEP));
        assert!(shares.fits(2), "all fit exactly");
        assert!(of[0].take(1), "the lowest may take what is left");
        assert!(!shares.fits(2) && !of[2].take(SHARE_STEP), "the topmost fits no more");
        assert!(shares.fits(1) && of[1].take(3 * SHARE_STEP));
        assert!(!of[0].take(u64::MAX / 2) && !shares.fits(0) && !shares.fits(1));
    }

    #[test]
    fn several_readings_of_a_layer_take_what_one_would() {
        let shares = Shares::new(1, 2 * SHARE_STEP);
        for _ in 0..4 {
            assert!(shares.of(0).take(SHARE_STEP / 2), "they share their steps");
        }
        assert!(!shares.of(0).take(1));
        let known = Shares::new(1, 2 * SHARE_STEP);
        known.settle(0, 3 * SHARE_STEP / 2);
        assert!(known.of(0).take(SHARE_STEP / 2) && !known.of(0).take(1));
    }
}
