/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into the table behind the configuration: of the machine that the image is made on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "compiler.h"
#include "policy.h"
#include "text.h"
#include "world.h"

struct recorded {
	struct text lines; /* as in earlybind.conf(5) */
	size_t count; /* of them */
	const char *why; /* why there is none, or not all; or NULL */
	bool is_left_out; /* since the table has no room for them */
};

/* ---- critical ---- */

/*
 * The critical devices of a machine, as critical rules for the table of its image: what the
 * host would be lost with (usage.h), led down to the functions.
 */

/*
 * Reads the machine. Nothing is critical where the image is not made on the machine that
 * runs from it: in a container, a chroot or a live system. What cannot be read is left out,
 * so this never fails.
 */
void critical_read(struct world *world, struct arena *arena, struct recorded *ret)
	nonnull(1, 2, 3);

/* ---- known cards ---- */

/*
 * What the cards of a machine are that rules name by their place or serial number, as known
 * lines for the table of its image (known.h): the binder can say then that one was reflashed.
 */

/*
 * Reads the machine, for the rules of all profiles. Nothing is recorded where the image is not
 * made on the machine that runs from it, as for critical devices. What cannot be read is left
 * out, so this never fails.
 */
void known_cards_read(struct world *world, struct arena *arena,
		      const struct policy *policy, struct recorded *ret)
	nonnull(1, 2, 3, 4);
