/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tar files: POSIX pax, as much of it as recordings need. */
#pragma once

#include <stddef.h>

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
