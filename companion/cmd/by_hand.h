/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bind and release have in common: their words, their conditions, their signals. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "live_guard.h"
#include "next_boot.h"
#include "device_selection.h"

struct by_hand {
	const char *command; /* "bind" */
	struct strings words;
	const char *sysroot;
	const char *timeout, *recovery_timeout; /* as typed; NULL: as configured */
	bool is_dry_run;

	struct arena *arena;
	struct world *world;
	struct selection selection;
	struct inventory now; /* all functions */
	struct guards guards;
	struct sources sources;
	struct policy files; /* the configuration alone */
	struct run next; /* the rules of the next boot */
};

/*
 * Parses the words, asks for root, holds signals back, and reads the machine. EXIT_OK, or
 * the exit code of what was said: nothing is there that a word names, for one.
 */
int by_hand_begin(struct by_hand *h) must_check nonnull(1);

/* The time limits into @policy. EXIT_OK, or EXIT_WRONG_USAGE, which is said. */
int by_hand_set_limits(const struct by_hand *h, struct policy *policy) must_check
	nonnull(1, 2);

/*
 * Between two devices: whether a signal came that ends the command. In the middle of one,
 * none does: a device is bound or given back, never left half done.
 */
bool by_hand_has_signal(void);

/* Lets signals through again: one that came ends the process here. */
void by_hand_end(struct by_hand *h) nonnull(1);
