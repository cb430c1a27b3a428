/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guards: why a device that a rule wants is left alone, judged before anything is
 * touched. A pure function of the policy, the inventory and what is planned so far.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "plan.h"
#include "policy.h"
#include "reason.h"

struct refusal {
	const struct policy *policy;
	const struct inventory *inventory;
	const struct plan *plan; /* of the functions with lower addresses */
	const struct companions
		*companions; /* of all functions; NULL: no rule has with= */
	struct arena *arena; /* for details */
	const char *wanted; /* the driver: some guards are vfio's */
};

/*
 * REASON_NONE, or why @d must not or cannot be bound; @allow is what its rules allow (enum
 * allow). *ret_detail is set where the reason has one.
 */
enum reason refuse_device(const struct refusal *context, const struct pci_device *d,
			  unsigned allow, const char **ret_detail) must_check
	nonnull(1, 2, 4);
