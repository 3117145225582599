//! `lazaret agent` from the outside: real containers of a real engine, and what the agent says of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail, and says how long things took"
)]

mod common;
#[path = "common/watching.rs"]
mod watching;

use common::{code, stderr};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;
use testkit::{ContainerdDaemon, skip, tiny_program};
use watching::{Agent, IMAGE, MARKER, QUIET, Setup};

fn reason(alert: &Value) -> &str {
    alert["finding"]["evidence"][0]["reason"].as_str().unwrap()
}

fn execution(alert: &Value) -> &Value {
    &alert["finding"]["evidence"][0]["event"]
}

#[test]
fn programs_of_the_sealed_image_give_no_alert() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("before");
    let agent = setup.agent("--observe");
    setup.run("after");
    for container in ["before", "after"] {
        for line in ["/bin/marker", "/bin/script", "/bin/sh -c echo", "/bin/reader /app/used.txt"] {
            setup.shell(container, line).unwrap();
        }
        // Written anew with the sealed content at its sealed path: still the image's program.
        setup.shell(container, "copy /bin/marker /tmp/m; rename /tmp/m /bin/marker").unwrap();
        setup.shell(container, "/bin/marker").unwrap();
    }
    std::thread::sleep(QUIET);
    assert_eq!(agent.alerts(), Vec::<Value>::new());
    let said = agent.end();
    assert!(said.contains("2 containers watched, 2 of sealed images"), "{said}");
    assert!(said.contains(" 0 alerts") && said.contains(" 0 events lost"), "{said}");
}

#[test]
fn a_program_that_the_image_does_not_hold_is_named_at_its_first_execution() {
    let Some(setup) = Setup::sealed() else { return };
    let id = setup.run("shop");
    let mut agent = setup.agent("--observe");
    let rule = "program-not-in-image";

    // Brought in from outside, and named with all that tells what happened.
    let dropped = tiny_program(&MARKER.replace("300000", "200000")).unwrap();
    let dropped = setup.bench.write("miner", dropped);
    std::fs::set_permissions(&dropped, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let _ = setup.docker.docker(&["cp", &dropped.display().to_string(), "shop:/tmp/miner"]);
    setup.shell("shop", "/tmp/miner").unwrap();
    let alert = agent.named(rule, "tmp/miner");
    assert_eq!(reason(&alert), "dropped file");
    assert_eq!(alert["container"]["id"], id.as_str());
    assert_eq!(alert["container"]["image"], IMAGE);
    assert_eq!(alert["action"]["outcome"], "observed");
    let content = std::fs::read(&dropped).unwrap();
    assert_eq!(execution(&alert)["digest"], vocabulary::Digest::of(&content).to_string());
    assert_eq!(execution(&alert)["side"], "written");
    assert_eq!(execution(&alert)["uid"], 0);
    assert_eq!(execution(&alert)["process"]["name"], "miner");
    assert_eq!(execution(&alert)["ancestors"][0]["name"], "sh");
    assert!(alert["finding"]["evidence"][0]["seal"].as_str().unwrap().starts_with("sha256:"));

    // Again: counted, not told again.
    setup.shell("shop", "/tmp/miner").unwrap();

    // Changed in its place.
    setup.shell("shop", "append /bin/marker x; /bin/marker").unwrap();
    let alert = agent.named(rule, "bin/marker");
    assert_eq!(reason(&alert), "changed file");
    assert!(alert["finding"]["evidence"][0]["expected"].is_string());

    // A program of the image under another name.
    setup.shell("shop", "copy /bin/reader /tmp/other; /tmp/other /app/used.txt").unwrap();
    let alert = agent.named(rule, "tmp/other");
    assert!(reason(&alert).contains("`bin/reader`"), "{}", reason(&alert));

    // In memory only.
    setup.shell("shop", "memory /bin/reader /app/used.txt").unwrap();
    let alert = agent.named(rule, "memfd:memory");
    assert_eq!(reason(&alert), "in memory only");

    // A script, by its own name.
    setup
        .shell("shop", "copy /bin/script /tmp/run.sh; append /tmp/run.sh x; /tmp/run.sh")
        .unwrap_err();
    let alert = agent.named(rule, "tmp/run.sh");
    assert_eq!(reason(&alert), "script that is not in the image");
    assert_eq!(execution(&alert)["process"]["path"], "bin/sh");

    let said = agent.end();
    assert!(said.contains("5 alerts, 1 repeat;"), "{said}");
}

#[test]
fn a_program_that_is_swapped_for_the_images_after_it_ran_is_named() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--observe");
    let line = "copy /bin/reader /tmp/evil; append /tmp/evil x; copy /bin/reader /tmp/own; \
                rename /tmp/evil /bin/reader; /bin/reader /app/used.txt; rename /tmp/own /bin/reader";
    setup.shell("shop", line).unwrap();
    let alert = agent.named("program-not-in-image", "bin/reader");
    assert!(["no digest to be had", "changed file"].contains(&reason(&alert)), "{alert:#}");
    // What was put back is the image's, and passes.
    setup.shell("shop", "/bin/reader /app/used.txt").unwrap();
    std::thread::sleep(QUIET);
    assert_eq!(agent.alerts().len(), 1);
    agent.end();
}

#[test]
fn a_shell_that_is_led_by_a_connection_is_named() {
    let Some(setup) = Setup::sealed() else { return };
    let arguments = ["run", "--detach", "--network", "host", "--name", "shop", IMAGE];
    let _ = setup.docker.docker(&arguments);
    let mut agent = setup.agent("--observe");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _ = setup.docker.docker(&["exec", "--detach", "shop", "/bin/connect", &port.to_string()]);
    let (mut line, _) = listener.accept().unwrap();
    let alert = agent.named("reverse-shell", "bin/sh");
    assert_eq!(alert["finding"]["severity"], "critical");
    let peer = format!("127.0.0.1:{port}");
    assert_eq!(execution(&alert)["input"]["peer"], peer.as_str());
    assert!(alert["finding"]["title"].as_str().unwrap().contains(&peer));
    // It was only observed: the other end can still type.
    line.write_all(b"echo still here\n").unwrap();
    line.shutdown(std::net::Shutdown::Write).unwrap();
    let mut heard = String::new();
    line.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "still here\n");
    agent.end();
}

#[test]
fn enforcing_stops_what_does_not_belong_and_nothing_else() {
    let Some(setup) = Setup::sealed() else { return };
    let arguments = ["run", "--detach", "--network", "host", "--name", "shop", IMAGE];
    let _ = setup.docker.docker(&arguments);
    let mut agent = setup.agent("--enforce");
    let rule = "program-not-in-image";

    setup.shell("shop", "copy /bin/marker /tmp/miner; append /tmp/miner x").unwrap();
    let refused = setup.shell("shop", "/tmp/miner /tmp/miner-ran").unwrap_err();
    assert!(refused.contains("Operation not permitted"), "{refused}");
    let alert = agent.named(rule, "tmp/miner");
    assert_eq!(alert["action"]["outcome"], "denied");
    assert_eq!(alert["action"]["means"], "fanotify");
    assert_eq!(execution(&alert)["ancestors"][0]["name"], "sh");
    setup.shell("shop", "read /tmp/miner-ran").unwrap_err();
    // A second time it is refused too, and told no more.
    setup.shell("shop", "/tmp/miner /tmp/miner-ran").unwrap_err();
    setup.shell("shop", "read /tmp/miner-ran").unwrap_err();

    setup.shell("shop", "memory /bin/marker /tmp/memory-ran").unwrap_err();
    let alert = agent.named(rule, "memfd:memory");
    assert_eq!(alert["action"]["outcome"], "killed");
    assert_eq!(alert["action"]["means"], "kernel-signal");
    setup.shell("shop", "read /tmp/memory-ran").unwrap_err();

    let script = "copy /bin/script /tmp/run.sh; append /tmp/run.sh x; /tmp/run.sh";
    setup.shell("shop", script).unwrap_err();
    let alert = agent.named(rule, "tmp/run.sh");
    assert_eq!(alert["action"]["outcome"], "denied");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _ = setup.docker.docker(&["exec", "--detach", "shop", "/bin/connect", &port.to_string()]);
    let (mut line, _) = listener.accept().unwrap();
    let alert = agent.named("reverse-shell", "bin/sh");
    assert_eq!(alert["action"]["outcome"], "killed");
    let mut heard = Vec::new();
    let _ = line.read_to_end(&mut heard);
    assert!(heard.is_empty(), "the other end learned something");

    // The image's own programs run as before, and so they do when the agent is gone.
    setup.shell("shop", "/bin/marker /tmp/own-ran; read /tmp/own-ran; /bin/script").unwrap();
    let said = agent.end();
    assert!(said.contains("4 alerts, 1 repeat; 5 stopped"), "{said}");
    setup.shell("shop", "/tmp/miner /tmp/miner-ran; read /tmp/miner-ran").unwrap();
}

#[test]
fn what_a_stopped_program_leaves_behind_is_stopped_with_it() {
    let Some(setup) = Setup::sealed() else { return };
    let arguments =
        ["run", "--detach", "--network", "none", "--tmpfs", "/vol:exec", "--name", "shop", IMAGE];
    let _ = setup.docker.docker(&arguments);
    let mut agent = setup.agent("--enforce");
    setup.shell("shop", "/bin/daemon /vol/own-ran").unwrap();
    setup.shell("shop", "copy /bin/daemon /vol/daemon; append /vol/daemon x").unwrap();
    let _ = setup.shell("shop", "/vol/daemon /vol/dropped-ran");
    agent.named("program-not-in-image", "vol/daemon");
    std::thread::sleep(Duration::from_secs(2));
    setup.shell("shop", "read /vol/own-ran").unwrap();
    setup.shell("shop", "read /vol/dropped-ran").unwrap_err();
    agent.end();
}

#[test]
fn a_container_is_watched_from_its_first_program_though_it_starts_later() {
    let Some(setup) = Setup::sealed() else { return };
    let mut agent = setup.agent("--observe");
    let line = "copy /bin/marker /tmp/first; append /tmp/first x; /tmp/first; pause 60";
    let id = setup.docker.run(IMAGE, "late", &["/bin/sh", "-c", line]);
    let alert = agent.named("program-not-in-image", "tmp/first");
    assert_eq!(alert["container"]["id"], id.as_str());
    assert_eq!(alert["container"]["name"], "late");
    let _ = setup.docker.docker(&["rm", "--force", "late"]);
    let usage = agent.wait(|_| setup.usage(&id)).unwrap();
    assert_eq!(usage["complete"], true);
    agent.end();
}

#[test]
fn enforcing_holds_for_containers_that_start_later() {
    let Some(setup) = Setup::sealed() else { return };
    let mut agent = setup.agent("--enforce");
    // The guard is mostly there before the first program; how soon depends on the engine and the load.
    let line =
        "copy /bin/marker /tmp/first; append /tmp/first x; pause 1; /tmp/first /tmp/ran; pause 60";
    let _ = setup.docker.run(IMAGE, "late", &["/bin/sh", "-c", line]);
    let alert = agent.named("program-not-in-image", "tmp/first");
    assert_eq!(alert["action"]["outcome"], "denied");
    setup.shell("late", "read /tmp/ran").unwrap_err();
    agent.end();
}

#[test]
fn enforcing_holds_from_the_first_program_after_a_restart() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--enforce");
    setup.shell("shop", "copy /bin/marker /tmp/miner; append /tmp/miner x").unwrap();
    for _ in 0..3 {
        let _ = setup.docker.docker(&["restart", "--time", "0", "shop"]);
        setup.shell("shop", "/tmp/miner /tmp/ran").unwrap_err();
        setup.shell("shop", "read /tmp/ran").unwrap_err();
        setup.shell("shop", "/bin/marker /tmp/own-ran; read /tmp/own-ran").unwrap();
    }
    // One for each run of the container.
    assert!(agent.wait(|agent| (agent.alerts().len() == 3).then_some(())).is_some());
    assert!(agent.alerts().iter().all(|alert| alert["action"]["outcome"] == "denied"));
    agent.end();
}

#[test]
fn what_ran_in_a_container_that_has_ended_is_named() {
    let Some(setup) = Setup::sealed() else { return };
    let mut agent = setup.agent("--observe");
    let line =
        "copy /bin/sleeper /tmp/first; append /tmp/first x; memory /bin/reader /app/used.txt";
    let arguments = ["run", "--network", "none", "--init", IMAGE, "/bin/sh", "-c", line];
    setup.docker.attempt(&arguments).unwrap();
    agent.named("program-not-in-image", "memfd:memory");
    std::thread::sleep(QUIET);
    assert_eq!(
        agent.alerts().len(),
        1,
        "the engine's own init is no finding: {:#?}",
        agent.alerts()
    );
    agent.end();
}

#[test]
fn files_in_use_are_listed_and_others_are_not() {
    let Some(setup) = Setup::sealed() else { return };
    let id = setup.run("shop");
    let mut agent = setup.agent("--observe");
    setup.shell("shop", "/bin/reader /app/used.txt; write /tmp/own x; read /tmp/own").unwrap();
    let holds = |usage: &Value, path: &str| {
        usage["files"].as_array().unwrap().iter().any(|file| file == path)
    };
    let listed =
        agent.wait(|agent| agent.setup.usage(&id).filter(|usage| holds(usage, "app/used.txt")));
    let usage = listed.unwrap_or_else(|| panic!("{:#?}", setup.usage(&id)));
    // By what it had open before the agent began, and by what it ran afterwards.
    assert!(holds(&usage, "bin/sleeper") && holds(&usage, "bin/reader"), "{usage:#}");
    assert!(!holds(&usage, "app/untouched.txt") && !holds(&usage, "tmp/own"), "{usage:#}");
    assert_eq!(usage["complete"], false, "it ran before the agent did");
    assert_eq!(usage["schema"], "lazaret.usage/1");
    agent.end();
}

#[test]
fn an_image_without_a_seal_is_told_of_and_left_alone() {
    let Some(setup) = Setup::new() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--enforce");
    setup.shell("shop", "copy /bin/marker /tmp/miner; append /tmp/miner x; /tmp/miner").unwrap();
    setup.shell("shop", "memory /bin/reader /app/used.txt").unwrap();
    let alert = agent.named("program-not-in-image", "memfd:memory");
    assert_eq!(alert["action"]["outcome"], "observed");
    assert_eq!(agent.alerts().len(), 1);
    // Once it is sealed, it is guarded, without a restart.
    setup.seal();
    assert!(agent.wait(|agent| agent.errors().contains("is sealed now").then_some(())).is_some());
    setup.shell("shop", "/tmp/miner").unwrap_err();
    let alert = agent.named("program-not-in-image", "tmp/miner");
    assert_eq!(alert["action"]["outcome"], "denied");
    let said = agent.end();
    assert_eq!(said.matches("is not sealed").count(), 1, "{said}");
}

#[test]
fn containers_of_containerd_are_watched_too() {
    let Some(setup) = Setup::new() else { return };
    let Some(containerd) = ContainerdDaemon::start() else { return };
    containerd.import_bytes(&setup.image.docker_archive());
    let name = containerd.ctr(&["images", "list", "--quiet"]);
    let name = name.trim();
    let environment = [
        ("CONTAINERD_ADDRESS", containerd.address().as_os_str().to_owned()),
        ("CONTAINERD_NAMESPACE", containerd.namespace().into()),
    ];
    setup.seal_as(&format!("containerd:{name}"), &environment);
    let mut agent = setup.agent_with("--observe", &environment);
    let line = "copy /bin/marker /tmp/first; append /tmp/first x; /tmp/first; pause 60";
    containerd.run(name, "named", &["/bin/sh", "-c", line]);
    let alert = agent.named("program-not-in-image", "tmp/first");
    assert_eq!(alert["container"]["engine"], "containerd");
    assert_eq!(alert["container"]["id"], "named");
    assert_eq!(agent.alerts().len(), 1);
    agent.end();
}

#[test]
fn a_store_that_is_taken_away_lets_go_of_no_container() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--enforce");
    let seals = setup.bench.path().join("state/seals");
    std::fs::rename(&seals, seals.with_extension("away")).unwrap();
    let said = |agent: &Agent<'_>| agent.errors().contains("does not hold any more").then_some(());
    assert!(agent.wait(said).is_some(), "{}", agent.errors());
    setup.shell("shop", "memory /bin/marker /tmp/ran").unwrap_err();
    let alert = agent.named("program-not-in-image", "memfd:memory");
    assert_eq!(alert["action"]["outcome"], "killed");
    setup.shell("shop", "read /tmp/ran").unwrap_err();
    agent.end();
}

#[test]
fn a_full_disk_is_said_once_and_leaves_no_half_alert() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let full = setup.bench.path().join("full");
    std::fs::create_dir(&full).unwrap();
    let mount = |arguments: &[&str]| {
        std::process::Command::new("mount").args(arguments).arg(&full).status().unwrap().success()
    };
    if !mount(&["-t", "tmpfs", "-o", "size=4k", "tmpfs"]) {
        skip::<()>("a tmpfs cannot be mounted");
        return;
    }
    let alerts = full.join("alerts.jsonl");
    let mut child = setup
        .lazaret(&["agent", "--observe", "--seconds", "6", "--output"])
        .arg(&alerts)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    for name in ["one", "two", "three", "four", "five", "six"] {
        let line = format!("copy /bin/reader /tmp/{name}; /tmp/{name} /app/used.txt");
        setup.shell("shop", &line).unwrap();
    }
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let text = std::fs::read_to_string(&alerts).unwrap();
    let unmounted = std::process::Command::new("umount").arg(&full).status().unwrap();
    assert!(unmounted.success());
    assert_eq!(status.code(), Some(3), "{said}");
    assert_eq!(said.matches("cannot be written").count(), 1, "{said}");
    assert!(said.contains("6 alerts") && said.contains("are missing in the file"), "{said}");
    assert!(text.lines().count() < 6 && text.ends_with('\n') || text.is_empty(), "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
}

#[test]
fn status_names_what_works_and_what_runs() {
    let Some(setup) = Setup::sealed() else { return };
    let id = setup.run("shop");
    let status = setup.lazaret(&["agent", "--status", "--format", "json"]).output().unwrap();
    assert_eq!(code(&status), 0, "{}", stderr(&status));
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["schema"], "lazaret.agent-status/1");
    let works = |name: &str| {
        let capabilities = status["capabilities"].as_array().unwrap();
        capabilities.iter().any(|one| one["name"] == name && one["works"] == true)
    };
    assert!(works("tp_btf exec") && works("ring buffer"));
    assert_eq!(status["engines"][0]["answers"], true);
    assert_eq!(status["engines"][1]["answers"], false);
    assert_eq!(status["containers"][0]["container"]["id"], id.as_str());
    let seal = status["containers"][0]["seal"].as_str().unwrap();
    assert!(seal.starts_with("docker.io/library/guarded") && seal.ends_with(" #1"), "{seal}");
    // Without an engine there is nothing to watch: that must not look like peace.
    let mut alone = setup.lazaret(&["agent", "--observe", "--seconds", "1"]);
    alone.env("DOCKER_HOST", "unix:///no-such.sock").env("CONTAINERD_ADDRESS", "/no-such.sock");
    let alone = alone.output().unwrap();
    assert!(stderr(&alone).contains("no container engine listens"), "{}", stderr(&alone));
}
