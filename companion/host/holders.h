/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes have device nodes open: the links below /proc/PID/fd. Other users'
 * processes show theirs to root only.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "inventory.h"
#include "usage.h"
#include "world.h"

struct holder {
	unsigned pid;
	const char *command; /* /proc/PID/comm */
	const char *node; /* "/dev/vfio/1" */
	enum holder_owner {
		OWNER_UNKNOWN,
		OWNER_NONE, /* sysfs shows the node below no function */
		OWNER_FUNCTION,
	} has_owner;
	struct bdf owner; /* the function that sysfs shows it below */
	const struct holder *next;
};

struct holders {
	const char *sysroot; /* NULL for / */
	struct arena *arena;
	const struct holder *first;
};

/* What cannot be read is left out. -ENOMEM. */
int holders_read(struct world *world, struct arena *arena, const char *sysroot,
		 struct holders *ret) must_check nonnull(1, 2, 4);

/*
 * Those that have a node of the function open, one for each process: nodes that stand below
 * the function in sysfs, its group's node of vfio, and for the driver nvidia, which has none
 * there, the nodes of all its cards. At most @max; how many there are.
 */
size_t holders_find(const struct holders *holders, const struct pci_device *device,
		    const struct holder **ret, size_t max) must_check nonnull(1, 2, 3);

/*
 * What uses the function: its disks, networks, displays and keyboards, then the nodes that
 * processes have open, at most four of them. NULL and 0 for nothing, or no memory.
 */
const struct usage *holders_find_usages(const struct holders *holders,
					const struct usages *usages,
					const struct pci_device *device,
					size_t *ret_count) nonnull(1, 2, 3, 4);

/* ---- vfio's nodes ---- */

/*
 * "/dev/vfio/devices/vfio0", which kernels since 6.6 have beside the group's node or in its place
 * (drivers/vfio/vfio_main.c: vfio_init_device()); NULL if sysfs shows none.
 */
const char *vfio_device_node(struct world *world, struct arena *arena, struct bdf bdf)
	nonnull(1, 2);

/* Whether @path is there below @sysroot, which may be NULL. */
bool vfio_has_node(const char *sysroot, struct arena *arena, const char *path,
		   struct stat *ret) nonnull(2, 3, 4);

/* Whether there is iommufd and no container: a kernel without CONFIG_VFIO_GROUP. */
bool vfio_is_iommufd_alone(const char *sysroot, struct arena *arena) nonnull(2);
