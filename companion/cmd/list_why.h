/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind list --why: what merges each group, and what would split it. */
#pragma once

#include "group_cause.h"
#include "json.h"
#include "judgement.h"

struct list_why {
	struct group_causes causes;
	const struct judge *judge; /* of the next boot; NULL: no command is found */
};

/* @inventory has all functions. 0 or -ENOMEM. */
int list_why_read(struct world *world, struct arena *arena,
		  const struct inventory *inventory, struct list_why *ret) must_check
	nonnull(1, 2, 3, 4);

/* The paragraph of a group; nothing where nothing merges it. */
void list_why_put(const struct list_why *why, int group) nonnull(1);

/* Below all groups: what cannot be told, and where the kernel's groups are others. */
void list_why_put_end(const struct list_why *why) nonnull(1);

/* The member "why" of a group, and "computed_groups" of the machine. */
void list_why_write(const struct list_why *why, int group, struct json *json)
	nonnull(1, 3);
void list_why_write_computed(const struct list_why *why, struct json *json) nonnull(1, 2);
