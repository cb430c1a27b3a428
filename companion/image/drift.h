/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of this boot against those that there are now. */
#pragma once

#include "arena.h"
#include "boot_report.h"
#include "compiler.h"
#include "world.h"

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
