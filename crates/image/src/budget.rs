//! Bounds the whole files that lie in memory at once, over all layers.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A number of bytes that may be reserved at once.
pub(crate) struct Budget {
    total: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// Bytes reserved until this is dropped.
pub(crate) struct Reservation<'budget> {
    budget: &'budget Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of `total` bytes.
    #[must_use]
    pub(crate) const fn new(total: u64) -> Self {
        Self { total, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Reserves bytes, waiting until there is room. What exceeds the whole budget is let in alone.
    /// Whoever holds a reservation never waits for a second one, so nothing can lock up.
    pub(crate) fn reserve(&self, bytes: u64) -> Reservation<'_> {
        let mut used = self.used();
        while *used != 0 && used.saturating_add(bytes) > self.total {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used = used.saturating_add(bytes);
        Reservation { budget: self, bytes }
    }

    fn used(&self) -> MutexGuard<'_, u64> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut used = self.budget.used();
        *used = used.saturating_sub(self.bytes);
        self.budget.freed.notify_all();
    }
}
