/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The binder as PID 1 (rdinit=/usr/lib/earlybind/binder), for images that nobody can put a
 * hook into. It mounts what binding needs, has a child do the binding, unmounts, and becomes
 * /init. The kernel panics when PID 1 ends, so what happens on the way there does not count.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "world.h"

/* How long the child may take; it has deadlines of its own, which are shorter. */
#define PID1_LIMIT (300 * SECOND)
/* And how long to die, once it is killed: in vain where it is stuck in the kernel. */
#define PID1_GRACE SECOND

/* What it asks of the kernel. 0 or -errno, unless said otherwise. */
struct pid1_ops {
	/* Takes the places of standard descriptors that are not open, until the exec. */
	int (*hold_descriptors)(void);
	int (*make_folder)(const char *path);
	bool (*is_type)(const char *path, long magic); /* of the file system there */
	int (*mount)(const char *type, const char *path, unsigned long flags);
	int (*unmount)(const char *path, int flags);
	pid_t (*fork)(void);
	void (*leave)(int code); /* ends the child: does not return */
	int (*wait)(pid_t pid, int *ret_status); /* never blocks: -EAGAIN: still there */
	int (*kill)(pid_t pid);
	uint64_t (*now)(void); /* monotonic, in microseconds */
	int (*pause)(uint64_t microseconds);
	int (*open_shell)(
		void); /* becomes a shell on the console; returns on failure only */
	int (*log)(enum log_level level, const char *line);
	int (*execute)(const char *path, char **argv); /* returns on failure only */
};

extern const struct pid1_ops pid1_ops; /* of the machine */

/*
 * Has @bind done by a child, which may ask for a shell by ending with @shell_code: then there
 * is one on the console, for as long as somebody stays in it. Becomes /init, with the arguments that the kernel gave in
 * @argv. Returns only if neither /init nor any of the kernel's own list (init/main.c:
 * kernel_init()) can be executed: then there is nothing left but the kernel's panic.
 */
void pid1_run(const struct pid1_ops *ops, char **argv, int (*bind)(void), int shell_code)
	nonnull(1, 2, 3);
