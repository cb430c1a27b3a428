/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes along with the functions that rules name (with=functions, with=group). Never a
 * bridge, and nothing with one or with a function that is kept.
 */
#pragma once

#include "inventory.h"
#include "moved.h"
#include "policy.h"

/* About one function. */
struct along {
	const struct rule *rule; /* the first that brings it along; NULL: none does */
	const struct pci_device *with; /* the function that the rule names */
	unsigned allow; /* what any that brings it along allows (enum allow) */
	bool is_of_card; /* a rule names another function of the same card */
	bool is_named; /* a bind rule names it itself */
	bool is_kept;
	size_t seen; /* the last rule that brought it along, from 1 */
};

/*
 * One for each device of the inventory; *ret is NULL if no rule has with=. @lost has one entry
 * per rule; NULL: it is looked for. -ENOMEM.
 */
int along_find(const struct policy *policy, const struct inventory *inventory,
	       const struct lost *lost, struct arena *arena,
	       struct along **ret) must_check nonnull(1, 2, 4, 5);

/*
 * Why @d, which only its group brings along, is left to the host, which may live on its card:
 * storage, network, displays and USB controllers need the @allow of a rule. NULL: it is not.
 */
const char *along_why_host(const struct along *along, const struct inventory *inventory,
			   const struct pci_device *d, unsigned allow,
			   struct arena *arena) must_check nonnull(1, 2, 3, 5);
