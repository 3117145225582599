//! The families of rpm and apk distributions: under which name each one's advisories stand, by what
//! its packages are matched, and what module streams and subscriptions change.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{World, record};
use vocabulary::Status;

const BEFORE: &str = r#"{"introduced":"0"},{"fixed":"1.2.0-3"}"#;

/// Ids in a distribution, and that its release has advisories at all.
fn ids(world: &World, purl: &str, distribution: &str) -> Vec<String> {
    let coverage = world.matched(purl, Some(distribution)).coverage;
    assert_eq!(coverage[0].status, Status::Ran, "{distribution}: {coverage:?}");
    world.ids(purl, Some(distribution))
}

#[test]
fn each_distribution_is_matched_by_its_own_release() {
    for (ecosystem, named, kind, ours, other) in [
        ("AlmaLinux", "AlmaLinux:9", "rpm/almalinux", "almalinux:9.4", "almalinux:8.10"),
        ("Rocky Linux", "Rocky Linux:8", "rpm/rocky", "rocky:8.9", "rocky:9.3"),
        ("Red Hat", "Red Hat:enterprise_linux:9::appstream", "rpm/redhat", "rhel:9.3", "rhel:8.9"),
        ("SUSE", "SUSE:Linux Enterprise Server 15 SP5", "rpm/suse", "sles:15.5", "sles:15.4"),
        (
            "openSUSE",
            "openSUSE:Leap 15.5",
            "rpm/opensuse",
            "opensuse-leap:15.5",
            "opensuse-leap:15.6",
        ),
        (
            "openEuler",
            "openEuler:22.03-LTS-SP3",
            "rpm/openeuler",
            "openeuler:22.03-LTS-SP3",
            "openeuler:22.03-LTS",
        ),
        ("Photon OS", "Photon OS:4.0", "rpm/photon", "photon:4.0", "photon:5.0"),
        ("Azure Linux", "Azure Linux:2", "rpm/mariner", "mariner:2.0", "azurelinux:3.0"),
        ("Wolfi", "Wolfi", "apk/wolfi", "wolfi:20230201", "chainguard:20230214"),
        ("Chainguard", "Chainguard", "apk/chainguard", "chainguard:20230214", "wolfi:20230201"),
        ("MinimOS", "MinimOS", "apk/minimos", "minimos:20241031", "wolfi:20230201"),
    ] {
        let before = if kind.starts_with("apk") {
            r#"{"introduced":"0"},{"fixed":"1.2.0-r3"}"#
        } else {
            BEFORE
        };
        let world = World::new(&[(ecosystem, &record("CVE-2099-1", "", named, "acme", before))]);
        let (old, new) = match kind.starts_with("apk") {
            true => ("1.2.0-r2", "1.2.0-r3"),
            false => ("1.2.0-2", "1.2.0-3"),
        };
        let purl = |version: &str| format!("pkg:{kind}/acme@{version}");
        assert_eq!(ids(&world, &purl(old), ours), ["CVE-2099-1"], "{named}");
        assert!(ids(&world, &purl(new), ours).is_empty(), "{named}");
        assert!(world.ids(&purl(old), Some(other)).is_empty(), "{named} in {other}");
        // The same by the qualifier that purls carry.
        let (id, release) = ours.split_once(':').unwrap();
        let qualified = format!("{}?distro={id}-{release}", purl(old));
        assert_eq!(world.ids(&qualified, None), ["CVE-2099-1"], "{qualified}");
    }
}

#[test]
fn notices_of_suse_list_binaries_with_their_versions() {
    let notice = r#"{"id":"SUSE-SU-2099:1-1","related":["CVE-2099-1"],"affected":[{"package":{"ecosystem":"SUSE:Linux Enterprise Module for Basesystem 15 SP5","name":"acme"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2.0-150500.3.1"}]}],"ecosystem_specific":{"binaries":[{"libacme1":"1.2.0-150500.3.1","acme-tools":"1.2.0-150500.3.1"}]}}]}"#;
    let world = World::new(&[("SUSE", notice)]);
    let at = |name: &str, version: &str| {
        ids(&world, &format!("pkg:rpm/suse/{name}@{version}"), "sles:15.5")
    };
    assert_eq!(at("libacme1", "1.2.0-150400.9.1"), ["CVE-2099-1"]);
    assert!(at("libacme1", "1.2.0-150500.3.1").is_empty());
    assert!(at("acme-docs", "1.2.0-150400.9.1").is_empty(), "not in the list");
}

#[test]
fn what_only_subscribers_of_suse_get_says_so() {
    let of = |id: &str, product: &str, fixed: &str| {
        format!(
            r#"{{"id":"{id}","related":["CVE-2099-1"],"affected":[{{"package":{{"ecosystem":"SUSE:{product}","name":"acme"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        )
    };
    let world = World::new(&[
        ("SUSE", &of("SUSE-SU-2099:1-1", "Linux Enterprise Server 15 SP3-LTSS", "1.2.0-3")),
        ("SUSE", &of("SUSE-SU-2099:2-1", "Linux Enterprise Server 15 SP5", "1.2.0-5")),
        ("SUSE", &of("SUSE-SU-2099:3-1", "Linux Enterprise Server 15 SP3", "1.1.0-1")),
    ]);
    let paid =
        world.only("pkg:rpm/suse/acme@1.2.0-1", Some("sles:15.3")).upgrade().unwrap().clone();
    assert_eq!(paid.version.as_deref(), Some("1.2.0-3"));
    assert_eq!(paid.subscription.as_deref(), Some("SUSE LTSS"));
    let free =
        world.only("pkg:rpm/suse/acme@1.2.0-1", Some("sles:15.5")).upgrade().unwrap().clone();
    assert_eq!((free.version.as_deref(), free.subscription), (Some("1.2.0-5"), None));
}

/// Notices of a module name a stream, and versions carry the build of the module.
#[test]
fn module_streams_of_alma_rocky_and_red_hat_do_not_meet() {
    for (ecosystem, named, namespace, distribution, mark) in [
        ("AlmaLinux", "AlmaLinux:8", "almalinux", "almalinux:8.9", "module_el8.9.0"),
        ("Rocky Linux", "Rocky Linux:8", "rocky", "rocky:8.9", "module+el8.9.0"),
        (
            "Red Hat",
            "Red Hat:enterprise_linux:8::appstream",
            "redhat",
            "rhel:8.9",
            "module+el8.9.0",
        ),
    ] {
        let notice = |id: &str, stream: &str, cve: &str, fixed: &str| {
            format!(
                r#"{{"id":"{id}","summary":"Important: nodejs:{stream} security update","related":["{cve}"],"affected":[{{"package":{{"ecosystem":"{named}","name":"nodejs"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
            )
        };
        let (mended_18, mended_20) =
            (format!("1:18.19.0-2.{mark}+21+aaaa"), format!("1:20.11.0-1.{mark}+22+bbbb"));
        let world = World::new(&[
            (ecosystem, &notice("XLSA-2099:18", "18", "CVE-2099-18", &mended_18)),
            (ecosystem, &notice("XLSA-2099:20", "20", "CVE-2099-20", &mended_20)),
        ]);
        let at = |version: &str, module: Option<&str>| {
            let module = module.map_or(String::new(), |module| format!("?rpmmod={module}"));
            let version = version.replace('+', "%2B");
            ids(&world, &format!("pkg:rpm/{namespace}/nodejs@{version}{module}"), distribution)
        };
        let old_18 = format!("1:18.9.1-1.{mark}+10+cccc");
        assert_eq!(at(&old_18, None), ["CVE-2099-18"], "{ecosystem}");
        assert_eq!(at(&old_18, Some("nodejs:18:8090020:abcd")), ["CVE-2099-18"], "{ecosystem}");
        let old_20 = format!("1:20.5.0-1.{mark}+10+cccc");
        assert_eq!(at(&old_20, Some("nodejs:20:8090020:abcd")), ["CVE-2099-20"], "{ecosystem}");
        assert!(at(&mended_18, Some("nodejs:18:8090020:abcd")).is_empty(), "{ecosystem}");
        assert!(at(&mended_20, None).is_empty(), "{ecosystem}");
        assert!(at("1:10.24.0-1.el8", None).is_empty(), "{ecosystem}: not of a module");
    }
}
