/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modules that a plan needs, each loaded once: vfio's where a device shall go to
 * vfio-pci or a variant of it, and those of the drivers that rules name.
 */
#pragma once

#include "compiler.h"
#include "steps.h"
#include "text.h"

/*
 * Loads the modules of all devices that are still to be bound, vfio-pci with @ids as its
 * ids=. Then outcome.wanted is the driver's own name, which may differ from its module's. What
 * cannot be bound for lack of its driver has a reason, but for parked devices, whose claim
 * is ended first; a variant that driver=auto chose is replaced by vfio-pci. The report has
 * a reason where nothing is left to be done for lack of vfio-pci.
 */
void loading_run(struct steps *s, struct text ids) nonnull(1);

/* 0, or a reason that is set in @o: the module of its driver could not be loaded. */
int loading_check(struct outcome *o) nonnull(1);
