/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the programs write into the ring buffer. `src/offsets.rs` has the same offsets; the object
 * carries its own in `constants.layout`, and user space refuses an object whose offsets differ.
 */
#ifndef LAZARET_RECORD_H
#define LAZARET_RECORD_H

#define KIND_EXEC 1
#define KIND_FORK 2
#define KIND_EXIT 3

#define NAME_SIZE 16
#define ADDRESS_SIZE 16
/* Ancestors in a record: container shim, engine and init are reached well within. */
#define ANCESTORS 8
/* Text of a record: two paths of PATH_MAX at most, in practice some hundred bytes. */
#define TEXT_SIZE 8192
/* A name in a directory, with its NUL (NAME_MAX + 1). */
#define COMPONENT_SIZE 256
/* The name by which a script was called; a longer one is cut. */
#define SCRIPT_NAME_SIZE 512
/* Directories and mounts on the way to the root; a longer path is cut, and flagged. */
#define COMPONENTS 64
/* Cgroups on the way to the root that are held against the map of enforced ones. */
#define CGROUP_DEPTH 12
/* Deferred calls of a task that are searched for the script's file. */
#define DEFERRED 256

/* Cgroups that can be ignored: this many, unless too many have the same lowest bits. */
#define IGNORED_BUCKETS 1024
#define IGNORED_PER_BUCKET 4

#define FILE_OVERLAY (1 << 0)
#define FILE_SIDE_KNOWN (1 << 1)
#define FILE_UPPER (1 << 2)
#define FILE_MEMORY (1 << 3)
#define FILE_UNLINKED (1 << 4)
#define FILE_TRUNCATED (1 << 5)

#define EXEC_SCRIPT (1 << 0)
#define EXEC_SCRIPT_FILE (1 << 1)
#define EXEC_STOPPED (1 << 2)
#define EXEC_SOCKET (1 << 3)

#define ENFORCE_MEMORY (1 << 0)
#define ENFORCE_WRITTEN (1 << 1)

struct process_facts {
	__u64 started_ns;
	__u32 pid;
	__u32 padding;
	char name[NAME_SIZE];
};

/* The path lies in the text: components from the last to the first, each with a NUL. */
struct file_facts {
	__u64 inode;
	__u64 magic;
	__u32 device;
	__u32 links;
	__u32 flags;
	__u16 path_at;
	__u16 path_length;
};

struct record_head {
	__u32 kind;
	__u32 length;
	__u64 at_ns;
	__u64 cgroup;
	__u64 pids_cgroup;
};

struct exec_record {
	struct record_head head;
	struct process_facts process;
	__u32 uid;
	__u32 gid;
	__u32 mount_namespace;
	__u32 root_device;
	__u32 flags;
	__u16 family;
	__u16 port;
	__u8 address[ADDRESS_SIZE];
	struct file_facts file;
	struct file_facts script;
	__u16 script_name_at;
	__u16 script_name_length;
	__u32 ancestors;
	struct process_facts ancestor[ANCESTORS];
};

struct fork_record {
	struct record_head head;
	struct process_facts process;
	__u64 parent_started_ns;
	__u32 parent_pid;
	__u32 padding;
};

struct exit_record {
	struct record_head head;
	struct process_facts process;
	__u32 code;
	__u32 padding;
};

#define AT(type, field) __builtin_offsetof(struct type, field)
#define LAYOUT                                                                                     \
	sizeof(struct process_facts), AT(process_facts, started_ns), AT(process_facts, pid),       \
		AT(process_facts, name), sizeof(struct file_facts), AT(file_facts, inode),         \
		AT(file_facts, magic), AT(file_facts, device), AT(file_facts, links),              \
		AT(file_facts, flags), AT(file_facts, path_at), AT(file_facts, path_length),       \
		sizeof(struct record_head), AT(record_head, kind), AT(record_head, length),        \
		AT(record_head, at_ns), AT(record_head, cgroup), AT(record_head, pids_cgroup),     \
		sizeof(struct exec_record), AT(exec_record, process), AT(exec_record, uid),        \
		AT(exec_record, gid), AT(exec_record, mount_namespace),                            \
		AT(exec_record, root_device), AT(exec_record, flags), AT(exec_record, family),     \
		AT(exec_record, port), AT(exec_record, address), AT(exec_record, file),            \
		AT(exec_record, script), AT(exec_record, script_name_at),                          \
		AT(exec_record, script_name_length), AT(exec_record, ancestors),                   \
		AT(exec_record, ancestor), ANCESTORS, TEXT_SIZE, sizeof(struct fork_record),       \
		AT(fork_record, process), AT(fork_record, parent_started_ns),                      \
		AT(fork_record, parent_pid), sizeof(struct exit_record), AT(exit_record, process), \
		AT(exit_record, code), ENFORCE_MEMORY, ENFORCE_WRITTEN, IGNORED_BUCKETS,             \
		IGNORED_PER_BUCKET
#define LAYOUT_LENGTH 47
#define CONSTANTS_MAGIC 0x4c5a5231 /* LZR1 */

/* All of .rodata. User space reads `layout` and fills in the rest before loading. */
struct constants {
	__u32 magic;
	__u32 layout[LAYOUT_LENGTH];
	/* Bytes in the ring buffer from which the reader is woken before its next turn. */
	__u32 wake_bytes;
	/* Whether maps are keyed by the id of the v1 pids cgroup, not of the v2 cgroup. */
	__u32 by_pids_cgroup;
};

#endif
