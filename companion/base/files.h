/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files in and out. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

/* ---- cleanup ---- */

/* For cleanup_with(). */

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* ---- locks ---- */

/*
 * Waits for the flock() of an open file, at most @seconds. 0; -EBUSY: another one has it; -errno: it
 * cannot be had, as in some file systems.
 */
int lock_take(int fd, unsigned seconds) must_check;

/* Lets go of it, also for what was started meanwhile and has it open, and closes the file: -1. */
void lock_release(int *fd) nonnull(1);

/*
 * Reads a file of at most @max bytes into @arena, NUL-terminated. -E2BIG if it is larger.
 * @ret_mode may be NULL.
 */
int file_read(const char *path, struct arena *arena, size_t max, struct text *ret,
	      mode_t *ret_mode) must_check nonnull(1, 2, 4);

/* The same for an open file, from where it stands. */
int file_read_fd(int fd, struct arena *arena, size_t max, struct text *ret) must_check
	nonnull(2, 4);

/* The same for a file of the world. */
int file_read_world(struct world *world, enum world_root root, const char *path,
		    struct arena *arena, size_t max, struct text *ret) must_check
	nonnull(1, 3, 4, 6);

/* All of @bytes, in as many writes as it takes. */
int file_write_fd(int fd, struct text bytes) must_check;

/*
 * For what is not the machine's own: results, images, files of a folder that is being made. A
 * file of the machine is changed by edit_file.h.
 *
 * A file that is written piece by piece and is there as a whole or not at all. */
struct new_file {
	const char *path;
	int fd;
	bool is_direct; /* no regular file: it is written into */
	char resolved[PATH_MAX]; /* what @path leads to, where it is a link */
	char temporary[PATH_MAX];
};

/*
 * A temporary file beside @path, which must live on. Finish or drop it. A link is followed and
 * kept. A device node or a pipe is never replaced: it is written into.
 */
int new_file_open(struct new_file *f, const char *path) must_check nonnull(1, 2);
int new_file_write(struct new_file *f, struct text bytes) must_check nonnull(1);
/* Replaces the path, with the permissions @mode. On failure nothing is left behind. */
int new_file_finish(struct new_file *f, mode_t mode) must_check nonnull(1);
void new_file_drop(struct new_file *f) nonnull(1);

/* Replaces @path as a whole or not at all; it gets the permissions @mode. */
int file_replace(const char *path, struct text bytes, mode_t mode) must_check nonnull(1);

/* @path below @sysroot, which may be NULL. NULL if out of memory. */
const char *path_below(struct arena *arena, const char *sysroot,
		       const char *path) must_check nonnull(1, 3);

/*
 * Makes the folders on the way to the file @path, of which the first @base bytes exist. The
 * path is changed and restored meanwhile. 0 or -errno.
 */
int folders_make(char *path, size_t base) must_check nonnull(1);
