/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function of a machine that is up, by hand: the steps of the boot's run with its limits
 * and its undo. Whether it may be done at all is asked before (guards.h).
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "options.h"
#include "run.h"
#include "world.h"

/* What is said on the way goes to the error output as well, until live_be_silent(). */
void live_speak(struct world *world) nonnull(1);
void live_be_silent(struct world *world) nonnull(1);

/*
 * Plans, binds, verifies, and gives back what could not be bound: the function at @bdf, as
 * the rules of @policy say. Publishes the report of the device, as for one that appeared
 * late. The exit code; without a plan ret->report.reason says why.
 */
int live_bind(struct world *world, struct arena *arena, const struct policy *policy,
	      struct bdf bdf, struct run *ret) must_check nonnull(1, 2, 3, 5);

struct release {
	const struct policy *policy; /* for its time limits */
	const struct pci_device *device; /* on a driver of vfio */
	struct text word; /* that named it */
	struct strings
		drivers; /* its own ones, as far as they are known: the first first */
	bool has_modules; /* there are modules that udev may load for it */
};

/*
 * Takes the function off vfio-pci and lets its own driver have it: one of @release->drivers,
 * else whatever udev loads for it, else what the kernel finds. VERDICT_RESTORED: vfio-pci
 * does not have it any more, ret->after says who does; otherwise ret->reason. Published too.
 * -ENOMEM.
 */
int live_release(struct world *world, struct arena *arena, const struct release *release,
		 struct outcome *ret) must_check nonnull(1, 2, 3, 4);
