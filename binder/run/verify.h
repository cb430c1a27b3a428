/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads back what the kernel says: the verdicts rest on this, not on what was written. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "report.h"
#include "world.h"

/*
 * Reads the driver link of a device. Where this run could not bind it and yet the link says
 * that it is bound, a probe that is under way is waited for, at most a few seconds: beyond
 * that the verdict is set to stuck. 0 or -errno, as inventory_read_driver().
 */
int verify_driver(struct world *world, struct outcome *outcome,
		  char now[static DRIVER_NAME_SIZE]) must_check nonnull(1, 2);

/*
 * Waits, for all devices in one list of jobs, for what verify_driver() would wait for; it does so
 * for whatever is left. A device of which the kernel does not come back is stuck, after 2 s.
 */
void verify_fence(struct world *world, struct report *report) nonnull(1, 2);

/* Sets the verdict of a device that is on its driver; the others keep VERDICT_NONE. */
void verify_device(struct world *world, struct outcome *outcome) nonnull(1, 2);

/*
 * Reads the drivers of all devices of the inventory again and judges the IOMMU groups of
 * the devices that are bound. The kernel's own verdict is asked for with @until as limit.
 * -ENOMEM if @arena is too small.
 */
int verify_groups(struct world *world, struct report *report, struct inventory *inventory,
		  struct arena *arena, uint64_t until) must_check nonnull(1, 2, 3, 4);
