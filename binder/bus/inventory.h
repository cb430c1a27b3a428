/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sorted snapshot of the PCI functions that a run is about. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "device.h"
#include "facts.h"
#include "iommu.h"
#include "policy.h"
#include "selector.h"
#include "world.h"

#define FUNCTIONS_MAX 65536

/* Below /sys. */
#define SYSFS_PCI_DEVICES "bus/pci/devices"
#define SYSFS_PCI_DRIVERS "bus/pci/drivers"

struct inventory {
	struct pci_device *devices; /* sorted by address */
	size_t count;
	struct pci_device **by_group; /* sorted by group, then by address */
	const struct bdf *functions; /* of the whole machine, sorted */
	size_t function_count;
	size_t unread_count; /* that are there, but of which something could not be read */
	struct iommu iommu;
	bool is_early; /* before udev: what has no driver yet may get its own one later */
	bool is_cut; /* more than FUNCTIONS_MAX functions: the rest is not known */
};

/*
 * Reads the PCI bus from sysfs attributes. One read per function gives its IDs; only where
 * @filter wants it, more is read, and the members of its IOMMU group are added. All displays
 * are kept. @filter NULL keeps all. -ENOENT if there is no PCI bus in /sys, -ENOMEM if @arena
 * is too small. A function of which @filter asks for a fact that cannot be read is unread:
 * a keep rule might have been about it, so none may act on it.
 */
int inventory_read(struct world *world, struct arena *arena, inventory_filter filter,
		   const void *arg, struct inventory *ret) must_check nonnull(1, 2, 5);

/* The path of an attribute of a function, below /sys. */
const char *inventory_attribute(struct bdf bdf, const char *name,
				char buf[static JOB_PATH_SIZE]) nonnull(2);

/* The device at an address, or NULL. */
struct pci_device *inventory_find(const struct inventory *inventory, struct bdf bdf)
	nonnull(1);

/* The members of a group that are known: *ret_count of them, in the order of addresses. */
struct pci_device *const *inventory_group(const struct inventory *inventory, int group,
					  size_t *ret_count) nonnull(1, 3);

/*
 * The Intel VMD controller that @d is behind; NULL if it is behind none. Its driver makes the bus,
 * in a domain from 0x10000 on (drivers/pci/controller/vmd.c: vmd_find_free_domain()), and all
 * DMA is the controller's, so that both are in one group.
 */
const struct pci_device *inventory_find_vmd(const struct inventory *inventory,
					    const struct pci_device *d) nonnull(1, 2);

/*
 * "A", "A and B", "A, B and 3 more": the addresses of the first @shown of @count devices. NULL
 * if out of memory.
 */
const char *addresses_format(const struct pci_device *const *devices, size_t shown,
			     size_t count, struct arena *arena) nonnull(4);

/* world_ops.enter() for the folder of a function. */
void inventory_enter(struct world *world, struct bdf bdf) nonnull(1);

/*
 * Whether one of its card or of its group is there with which a rule may want the function at
 * @bdf: asks these only, not the whole bus.
 */
bool companion_is_possible(struct fact_reader *facts, struct bdf bdf) must_check
	nonnull(1);

/* What a function says it is. 0, or -errno: -ENOENT if it is not there. */
int inventory_read_ids(struct world *world, struct bdf bdf,
		       struct pci_ids *ret) must_check nonnull(1, 3);

/*
 * The name of the driver that has the device now, "" for none. 0, or -errno; -ENODEV if the
 * device is gone.
 */
int inventory_read_driver(struct world *world, struct bdf bdf,
			  char driver[static DRIVER_NAME_SIZE]) must_check nonnull(1);

/* The same, but -ENOENT both for no driver and for no device: one look less. */
int inventory_read_link(struct world *world, struct bdf bdf,
			char driver[static DRIVER_NAME_SIZE]) nonnull(1);

/* The number of its IOMMU group, NO_GROUP where it has none or it cannot be read: -errno. */
int inventory_read_group(struct world *world, struct bdf bdf, int *ret) nonnull(1, 3);

/*
 * How many virtual functions it has, at most VFS_MAX: by its links, since reading sriov_numvfs
 * takes the device's lock, which a probe may hold for ever (drivers/pci/iov.c:
 * sriov_numvfs_show()).
 */
unsigned inventory_count_vfs(struct world *world, struct bdf bdf) nonnull(1);

bool pci_is_display(const struct pci_ids *ids) nonnull(1);
