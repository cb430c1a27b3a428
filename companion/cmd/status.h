/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What earlybind status has gathered, for its two forms of output. */
#pragma once

#include <stdbool.h>

#include "boot_device.h"
#include "compiler.h"
#include "holders.h"
#include "inventory.h"
#include "options.h"
#include "plan.h"
#include "device_selection.h"

#define HOLDERS_SHOWN 4 /* of a device */

struct status {
	const char *sysroot;
	bool is_json;
	struct strings words;

	struct arena *arena;
	struct world *world;
	struct boot boot;
	struct inventory now;
	struct selection selection;
	struct holders holders;
	bool has_no_run; /* at boot, only by hand */
	const char *drift; /* what has changed in the rules since */
	struct plan_group *groups; /* those of devices that are bound now */
	size_t group_count;
};

/* All of them, or those that the words name by what they are now or were at boot. */
bool status_is_asked_for(const struct status *s, const struct boot_device *b)
	nonnull(1, 2);

/* A device that appeared later can make good what the boot's run could not do. */
bool status_is_all_well(const struct status *s) nonnull(1);

/* Prints all of it. 0, or the exit code of a command that could not. */
int status_print_json(const struct status *s) must_check nonnull(1);
