/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copy of the binder that carries the configuration in its table. */
#pragma once

#include <sys/stat.h>

#include "arena.h"
#include "compiler.h"
#include "options.h"
#include "policy.h"
#include "sources.h"
#include "text.h"

struct binder_copy {
	bool is_without_critical; /* wanted: no critical devices are looked for */
	bool is_generic; /* wanted: nothing of this machine is recorded */
	bool is_image_build; /* wanted: an error in the configuration is no obstacle */
	struct sources sources;
	struct policy policy;
	const struct table_section *section;
	size_t length; /* of the table's text */
	struct text bytes; /* the binder */
	mode_t mode;
	const char *
		mark; /* why its rules are earlier ones, for the image; NULL: they are not */
};

/*
 * Reads the configuration, @configs or what is below @sysroot (NULL for /), and what is
 * to be recorded of the machine, and makes the table of it. Says what is wrong, each problem with file, line and column; -errno then.
 * With is_image_build these are warnings, the last valid rules of the machine are taken, or
 * none, and c->mark says so; rules that are valid are kept for that.
 */
int binder_copy_configure(struct binder_copy *c, const char *sysroot,
			  const struct strings *configs, struct arena *arena) must_check
	nonnull(1, 3, 4);

/* Then: the binder, @path or the one below @sysroot, with the table in it. */
int binder_copy_load(struct binder_copy *c, const char *sysroot, const char *path,
		     struct arena *arena) must_check nonnull(1, 4);

/* "2 rules from /etc/earlybind.conf", "no configuration" */
const char *binder_copy_describe(const struct binder_copy *c, struct arena *arena)
	nonnull(1, 2);

/* The binder's file and where its table is. Says what is wrong. @ret_mode may be NULL. */
int binder_read(const char *path, struct arena *arena, struct text *ret_bytes,
		size_t *ret_offset, mode_t *ret_mode) must_check nonnull(1, 2, 3, 4);
