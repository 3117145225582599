/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Reports every program that begins to run, every new process and every one that ends, and stops
 * programs in memory, or on the written side of an overlay, where user space asked for that.
 *
 * Records wait in the ring buffer without waking the reader, which comes by every 10 ms: a wake-up
 * for each record costs ten times what the rest of a program does.
 */
#include "kernel.h"
#include "record.h"

#define OVERLAYFS_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define AF_INET 2
#define AF_INET6 10
#define SIGKILL 9
/* Set on every file that was opened in order to be executed (include/linux/fs.h, __FMODE_EXEC). */
#define FMODE_EXEC 0x20
#define MAX_ERRNO 4095
/* A few records: whichever of them crosses the line wakes the reader, and those after it do not. */
#define WAKE_WINDOW 4096

char LICENSE[] SEC("license") = "GPL";

const volatile struct constants constants = {
	.magic = CONSTANTS_MAGIC,
	.layout = { LAYOUT },
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

/*
 * Nothing of these cgroups is reported. Every process on the host pays for this look: an id lies in the
 * bucket that its lowest bits say, one cache line, where a hash map costs a fifth of a program. 0 is
 * a free place.
 */
struct ignored_bucket {
	__u64 ids[IGNORED_PER_BUCKET];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IGNORED_BUCKETS);
	__type(key, __u32);
	__type(value, struct ignored_bucket);
} ignored SEC(".maps");

/* In these cgroups, and those below them, programs are stopped: ENFORCE_ flags. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} enforced SEC(".maps");

/* How many cgroups are enforced: with none, nobody pays for looking. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} enforced_count SEC(".maps");

/* In these mount namespaces nothing is ever stopped: the host's, and those of engines. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u8);
} trusted_mounts SEC(".maps");

struct scratch {
	struct exec_record record;
	/* What is free of the text begins here; kept in memory so that the verifier forgets its value. */
	char text[TEXT_SIZE];
	__u32 used;
};

/* An exec record is too large for the stack. The tracepoint runs with preemption off and does not
 * nest, so that one for each CPU is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

extern const void ____fput __ksym __weak;

/*
 * A field of a kernel structure to which we have no typed pointer. Since Linux 6.2 the verifier takes
 * our word for the type, and the read is one instruction; before, it is a call.
 */
#define GET(type, pointer, field)                                                                  \
	({                                                                                         \
		typeof(((struct type *)0)->field) value;                                           \
		if (bpf_ksym_exists(bpf_rdonly_cast))                                              \
			value = bpf_core_cast(pointer, struct type)->field;                        \
		else                                                                               \
			value = BPF_CORE_READ((struct type *)(pointer), field);                    \
		value;                                                                             \
	})

static __always_inline void submit(void *record, __u64 size)
{
	__u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	__u64 flags = BPF_RB_NO_WAKEUP;

	/* Once on the way up: a wake-up for each record beyond would slow down who fills the buffer. */
	if (waiting >= constants.wake_bytes && waiting - constants.wake_bytes < WAKE_WINDOW)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&events, record, size, flags)) {
		__u32 zero = 0;
		__u64 *count = bpf_map_lookup_elem(&lost, &zero);

		if (count)
			*count += 1;
	}
}

/* The task's cgroup in the v1 hierarchy of the pids controller; none where that is not there. */
static __always_inline struct cgroup *pids_cgroup(struct task_struct *task)
{
	struct cgroup_subsys_state **states;

	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return 0;
	states = (void *)((char *)task->cgroups + bpf_core_field_offset(struct css_set, subsys) +
			  sizeof(void *) * bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
	return (*states)->cgroup;
}

/* Reading it costs, so that small records have the pids cgroup only where maps are keyed by it. */
static __always_inline void begin(struct record_head *head, struct task_struct *task, __u32 kind,
				  __u32 length)
{
	head->kind = kind;
	head->length = length;
	head->at_ns = bpf_ktime_get_boot_ns();
	head->cgroup = task->cgroups->dfl_cgrp->kn->id;
	head->pids_cgroup = 0;
	if (kind == KIND_EXEC || constants.by_pids_cgroup)
		head->pids_cgroup = pids_cgroup(task)->kn->id;
}

static __always_inline int is_ignored(struct record_head *head)
{
	__u64 id = constants.by_pids_cgroup ? head->pids_cgroup : head->cgroup;
	__u32 index = id & (IGNORED_BUCKETS - 1);
	struct ignored_bucket *bucket = bpf_map_lookup_elem(&ignored, &index);

	if (!bucket || !id)
		return 0;
	return bucket->ids[0] == id || bucket->ids[1] == id || bucket->ids[2] == id ||
	       bucket->ids[3] == id;
}

static __always_inline void describe_process(struct process_facts *facts, struct task_struct *task)
{
	facts->started_ns = task->start_boottime;
	facts->pid = task->tgid;
	facts->padding = 0;
	((__u64 *)facts->name)[0] = ((__u64 *)task->comm)[0];
	((__u64 *)facts->name)[1] = ((__u64 *)task->comm)[1];
}

/* Appends a text with its NUL. Returns whether there was room. */
static __always_inline int append(struct scratch *scratch, const void *text, __u32 limit)
{
	__u32 at = *(volatile __u32 *)&scratch->used;
	long length;

	if (at > TEXT_SIZE - COMPONENT_SIZE)
		return 0;
	if (at + COMPONENT_SIZE > limit)
		return 0;
	length = bpf_probe_read_kernel_str(&scratch->text[at], COMPONENT_SIZE, text);
	if (length <= 0)
		return 0;
	*(volatile __u32 *)&scratch->used = at + length;
	return 1;
}

#define mount_of(point) \
	((struct mount *)((char *)(point) - bpf_core_field_offset(struct mount, mnt)))

/*
 * Writes the names from the file up to the root of its mount namespace, as prepend_path() walks
 * (fs/d_path.c). A chroot is not the end of it: the path would be whatever its maker likes.
 */
static __noinline int describe_path(struct scratch *scratch, struct vfsmount *point,
				    struct dentry *dentry, __u32 limit)
{
	struct mount *mount = mount_of(point);

	for (int i = 0; i < COMPONENTS; i++) {
		struct dentry *root = GET(mount, mount, mnt.mnt_root);
		struct dentry *parent;

		if (dentry == root) {
			struct mount *above = GET(mount, mount, mnt_parent);

			if (above == mount || !above)
				return 1;
			dentry = GET(mount, mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (!append(scratch, GET(dentry, dentry, d_name.name), limit))
			return 0;
		parent = GET(dentry, dentry, d_parent);
		/* Not below its mount any more. */
		if (parent == dentry || !parent)
			return 0;
		dentry = parent;
	}
	return 0;
}

/* A mount that the kernel made for itself (MNT_NS_INTERNAL, an error pointer): that of a memfd. */
static __always_inline int is_internal(struct vfsmount *point)
{
	__u64 space = (__u64)GET(mount, mount_of(point), mnt_ns);

	return space >= (__u64)-MAX_ERRNO;
}

static __always_inline void describe_file(struct scratch *scratch, struct file_facts *facts,
					  struct file *file, __u32 limit)
{
	struct inode *inode = GET(file, file, f_inode);
	struct super_block *system = GET(inode, inode, i_sb);
	struct vfsmount *point = GET(file, file, f_path.mnt);
	struct dentry *dentry = GET(file, file, f_path.dentry);
	__u32 flags = 0, start;

	facts->inode = GET(inode, inode, i_ino);
	facts->magic = GET(super_block, system, s_magic);
	facts->device = GET(super_block, system, s_dev);
	facts->links = GET(inode, inode, i_nlink);
	if (facts->magic == OVERLAYFS_MAGIC) {
		flags |= FILE_OVERLAY;
		if (bpf_core_field_exists(struct ovl_inode, __upperdentry)) {
			struct ovl_inode *overlay =
				(void *)((char *)inode -
					 bpf_core_field_offset(struct ovl_inode, vfs_inode));

			flags |= FILE_SIDE_KNOWN;
			if (BPF_CORE_READ(overlay, __upperdentry))
				flags |= FILE_UPPER;
		}
	}
	if (!facts->links || !GET(dentry, dentry, d_hash.pprev))
		flags |= FILE_UNLINKED;
	if (is_internal(point) ||
	    (!facts->links && (facts->magic == TMPFS_MAGIC || facts->magic == HUGETLBFS_MAGIC)))
		flags |= FILE_MEMORY;
	start = scratch->used;
	if (flags & FILE_MEMORY) {
		append(scratch, GET(dentry, dentry, d_name.name), limit);
	} else if (!describe_path(scratch, point, dentry, limit)) {
		flags |= FILE_TRUNCATED;
	}
	facts->path_at = start;
	facts->path_length = scratch->used - start;
	facts->flags = flags;
}

/* The oldest file opened for execution whose release waits for the task's return to user space. */
static __noinline struct file *released_program(struct task_struct *task)
{
	struct callback_head *work = BPF_CORE_READ(task, task_works);
	struct file *oldest = 0;

	for (int i = 0; i < DEFERRED; i++) {
		struct file *file;

		if (!work)
			return oldest;
		if (BPF_CORE_READ(work, func) == (void *)&____fput) {
			if (bpf_core_field_exists(struct file, f_task_work))
				file = (void *)((char *)work -
						bpf_core_field_offset(struct file, f_task_work));
			else
				file = (void *)((char *)work -
						bpf_core_field_offset(struct file___before_6_9, f_rcuhead));
			if (BPF_CORE_READ(file, f_flags) & FMODE_EXEC)
				oldest = file;
		}
		work = BPF_CORE_READ(work, next);
	}
	/* Too many to be sure which was the first. */
	return 0;
}

/*
 * For a script `file` is already the interpreter. The script's own file was released before this
 * tracepoint (exec_binprm in fs/exec.c), but a release inside a system call is deferred to the return
 * to user space: the file is still whole, and it is the first such in the task's list. binfmt_misc
 * may have kept it in `executable`.
 */
static __always_inline void describe_script(struct scratch *scratch, struct task_struct *task,
					    struct linux_binprm *program)
{
	struct exec_record *record = &scratch->record;
	struct file *script = program->executable;
	long length;

	record->flags |= EXEC_SCRIPT;
	length = bpf_probe_read_kernel_str(scratch->text, SCRIPT_NAME_SIZE, program->filename);
	if (length > 0) {
		record->script_name_at = 0;
		record->script_name_length = length;
		scratch->used = length;
	}
	if (!script && &____fput &&
	    (bpf_core_field_exists(struct file, f_task_work) ||
	     bpf_core_field_exists(struct file___before_6_9, f_rcuhead)))
		script = released_program(task);
	if (!script)
		return;
	record->flags |= EXEC_SCRIPT_FILE;
	describe_file(scratch, &record->script, script, TEXT_SIZE / 2);
}

static __always_inline void describe_input(struct exec_record *record, struct task_struct *task)
{
	struct fdtable *table = task->files->fdt;
	struct file **files = table->fd;
	struct file *input = 0;
	struct socket *socket;
	struct inode *inode;
	struct sock *sock;

	record->family = 0;
	record->port = 0;
	if (!table->max_fds || bpf_probe_read_kernel(&input, sizeof(input), files) || !input)
		return;
	inode = GET(file, input, f_inode);
	if ((GET(inode, inode, i_mode) & S_IFMT) != S_IFSOCK)
		return;
	socket = BPF_CORE_READ(input, private_data);
	sock = BPF_CORE_READ(socket, sk);
	record->flags |= EXEC_SOCKET;
	record->family = BPF_CORE_READ(sock, __sk_common.skc_family);
	if (record->family == AF_INET) {
		bpf_core_read(record->address, 4, &sock->__sk_common.skc_daddr);
		record->port = __builtin_bswap16(BPF_CORE_READ(sock, __sk_common.skc_dport));
	} else if (record->family == AF_INET6) {
		bpf_core_read(record->address, ADDRESS_SIZE, &sock->__sk_common.skc_v6_daddr);
		record->port = __builtin_bswap16(BPF_CORE_READ(sock, __sk_common.skc_dport));
	}
}

static __always_inline void describe_ancestors(struct exec_record *record, struct task_struct *task)
{
	struct task_struct *parent = task;
	__u32 count = 0;

	for (int i = 0; i < ANCESTORS; i++) {
		parent = parent->real_parent->group_leader;
		/* The idle task is nobody's ancestor to speak of. */
		if (!parent->tgid)
			break;
		describe_process(&record->ancestor[i], parent);
		count = i + 1;
	}
	record->ancestors = count;
}

/* What is enforced for the task's cgroup: the flags of the nearest one that has any. */
static __noinline __u32 enforcement(struct task_struct *task)
{
	struct cgroup *cgroup;
	__u32 zero = 0, *count = bpf_map_lookup_elem(&enforced_count, &zero);

	if (!count || !*count)
		return 0;
	cgroup = constants.by_pids_cgroup ? pids_cgroup(task) : task->cgroups->dfl_cgrp;
	for (int i = 0; i < CGROUP_DEPTH && cgroup; i++) {
		__u64 id = cgroup->kn->id;
		__u32 *flags = bpf_map_lookup_elem(&enforced, &id);

		if (flags)
			return *flags;
		cgroup = cgroup->self.parent->cgroup;
	}
	return 0;
}

static __always_inline int is_forbidden(struct file_facts *file, __u32 flags)
{
	if ((flags & ENFORCE_MEMORY) && (file->flags & FILE_MEMORY))
		return 1;
	return (flags & ENFORCE_WRITTEN) && (file->flags & FILE_UPPER);
}

/*
 * The container's runtime is in the container's cgroup before it is in its mount namespace, and some
 * run a copy of themselves from memory: what still sees the host's mounts is left alone.
 */
static __always_inline void stop_if_forbidden(struct exec_record *record, struct task_struct *task)
{
	__u32 flags = enforcement(task);

	if (!flags || bpf_map_lookup_elem(&trusted_mounts, &record->mount_namespace))
		return;
	if (!is_forbidden(&record->file, flags) &&
	    !((record->flags & EXEC_SCRIPT_FILE) && is_forbidden(&record->script, flags)))
		return;
	if (!bpf_send_signal(SIGKILL))
		record->flags |= EXEC_STOPPED;
}

SEC("tp_btf/sched_process_exec")
int lazaret_exec(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct linux_binprm *program = (void *)arguments[2];
	__u32 zero = 0, used;
	struct scratch *scratch = bpf_map_lookup_elem(&scratches, &zero);
	struct exec_record *record;

	if (!scratch)
		return 0;
	record = &scratch->record;
	begin(&record->head, task, KIND_EXEC, 0);
	if (is_ignored(&record->head))
		return 0;
	scratch->used = 0;
	record->flags = 0;
	record->script_name_length = 0;
	describe_process(&record->process, task);
	record->uid = task->cred->euid.val;
	record->gid = task->cred->egid.val;
	record->mount_namespace = task->nsproxy->mnt_ns->ns.inum;
	record->root_device = task->fs->root.mnt->mnt_sb->s_dev;
	if (program->interp != program->filename)
		describe_script(scratch, task, program);
	describe_file(scratch, &record->file, program->file, TEXT_SIZE);
	describe_input(record, task);
	describe_ancestors(record, task);
	stop_if_forbidden(record, task);
	used = *(volatile __u32 *)&scratch->used;
	if (used > TEXT_SIZE)
		return 0;
	record->head.length = sizeof(*record) + used;
	submit(record, sizeof(*record) + used);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int lazaret_fork(__u64 *arguments)
{
	struct task_struct *parent = (void *)arguments[0];
	struct task_struct *child = (void *)arguments[1];
	struct fork_record record = {};

	/* A thread is no process. */
	if (child->pid != child->tgid)
		return 0;
	begin(&record.head, child, KIND_FORK, sizeof(record));
	if (is_ignored(&record.head))
		return 0;
	describe_process(&record.process, child);
	record.parent_pid = parent->tgid;
	record.parent_started_ns = parent->group_leader->start_boottime;
	submit(&record, sizeof(record));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int lazaret_exit(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct exit_record record = {};

	/* The process ends with its last thread, which need not be its first. */
	if (task->signal->live.counter)
		return 0;
	begin(&record.head, task, KIND_EXIT, sizeof(record));
	if (is_ignored(&record.head))
		return 0;
	describe_process(&record.process, task->group_leader);
	record.code = task->exit_code;
	submit(&record, sizeof(record));
	return 0;
}
