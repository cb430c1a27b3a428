/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rules are about a function. */
#pragma once

#include <stdbool.h>

#include "companions.h"
#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "moved.h"
#include "policy.h"

/* The first rule of each kind; NULL where there is none. */
struct match {
	const struct rule *keep; /* wins over every bind rule */
	const struct rule *bind;
	const struct rule *mismatch; /* a bind rule that expects another device here */
	const struct pci_device
		*with; /* that it comes along with; NULL: a rule names it */
	const char *elsewhere; /* of the mismatch: where its device is; NULL */
	bool is_followed; /* the bind rule says another place */
	unsigned allow; /* what any of its bind rules allows (enum allow) */
};

/*
 * False if no rule is about @d. What each rule matches is added to @counts, one per rule: not
 * what comes along, for which a rule counts where no other is about it. @lost has one entry
 * per rule, @along is of this device, or NULL.
 */
bool match_device(const struct policy *policy, const struct lost *lost,
		  const struct pci_device *d, const struct along *along, size_t *counts,
		  struct match *ret) must_check nonnull(1, 2, 3, 5, 6);

/*
 * What the bind rules about @d say of its driver: the first one that says something; empty
 * for none, also where a keep rule is about it.
 */
struct text match_driver(const struct policy *policy,
			 const struct pci_device *d) must_check nonnull(1, 2);

/*
 * What sits where @rule expects another device, by what the rule says of it, and where that
 * one is, unless @elsewhere is NULL. NULL if out of memory.
 */
const char *match_describe(const struct pci_device *d, const struct rule *rule,
			   const char *elsewhere, struct arena *arena) nonnull(1, 2, 4);
