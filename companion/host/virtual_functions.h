/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The next boot is not now: when it plans, no virtual function exists. They come when the driver
 * of the physical function makes them, and never where that one is bound to vfio-pci. And nothing is
 * on vfio-pci yet, so that what is bound now is judged as everything else.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "facts.h"
#include "inventory.h"
#include "json.h"
#include "plan.h"
#include "policy.h"
#include "world.h"

/* What becomes of a rule that has virtual functions made (vfs=). */
struct vfs_rule {
	const struct rule *rule;
	bool is_fine; /* they will be made, or are there */
	bool is_repeated; /* a rule before it has the same card make them */
	bool is_taken; /* not fine, since another rule takes the card itself */
	const char *sentence; /* that, or what keeps them from it */
};

struct vfs_rules {
	struct vfs_rule *items;
	size_t count;
};

/*
 * Judges @rule, which has pf=, behind the first @count rules of @policy: for the next boot, where
 * @plan is its plan or NULL if that is not known, or with @is_now what is there now. -ENOMEM.
 */
int vfs_judge(struct world *world, struct arena *arena, const struct policy *policy,
	      size_t count, const struct rule *rule, const struct plan *plan, bool is_now,
	      struct vfs_rule *ret) must_check nonnull(1, 2, 3, 5, 8);

/* All active rules of @policy with vfs=. -ENOMEM. */
int vfs_judge_all(struct world *world, struct arena *arena, const struct policy *policy,
		  const struct plan *plan, bool is_now, struct vfs_rules *ret) must_check
	nonnull(1, 2, 3, 6);

/* Whether one of @rules says that the card at @pf is taken. */
bool vfs_has_taken(const struct vfs_rules *rules, struct bdf pf) must_check nonnull(1);

/* The array "virtual_functions". */
void vfs_write(const struct vfs_rules *rules, struct json *json) nonnull(1, 2);

/* Whether the rule counts, and has the function at @pf make virtual ones. */
bool vfs_is_made_by(const struct policy *policy, const struct rule *rule,
		    struct bdf pf) must_check nonnull(1, 2);

/* "pf=03:00.0 vfs=4 (/etc/earlybind.conf:3)", or NULL without memory */
const char *vfs_format_rule(struct arena *arena, const struct rule *rule) nonnull(1, 2);

/* The same with ": SENTENCE" behind it. */
const char *vfs_format(struct arena *arena, const struct vfs_rule *rule) nonnull(1, 2);

/*
 * Makes of the machine and the plan of now those of the next boot: without virtual functions
 * whose physical one @plan's rules take; the plan has a note at the others that a rule names.
 * What is on a vfio driver now is planned as if it had none; the drivers in @inventory stay those
 * of now. -ENOMEM.
 */
int virtual_functions_foresee(struct world *world, struct arena *arena,
			      const struct policy *policy, struct inventory *inventory,
			      struct plan *plan) must_check nonnull(1, 2, 3, 4, 5);
