/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules want to know of a function: the reading of the bus is led by it. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "facts.h"
#include "inventory.h"
#include "policy.h"
#include "world.h"

/*
 * The inventory_filter of a policy, @arg: wanted is what a rule matches, what stands where
 * a rule names an address, a path or a slot, and a companion. Of what a rule says more about than IDs and
 * address, only what can still match is looked at. Whether a critical rule matches counts for
 * what another rule wants; those of the console guard each other.
 *
 * For a rule that is lost, it also wants to know what is in its place, and what could be its
 * device elsewhere: a serial number only of what its other terms match, or (it may have been
 * reflashed) of what is of the same vendor.
 */
unsigned policy_filter(const void *arg, const struct pci_device *device) nonnull(1, 2);

/* Marks all rules with follow as lost. False if there are none. */
bool policy_mark_followed(struct policy *policy) nonnull(1);

/*
 * inventory_read(), and once more if there are bind rules that match nothing, so that their
 * devices can be named, and followed: these are marked as lost. @filter asks policy_filter().
 */
int policy_read_inventory(struct world *world, struct arena *arena, struct policy *policy,
			  inventory_filter filter, const void *arg,
			  struct inventory *ret) must_check nonnull(1, 2, 3, 4, 6);

/* Whether an active bind rule says which device it expects, and nothing matches it. */
bool rule_is_unmatched(const struct policy *policy, const struct inventory *inventory,
		       const struct rule *rule) nonnull(1, 2, 3);
