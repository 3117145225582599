//! What installed packages of a distribution need of one another.
//!
//! In go the packages of a database and, of each, what it asks for and what else it is called; each
//! comes out with the packages of the same database that it asks for. What nothing there is called is
//! left out: the kernel, libraries of the base, alternatives that are not installed. Versions are not
//! held against each other: the package manager did.

use image::Packages;
use std::borrow::Cow;
use std::collections::HashMap;
use vocabulary::Purl;

/// Longest list that is kept of one package; the longest of Debian has some eight kilobytes.
const LIST: usize = 16 << 10;
/// Needs of one database: thrice those of all that Debian has installed at once. Beyond, no more are
/// told; nothing is judged by them.
const NEEDS: usize = 500_000;

/// A list of names; empty where it is longer than any real one.
pub(crate) fn list(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.len() <= LIST { crate::text::text(bytes) } else { Cow::Borrowed("") }
}

/// What one package asks for and what else it is called, in the words of its database.
#[derive(Debug)]
pub(crate) struct Told<'text> {
    pub(crate) name: Cow<'text, str>,
    pub(crate) architecture: Cow<'text, str>,
    pub(crate) depends: Cow<'text, str>,
    pub(crate) provides: Cow<'text, str>,
}

/// How a database writes its lists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// `a (>= 1) | b, c:any`: deb-control(5), deb-substvars(5).
    Debian,
    /// `so:libc.so.1 a>=1 !b`: apk-package(5).
    Apk,
}

impl Form {
    /// The groups of a list, of which one name each is enough.
    fn groups(self, text: &str) -> impl Iterator<Item = Vec<&str>> {
        let divider = move |letter: char| match self {
            Self::Debian => letter == ',',
            Self::Apk => letter == ' ',
        };
        text.split(divider).map(move |group| {
            let alternatives =
                group.split(move |letter| matches!(self, Self::Debian) && letter == '|');
            alternatives.filter_map(|one| self.name(one.trim())).collect()
        })
    }

    fn name(self, text: &str) -> Option<&str> {
        let end = match self {
            Self::Debian => text.find([' ', '(', ':', '[', '<']),
            // `!` says what must not be there.
            Self::Apk if text.starts_with('!') => return None,
            Self::Apk => text.find(['<', '>', '=', '~']),
        };
        let name = end.map_or(Some(text), |end| text.get(..end))?;
        (!name.is_empty()).then_some(name)
    }
}

/// Says of each of these packages, which are of one database, what it needs of the others.
pub(crate) fn connect(packages: &mut Packages, told: &[Told<'_>], form: Form) {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let known: HashMap<(String, String), usize> = packages
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let architecture = one.package.architecture.clone().unwrap_or_default();
            ((one.package.name.clone(), architecture), at)
        })
        .collect();
    let mut called: HashMap<&str, Vec<usize>> = HashMap::new();
    for one in told {
        let key = (one.name.to_string(), one.architecture.to_string());
        let Some(at) = known.get(&key).copied() else { continue };
        places.insert((&one.name, &one.architecture), at);
        called.entry(&one.name).or_default().insert(0, at);
    }
    // A package of that name comes before those that only provide it.
    for one in told {
        let Some(at) = places.get(&(&*one.name, &*one.architecture)) else { continue };
        for name in form.groups(&one.provides).flatten() {
            called.entry(name).or_default().push(*at);
        }
    }
    let mut left = NEEDS;
    for one in told {
        let Some(at) = places.get(&(&*one.name, &*one.architecture)).copied() else { continue };
        let mut requires: Vec<Purl> = Vec::new();
        for group in form.groups(&one.depends) {
            let found = group.iter().find_map(|name| {
                let places = called.get(name)?.get(..PROVIDERS.min(called.get(name)?.len()))?;
                let of = |place: &usize| packages.get(*place).map(|one| &one.package);
                let same = |place: &&usize| {
                    of(place).and_then(|one| one.architecture.as_deref())
                        == Some(&*one.architecture)
                };
                places.iter().find(same).or_else(|| places.first()).filter(|place| **place != at)
            });
            if let Some(needed) = found.and_then(|place| packages.get(*place)) {
                requires.push(needed.package.purl.clone());
            }
        }
        requires.sort();
        requires.dedup();
        if requires.len() > left {
            return;
        }
        left -= requires.len();
        packages.set_requires(at, requires);
    }
}

/// How many packages that are called alike are looked at: one for each architecture, and some.
const PROVIDERS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use image::Cataloged;
    use vocabulary::{Ecosystem, Location, Package};

    fn told(name: &str, architecture: &str, depends: &str, provides: &str) -> Told<'static> {
        Told {
            name: name.to_owned().into(),
            architecture: architecture.to_owned().into(),
            depends: depends.to_owned().into(),
            provides: provides.to_owned().into(),
        }
    }

    fn needs(all: &[Told<'_>], form: Form) -> Vec<String> {
        let mut packages: Packages = all
            .iter()
            .map(|one| {
                let purl = Purl::new("deb", &one.name)
                    .with_version("1")
                    .with_qualifier("arch", &one.architecture);
                let place = Location::file("x", None);
                let mut package = Package::new(purl, Ecosystem::DEBIAN, &*one.name, "1", place);
                package.architecture = Some(one.architecture.to_string());
                Cataloged::new(package)
            })
            .collect();
        connect(&mut packages, all, form);
        let line = |one: &Cataloged| {
            let needed: Vec<String> = one
                .package
                .requires
                .iter()
                .map(|purl| {
                    let shown = purl.to_string();
                    shown.trim_start_matches("pkg:deb/").replace("@1?arch=", ":")
                })
                .collect();
            format!("{}: {}", one.package.name, needed.join(" "))
        };
        packages.iter().map(line).collect()
    }

    #[test]
    fn alternatives_and_what_is_provided_lead_to_what_is_installed() {
        let all = [
            told("app", "amd64", "libc (>= 2.3), mta | postfix, gone, python:any, app", ""),
            told("libc", "amd64", "", ""),
            told("libc", "i386", "", ""),
            told("exim", "amd64", "libc", "mta (= 1), mail"),
            told("python", "all", "libc", ""),
            told("old", "i386", "libc | app", ""),
        ];
        assert_eq!(
            needs(&all, Form::Debian),
            [
                "app: exim:amd64 libc:amd64 python:all",
                "libc: ",
                "libc: ",
                "exim: libc:amd64",
                "python: libc:i386",
                "old: libc:i386",
            ]
        );
    }

    #[test]
    fn libraries_of_apk_lead_to_what_provides_them() {
        let all = [
            told("curl", "x86_64", "so:libc.musl.so.1 so:libz.so.1 ca>=1 !bad cmd:sh", ""),
            told("musl", "x86_64", "", "so:libc.musl.so.1=1"),
            told("zlib", "x86_64", "so:libc.musl.so.1", "so:libz.so.1=1.3"),
            told("ca", "x86_64", "", ""),
            told("bad", "x86_64", "", ""),
        ];
        let found = needs(&all, Form::Apk);
        assert_eq!(
            found.first().map(String::as_str),
            Some("curl: ca:x86_64 musl:x86_64 zlib:x86_64")
        );
        assert_eq!(found.get(2).map(String::as_str), Some("zlib: musl:x86_64"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_database_says_what_is_needed_is_another_package_of_it(
            lists in proptest::collection::vec(("[ab|,: ()!=>]{0,12}", "[abc, =]{0,8}"), 0..6),
        ) {
            let names = ["a", "b", "c", "d", "e", "f"];
            let all: Vec<_> = lists
                .iter()
                .zip(names)
                .map(|((depends, provides), name)| told(name, "all", depends, provides))
                .collect();
            for form in [Form::Debian, Form::Apk] {
                for line in needs(&all, form) {
                    let (name, needed) = line.split_once(": ").unwrap();
                    for one in needed.split(' ').filter(|one| !one.is_empty()) {
                        let one = one.trim_end_matches(":all");
                        proptest::prop_assert!(one != name && all.iter().any(|all| all.name == one));
                    }
                }
            }
        }
    }
}
