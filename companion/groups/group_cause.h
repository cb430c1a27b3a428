/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why an IOMMU group is as large as it is, and what would split it: in sentences that say only
 * what was read on this machine.
 */
#pragma once

#include "group_facts.h"
#include "predict.h"

struct group_causes {
	struct world *world;
	struct arena *arena;
	struct group_facts facts;
	/* What could not be read merges nothing in one, and all that it can in the other. */
	struct prediction apart, together;
	struct text cmdline; /* of this boot */
	bool has_config_acs; /* the running kernel knows pci=config_acs= */
};

/*
 * Reads what else the groups of @inventory, which has all functions, depend on. 0 or -ENOMEM.
 * @ret refers to all three.
 */
int group_causes_read(struct world *world, struct arena *arena,
		      const struct inventory *inventory,
		      struct group_causes *ret) must_check nonnull(1, 2, 3, 4);

/*
 * Sentences: which ports merge the group of the function at @bdf, what each lacks, and what would
 * split it here; or what must be done to find out. NULL if nothing merges it with another
 * function that is no bridge.
 */
const char *group_cause(const struct group_causes *causes, struct bdf bdf) nonnull(1);

/* The first of them alone: which ports merge it. NULL if none is known. */
const char *group_merged_by(const struct group_causes *causes, struct bdf bdf) nonnull(1);

/* The same with all that helps: the rule for another slot, and the last resort with its risk. */
const char *group_why(const struct group_causes *causes, struct bdf bdf) nonnull(1);

/*
 * "slot 5 (behind 0000:00:03.0)": a free slot whose port isolates what is in it, for the card of the
 * function at @bdf. NULL if none was found, or this cannot be told.
 */
const char *group_free_slot(const struct group_causes *causes, struct bdf bdf) nonnull(1);

/* Whether a port or bridge is one of those that merge its group. */
bool group_is_cause(const struct group_causes *causes, struct bdf bridge) nonnull(1);

/* Why nothing can be told of any group, as a sentence; NULL if there is no such reason. */
const char *group_why_unknown(const struct group_causes *causes) nonnull(1);

/*
 * Sentences: where the kernel's groups are other than computed, and the risk; of the group of
 * @bdf, or of the first one that differs if @bdf is NULL. NULL where they are as computed, or
 * this cannot be told.
 */
const char *group_difference(const struct group_causes *causes, const struct bdf *bdf)
	nonnull(1);

/* ---- words of the kernel command line ---- */

/*
 * The word of @cmdline that names the function @at of @functions, by its address, its path or its
 * ID; n is 0 if there is none. With several the kernel takes the last: so does this.
 */
struct text acs_word(struct text cmdline, const struct group_function *functions,
		     size_t at) nonnull(2);
