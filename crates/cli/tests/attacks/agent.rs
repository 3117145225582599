//! The agent as root among hostile containers.

use crate::common::{code, stderr};
use crate::watching::{Agent, PATIENCE, Setup};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::{ContainerdDaemon, Layer, skip, tiny_program};

const RULE: &str = "program-not-in-image";

/// How long the agent may take to end: seconds, on a machine that builds meanwhile.
const END: Duration = Duration::from_secs(15);

/// A FUSE server with an overlay over it. It answers its own container, and nobody outside: whoever asks
/// from there has no process number here. The program that it holds is the one that is named, with a
/// byte more, and is run so often; with a third word its first process then moves its root there.
const HOSTILE: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char content[8 << 20], request[1 << 18];
static size_t size;

static void answer(int line, unsigned long id, int error, void *data, size_t length) {
    struct fuse_out_header head = { .len = sizeof head + length, .error = -error, .unique = id };
    struct iovec parts[2] = { { &head, sizeof head }, { data, length } };
    writev(line, parts, length ? 2 : 1);
}
static void describe(struct fuse_attr *to, unsigned long node) {
    memset(to, 0, sizeof *to);
    to->ino = node;
    to->mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0755;
    to->nlink = 1;
    to->size = node == 1 ? 0 : size;
    to->blksize = 4096;
}
static void serve(int line) {
    for (;;) {
        ssize_t length = read(line, request, sizeof request);
        if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
        if (length < 0) _exit(0);
        struct fuse_in_header *head = (void *)request;
        void *rest = head + 1;
        unsigned long id = head->unique;
        if (head->opcode == FUSE_FORGET || head->opcode == FUSE_BATCH_FORGET) continue;
        if (head->opcode == FUSE_INTERRUPT) continue;
        if (head->opcode == FUSE_INIT) {
            struct fuse_init_out out = { .major = 7, .minor = 31, .max_write = 4096 };
            answer(line, id, 0, &out, sizeof out);
            continue;
        }
        if (!head->pid && head->opcode != FUSE_RELEASE && head->opcode != FUSE_READ) {
            close(open("/tmp/asked", O_WRONLY | O_CREAT, 0644));
            continue;
        }
        switch (head->opcode) {
        case FUSE_LOOKUP: {
            struct fuse_entry_out out = { .nodeid = 2, .entry_valid = 3600, .attr_valid = 3600 };
            describe(&out.attr, 2);
            if (strcmp(rest, "prog")) answer(line, id, ENOENT, 0, 0);
            else answer(line, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_GETATTR: {
            struct fuse_attr_out out = { .attr_valid = 3600 };
            describe(&out.attr, head->nodeid);
            answer(line, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_OPEN:
        case FUSE_OPENDIR: {
            struct fuse_open_out out = { .fh = 1 };
            answer(line, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_READ: {
            struct fuse_read_in *in = rest;
            size_t from = in->offset < size ? in->offset : size;
            size_t left = size - from;
            answer(line, id, 0, content + from, in->size < left ? in->size : left);
            break;
        }
        case FUSE_STATFS: {
            struct fuse_statfs_out out = { .st = { .bsize = 4096, .namelen = 255 } };
            answer(line, id, 0, &out, sizeof out);
            break;
        }
        case FUSE_READDIR:
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR:
        case FUSE_FLUSH: answer(line, id, 0, 0, 0); break;
        default: answer(line, id, ENOSYS, 0, 0);
        }
    }
}
static void cannot(const char *what) {
    printf("cannot %s: %s\n", what, strerror(errno));
    fflush(stdout);
    for (;;) pause();
}
int main(int count, char **words) {
    char options[99];
    int file = open(words[1], O_RDONLY), line = open("/dev/fuse", O_RDWR);
    size = read(file, content, sizeof content - 1);
    content[size++] = 'x';
    if (line < 0) cannot("open /dev/fuse");
    mkdir("/tmp/f", 0755), mkdir("/tmp/e", 0755), mkdir("/tmp/o", 0755);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", line);
    if (mount("f", "/tmp/f", "fuse", 0, options)) cannot("mount FUSE");
    if (!fork()) serve(line);
    close(line);
    if (mount("o", "/tmp/o", "overlay", 0, "lowerdir=/tmp/f:/tmp/e")) cannot("mount an overlay");
    for (int times = atoi(words[2]); times > 0; times--) {
        if (!fork()) {
            execl("/tmp/o/prog", "/tmp/o/prog", "/tmp/hostile-ran", (char *)0);
            _exit(1);
        }
        wait(0);
    }
    if (count > 3 && (chroot("/tmp/o") || chdir("/"))) cannot("move the root");
    printf("ready\n");
    fflush(stdout);
    for (;;) pause();
}
"#;

fn setup() -> Option<Setup> {
    if !Path::new("/dev/fuse").exists() {
        return skip("there is no /dev/fuse");
    }
    let hostile = tiny_program(HOSTILE)?;
    let setup = Setup::with(Some(Layer::new().program("bin/hostile", hostile)))?;
    setup.seal();
    Some(setup)
}

/// Starts the hostile container, and waits until it has done what it does.
fn run_hostile(setup: &Setup, name: &str, words: &[&str]) -> Option<()> {
    let mut arguments = vec!["run", "--detach", "--network", "none", "--device", "/dev/fuse"];
    arguments.extend(["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"]);
    arguments.extend(["--name", name, crate::watching::IMAGE, "/bin/hostile", "/bin/marker"]);
    arguments.extend(words);
    let _ = setup.docker.docker(&arguments);
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let said = setup.docker.docker(&["logs", name]);
        if said.contains("cannot") {
            return skip(&format!("a container here {said}"));
        }
        if said.contains("ready") {
            return Some(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the hostile container does not begin");
}

/// The alert about a program.
fn alert_of(agent: &mut Agent<'_>, path: &str) -> Value {
    let alert = agent.wait(|agent| {
        let mut alerts = agent.alerts().into_iter();
        alerts.find(|alert| alert["finding"]["location"]["path"] == path)
    });
    alert.unwrap_or_else(|| panic!("`{path}` was not named: {}", agent.errors()))
}

fn status(setup: &Setup) -> Value {
    let status = setup.lazaret(&["agent", "--status", "--format", "json"]).output().unwrap();
    assert_eq!(code(&status), 0, "{}", stderr(&status));
    serde_json::from_slice(&status.stdout).unwrap()
}

/// Ends the agent, and says how long that took and what code it gave.
fn end(agent: &mut Agent<'_>) -> (Duration, Option<i32>) {
    agent.signal("TERM", agent.child.id());
    let began = Instant::now();
    let status = agent.child.wait().unwrap();
    let took = began.elapsed();
    eprintln!("ended after {took:?}: {}", agent.errors());
    (took, status.code())
}

#[test]
fn a_container_that_answers_no_open_hides_no_program_of_another() {
    let Some(setup) = setup() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--observe");
    let Some(()) = run_hostile(&setup, "hostile", &["6"]) else { return };
    // One after the other, while its files hang.
    for name in ["one", "two", "three", "four"] {
        let line = format!("copy /bin/marker /tmp/{name}; append /tmp/{name} x; /tmp/{name}");
        setup.shell("shop", &line).unwrap();
        let alert = agent.named(RULE, &format!("tmp/{name}"));
        assert_eq!(alert["finding"]["evidence"][0]["reason"], "dropped file");
        assert!(alert["finding"]["evidence"][0]["event"]["digest"].is_string());
    }
    // Its own is named too, though it cannot be hashed.
    let alert = alert_of(&mut agent, "tmp/o/prog");
    assert_eq!(alert["container"]["name"], "hostile");
    assert_eq!(alert["finding"]["evidence"][0]["event"]["digest"], Value::Null);
    // And who does not answer is said, here and there.
    let said = |agent: &Agent<'_>| {
        agent.errors().contains("container hostile: its files do not answer").then_some(())
    };
    assert!(agent.wait(said).is_some(), "{}", agent.errors());
    let unread = agent.wait(|_| {
        let status = status(&setup);
        let unread = status["agent"]["unread"].as_array()?.first()?.clone();
        (status["agent"]["standing"] == "runs").then_some(unread)
    });
    let unread = unread.unwrap();
    assert_eq!(unread["name"], "hostile");
    assert!((1..=3).contains(&unread["hung"].as_u64().unwrap()), "{unread}");
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(0), "{took:?} {code:?}");
}

#[test]
fn a_container_that_goes_while_its_files_are_waited_for_leaves_nothing_behind() {
    let Some(setup) = setup() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--observe");
    let Some(()) = run_hostile(&setup, "hostile", &["2"]) else { return };
    // Its control group and its server go with it, and threads that waited come back.
    let _ = setup.docker.docker(&["rm", "--force", "hostile"]);
    alert_of(&mut agent, "tmp/o/prog");
    let answered = agent.wait(|_| {
        let status = status(&setup);
        let none = status["agent"]["unread"].as_array().is_some_and(Vec::is_empty);
        (none && status["agent"]["containers"] == 1).then_some(())
    });
    assert!(answered.is_some(), "{:#}", status(&setup)["agent"]);
    setup.shell("shop", "copy /bin/marker /tmp/one; append /tmp/one x; /tmp/one").unwrap();
    agent.named(RULE, "tmp/one");
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(0), "{took:?} {code:?}");
}

#[test]
fn enforcing_holds_for_others_while_a_container_answers_no_open() {
    let Some(setup) = setup() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--enforce");
    let Some(()) = run_hostile(&setup, "hostile", &["6"]) else { return };
    for name in ["one", "two", "three"] {
        let line =
            format!("copy /bin/marker /tmp/{name}; append /tmp/{name} x; /tmp/{name} /tmp/ran");
        let began = Instant::now();
        setup.shell("shop", &line).unwrap_err();
        assert!(began.elapsed() < PATIENCE);
        let alert = agent.named(RULE, &format!("tmp/{name}"));
        assert_eq!(alert["action"]["outcome"], "denied");
    }
    setup.shell("shop", "read /tmp/ran").unwrap_err();
    setup.shell("shop", "/bin/marker /tmp/own-ran; read /tmp/own-ran").unwrap();
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(0), "{took:?} {code:?}");
    // Nothing of it is left that anybody would wait for.
    setup.shell("shop", "/tmp/one /tmp/ran; read /tmp/ran").unwrap();
}

#[test]
fn a_container_that_moved_its_root_onto_such_files_holds_up_nobody() {
    let Some(setup) = setup() else { return };
    setup.run("shop");
    let Some(()) = run_hostile(&setup, "hostile", &["0", "moved"]) else { return };
    let mut agent = setup.agent("--enforce");
    let said = agent.errors();
    assert!(said.contains("has another root than its engine gave it"), "{said}");
    let line = "copy /bin/marker /tmp/one; append /tmp/one x; /tmp/one /tmp/ran";
    setup.shell("shop", line).unwrap_err();
    assert_eq!(agent.named(RULE, "tmp/one")["action"]["outcome"], "denied");
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(0), "{took:?} {code:?}");
}

/// The process that watches: the child of the one that keeps it.
fn watching(agent: &mut Agent<'_>) -> u32 {
    let keeper = agent.child.id();
    let path = format!("/proc/{keeper}/task/{keeper}/children");
    let children = || std::fs::read_to_string(&path).ok();
    let child = agent.wait(|_| children()?.split_whitespace().next()?.parse().ok());
    child.unwrap()
}

#[test]
fn an_agent_that_is_killed_is_started_again_and_loses_nothing_that_was_written() {
    let Some(setup) = Setup::sealed() else { return };
    let id = setup.run("shop");
    let mut agent = setup.agent("--observe");
    setup.shell("shop", "/bin/reader /app/used.txt").unwrap();
    let holds = |usage: &Value| {
        usage["files"].as_array().unwrap().iter().any(|file| file == "app/used.txt")
    };
    let before = agent.wait(|agent| agent.setup.usage(&id).filter(holds)).unwrap();
    let first = watching(&mut agent);
    agent.signal("KILL", first);
    let again =
        |agent: &Agent<'_>| (agent.errors().matches(" running, ").count() == 2).then_some(());
    assert!(agent.wait(again).is_some(), "{}", agent.errors());
    assert!(agent.errors().contains("was ended by signal 9; it is started again"));
    assert_ne!(watching(&mut agent), first);
    setup.shell("shop", "copy /bin/marker /tmp/later; append /tmp/later x; /tmp/later").unwrap();
    agent.named(RULE, "tmp/later");
    let after = agent
        .wait(|agent| agent.setup.usage(&id).filter(|usage| usage["until"] != before["until"]));
    let after = after.unwrap();
    assert!(holds(&after) && after["since"] == before["since"], "{after:#}");
    assert_eq!(after["complete"], false);
    let restarts = agent.wait(|_| (status(&setup)["agent"]["restarts"] == 1).then_some(()));
    assert!(restarts.is_some());
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(3), "what ran meanwhile is not known: {took:?} {code:?}");
}

#[test]
fn an_agent_that_stands_still_says_so_and_is_started_again() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--observe");
    let first = watching(&mut agent);
    // Its loop has told its keeper that it goes round.
    std::thread::sleep(Duration::from_secs(2));
    agent.signal("STOP", first);
    let began = Instant::now();
    while agent.errors().matches(" running, ").count() < 2 {
        assert!(began.elapsed() < 6 * PATIENCE, "{}", agent.errors());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(agent.errors().contains("made no progress for 30 s; it is started again"));
    setup.shell("shop", "copy /bin/marker /tmp/later; append /tmp/later x; /tmp/later").unwrap();
    agent.named(RULE, "tmp/later");
    // One that stands still is ended all the same.
    let second = watching(&mut agent);
    agent.signal("STOP", second);
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(3), "{took:?} {code:?}");
}

#[test]
fn who_kills_the_keeper_ends_the_watching_too() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--enforce");
    let watches = watching(&mut agent);
    agent.child.kill().unwrap();
    agent.child.wait().unwrap();
    let began = Instant::now();
    while Path::new(&format!("/proc/{watches}/exe")).exists() {
        assert!(began.elapsed() < END);
        std::thread::sleep(Duration::from_millis(20));
    }
    setup.shell("shop", "copy /bin/marker /tmp/one; append /tmp/one x; /tmp/one").unwrap();
}

#[test]
fn an_engine_that_does_not_answer_holds_up_neither_the_start_nor_the_end() {
    let Some(setup) = Setup::sealed() else { return };
    let socket = setup.bench.path().join("silent.sock");
    // Whoever connects waits in the queue for ever.
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let silent = format!("unix://{}", socket.display());
    let containerd = ContainerdDaemon::start();
    let mut environment = vec![("DOCKER_HOST", silent.into())];
    if let Some(containerd) = &containerd {
        containerd.import_bytes(&setup.image.docker_archive());
        environment.push(("CONTAINERD_ADDRESS", containerd.address().as_os_str().to_owned()));
        environment.push(("CONTAINERD_NAMESPACE", containerd.namespace().into()));
    }
    let mut agent = setup.agent_with("--observe", &environment);
    assert!(agent.errors().contains("engines do not answer within"), "{}", agent.errors());
    if let Some(containerd) = &containerd {
        // The other engine's containers are watched all the same.
        let name = containerd.ctr(&["images", "list", "--quiet"]);
        let line = "memory /bin/reader /app/used.txt; pause 60";
        containerd.run(name.trim(), "named", &["/bin/sh", "-c", line]);
        let alert = alert_of(&mut agent, "memfd:memory");
        assert_eq!(alert["container"]["id"], "named");
    }
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(0), "{took:?} {code:?}");
}

#[test]
fn a_flood_of_dropped_programs_buries_no_program_of_another() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    setup.run("flood");
    let mut agent = setup.agent("--enforce");
    let one = "copy /bin/reader /tmp/flood; append /tmp/flood x; /tmp/flood /app/used.txt; ";
    std::thread::scope(|scope| {
        let floods: Vec<_> =
            (0..4).map(|_| scope.spawn(|| setup.shell("flood", &one.repeat(200)))).collect();
        std::thread::sleep(Duration::from_millis(200));
        let line = "copy /bin/marker /tmp/one; append /tmp/one x; /tmp/one /tmp/ran";
        setup.shell("shop", line).unwrap_err();
        assert_eq!(agent.named(RULE, "tmp/one")["action"]["outcome"], "denied");
        setup.shell("shop", "/bin/marker /tmp/own-ran; read /tmp/own-ran").unwrap();
        floods.into_iter().for_each(|flood| drop(flood.join().unwrap()));
    });
    setup.shell("shop", "read /tmp/ran").unwrap_err();
    end(&mut agent);
}

#[test]
fn a_program_that_is_a_pipe_or_is_gone_by_then_holds_up_nothing() {
    let Some(setup) = Setup::sealed() else { return };
    setup.run("shop");
    let mut agent = setup.agent("--observe");
    // Gone, and another in its place, before it is looked at.
    let line = "copy /bin/reader /tmp/gone; append /tmp/gone x; copy /bin/reader /tmp/own; \
                /tmp/gone /app/used.txt; rename /tmp/own /tmp/gone";
    setup.shell("shop", line).unwrap();
    assert_eq!(alert_of(&mut agent, "tmp/gone")["container"]["name"], "shop");
    let pid = setup.docker.docker(&["inspect", "--format", "{{.State.Pid}}", "shop"]);
    let made = std::process::Command::new("mkfifo")
        .arg(format!("/proc/{pid}/root/tmp/pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    setup.shell("shop", "/tmp/pipe").unwrap_err();
    setup.shell("shop", "rename /tmp/pipe /bin/marker; /bin/marker").unwrap_err();
    setup
        .shell("shop", "copy /bin/reader /tmp/one; append /tmp/one x; /tmp/one /app/used.txt")
        .unwrap();
    agent.named(RULE, "tmp/one");
    let (took, code) = end(&mut agent);
    assert!(took < END && code == Some(0), "{took:?} {code:?}");
}
