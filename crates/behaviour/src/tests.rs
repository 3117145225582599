//! What is judged how, over all detectors.

use super::*;
use proptest::prelude::*;
use vocabulary::{
    Act, Container, Digest, Engine, Event, Evidence, Execution, FileIdentity, FileKind, FileRecord,
    Finding, Process, Rule, Severity, Side, StandardInput,
};

fn container() -> Container {
    Container {
        engine: Engine::Docker,
        id: "ab".repeat(32),
        name: "shop".to_owned(),
        image: "shop:1".to_owned(),
        image_id: Some(Digest::of(b"config")),
        pid: Some(7),
        started: None,
    }
}

fn programs() -> AllowList {
    let file = |path: &str, content: &str| FileRecord {
        path: path.to_owned(),
        kind: FileKind::File,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: 0,
        link: None,
        attributes: std::collections::BTreeMap::new(),
        layer: None,
        digest: (!content.is_empty()).then(|| Digest::of(content.as_bytes())),
    };
    AllowList::new([
        file("usr/bin/dash", "dash"),
        file("usr/bin/busybox", "busybox"),
        file("usr/bin/env", "env"),
        file("usr/bin/unhashed", ""),
    ])
}

fn ran(path: &str, content: &str, side: Side) -> Event {
    let name = path.rsplit('/').next().unwrap().to_owned();
    Event {
        at_ns: 1,
        process: Process { pid: 42, started_ns: 1, name, path: Some(path.to_owned()) },
        ancestors: Vec::new(),
        uid: 0,
        gid: 0,
        act: Act::Execution(Execution {
            path: path.to_owned(),
            file: FileIdentity { device: 1, inode: 2 },
            side,
            input: StandardInput::Other,
            digest: (!content.is_empty()).then(|| Digest::of(content.as_bytes())),
        }),
    }
}

fn execution_of(event: &mut Event) -> &mut Execution {
    match &mut event.act {
        Act::Execution(execution) => execution,
        other => panic!("{other:?}"),
    }
}

fn judged(event: &Event) -> Vec<Finding> {
    let (programs, seal) = (programs(), Digest::of(b"seal"));
    let baseline = Baseline::Sealed { programs: &programs, seal: &seal };
    let judged = observe(&container(), event, baseline, BEGUN);
    judged.into_iter().map(|one| one.finding).collect()
}

const BEGUN: Moment = Moment::Begun { unproven: false };

fn reason(event: &Event) -> Option<Reason> {
    let (programs, seal) = (programs(), Digest::of(b"seal"));
    let Act::Execution(execution) = &event.act else { panic!() };
    let baseline = Baseline::Sealed { programs: &programs, seal: &seal };
    crate::detectors::program_not_in_image::reason(event, execution, baseline)
}

fn on_socket(mut event: Event, family: &str) -> Event {
    let peer = Some("192.0.2.7:4444".to_owned());
    execution_of(&mut event).input = StandardInput::Socket { family: family.to_owned(), peer };
    event
}

#[test]
fn detectors_are_sorted_and_each_finds_only_what_it_says() {
    let names: Vec<&str> = DETECTORS.iter().map(|detector| detector.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    let shell = on_socket(ran("tmp/x", "dash", Side::Written), "inet");
    let (programs, seal, container) = (programs(), Digest::of(b"seal"), container());
    let baseline = Baseline::Sealed { programs: &programs, seal: &seal };
    let seen = Seen { container: &container, event: &shell, baseline, moment: BEGUN };
    let mut found = 0;
    for detector in DETECTORS {
        for verdict in (detector.observe)(&seen) {
            found += 1;
            let says = |rule: &&Rule| rule.id == verdict.finding.rule;
            assert!(detector.rules.iter().any(says), "{}", detector.name);
            assert_eq!(verdict.rule.id, verdict.finding.rule);
        }
    }
    assert!(found >= 2, "a program that is not in the image, and a shell on a socket");
    // Every file of a detector is in the list.
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/detectors")).unwrap();
    let detects = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).unwrap();
        text.contains("const DETECTOR:")
    };
    let paths = files.map(|file| file.unwrap().path());
    let found = paths.filter(|path| detects(path)).count();
    assert_eq!(found, DETECTORS.len());
}

#[test]
fn an_event_of_another_kind_is_no_program() {
    let mut event = ran("tmp/miner", "miner", Side::Written);
    event.act = Act::Capability(vocabulary::CapabilityUse {
        capability: "CAP_SYS_ADMIN".to_owned(),
        granted: true,
    });
    assert_eq!(judged(&event), []);
}

#[test]
fn programs_of_the_image_are_no_finding() {
    for side in [Side::Image, Side::Written, Side::Mounted, Side::Unknown] {
        assert_eq!(judged(&ran("usr/bin/env", "env", side)), [], "{side:?}");
    }
}

#[test]
fn each_way_to_bring_a_program_in_has_its_reason() {
    for (path, content, side, expected) in [
        ("tmp/miner", "miner", Side::Written, Reason::Dropped),
        ("tmp/miner", "", Side::Written, Reason::Dropped),
        ("usr/bin/env", "miner", Side::Written, Reason::Changed),
        ("usr/bin/env", "miner", Side::Image, Reason::Changed),
        ("usr/bin/env", "miner", Side::Mounted, Reason::Changed),
        ("data/miner", "miner", Side::Mounted, Reason::Mounted),
        ("memfd:x", "", Side::Memory, Reason::Memory),
        ("memfd:x", "env", Side::Memory, Reason::Memory),
        ("tmp/x", "dash", Side::Written, Reason::Copied),
        ("usr/bin/env", "", Side::Image, Reason::NoDigest),
        ("usr/bin/unhashed", "any", Side::Image, Reason::NotOnRecord),
    ] {
        assert_eq!(reason(&ran(path, content, side)), Some(expected), "{path} {content} {side:?}");
    }
}

#[test]
fn a_script_is_judged_by_its_own_file() {
    let mut script = ran("tmp/run.sh", "#!", Side::Written);
    script.process.path = Some("usr/bin/dash".to_owned());
    assert_eq!(reason(&script), Some(Reason::Script));
    let script = on_socket(script, "inet");
    assert_eq!(judged(&script).len(), 1, "its shell is judged by the interpreter's own event");
}

#[test]
fn the_finding_shows_what_a_sceptic_needs() {
    let findings = judged(&ran("usr/bin/env", "miner", Side::Written));
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(finding.rule, "program-not-in-image");
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.title, "`usr/bin/env` ran and is not in the image: changed file");
    let [Evidence::Event(evidence)] = finding.evidence.as_slice() else { panic!() };
    assert_eq!(evidence.reason, "changed file");
    assert_eq!(evidence.expected, Some(Digest::of(b"env")));
    let Act::Execution(execution) = &evidence.event.act else { panic!() };
    assert_eq!(execution.digest, Some(Digest::of(b"miner")));
    assert_eq!(evidence.seal, Some(Digest::of(b"seal")));
    assert_eq!(finding.location.path(), Some("usr/bin/env"));
}

#[test]
fn fingerprints_do_not_depend_on_process_or_container() {
    let finding = |pid, id: &str| {
        let mut execution = ran("tmp/miner", "miner", Side::Written);
        execution.process.pid = pid;
        let container = Container { id: id.to_owned(), ..container() };
        let (programs, seal) = (programs(), Digest::of(b"seal"));
        let baseline = Baseline::Sealed { programs: &programs, seal: &seal };
        observe(&container, &execution, baseline, BEGUN).remove(0).finding.fingerprint
    };
    assert_eq!(finding(1, "aa"), finding(2, "bb"));
}

#[test]
fn a_copy_of_a_program_names_its_original() {
    let findings = judged(&ran("tmp/x", "dash", Side::Written));
    let [Evidence::Event(evidence)] = findings[0].evidence.as_slice() else { panic!() };
    assert!(evidence.reason.ends_with("`usr/bin/dash`"), "{}", evidence.reason);
    assert_eq!(findings[0].severity, Severity::High);
}

#[test]
fn a_shell_on_a_socket_is_a_reverse_shell() {
    for (path, content, name) in [
        ("usr/bin/dash", "dash", "sh"),
        ("usr/bin/busybox", "busybox", "sh"),
        ("usr/bin/busybox", "busybox", "busybox"),
    ] {
        let mut shell = on_socket(ran(path, content, Side::Image), "inet");
        shell.process.name = name.to_owned();
        let findings = judged(&shell);
        assert_eq!(findings.len(), 1, "{path} {name}");
        assert_eq!(findings[0].rule, "reverse-shell");
        assert_eq!(findings[0].severity, Severity::Critical);
        assert!(findings[0].title.contains("192.0.2.7:4444"), "{}", findings[0].title);
    }
}

#[test]
fn a_shell_under_another_name_is_still_a_shell() {
    let findings = judged(&on_socket(ran("tmp/x", "dash", Side::Written), "inet"));
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["program-not-in-image", "reverse-shell"]);
}

#[test]
fn a_unix_socket_is_less_and_says_so() {
    let findings = judged(&on_socket(ran("usr/bin/dash", "dash", Side::Image), "unix"));
    assert_eq!(findings[0].severity, Severity::Medium);
    assert!(findings[0].title.contains("unix socket"), "{}", findings[0].title);
}

#[test]
fn other_programs_may_read_from_sockets() {
    assert_eq!(judged(&on_socket(ran("usr/bin/env", "env", Side::Image), "inet")), []);
    let mut applet = on_socket(ran("usr/bin/busybox", "busybox", Side::Image), "inet");
    applet.process.name = "httpd".to_owned();
    assert_eq!(judged(&applet), []);
}

#[test]
fn without_a_seal_only_what_no_image_holds_is_reported() {
    let judged = |event: &Event| observe(&container(), event, Baseline::NotSealed, BEGUN).len();
    assert_eq!(judged(&ran("tmp/miner", "miner", Side::Written)), 0);
    assert_eq!(judged(&ran("memfd:x", "", Side::Memory)), 1);
    assert_eq!(judged(&on_socket(ran("bin/sh", "", Side::Image), "inet6")), 1);
}

#[test]
fn repeats_are_counted_not_repeated() {
    let mut repeats = Repeats::default();
    let miner = judged(&ran("tmp/miner", "miner", Side::Written)).remove(0);
    let other = judged(&ran("tmp/miner", "another", Side::Written)).remove(0);
    assert!(repeats.is_first(&container(), &miner));
    assert!(!repeats.is_first(&container(), &miner));
    assert!(!repeats.is_first(&container(), &miner));
    assert!(repeats.is_first(&container(), &other), "other content, other finding");
    assert_eq!((repeats.count(&container(), &miner), repeats.total()), (3, 2));
    let elsewhere = Container { id: "cd".repeat(32), ..container() };
    assert!(repeats.is_first(&elsewhere, &miner));
    repeats.forget(&container().id);
    assert!(repeats.is_first(&container(), &miner));
    assert!(!repeats.is_first(&elsewhere, &miner));
}

#[test]
fn the_table_of_repeats_is_bounded() {
    let mut repeats = Repeats::default();
    for number in 0..crate::MAX_REPEATS * 2 {
        let path = format!("tmp/{number}");
        let finding = judged(&ran(&path, &path, Side::Written)).remove(0);
        assert!(repeats.is_first(&container(), &finding));
        assert!(!repeats.is_first(&container(), &finding), "the newest is remembered");
    }
}

fn sides() -> impl Strategy<Value = Side> {
    prop_oneof![
        Just(Side::Image),
        Just(Side::Written),
        Just(Side::Memory),
        Just(Side::Mounted),
        Just(Side::Unknown)
    ]
}

#[test]
fn a_harmless_shell_does_not_hide_a_harmful_one() {
    let mut repeats = Repeats::default();
    let mut is_first = |family: &str| {
        let findings = judged(&on_socket(ran("usr/bin/dash", "dash", Side::Image), family));
        repeats.is_first(&container(), &findings[0])
    };
    assert!(is_first("unix") && !is_first("unix"));
    assert!(is_first("inet") && !is_first("inet"));
}

proptest! {
    /// Only the sealed content at its sealed path passes, whatever else is true of it.
    #[test]
    fn nothing_but_sealed_content_at_its_path_passes(
        path in prop_oneof![Just("usr/bin/env".to_owned()), "[a-z/]{0,12}"],
        content in prop_oneof![Just("env".to_owned()), "[a-z]{0,4}"],
        side in sides(),
    ) {
        let execution = ran(&path, &content, side);
        let passes = side != Side::Memory
            && matches!((path.as_str(), content.as_str()),
                ("usr/bin/env", "env") | ("usr/bin/dash", "dash") | ("usr/bin/busybox", "busybox"));
        prop_assert_eq!(judged(&execution).is_empty(), passes);
    }

    /// Names come from inside of containers: any text gives a finding, none a panic.
    #[test]
    fn any_text_can_be_judged(path in ".*", name in ".*", family in ".*", side in sides()) {
        let mut execution = on_socket(ran("x", "", side), &family);
        execution_of(&mut execution).path = path.clone();
        execution.process = Process { name, path: Some(path), ..execution.process };
        prop_assert!(!judged(&execution).is_empty());
    }
}
