/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read about a function only where a rule asks for it. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "device.h"
#include "selector.h"
#include "world.h"

#define SLOTS_MAX 1024

/* The slots of one snapshot: read when the first function asks for its own. */
struct slots {
	bool is_read;
	int error; /* why they could not be read; 0 */
	struct slot *items; /* in the arena */
	size_t count;
};

/*
 * What a run wants of a function: FACT_WANTED if it is of interest by what is known, and the
 * facts (enum pci_fact) that must be read before that can be said; then it is asked again.
 */
#define FACT_WANTED (1u << 8)
/* That it is there matters for the judgement of others. */
#define FACT_KEPT (1u << 9)
/* That it is wanted, and what with it: the functions of its card, the members of its group. */
#define FACT_WITH_FUNCTIONS (1u << 10)
#define FACT_WITH_GROUP	    (1u << 11)
#define FACT_ANSWERS	    (FACT_WANTED | FACT_KEPT | FACT_WITH_FUNCTIONS | FACT_WITH_GROUP)
/*
 * Facts that are read only to name what is there: what cannot be read is just not told, unless
 * the kernel hangs in it and a rule is about the function, which is left alone then.
 */
#define FACT_TO_NAME(facts) ((unsigned)(facts) << 16)
typedef unsigned (*inventory_filter)(const void *arg, const struct pci_device *device);

struct fact_reader {
	struct world *world;
	inventory_filter filter;
	const void *arg; /* of the filter */
	struct arena *arena;
	uint64_t until; /* no serial number is read later; 0: the first one sets it */
	uint64_t until_to_name; /* the same for those that are only named */
	struct slots slots;
	bool has_hung; /* the kernel did not come back from reading something for a name */
};

/* ---- slots ---- */

/* The physical function of a virtual one. 0, or -errno: -ENODATA if it is none. */
int inventory_read_pf(struct world *world, struct bdf bdf, struct bdf *ret) must_check
	nonnull(1, 3);

/*
 * The path, from the link in /sys/bus/pci/devices. 0, or -errno; -ENODATA for a virtual
 * function on another bus than its card, which has the same hops as a function of that card.
 */
int inventory_read_path(struct world *world, struct bdf bdf,
			struct pci_path *ret) must_check nonnull(1, 3);

/*
 * Reads what the filter asks for about one function whose IDs are known. What it answers then,
 * of FACT_ANSWERS, or -errno.
 */
int facts_learn(struct fact_reader *reader, struct pci_device *device) must_check
	nonnull(1, 2);

/*
 * Reads one fact of a function into @d, whatever is known of it; d->known is left to the caller.
 * @slots is filled by the first that asks for a slot. 0, or -errno: -ENODATA if there is none.
 */
int fact_read(struct world *world, struct arena *arena, struct slots *slots,
	      enum pci_fact fact, struct pci_device *d) must_check nonnull(1, 2, 3, 5);
