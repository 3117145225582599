//! The one way in which a test is skipped: it says so, it is counted, and in CI it fails.
//!
//! In goes why a test cannot run here; out comes a line on stderr, and a line in the file that
//! `LAZARET_TEST_SKIPS` names, of which `cargo xtask test` makes the count at the end. Under
//! `CI=true` a part that is missing is a failure, for nobody reads what a skipped test says there.
//! The exceptions are a closed list ([`Part`]), each with its reason, and each must be named by
//! whoever runs the tests, in `LAZARET_TEST_WITHOUT`: what is not named fails.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::Location;

/// The file to which each test that is skipped adds a line.
pub const SKIPS: &str = "LAZARET_TEST_SKIPS";

/// The parts that may be missing under `CI=true`, by name, with commas between them.
pub const WITHOUT: &str = "LAZARET_TEST_WITHOUT";

/// A part of the tests that no registry has, so that CI may have to go without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The folder of real data beside the checkout.
    Shared,
    /// GitLab's schema of reports.
    GitlabSchema,
}

impl Part {
    /// Every part that may be allowed to be missing.
    pub const ALL: [Self; 2] = [Self::Shared, Self::GitlabSchema];

    /// Its name in `LAZARET_TEST_WITHOUT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::GitlabSchema => "gitlab-schema",
        }
    }

    /// Why it may be missing.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Shared => {
                "`../shared` holds real advisories and package databases, which no registry publishes"
            }
            Self::GitlabSchema => {
                "GitLab publishes the schema of its reports in no package; what it asks for is tested \
                 by hand-written rules beside it"
            }
        }
    }
}

/// Skips a test, or a part of it: `return skip("why")`.
///
/// # Panics
/// Under `CI=true`, where every part is expected to be there.
#[track_caller]
pub fn skip<T: Default>(why: &str) -> T {
    assert!(!in_ci(), "under `CI=true` this must run, but: {why}");
    tell("", why, Location::caller());
    T::default()
}

/// Skips a test for the lack of a part that may be missing in CI where that is said.
///
/// # Panics
/// Under `CI=true`, unless `LAZARET_TEST_WITHOUT` names the part.
#[track_caller]
pub fn skip_without<T: Default>(part: Part, why: &str) -> T {
    let named = std::env::var(WITHOUT).unwrap_or_default();
    assert!(
        !in_ci() || names(&named, part),
        "under `CI=true` this must run, but: {why}; where that cannot be helped, say so by \
         `{WITHOUT}={}`",
        part.name()
    );
    tell(part.name(), why, Location::caller());
    T::default()
}

/// Whether the list in `LAZARET_TEST_WITHOUT` has a part.
fn names(list: &str, part: Part) -> bool {
    list.split(',').any(|name| name.trim() == part.name())
}

/// Whether every part must be there (`CI=true`).
#[must_use]
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// One line on stderr, and one in the file: program, test, part, why, with tabs between them.
#[expect(clippy::print_stderr, reason = "a test that skips says so, here and nowhere else")]
fn tell(part: &str, why: &str, caller: &Location<'_>) {
    let why: String = why.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    eprintln!("skipped: {why}");
    let Some(file) = std::env::var_os(SKIPS) else { return };
    let program = std::env::current_exe().unwrap_or_default();
    let program = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let thread = std::thread::current();
    // The harness names the thread of a test after the test; helpers' threads have no such name.
    let test = match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", caller.file(), caller.line()),
    };
    let line = format!("{program}\t{test}\t{part}\t{why}\n");
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        eprintln!("`{}` cannot be written: {error}", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_allowed_by_its_whole_name_alone() {
        assert!(names("gitlab-schema,shared", Part::Shared));
        assert!(names(" shared ", Part::Shared));
        assert!(!names("", Part::Shared));
        assert!(!names("gitlab-schema", Part::Shared));
        assert!(!names("sharedness", Part::Shared));
        assert!(!names("true", Part::GitlabSchema));
    }

    #[test]
    fn every_allowance_has_a_name_of_its_own_and_a_reason() {
        for part in Part::ALL {
            assert_eq!(Part::ALL.iter().filter(|other| other.name() == part.name()).count(), 1);
            assert!(part.reason().len() > 40, "{part:?}");
        }
    }
}
