//! Whether two builds on two paths give the same bytes, and the build that does.
//!
//! In goes the checkout, out comes the digest of `lazaret`, or what differs. Paths of whoever builds
//! come into a program by debug information, panics, and what C and eBPF compilers write down: each
//! compiler is told to write another prefix. Two copies are built, of different depth and length, each
//! with a target folder of its own; the program is then also searched for the paths themselves, since
//! two builds by one user have the home folder in common.
//!
//! Continuous integration builds the `dev` profile, which holds more paths (debug information) and
//! costs a quarter; `--release` is for a nightly run, some ten minutes of two cores.

use crate::command::{command, output, run};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the two copies are built, below the target folder: neither as deep nor as long as the other.
const PLACES: [&str; 2] = ["one/lazaret", "another/place/further/down/lazaret-checkout"];

/// What stands in the program where a path of the builder would.
const CHECKOUT: &str = "/lazaret";
const TARGET: &str = "/target";
const CARGO: &str = "/cargo";
const RUST: &str = "/rust";

/// `[--release]`: builds twice and compares.
pub(crate) fn check(root: &Path, options: &[&str]) -> Result<()> {
    let release = is_release(options)?;
    let base = target(root).join("reproducible");
    // Both first: somebody may edit the checkout meanwhile.
    let copies = PLACES.map(|place| base.join(place));
    copies.iter().try_for_each(|copy| mirror(root, copy))?;
    let mut digests = Vec::new();
    for copy in &copies {
        let build = Build::of(copy, &copy.with_extension("target"), release)?;
        let program = build.run()?;
        build.search(&program)?;
        let digest = digest(&program)?;
        println!("{digest}  {}", program.display());
        digests.push((digest, program));
    }
    if let [(one, first), (other, second)] = digests.as_slice()
        && one != other
    {
        let (first, second) = (first.display(), second.display());
        bail!(
            "the builds differ; compare `{first}` and `{second}`, as by `diffoscope` or `cmp -l`"
        );
    }
    println!("reproducible: two builds on two paths give the same bytes");
    Ok(())
}

/// Builds the program to be given away, so that anybody can build it again.
pub(crate) fn release(root: &Path) -> Result<()> {
    let root = root.canonicalize().context("the checkout cannot be found")?;
    let build = Build::of(&root, &target(&root), true)?;
    let program = build.run()?;
    build.search(&program)?;
    println!("{}  {}", digest(&program)?, program.display());
    Ok(())
}

fn is_release(options: &[&str]) -> Result<bool> {
    match options {
        [] => Ok(false),
        ["--release"] => Ok(true),
        other => bail!("`{}` is no option; there is only --release", other.join(" ")),
    }
}

pub(crate) fn target(root: &Path) -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = named.unwrap_or_else(|| root.join("target"));
    // A relative one would be another one for each copy.
    std::path::absolute(&target).unwrap_or(target)
}

/// One build.
struct Build {
    checkout: PathBuf,
    target: PathBuf,
    release: bool,
    /// Paths, and what is written in their place. One that may lie in another stands after it: of
    /// several that fit, the compilers take the last.
    places: Vec<(PathBuf, &'static str)>,
}

impl Build {
    fn of(checkout: &Path, target: &Path, release: bool) -> Result<Self> {
        let sysroot = output(&mut command("rustc", ["--print", "sysroot"]))?;
        let sysroot = PathBuf::from(String::from_utf8(sysroot)?.trim_end());
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo = cargo.or_else(|| Some(home?.join(".cargo")));
        let cargo = cargo.context("neither CARGO_HOME nor HOME is set")?;
        let places = vec![
            (cargo, CARGO),
            (sysroot, RUST),
            (checkout.to_owned(), CHECKOUT),
            (target.to_owned(), TARGET),
        ];
        Ok(Self { checkout: checkout.to_owned(), target: target.to_owned(), release, places })
    }

    /// Builds, and returns where the program is.
    fn run(&self) -> Result<PathBuf> {
        let mut cargo = command("cargo", ["build", "--quiet", "--locked", "--package", "cli"]);
        if self.release {
            cargo.arg("--release");
        }
        cargo.current_dir(&self.checkout).env("CARGO_TARGET_DIR", &self.target);
        // Units of incremental builds depend on what was built before.
        cargo.env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
        let flags = self.flags("--remap-path-prefix=");
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join(&OsString::from("\u{1f}")));
        // For the C libraries that are built along; `cc` passes them on.
        let flags = self.flags("-ffile-prefix-map=").join(&OsString::from(" "));
        cargo.env("CFLAGS", &flags).env("CXXFLAGS", &flags);
        run(&mut cargo)?;
        let profile = if self.release { "release" } else { "debug" };
        Ok(self.target.join(profile).join("lazaret"))
    }

    fn flags(&self, flag: &str) -> Vec<OsString> {
        let flag = |(path, name): &(PathBuf, &str)| {
            let mut text = OsString::from(flag);
            text.push(path);
            text.push("=");
            text.push(name);
            text
        };
        self.places.iter().map(flag).collect()
    }

    /// Fails where the program holds a path of whoever built it.
    fn search(&self, program: &Path) -> Result<()> {
        let bytes = fs::read(program)?;
        for (path, _) in &self.places {
            let path = path.as_os_str().as_encoded_bytes();
            if let Some(at) = bytes.windows(path.len()).position(|window| window == path) {
                let around = bytes.get(at..bytes.len().min(at + 200)).unwrap_or_default();
                let text = around.split(|byte| *byte < b' ').next().unwrap_or_default();
                let (text, program) = (String::from_utf8_lossy(text), program.display());
                bail!("`{program}` holds a path of whoever built it: {text}");
            }
        }
        Ok(())
    }
}

fn digest(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Copies what belongs to the checkout, and takes away what does no more. What is the same stays as it
/// is, so that a second run builds only what has changed.
fn mirror(root: &Path, copy: &Path) -> Result<()> {
    let mut git = command("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = output(git.current_dir(root))?;
    let names: BTreeSet<PathBuf> = String::from_utf8(listed)?
        .split('\0')
        .filter(|name| !name.is_empty() && root.join(name).is_file())
        .map(PathBuf::from)
        .collect();
    for name in &names {
        let (from, to) = (root.join(name), copy.join(name));
        let bytes = fs::read(&from)?;
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(copy))?;
        fs::copy(&from, &to).with_context(|| format!("`{}` cannot be copied", from.display()))?;
    }
    sweep(copy, copy, &names)
}

fn sweep(copy: &Path, folder: &Path, names: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sweep(copy, &path, names)?;
            // What is left of a crate that is gone is no member of the workspace.
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !path.strip_prefix(copy).is_ok_and(|name| names.contains(name)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_crate_that_is_gone_stays_in_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["crates/gone/src/lib.rs", "crates/here/src/lib.rs"] {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = BTreeSet::from([PathBuf::from("crates/here/src/lib.rs")]);
        sweep(folder.path(), folder.path(), &names).unwrap();
        assert!(!folder.path().join("crates/gone").exists());
        assert!(folder.path().join("crates/here/src/lib.rs").is_file());
    }

    #[test]
    fn a_path_of_the_builder_is_found_in_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let build = Build {
            checkout: folder.path().to_owned(),
            target: folder.path().to_owned(),
            release: false,
            places: vec![(PathBuf::from("/home/builder/lazaret"), CHECKOUT)],
        };
        fs::write(&program, b"\0/lazaret/src/main.rs\0").unwrap();
        build.search(&program).unwrap();
        fs::write(&program, b"\0/home/builder/lazaret/src/main.rs\0").unwrap();
        let error = build.search(&program).unwrap_err().to_string();
        assert!(error.ends_with("/home/builder/lazaret/src/main.rs"), "{error}");
        let flags = build.flags("--remap-path-prefix=");
        assert_eq!(flags, ["--remap-path-prefix=/home/builder/lazaret=/lazaret"]);
    }

    #[test]
    fn what_has_left_the_checkout_leaves_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
        fs::create_dir_all(root.join("src")).unwrap();
        run(command("git", ["init", "--quiet"]).current_dir(&root)).unwrap();
        for name in ["kept", "src/gone"] {
            fs::write(root.join(name), name).unwrap();
        }
        mirror(&root, &copy).unwrap();
        assert_eq!(fs::read(copy.join("src/gone")).unwrap(), b"src/gone");
        let before = fs::metadata(copy.join("kept")).unwrap().modified().unwrap();
        fs::remove_file(root.join("src/gone")).unwrap();
        mirror(&root, &copy).unwrap();
        assert!(!copy.join("src/gone").exists());
        assert_eq!(fs::metadata(copy.join("kept")).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn only_release_is_an_option() {
        assert!(is_release(&["--release"]).unwrap() && !is_release(&[]).unwrap());
        assert!(is_release(&["--fast"]).is_err());
    }
}
