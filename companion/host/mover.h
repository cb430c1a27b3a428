/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who moved a device after the boot, and when, as far as it can be read: the kernel log, the
 * database of udev, the files of driverctl and the domains of libvirt. Nothing of it is a proof.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "text.h"
#include "world.h"

struct mover {
	struct world *world;
	struct arena *arena;
	const char *sysroot; /* NULL for / */
	bool is_read; /* the kernel log, once for all devices */
	int error; /* why it cannot be read; 0 */
	struct text log;
};

#define MOVER_LINES 3

/*
 * What there is to say of @d, which is no longer as the boot left it: when, what the kernel log
 * has, and who. A sentence each; how many. A recording has no kernel log.
 */
size_t mover_describe(struct mover *mover, const struct pci_device *d,
		      const char *ret_lines[static MOVER_LINES]) must_check
	nonnull(1, 2, 3);
