/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What forbids to take a function from its driver on a machine that is up. The plan's own
 * refusals (plan.h) are asked for besides.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "holders.h"
#include "plan.h"
#include "usage.h"
#include "world.h"

struct guards {
	struct world *world;
	struct usages usages;
	struct holders holders;
};

/* -ENOMEM. */
int guards_read(struct world *world, struct arena *arena, const char *sysroot,
		struct guards *ret) must_check nonnull(1, 2, 4);

/*
 * Says what speaks against binding or releasing the function; how many things do. Force
 * lifts what the host can do without, never what the machine could be lost with or what
 * would hang: a disk in use for the system, the default route, an open device node.
 */
size_t guards_say_bind(const struct guards *guards, const struct plan_device *planned,
		       bool is_forced) must_check nonnull(1, 2);
size_t guards_say_release(const struct guards *guards,
			  const struct pci_device *device) must_check nonnull(1, 2);
