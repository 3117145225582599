//! What is had of a record, so that two states of a source can be held against each other.

/// What is had of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// When it was changed, microseconds since 1970.
    pub(crate) modified: u64,
    /// Whether there is nothing of it but its name: what came under that was no record.
    pub(crate) malformed: bool,
}

impl Held {
    /// Whether one is better than another: a record before none, then the later one.
    pub(crate) fn is_better_than(self, other: Option<Self>) -> bool {
        let order = |held: Self| (!held.malformed, held.modified);
        other.is_none_or(|other| order(self) > order(other))
    }
}
