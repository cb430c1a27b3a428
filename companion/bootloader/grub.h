/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB's settings, /etc/default/grub and what is read behind it: a shell's assignments. They
 * are read as shell_assign.h says, and never run.
 */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "shell_assign.h"
#include "text.h"

#define GRUB_FILES_MAX 64

/* A shell that has no parameters of the kernel yet. -ENOMEM. */
int grub_shell(struct shell *shell, struct arena *arena,
	       enum shell_dialect dialect) must_check nonnull(1, 2);

/* What the settings come to. Texts are in the arena. */
struct grub_settings {
	struct shell shell;
	const char *line; /* GRUB_CMDLINE_LINUX */
	const char *line_default; /* GRUB_CMDLINE_LINUX_DEFAULT, which comes behind it */
	/* The first place from which one of the two is not understood, and why. */
	const char *doubt_file;
	struct shell_place doubt_place;
	const char *doubt_why;
};

/* -ENOMEM. */
int grub_init(struct grub_settings *g, struct arena *arena,
	      enum shell_dialect dialect) must_check nonnull(1, 2);

/*
 * Reads one file on top of those before. What is not understood does not count, and is a
 * doubt. -EINVAL for a quote, a substitution or a command that does not end, which no shell
 * will read either: shell.lost and lost_place say more; -ENOMEM.
 */
int grub_parse(struct grub_settings *g, const char *file, struct text bytes) must_check
	nonnull(1, 2);

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
