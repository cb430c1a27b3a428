/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image that something is appended to: any that the kernel unpacks, never changed. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "arena.h"
#include "compiler.h"
#include "files.h"

struct original {
	const char *path;
	int fd;
	struct stat st;
	bool has_binder; /* found by original_copy() */
};

/*
 * Opens @path, and says what is wrong: that it cannot be read, begins as no initramfs does,
 * or is the file @output itself. -errno then.
 */
int original_open(struct original *o, const char *path, const char *output) must_check
	nonnull(1, 2, 3);

/* Copies all of it. Notices a binder in its plain parts, as an earlier append leaves one. */
int original_copy(struct original *o, struct new_file *to) must_check nonnull(1, 2);

/* The kernel's version that the name tells: initrd.img-VERSION; NULL if it tells none. */
const char *original_version(const struct original *o, struct arena *arena) nonnull(1, 2);
