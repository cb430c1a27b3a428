/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process that reads foreign bytes and can do nothing else: what it decodes may be
 * made to break a decoder. It has no files but the pipe to the parent, no new privileges,
 * limits of memory and time, and a list of the few system calls that it may use, where the
 * kernel has seccomp. The parent takes its answer as foreign bytes as well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "text.h"

#define CONFINED_BUFFER ((size_t)64 * 1024)
#define CONFINED_CHANGED \
	"it was changed while it was read: try again when nobody writes it"

struct confined {
	unsigned seconds; /* it may take; 0: CONFINED_SECONDS */

	pid_t pid;
	int fd;
	uint64_t until;
	bool is_ended; /* there are no more bytes */
	size_t at, filled;
	char buffer[CONFINED_BUFFER];
};

/* The child's side of the pipe. */
struct confined_out {
	int fd;
	size_t used;
	char buffer[CONFINED_BUFFER];
};

/*
 * Calls @run in the child, which ends when it returns. What the child maps of files and the
 * like must be mapped before. 0 or -errno.
 */
int confined_start(struct confined *c, void (*run)(void *arg, struct confined_out *out),
		   void *arg) must_check nonnull(1, 2);

/* Takes @n bytes of the answer. -EPIPE: there are no more; -ETIMEDOUT. */
int confined_read(struct confined *c, void *buf, size_t n) must_check nonnull(1, 2);

/*
 * Ends the child. Why it ended by itself, where confined_read() met the end, or took too long: a
 * sentence; NULL if nothing is known.
 */
const char *confined_end(struct confined *c) nonnull(1);

/* In the child: adds to the answer. If the parent is gone the child ends. */
void confined_put(struct confined_out *out, const void *bytes, size_t n) nonnull(1, 2);
