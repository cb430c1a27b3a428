/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where this program runs: in an initramfs, where devices may be touched, or on a live system. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"
#include "world.h"

/* Whether / is in memory. So is that of some live systems and containers. */
bool initramfs_is_memory(void);

/*
 * Whether / is the kernel's own first file system, of type rootfs in @mountinfo
 * (/proc/self/mountinfo, fs/proc_namespace.c: show_mountinfo()). After the switch to the real
 * root, in a chroot and in a container, it cannot be reached and is in no line.
 */
bool initramfs_is_rootfs(struct text mountinfo);

/* Both; only the former if there is no /proc to ask. */
bool initramfs_is_here(struct world *world) nonnull(1);
