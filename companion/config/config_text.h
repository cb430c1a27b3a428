/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of a configuration's text that leave everything else as it was: comments, order,
 * blank lines, line ends. Pure: bytes in, bytes out.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "text.h"

/* A line before and after, without its end; p is NULL where there is none. */
struct config_change {
	struct text before;
	struct text after;
};

#define CONFIG_CHANGES_MAX 2048

struct config_edit {
	struct arena *arena;
	struct text bytes; /* as it is now; p may be NULL where there is nothing */
	struct config_change *changes; /* in the order in which they were made */
	size_t change_count;
};

/* @bytes must live as long as the edit. -ENOMEM. */
int config_edit_start(struct config_edit *edit, struct arena *arena,
		      struct text bytes) must_check nonnull(1, 2);

/*
 * Adds lines at the end of a section: of [profile @profile], which is made if it is not there,
 * or, if @profile is empty, of the part before the first section. A comment that stands right
 * above the next section stays with it. -ENOMEM; -E2BIG for too many changes.
 */
int config_edit_append(struct config_edit *edit, struct text profile,
		       const struct text *lines, size_t count) must_check nonnull(1, 3);

/*
 * Takes selectors out of rules, and a rule with its line where none is left in it. They are
 * the texts of rules (struct rule) that config_parse() found in edit->bytes as it is now, in
 * the order of the text. Errors as above.
 */
int config_edit_remove(struct config_edit *edit, const struct text *selectors,
		       size_t count) must_check nonnull(1, 2);
