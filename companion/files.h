/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files in and out. */
#pragma once

#include <sys/stat.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

/*
 * Reads a file of at most @max bytes into @arena, NUL-terminated. -E2BIG if it is larger.
 * @ret_mode may be NULL.
 */
int file_read(const char *path, struct arena *arena, size_t max, struct text *ret,
	      mode_t *ret_mode) must_check nonnull(1, 2, 4);

/* The same for a file of the world. */
int file_read_world(struct world *world, enum world_root root, const char *path,
		    struct arena *arena, size_t max, struct text *ret) must_check
	nonnull(1, 3, 4, 6);

/* Replaces @path as a whole or not at all; it gets the permissions @mode. */
int file_replace(const char *path, struct text bytes, mode_t mode) must_check nonnull(1);

/* @path below @sysroot, which may be NULL. NULL if out of memory. */
const char *path_below(struct arena *arena, const char *sysroot,
		       const char *path) must_check nonnull(1, 3);
