use super::*;
use proptest::prelude::*;
use testkit::files::{any_files, file};
use vocabulary::{Evidence, Location, Presence, Purl, Severity};

fn program(path: &str, content: &[u8]) -> FileRecord {
    FileRecord { mode: 0o755, ..file(path, content) }
}

fn folder(path: &str) -> FileRecord {
    FileRecord { kind: FileKind::Directory, mode: 0o755, size: 0, digest: None, ..file(path, b"") }
}

fn at(layer: u32, file: FileRecord) -> FileRecord {
    FileRecord { layer: Some(layer), ..file }
}

/// Layers 0 and 1 are the image's, 2 is the engine's, 3 the container's.
fn part(layer: Option<u32>) -> Part {
    match layer {
        Some(2) => Part::Engine,
        Some(3) => Part::Written,
        _ => Part::Image,
    }
}

fn held(baseline: Baseline, expected: &[FileRecord], found: &[FileRecord]) -> Differences {
    let by = Comparison { baseline, part: &part, packages: &[], layers: &[] };
    compare(expected.iter().cloned(), found, &by)
}

fn shown(differences: &Differences) -> Vec<String> {
    let one = |finding: &Finding| {
        let path = finding.location.path().unwrap_or_default();
        format!("{} {} {path}: {}", finding.severity, finding.rule, finding.title)
    };
    differences.findings.iter().map(one).collect()
}

#[test]
fn differences_are_named_programs_and_libraries_first() {
    let sealed = [
        file("etc/app.conf", b"a"),
        file("etc/passwd", b"a"),
        file("srv/data", b"a"),
        program("usr/bin/gone", b"a"),
        program("usr/bin/login", b"a"),
        file("usr/lib/libc.so.6", b"a"),
    ];
    let found = [
        file("etc/app.conf", b"b"),
        file("etc/passwd", b"b"),
        file("opt/tool.py", b"b"),
        file("srv/data", b"b"),
        program("usr/bin/login", b"b"),
        FileRecord { mode: 0o600, ..file("usr/lib/libc.so.6", b"a") },
        at(1, file("var/log/x", b"b")),
    ];
    assert_eq!(
        shown(&held(Baseline::Seal, &sealed, &found)),
        [
            "critical file-changed usr/bin/login: Program replaced since the image was sealed",
            "critical file-added opt/tool.py: Program module added since the image was sealed",
            "high file-removed usr/bin/gone: Program removed since the image was sealed",
            "high file-changed usr/lib/libc.so.6: Library with changed mode since the image was sealed",
            "high file-changed etc/passwd: Security configuration replaced since the image was sealed",
            "medium file-changed etc/app.conf: Configuration replaced since the image was sealed",
            "medium file-changed srv/data: File replaced since the image was sealed",
            "medium file-added var/log/x: File added since the image was sealed",
        ]
    );
}

#[test]
fn evidence_says_what_was_expected_and_what_is_there() {
    let sealed = [at(1, program("usr/bin/login", b"good"))];
    let found = [FileRecord { mode: 0o4755, uid: 7, ..at(1, program("usr/bin/login", b"evil")) }];
    let differences = held(Baseline::Seal, &sealed, &found);
    let [finding] = differences.findings.as_slice() else { panic!("{differences:?}") };
    assert_eq!(finding.title, "Program given more privileges since the image was sealed");
    assert_eq!(finding.location, Location::file("usr/bin/login", Some(1)));
    let evidence: Vec<_> = finding
        .evidence
        .iter()
        .map(|evidence| match evidence {
            Evidence::Difference { aspect, expected, found } => {
                (*aspect, expected.clone().unwrap(), found.clone().unwrap())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let digest = |content: &[u8]| vocabulary::Digest::of(content).to_string();
    assert_eq!(
        evidence,
        [
            (Aspect::Content, digest(b"good"), digest(b"evil")),
            (Aspect::Mode, "0755".to_owned(), "4755".to_owned()),
            (Aspect::Owner, "0:0".to_owned(), "7:0".to_owned()),
        ]
    );
}

#[test]
fn what_a_container_writes_is_ranked_by_what_it_can_do() {
    let image = [file("etc/app.conf", b"a"), file("srv/data", b"a"), program("usr/bin/sh", b"a")];
    let found = [
        at(3, file("etc/app.conf", b"b")),
        at(3, program("tmp/miner", b"b")),
        at(3, file("var/log/app.log", b"b")),
    ];
    assert_eq!(
        shown(&held(Baseline::Image, &image, &found)),
        [
            "critical file-added tmp/miner: Program added in the container",
            "high file-removed usr/bin/sh: Program removed in the container",
            "low file-changed etc/app.conf: Configuration replaced in the container",
            "low file-removed srv/data: File removed in the container",
            "negligible file-added var/log/app.log: File added in the container",
        ]
    );
}

#[test]
fn setuid_and_capabilities_are_critical_wherever_they_come_from() {
    let capable = |value: &str| {
        let mut file = program("usr/bin/ping", b"a");
        file.attributes.insert("security.capability".to_owned(), value.to_owned());
        file
    };
    let worst = |expected: FileRecord, found: FileRecord| {
        let differences = held(Baseline::Image, &[expected], &[at(3, found)]);
        differences.findings.first().map(|finding| finding.severity)
    };
    assert_eq!(worst(program("usr/bin/ping", b"a"), capable("01")), Some(Severity::Critical));
    assert_eq!(worst(capable("01"), capable("02")), Some(Severity::Critical));
    // To lose a right is a change, but gives nobody anything.
    assert_eq!(worst(capable("01"), program("usr/bin/ping", b"a")), Some(Severity::High));
    let setuid = FileRecord { mode: 0o4644, ..file("srv/x", b"a") };
    assert_eq!(worst(file("srv/x", b"a"), setuid), Some(Severity::Critical));
}

#[test]
fn what_the_engine_makes_is_excused_only_in_its_own_layer() {
    let image = [folder("etc"), file("etc/hosts", b"image")];
    let engine = [
        at(2, file(".dockerenv", b"")),
        at(2, folder("dev")),
        at(2, folder("etc")),
        at(2, file("etc/hosts", b"")),
        at(
            2,
            FileRecord {
                kind: FileKind::Symlink,
                link: Some("/proc/mounts".to_owned()),
                ..file("etc/mtab", b"")
            },
        ),
    ];
    let differences = held(Baseline::Image, &image, &engine);
    assert_eq!(shown(&differences), [""; 0]);
    assert_eq!(differences.excused.len(), 4);
    let elsewhere = [folder("etc"), at(3, file("etc/hosts", b""))];
    assert_eq!(held(Baseline::Image, &image, &elsewhere).findings.len(), 1);
    let filled = [folder("etc"), at(2, file("etc/hosts", b"6.6.6.6 registry.example"))];
    assert_eq!(held(Baseline::Image, &image, &filled).findings.len(), 1);
    let hidden = [folder("etc"), file("etc/hosts", b"image"), at(2, program("usr/bin/x", b"x"))];
    assert_eq!(held(Baseline::Image, &image, &hidden).findings.len(), 1);
}

#[test]
fn an_excused_path_that_no_engine_would_make_so_is_a_difference() {
    let image = [folder("etc"), file("etc/hosts", b"image")];
    let link = |path, to: &str| FileRecord {
        kind: FileKind::Symlink,
        link: Some(to.to_owned()),
        ..file(path, b"")
    };
    for made in [
        FileRecord { mode: 0o4755, ..file("etc/hosts", b"") },
        FileRecord { mode: 0o666, ..file("etc/hosts", b"") },
        FileRecord { uid: 1, ..file("etc/hosts", b"") },
        FileRecord {
            attributes: [("security.capability".to_owned(), "01".to_owned())].into(),
            ..file("etc/hosts", b"")
        },
        link("etc/hosts", "/usr/bin/env"),
        link(".dockerenv", "/tmp/evil"),
        link("etc/mtab", "/tmp/mounts"),
        program("dev/console", b"evil"),
        FileRecord { kind: FileKind::CharacterDevice, ..file("dev/console", b"") },
        FileRecord { mode: 0o777, ..folder("etc") },
        FileRecord { uid: 1, ..folder("etc") },
        FileRecord { mode: 0o777, ..folder("dev") },
    ] {
        let mut found: Vec<_> =
            image.iter().filter(|file| file.path != made.path).cloned().collect();
        found.push(at(2, made.clone()));
        found.sort_by(|left, right| left.path.cmp(&right.path));
        assert_eq!(held(Baseline::Image, &image, &found).findings.len(), 1, "{made:?}");
    }
}

#[test]
fn a_file_that_an_engine_made_to_mount_over_is_no_program() {
    let added = |file: FileRecord| held(Baseline::Image, &[], &[at(3, file)]).findings[0].severity;
    for path in ["usr/sbin/docker-init", "etc/passwd", "run/secret"] {
        assert_eq!(added(program(path, b"")), Severity::Low, "{path}");
    }
    assert_eq!(added(FileRecord { mode: 0o4755, ..file("usr/bin/x", b"") }), Severity::Critical);
    assert_eq!(added(program("usr/sbin/docker-init", b"x")), Severity::Critical);
    let unread = FileRecord { digest: None, ..program("usr/bin/x", b"") };
    assert_eq!(added(unread), Severity::Critical);
    let emptied = held(
        Baseline::Image,
        &[program("usr/bin/login", b"a")],
        &[at(3, program("usr/bin/login", b""))],
    );
    assert_eq!(emptied.findings[0].severity, Severity::Critical);
}

#[test]
fn a_folder_that_anyone_may_write_is_told_by_what_lies_in_it() {
    let severity = |path: &str, mode| {
        let found = [at(3, FileRecord { mode, ..folder(path) })];
        held(Baseline::Image, &[folder(path)], &found).findings[0].severity
    };
    for path in ["/", "etc", "etc/ssl", "usr/bin", "usr/lib/python3"] {
        assert_eq!(severity(path, 0o777), Severity::High, "{path}");
        assert_eq!(severity(path, 0o1777), Severity::Negligible, "{path}");
    }
    assert_eq!(severity("var/lib/app", 0o777), Severity::Negligible);
    let root = [FileRecord { mode: 0o777, ..folder("/") }];
    assert_eq!(shown(&held(Baseline::Image, &[], &root)), [""; 0]);
}

#[test]
fn a_hard_link_is_the_file_that_it_names() {
    let link = FileRecord {
        kind: FileKind::HardLink,
        link: Some("usr/bin/a".to_owned()),
        size: 0,
        ..program("usr/bin/b", b"same")
    };
    let sealed = [program("usr/bin/a", b"same"), link.clone()];
    let unpacked = [program("usr/bin/a", b"same"), program("usr/bin/b", b"same")];
    assert_eq!(shown(&held(Baseline::Seal, &sealed, &unpacked)), [""; 0]);
    let replaced = [program("usr/bin/a", b"same"), program("usr/bin/b", b"evil")];
    assert_eq!(held(Baseline::Seal, &sealed, &replaced).findings.len(), 1);
    let symlink = FileRecord { kind: FileKind::Symlink, ..link };
    let other = [program("usr/bin/a", b"same"), symlink];
    assert_eq!(held(Baseline::Seal, &sealed, &other).findings.len(), 1);
}

#[test]
fn folders_that_a_tar_does_not_name_are_no_difference() {
    let sealed = [program("usr/bin/a", b"a"), file("usr-x", b"a")];
    let mut sorted = sealed.to_vec();
    sorted.sort_by(|left, right| left.path.cmp(&right.path));
    let found = [
        folder("empty"),
        folder("usr"),
        file("usr-x", b"a"),
        folder("usr/bin"),
        program("usr/bin/a", b"a"),
    ];
    assert_eq!(
        shown(&held(Baseline::Seal, &sorted, &found)),
        ["low file-added empty: Folder added since the image was sealed"]
    );
}

#[test]
fn the_package_of_a_file_is_found_through_links_at_the_root() {
    let package = Package {
        purl: Purl::new("deb", "libc6").with_version("2"),
        ecosystem: vocabulary::Ecosystem::new("Debian"),
        name: "libc6".to_owned(),
        version: "2".to_owned(),
        source: None,
        architecture: None,
        licences: Vec::new(),
        presence: Presence::Installed,
        location: Location::file("var/lib/dpkg/status", Some(0)),
        layer: Some(0),
        origin: vocabulary::OriginKind::Unknown,
        owned_by: None,
        module: None,
        identified: None,
        relation: None,
        scope: None,
        requires: Vec::new(),
        files: vec!["/lib/libc.so.6".to_owned()],
    };
    let link = FileRecord {
        kind: FileKind::Symlink,
        link: Some("usr/lib".to_owned()),
        digest: None,
        ..file("lib", b"")
    };
    let sealed = [link.clone(), file("usr/lib/libc.so.6", b"a")];
    let found = [link, file("usr/lib/libc.so.6", b"b")];
    let packages = [package];
    let by = Comparison { baseline: Baseline::Seal, part: &part, packages: &packages, layers: &[] };
    let differences = compare(sealed, &found, &by);
    assert_eq!(differences.findings[0].package, Some(packages[0].purl.clone()));
}

#[test]
fn content_that_was_not_read_is_told() {
    let unread = FileRecord { digest: None, ..program("usr/bin/a", b"a") };
    let differences = held(Baseline::Seal, &[program("usr/bin/a", b"a")], &[unread]);
    assert_eq!(differences.unread, ["usr/bin/a"]);
}

proptest! {
    #[test]
    fn files_do_not_differ_from_themselves(files in any_files(30)) {
        let differences = held(Baseline::Seal, &files, &files);
        prop_assert_eq!(shown(&differences), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_found_once(left in any_files(20), right in any_files(20)) {
        let differences = held(Baseline::Seal, &left, &right);
        let mut paths: Vec<_> = differences.findings.iter().filter_map(|finding| finding.location.path()).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        prop_assert_eq!(paths.len(), count);
        for file in left.iter().filter(|file| !is_root(&file.path)) {
            if !right.iter().any(|other| other.path == file.path) {
                prop_assert!(paths.contains(&file.path.as_str()), "{} is gone", file.path);
            }
        }
    }
}
