/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a cpio archive of the format newc, as the kernel unpacks it (init/initramfs.c). The
 * same entries give the same bytes: owner root, one time for all, inodes counted.
 */
#pragma once

#include <stdint.h>

#include "compiler.h"
#include "text.h"

/* Longer names are passed over by the kernel, silently: with its NUL, PATH_MAX is all. */
#define CPIO_NAME_MAX 4095
/* What cpio(1) pads archives to: a second one behind this one begins where it should. */
#define CPIO_BLOCK 512

struct cpio_writer {
	int (*put)(void *arg, struct text bytes); /* 0 or -errno */
	void *arg;
	uint32_t mtime; /* of all entries, in seconds since 1970 */
	uint32_t inode; /* of the last entry */
	uint64_t written; /* bytes */
};

/*
 * @name is relative and has no slash at its end. Errors: -ENAMETOOLONG; -EINVAL for a name
 * that would mean something else; -EFBIG for a file that the format has no digits for, from
 * 4 GiB on; those of put().
 */
int cpio_put_dir(struct cpio_writer *w, const char *name) must_check nonnull(1, 2);
int cpio_put_file(struct cpio_writer *w, const char *name, unsigned mode,
		  struct text bytes) must_check nonnull(1, 2);

/* The trailer, and NUL bytes up to a multiple of CPIO_BLOCK. */
int cpio_put_end(struct cpio_writer *w) must_check nonnull(1);
