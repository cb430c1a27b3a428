/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image has of rules beside its table: modprobe.d, dracut's command line files. */
#pragma once

#include <limits.h>

#include "arena.h"
#include "compiler.h"
#include "image_check.h"
#include "image_read.h"
#include "world.h"

/* Whether the data of this file of an image are looked at for it. */
bool image_options_want(const char *path) nonnull(1);

/*
 * What the image's modprobe.d says of vfio's modules, as the binder will read it. libkmod reads
 * files, so they are unpacked below /tmp meanwhile. -errno.
 */
int image_options_read(const struct tree *tree, struct job_result *ret) must_check
	nonnull(1, 2);

/*
 * The command line of a boot with this image: dracut's own files of it, /etc/cmdline.d/NAME.conf
 * and /etc/cmdline, in front of the kernel's, @cmdline (binder/rules/policy.h). NULL without
 * memory.
 */
const char *image_options_cmdline(const struct tree *tree, struct arena *arena,
				  struct text cmdline) must_check nonnull(1, 2);

/*
 * Compares the image's modprobe.d with that of check->sysroot: options of vfio's modules,
 * soft dependencies on them, and, where the generator copies all of it, what is blacklisted. Of an
 * image of dracut's also the words for vfio and the binder in its command line files, with those
 * of the machine's dracut.conf.
 */
void check_options(struct check *check) nonnull(1);
