//! The packages that a check makes of its facts, bounded.
//!
//! A file of a few bytes can name a package that takes a hundred times as many in memory, so that a
//! bound on facts is none on packages. What does not fit is counted, and becomes coverage.

use crate::cataloged::Cataloged;
use crate::limits;
use vocabulary::{Package, Problem};

/// A list of packages with a bound of its own.
#[derive(Debug, Default)]
pub struct Packages {
    items: Vec<Cataloged>,
    bytes: usize,
    left_out: u64,
    /// Packages whose lists of files did not fit.
    without_files: u64,
    /// Packages of which what they need did not fit.
    without_needs: u64,
}

impl Packages {
    /// Adds a package while there is room for it. Where there is none for the list of its files, or of
    /// what it needs, it stays without.
    pub fn push(&mut self, mut cataloged: Cataloged) {
        let own = own_bytes(&cataloged.package);
        if self.items.len() >= limits::PACKAGES || self.bytes + own > limits::PACKAGE_BYTES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let mut files = files_bytes(&cataloged);
        if self.bytes + own + files > limits::PACKAGE_BYTES {
            cataloged.owned = Vec::new();
            cataloged.package.files = Vec::new();
            self.without_files = self.without_files.saturating_add(1);
            files = 0;
        }
        let mut needs = needs_bytes(&cataloged);
        if self.bytes + own + files + needs > limits::PACKAGE_BYTES {
            cataloged.ranges = Vec::new();
            cataloged.package.requires = Vec::new();
            self.without_needs = self.without_needs.saturating_add(1);
            needs = 0;
        }
        self.bytes += own + files + needs;
        self.items.push(cataloged);
    }

    /// Puts `more` behind these, as far as there is room. The smaller of the two is moved: one check
    /// can have all the packages of an image, and two copies of them would be its peak of memory.
    pub fn append(&mut self, more: Self) {
        let Self { items, bytes, left_out, without_files, without_needs } = more;
        self.left_out = self.left_out.saturating_add(left_out);
        self.without_files = self.without_files.saturating_add(without_files);
        self.without_needs = self.without_needs.saturating_add(without_needs);
        let count = self.items.len() + items.len();
        if count > limits::PACKAGES || self.bytes + bytes > limits::PACKAGE_BYTES {
            self.extend(items);
            return;
        }
        self.bytes += bytes;
        let (mut front, mut back) = (std::mem::take(&mut self.items), items);
        if front.len() < back.len() {
            back.splice(0..0, front);
            self.items = back;
        } else {
            front.append(&mut back);
            self.items = front;
        }
    }

    /// Says what a package needs, while there is room for it.
    pub fn set_requires(&mut self, at: usize, requires: Vec<vocabulary::Purl>) {
        let Some(one) = self.items.get_mut(at) else { return };
        one.package.requires = requires;
        let needs = needs_bytes(one);
        if self.bytes + needs > limits::PACKAGE_BYTES {
            one.package.requires = Vec::new();
            self.without_needs = self.without_needs.saturating_add(1);
        } else {
            self.bytes += needs;
        }
    }

    /// Whether there is room for no more: then what tells one package from another need not be kept.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.items.len() >= limits::PACKAGES || self.bytes >= limits::PACKAGE_BYTES
    }

    /// Counts one that there is no room for.
    pub const fn leave_out(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
    }

    /// Takes all of them out; what did not fit stays said.
    pub fn clear(&mut self) {
        self.items = Vec::new();
        self.bytes = 0;
    }

    /// Keeps those that `stays` says. The room that the others took is not given again.
    pub fn retain(&mut self, stays: impl FnMut(&Cataloged) -> bool) {
        self.items.retain(stays);
    }

    /// What did not fit, in words for coverage.
    pub fn gaps(&self) -> impl Iterator<Item = Problem> {
        let at = |reason| Problem { path: "/".to_owned(), layer: None, reason };
        let said = |count: u64, what: &str| (count > 0).then(|| format!("{count} more {what}"));
        let packages = said(self.left_out, "packages than are kept of one image: left out");
        let files =
            said(self.without_files, "packages whose lists of files do not fit: taken without");
        let needs = said(
            self.without_needs,
            "packages of which what they need does not fit: taken without",
        );
        packages.into_iter().chain(files).chain(needs).map(at)
    }

    /// The packages that there was room for.
    #[must_use]
    pub fn into_vec(self) -> Vec<Cataloged> {
        self.items
    }
}

/// What a package takes, its files apart.
fn own_bytes(package: &Package) -> usize {
    let Package { name, version, source, licences, location, .. } = package;
    let source = source.as_ref().map_or(0, |source| source.name.len() + source.version.len());
    let licences: usize = licences.iter().map(|licence| licence.len() + 32).sum();
    let path = location.path().map_or(0, str::len);
    // The package URL repeats name and version; its texts, and what each allocation costs.
    size_of::<Cataloged>() + 2 * (name.len() + version.len()) + source + licences + path + 160
}

fn files_bytes(cataloged: &Cataloged) -> usize {
    let owned = cataloged.owned.iter().map(|file| file.path.len() + 80);
    let files = cataloged.package.files.iter().map(|path| path.len() + 40);
    owned.chain(files).sum()
}

/// A package URL that is needed repeats one that is there: its texts, and what their allocations cost.
fn needs_bytes(cataloged: &Cataloged) -> usize {
    let text = |purl: &vocabulary::Purl| purl.text_bytes() + 96;
    let needed = cataloged.package.requires.iter().map(text);
    let ranges = cataloged.ranges.iter().map(|ranges| {
        size_of::<Vec<Box<str>>>() + ranges.iter().map(|range| range.len() + 32).sum::<usize>()
    });
    needed.chain(ranges).sum()
}

impl Extend<Cataloged> for Packages {
    fn extend<All: IntoIterator<Item = Cataloged>>(&mut self, all: All) {
        all.into_iter().for_each(|one| self.push(one));
    }
}

impl FromIterator<Cataloged> for Packages {
    fn from_iter<All: IntoIterator<Item = Cataloged>>(all: All) -> Self {
        let mut packages = Self::default();
        packages.extend(all);
        packages
    }
}

impl From<Vec<Cataloged>> for Packages {
    fn from(all: Vec<Cataloged>) -> Self {
        all.into_iter().collect()
    }
}

impl std::ops::Deref for Packages {
    type Target = [Cataloged];

    fn deref(&self) -> &[Cataloged] {
        &self.items
    }
}

impl std::ops::DerefMut for Packages {
    fn deref_mut(&mut self) -> &mut [Cataloged] {
        &mut self.items
    }
}

impl IntoIterator for Packages {
    type Item = Cataloged;
    type IntoIter = std::vec::IntoIter<Cataloged>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'packages> IntoIterator for &'packages Packages {
    type Item = &'packages Cataloged;
    type IntoIter = std::slice::Iter<'packages, Cataloged>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cataloged::OwnedFile;
    use vocabulary::{Ecosystem, Location, Purl};

    fn named(name: &str) -> Cataloged {
        let purl = Purl::new("npm", name).with_version("1");
        Cataloged::new(Package::new(purl, Ecosystem::NPM, name, "1", Location::file("x", None)))
    }

    #[test]
    fn packages_beyond_the_bound_are_counted() {
        let mut all: Packages = (0..limits::PACKAGES + 3).map(|_| named("a")).collect();
        assert_eq!(all.len(), limits::PACKAGES);
        all.append([named("b")].into_iter().collect());
        let said: Vec<String> = all.gaps().map(|problem| problem.reason).collect();
        assert_eq!(said, ["4 more packages than are kept of one image: left out"]);
    }

    #[test]
    fn a_list_of_files_that_does_not_fit_is_left_out_and_its_package_stays() {
        let path = "f".repeat(1 << 20);
        let owned = vec![OwnedFile { path, digest: None }; limits::PACKAGE_BYTES >> 20];
        let mut all = Packages::default();
        all.push(Cataloged { owned, ..named("a") });
        all.push(named("b"));
        assert_eq!((all.len(), all[0].owned.len(), all.gaps().count()), (2, 0, 1));
    }

    #[test]
    fn what_is_appended_stands_behind_whichever_is_longer() {
        for (first, second) in [(0, 0), (0, 3), (3, 0), (2, 5), (5, 2)] {
            let of = |side: &str, number: usize| -> Packages {
                (0..number).map(|n| named(&format!("{side}{n}"))).collect()
            };
            let mut all = of("a", first);
            all.append(of("b", second));
            let names: Vec<&str> = all.iter().map(|one| one.package.name.as_str()).collect();
            assert_eq!(names.len(), first + second);
            assert!(names.is_sorted(), "{names:?}");
        }
    }
}
