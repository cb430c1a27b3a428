/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives back what could not be bound. */
#pragma once

#include "compiler.h"
#include "report.h"
#include "world.h"

/*
 * Gives a device that could not be bound back to the driver that it had, or holds it, as
 * the rule says. Takes at most 2 s, or what is left of the recovery timeout where a driver
 * was made to let go: its probe may be slow. Sets verdict and, if it cannot be given back,
 * the reason.
 */
void restore_device(struct world *world, struct report *report, struct outcome *o)
	nonnull(1, 2, 3);

/*
 * Takes a kept device from vfio-pci, which had it by its own ids= before this run: its IDs are
 * taken off the driver's list, it is unbound and left to its own driver, which may be there
 * already. Takes at most 5 s, but for the probe of that driver. Sets the reason. Only where
 * nobody can have the device open: the unbind waits for whoever has.
 */
void restore_kept(struct world *world, struct report *report, struct outcome *o)
	nonnull(1, 2, 3);
