/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "earlybind bind" and "earlybind release": what they may do, and how it is done. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "holders.h"
#include "judgement.h"
#include "next_boot.h"
#include "plan.h"
#include "run.h"
#include "usage.h"
#include "world.h"

struct release {
	const struct policy *policy; /* for its time limits */
	const struct pci_device *device; /* on a driver of vfio */
	struct text word; /* that named it */
	struct strings
		drivers; /* its own ones, as far as they are known: the first first */
	bool has_modules; /* there are modules that udev may load for it */
};

struct guards {
	struct world *world;
	struct usages usages;
	struct holders holders;
	struct judge judge; /* of the next boot */
	bool is_silent; /* only the answer is wanted */
};

/* ---- bind now ---- */

/*
 * One function of a machine that is up, by hand: the steps of the boot's run with its limits
 * and its undo. Whether it may be done at all is asked before.
 */

/*
 * What is said on the way goes to the error output as well, if quiet only warnings, until
 * by_hand_be_silent().
 */
void by_hand_speak(struct world *world, bool is_quiet) nonnull(1);
void by_hand_be_silent(struct world *world) nonnull(1);

/*
 * Plans, binds, verifies, and gives back what could not be bound: the function at @bdf, as
 * the rules of @policy say. Publishes the report of the device, as for one that appeared
 * late. The exit code; without a plan ret->report.reason says why.
 */
int by_hand_bind(struct world *world, struct arena *arena, const struct policy *policy,
		 struct bdf bdf, struct run *ret) must_check nonnull(1, 2, 3, 5);

/*
 * Takes the function off vfio-pci and lets its own driver have it: one of @release->drivers,
 * else whatever udev loads for it, else what the kernel finds. VERDICT_RESTORED: vfio-pci
 * does not have it any more, ret->after says who does; otherwise ret->reason. Published too.
 * -ENOMEM.
 */
int by_hand_release(struct world *world, struct arena *arena,
		    const struct release *release, struct outcome *ret) must_check
	nonnull(1, 2, 3, 4);

/* ---- live guard ---- */

/*
 * What forbids to take a function from its driver on a machine that is up. The plan's own
 * refusals (plan.h) are asked for besides.
 */

/* Whether "earlybind bind", "earlybind release" of the function would be carried out now. */
bool guards_allow_bind(const struct guards *guards, const struct inventory *now,
		       const struct pci_device *d) must_check nonnull(1, 2, 3);
bool guards_allow_release(const struct guards *guards,
			  const struct pci_device *device) must_check nonnull(1, 2);

/*
 * How the host gets devices back that are on vfio-pci or that the next boot binds: lines that
 * begin with "now" and "for good". Returns how many. A command in them is one that would be
 * carried out.
 */
#define GIVE_BACK_LINES 2
size_t guards_give_back(const struct guards *guards,
			const struct pci_device *const *devices, size_t count,
			const char *ret[static GIVE_BACK_LINES]) nonnull(1, 2, 4);
