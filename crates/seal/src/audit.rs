//! Holds a store against itself: what of it is not what was written.
//!
//! In goes a store, out come findings of the rule `broken-seal`.

use crate::finding;
use crate::key::VerifyingKey;
use crate::log::Seal;
use crate::store::{Store, StoreError};
use std::collections::BTreeMap;
use vocabulary::Finding;

impl Store {
    /// What is wrong with the log as such: damaged entries, a chain that does not hold.
    #[must_use]
    pub fn damages(&self) -> Vec<Finding> {
        self.damaged().iter().map(finding::damage).collect()
    }

    /// Checks the chain, every signature, the counters and every document.
    #[must_use]
    pub fn check(&self, keys: &[VerifyingKey]) -> Vec<Finding> {
        let mut findings = self.damages();
        let mut counters: BTreeMap<&str, u64> = BTreeMap::new();
        for seal in self.all() {
            findings.extend(seal.verify(keys).err().map(|error| finding::signature(seal, &error)));
            findings
                .extend(self.documents(seal).err().map(|error| finding::document(seal, &error)));
            let predicate = &seal.statement.predicate;
            let last = counters.entry(&predicate.repository).or_default();
            if predicate.counter <= *last {
                findings.push(finding::counter(seal, *last));
            }
            *last = predicate.counter.max(*last);
        }
        findings
    }

    fn documents(&self, seal: &Seal) -> Result<(), StoreError> {
        let count = self.load(seal)?.packages()?.len() as u64;
        let said = seal.statement.predicate.packages.count;
        if count == said {
            return Ok(());
        }
        Err(StoreError::Differs {
            path: self.path_of(&seal.statement.predicate.packages.digest),
            expected: format!("{said} packages"),
            found: format!("{count} packages"),
        })
    }
}
