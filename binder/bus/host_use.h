/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the system that runs uses at this moment: mounted disks and swap, disks that are a part
 * of another device, network interfaces that are up. Nothing of it before udev; much for a
 * binder that was started late or by hand, and all for one with --force on a live system.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "world.h"

/*
 * Marks the devices of @inventory that have a driver and something in use below them. What
 * cannot be read of mounts counts as mounted. Without such a driver nothing is read.
 */
void in_use_read(struct world *world, struct arena *arena, struct inventory *inventory)
	nonnull(1, 2, 3);
