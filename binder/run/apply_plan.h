/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out a plan: claim, load, bind, recover. Every write is a job with a
 * limit, the undo is recorded before the deed, and one device's failure never stops the
 * others. What came of it is decided by verify, not here.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "report.h"
#include "steps.h"
#include "text.h"
#include "world.h"

/* ---- load modules ---- */

/*
 * The modules that a plan needs, each loaded once: vfio's where a device shall go to
 * vfio-pci or a variant of it, and those of the drivers that rules name.
 */

/*
 * Works on report->outcomes and report->modules. Takes at most the policy's timeout, and its
 * recovery timeout for each device that another driver has.
 */
void apply_plan(struct world *world, struct report *report, struct arena *arena)
	nonnull(1, 2, 3);

struct steps;

/*
 * Frees the memory of a device that was bound from the framebuffer of the firmware, where vfio-pci
 * has not done it. Where it cannot, o->reason says so.
 */
void framebuffer_release(struct steps *steps, struct outcome *outcome) nonnull(1, 2);
