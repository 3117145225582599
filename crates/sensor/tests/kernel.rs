//! What the kernel programs report and stop, in containers that the tests make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail, and say what it measured"
)]

mod common;

use common::{Container, Ground, ground, identity, write_program};
use sensor::{Enforcement, Exec, KernelEvent, Sensor, SensorOptions};
use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};
use testkit::skip;
use vocabulary::{Side, StandardInput};

/// How long an event may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A sensor, or none, having said why.
fn start() -> Option<Sensor> {
    match Sensor::start(SensorOptions::default()) {
        Ok(sensor) => Some(sensor),
        Err(error) => skip(&error.to_string()),
    }
}

/// The first execution in a cgroup that fits.
fn find(sensor: &mut Sensor, cgroup: u64, wanted: &dyn Fn(&Exec) -> bool) -> Exec {
    let end = Instant::now() + PATIENCE;
    let mut found = None;
    while found.is_none() && Instant::now() < end {
        let each = &mut |event| {
            if let KernelEvent::Exec(exec) = event
                && exec.cgroup == cgroup
                && found.is_none()
                && wanted(&exec)
            {
                found = Some(*exec);
            }
        };
        sensor.poll(Duration::from_millis(100), each).unwrap();
    }
    found.expect("no such execution was reported")
}

fn of(pid: u32) -> impl Fn(&Exec) -> bool {
    move |exec| exec.process.pid == pid
}

#[test]
fn an_execution_is_reported_with_its_file_user_and_ancestors() {
    let Some(Ground { cgroup, helper, folder: _folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let before = sensor::boot_ns();
    let mut child = cgroup.command(&helper).arg("nothing").stdin(Stdio::null()).spawn().unwrap();
    child.wait().unwrap();
    let exec = find(&mut sensor, cgroup.id(), &of(child.id()));
    let path = fs::canonicalize(&helper).unwrap();
    assert_eq!(format!("/{}", exec.file.path), path.to_str().unwrap());
    assert_eq!(exec.file.identity, identity(&helper));
    assert!(matches!(exec.file.side, Side::Unknown | Side::Mounted), "{:?}", exec.file.side);
    assert!(!exec.file.truncated && !exec.file.unlinked && !exec.stopped);
    assert_eq!((exec.uid, exec.gid, exec.script.as_ref()), (0, 0, None));
    assert_eq!(exec.process.name, "helper");
    assert_eq!(exec.process.path.as_ref(), Some(&exec.file.path));
    assert!(exec.at_ns > before && exec.at_ns < sensor::boot_ns());
    assert!(exec.process.started_ns > before && exec.process.started_ns < exec.at_ns);
    assert_eq!(exec.ancestors[0].pid, std::process::id());
    // Up to the first process of all, unless there are more than a record has room for.
    let oldest = exec.ancestors.last().map(|process| process.pid);
    assert!(oldest == Some(1) || exec.ancestors.len() == 8, "{:?}", exec.ancestors);
    assert_eq!(Some(exec.mount_namespace), sensor::mount_namespace(std::process::id()));
    assert_eq!(exec.input, StandardInput::Other);
}

#[test]
fn the_side_of_the_overlay_is_told() {
    let Some(ground) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let program = fs::read(&ground.helper).unwrap();
    let files = [("bin/image", program.as_slice()), ("bin/changed", &program)];
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &files) else { return };
    let cgroup = ground.cgroup.id();

    let (pid, outcome) = container.run("/bin/image");
    assert_eq!(outcome, "exit 0");
    let exec = find(&mut sensor, cgroup, &of(pid));
    assert_eq!((exec.file.path.as_str(), exec.file.side), ("bin/image", Side::Image));
    assert_eq!(exec.file.identity, container.identity("bin/image"));
    assert_eq!(exec.root_device, exec.file.identity.device);
    assert_eq!(Some(exec.mount_namespace), sensor::mount_namespace(container.pid));
    assert_eq!(exec.ancestors[0].pid, container.pid);

    write_program(&container.root().join("dropped"), &program);
    let (pid, _) = container.run("/dropped");
    let exec = find(&mut sensor, cgroup, &of(pid));
    assert_eq!((exec.file.path.as_str(), exec.file.side), ("dropped", Side::Written));
    assert_eq!(exec.file.identity, container.identity("dropped"));

    assert_eq!(container.run("/helper append /bin/changed").1, "exit 0");
    let (pid, _) = container.run("/bin/changed");
    let exec = find(&mut sensor, cgroup, &of(pid));
    assert_eq!((exec.file.path.as_str(), exec.file.side), ("bin/changed", Side::Written));

    // The host's root is a mount of the container's, as a volume would be.
    let mounted = format!("old{}", fs::canonicalize(&ground.helper).unwrap().display());
    let (pid, _) = container.run(&format!("/{mounted}"));
    let exec = find(&mut sensor, cgroup, &of(pid));
    assert_eq!((exec.file.path, exec.file.side), (mounted, Side::Mounted));

    let (pid, outcome) = container.run("/old/proc/self/exe");
    assert_eq!(outcome, "exit 0");
    let exec = find(&mut sensor, cgroup, &of(pid));
    assert_eq!((exec.file.path.as_str(), exec.file.side), ("helper", Side::Image));
}

#[test]
fn a_path_that_is_too_deep_is_cut_and_says_so() {
    let Some(Ground { cgroup, helper, folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let mut deep = folder.path().to_owned();
    for level in 0..80 {
        deep.push(format!("level-{level}"));
    }
    fs::create_dir_all(&deep).unwrap();
    let program = deep.join("program");
    fs::copy(&helper, &program).unwrap();
    let mut child = cgroup.command(&program).spawn().unwrap();
    child.wait().unwrap();
    let exec = find(&mut sensor, cgroup.id(), &of(child.id()));
    assert!(exec.file.truncated);
    assert!(exec.file.path.ends_with("/level-78/level-79/program"), "{}", exec.file.path);
    assert!(exec.file.path.starts_with("level-"), "{}", exec.file.path);
    assert_eq!(exec.file.identity, identity(&program));
}

#[test]
fn a_deleted_program_is_told() {
    let Some(ground) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &[]) else { return };
    let program = container.root().join("dropped");
    write_program(&program, &fs::read(&ground.helper).unwrap());
    container.send("/dropped vanish /dropped");
    assert_eq!(container.answer().1, "exit 0");
    let exec = find(&mut sensor, ground.cgroup.id(), &|exec| exec.file.unlinked);
    assert_eq!((exec.file.path.as_str(), exec.file.side), ("dropped", Side::Written));
}

#[test]
fn a_program_in_memory_is_told() {
    let Some(Ground { cgroup, helper, folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let marker = folder.path().join("marker");
    let status = cgroup.command(&helper).arg("memory").arg(&marker).status().unwrap();
    assert!(status.success() && marker.exists());
    let exec = find(&mut sensor, cgroup.id(), &|exec| exec.file.side == Side::Memory);
    assert_eq!(exec.file.path, "memfd:dropped");
    assert!(exec.file.identity.inode != 0);
}

#[test]
fn a_script_is_reported_with_its_own_file() {
    let Some(ground) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let Some(mut container) =
        Container::start(&ground, &ground.cgroup, &[("bin/image-script", b"#!/helper nothing\n")])
    else {
        return;
    };
    write_program(&container.root().join("dropped-script"), b"#!/bin/image-script\n");
    for (path, side) in [("bin/image-script", Side::Image), ("dropped-script", Side::Written)] {
        let (pid, outcome) = container.run(&format!("/{path}"));
        assert_eq!(outcome, "exit 0");
        let exec = find(&mut sensor, ground.cgroup.id(), &of(pid));
        assert_eq!((exec.file.path.as_str(), exec.file.side), ("helper", Side::Image));
        let script = exec.script.unwrap();
        assert_eq!(script.name, format!("/{path}"));
        // Also where the interpreter is a script itself: the first one counts.
        let file = script.file.expect("the script's file");
        assert_eq!((file.path.as_str(), file.side), (path, side));
        assert_eq!(file.identity, container.identity(path));
    }
}

#[test]
fn a_program_that_talks_to_a_socket_is_reported_with_its_peer() {
    let Some(Ground { cgroup, helper, folder: _folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let mut command = cgroup.command(&helper);
    let mut child = command.args(["talk", &peer.port().to_string()]).arg(&helper).spawn().unwrap();
    assert!(child.wait().unwrap().success());
    let socket = |exec: &Exec| exec.input != StandardInput::Other;
    let exec = find(&mut sensor, cgroup.id(), &socket);
    let expected = StandardInput::Socket { family: "inet".into(), peer: Some(peer.to_string()) };
    assert_eq!(exec.input, expected);
    assert_eq!(exec.process.pid, child.id());
}

/// How many forks, executions of the helper and exits of a cgroup there are, once they settle.
fn settle(sensor: &mut Sensor, cgroup: u64) -> [u64; 3] {
    let mut counts = [0; 3];
    let mut quiet = Instant::now();
    while quiet.elapsed() < Duration::from_millis(300) {
        let mut seen = false;
        let each = &mut |event| {
            let (index, own) = match event {
                KernelEvent::Fork(fork) => (0, fork.cgroup == cgroup),
                KernelEvent::Exec(exec) => (1, exec.cgroup == cgroup),
                KernelEvent::Exit(exit) => (2, exit.cgroup == cgroup),
            };
            if own {
                counts[index] += 1;
                seen = true;
            }
        };
        sensor.poll(Duration::from_millis(50), each).unwrap();
        if seen {
            quiet = Instant::now();
        }
    }
    counts
}

const ROUNDS: u64 = 10_000;

#[test]
fn a_storm_is_reported_whole() {
    let Some(Ground { cgroup, helper, folder: _folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    sensor.measure().unwrap();
    let mut command = cgroup.command(&helper);
    let began = Instant::now();
    let mut child = command.args(["storm", &ROUNDS.to_string()]).spawn().unwrap();
    let counts = settle(&mut sensor, cgroup.id());
    assert!(child.wait().unwrap().success());
    let lost = sensor.lost().unwrap();
    eprintln!("{counts:?}, {lost} lost, within {:?}", began.elapsed());
    let mut together = 0;
    for program in sensor.stats().unwrap() {
        assert!(program.run_count >= ROUNDS, "{program:?}");
        let each = program.run_time_ns / program.run_count;
        eprintln!("{}: {} runs, {each} ns each", program.name, program.run_count);
        together += each;
    }
    eprintln!("fork, execution and exit together: {together} ns");
    // The storm's own process came by execution and ended; the shell that became it forked elsewhere.
    let expected = [ROUNDS, ROUNDS + 1, ROUNDS + 1];
    let missing: u64 = expected.iter().zip(counts).map(|(wanted, got)| wanted - got).sum();
    if lost == 0 {
        assert_eq!(counts, expected);
    } else {
        assert!(missing <= lost, "{missing} are missing, {lost} were counted as lost");
    }
}

#[test]
fn what_does_not_fit_is_counted() {
    let Some(Ground { cgroup, helper, folder: _folder }) = ground() else { return };
    if start().is_none() {
        return;
    }
    let options = SensorOptions { ring_bytes: 1, ..SensorOptions::default() };
    let mut sensor = Sensor::start(options).unwrap();
    // Nobody reads while it rages.
    assert!(cgroup.command(&helper).args(["storm", "1000"]).status().unwrap().success());
    let lost = sensor.lost().unwrap();
    let counts = settle(&mut sensor, cgroup.id());
    let missing = 3002 - counts.iter().sum::<u64>();
    assert!(missing > 0, "{counts:?}");
    assert!(missing <= lost, "{missing} are missing, {lost} were counted as lost");
}

#[test]
fn an_ignored_cgroup_is_silent_until_it_is_released() {
    let Some(Ground { cgroup, helper, folder: _folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    sensor.ignore_cgroup(cgroup.id()).unwrap();
    assert!(cgroup.command(&helper).args(["storm", "3"]).status().unwrap().success());
    assert_eq!(settle(&mut sensor, cgroup.id()), [0; 3]);
    sensor.release_cgroup(cgroup.id()).unwrap();
    sensor.release_cgroup(cgroup.id()).unwrap();
    assert!(cgroup.command(&helper).args(["storm", "3"]).status().unwrap().success());
    assert_eq!(settle(&mut sensor, cgroup.id()), [3, 4, 4]);
}

#[test]
fn cgroups_that_cannot_be_ignored_are_named() {
    let Some(mut sensor) = common::is_root().then(start).flatten() else {
        return skip("not root, or no sensor");
    };
    // Ids that share their lowest bits share a bucket, which has room for four.
    let ids = [5, 1029, 2053, 3077, 4101];
    for id in &ids[..4] {
        sensor.ignore_cgroup(*id).unwrap();
        sensor.ignore_cgroup(*id).unwrap();
    }
    assert!(sensor.ignore_cgroup(ids[4]).unwrap_err().to_string().contains("too many cgroups"));
    sensor.release_cgroup(ids[1]).unwrap();
    sensor.ignore_cgroup(ids[4]).unwrap();
}

#[test]
fn a_program_in_memory_is_killed_before_its_first_instruction() {
    let Some(ground) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    // The enforced cgroup is an ancestor of the container's.
    let below = ground.cgroup.below();
    let Some(mut container) = Container::start(&ground, &below, &[]) else { return };
    let memory = Enforcement { memory: true, written: false };

    assert_eq!(container.run("/helper memory /unguarded").1, "exit 0");
    assert!(container.upper.join("unguarded").exists());
    sensor.enforce_cgroup(ground.cgroup.id(), memory).unwrap();
    let (pid, outcome) = container.run("/helper memory /marker");
    assert_eq!(outcome, "signal 9");
    assert!(!container.upper.join("marker").exists());
    let exec = find(&mut sensor, below.id(), &|exec| {
        exec.process.pid == pid && exec.file.side == Side::Memory
    });
    assert!(exec.stopped);
    // Only what was asked for.
    assert_eq!(container.run("/helper nothing").1, "exit 0");
    write_program(&container.root().join("dropped"), &fs::read(&ground.helper).unwrap());
    assert_eq!(container.run("/dropped").1, "exit 0");
    sensor.release_cgroup(ground.cgroup.id()).unwrap();
    assert_eq!(container.run("/helper memory /released").1, "exit 0");
    assert!(container.upper.join("released").exists());
}

#[test]
fn a_written_program_or_script_is_killed_before_its_first_instruction() {
    let Some(ground) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &[]) else { return };
    let written = Enforcement { memory: false, written: true };
    sensor.enforce_cgroup(ground.cgroup.id(), written).unwrap();
    let root = container.root();
    write_program(&root.join("dropped"), &fs::read(&ground.helper).unwrap());
    write_program(&root.join("script"), b"#!/helper nothing\n");
    for line in ["/dropped mark /marker", "/script"] {
        let (pid, outcome) = container.run(line);
        assert_eq!(outcome, "signal 9", "{line}");
        assert!(find(&mut sensor, ground.cgroup.id(), &of(pid)).stopped);
    }
    assert!(!container.upper.join("marker").exists());
    assert_eq!(container.run("/helper nothing").1, "exit 0");
}

#[test]
fn what_sees_the_mounts_of_the_host_or_of_an_engine_is_left_alone() {
    let Some(Ground { cgroup, helper, folder }) = ground() else { return };
    let Some(mut sensor) = start() else { return };
    let all = Enforcement { memory: true, written: true };
    sensor.enforce_cgroup(cgroup.id(), all).unwrap();
    let marker = folder.path().join("marker");
    let status = cgroup.command(&helper).arg("memory").arg(&marker).status().unwrap();
    assert!(status.success() && marker.exists());
    assert!(!find(&mut sensor, cgroup.id(), &|exec| exec.file.side == Side::Memory).stopped);

    let ground = Ground { cgroup, helper, folder };
    let Some(mut container) = Container::start(&ground, &ground.cgroup, &[]) else { return };
    assert_eq!(container.run("/helper memory /marker").1, "signal 9");
    sensor.trust_mounts(sensor::mount_namespace(container.pid).unwrap()).unwrap();
    assert_eq!(container.run("/helper memory /marker").1, "exit 0");
    sensor.distrust_mounts(sensor::mount_namespace(container.pid).unwrap()).unwrap();
    sensor.distrust_mounts(u32::MAX).unwrap();
    assert_eq!(container.run("/helper memory /marker").1, "signal 9");
}

#[test]
fn in_a_child_pid_namespace_nothing_is_claimed_to_work() {
    // So it is in the copy that runs below, and where the tests themselves run in such a namespace.
    if sensor::process_ids().is_err() {
        let error = Sensor::start(SensorOptions::default()).unwrap_err().to_string();
        assert!(error.contains("process ids that are not those seen from here"), "{error}");
        let found = sensor::probe();
        let ids = found.iter().find(|capability| capability.name == "process ids").unwrap();
        assert!(!ids.works && ids.detail.contains("--pid=host"), "{ids:?}");
        let never = found.iter().filter(|one| one.detail.contains("never called"));
        assert_eq!(never.count(), 0, "{found:?}");
        return;
    }
    if !common::is_root() {
        return skip("not root");
    }
    // Not onto our own output, which is counted.
    let output = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_child_pid_namespace_nothing_is_claimed_to_work", "--nocapture"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_sensor_moves_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Sensor>();
}

#[test]
fn the_probe_claims_what_the_sensor_can_do() {
    if common::is_root().then(start).flatten().is_none() {
        return skip("not root, or no sensor");
    }
    let found = sensor::probe();
    for name in ["BTF", "tp_btf exec", "tp_btf fork", "tp_btf exit", "ring buffer"] {
        let capability = found.iter().find(|capability| capability.name == name).unwrap();
        assert!(capability.works, "{capability:?}");
    }
    assert_eq!(found.len(), 14);
    for capability in found {
        assert!(!capability.detail.is_empty(), "{capability:?}");
    }
}
