//! A real engine with a sealed image, and a running agent: what tests of the agent share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test binary uses its own part, and a test may fail"
)]

use crate::common::{Bench, code, stderr, stdout};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use testkit::{DockerDaemon, ImageBuilder, Layer, skip, small_root_image, tiny_program};

pub const IMAGE: &str = "guarded:1";

/// How long is waited for what must come. The agent says how long it really took, and
/// [`LATENCY_US`] holds that to its promise.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long is waited for what must not come.
pub const QUIET: Duration = Duration::from_millis(700);

/// From execution to alert: 100 ms is the promise, and a machine that builds and tests at the same
/// time may take longer.
pub const LATENCY_US: u64 = 2_000_000;

/// Writes a marker and waits a moment: whether it ran is seen from outside.
pub const MARKER: &str = r#"
#include <fcntl.h>
#include <unistd.h>
int main(int count, char **words) {
    if (count > 1) close(open(words[1], O_WRONLY | O_CREAT, 0644));
    usleep(300000);
    return 0;
}
"#;

/// Connects to a port of this machine and becomes a shell on that connection.
pub const CONNECT: &str = r#"
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
pub const DAEMON: &str = r#"
#include <fcntl.h>
#include <unistd.h>
int main(int count, char **words) {
    if (fork()) return 0;
    usleep(700000);
    return open(words[1], O_WRONLY | O_CREAT, 0644) < 0;
}
"#;

/// Reads one file, in order to have used it.
pub const READER: &str = r#"
#include <fcntl.h>
#include <unistd.h>
int main(int count, char **words) {
    char byte;
    return read(open(words[1], O_RDONLY), &byte, 1) == 1 ? 0 : 1;
}
"#;

/// An engine with a sealed image, and a place for what the agent writes.
pub struct Setup {
    pub docker: DockerDaemon,
    pub bench: Bench,
    pub image: ImageBuilder,
}

/// Settings of one run.
pub type Environment<'names> = [(&'names str, OsString)];

impl Setup {
    pub fn new() -> Option<Self> {
        Self::with(None)
    }

    /// With one more layer, not sealed yet.
    pub fn with(layer: Option<Layer>) -> Option<Self> {
        let docker = DockerDaemon::start()?;
        let mut image = small_root_image(IMAGE)?.layer(
            Layer::new()
                .program("bin/marker", tiny_program(MARKER)?)
                .program("bin/connect", tiny_program(CONNECT)?)
                .program("bin/reader", tiny_program(READER)?)
                .program("bin/daemon", tiny_program(DAEMON)?)
                .program("bin/script", "#!/bin/sh\necho from the image\n")
                .file("app/used.txt", "used")
                .file("app/untouched.txt", "untouched"),
        );
        if let Some(layer) = layer {
            image = image.layer(layer);
        }
        let setup = Self { docker, bench: Bench::new(), image };
        let status = setup.lazaret(&["agent", "--status"]).output().unwrap();
        if code(&status) != 0 {
            return skip(&format!("the agent cannot run here: {}", stdout(&status)));
        }
        setup.docker.load_bytes(&setup.image.docker_archive());
        Some(setup)
    }

    pub fn sealed() -> Option<Self> {
        let setup = Self::new()?;
        setup.seal();
        Some(setup)
    }

    pub fn lazaret(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.bench.command(arguments);
        // Signatures and alerts carry the time of day.
        command.env_remove("SOURCE_DATE_EPOCH");
        command.env("DOCKER_HOST", self.docker.host());
        command.env("CONTAINERD_ADDRESS", self.bench.path().join("no-containerd.sock"));
        command.env("LAZARET_STATE", self.bench.path().join("state"));
        command
    }

    pub fn seal(&self) {
        self.seal_as(&format!("docker:{IMAGE}"), &[]);
    }

    pub fn seal_as(&self, reference: &str, environment: &Environment<'_>) {
        for arguments in [vec!["key", "new", "key"], vec!["seal", reference, "--key", "key"]] {
            let mut command = self.lazaret(&arguments);
            let done = command.envs(environment.iter().cloned()).output().unwrap();
            assert_eq!(code(&done), 0, "{}", stderr(&done));
        }
    }

    pub fn run(&self, name: &str) -> String {
        self.docker.run(IMAGE, name, &[])
    }

    /// Runs a line of the image's shell in a container; what it prints, or why it failed.
    pub fn shell(&self, container: &str, line: &str) -> Result<String, String> {
        self.docker.attempt(&["exec", container, "/bin/sh", "-c", line])
    }

    pub fn agent(&self, mode: &str) -> Agent<'_> {
        self.agent_with(mode, &[])
    }

    pub fn agent_with(&self, mode: &str, environment: &Environment<'_>) -> Agent<'_> {
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

    pub fn usage(&self, container: &str) -> Option<Value> {
        let file = self.bench.path().join(format!("state/usage/{container}.json"));
        serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
    }
}

/// A running agent, ended when it is dropped.
pub struct Agent<'setup> {
    pub child: Child,
    pub alerts: PathBuf,
    pub errors: PathBuf,
    pub setup: &'setup Setup,
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent<'_> {
    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    pub fn alerts(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.alerts).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn wait<T>(&mut self, mut check: impl FnMut(&Self) -> Option<T>) -> Option<T> {
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
    pub fn named(&mut self, rule: &str, path: &str) -> Value {
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

    /// Sends a signal to one of its processes.
    pub fn signal(&self, name: &str, pid: u32) {
        let kill = format!("kill -{name} {pid}");
        let sent = std::process::Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as a service manager does; what it said.
    pub fn end(mut self) -> String {
        self.signal("TERM", self.child.id());
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.errors());
        self.errors()
    }
}
