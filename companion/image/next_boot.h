/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next boot will read, if its image is made of the configuration as it is now. */
#pragma once

#include "arena.h"
#include "boot_report.h"
#include "compiler.h"
#include "run.h"
#include "sources.h"
#include "world.h"

/* ---- drift ---- */

/* The rules of this boot against those that there are now. */

/*
 * What of the rules has changed since this boot, as a sentence with the remedy; "" if nothing
 * has, or if that cannot be told. Rules of the initramfs's own files do not count.
 */
const char *drift_describe(struct world *world, struct arena *arena,
			   const struct boot *boot) nonnull(1, 2, 3);

/*
 * Why there is no report, @error of boot_read() with @message about @path: off, nothing to do,
 * or earlybind did not run though there are rules. One sentence with the remedy.
 */
const char *drift_no_report(struct world *world, struct arena *arena, int error,
			    const char *path, const char *message) nonnull(1, 2, 4, 5);

/*
 * Reads the rules of @sources, modprobe.d and the command line (@cmdline, or the machine's if
 * it is NULL) into @ret->policy, as the binder will. Problems of the configuration are there
 * with their lines and columns; @ret_files is the configuration alone, with the critical
 * devices that are added to @sources. -errno, which is said.
 */
int next_boot_read(struct world *world, struct arena *arena, struct sources *sources,
		   const char *cmdline, struct policy *ret_files,
		   struct run *ret) must_check nonnull(1, 2, 3, 5, 6);

/*
 * The same with the table of a finished image in place of the configuration. An image without
 * a binder is an error.
 */
int next_boot_read_image(struct world *world, struct arena *arena, const char *image,
			 const char *cmdline, struct run *ret) must_check
	nonnull(1, 2, 3, 5);

/*
 * Then: every function into @run->inventory, with the facts that the rules and @filter (NULL:
 * none) ask for, and the plan of them. -ENOMEM, or -errno where there is no PCI bus.
 */
int next_boot_plan(struct world *world, struct arena *arena, inventory_filter filter,
		   const void *arg, struct run *run) must_check nonnull(1, 2, 5);
