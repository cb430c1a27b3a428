/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB's settings, /etc/default/grub and what is read behind it: a shell's assignments. They
 * are read as far as they are simple, and never run.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define GRUB_FILES_MAX 64

/* What the settings come to. Texts are in the arena. */
struct grub_settings {
	struct arena *arena;
	const char *line; /* GRUB_CMDLINE_LINUX */
	const char *line_default; /* GRUB_CMDLINE_LINUX_DEFAULT, which comes behind it */
	/* The first place that sets one of the two in a way that is not understood. */
	const char *doubt_file;
	unsigned doubt_line;
};

void grub_init(struct grub_settings *g, struct arena *arena) nonnull(1, 2);

/*
 * Reads one file on top of those before. Only assignments of words count: quotes, '\',
 * NAME+=, and $NAME or ${NAME} of the two variables are understood; anything else that names
 * one of them is a doubt. -EINVAL for a quote or a substitution that does not end, which no
 * shell will read either: *ret_line is where it begins; -ENOMEM.
 */
int grub_parse(struct grub_settings *g, const char *file, struct text bytes,
	       unsigned *ret_line) must_check nonnull(1, 2, 4);

/*
 * The text of a file that adds parameters: @words behind GRUB_CMDLINE_LINUX, and @last, which
 * may be empty, behind GRUB_CMDLINE_LINUX_DEFAULT as well. Parameters are quoted where GRUB's
 * own language would take a character for something else. NULL if there is no memory.
 */
const char *grub_drop_in(const char *words, const char *last, struct arena *arena)
	nonnull(1, 2, 3);

/* Parameters without the quotes that these functions put around them. */
const char *grub_unquote(const char *words, struct arena *arena) nonnull(1, 2);

/* The same as one line at the end of /etc/default/grub, with a mark. */
#define GRUB_MARK " # earlybind"
const char *grub_line(const char *variable, const char *words, struct arena *arena)
	nonnull(1, 2, 3);
/* A copy of @bytes without such lines. *ret_taken is what they were, or "". */
const char *grub_without_lines(struct text bytes, struct arena *arena,
			       const char **ret_taken) nonnull(2, 3);
