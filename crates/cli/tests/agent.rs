//! `lazaret agent` from the outside: real containers of a real engine, and what the agent says of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail, and says how long things took"
)]

mod common;

use common::{Bench, code, stderr, stdout};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use testkit::{
    ContainerdDaemon, DockerDaemon, ImageBuilder, Layer, skip, small_root_image, tiny_program,
};

const IMAGE: &str = "guarded:1";

/// How long is waited for what must come. The agent says how long it really took, and
/// [`LATENCY_US`] holds that to its promise.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long is waited for what must not come.
const QUIET: Duration = Duration::from_millis(700);

/// From execution to alert: 100 ms is the promise, and a machine that builds and tests at the same
/// time may take longer.
const LATENCY_US: u64 = 2_000_000;

/// Writes a marker and waits a moment: whether it ran is seen from outside.
const MARKER: &str = r#"
#include <fcntl.h>
#include <unistd.h>
int main(int count, char **words) {
    if (count > 1) close(open(words[1], O_WRONLY | O_CREAT, 0644));
    usleep(300000);
    return 0;
}
"#;

/// Connects to a port of this machine and becomes a shell on that connection.
const CONNECT: &str = r#"
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sockaddr_in other = { .sin_family = AF_INET, .sin_port = htons(atoi(words[1])) };
    other.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int line = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(line, (struct sockaddr *)&other, sizeof other)) return 1;
    for (int at = 0; at < 3; at++) dup2(line, at);
    char *shell[] = { "sh", 0 };
    execve("/bin/sh", shell, 0);
    return 2;
}
"#;

/// Leaves a process behind that writes a marker after a while.
const DAEMON: &str = r#"
#include <fcntl.h>
#include <unistd.h>
int main(int count, char **words) {
    if (fork()) return 0;
    usleep(700000);
    return open(words[1], O_WRONLY | O_CREAT, 0644) < 0;
}
"#;

/// Reads one file, in order to have used it.
const READER: &str = r#"
#include <fcntl.h>
#include <unistd.h>
int main(int count, char **words) {
    char byte;
    return read(open(words[1], O_RDONLY), &byte, 1) == 1 ? 0 : 1;
}
"#;

/// An engine with a sealed image, and a place for what the agent writes.
struct Setup {
    docker: DockerDaemon,
    bench: Bench,
    image: ImageBuilder,
}

/// Settings of one run.
type Environment<'names> = [(&'names str, OsString)];

impl Setup {
    fn new() -> Option<Self> {
        let docker = DockerDaemon::start()?;
        let image = small_root_image(IMAGE)?.layer(
            Layer::new()
                .program("bin/marker", tiny_program(MARKER)?)
                .program("bin/connect", tiny_program(CONNECT)?)
                .program("bin/reader", tiny_program(READER)?)
                .program("bin/daemon", tiny_program(DAEMON)?)
                .program("bin/script", "#!/bin/sh\necho from the image\n")
                .file("app/used.txt", "used")
                .file("app/untouched.txt", "untouched"),
        );
        let setup = Self { docker, bench: Bench::new(), image };
        let status = setup.lazaret(&["agent", "--status"]).output().unwrap();
        if code(&status) != 0 {
            return skip(&format!("the agent cannot run here: {}", stdout(&status)));
        }
        setup.docker.load_bytes(&setup.image.docker_archive());
        Some(setup)
    }

    fn sealed() -> Option<Self> {
        let setup = Self::new()?;
        setup.seal();
        Some(setup)
    }

    fn lazaret(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.bench.command(arguments);
        // Signatures and alerts carry the time of day.
        command.env_remove("SOURCE_DATE_EPOCH");
        command.env("DOCKER_HOST", self.docker.host());
        command.env("CONTAINERD_ADDRESS", self.bench.path().join("no-containerd.sock"));
        command.env("LAZARET_STATE", self.bench.path().join("state"));
        command
    }

    fn seal(&self) {
        self.seal_as(&format!("docker:{IMAGE}"), &[]);
    }

    fn seal_as(&self, reference: &str, environment: &Environment<'_>) {
        for arguments in [vec!["key", "new", "key"], vec!["seal", reference, "--key", "key"]] {
            let mut command = self.lazaret(&arguments);
            let done = command.envs(environment.iter().cloned()).output().unwrap();
            assert_eq!(code(&done), 0, "{}", stderr(&done));
        }
    }

    fn run(&self, name: &str) -> String {
        self.docker.run(IMAGE, name, &[])
    }

    /// Runs a line of the image's shell in a container; what it prints, or why it failed.
    fn shell(&self, container: &str, line: &str) -> Result<String, String> {
        self.docker.attempt(&["exec", container, "/bin/sh", "-c", line])
    }

    fn agent(&self, mode: &str) -> Agent<'_> {
        self.agent_with(mode, &[])
    }

    fn agent_with(&self, mode: &str, environment: &Environment<'_>) -> Agent<'_> {
        let errors = self.bench.path().join(format!("errors{mode}"));
        let alerts = self.bench.path().join(format!("alerts{mode}.jsonl"));
        let child = self
            .lazaret(&["agent", mode, "--output"])
            .arg(&alerts)
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let mut agent = Agent { child, alerts, errors, setup: self };
        let ready = agent.wait(|agent| agent.errors().contains(" running, ").then_some(()));
        assert!(ready.is_some(), "the agent does not begin: {}", agent.errors());
        agent
    }

    fn usage(&self, container: &str) -> Option<Value> {
        let file = self.bench.path().join(format!("state/usage/{container}.json"));
        serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
    }
}

/// A running agent, ended when it is dropped.
struct Agent<'setup> {
    child: Child,
    alerts: PathBuf,
    errors: PathBuf,
    setup: &'setup Setup,
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent<'_> {
    fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    fn alerts(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.alerts).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn wait<T>(&mut self, mut check: impl FnMut(&Self) -> Option<T>) -> Option<T> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(found) = check(self) {
                return Some(found);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the agent ended with {status}: {}", self.errors());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// The alert about this program, which must be one only, and in time.
    fn named(&mut self, rule: &str, path: &str) -> Value {
        let is_it = |alert: &Value| {
            alert["finding"]["rule"] == rule && alert["finding"]["location"]["path"] == path
        };
        let Some(alert) = self.wait(|agent| agent.alerts().into_iter().find(is_it)) else {
            panic!("`{path}` was not named: {:#?} {}", self.alerts(), self.errors());
        };
        let latency = alert["latency_us"].as_u64().unwrap();
        eprintln!("{rule} {path}: {latency} µs, {}", alert["action"]);
        assert!(latency < LATENCY_US, "{latency} µs");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(self.alerts().into_iter().filter(is_it).count(), 1, "one alert an incident");
        alert
    }

    /// Ends it as a service manager does; what it said.
    fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        let killed = std::process::Command::new("sh").args(["-c", &format!("kill {pid}")]).status();
        assert!(killed.unwrap().success());
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.errors());
        self.errors()
    }
}

fn reason(alert: &Value) -> &str {
    alert["finding"]["evidence"][0]["reason"].as_str().unwrap()
}

fn execution(alert: &Value) -> &Value {
    &alert["finding"]["evidence"][0]["execution"]
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
