/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What earlybind explain knows of a machine. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "boot_device.h"
#include "compiler.h"
#include "holders.h"
#include "identity.h"
#include "inventory.h"
#include "modules.h"
#include "pci_names.h"
#include "run.h"
#include "device_selection.h"
#include "usage.h"
#include "world.h"

struct explain {
	const char *sysroot;
	struct strings words;

	struct arena *arena;
	struct world *world;
	struct selection selection;
	struct inventory now; /* all functions */
	struct identity identity;
	struct names *names;
	struct modules *modules;
	struct usages usages;
	struct holders holders;
	struct boot boot; /* with what came later and by hand */
	const char *no_report; /* why there is none of the boot; NULL: there is one */
	struct run next; /* the rules of the next boot, and their plan if there is one */
};

/* One paragraph about a function: what it is, what happened, what to do next. */
void explain_device(struct explain *e, const struct pci_device *device) nonnull(1, 2);

/* The last sentence of it: the command to type next, or that there is nothing to do. */
const char *explain_next(struct explain *e, const struct pci_device *device,
			 const struct plan_device *planned) nonnull(1, 2);

/* Whether the kernel was found stuck with it in this boot. */
bool explain_is_stuck(const struct explain *e, const struct pci_device *device)
	nonnull(1, 2);
