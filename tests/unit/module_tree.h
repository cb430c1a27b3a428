/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module trees without depmod, and the loading of modules without a kernel: the system calls
 * are caught by seccomp and answered by the test.
 */
#pragma once

#include "tree.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define TRAP_ARGUMENT(u, i) \
	((u)->uc_mcontext.gregs[(i) == 0 ? REG_RDI : (i) == 1 ? REG_RSI : REG_RDX])
#define TRAP_RESULT(u) ((u)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define TRAP_ARGUMENT(u, i) ((u)->uc_mcontext.regs[i])
#define TRAP_RESULT(u)	    ((u)->uc_mcontext.regs[0])
#else
#error "which registers have the arguments of a system call?"
#endif

/* ---- modules.dep.bin (libkmod-index.c): a trie of big-endian numbers --------------------- */

struct index_entry {
	char key[64], value[512];
};

struct index_file {
	unsigned char bytes[65536];
	size_t size;
};

static inline void index_put(struct index_file *f, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		f->bytes[f->size++] = (unsigned char)(number >> shift);
}

static inline uint32_t index_node(struct index_file *f, const struct index_entry *entries,
				  size_t count, size_t depth, const char *prefix)
{
	const uint32_t has_values = 0x40000000, has_children = 0x20000000;
	uint32_t children[128] = {0}, flags = 0, at;
	unsigned first = 128, last = 0;
	const char *value = NULL;
	char below[64];

	for (size_t i = 0; i < count; i++) {
		unsigned c;

		if (strncmp(entries[i].key, prefix, depth) != 0)
			continue;
		c = (unsigned char)entries[i].key[depth];
		if (c == 0) {
			value = entries[i].value;
			continue;
		}
		first = c < first ? c : first;
		last = c > last ? c : last;
		if (children[c])
			continue;
		snprintf(below, sizeof(below), "%.*s%c", (int)depth, prefix, (int)c);
		children[c] = index_node(f, entries, count, depth + 1, below);
	}
	at = (uint32_t)f->size;
	if (first <= last) {
		flags |= has_children;
		f->bytes[f->size++] = (unsigned char)first;
		f->bytes[f->size++] = (unsigned char)last;
		for (unsigned c = first; c <= last; c++)
			index_put(f, children[c]);
	}
	if (value) {
		flags |= has_values;
		index_put(f, 1);
		index_put(f, 0);
		strcpy((char *)f->bytes + f->size, value);
		f->size += strlen(value) + 1;
	}
	return at | flags;
}

static inline void index_write(const char *root, const char *path,
			       const struct index_entry *entries, size_t count)
{
	static struct index_file f;
	uint32_t top;
	size_t size;
	FILE *file;

	f.size = 12;
	top = index_node(&f, entries, count, 0, "");
	size = f.size;
	f.size = 0;
	index_put(&f, 0xb007f457);
	index_put(&f, 0x00020001);
	index_put(&f, top);
	f.size = size;
	tree_write(root, path, "");
	file = fopen(tree_path(root, path), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(f.bytes, 1, f.size, file), f.size);
	assert_int_equal(fclose(file), 0);
}

/* ---- finit_module() and init_module() ------------------------------------------------- */

#define TRAP_FIRST(error) (-100000 - (error)) /* of the first call only */

struct trap {
	/* What the kernel is to answer: 0 or -errno. */
	int finit_error;
	int compressed_error; /* the same, of a file that is compressed */
	int init_error;

	/* What was asked of it. */
	char calls[2048]; /* "finit FILE", "finit-compressed FILE", "init BYTES": lines */
	char options[256]; /* of the last call */
	unsigned char bytes[8192]; /* of init_module() */
	size_t size;
};

static struct trap *trap; /* shared with the process that loads */

static inline void trap_call(int number unused, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	const char *options;
	char link[64], file[PATH_MAX] = "";
	size_t used = strlen(trap->calls);
	int error;

	if (info->si_syscall == SYS_init_module) {
		trap->size = MIN((size_t)TRAP_ARGUMENT(u, 1), sizeof(trap->bytes));
		memcpy(trap->bytes, (const void *)(uintptr_t)TRAP_ARGUMENT(u, 0),
		       trap->size);
		options = (const char *)(uintptr_t)TRAP_ARGUMENT(u, 2);
		error = trap->init_error;
		snprintf(trap->calls + used, sizeof(trap->calls) - used, "init %zu\n",
			 trap->size);
	} else {
		bool is_compressed = TRAP_ARGUMENT(u, 2) == 4;
		const char *name;
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d",
			 (int)TRAP_ARGUMENT(u, 0));
		n = readlink(link, file, sizeof(file) - 1);
		file[n > 0 ? n : 0] = '\0';
		/* The tree is told by the folder above its release. */
		name = strstr(file, "/modules/");
		while (name && name > file && name[-1] != '/')
			name--;
		options = (const char *)(uintptr_t)TRAP_ARGUMENT(u, 1);
		error = is_compressed ? trap->compressed_error : trap->finit_error;
		snprintf(trap->calls + used, sizeof(trap->calls) - used, "finit%s %s\n",
			 is_compressed ? "-compressed" : "", name ? name : file);
	}
	snprintf(trap->options, sizeof(trap->options), "%s", options);
	if (error < TRAP_FIRST(0))
		error = used == 0 ? error - TRAP_FIRST(0) : 0;
	TRAP_RESULT(u) = error;
}

/* In the process that loads, and for good. */
static inline void trap_arm(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_finit_module, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_init_module, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};
	struct sigaction action = {.sa_sigaction = trap_call, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGSYS, &action, NULL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("seccomp");
		_exit(99);
	}
}

static inline void trap_new(void)
{
	trap = mmap(NULL, sizeof(*trap), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(trap != MAP_FAILED);
}
