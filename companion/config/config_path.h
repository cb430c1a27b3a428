/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file that the companion writes. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

struct config_file_place {
	const char *name; /* as users know it: without the sysroot */
	const char *path; /* of the file itself, behind symbolic links */
	bool is_new; /* it does not exist yet */
	struct stat stat; /* unless it is new */
};

/*
 * Finds the file: @name if it is not NULL, otherwise earlybind.conf below @sysroot (which may
 * be NULL). Links are followed, absolute ones from the sysroot on. Says what is wrong: it is
 * no file, or cannot be looked at; -errno.
 */
int config_file_find(struct arena *arena, const char *sysroot, const char *name,
		     struct config_file_place *ret) must_check nonnull(1, 4);

/*
 * Replaces the file as a whole or not at all. It keeps permissions and owner; a new one gets
 * 0644. Says what is wrong; -errno.
 */
int config_file_write(const struct config_file_place *place, struct text bytes) must_check
	nonnull(1);
