/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host uses a PCI function for, now: disks that are mounted, network interfaces that
 * are up, displays. Read from sysfs and /proc, once for all functions.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "world.h"

enum usage_kind {
	USAGE_DISK, /* a block device, in use through partitions, dm, md or not at all */
	USAGE_NETWORK, /* a network interface */
	USAGE_DISPLAY, /* a DRM card or a framebuffer */
	USAGE_VFIO, /* a process has its /dev/vfio node open */
};

struct usage {
	struct bdf bdf;
	enum usage_kind kind;
	const char *name; /* "nvme0n1", "eth0", "card0" */
	const char *what; /* "mounted on /, /boot", "up, default route", "the console" */
	bool is_in_use; /* the host would notice the loss */
	/* The machine could be lost with it: /, /boot, /usr or swap on it, the default route,
	 * the only display or the console. */
	bool is_critical;
};

struct usages {
	struct usage *items; /* sorted by address, then by kind and name */
	size_t count;
};

/* What cannot be read is left out. -ENOMEM. */
int usages_read(struct world *world, struct arena *arena, struct usages *ret) must_check
	nonnull(1, 2, 3);

/* The first usage of a function, or NULL; *ret_count of them follow one another. */
const struct usage *usages_find(const struct usages *usages, struct bdf bdf,
				size_t *ret_count) nonnull(1, 3);
