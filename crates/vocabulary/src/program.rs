//! What a program says of itself beyond its modules: for which system it was built, and which
//! functions the linker left in it.
//!
//! In go hashes of names, out comes whether a name is among them. A large program has some hundred
//! thousand functions, so names are kept as four bytes each: that a function is not there is certain,
//! that it is there is nearly so (one in some ten thousand names is taken for another). The error is
//! on the side that hides nothing.

use crate::{Package, Presence, Purl};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The functions of a program, by their hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Functions(Vec<u32>);

impl Functions {
    /// Makes a set of hashes in any order.
    #[must_use]
    pub fn new(mut hashes: Vec<u32>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// The hashes, sorted.
    #[must_use]
    pub fn hashes(&self) -> &[u32] {
        &self.0
    }

    /// The hash of a function, or, with an empty name, of its package: FNV-1a of 64 bits over both
    /// with a zero byte between, mixed by a multiplication and folded to 32. Caches hold it; raise the revision of a cataloger that
    /// makes them where it changes.
    #[must_use]
    pub fn hash(package: &str, function: &str) -> u32 {
        let bytes = package.bytes().chain([0]).chain(function.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let [a, b, c, d, e, f, g, h] =
            (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h])
    }

    /// Whether a function is there; with an empty name, whether anything of its package is.
    #[must_use]
    pub fn hold(&self, package: &str, function: &str) -> bool {
        self.0.binary_search(&Self::hash(package, function)).is_ok()
    }
}

/// A program, as its build tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Go's name of the system that it was built for, such as `linux`.
    pub system: String,
    /// Go's name of the architecture, such as `amd64`; none where the program does not say.
    pub architecture: Option<String>,
    /// The import path of its main package, whose functions are named `main.…` in it; empty where the
    /// program does not say.
    pub main: String,
    /// Modules that replace others, and the path by which each is imported, which its functions keep.
    pub replaced: Vec<(String, String)>,
    /// Its functions; none where it has no table of them that is understood.
    pub functions: Option<Functions>,
}

impl Program {
    /// Whether a function of a package is in it, with an empty name whether anything of the package
    /// is, by every path that the package has there; none where that cannot be told.
    #[must_use]
    pub fn holds(&self, package: &str, function: &str) -> Option<bool> {
        let functions = self.functions.as_ref()?;
        let as_main = (package == self.main && !package.is_empty()).then(|| "main".to_owned());
        let imported = self.replaced.iter().filter_map(|(path, imported)| {
            let rest = package.strip_prefix(path.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{imported}{rest}"))
        });
        let mut others = as_main.into_iter().chain(imported);
        let held = |package: &str| functions.hold(package, function);
        Some(held(package) || others.any(|other| held(&other)))
    }
}

/// The programs of a subject, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs {
    by_path: HashMap<String, Program>,
    system: Option<String>,
    /// Main modules of projects in source, by the file that lists what they need.
    mains: HashMap<String, Purl>,
}

impl Programs {
    /// Adds a program.
    pub fn insert(&mut self, path: impl Into<String>, program: Program) {
        self.by_path.insert(path.into(), program);
    }

    /// Says which module a file of a project is of.
    pub fn insert_main(&mut self, path: impl Into<String>, module: Purl) {
        self.mains.insert(path.into(), module);
    }

    /// The main modules of projects in source, by file.
    pub fn mains(&self) -> impl Iterator<Item = (&str, &Purl)> {
        self.mains.iter().map(|(path, module)| (path.as_str(), module))
    }

    /// Says for which system programs were built that say nothing themselves.
    pub fn assume(&mut self, system: &str) {
        self.system = Some(system.to_owned());
    }

    /// The system that an installed package was built for, where it is known.
    #[must_use]
    pub fn system_of(&self, package: &Package) -> Option<&str> {
        let own = self.of(package).map(|program| program.system.as_str());
        own.or_else(|| self.system.as_deref().filter(|_| package.presence == Presence::Installed))
    }

    /// Adds those of another.
    pub fn extend(&mut self, others: Self) {
        self.by_path.extend(others.by_path);
        self.mains.extend(others.mains);
        self.system = others.system.or_else(|| self.system.take());
    }

    /// The program that proves a package.
    #[must_use]
    pub fn of(&self, package: &Package) -> Option<&Program> {
        self.by_path.get(package.location.path()?)
    }
}

/// Whether a program holds what an advisory says is vulnerable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VulnerableCode {
    /// None of the functions that the advisory names is in the program, or it concerns other systems.
    Absent,
    /// At least one is.
    Present,
}

impl VulnerableCode {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Present => "present",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set = Functions::new(vec![
            Functions::hash("net/http", "Get"),
            Functions::hash("net/http", ""),
            Functions::hash("a", "b"),
            Functions::hash("a", "b"),
        ]);
        assert_eq!(set.hashes().len(), 3);
        assert!(set.hold("net/http", "Get") && set.hold("net/http", "") && set.hold("a", "b"));
        assert!(!set.hold("net/http", "Post") && !set.hold("net", "http") && !set.hold("a", ""));
    }

    #[test]
    fn a_package_is_looked_for_by_every_path_that_it_has() {
        let program = Program {
            main: "a.org/m/cmd/x".to_owned(),
            replaced: vec![("new.org/a".to_owned(), "old.org/a".to_owned())],
            functions: Some(Functions::new(vec![
                Functions::hash("main", "run"),
                Functions::hash("old.org/a/b", "F"),
            ])),
            ..Program::default()
        };
        assert_eq!(program.holds("a.org/m/cmd/x", "run"), Some(true));
        assert_eq!(program.holds("new.org/a/b", "F"), Some(true));
        assert_eq!(program.holds("old.org/a/b", "F"), Some(true));
        assert_eq!(program.holds("new.org/ab", "F"), Some(false));
        assert_eq!(program.holds("new.org/a", "F"), Some(false));
        assert_eq!(Program::default().holds("", "run"), None);
    }

    #[test]
    fn a_hash_is_what_caches_hold() {
        assert_eq!(Functions::hash("net/http", "Client.Do"), 1_517_869_082);
        assert_eq!(Functions::hash("main", ""), 1_031_347_462);
    }
}
