/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that "earlybind capture" wrote, in place of a tree: --sysroot FILE. */
#pragma once

#include "compiler.h"
#include "text.h"

/*
 * @path itself if it is a folder, or nothing. A recording, compressed by gzip or not, is unpacked
 * into a folder of our own, which goes when the program ends; its name is returned. NULL: said.
 */
const char *recording_open(const char *path) nonnull(1);

/* ---- tar: POSIX pax, as much of it as recordings need ---- */

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
