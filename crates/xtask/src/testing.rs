//! Runs every test of the workspace and ends with one line of counts.
//!
//! In go arguments for `cargo test`, out come its own lines, then why tests were skipped, which
//! failed, and `N passed, N failed, N skipped`. The counts are those of the test programs' own
//! results; a program that ends without one counts as a failure, and so does a build that fails. A
//! test that skips itself passes for the harness: which did is read from the file of
//! [`testkit::skip`], and each is counted as skipped instead.

use crate::command::command;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use testkit::Part;
use testkit::skip::{SKIPS, WITHOUT};

/// How long the output may be silent once `cargo` has ended: a program that a test left behind may
/// hold it open for ever.
const SILENCE: Duration = Duration::from_secs(2);

/// Runs the tests; the exit code says whether all that ran passed.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<ExitCode> {
    check_without(&std::env::var(WITHOUT).unwrap_or_default())?;
    let skips = std::env::temp_dir().join(format!("lazaret-skips-{}", std::process::id()));
    std::fs::write(&skips, "").with_context(|| format!("`{}`", skips.display()))?;
    let own = ["test", "--locked", "--no-fail-fast"];
    let some = arguments.iter().any(|one| one.starts_with("-p") || one.starts_with("--package"));
    let all: &[&str] = if some { &[] } else { &["--workspace"] };
    let mut cargo = command("cargo", own.iter().chain(all).chain(arguments));
    cargo.current_dir(root).env(SKIPS, &skips).stdout(Stdio::piped());
    let mut child = cargo.spawn().context("`cargo` cannot be started")?;
    let output = child.stdout.take().context("`cargo test` has no output")?;
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    let mut tally = Tally::default();
    let built = loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => {
                println!("{line}");
                tally.read(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break child.wait()?.success(),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait()? {
                    break status.success();
                }
            }
        }
    };
    let recorded = std::fs::read_to_string(&skips).unwrap_or_default();
    let _ = std::fs::remove_file(&skips);
    let (text, passed) = tally.summary(&recorded, built);
    println!("{text}");
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A part that nobody knows would otherwise be allowed, and miss its part.
fn check_without(named: &str) -> Result<()> {
    for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !Part::ALL.iter().any(|part| part.name() == name) {
            let known: Vec<&str> = Part::ALL.into_iter().map(Part::name).collect();
            bail!("`{WITHOUT}` names `{name}`: the parts are `{}`", known.join("`, `"));
        }
    }
    Ok(())
}

/// What the test programs said.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
    /// Programs that have begun and have not yet given their result.
    open: usize,
    failures: Vec<String>,
}

impl Tally {
    fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.open = self.open.saturating_sub(1);
            self.passed += count_of(counts, "passed");
            self.failed += count_of(counts, "failed");
            self.ignored += count_of(counts, "ignored");
        } else if line.strip_prefix("running ").is_some_and(|rest| {
            let number = rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test"));
            number.is_some_and(|number| number.parse::<usize>().is_ok())
        }) {
            self.open += 1;
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| {
            let (name, how) = rest.rsplit_once(" ... ")?;
            how.starts_with("FAILED").then_some(name)
        }) {
            self.failures.push(name.to_owned());
        }
    }

    /// The lines at the end, and whether all that ran passed.
    fn summary(&self, recorded: &str, built: bool) -> (String, bool) {
        let skips = Skips::read(recorded);
        let mut lines = skips.lines();
        let mut failed = self.failed + self.open;
        lines.extend(self.failures.iter().map(|name| format!("failed: {name}")));
        if self.open > 0 {
            lines.push(format!("failed: {} programs ended without a result", self.open));
        }
        if !built && failed == 0 {
            lines.push("failed: `cargo test` itself: see its errors above".to_owned());
            failed = 1;
        }
        if self.ignored > 0 {
            lines.push(format!("skipped: {} tests: marked as ignored", self.ignored));
        }
        let passed = self.passed.saturating_sub(skips.tests.len());
        let skipped = skips.tests.len() + self.ignored;
        lines.push(format!("{passed} passed, {failed} failed, {skipped} skipped"));
        (lines.join("\n"), failed == 0)
    }
}

/// The number before a word: `1069 passed; 9 failed; …`.
fn count_of(counts: &str, word: &str) -> usize {
    let mut words = counts.split(|one: char| !one.is_ascii_alphanumeric());
    let mut before = "";
    words
        .find_map(|one| {
            let found = (one == word).then(|| before.parse().ok()).flatten();
            if !one.is_empty() {
                before = one;
            }
            found
        })
        .unwrap_or(0)
}

/// Which tests were skipped, and why.
#[derive(Debug, Default)]
struct Skips {
    tests: BTreeSet<(String, String)>,
    reasons: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Skips {
    fn read(recorded: &str) -> Self {
        let mut skips = Self::default();
        for line in recorded.lines() {
            let mut fields = line.splitn(4, '\t').map(str::to_owned);
            let (Some(program), Some(test), Some(part), Some(why)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            // A test may skip several of its parts; it is one test.
            if skips.tests.insert((program, test.clone())) {
                skips.reasons.entry((why, part)).or_default().insert(test);
            }
        }
        skips
    }

    /// One line a reason, then the reasons of the parts that may be missing.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut parts = BTreeSet::new();
        for ((why, part), tests) in &self.reasons {
            let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
            lines.push(format!("skipped: {why}: {}", tests.join(", ")));
            parts.insert(part.as_str());
        }
        for part in Part::ALL.iter().filter(|part| parts.contains(part.name())) {
            lines.push(format!("may be missing: {}: {}", part.name(), part.reason()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test a::holds ... ok
test a::skips ... ok
test a::fails ... FAILED
test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s
running 1 test
test b::waits ... ignored
test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s
running 2 tests
";

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn the_last_line_counts_what_ran_and_what_did_not() {
        let recorded = "a-1\ta::skips\tshared\tno data\na-1\ta::skips\t\tno tool\n";
        let (text, passed) = tally(OUTPUT).summary(recorded, false);
        assert!(!passed);
        let expected = "skipped: no data: a::skips\n\
            may be missing: shared: ";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("\nfailed: a::fails\n"), "{text}");
        assert!(text.contains("\nfailed: 1 programs ended without a result\n"), "{text}");
        assert!(text.ends_with("\n1 passed, 2 failed, 2 skipped"), "{text}");
    }

    #[test]
    fn a_build_that_fails_is_a_failure_and_a_clean_run_is_none() {
        assert_eq!(tally("").summary("", true), ("0 passed, 0 failed, 0 skipped".to_owned(), true));
        let (text, passed) = tally("").summary("", false);
        assert!(text.ends_with("0 passed, 1 failed, 0 skipped") && !passed, "{text}");
    }

    #[test]
    fn two_tests_of_one_name_in_two_programs_are_two() {
        let recorded = "a-1\tt\t\tno tool\nb-1\tt\t\tno tool\nno line\n";
        let output = "test result: ok. 5 passed; 0 failed; 0 ignored";
        let (text, passed) = tally(output).summary(recorded, true);
        assert!(text.ends_with("3 passed, 0 failed, 2 skipped") && passed, "{text}");
    }

    #[test]
    fn a_part_that_nobody_knows_cannot_be_missing() {
        check_without("shared, gitlab-schema").unwrap();
        check_without("").unwrap();
        assert!(check_without("shard").unwrap_err().to_string().contains("`shard`"));
    }

    /// The sources of the workspace, without those that the claim is about.
    fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                sources(&entry, found);
            } else if entry.extension().is_some_and(|end| end == "rs") {
                found.push(entry);
            }
        }
    }

    #[test]
    fn no_test_skips_but_by_the_one_helper() {
        let mut all = Vec::new();
        sources(&crate::root().join("crates"), &mut all);
        assert!(all.len() > 300, "{}", all.len());
        let said = concat!("println!(\"", "skipped");
        let wrong: Vec<_> = all
            .iter()
            .filter(|path| !path.ends_with("testkit/src/skip.rs"))
            .filter(|path| std::fs::read_to_string(path).unwrap().contains(said))
            .collect();
        assert!(wrong.is_empty(), "use `testkit::skip` in {wrong:#?}");
        let asks = all.iter().filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let asks =
                ["var(\"", "var_os(\""].iter().any(|how| text.contains(&format!("{how}CI\"")));
            asks && !path.ends_with("testkit/src/skip.rs")
        });
        assert_eq!(asks.count(), 0, "only the helper asks whether this is CI");
    }
}
