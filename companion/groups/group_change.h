/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups that would be if a card were in another slot, or a port had its ACS enabled. */
#pragma once

#include "group_cause.h"

struct group_change {
	const struct group_causes *now;
	/* Of the machine after it; as in struct group_causes. */
	struct prediction apart, together;
	size_t *was; /* which function of now->facts each one is */
	/* Of now->facts: first function of the card, its port, the port that it goes to; the port
	 * whose ACS is enabled is all three. */
	size_t card, port, target;
	size_t occupant; /* in the target's slot now, and out of it then; NO_FUNCTION: free */
};

/* Whether the questions below can be answered here: groups that the kernel made by these rules. */
int group_change_check(const struct group_causes *now, const char **ret_why) must_check
	nonnull(1, 2);

/*
 * The card of the function @card goes to the slot of the port @target. 0; -EINVAL with the reason
 * in @ret_why where that makes no sense or cannot be told; -ENOMEM. @ret refers to @now.
 */
int group_change_move(const struct group_causes *now, struct bdf card, struct bdf target,
		      struct group_change *ret, const char **ret_why) must_check
	nonnull(1, 4, 5);

/* The same for a port whose ACS is enabled as far as it has it. */
int group_change_acs(const struct group_causes *now, struct bdf port,
		     struct group_change *ret, const char **ret_why) must_check
	nonnull(1, 3, 4);

/* The port of a slot of /sys/bus/pci/slots. False if there is none. */
bool group_change_find_slot(const struct group_causes *now, const char *name,
			    struct bdf *ret) nonnull(1, 2, 3);

/* Whether function @at of now->facts moves with the card. */
bool group_change_moves(const struct group_change *change, size_t at) nonnull(1);

/* Where a function of now->facts is after it; NO_FUNCTION: it is out. */
size_t group_change_find(const struct group_change *change, size_t at) nonnull(1);

/* Whether functions of the machine after it are in one group: 1, 0, or -1 for not known. */
int group_change_is_one(const struct group_change *change, size_t a, size_t b) nonnull(1);
