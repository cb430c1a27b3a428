/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process that reads foreign bytes and can do nothing else: what it decodes may be
 * made to break a decoder. It has no files but the socket to the parent, no new privileges,
 * limits of memory and time, and a list of the few system calls that it may use, where the
 * kernel has seccomp. The parent takes its answer as foreign bytes as well.
 *
 * A child either answers once, or serves: it takes questions until the parent has no more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define CONFINED_BUFFER ((size_t)64 * 1024)
#define CONFINED_CHANGED \
	"it was changed while it was read: try again when nobody writes it"

struct confined {
	/* The answer may take; of a child that serves, each of them. 0: CONFINED_SECONDS */
	unsigned seconds;
	/* Called in the child before it is confined: opens and maps what it is to read. Or NULL. */
	void (*prepare)(void *arg);
	/* It may look for files and open them, and use all system calls that this needs. */
	bool has_files;

	pid_t pid;
	int fd;
	uint64_t until;
	bool is_ended; /* there are no more bytes */
	size_t at, filled;
	char buffer[CONFINED_BUFFER];
};

/* The child's side of the socket. */
struct confined_out {
	int fd;
	size_t used;
	char buffer[CONFINED_BUFFER];
};

/*
 * Calls @run in the child, which ends when it returns. Then it can open no file. 0 or -errno.
 */
int confined_start(struct confined *c, void (*run)(void *arg, struct confined_out *out),
		   void *arg) must_check nonnull(1, 2);

/* Takes @n bytes of the answer. -EPIPE: there are no more; -ETIMEDOUT. */
int confined_read(struct confined *c, void *buf, size_t n) must_check nonnull(1, 2);

/* Takes what confined_put_text() gave, at most @max bytes (-EPROTO), with a NUL behind them. */
int confined_read_text(struct confined *c, size_t max, struct arena *arena,
		       struct text *ret) must_check nonnull(1, 3, 4);

/* Asks a child that serves. -EPIPE: it is gone. */
int confined_ask(struct confined *c, const void *question, size_t n) must_check
	nonnull(1, 2);

/*
 * Ends the child. Why it ended by itself, where confined_read() met the end, or took too long: a
 * sentence; NULL if nothing is known.
 */
const char *confined_end(struct confined *c) nonnull(1);

/* In the child: adds to the answer. If the parent is gone the child ends. */
void confined_put(struct confined_out *out, const void *bytes, size_t n) nonnull(1, 2);
void confined_put_text(struct confined_out *out, struct text t) nonnull(1);

/* In the child: sends what there is of the answer. */
void confined_flush(struct confined_out *out) nonnull(1);

/* In a child that serves: sends the answer, and takes the next question. Ends it if there is none. */
void confined_take(struct confined_out *out, void *question, size_t n) nonnull(1, 2);
