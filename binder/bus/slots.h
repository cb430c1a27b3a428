/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The physical slots of one snapshot, and the slots that a function is in. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "slot.h"
#include "world.h"

#define SLOTS_MAX 1024

/* Below /sys. */
#define SYSFS_PCI_SLOTS "bus/pci/slots"

/* The slots of one snapshot: read when the first function asks for its own. */
struct slots {
	bool is_read;
	int error; /* why they could not be read; 0 */
	struct slot *items; /* in the arena */
	size_t count;
};

/*
 * The names of the slots that a function is in, joined by '/', the outermost first; "" for
 * none. A slot has the address of a device or of a bus (drivers/pci/slot.c:
 * address_read_file()); a function is in it if it has that address, or a bridge above it has.
 * A virtual function is where its card is, on whatever bus. 0, or -errno: -E2BIG if there are
 * more than SLOTS_MAX. The attributes that are read take no lock.
 */
int slots_find(struct slots *slots, struct world *world, struct arena *arena,
	       struct bdf bdf, const char **ret) must_check nonnull(1, 2, 3, 5);
