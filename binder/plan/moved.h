/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules whose device is not where they say: where it is instead, and whether it is followed. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "policy.h"

/* Of a bind rule that says which device it expects: whether it is there. */
struct lost {
	bool is_lost; /* nothing matches the rule */
	bool is_followed; /* its card is elsewhere, and is bound there */
	struct bdf card; /* then: one of its functions */
	const char *elsewhere; /* where its device is instead; NULL: nowhere */
};

/* One per rule. NULL if @arena is too small. */
const struct lost *lost_find(const struct policy *policy,
			     const struct inventory *inventory,
			     struct arena *arena) must_check nonnull(1, 2, 3);

/* Whether @d is a function of the card that is bound where it is now, by a rule's @selector. */
bool lost_is_followed(const struct lost *lost, const struct selector *selector,
		      const struct pci_device *d) nonnull(1, 2, 3);

/* The note for a device that is bound in another place than @rule says. */
const char *lost_note(const struct pci_device *d, const struct rule *rule,
		      struct arena *arena) nonnull(1, 2, 3);
