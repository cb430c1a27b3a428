/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cards of a machine are that rules name by their place or serial number, as known
 * lines for the table of its image (known.h): the binder can say then that one was reflashed.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "policy.h"
#include "recorded.h"
#include "world.h"

/*
 * Reads the machine, for the rules of all profiles. Nothing is recorded where the image is not
 * made on the machine that runs from it, as for critical devices. What cannot be read is left
 * out, so this never fails.
 */
void known_cards_read(struct world *world, struct arena *arena,
		      const struct policy *policy, struct recorded *ret)
	nonnull(1, 2, 3, 4);
