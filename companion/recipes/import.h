/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that mean what recipes mean. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "inventory.h"
#include "policy.h"
#include "recipe.h"

enum proposal_state {
	PROPOSAL_NEW,
	PROPOSAL_CONFIGURED, /* the configuration has it already */
	PROPOSAL_COVERED, /* another recipe names the device, and better */
};

struct proposal {
	const struct recipe *recipe;
	struct selector selector; /* an address has got the ID of its device */
	enum proposal_state state;
	bool is_optional; /* no device is there now */
	bool is_console; /* a device drives the console: refused without allow=console */
	const char *why; /* the origin of the rule that it is covered by; NULL for none */
};

struct proposals {
	struct proposal *items; /* in the order of the recipes */
	size_t count;
	size_t new_count;
};

/*
 * A rule for each thing that the effective recipes name, once. Without a device in
 * @inventory nothing is known of the machine. -ENOMEM.
 */
int proposals_make(const struct recipes *recipes, const struct inventory *inventory,
		   const struct policy *policy, struct arena *arena,
		   struct proposals *ret) must_check nonnull(1, 2, 3, 4, 5);

/*
 * The new rules as lines of a configuration, with a comment about their origin in front of
 * those of each recipe. -ENOMEM.
 */
int proposals_write(const struct proposals *proposals, struct arena *arena,
		    struct text **ret_lines, size_t *ret_count) must_check
	nonnull(1, 2, 3, 4);

/*
 * Writes these lines into the configuration, unless the new rules would take what the host
 * cannot do without. Shows the change, or says what is wrong; the exit code.
 */
int proposals_apply(const struct proposals *proposals, const struct text *lines,
		    size_t count, const char *sysroot, struct arena *arena) must_check
	nonnull(1, 2, 5);
