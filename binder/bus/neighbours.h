/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the snapshot: what is read of functions for the sake of others. */
#pragma once

#include "inventory.h"

/* Functions that a folder of sysfs names. */
struct listing {
	struct bdf *bdfs; /* NULL: only count */
	size_t count;
	size_t max;
};

/* Lists a folder of functions below /sys anew. 0, or -errno. */
int inventory_list(struct world *world, const char *path,
		   struct listing *listing) must_check nonnull(1, 2, 3);

/* Fills what follows the IDs, but for facts. 0, or -errno. */
int inventory_read_rest(struct world *world, struct pci_device *d) must_check
	nonnull(1, 2);

/* A function that went away meanwhile is not missed. */
void inventory_count_unread(struct inventory *inventory, int error) nonnull(1);

/*
 * Reads of @d, whose IDs are known, what the filter wants of it; the first @sorted devices are
 * in order. Whether it belongs into the inventory.
 */
bool inventory_examine(struct fact_reader *facts, struct inventory *inventory,
		       size_t sorted, struct pci_device *d) must_check nonnull(1, 2, 4);

/*
 * Adds what rules want along with a function that they name, read as fully as that one. Each
 * group is listed once, into @scratch.
 */
void companions_add(struct fact_reader *facts, struct inventory *inventory,
		    struct listing *scratch) nonnull(1, 2, 3);

/* Adds the members of the groups of all interesting devices. */
void neighbours_add(struct world *world, struct inventory *inventory,
		    struct listing *members) nonnull(1, 2, 3);
