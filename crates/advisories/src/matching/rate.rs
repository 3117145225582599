//! Who says how bad a CVE is, and who is believed.
//!
//! In go the records that hold a version, and all databases of the folder; out comes one rating with
//! its source. A record of the CVE alone comes first, whatever its ecosystem, then what a notice of
//! several says of this one, last what a notice says of all of its CVEs. Among records of one kind, the
//! publisher of the package is believed before others: it knows how it is built there.

use super::Databases;
use crate::database::{Database, RatingView, RecordView, Title};
use crate::rating::{self, Basis, Order};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use vocabulary::{Ecosystem, Severity};

/// How far from the package a rating was made, the farthest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// By a distribution for its own packages.
    OtherDistribution,
    /// By who packs software of others: Bitnami and its like.
    Packer,
    /// By those who publish or review the software itself.
    Maker,
    /// For another package of the same ecosystem.
    Ecosystem,
    /// For this package and version.
    Package,
}

impl Distance {
    fn of(ecosystem: &Ecosystem) -> Self {
        match ecosystem.as_str() {
            _ if ecosystem.is_distribution() => Self::OtherDistribution,
            "Bitnami" | "Docker Hardened Images" | "Root" | "Echo" | "CleanStart" => Self::Packer,
            _ => Self::Maker,
        }
    }
}

/// A rating with the record that it is from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) record: String,
    pub(super) level: Severity,
    pub(super) vector: Option<(String, u8)>,
    pub(super) basis: Basis,
    /// The record's own title, where it is about this CVE alone.
    pub(super) title: Option<String>,
    distance: Distance,
    order: Order,
}

impl Source {
    /// What a record that holds the version says of it.
    pub(super) fn matched(record: &RecordView<'_>, rating: &RatingView<'_>, basis: Basis) -> Self {
        Self::new(record, rating, basis, Distance::Package)
    }

    fn new(
        record: &RecordView<'_>,
        rating: &RatingView<'_>,
        basis: Basis,
        distance: Distance,
    ) -> Self {
        let title = match record.title {
            Title::Text(title) if basis == Basis::Alone => Some(title.to_owned()),
            _ => None,
        };
        Self {
            record: record.id.to_owned(),
            level: rating.level,
            vector: rating.vector.map(|(vector, tenths)| (vector.to_owned(), tenths)),
            basis,
            title,
            distance,
            order: rating::order(basis, record.is_of_its_cve(), rating.level, rating.vector),
        }
    }

    /// Which of two is believed; the first record by id where they say the same.
    pub(super) fn better(self, other: Self) -> Self {
        let key = |this: &Self| {
            // Of notices of one publisher, it says nothing which one names the package.
            let bundle = this.basis == Basis::Bundle && this.distance == Distance::Package;
            let distance = if bundle { Distance::Ecosystem } else { this.distance };
            (this.basis, distance, this.order)
        };
        let order = key(&self).cmp(&key(&other)).then_with(|| other.record.cmp(&self.record));
        if order.is_lt() { other } else { self }
    }
}

/// Lends what the records of other packages and ecosystems say, and remembers it: packages of one source
/// ask alike.
pub(super) struct Lender<'db> {
    databases: &'db Databases,
    own: &'db Database,
    known: RefCell<HashMap<String, Option<Rc<Source>>>>,
}

impl<'db> Lender<'db> {
    pub(super) fn new(databases: &'db Databases, own: &'db Database) -> Self {
        Self { databases, own, known: RefCell::default() }
    }

    /// What is best known of a CVE.
    pub(super) fn lend(&self, cve: &str) -> Option<Rc<Source>> {
        if let Some(known) = self.known.borrow().get(cve) {
            return known.clone();
        }
        let found = self.find(cve).map(Rc::new);
        self.known.borrow_mut().insert(cve.to_owned(), found.clone());
        found
    }

    fn find(&self, cve: &str) -> Option<Source> {
        let own = self.of_database(self.own, cve, Distance::Ecosystem);
        if own.as_ref().is_some_and(|own| own.basis == Basis::Alone) {
            return own;
        }
        let others = self.databases.all().filter(|other| other.ecosystem() != self.own.ecosystem());
        let lent = others
            .filter_map(|other| self.of_database(other, cve, Distance::of(other.ecosystem())));
        own.into_iter().chain(lent).reduce(Source::better)
    }

    fn of_database(&self, database: &Database, cve: &str, distance: Distance) -> Option<Source> {
        let (record, place) = match database.rating_of(cve) {
            Ok(found) => found?,
            Err(reason) => {
                self.databases.unread(database, reason);
                return None;
            }
        };
        let (rating, basis) = record.rating_of(place)?;
        Some(Source::new(&record, &rating, basis, distance))
    }
}
