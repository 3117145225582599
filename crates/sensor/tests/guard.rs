//! What fanotify asks and tells, in containers that the tests make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail, and say what it measured"
)]

mod common;

use common::{Container, ground, write_program};
use sensor::{ExecGuard, ExecRequest, OpenWatch, Verdict};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use testkit::skip;

/// A guard over a container, or none, having said why.
fn guard(container: &Container) -> Option<ExecGuard> {
    let guard =
        ExecGuard::open().and_then(|guard| guard.protect(&container.root()).map(|()| guard));
    guard.map_or_else(|error| skip(&error.to_string()), Some)
}

/// Runs a command line in the container while the guard answers; the questions, and how it ended.
fn run(
    container: &mut Container,
    guard: &ExecGuard,
    line: &str,
    judge: &(dyn Fn(&ExecRequest<'_>) -> Verdict + Sync),
) -> (Vec<String>, String) {
    std::thread::scope(|scope| {
        let runner = scope.spawn(|| container.run(line).1);
        let mut asked = Vec::new();
        let end = Instant::now() + Duration::from_secs(10);
        while !runner.is_finished() && Instant::now() < end {
            let each = &mut |request: ExecRequest<'_>| {
                asked.push(request.path.clone());
                judge(&request)
            };
            guard.serve(Duration::from_millis(20), each).unwrap();
        }
        (asked, runner.join().unwrap())
    })
}

#[test]
fn a_program_is_denied_and_another_is_not() {
    let Some(ground) = ground() else { return };
    let program = fs::read(&ground.helper).unwrap();
    let files = [("bin/good", program.as_slice()), ("bin/evil", &program)];
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &files) else { return };
    let Some(guard) = guard(&container) else { return };
    let evil = container.identity("bin/evil");
    let judge = |request: &ExecRequest<'_>| {
        let mut start = [0; 4];
        let mut file = request.file;
        file.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"\x7fELF");
        assert!(request.pid > 1);
        if request.identity == evil { Verdict::Deny } else { Verdict::Allow }
    };
    let denied = format!("errno {}", libc::EPERM);
    let (asked, outcome) = run(&mut container, &guard, "/bin/evil mark /marker", &judge);
    assert_eq!((asked, outcome), (vec!["bin/evil".to_owned()], denied.clone()));
    assert!(!container.upper.join("marker").exists());
    let (asked, outcome) = run(&mut container, &guard, "/bin/good", &judge);
    assert_eq!((asked, outcome), (vec!["bin/good".to_owned()], "exit 0".to_owned()));

    write_program(&container.root().join("script"), b"#!/bin/evil\n");
    let all = |request: &ExecRequest<'_>| {
        if request.identity == evil { Verdict::Deny } else { Verdict::Allow }
    };
    let (asked, outcome) = run(&mut container, &guard, "/script", &all);
    assert_eq!((asked, outcome), (vec!["script".to_owned(), "bin/evil".to_owned()], denied));

    guard.release(&container.root()).unwrap();
    let (asked, outcome) = run(&mut container, &guard, "/bin/evil", &judge);
    assert_eq!((asked, outcome), (vec![], "exit 0".to_owned()));
}

#[test]
fn what_is_remembered_is_asked_again_once_written_to() {
    let Some(ground) = ground() else { return };
    let program = fs::read(&ground.helper).unwrap();
    let files = [("bin/good", program.as_slice())];
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &files) else { return };
    let Some(guard) = guard(&container) else { return };
    let remember = |_: &ExecRequest<'_>| Verdict::AllowAndRemember;
    let mut asked = |line: &str| {
        let (asked, outcome) = run(&mut container, &guard, line, &remember);
        assert_eq!(outcome, "exit 0");
        asked
    };
    assert_eq!(asked("/bin/good"), ["bin/good"]);
    assert_eq!(asked("/bin/good"), [""; 0]);
    assert_eq!(asked("/helper append /bin/good"), ["helper"]);
    assert_eq!(asked("/bin/good"), ["bin/good"]);
    assert_eq!(asked("/bin/good"), [""; 0]);
    guard.forget().unwrap();
    assert_eq!(asked("/bin/good"), ["bin/good"]);
}

#[test]
fn a_judge_that_panics_lets_the_program_run() {
    let Some(ground) = ground() else { return };
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &[]) else { return };
    let Some(guard) = guard(&container) else { return };
    container.send("/helper nothing");
    let serve = || guard.serve(Duration::from_secs(10), &mut |_| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(serve)).is_err());
    assert_eq!(container.answer().1, "exit 0");
}

#[test]
fn a_guard_that_is_dropped_lets_the_program_run() {
    let Some(ground) = ground() else { return };
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &[]) else { return };
    let Some(guard) = guard(&container) else { return };
    container.send("/helper nothing");
    std::thread::sleep(Duration::from_millis(100));
    drop(guard);
    assert_eq!(container.answer().1, "exit 0");
}

#[test]
fn an_opened_file_is_told_once() {
    let Some(ground) = ground() else { return };
    let files = [("bin/data", b"data".as_slice()), ("bin/other", b"other")];
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &files) else { return };
    let mut watch = match OpenWatch::open() {
        Ok(watch) => watch,
        Err(error) => return skip(&error.to_string()),
    };
    watch.watch(&container.root()).unwrap();
    let mut told: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for line in [
        "/helper open /bin/data",
        "/helper open /bin/data",
        "/helper append /bin/data",
        "/helper open /bin/data",
        "/helper open /bin/other",
        "/helper open /bin/absent",
    ] {
        container.run(line);
        let each = &mut |file: sensor::OpenedFile| {
            told.entry(file.path.clone()).or_default().push(file.identity);
        };
        while watch.poll(Duration::from_millis(50), each).unwrap() > 0 {}
    }
    // What we open ourselves is nobody's use.
    fs::read(container.root().join("bin/image-only")).unwrap_err();
    fs::read(container.root().join("bin/other")).unwrap();
    assert_eq!(watch.poll(Duration::from_millis(50), &mut |file| panic!("{file:?}")).unwrap(), 0);
    let names: Vec<_> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["bin/data", "bin/other", "helper"]);
    assert_eq!(told["bin/other"], [container.identity("bin/other")]);
    assert!(told.values().all(|identities| identities.len() == 1), "{told:?}");
    assert_eq!(watch.overflows(), 0);
    watch.release(&container.root()).unwrap();
}
