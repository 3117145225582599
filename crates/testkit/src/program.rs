//! Tiny static programs for the images of tests, compiled when the test runs.
//!
//! An image that a container is started from needs programs, and no binary lies in the repository:
//! so they are C, a few lines each, linked statically against nothing that an image would have to
//! hold.

use crate::image::ImageBuilder;
use crate::layer::Layer;
use crate::skip::skip;
use crate::tar::Entry;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Waits until it is ended.
pub const SLEEPER: &str = r"
#include <signal.h>
#include <unistd.h>
static void end(int signal) { (void)signal; _exit(0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); for (;;) pause(); }
";

/// As much of a shell as tests need. `sh -c 'LINE'`, `sh FILE` or lines on standard input; commands
/// divided by `;`, words by spaces. Own commands: `echo WORD…`, `write FILE TEXT`, `append FILE TEXT`,
/// `copy FROM TO` (keeps the mode), `read FILE`, `remove FILE`, `rename FROM TO`, `pause SECONDS`,
/// `memory PROGRAM` (runs a copy that lies in memory only), `exec PROGRAM WORD…`, `exit CODE`; all
/// else is a program's path, run and waited for.
pub const SHELL: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static int fail(const char *what) { fprintf(stderr, "sh: %s: %s\n", what, strerror(errno)); return 1; }
static int pour(int from, int to) {
    char buffer[65536];
    ssize_t count;
    while ((count = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, count) != count) return 1;
    return count < 0;
}
static int put(const char *path, const char *text, int how) {
    int file = open(path, O_WRONLY | O_CREAT | how, 0644);
    if (file < 0) return fail(path);
    int bad = write(file, text, strlen(text)) != (ssize_t)strlen(text) || write(file, "\n", 1) != 1;
    close(file);
    return bad;
}
static int copy(const char *from, const char *to) {
    struct stat about;
    int in = open(from, O_RDONLY);
    if (in < 0 || fstat(in, &about)) return fail(from);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, about.st_mode & 07777);
    if (out < 0) return fail(to);
    int bad = pour(in, out);
    fchmod(out, about.st_mode & 07777);
    close(in); close(out);
    return bad;
}
static int show(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return fail(path);
    int bad = pour(file, 1);
    close(file);
    return bad;
}
static void from_memory(char **words) {
    int in = open(words[0], O_RDONLY), out = memfd_create("memory", MFD_CLOEXEC);
    if (in < 0 || out < 0 || pour(in, out)) _exit(fail(words[0]));
    fexecve(out, words, environ);
    _exit(fail(words[0]));
}
static int command(char **words) {
    int memory = !strcmp(words[0], "memory") && words[1];
    if (!strcmp(words[0], "echo")) {
        for (int at = 1; words[at]; at++) printf("%s%s", at > 1 ? " " : "", words[at]);
        return puts("") < 0 || fflush(stdout);
    }
    if (!strcmp(words[0], "write") && words[1] && words[2]) return put(words[1], words[2], O_TRUNC);
    if (!strcmp(words[0], "append") && words[1] && words[2]) return put(words[1], words[2], O_APPEND);
    if (!strcmp(words[0], "copy") && words[1] && words[2]) return copy(words[1], words[2]);
    if (!strcmp(words[0], "read") && words[1]) return show(words[1]);
    if (!strcmp(words[0], "remove") && words[1]) return unlink(words[1]) ? fail(words[1]) : 0;
    if (!strcmp(words[0], "rename") && words[1] && words[2]) return rename(words[1], words[2]) ? fail(words[1]) : 0;
    if (!strcmp(words[0], "pause") && words[1]) { sleep(atoi(words[1])); return 0; }
    if (!strcmp(words[0], "exit")) exit(words[1] ? atoi(words[1]) : 0);
    if (!strcmp(words[0], "exec") && words[1]) { execve(words[1], words + 1, environ); exit(fail(words[1])); }
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (memory) from_memory(words + 1);
        execve(words[0], words, environ);
        _exit(126 + fail(words[0]));
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) return fail(words[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
static int line(char *text) {
    int last = 0;
    char *rest = text, *one;
    while ((one = strsep(&rest, ";\n"))) {
        char *words[64], *word;
        int count = 0;
        while ((word = strsep(&one, " ")) && count < 63) if (*word) words[count++] = word;
        words[count] = 0;
        if (count && words[0][0] != '#') last = command(words);
    }
    return last;
}
int main(int count, char **words) {
    static char buffer[65536];
    int last = 0;
    if (count > 2 && !strcmp(words[1], "-c")) return line(words[2]);
    if (count > 1 && !freopen(words[1], "r", stdin)) return fail(words[1]);
    while (fgets(buffer, sizeof buffer, stdin)) last = line(buffer);
    return last;
}
"#;

/// Compiles C to a static program; none, and `skipped: why` on stderr, without a compiler.
///
/// # Panics
/// Where the source does not compile, or, under `CI=true`, where there is no compiler.
#[must_use]
#[expect(clippy::panic, reason = "a test whose program does not compile is wrong")]
pub fn tiny_program(source: &str) -> Option<Vec<u8>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if !crate::engine::is_installed("cc") {
        return skip("there is no C compiler (`cc`)");
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let stem = format!("lazaret-program-{}-{number}", std::process::id());
    let file = |end: &str| -> PathBuf { std::env::temp_dir().join(format!("{stem}{end}")) };
    let (code, program) = (file(".c"), file(""));
    let compiled = fs::write(&code, source).and_then(|()| {
        Command::new("cc")
            .args(["-static", "-Os", "-s", "-w", "-Wl,--build-id=none", "-o"])
            .arg(&program)
            .arg(&code)
            .stdin(Stdio::null())
            .output()
    });
    let bytes = fs::read(&program);
    let _ = (fs::remove_file(&code), fs::remove_file(&program));
    match (compiled, bytes) {
        (Ok(compiled), Ok(bytes)) if compiled.status.success() => Some(bytes),
        (Ok(compiled), _) => {
            panic!("cannot compile: {}", String::from_utf8_lossy(&compiled.stderr))
        }
        (Err(error), _) => panic!("cannot compile: {error}"),
    }
}

/// An image of two layers that a container can be started from, tagged `name`, which runs
/// `/bin/sleeper`. The first layer has Debian's marks and a package database of one package; the
/// second has `/bin/sh` ([`SHELL`]), a data file, links of both kinds, and removes a file.
///
/// Build on it with more layers. None, and `skipped: why` on stderr, without a compiler.
#[must_use]
pub fn small_root_image(name: &str) -> Option<ImageBuilder> {
    let (sleeper, shell) = (tiny_program(SLEEPER)?, tiny_program(SHELL)?);
    let base = Layer::new()
        .directory("bin")
        .program("bin/sleeper", sleeper)
        .directory("etc")
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n")
        .file("etc/removed", "gone in the next layer\n")
        .directory("tmp")
        .directory("var/lib/dpkg/info")
        .file(
            "var/lib/dpkg/status",
            "Package: demo-sleeper\nStatus: install ok installed\nArchitecture: amd64\n\
             Version: 1.0-1\nDescription: waits\n\n",
        )
        .file("var/lib/dpkg/info/demo-sleeper.list", "/.\n/bin\n/bin/sleeper\n");
    let application = Layer::new()
        .program("bin/sh", shell)
        .directory("app")
        .file("app/data.txt", "some data of the application\n")
        .entry(Entry::file("app/private", "for its owner only\n").mode(0o640).owner(1000, 1000))
        .symlink("app/link", "data.txt")
        .hard_link("app/twin", "app/data.txt")
        .whiteout("etc/removed");
    let image = ImageBuilder::new()
        .layer(base)
        .history("ADD rootfs.tar / # base")
        .layer(application)
        .history("COPY application /app # buildkit")
        .empty_history("CMD [\"/bin/sleeper\"]")
        .setting("Cmd", serde_json::json!(["/bin/sleeper"]))
        .tag(name);
    Some(image)
}
