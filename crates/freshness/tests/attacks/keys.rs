//! Keys of archives, and who may bring them along

use fetch::{Client, Options};
use freshness::openpgp::Keyring;
use freshness::{Asked, Means, check};
use testkit::{Reply, Server};
use vocabulary::{Coverage, Distribution, Ecosystem, Location, Package, Purl};

/// What apt keeps of Debian's own archive on this machine.
const SIGNED: &str =
    "/var/lib/apt/lists/deb.debian.org_debian-security_dists_bookworm-security_InRelease";

/// What the check says of an archive that serves this, for an image with these keyrings.
fn asked(signed: &[u8], keyrings: &[(String, Vec<u8>)]) -> Coverage {
    let signed = signed.to_vec();
    let server = Server::start(move |request| match request.path.ends_with("/InRelease") {
        true => Reply::ok(signed.clone()),
        false => Reply::status(404),
    })
    .unwrap();
    let distribution = Distribution {
        id: "debian".to_owned(),
        version: "12".to_owned(),
        codename: Some("bookworm".to_owned()),
        pretty_name: None,
        like: Vec::new(),
    };
    let purl: Purl = "pkg:deb/debian/zcat@1.2-3?arch=amd64".parse().unwrap();
    let package = Package {
        architecture: Some("amd64".to_owned()),
        ..Package::new(purl, Ecosystem::DEBIAN, "zcat", "1.2-3", Location::Subject)
    };
    let asked =
        Asked { distribution: Some(&distribution), packages: &[package], sources: &[], keyrings };
    let client = Client::new(Options { retries: 0, ..Options::default() }).unwrap();
    let means = Means {
        client: &client,
        cache: None,
        mirror: Some(server.url()),
        keyring: &Keyring::default(),
        now: jiff::Timestamp::now(),
    };
    check(&asked, &means).coverage
}

fn real() -> Option<Vec<u8>> {
    std::fs::read(SIGNED).ok()
}

#[test]
fn an_image_without_keyrings_is_judged_by_the_keys_that_are_built_in() {
    let Some(signed) = real() else {
        return testkit::skip("apt has not fetched Debian's security archive here");
    };
    // Its lists are not served: that is what fails, behind the signature.
    let reason = asked(&signed, &[]).reason.unwrap_or_default();
    assert!(reason.contains("Packages") && reason.contains("404"), "{reason}");
    let text = String::from_utf8(signed).unwrap();
    for (from, to) in [("Suite: ", "Suite:  "), ("Components: ", "Components: evil ")] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let coverage = asked(changed.as_bytes(), &[]);
        let reason = coverage.reason.unwrap_or_default();
        assert!(reason.contains("its signature does not hold"), "{reason}");
    }
}

#[test]
fn no_key_that_an_image_brings_along_counts() {
    let made = testkit::openpgp::SigningKey::new([7; 32], 1_700_000_000);
    let text = "Origin: Debian\nSuite: bookworm-security\nCodename: bookworm-security\n";
    let now = jiff::Timestamp::now().as_second();
    let signed = made.clear_sign(text, u32::try_from(now).unwrap());
    let keyring = ("usr/share/keyrings/debian-archive-keyring.gpg".to_owned(), made.keyring());
    let reason = asked(signed.as_bytes(), &[keyring]).reason.unwrap_or_default();
    assert!(reason.contains("no key that is trusted signed it"), "{reason}");
}
