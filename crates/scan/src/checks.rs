//! The only list of checks: what runs, what coverage names, what the cache is keyed by, what the
//! documentation lists and what is fuzzed is made of it.
//!
//! Checks stand in groups, and people select by the names of groups, or of single checks. What they left
//! out of those that are on by default is said in coverage, and is no pass. Some readers are there
//! whatever was selected: what a subject is, and of which distribution, is told by their facts.

use image::{Check, Place, Reader, SubjectShape};
use std::collections::BTreeSet;
use vocabulary::Coverage;

/// A group of checks.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// By what people name it.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Whether it runs where nobody says which do.
    pub by_default: bool,
    checks: fn() -> Vec<Box<dyn Check>>,
}

/// Every group, sorted by name.
pub const GROUPS: &[Group] = &[Group {
    name: "packages",
    about: "packages that are installed, built in or declared",
    by_default: true,
    checks: catalog::all,
}];

/// The word for all groups.
const ALL: &str = "all";

/// Readers whose facts tell what a directory is: package databases at places of their own, and the names
/// of distributions. They are read for that whether or not their checks were selected.
pub(crate) const SYSTEM_READERS: [&str; 10] = [
    "apk",
    "bottlerocket",
    "dpkg",
    "opkg",
    "os-release",
    "pacman",
    "portage",
    "rpm",
    "slackware",
    "xbps",
];

/// Readers whose facts tell of which distribution a subject is, and by which archives it is kept.
const IDENTITY_READERS: [&str; 2] = ["apt", "os-release"];

/// Why a selection cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A name that nothing has.
    #[error(
        "`{name}` is no check and no group of checks{}: use {}, a check by the name that coverage has for it, or one of them behind a `-` to leave it out",
        near.map_or_else(String::new, |near| format!("; did you mean `{near}`?")),
        names()
    )]
    Unknown {
        /// The name.
        name: String,
        /// One that is much like it.
        near: Option<&'static str>,
    },
    /// Nothing is left.
    #[error("`{0}` leaves no check to be run: name a group that is to run, such as `packages`")]
    Nothing(String),
}

fn names() -> String {
    let names = std::iter::once(ALL).chain(GROUPS.iter().map(|group| group.name));
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Which checks are to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(BTreeSet<&'static str>);

/// Every group that is on by default.
impl Default for Selection {
    fn default() -> Self {
        let groups = GROUPS.iter().filter(|group| group.by_default);
        Self(groups.flat_map(Group::ids).collect())
    }
}

impl Group {
    fn ids(&self) -> Vec<&'static str> {
        (self.checks)().iter().map(|check| check.id()).collect()
    }
}

impl Selection {
    /// Every check that there is.
    #[must_use]
    pub fn all() -> Self {
        Self(GROUPS.iter().flat_map(Group::ids).collect())
    }

    /// What a list of words says, `-` before what is left out. A list that begins with such a word
    /// begins with `usual`, any other with nothing.
    ///
    /// # Errors
    /// Where a word names nothing, or nothing is left.
    pub fn parse<'word>(
        words: impl IntoIterator<Item = &'word str>,
        usual: &Self,
    ) -> Result<Self, SelectionError> {
        let words: Vec<&str> = words.into_iter().map(str::trim).collect();
        let leaves_out = words.first().is_some_and(|word| word.starts_with('-'));
        let mut ids = if leaves_out { usual.0.clone() } else { BTreeSet::new() };
        for word in &words {
            match word.strip_prefix('-') {
                Some(name) => {
                    let named = named(name)?;
                    ids.retain(|id| !named.contains(id));
                }
                None => ids.extend(named(word)?),
            }
        }
        if ids.is_empty() {
            return Err(SelectionError::Nothing(words.join(",")));
        }
        Ok(Self(ids))
    }

    /// With those of another.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(&other.0);
        self
    }

    /// Whether a check of this id is to run.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// The checks of another selection that are not in this one, sorted.
    pub fn lacking(&self, other: &Self) -> impl Iterator<Item = &'static str> + use<> {
        other.0.iter().filter(|id| !self.0.contains(*id)).copied().collect::<Vec<_>>().into_iter()
    }
}

/// The ids of what a name names.
fn named(name: &str) -> Result<Vec<&'static str>, SelectionError> {
    if name == ALL {
        return Ok(Selection::all().0.into_iter().collect());
    }
    if let Some(group) = GROUPS.iter().find(|group| group.name == name) {
        return Ok(group.ids());
    }
    let all = Selection::all().0;
    let near = || {
        let groups = GROUPS.iter().map(|group| group.name);
        policy::nearest(name, groups.chain(all.iter().copied()))
    };
    let same = all.get(name).map(|id| vec![*id]);
    same.ok_or_else(|| SelectionError::Unknown { name: name.to_owned(), near: near() })
}

/// The checks of a selection, sorted by id.
#[must_use]
pub fn checks(selection: &Selection) -> Vec<Box<dyn Check>> {
    let mut checks: Vec<Box<dyn Check>> = GROUPS
        .iter()
        .flat_map(|group| (group.checks)())
        .filter(|check| selection.has(check.id()))
        .collect();
    checks.sort_by_key(|check| check.id());
    checks
}

/// The checks that run over a subject, and what is read besides.
pub(crate) struct Chosen {
    checks: Vec<Box<dyn Check>>,
    /// Whose readers are there although the checks do not run.
    besides: Vec<Box<dyn Check>>,
    /// Checks that would run by default and count here.
    left_out: Vec<&'static str>,
    places: Vec<Place>,
}

impl Chosen {
    /// Those of a selection that count in any of these places.
    pub(crate) fn of(selection: &Selection, places: &[Place]) -> Self {
        let count = |check: &dyn Check| places.iter().any(|place| check.counts().hold(*place));
        let is_directory = !places.contains(&Place::Image);
        let tells = |id: &str| {
            IDENTITY_READERS.contains(&id)
                || is_directory && (SYSTEM_READERS.contains(&id) || id == "chisel")
        };
        let usual = Selection::default();
        let mut chosen = Self {
            checks: Vec::new(),
            besides: Vec::new(),
            left_out: Vec::new(),
            places: places.to_vec(),
        };
        for check in checks(&Selection::all()) {
            let id = check.id();
            if !count(check.as_ref()) {
                continue;
            }
            if selection.has(id) {
                chosen.checks.push(check);
                continue;
            }
            if usual.has(id) {
                chosen.left_out.push(id);
            }
            if tells(id) {
                chosen.besides.push(check);
            }
        }
        chosen
    }

    /// The place that a subject of this shape is. A directory is known to be the one or the other only
    /// when it was read.
    pub(crate) fn place(&self, shape: SubjectShape) -> Place {
        match self.places.as_slice() {
            [only] => *only,
            _ => Place::of_directory(shape),
        }
    }

    /// The checks, sorted by id.
    pub(crate) fn checks(&self) -> Vec<&dyn Check> {
        self.checks.iter().map(Box::as_ref).collect()
    }

    /// The readers of all that is read, each once, sorted by id.
    pub(crate) fn readers(&self) -> Vec<&dyn Reader> {
        image::readers(self.checks.iter().chain(&self.besides).map(Box::as_ref))
    }

    /// What coverage says of what was left out. What was read besides and had problems has its line.
    pub(crate) fn not_selected(&self, said: &[Coverage]) -> Vec<Coverage> {
        let left_out = self.left_out.iter();
        let unsaid = left_out.filter(|id| said.iter().all(|one| one.check != **id));
        unsaid.map(|id| Coverage::skipped(*id, Coverage::NOT_SELECTED)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &str) -> Result<Selection, SelectionError> {
        Selection::parse(list.split(','), &Selection::default())
    }

    #[test]
    fn groups_are_sorted_and_no_check_is_in_two() {
        assert!(GROUPS.is_sorted_by_key(|group| group.name));
        let mut ids: Vec<&str> = GROUPS.iter().flat_map(Group::ids).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        assert!(GROUPS.iter().all(|group| !ids.contains(&group.name) && group.name != ALL));
        let checks = checks(&Selection::all());
        assert!(checks.is_sorted_by_key(|check| check.id()) && checks.len() == all);
    }

    #[test]
    fn readers_that_tell_what_a_subject_is_are_in_the_list() {
        let all = Selection::all();
        assert!(SYSTEM_READERS.iter().chain(&IDENTITY_READERS).all(|id| all.has(id)));
        let chosen = Chosen::of(&parsed("go").unwrap(), &[Place::Image]);
        let readers: Vec<&str> = chosen.readers().iter().map(|reader| reader.id()).collect();
        assert_eq!(readers, ["apt", "go", "os-release"]);
        assert_eq!(chosen.checks().len(), 1);
    }

    #[test]
    fn a_list_names_groups_and_checks_and_takes_away() {
        assert_eq!(parsed("packages").unwrap(), Selection::default());
        assert_eq!(parsed("all").unwrap(), Selection::all());
        let without = parsed("-java, -go").unwrap();
        assert_eq!(without.lacking(&Selection::default()).collect::<Vec<_>>(), ["go", "java"]);
        assert_eq!(parsed("packages,-java,-go").unwrap(), without);
        assert_eq!(parsed("go,dpkg").unwrap().0.len(), 2);
        assert_eq!(parsed("go").unwrap().and(&parsed("dpkg").unwrap()), parsed("dpkg,go").unwrap());
    }

    #[test]
    fn what_nothing_is_named_by_is_refused_and_so_is_nothing() {
        let said = |list: &str| parsed(list).unwrap_err().to_string();
        assert_eq!(
            said("secrets"),
            "`secrets` is no check and no group of checks: use `all`, `packages`, a check by the name \
             that coverage has for it, or one of them behind a `-` to leave it out"
        );
        assert!(said("package").contains("did you mean `packages`?"), "{}", said("package"));
        assert!(said("-packages").starts_with("`-packages` leaves no check"));
        assert!(said("").starts_with("`` is no check"));
        assert!(said("go,-all").contains("leaves no check"));
    }

    #[test]
    fn what_is_left_out_is_said_where_it_counts() {
        let left_out = |places: &[Place]| {
            let said = Chosen::of(&parsed("-go,-go-mod").unwrap(), places).not_selected(&[]);
            said.into_iter().map(|one| one.check).collect::<Vec<_>>()
        };
        assert_eq!(left_out(&[Place::Image]), ["go"]);
        assert_eq!(left_out(&[Place::RootFolder, Place::SourceFolder]), ["go", "go-mod"]);
    }
}
