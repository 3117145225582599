//! What a file of one format lists, each entry accounted for.
//!
//! A parser turns every entry of its format's own list into an [`Entry`]; what it cannot read is an
//! entry too, and becomes a problem. A [`Listing`] that holds nothing is believed only where the
//! parser says that it saw the list itself, and that it was empty ([`Listing::of_list`]); else a file
//! in a layout that the parser does not know would pass for one without packages.

use super::Declared;
use serde::{Deserialize, Deserializer, Serialize};

/// One entry of a format's list.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A package.
    Package(Declared),
    /// The project itself, or a part of it or of its tools: no package of others.
    Own,
    /// It could not be read; its line, 0 where that is not known.
    Unread(u32),
}

impl Entry {
    /// The package; where there is none, an entry that could not be read.
    pub(crate) fn package(declared: Option<Declared>, line: u32) -> Self {
        declared.map_or(Self::Unread(line), Self::Package)
    }
}

/// What a file lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Its packages.
    pub packages: Vec<Declared>,
    /// What it leaves to others or hides, each in a line: problems of the check.
    pub gaps: Vec<String>,
    /// The module that it is of, where the format says that.
    pub main: Option<String>,
    own: u32,
    unread: u32,
    first_unread: u32,
    /// Whether the format's own list was seen, so that it may be empty.
    seen: bool,
}

impl Listing {
    /// Of a list that was looked for line by line: nothing found is no proof that there is nothing.
    pub(crate) fn found(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut listing = Self::default();
        listing.extend(entries);
        listing
    }

    /// Of a list that is there: without entries it is empty.
    pub(crate) fn of_list(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { seen: true, ..Self::found(entries) }
    }

    /// The same as either, by whether the list was seen.
    pub(crate) fn of_list_if(seen: bool, entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { seen, ..Self::found(entries) }
    }

    /// The same, of a list that is there.
    pub(crate) fn seen(self) -> Self {
        Self { seen: true, ..self }
    }

    /// A list that is there and has no entries.
    pub(crate) fn empty() -> Self {
        Self { seen: true, ..Self::default() }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        match entry {
            Entry::Package(declared) => self.packages.push(declared),
            Entry::Own => self.own += 1,
            Entry::Unread(line) => {
                if self.unread == 0 {
                    self.first_unread = line;
                }
                self.unread = self.unread.saturating_add(1);
            }
        }
    }

    pub(crate) fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }

    /// Whether nothing was found, and nothing says that there is nothing.
    pub(super) const fn is_unaccounted(&self) -> bool {
        self.packages.is_empty() && self.own == 0 && self.unread == 0 && !self.seen
    }

    /// What is not known of the file, each in a line.
    pub(super) fn problems(&self) -> Vec<String> {
        let unread = match (self.unread, self.first_unread) {
            (0, _) => None,
            (1, 0) => Some("an entry could not be read".to_owned()),
            (1, line) => Some(format!("the entry in line {line} could not be read")),
            (count, 0) => Some(format!("{count} entries could not be read")),
            (count, line) => {
                Some(format!("{count} entries could not be read, the first in line {line}"))
            }
        };
        self.gaps.iter().cloned().chain(unread).collect()
    }
}

/// A list or an object that may be null, which is the empty one; none is left to what is missing.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Some(Option::<T>::deserialize(deserializer)?.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_believed_only_where_the_list_was_seen() {
        assert!(Listing::found([]).is_unaccounted());
        assert!(!Listing::of_list([]).is_unaccounted() && !Listing::empty().is_unaccounted());
        assert!(!Listing::found([Entry::Own]).is_unaccounted());
        assert!(!Listing::found([Entry::Unread(0)]).is_unaccounted());
    }

    #[test]
    fn what_could_not_be_read_is_said_with_the_first_line() {
        let said = |lines: &[u32]| {
            Listing::of_list(lines.iter().map(|line| Entry::Unread(*line))).problems().join(";")
        };
        assert_eq!(said(&[]), "");
        assert_eq!(said(&[7]), "the entry in line 7 could not be read");
        assert_eq!(said(&[7, 9]), "2 entries could not be read, the first in line 7");
        assert_eq!(said(&[0, 9]), "2 entries could not be read");
    }
}
