/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * One small program for each kind of attachment, to find out what this kernel loads, attaches and
 * really calls. None changes anything: they count how often they were called for one process.
 */
#include "kernel.h"

#define SIGKILL 9

char LICENSE[] SEC("license") = "GPL";

/* The process that tries the capability out: others do not move the counter. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} prober SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static __always_inline void count(void)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&calls, &zero);

	if (value)
		__sync_fetch_and_add(value, 1);
}

static __always_inline int concerns(__u32 tgid)
{
	__u32 zero = 0, *wanted = bpf_map_lookup_elem(&prober, &zero);

	return wanted && *wanted == tgid;
}

static __always_inline int concerns_current(void)
{
	return concerns(bpf_get_current_pid_tgid() >> 32);
}

SEC("tp_btf/sched_process_exec")
int probe_exec(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];

	if (concerns(task->tgid) || concerns(task->real_parent->tgid))
		count();
	return 0;
}

SEC("tp_btf/sched_process_fork")
int probe_fork(__u64 *arguments)
{
	struct task_struct *parent = (void *)arguments[0];

	if (concerns(parent->tgid))
		count();
	return 0;
}

SEC("tp_btf/sched_process_exit")
int probe_exit(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];

	if (concerns(task->tgid))
		count();
	return 0;
}

SEC("tp_btf/sched_process_fork")
int probe_ring(__u64 *arguments)
{
	struct task_struct *parent = (void *)arguments[0];
	__u64 value = 1;

	if (concerns(parent->tgid) && !bpf_ringbuf_output(&ring, &value, sizeof(value), 0))
		count();
	return 0;
}

/* Whether the program is `true`, the one that the prober starts for this. */
static __always_inline int is_true(struct task_struct *task)
{
	return task->comm[0] == 't' && task->comm[1] == 'r' && task->comm[2] == 'u' &&
	       task->comm[3] == 'e' && !task->comm[4];
}

/* Kills the program that the prober started, and no other of its children. */
SEC("tp_btf/sched_process_exec")
int probe_signal(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];

	if (concerns(task->real_parent->tgid) && is_true(task) && !bpf_send_signal(SIGKILL))
		count();
	return 0;
}

SEC("lsm/file_open")
int probe_lsm(__u64 *arguments)
{
	(void)arguments;
	if (concerns_current())
		count();
	return 0;
}

SEC("fentry/do_sys_openat2")
int probe_fentry(__u64 *arguments)
{
	(void)arguments;
	if (concerns_current())
		count();
	return 0;
}

SEC("kprobe/do_sys_openat2")
int probe_kprobe(void *registers)
{
	(void)registers;
	if (concerns_current())
		count();
	return 0;
}

/* 1 lets the connection pass. */
SEC("cgroup/connect4")
int probe_connect(void *address)
{
	(void)address;
	count();
	return 1;
}
