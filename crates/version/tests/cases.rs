//! Orders that the specifications and the tools' own documentation give, one table a scheme.
//!
//! A line is `A < B`, `A = B` or `A > B`, or `! A` for what is no version; `#` begins a remark.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::cmp::Ordering;
use support::{cases, texts_refused};
use version::Scheme;

#[test]
fn every_scheme_orders_as_its_table_says() {
    for scheme in Scheme::ALL {
        for (left, sign, right) in cases(scheme) {
            let expected = match sign {
                '<' => Ordering::Less,
                '=' => Ordering::Equal,
                _ => Ordering::Greater,
            };
            let order = scheme.compare(&left, &right);
            assert_eq!(order, Ok(expected), "{scheme:?}: `{left}` {sign} `{right}`");
            let order = scheme.compare(&right, &left);
            assert_eq!(order, Ok(expected.reverse()), "{scheme:?}: `{right}` against `{left}`");
        }
    }
}

#[test]
fn every_scheme_refuses_what_its_table_refuses() {
    for scheme in Scheme::ALL {
        for text in texts_refused(scheme) {
            let error = scheme.check(&text).expect_err(&text);
            assert_eq!(error.text, text);
            assert_eq!(error.scheme, scheme);
            assert!(
                error.to_string().starts_with(&format!("`{text}` is not a {scheme:?} version: "))
            );
            assert!(scheme.compare("1", &text).is_err() && scheme.compare(&text, "1").is_err());
        }
    }
}

#[test]
fn a_text_over_the_limit_is_refused() {
    for scheme in Scheme::ALL {
        let longest = "1".repeat(version::LONGEST);
        assert_eq!(scheme.compare(&longest, "2"), Ok(Ordering::Greater), "{scheme:?}");
        let error = scheme.check(&(longest + "1")).expect_err("too long");
        assert_eq!(error.text.len(), 200);
    }
}

#[test]
fn every_ecosystem_of_the_vocabulary_has_an_order() {
    for (scheme, ecosystems) in [
        (Scheme::Debian, &["Debian", "Ubuntu", "Debian:12", "Ubuntu:22.04:LTS"][..]),
        (
            Scheme::Rpm,
            &[
                "AlmaLinux",
                "AlmaLinux:8",
                "Amazon Linux",
                "Azure Linux",
                "Fedora",
                "Mageia",
                "Oracle Linux",
                "Photon OS",
                "Red Hat",
                "Rocky Linux",
                "SUSE",
                "openEuler",
                "openSUSE",
            ],
        ),
        (Scheme::Alpine, &["Alpine", "Alpine:v3.20", "Chainguard", "Wolfi"]),
        (Scheme::Pep440, &["PyPI"]),
        (Scheme::Semver, &["Bitnami", "crates.io"]),
        (Scheme::Npm, &["npm"]),
        (Scheme::Maven, &["Maven", "Maven:https://repo.example/maven2"]),
        (Scheme::Go, &["Go"]),
        (Scheme::RubyGems, &["RubyGems"]),
        (Scheme::NuGet, &["NuGet"]),
        (Scheme::Packagist, &["Packagist"]),
        (Scheme::Pub, &["Pub"]),
        (Scheme::Alpm, &["Arch Linux"]),
        (Scheme::Portage, &["Gentoo"]),
        (Scheme::Opam, &["opam"]),
        (Scheme::Conan, &["ConanCenter"]),
    ] {
        for ecosystem in ecosystems {
            assert_eq!(Scheme::of_ecosystem(ecosystem), Some(scheme), "{ecosystem}");
        }
    }
    assert_eq!(Scheme::of_ecosystem("GIT"), None);
}
