/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "world.h"

/*
 * How a boot without earlybind is chosen on the machine below @sysroot, NULL for /: its entry of
 * the boot menu, or what to type there. Said before it is needed.
 */
void cmdline_say_way_back(struct world *world, const char *sysroot, struct arena *arena)
	nonnull(1, 3);
