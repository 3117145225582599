//! Which release file is believed, and what it tells.

use super::*;
use crate::view_tests::Layers;

fn of(layers: &Layers) -> Option<Distribution> {
    layers.with_view(&OsRelease, distribution)
}

const BOOKWORM: &str = r#"PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
"#;

#[test]
fn os_release_is_found_behind_its_link() {
    let found = of(&Layers::default()
        .layer()
        .file("usr/lib/os-release", BOOKWORM)
        .link("etc/os-release", "../usr/lib/os-release"))
    .unwrap();
    assert_eq!((found.id.as_str(), found.version.as_str()), ("debian", "12"));
    assert_eq!(found.codename.as_deref(), Some("bookworm"));
    assert_eq!(found.pretty_name.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
}

#[test]
fn a_byte_order_mark_and_other_line_ends_are_read_over() {
    let text = format!("\u{feff}{}", "ID='alpine'\nVERSION_ID=3.22.0\n".replace('\n', "\r\n"));
    let found = of(&Layers::default().layer().file("etc/os-release", text)).unwrap();
    assert_eq!((found.id.as_str(), found.version.as_str()), ("alpine", "3.22.0"));
}

#[test]
fn a_later_layer_changes_the_release() {
    let found = of(&Layers::default()
        .layer()
        .file("etc/os-release", BOOKWORM)
        .layer()
        .file("etc/os-release", "ID=\"rhel\"\nVERSION_ID=\"9.4\"\nID_LIKE=\"fedora centos\"\n"))
    .unwrap();
    assert_eq!((found.id.as_str(), found.version.as_str()), ("rhel", "9.4"));
    assert_eq!(found.like, ["fedora", "centos"]);
}

#[test]
fn openeuler_has_a_release_for_each_service_pack() {
    for (version, expected) in [
        ("22.03 (LTS-SP3)", "22.03-LTS-SP3"),
        ("22.03 (LTS)", "22.03-LTS"),
        ("22.03", "22.03"),
        ("22.03 ()", "22.03"),
    ] {
        let text = format!(
            "NAME=\"openEuler\"\nVERSION=\"{version}\"\nID=\"openEuler\"\nVERSION_ID=\"22.03\"\n"
        );
        let found = of(&Layers::default().layer().file("etc/os-release", &text)).unwrap();
        assert_eq!((found.id.as_str(), found.version.as_str()), ("openeuler", expected));
    }
}

#[test]
fn debian_testing_is_known_by_its_codename() {
    let line = "PRETTY_NAME=\"Debian GNU/Linux forky/sid\"\nID=debian\n";
    let found = of(&Layers::default().layer().file("etc/os-release", line)).unwrap();
    assert_eq!((found.version.as_str(), found.codename.as_deref()), ("", Some("forky")));
    let found = of(&Layers::default()
        .layer()
        .file("etc/os-release", "ID=debian\n")
        .file("etc/debian_version", "duke/sid\n"))
    .unwrap();
    assert_eq!((found.version.as_str(), found.codename.as_deref()), ("", Some("duke")));
}

#[test]
fn stable_debian_with_a_slash_in_its_name_has_no_codename() {
    let line = "PRETTY_NAME=\"Debian GNU/Linux\"\nID=debian\n";
    let found = of(&Layers::default().layer().file("etc/os-release", line)).unwrap();
    assert_eq!(found.codename, None);
}

#[test]
fn older_files_count_only_without_os_release() {
    let both = Layers::default()
        .layer()
        .file("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")
        .file("etc/debian_version", "11.3\n");
    assert_eq!(of(&both).unwrap().id, "centos");
    assert_eq!(of(&both.file("etc/os-release", BOOKWORM)).unwrap().id, "debian");
    let ubuntu = "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n";
    let found = of(&Layers::default()
        .layer()
        .file("etc/lsb-release", ubuntu)
        .file("etc/debian_version", "squeeze/sid\n"))
    .unwrap();
    assert_eq!((found.id.as_str(), found.version.as_str()), ("ubuntu", "10.04"));
}

#[test]
fn nothing_is_guessed_without_a_release_file() {
    assert_eq!(of(&Layers::default().layer().file("etc/passwd", "root")), None);
    let nameless = Layers::default().layer().file("etc/os-release", "VERSION_ID=3\n");
    assert_eq!(of(&nameless), None);
    let removed = Layers::default()
        .layer()
        .file("etc/os-release", BOOKWORM)
        .layer()
        .whiteout("etc/os-release");
    assert_eq!(of(&removed), None);
}
