/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The next boot is not now: when it plans, no virtual function exists. They come when the driver
 * of the physical function makes them, and never where that one is bound to vfio-pci. And nothing is
 * on vfio-pci yet, so that what is bound now is judged as everything else.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "plan.h"
#include "policy.h"
#include "world.h"

/* The physical function of @d. -ENOENT if it is no virtual function, or another -errno. */
int virtual_function_physical(struct world *world, const struct pci_device *d,
			      struct bdf *ret) must_check nonnull(1, 2, 3);

/*
 * Makes of the machine and the plan of now those of the next boot: without virtual functions
 * whose physical one @plan's rules take; the plan has a note at the others that a rule names.
 * What is on a vfio driver now is planned as if it had none; the drivers in @inventory stay those
 * of now. -ENOMEM.
 */
int virtual_functions_foresee(struct world *world, struct arena *arena,
			      const struct policy *policy, struct inventory *inventory,
			      struct plan *plan) must_check nonnull(1, 2, 3, 4, 5);
