//! The keys that archives are signed with.
//!
//! Fingerprints of primary keys; the keys themselves come from the image, or from the user. An image's
//! keyrings are under its builder's control, so no key counts for being in one. Sources: Debian's
//! package `debian-archive-keyring` 2023.3+deb12u2 (that of Debian 10 is among its removed keys) and its `ubuntu-keyring` 2023.11.28.1.

use crate::openpgp::{Fingerprint, Keyring};
use std::collections::BTreeSet;

/// Archive, security and release keys of Debian 11 to 13.
const DEBIAN: &[&str] = &[
    "04B54C3CDCA79751B16BC6B5225629DF75B188BD",
    "05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0",
    "1F89983E0081FDE018F3CC9673A4F27B8DD47936",
    "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
    "4D64FEC119C2029067D6E791F8D2585B8783D481",
    "5E04A1E3223A19A20706E20F9904613D4CCE68C6",
    "A4285295FC7B1A81600062A9605C66F00D6C9793",
    "AC530D520F2F3269F5E98313A48449044AAD5C5D",
    "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",
];

/// The security key of Debian 10, which signed the suites of the releases before 11 and counts for them
/// alone. Those of Debian 9 and before have expired.
const DEBIAN_OLD: &[&str] = &["5E61B217265DA9807A23C5FF4DFAB270CAA96DFA"];

/// Archive keys of 2012 and 2018.
const UBUNTU: &[&str] =
    &["790BC7277767219C42C86F933B4FE6ACC0B21F32", "F6ECB3762474EDA9D21B7022871920D1991BC93C"];

/// Which keys are believed.
pub(crate) struct Trust {
    pinned: [&'static [&'static str]; 2],
    given: BTreeSet<Fingerprint>,
}

impl Trust {
    /// The keys of a distribution for a suite, and those that the user gave.
    pub(crate) fn new(distribution: &str, suite: &str, given: &Keyring) -> Self {
        let pinned: [&[_]; 2] = match distribution {
            "debian" if suite.ends_with("/updates") => [DEBIAN, DEBIAN_OLD],
            "debian" => [DEBIAN, &[]],
            "ubuntu" => [UBUNTU, &[]],
            _ => [&[], &[]],
        };
        Self { pinned, given: given.fingerprints().collect() }
    }

    pub(crate) fn holds(&self, key: &Fingerprint) -> bool {
        let name = key.to_string();
        self.given.contains(key) || self.pinned.iter().any(|list| list.contains(&name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_keys_are_those_of_the_keyring_where_debian_has_put_it() {
        let Ok(file) = std::fs::read("/usr/share/keyrings/debian-archive-keyring.gpg") else {
            return testkit::skip("debian-archive-keyring is not installed");
        };
        let mut keyring = Keyring::default();
        keyring.add(&file).unwrap();
        let trust = Trust::new("debian", "bookworm-security", &Keyring::default());
        let known = keyring.fingerprints().filter(|key| trust.holds(key)).count();
        assert!(known > 0, "none of the keys is pinned");
        let ubuntu = Trust::new("ubuntu", "noble-security", &Keyring::default());
        assert!(!keyring.fingerprints().any(|key| ubuntu.holds(&key)));
    }

    #[test]
    fn a_key_of_an_ended_release_counts_for_old_suites_alone() {
        let Ok(file) = std::fs::read("/usr/share/keyrings/debian-archive-removed-keys.gpg") else {
            return testkit::skip("debian-archive-keyring is not installed");
        };
        let mut keyring = Keyring::default();
        keyring.add(&file).unwrap();
        let held = |suite| {
            let trust = Trust::new("debian", suite, &Keyring::default());
            let held: Vec<_> = keyring.fingerprints().filter(|key| trust.holds(key)).collect();
            held.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(held("bookworm-security"), [""; 0]);
        assert_eq!(held("buster/updates"), DEBIAN_OLD);
    }

    #[test]
    fn fingerprints_are_sorted_and_well_formed() {
        for list in [DEBIAN, DEBIAN_OLD, UBUNTU] {
            assert!(list.is_sorted());
            let hex = |key: &&str| {
                key.len() == 40 && key.bytes().all(|byte| b"0123456789ABCDEF".contains(&byte))
            };
            assert!(list.iter().all(hex));
        }
    }
}
