/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel parameters that dracut puts into its images, by this machine's dracut.conf. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

/* Files of kernel parameters in an image, and on the machine: below /. */
#define DRACUT_CMDLINE_FILE   "etc/cmdline"
#define DRACUT_CMDLINE_FOLDER "etc/cmdline.d"

/*
 * What an image that dracut makes now would have in such files: kernel_cmdline= of dracut.conf,
 * which becomes 01-default.conf there, and those files that install_items= names. "" for nothing.
 * NULL if that cannot be told, with the reason in @ret_why: a sentence.
 */
const char *dracut_read_words(const char *sysroot, struct arena *arena,
			      const char **ret_why) nonnull(2, 3);

/*
 * The command line of the next boot where that adds something to the kernel's: those words, and
 * the running kernel's behind them. NULL where dracut is not what makes this machine's images, or
 * adds nothing that is known.
 */
const char *dracut_read_cmdline(struct world *world, const char *sysroot,
				struct arena *arena) nonnull(1, 3);

/*
 * The words of a file behind @words, up to "--", as dracut and the binder join files. NULL if there
 * is no memory.
 */
const char *dracut_add_words(struct arena *arena, const char *words, struct text bytes)
	nonnull(1);
