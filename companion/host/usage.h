/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host uses a PCI function for, now: disks that are mounted, network interfaces that
 * are up, displays, keyboards. Read from sysfs and /proc, once for all functions.
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
	USAGE_INPUT, /* a keyboard */
	USAGE_NODE, /* a device node of it that a process has open */
	USAGE_VFIO, /* the same of /dev/vfio: a VM */
};

struct usage {
	struct bdf bdf;
	enum usage_kind kind;
	const char *name; /* "nvme0n1", "eth0", "card0" */
	const char *what; /* "mounted on /, /boot", "up, default route", "the console" */
	bool is_in_use; /* the host would notice the loss */
	/* The machine could be lost with it: /, /boot, /usr or swap on it, what it resumes from,
	 * the default route or the network that it boots from, the only display or the console,
	 * all keyboards of the console. */
	bool is_critical;
};

/* What the root file system is on: whether this is the machine that runs from it. */
enum usage_root {
	ROOT_UNKNOWN, /* an overlay, a folder, none: a live system, a container, a chroot */
	ROOT_OTHER, /* on devices that cannot be told: ZFS, a disk without a PCI function */
	ROOT_NETWORK,
	ROOT_DISK,
};

struct usages {
	struct usage *items; /* sorted by address, then by kind and name */
	size_t count;
	enum usage_root root;
};

/* What cannot be read is left out. -ENOMEM. */
int usages_read(struct world *world, struct arena *arena, struct usages *ret) must_check
	nonnull(1, 2, 3);

/* The first usage of a function, or NULL; *ret_count of them follow one another. */
const struct usage *usages_find(const struct usages *usages, struct bdf bdf,
				size_t *ret_count) nonnull(1, 3);
