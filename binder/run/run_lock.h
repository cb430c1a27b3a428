/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two binders at once: one works, the other waits for its turn. And one after another: what the
 * former one found out is not lost.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "report.h"
#include "world.h"

/* Below /run/earlybind. */
#define TURN_BOOT_NAME	   "lock"
#define TURN_DEVICE_SUFFIX ".lock"

enum turn {
	TURN_FREE, /* nobody else is at work, or nobody can tell: then it is said */
	TURN_WAITED, /* somebody else was, and has finished */
	TURN_LOST, /* somebody else still is */
};

/* Waits for the turn until @until at most. It is kept until the process or @world ends. */
enum turn turn_take(struct world *world, enum publish_place place, const char *name,
		    uint64_t until) nonnull(1, 3);

/*
 * Keeps the report of an earlier run as REPORT_FIRST_NAME: it alone knows which drivers the
 * devices had. That of the very first run stays.
 */
void turn_keep_report(struct world *world, struct arena *arena) nonnull(1, 2);

/* Leaves alone what the kernel has been stuck with since an earlier run of this boot. */
void turn_leave_stuck(struct world *world, struct report *report) nonnull(1, 2);
