/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next boot will read, if its image is made of the configuration as it is now. */
#pragma once

#include "arena.h"
#include "boot_report.h"
#include "compiler.h"
#include "run.h"
#include "sources.h"
#include "virtual_functions.h"
#include "world.h"

struct check;

/* ---- this boot, and the rules as they are now ---- */

enum boot_state {
	BOOT_FINE,
	BOOT_NOT_BOUND, /* a device is not as a rule of this boot wants it */
	BOOT_NO_RULES,
	BOOT_NO_EARLYBIND, /* the binder did not run, though there are rules */
	BOOT_OLD_RULES, /* all is as this boot's rules want it, and they are not those of now */
	BOOT_OFF,
	BOOT_NO_REPORT, /* there is one, and it cannot be read */
};

/* "old-rules" */
const char *boot_state_word(enum boot_state state);

/* Whether all devices are as the rules of this boot want them. */
bool boot_state_is_ok(enum boot_state state);

struct boot_view {
	struct boot
		boot; /* with what came late or by hand; the rest is empty without a report */
	enum boot_state without; /* why there is no report; BOOT_FINE: there is one */
	const char *why; /* the same as a sentence with the remedy; NULL: there is one */
	const char *drift; /* what of the rules has changed since, a sentence; "" */
	struct vfs_rules vfs; /* of this boot, by what is there now */
};

/* Whatever is wrong with the report is part of the view. -ENOMEM. */
int boot_view_read(struct world *world, const char *sysroot, struct arena *arena,
		   struct boot_view *ret) must_check nonnull(1, 3, 4);

/* The one word for all of it, with every function that it speaks of in @now. */
enum boot_state boot_view_state(const struct boot_view *view, const struct inventory *now)
	nonnull(1, 2);

/*
 * Reads the rules of @sources, modprobe.d and the command line (@cmdline, or the machine's if
 * it is NULL: with what dracut adds below @sysroot) into @ret->policy, as the binder will. Problems of the configuration are there
 * with their lines and columns; @ret_files is the configuration alone, with the critical
 * devices that are added to @sources. -errno, which is said.
 */
int next_boot_read(struct world *world, const char *sysroot, struct arena *arena,
		   struct sources *sources, const char *cmdline, struct policy *ret_files,
		   struct run *ret) must_check nonnull(1, 3, 4, 6, 7);

/* The same of the machine's own files, for those who need no line of them. -errno, said. */
int next_boot_read_own(struct world *world, const char *sysroot, struct arena *arena,
		       struct run *ret) must_check nonnull(1, 3, 4);

/*
 * The same with the table of a finished image in place of the configuration. An image without
 * a binder is an error.
 */
int next_boot_read_image(struct world *world, struct arena *arena, const char *image,
			 const char *cmdline, struct run *ret) must_check
	nonnull(1, 2, 3, 5);

/* The same of an image that is open: @c after check_open(). -errno, with a sentence. */
int next_boot_read_opened(struct world *world, const struct check *c, const char *cmdline,
			  struct run *ret, const char **ret_message) must_check
	nonnull(1, 2, 4, 5);

/*
 * Then: every function into @run->inventory, with the facts that the rules and @filter (NULL:
 * none) ask for, and the plan of them, as the next boot has them (virtual_functions.h). -ENOMEM,
 * or -errno where there is no PCI bus.
 */
int next_boot_plan(struct world *world, struct arena *arena, inventory_filter filter,
		   const void *arg, struct run *run) must_check nonnull(1, 2, 5);
