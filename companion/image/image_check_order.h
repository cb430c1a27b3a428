/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service unit of systemd with its drop-ins, as far as the order of starting goes:
 * systemd.syntax(7), systemd.unit(5), systemd.service(5).
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define UNIT_WORDS_MAX 256

struct unit_list {
	struct text words[UNIT_WORDS_MAX];
	size_t count;
};

struct unit {
	struct unit_list before;
	struct unit_list after;
	struct unit_list commands; /* of ExecStart=, without its prefix characters */
	struct unit_list paths; /* of ConditionPathExists= and AssertPathExists= */
	struct text default_dependencies;
	struct text timeout; /* of starting */
	struct text type;
};

/*
 * Adds the settings of a file to what the files before it said: an empty value of a list takes
 * back what it had. Lines that are not understood are skipped. -ENOMEM.
 */
int unit_parse(struct text bytes, struct arena *arena, struct unit *unit) must_check
	nonnull(2, 3);

bool unit_has(const struct unit_list *list, const char *word) nonnull(1, 2);
