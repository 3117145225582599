//! Plants bugs, one after another, and fails where the tests do not notice one.
//!
//! In goes the checkout, out comes a line for each bug of [`list::MUTANTS`]: caught, lived, or no
//! longer to be planted. It works on a copy beside the build's own files, so that whatever interrupts
//! it leaves the checkout as it was. The copy stays, so that the next run builds only what has changed. A
//! crate whose tests fail without a bug proves nothing, and is said.
//! Not part of continuous integration: it runs before a change is called finished.

mod list;

use crate::command::command;
use anyhow::{Context as _, Result, bail};
use list::{MUTANTS, Mutant};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long the tests of one bug may take: a bug that makes them hang is caught.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long building a crate's tests may take, on two slow cores.
const BUILDING: Duration = Duration::from_secs(1800);

/// Parts of a checkout that no test needs and that are large.
const LEFT_OUT: [&str; 3] = [".git", "target", "corpus"];

/// `[PACKAGE…]`: the bugs of these crates, or of all.
pub(crate) fn run(root: &Path, packages: &[&str]) -> Result<()> {
    if let Some(unknown) =
        packages.iter().find(|name| MUTANTS.iter().all(|one| one.package != **name))
    {
        bail!("no bug is planted in `{unknown}`");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let copy = target.join("mutate/checkout");
    mirror(root, &copy)?;
    let bench = Bench { copy, target: target.join("mutate/target"), healthy: BTreeMap::new() };
    plant_all(bench, packages)
}

fn plant_all(mut bench: Bench, packages: &[&str]) -> Result<()> {
    let mut wrong = 0_usize;
    let chosen: Vec<_> = MUTANTS
        .iter()
        .filter(|mutant| packages.is_empty() || packages.contains(&mutant.package))
        .collect();
    for mutant in &chosen {
        let began = Instant::now();
        let fate = bench.plant(mutant)?;
        wrong += usize::from(fate != Fate::Caught);
        let seconds = began.elapsed().as_secs();
        println!("{:12} {:10} {seconds:4} s  {}", fate.shown(), mutant.package, mutant.what);
    }
    println!("mutate: {} of {} bugs were caught", chosen.len() - wrong, chosen.len());
    if wrong > 0 {
        bail!("{wrong} were not: write the test that notices them, or mend the list");
    }
    Ok(())
}

/// What became of a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// A test failed.
    Caught,
    /// All tests passed.
    Lived,
    /// Its text does not stand exactly once in its file.
    Gone,
    /// It does not compile.
    Broken,
    /// The tests fail without it.
    Sick,
}

impl Fate {
    const fn shown(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Lived => "LIVED",
            Self::Gone => "NOT THERE",
            Self::Broken => "NO BUILD",
            Self::Sick => "SICK TESTS",
        }
    }
}

/// The copy, and where it is built.
struct Bench {
    copy: PathBuf,
    target: PathBuf,
    /// Whether the tests of a package's targets pass as they are.
    healthy: BTreeMap<(&'static str, &'static [&'static str]), bool>,
}

impl Bench {
    fn plant(&mut self, mutant: &Mutant) -> Result<Fate> {
        let file = self.copy.join("crates").join(mutant.package).join(mutant.file);
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(Fate::Gone) };
        let Some(planted) = planted(&text, mutant) else { return Ok(Fate::Gone) };
        let key = (mutant.package, mutant.targets);
        let known = self.healthy.get(&key).copied();
        let healthy = match known {
            Some(known) => known,
            None => self.builds(mutant)? && self.passes(mutant)?,
        };
        self.healthy.insert(key, healthy);
        if !healthy {
            return Ok(Fate::Sick);
        }
        let write = |text: &str| {
            std::fs::write(&file, text).with_context(|| format!("`{}`", file.display()))
        };
        write(&planted)?;
        let fate = match self.builds(mutant)? {
            false => Fate::Broken,
            true if self.passes(mutant)? => Fate::Lived,
            true => Fate::Caught,
        };
        write(&text)?;
        Ok(fate)
    }

    fn builds(&self, mutant: &Mutant) -> Result<bool> {
        self.cargo(mutant, &["--no-run"], BUILDING)
    }

    fn passes(&self, mutant: &Mutant) -> Result<bool> {
        self.cargo(mutant, &[], PATIENCE)
    }

    /// Whether `cargo test` succeeds in time. Its process group ends with it: what a test left behind
    /// would wait for the next one.
    fn cargo(&self, mutant: &Mutant, more: &[&str], patience: Duration) -> Result<bool> {
        let own = ["test", "--quiet", "--locked", "--package", mutant.package];
        let mut cargo = command("cargo", own.iter().chain(mutant.targets).chain(more));
        cargo
            .current_dir(&self.copy)
            .env("CARGO_TARGET_DIR", &self.target)
            // A test that only skips here must not count as one that fails.
            .env_remove("CI")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let mut child = cargo.spawn().context("`cargo` cannot be started")?;
        let end = Instant::now() + patience;
        let success = loop {
            if let Some(status) = child.try_wait()? {
                break status.success();
            }
            if Instant::now() > end {
                break false;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        if let Ok(group) = i32::try_from(child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        child.wait()?;
        Ok(success)
    }
}

/// The file with the bug in it; none where its text does not stand there exactly once.
fn planted(text: &str, mutant: &Mutant) -> Option<String> {
    (text.matches(mutant.before).count() == 1)
        .then(|| text.replacen(mutant.before, mutant.after, 1))
}

/// Makes a folder the same as another. What is the same already is not written: `cargo` goes by the
/// times of files, and a copy of an earlier run was built of what it held then, a bug perhaps.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    let named = |path: &Path| format!("`{}`", path.display());
    std::fs::create_dir_all(to).with_context(|| named(to))?;
    for old in std::fs::read_dir(to).with_context(|| named(to))? {
        let old = old?;
        let source = from.join(old.file_name());
        let is_folder = old.file_type()?.is_dir();
        if is_folder && !source.is_dir() {
            std::fs::remove_dir_all(old.path())?;
        } else if !is_folder && !source.is_file() {
            std::fs::remove_file(old.path())?;
        }
    }
    for entry in std::fs::read_dir(from).with_context(|| named(from))? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left| *left == name) {
            continue;
        }
        let (source, copy) = (entry.path(), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            mirror(&source, &copy)?;
        } else if kind.is_file() {
            let content = std::fs::read(&source).with_context(|| named(&source))?;
            if std::fs::read(&copy).is_ok_and(|known| known == content) {
                continue;
            }
            std::fs::write(&copy, content).with_context(|| named(&copy))?;
            std::fs::set_permissions(&copy, entry.metadata()?.permissions())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_can_be_planted_in_the_code_as_it_is() {
        let gone: Vec<_> = MUTANTS
            .iter()
            .filter(|mutant| {
                let file = crate::root().join("crates").join(mutant.package).join(mutant.file);
                let text = std::fs::read_to_string(file).unwrap_or_default();
                planted(&text, mutant).is_none_or(|planted| planted == text)
            })
            .map(|mutant| (mutant.package, mutant.file, mutant.what))
            .collect();
        assert!(gone.is_empty(), "their text does not stand there once: {gone:#?}");
    }

    #[test]
    fn every_room_has_a_bug_planted() {
        let folder = std::fs::read_dir(crate::root().join("crates")).unwrap();
        for name in folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
            // What only tests and developers use is held by being used.
            let is_tool = ["testkit", "xtask"].contains(&name.as_str());
            assert!(is_tool || MUTANTS.iter().any(|one| one.package == name), "{name}");
        }
        assert!(MUTANTS.is_sorted_by_key(|mutant| mutant.package), "sorted by package");
    }

    #[test]
    fn a_copy_has_all_but_what_is_built_and_nothing_of_an_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let write = |root: &Path, name: &str, text: &str| {
            let file = root.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
            file
        };
        for name in ["crates/x/src/lib.rs", "crates/x/src/same.rs", "target/debug/x", ".git/HEAD"] {
            write(&from, name, "sound");
        }
        let same = write(&to, "crates/x/src/same.rs", "sound");
        let before = same.metadata().unwrap().modified().unwrap();
        let planted = write(&to, "crates/x/src/lib.rs", "a bug");
        write(&to, "crates/gone/src/lib.rs", "gone");
        mirror(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(planted).unwrap(), "sound");
        assert_eq!(same.metadata().unwrap().modified().unwrap(), before, "not written again");
        for name in ["target", ".git", "crates/gone"] {
            assert!(!to.join(name).exists(), "{name}");
        }
    }
}
