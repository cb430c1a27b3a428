/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind plan --move and --acs: the groups that a change of the machine would make. */
#pragma once

#include "arena.h"
#include "compiler.h"

struct plan_groups {
	const char *move; /* "CARD=PORT", or NULL */
	const char *acs; /* "PORT", or NULL: one of both is given */
	const char *sysroot;
	bool is_json;
};

/* The exit code: 0 only if a VM could have the card then. */
int plan_groups(const struct plan_groups *question, struct arena *arena) must_check
	nonnull(1, 2);
