/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The critical devices of a machine, as critical rules for the table of its image: what the
 * host would be lost with (usage.h), led down to the functions.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "recorded.h"
#include "world.h"

#define CRITICAL_MAX 64 /* rules; what comes behind them is not guarded */

/*
 * Reads the machine. Nothing is critical where the image is not made on the machine that
 * runs from it: in a container, a chroot or a live system. What cannot be read is left out,
 * so this never fails.
 */
void critical_read(struct world *world, struct arena *arena, struct recorded *ret)
	nonnull(1, 2, 3);
