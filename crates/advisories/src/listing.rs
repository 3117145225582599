//! A source's list of its records: when each was changed, and its id.
//!
//! In go the lines of `modified_id.csv`, out come times by id, of an id that stands twice the later. It
//! is kept whole, packed: an archive that is taken because so much has changed is held against it, too.
//!
//! Source: the layout of the public OSV bucket, `<Ecosystem>/modified_id.csv` (google.github.io/osv.dev/data).

use foldhash::{HashMap, HashMapExt as _};
use std::io::{self, BufRead as _, BufReader, Read};

/// Largest list: some four million records.
pub(crate) const MAX_LIST: u64 = 256 << 20;
/// Longest line: a time and an id.
const MAX_LINE: usize = 512;
/// Microseconds of a second.
const SECOND: u64 = 1_000_000;

/// A list that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{0}`: {1}")]
pub struct ListError(pub(crate) String, pub(crate) io::Error);

/// A list as it comes.
pub(crate) struct List {
    /// What it is called.
    pub(crate) name: String,
    pub(crate) lines: Box<dyn Read>,
    /// Whether it is known where it ends: only then does what it leaves out say anything.
    pub(crate) has_end: bool,
}

/// A list that was read.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) name: String,
    pub(crate) has_end: bool,
    /// All ids, one after the other.
    ids: String,
    /// When each was changed, and where its id ends.
    entries: Vec<(u64, u32)>,
    /// Whether any of its times is finer than a second.
    is_fine: bool,
}

impl Listing {
    /// Reads a list. None where it is not one.
    pub(crate) fn read(list: List) -> Result<Option<Self>, ListError> {
        let List { name, lines, has_end } = list;
        let mut this =
            Self { name, has_end, ids: String::new(), entries: Vec::new(), is_fine: false };
        let mut lines = BufReader::with_capacity(1 << 18, lines);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut lines)
                .take(MAX_LINE as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(|error| ListError(this.name.clone(), error))?;
            if read == 0 {
                return Ok(Some(this));
            }
            let Some((time, id)) = entry(&line) else { return Ok(None) };
            this.ids.push_str(id);
            // A list ends at `MAX_LIST` bytes, which is less.
            let Ok(end) = u32::try_from(this.ids.len()) else { return Ok(None) };
            this.entries.push((time, end));
            this.is_fine |= !time.is_multiple_of(SECOND);
        }
    }

    /// When each record was changed, by id.
    pub(crate) fn times(&self) -> HashMap<&str, u64> {
        let mut times = HashMap::with_capacity(self.entries.len());
        let mut start = 0;
        for (time, end) in &self.entries {
            let end = usize::try_from(*end).unwrap_or(usize::MAX);
            let id = self.ids.get(start..end).unwrap_or_default();
            start = end;
            let known = times.entry(id).or_insert(*time);
            *known = (*known).max(*time);
        }
        times
    }

    /// Whether a record is in the state that is listed. A list that names whole seconds alone says no more
    /// than those.
    pub(crate) const fn is_same(&self, listed: u64, modified: u64) -> bool {
        listed == modified || !self.is_fine && listed / SECOND == modified / SECOND
    }
}

/// Whether a record is in the state that is listed, or a later one. One that names a whole second may be
/// of any moment of it.
pub(crate) const fn covers(modified: u64, listed: u64) -> bool {
    modified >= listed || modified.is_multiple_of(SECOND) && modified / SECOND == listed / SECOND
}

/// A line: when, and which. None where it is no such line.
fn entry(line: &[u8]) -> Option<(u64, &str)> {
    let text = std::str::from_utf8(line).ok().filter(|text| text.len() <= MAX_LINE)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (time, id) = text.strip_suffix('\r').unwrap_or(text).split_once(',')?;
    // It becomes a part of an address, and the name of a file.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:+~".contains(&byte);
    let sound = !id.is_empty() && !id.starts_with('.') && id.bytes().all(plain);
    Some((crate::moment::time(time)?, id)).filter(|_| sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_time_and_an_id_or_none() {
        let line = |text: &str| entry(text.as_bytes()).map(|(time, id)| (time, id.to_owned()));
        let some = |time, id: &str| Some((time, id.to_owned()));
        assert_eq!(line("1970-01-01T00:00:09Z,GHSA-1\n"), some(9_000_000, "GHSA-1"));
        assert_eq!(
            line("1970-01-01T00:00:09.9+00:00,openSUSE-SU-1:2\r\n"),
            some(9_900_000, "openSUSE-SU-1:2")
        );
        // Before 1970 there is nothing, and a clock may say so.
        assert_eq!(line("1950-01-01T00:00:00Z,A"), some(0, "A"));
        for wrong in [
            "",
            "\n",
            "GHSA-1",
            "yesterday,GHSA-1",
            "1970-01-01T00:00:09Z,",
            "1970-01-01T00:00:09Z,../../x",
            "1970-01-01T00:00:09Z,npm/GHSA-1",
            "1970-01-01T00:00:09Z,a?b",
            "<html>",
        ] {
            assert_eq!(line(wrong), None, "{wrong}");
        }
        assert_eq!(line(&format!("1970-01-01T00:00:09Z,{}", "a".repeat(MAX_LINE))), None);
    }

    fn read(text: &str) -> Listing {
        let lines = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        Listing::read(List { name: "list".to_owned(), lines, has_end: true }).unwrap().unwrap()
    }

    #[test]
    fn of_an_id_that_stands_twice_the_later_time_counts() {
        let list = read("1970-01-01T00:00:02Z,A\n1970-01-01T00:00:01Z,BC\n1970-01-01T00:00:01Z,A");
        let times = list.times();
        assert_eq!(times.len(), 2);
        assert_eq!((times["A"], times["BC"]), (2_000_000, 1_000_000));
    }

    #[test]
    fn a_second_change_within_a_second_is_another_state_unless_no_time_is_as_fine() {
        let coarse = read("1970-01-01T00:00:02Z,A");
        assert!(coarse.is_same(2_000_000, 2_300_000));
        let fine = read("1970-01-01T00:00:02Z,A\n1970-01-01T00:00:02.4Z,B");
        assert!(!fine.is_same(2_400_000, 2_300_000));
        assert!(!covers(2_300_000, 2_400_000) && covers(2_400_000, 2_300_000));
        // What is written without a fraction may be of any moment of its second.
        assert!(covers(2_000_000, 2_400_000) && !covers(1_000_000, 2_400_000));
    }
}
