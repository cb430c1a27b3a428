/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a kernel command line, as text: words that the rest is not touched for. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

/*
 * Takes the next word off @rest, as it stands there: blanks within double quotes are part of
 * it (lib/cmdline.c: next_arg()). False at the end.
 */
bool words_next(struct text *rest, struct text *ret_word) nonnull(1, 2);

/*
 * What a word of @line means for @param, which is to be there: 1, the line has it, or it has
 * all that it asks for (intel_iommu=on,sm_on for intel_iommu=on); 0, nothing; -EEXIST, the
 * line has another value, *ret_other. The last word of the name counts. Parameters that add
 * up, as console= and rd.earlybind.bind=, have no other value.
 */
int words_find(struct text line, struct text param, struct text *ret_other) must_check
	nonnull(3);

/*
 * A copy of @line with @param behind the last word, or in the place of all words of that name
 * with @is_replaced. NULL if there is no memory.
 */
const char *words_add(struct text line, struct text param, bool is_replaced,
		      struct arena *arena) nonnull(4);

/* A copy without each word that is @param. NULL if there is no memory. */
const char *words_remove(struct text line, struct text param, struct arena *arena)
	nonnull(3);

/*
 * Whether @param can stand on a command line everywhere: printable ASCII, no blanks, no
 * quotes, nothing that a shell takes for something else within double quotes. NULL, or a
 * sentence that says what is wrong.
 */
const char *words_check(struct text param);
