/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of two identical cards it is: how a function is named, and which others have its ID. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "facts.h"
#include "inventory.h"
#include "plan.h"
#include "world.h"

struct identity {
	struct world *world;
	struct arena *arena;
	const struct inventory *inventory;
	const struct pci_device **by_id; /* all of them, by vendor:device, then address */
	struct slots slots;
	bool is_slow; /* a device did not answer: no serial number is read any more */
};

/* Prepares the search. -ENOMEM. */
int identity_open(struct world *world, struct arena *arena,
		  const struct inventory *inventory, struct identity *ret) must_check
	nonnull(1, 2, 3, 4);

/*
 * Reads those of @facts (enum pci_fact) that are not known yet. 0, or the -errno of one that
 * exists and cannot be read; it counts as absent then.
 */
int identity_learn(struct identity *identity, struct pci_device *device, unsigned facts)
	nonnull(1, 2);

/* Whether it is a virtual function. */
bool device_is_virtual(struct world *world, const struct pci_device *device)
	nonnull(1, 2);

/*
 * "path=0000:00:01.1/00.0 or slot=4 or serial=00-0a-35-00-00-00-00-02": the terms that name it besides
 * address and ID. "" where there are none, as on the root bus, where a path is the address.
 */
const char *identity_names(struct identity *identity, struct pci_device *device)
	nonnull(1, 2);

/*
 * Whether two functions, or one and itself, are of the same card. What is on the first root bus
 * is part of the chipset or processor, where the functions of one slot have nothing to do with
 * each other; the same holds for AMD's slots behind internal bridges.
 */
bool device_is_same_card(struct world *world, const struct inventory *inventory,
			 const struct pci_device *a, const struct pci_device *b)
	nonnull(1, 2, 3, 4);

/*
 * The slot that it is in, the innermost one, once FACT_SLOT is known. False if there is none,
 * or none that a rule can say.
 */
bool identity_slot(const struct pci_device *device, struct text *ret) nonnull(1, 2);

/*
 * "0000:01:00.0 and 0000:41:00.0": functions of other cards that have its vendor:device. ""
 * for none, for what is part of the chipset (on the root bus), and for virtual functions,
 * which are all alike.
 */
const char *identity_twins(struct identity *identity, struct pci_device *device)
	nonnull(1, 2);

/*
 * The identical cards (by the first function of each) that a rule takes by their ID alone, and
 * their number in @ret_count: "" and 0 unless there are several. Those that a keep rule
 * protects, what could not be read, and virtual functions do not count.
 */
const char *identity_cards_of(struct identity *identity, const struct plan *plan,
			      const struct rule *rule, size_t *ret_count)
	nonnull(1, 2, 3, 4);
