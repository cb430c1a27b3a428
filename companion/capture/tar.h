/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tar files: POSIX pax, as much of it as recordings need. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "text.h"

struct tar_writer {
	int (*put)(void *arg, struct text bytes); /* 0 or -errno */
	void *arg;
};

/*
 * @name is relative and has no slash at its end. Errors: -EINVAL for a name that would mean
 * something else, -ENAMETOOLONG from PATH_MAX on, -EFBIG from 8 GiB on; those of put().
 */
int tar_put_dir(struct tar_writer *w, const char *name) must_check nonnull(1, 2);
int tar_put_file(struct tar_writer *w, const char *name, struct text bytes) must_check
	nonnull(1, 2);
int tar_put_link(struct tar_writer *w, const char *name, const char *target) must_check
	nonnull(1, 2, 3);
int tar_put_end(struct tar_writer *w) must_check nonnull(1);

#define TAR_BLOCK 512

enum tar_type { TAR_FILE, TAR_DIR, TAR_LINK };

struct tar_entry {
	enum tar_type type;
	bool is_pax; /* @size bytes of records about the next entry follow */
	uint64_t size;
	bool has_name,
		has_target; /* from such records: those of the header do not count */
	char name[PATH_MAX];
	char target[PATH_MAX];
};

/*
 * Reads a header into @e, which keeps the name and target that records have set. -ENOENT at the
 * end, -EBADMSG if it is none, -ENOTSUP for another kind of entry.
 */
int tar_read_header(const unsigned char block[TAR_BLOCK], struct tar_entry *e) must_check
	nonnull(1, 2);
/* -EBADMSG */
int tar_read_pax(struct text records, struct tar_entry *e) must_check nonnull(2);
