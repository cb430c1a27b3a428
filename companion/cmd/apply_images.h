/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of "earlybind apply" share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "binder_copy.h"
#include "compiler.h"
#include "installed.h"
#include "options.h"
#include "rebuild.h"
#include "world.h"

#define EXIT_NO_IMAGES 3

struct apply_image {
	struct installed_image image;
	struct rebuild_verdict verdict;
	enum generator generator; /* who makes it now */
	const char *argv[REBUILD_ARGUMENTS_MAX];
	bool has_command;
	bool is_due;
	bool is_run; /* its command was run, for it or for another image */
	bool is_good; /* afterwards */
};

struct apply {
	/* Options. */
	bool is_dry_run, is_forced, is_verbose;
	struct strings kernels;
	struct strings configs;
	const char *sysroot;

	struct arena *arena;
	struct world *world;
	struct carrier carrier;
	struct apply_image images[INSTALLED_MAX];
	size_t count;
	unsigned installed; /* generators */
	size_t due_count;
	bool is_stuck; /* there is nothing to make one of them with */
	const char *obstacle; /* what keeps update-initramfs from doing anything */
};

/* Keeps a second one from running. Says who holds it; -errno. */
int apply_lock(void) must_check;

/* Makes what is due, or shows it; says how it ended, and gives the exit code. */
int apply_run(struct apply *a) must_check nonnull(1);
