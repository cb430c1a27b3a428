/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an installed image must be made anew, why, and by which command. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "binder_copy.h"
#include "compiler.h"
#include "findings.h"
#include "installed.h"
#include "world.h"

enum rebuild_state {
	REBUILD_CURRENT, /* it is as a new one would be */
	REBUILD_STALE,
	REBUILD_ABSENT, /* the kernel has no image */
};

/* What an image is, by its bytes. */
struct rebuild_verdict {
	enum generator made_by;
	enum rebuild_state state;
	const char *
		reason; /* a part of a sentence: why it must be made anew, or "up to date" */
	/* Somebody else's hook or module may have put it there: it is tried, and then it is good. */
	bool is_doubtful;
	bool has_failed; /* the checks: @findings has more */
};

/* What images are compared with. */
struct rebuild_machine {
	const char *sysroot; /* NULL for / */
	struct world *world;
	const struct binder_copy *binder_copy;
	bool has_rules; /* of the next boot, wherever they stand */
};

/*
 * Reads one image and compares it with @machine: the binder that is installed, with the
 * configuration, modprobe.d and dracut.conf. @findings gets the findings of the checks. Their texts are in @arena, which
 * the image itself does not burden.
 */
struct rebuild_verdict rebuild_judge(const struct installed_image *image,
				     const struct rebuild_machine *machine,
				     struct arena *arena, struct findings *findings)
	nonnull(1, 2, 3, 4);

#define REBUILD_ARGUMENTS_MAX 8

/*
 * The command by which @generator makes the image: words, the last one NULL. False if it
 * makes none.
 */
bool rebuild_command(enum generator generator, const struct installed_image *image,
		     const char *ret_argv[static REBUILD_ARGUMENTS_MAX]) must_check
	nonnull(2, 3);

/* What makes this copy, as one line; NULL: the generator makes the image itself. */
const char *rebuild_copy_command(const struct installed_image *image, struct arena *arena)
	nonnull(1, 2);

/*
 * Why update-initramfs will not update anything though it says so, by its configuration
 * update-initramfs.conf; NULL if it will, or if that file is not understood.
 */
const char *rebuild_obstacle(struct text conf, struct arena *arena) nonnull(2);
