/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules want to know of a function: the reading of the bus is led by it. */
#pragma once

#include "compiler.h"
#include "facts.h"
#include "policy.h"

/*
 * The inventory_filter of a policy, @arg: wanted is what a rule matches, what stands where
 * a rule names an address or a path, and a companion. Of what a rule says more about than IDs and address,
 * only what can still match is looked at, unless has_lost_path. Whether a critical rule
 * matches counts for what another rule wants; those of the console guard each other.
 */
unsigned policy_filter(const void *arg, const struct pci_device *device) nonnull(1, 2);
