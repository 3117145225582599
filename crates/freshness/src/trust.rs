//! The keys that archives are signed with.
//!
//! Debian's stand here whole, so that nothing that an image brings along can stand for one of them: its
//! keyrings are under its builder's control, and a fingerprint is but a SHA-1. What an image has of the
//! same keys only adds what these say of themselves, such as that they live longer or are revoked, and
//! is held against the keys that are here. Of Ubuntu's there are the fingerprints, and the keys come
//! from the image or from the user. Sources: `keys/*.asc`, which say where they come from; for Ubuntu,
//! `ubuntu-keyring` 2023.11.28.1.

use crate::openpgp::{Fingerprint, Keyring};
use std::collections::BTreeSet;

/// Archive, security and release keys of Debian 11 to 13.
const DEBIAN: &str = include_str!("keys/debian.asc");

/// The security key of Debian 10, which signed the suites of the releases before 11 and counts for them
/// alone. Those of Debian 9 and before have expired.
const DEBIAN_10: &str = include_str!("keys/debian-10.asc");

/// Archive keys of 2012 and 2018.
const UBUNTU: &[&str] =
    &["790BC7277767219C42C86F933B4FE6ACC0B21F32", "F6ECB3762474EDA9D21B7022871920D1991BC93C"];

/// Which keys are believed.
pub(crate) struct Trust {
    whole: Keyring,
    trusted: BTreeSet<Fingerprint>,
    by_fingerprint: &'static [&'static str],
}

impl Trust {
    /// The keys of a distribution for a suite, and those that the user gave.
    pub(crate) fn new(distribution: &str, suite: &str, given: &Keyring) -> Self {
        let (pinned, by_fingerprint): (&[&str], _) = match distribution {
            "debian" if suite.ends_with("/updates") => (&[DEBIAN, DEBIAN_10], &[][..]),
            "debian" => (&[DEBIAN], &[][..]),
            "ubuntu" => (&[], UBUNTU),
            _ => (&[], &[][..]),
        };
        // Where the user gives a pinned key too, both say what it says of itself.
        let mut whole = given.clone();
        for file in pinned {
            // Tests hold that they are read; one that were not would vouch for nothing.
            let _ = whole.add(file.as_bytes());
        }
        Self { trusted: whole.fingerprints().collect(), whole, by_fingerprint }
    }

    /// The keys that are here whole, or were given.
    pub(crate) const fn keys(&self) -> &Keyring {
        &self.whole
    }

    pub(crate) fn holds(&self, key: &Fingerprint) -> bool {
        self.trusted.contains(key) || self.by_fingerprint.contains(&key.to_string().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(file: &[u8]) -> Keyring {
        let mut keyring = Keyring::default();
        keyring.add(file).unwrap();
        keyring
    }

    fn names(keyring: &Keyring) -> Vec<String> {
        keyring.fingerprints().map(|key| key.to_string()).collect()
    }

    fn held(keyring: &Keyring, distribution: &str, suite: &str) -> Vec<String> {
        let trust = Trust::new(distribution, suite, &Keyring::default());
        let held = keyring.fingerprints().filter(|key| trust.holds(key));
        held.map(|key| key.to_string()).collect()
    }

    #[test]
    fn pinned_keys_are_whole_and_of_the_suites_that_they_sign() {
        let debian = ring(DEBIAN.as_bytes());
        assert_eq!(
            names(&debian),
            [
                "04B54C3CDCA79751B16BC6B5225629DF75B188BD",
                "05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0",
                "1F89983E0081FDE018F3CC9673A4F27B8DD47936",
                "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
                "4D64FEC119C2029067D6E791F8D2585B8783D481",
                "5E04A1E3223A19A20706E20F9904613D4CCE68C6",
                "A4285295FC7B1A81600062A9605C66F00D6C9793",
                "AC530D520F2F3269F5E98313A48449044AAD5C5D",
                "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",
            ]
        );
        let old = ring(DEBIAN_10.as_bytes());
        assert_eq!(names(&old), ["5E61B217265DA9807A23C5FF4DFAB270CAA96DFA"]);
        assert_eq!(held(&debian, "debian", "bookworm-security"), names(&debian));
        assert_eq!(held(&old, "debian", "bookworm-security"), [""; 0]);
        assert_eq!(held(&old, "debian", "buster/updates"), names(&old));
        assert_eq!(held(&debian, "ubuntu", "noble-security"), [""; 0]);
    }

    #[test]
    fn pinned_keys_are_those_of_the_package_where_it_is_installed() {
        for (file, pinned) in [
            ("/usr/share/keyrings/debian-archive-keyring.gpg", DEBIAN),
            ("/usr/share/keyrings/debian-archive-removed-keys.gpg", DEBIAN_10),
        ] {
            let Ok(file) = std::fs::read(file) else {
                return testkit::skip("debian-archive-keyring is not installed");
            };
            let (of_package, pinned) = (ring(&file), ring(pinned.as_bytes()));
            // Another release of the package may have dropped some.
            let same =
                pinned.fingerprints().filter(|key| of_package.same_key(&pinned, key)).count();
            assert!(same > 0, "none of the keys is the package's");
        }
    }

    #[test]
    fn what_an_image_has_of_a_pinned_key_does_not_replace_it() {
        let trust = Trust::new("debian", "bookworm-security", &Keyring::default());
        let mut keyring = trust.keys().clone();
        let _ = keyring.add(DEBIAN_10.as_bytes());
        let _ = keyring.add(DEBIAN.as_bytes());
        assert!(trust.keys().fingerprints().all(|key| keyring.same_key(trust.keys(), &key)));
        // Ubuntu's are known by their fingerprints only.
        let ubuntu = Trust::new("ubuntu", "noble-security", &Keyring::default());
        assert_eq!(ubuntu.keys().fingerprints().count(), 0);
        assert!(UBUNTU.is_sorted() && UBUNTU.iter().all(|key| key.len() == 40));
    }
}
