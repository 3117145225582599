/* What a parser that was taken over would try, run inside the program itself when it has read.
 * Each line says what was tried and the number of the error, 0 where it worked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void tried(const char *what, long outcome) {
    dprintf(2, "tried: %s=%d\n", what, outcome < 0 ? errno : 0);
}

#define CALL(name, ...) (errno = 0, tried(name, syscall(__VA_ARGS__)))

static const char *in_folder(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("TRY_FOLDER"), name);
    return path;
}

static void files(void) {
    struct { uint64_t flags, mode, resolve; } how = {O_RDONLY, 0, 0};
    CALL("read secret", SYS_openat, AT_FDCWD, in_folder("secret"), O_RDONLY, 0);
    CALL("read secret by openat2", SYS_openat2, AT_FDCWD, in_folder("secret"), &how, sizeof how);
    CALL("read passwords", SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
    CALL("list home", SYS_openat, AT_FDCWD, "/root", O_RDONLY | O_DIRECTORY, 0);
    CALL("write secret", SYS_openat, AT_FDCWD, in_folder("secret"), O_WRONLY, 0);
    CALL("make", SYS_openat, AT_FDCWD, in_folder("made"), O_WRONLY | O_CREAT, 0600);
    CALL("write the subject", SYS_openat, AT_FDCWD, in_folder("subject/made"), O_WRONLY | O_CREAT, 0600);
    CALL("make in the temporary folder", SYS_openat, AT_FDCWD, "/tmp", O_WRONLY | O_TMPFILE, 0600);
    CALL("remove", SYS_unlinkat, AT_FDCWD, in_folder("secret"), 0);
    CALL("change mode", SYS_fchmodat, AT_FDCWD, in_folder("secret"), 0777);
    CALL("open by handle", SYS_open_by_handle_at, AT_FDCWD, &how, O_RDONLY);
    CALL("read the subject", SYS_openat, AT_FDCWD, in_folder("subject"), O_RDONLY, 0);
}

static void processes(void) {
    char *none[] = {NULL};
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    CALL("start a program", SYS_execve, "/bin/true", none, none);
    CALL("start by descriptor", SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0);
    CALL("trace", SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
    CALL("read memory", SYS_process_vm_readv, getppid(), &here, 1, &there, 1, 0);
    CALL("write memory", SYS_process_vm_writev, getppid(), &here, 1, &there, 1, 0);
    CALL("signal", SYS_kill, getppid(), 0);
    CALL("take hold", SYS_pidfd_open, getppid(), 0);
    CALL("limit", SYS_prlimit64, getppid(), 0, NULL, NULL);
    CALL("type", SYS_ioctl, 0, TIOCSTI, "x");
}

static void network(void) {
    struct sockaddr_in server = {AF_INET, htons(atoi(getenv("TRY_PORT"))), {htonl(INADDR_LOOPBACK)}, {0}};
    errno = 0;
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    tried("connect", tcp < 0 ? tcp : connect(tcp, (struct sockaddr *)&server, sizeof server));
    CALL("udp", SYS_socket, AF_INET, SOCK_DGRAM, 0);
    CALL("tcp 6", SYS_socket, AF_INET6, SOCK_STREAM, 0);
    CALL("unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    CALL("routes", SYS_socket, AF_NETLINK, SOCK_RAW, 0);
    CALL("packets", SYS_socket, AF_PACKET, SOCK_RAW, 0);
    CALL("ciphers", SYS_socket, AF_ALG, SOCK_SEQPACKET, 0);
}

static void kernel(void) {
    char data[256] = {0};
    CALL("bpf", SYS_bpf, 0, data, sizeof data);
    CALL("measure", SYS_perf_event_open, data, 0, -1, -1, 0);
    CALL("ring", SYS_io_uring_setup, 1, data);
    CALL("faults", SYS_userfaultfd, 0);
    CALL("module", SYS_init_module, data, 0, "");
    CALL("kexec", SYS_kexec_load, 0, 0, NULL, 0);
    CALL("key", SYS_add_key, "user", "lazaret-test", "x", 1, -4);
    CALL("keys", SYS_keyctl, 0, -4, 0, 0, 0);
    CALL("personality", SYS_personality, 0xffffffff);
    CALL("mount", SYS_mount, "none", in_folder("subject"), "tmpfs", 0, NULL);
    CALL("new mount", SYS_fsopen, "tmpfs", 0);
    CALL("root", SYS_chroot, in_folder("subject"));
    CALL("namespace", SYS_unshare, 0x10000000);
    CALL("namespace by clone", SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0, 0);
    CALL("be root", SYS_setuid, 0);
    CALL("be another", SYS_setresuid, 1, 1, 1);
    CALL("capabilities", SYS_capset, data, data);
    CALL("watch files", SYS_fanotify_init, 0, 0);
}

static void memory(void) {
    long page = sysconf(_SC_PAGESIZE);
    void *plain = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    errno = 0;
    void *both = mmap(NULL, page, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tried("code in memory", both == MAP_FAILED ? -1 : 0);
    errno = 0;
    tried("code that was data", mprotect(plain, page, PROT_READ | PROT_EXEC));
}

static void other_numbers(void) {
    struct { uint64_t flags, rest[10]; } arguments = {0x10000000, {0}};
    CALL("newer call", 460);
    CALL("clone3", SYS_clone3, &arguments, sizeof arguments);
#ifdef __x86_64__
    char *none[] = {NULL};
    CALL("x32 execve", 0x40000000 | 520, "/bin/true", none, none);
    CALL("x32 ptrace", 0x40000000 | 521, 0, 0, 0, 0);
    CALL("x32 mount", 0x40000000 | 165, "none", "/", "tmpfs", 0, NULL);
#endif
}

__attribute__((destructor)) static void try_all(void) {
    if (!getenv("TRY_FOLDER"))
        return;
    files();
    processes();
    network();
    kernel();
    memory();
    other_numbers();
}
