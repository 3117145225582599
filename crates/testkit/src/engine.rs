//! Starts container engines for tests, each on a folder and a socket of its own, and stops them.
//!
//! In goes nothing, out comes a daemon that the test owns; dropping it ends its containers, then
//! itself, and removes what it left. Networks are off, so that several run side by side and nothing
//! of the machine's own is touched. Where an engine cannot run the test is skipped ([`crate::skip`]).
#![expect(clippy::panic, reason = "a test that cannot go on ends here, with the reason")]

use crate::skip::skip;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long an engine may take to answer, and to end: slow machines under load take half of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Docker daemon of the test's own.
#[derive(Debug)]
pub struct DockerDaemon {
    daemon: Daemon,
    host: String,
}

impl DockerDaemon {
    /// Starts one; none, and `skipped: why` on stderr, where it cannot run.
    ///
    /// # Panics
    /// Where it does not come up, or a part is missing under `CI=true`.
    #[must_use]
    pub fn start() -> Option<Self> {
        can_run(&["dockerd", "containerd", "runc", "docker"])?;
        let folder = own_folder("docker");
        let socket = folder.join("docker.sock");
        let host = format!("unix://{}", socket.display());
        let mut command = Command::new("dockerd");
        command
            .arg("--data-root")
            .arg(folder.join("data"))
            .arg("--exec-root")
            .arg(folder.join("exec"))
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .args(["--host", &host, "--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--storage-driver", "overlay2"]);
        let daemon = Daemon::start(command, folder);
        let docker = Self { daemon, host };
        docker.daemon.wait_for(|| docker.attempt(&["version"]).map(drop));
        Some(docker)
    }

    /// Where it listens: `unix:///…`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its data folder (`DockerRootDir`).
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.daemon.folder.join("data")
    }

    /// A folder of the test's own, removed with the daemon.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.daemon.folder
    }

    /// Runs the docker command line against it; what it prints, without the last line's end.
    ///
    /// # Panics
    /// Where the command fails.
    #[must_use]
    pub fn docker(&self, arguments: &[&str]) -> String {
        match self.attempt(arguments) {
            Ok(printed) => printed,
            Err(reason) => panic!("docker {arguments:?}: {reason}"),
        }
    }

    /// The same, for commands that may fail: the error is what it prints on stderr.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn attempt(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("docker");
        command
            .env("DOCKER_HOST", &self.host)
            .env("DOCKER_CONFIG", self.daemon.folder.join("config"))
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION")
            .args(arguments);
        output_of(&mut command)
    }

    /// Loads what `docker save` wrote; prints of the command line.
    ///
    /// # Panics
    /// Where it cannot be loaded.
    #[expect(clippy::must_use_candidate, reason = "what it prints is seldom looked at")]
    pub fn load(&self, archive: &Path) -> String {
        self.docker(&["load", "--input", &archive.display().to_string()])
    }

    /// Loads an archive that lies in memory.
    ///
    /// # Panics
    /// Where it cannot be loaded.
    #[expect(clippy::must_use_candidate, reason = "what it prints is seldom looked at")]
    pub fn load_bytes(&self, archive: &[u8]) -> String {
        let file = self.daemon.keep("load.tar", archive);
        let printed = self.load(&file);
        let _ = fs::remove_file(file);
        printed
    }

    /// Makes an image of one layer from the tar of a root file system.
    ///
    /// # Panics
    /// Where it cannot be imported.
    #[expect(clippy::must_use_candidate, reason = "what it prints is seldom looked at")]
    pub fn import(&self, tar: &Path, name: &str) -> String {
        self.docker(&["import", &tar.display().to_string(), name])
    }

    /// Starts a container without a network; its id.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn run(&self, image: &str, name: &str, program: &[&str]) -> String {
        let mut arguments = vec!["run", "--detach", "--network", "none", "--name", name, image];
        arguments.extend(program);
        self.docker(&arguments)
    }
}

impl Drop for DockerDaemon {
    fn drop(&mut self) {
        let ids = self.attempt(&["ps", "--all", "--quiet", "--no-trunc"]).unwrap_or_default();
        for id in ids.split_whitespace() {
            let _ = self.attempt(&["rm", "--force", id]);
        }
        self.daemon.stop();
        // Its own containerd outlives a daemon that had to be killed.
        self.daemon.end_named(&self.daemon.folder.join("exec/containerd/containerd.pid"));
        self.daemon.clear();
    }
}

/// A containerd of the test's own.
#[derive(Debug)]
pub struct ContainerdDaemon {
    daemon: Daemon,
    address: PathBuf,
    namespace: String,
    stopped: bool,
}

impl ContainerdDaemon {
    /// Starts one; none, and `skipped: why` on stderr, where it cannot run.
    ///
    /// # Panics
    /// Where it does not come up, or a part is missing under `CI=true`.
    #[must_use]
    pub fn start() -> Option<Self> {
        can_run(&["containerd", "runc", "ctr"])?;
        let folder = own_folder("containerd");
        let address = folder.join("containerd.sock");
        // runc keeps containers by namespace and id for the whole machine.
        let namespace = folder
            .file_name()
            .and_then(OsStr::to_str)
            .unwrap_or("lazaret")
            .trim_end_matches('-')
            .to_owned();
        let shown = folder.display();
        let config = format!(
            "version = 2\nroot = \"{shown}/root\"\nstate = \"{shown}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
             [grpc]\naddress = \"{}\"\n",
            address.display()
        );
        fs::write(folder.join("config.toml"), config)
            .unwrap_or_else(|error| panic!("cannot write the configuration: {error}"));
        let mut command = Command::new("containerd");
        command.arg("--config").arg(folder.join("config.toml"));
        let daemon = Daemon::start(command, folder);
        let containerd = Self { daemon, address, namespace, stopped: false };
        containerd.daemon.wait_for(|| containerd.attempt(&["version"]).map(drop));
        Some(containerd)
    }

    /// Its socket.
    #[must_use]
    pub fn address(&self) -> &Path {
        &self.address
    }

    /// The namespace that [`Self::ctr`] works in.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Ends it; what it stored stays until this is dropped.
    pub fn stop(&mut self) {
        self.daemon.stop();
        self.stopped = true;
    }

    /// Its root folder, which holds the content store.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.daemon.folder.join("root")
    }

    /// A folder of the test's own, removed with the daemon.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.daemon.folder
    }

    /// Runs `ctr` against it; what it prints, without the last line's end.
    ///
    /// # Panics
    /// Where the command fails.
    #[must_use]
    pub fn ctr(&self, arguments: &[&str]) -> String {
        match self.attempt(arguments) {
            Ok(printed) => printed,
            Err(reason) => panic!("ctr {arguments:?}: {reason}"),
        }
    }

    /// The same, for commands that may fail: the error is what it prints on stderr.
    ///
    /// # Errors
    /// Where the command fails.
    pub fn attempt(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(&self.address).args(["--namespace", &self.namespace]);
        output_of(command.args(arguments))
    }

    /// Imports an archive of images.
    ///
    /// # Panics
    /// Where it cannot be imported.
    #[expect(clippy::must_use_candidate, reason = "what it prints is seldom looked at")]
    pub fn import(&self, archive: &Path) -> String {
        self.ctr(&["images", "import", &archive.display().to_string()])
    }

    /// Imports an archive that lies in memory.
    ///
    /// # Panics
    /// Where it cannot be imported.
    #[expect(clippy::must_use_candidate, reason = "what it prints is seldom looked at")]
    pub fn import_bytes(&self, archive: &[u8]) -> String {
        let file = self.daemon.keep("import.tar", archive);
        let printed = self.import(&file);
        let _ = fs::remove_file(file);
        printed
    }

    /// Starts a container without a network.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn run(&self, image: &str, id: &str, program: &[&str]) {
        let mut arguments = vec!["run", "--detach", image, id];
        arguments.extend(program);
        let _ = self.ctr(&arguments);
    }
}

impl Drop for ContainerdDaemon {
    fn drop(&mut self) {
        // Nobody answers for one that was ended, and had no containers then.
        let list = || self.attempt(&["containers", "list", "--quiet"]).unwrap_or_default();
        let ids = if self.stopped { String::new() } else { list() };
        for id in ids.split_whitespace() {
            let _ = self.attempt(&["tasks", "kill", "--signal", "9", id]);
            let gone = || self.attempt(&["tasks", "delete", "--force", id]).map(drop);
            let _ = gone();
            let _ = self.attempt(&["containers", "delete", id]);
        }
        self.daemon.stop();
        self.daemon.clear();
    }
}

/// A process with the folder that holds all of its files.
#[derive(Debug)]
pub(crate) struct Daemon {
    process: Child,
    pub(crate) folder: PathBuf,
}

impl Daemon {
    pub(crate) fn start(mut command: Command, folder: PathBuf) -> Self {
        let log = File::create(folder.join("log"))
            .unwrap_or_else(|error| panic!("cannot write the log: {error}"));
        let errors =
            log.try_clone().unwrap_or_else(|error| panic!("cannot write the log: {error}"));
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let process =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { process, folder }
    }

    pub(crate) fn wait_for(&self, mut answers: impl FnMut() -> Result<(), String>) {
        let began = Instant::now();
        while let Err(reason) = answers() {
            let ended = !Path::new(&format!("/proc/{}/exe", self.process.id())).exists();
            if ended || began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let skipped = log.lines().count().saturating_sub(20);
                let end: Vec<&str> = log.lines().skip(skipped).collect();
                panic!("the engine did not come up: {reason}\n{}", end.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.folder.join(name);
        fs::write(&file, bytes)
            .unwrap_or_else(|error| panic!("cannot write `{}`: {error}", file.display()));
        file
    }

    pub(crate) fn stop(&mut self) {
        signal("TERM", self.process.id());
        let began = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if began.elapsed() > PATIENCE / 3 {
                let _ = self.process.kill();
                let _ = self.process.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the process that a pid file of this daemon names, if it is still the daemon's.
    fn end_named(&self, pid_file: &Path) {
        let Some(pid) = fs::read_to_string(pid_file).ok().and_then(|text| text.trim().parse().ok())
        else {
            return;
        };
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let own = self.folder.display().to_string();
        if String::from_utf8_lossy(&command).contains(&own) {
            signal("KILL", pid);
        }
    }

    /// Takes down what is still mounted below the folder, then the folder.
    pub(crate) fn clear(&self) {
        let own = format!("{}/", self.folder.display());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        let mut left: Vec<&str> = points.filter(|point| point.starts_with(&own)).collect();
        left.sort_by_key(|point| std::cmp::Reverse(point.len()));
        for point in left {
            let _ = output_of(Command::new("umount").args(["--lazy", point]));
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The shell's own `kill`: there is a shell wherever there is an engine.
fn signal(name: &str, pid: u32) {
    let _ = output_of(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]));
}

/// Runs a command; what it printed, or why it failed.
///
/// # Errors
/// Where it cannot be started or ends with another code than 0.
pub fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        let printed = String::from_utf8_lossy(&output.stdout);
        Ok(printed.strip_suffix('\n').unwrap_or(&printed).to_owned())
    } else {
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Whether this process is root.
#[must_use]
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn can_run(programs: &[&str]) -> Option<()> {
    if !is_root() {
        return skip("engines need root");
    }
    for program in programs {
        if !is_installed(program) {
            return skip(&format!("{program} is not installed"));
        }
    }
    Some(())
}

/// Whether a program lies in one of the folders of `PATH`.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A folder of its own, short, because the path of a socket may have 108 bytes at most.
pub(crate) fn own_folder(kind: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("lazaret-{kind}-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .unwrap_or_else(|error| panic!("cannot make `{}`: {error}", folder.display()));
    folder
}
