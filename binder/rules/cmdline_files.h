/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's command line: the kernel's own and, in an initramfs, dracut's files. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "policy.h"
#include "world.h"

#define CMDLINE_FILES_MAX     32 /* in each of dracut's folders */
#define CMDLINE_FILE_SIZE_MAX ((size_t)16 * 1024)

/*
 * Adds the command line to @policy. With @has_files, these count too, in the order in which
 * dracut joins them (dracut-lib.sh: getcmdline()), so that the last one wins as there:
 *
 *   /etc/cmdline.d/NAME.conf, /etc/cmdline, the kernel's, /run/initramfs/cmdline.d/NAME.conf
 *
 * In them a line end is a blank, and there are no comments. What cannot be read is recorded
 * as a lost source; what is not there is no problem.
 */
void cmdline_read(struct world *world, struct arena *arena, bool has_files,
		  struct policy *policy) nonnull(1, 2, 4);
