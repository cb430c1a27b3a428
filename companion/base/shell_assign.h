/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings that a shell reads: /etc/default/grub, dracut.conf, mkinitcpio.conf and the like.
 * They are read as a shell reads them, and never run. A value is either the one that the shell
 * would give, or not understood, with the place and the reason.
 *
 * Understood: NAME=VALUE, several on a line, behind "export"; quotes, '\', comments, lines that
 * go on; $NAME, ${NAME} and ${NAME:-WORD} of variables that were assigned before. Not
 * understood: values of commands, and whatever depends on a condition. What may change any
 * variable (eval, a file that is read in, a function, exit) ends the reading.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

#define SHELL_VARIABLES_MAX 512
#define SHELL_VALUE_MAX	    ((size_t)16 * 1024)

enum shell_dialect {
	SHELL_SH, /* dash or bash: what they read differently is not understood */
	SHELL_BASH, /* also += and arrays */
};

/* From 1; the column counts bytes. */
struct shell_place {
	unsigned line, column;
};

struct shell_assignment {
	struct shell_assignment *next;
	struct shell_place place; /* of the name */
	struct text name;
	struct text raw; /* the value as it stands in the file, to be edited there */
	/*
	 * What @raw comes to, with a NUL behind it; the words of an array with blanks between.
	 * Empty with @why.
	 */
	struct text value;
	/* $NAME of the variable itself stands in @raw, and what of @value comes from there. */
	bool has_itself;
	struct text itself;
	bool is_addition; /* += */
	bool is_array;
	const char *why; /* it is not understood; NULL if it is */
	struct shell_place why_place;
	const char *mistake; /* it is understood, but hardly what was meant; or NULL */
};

struct shell_variable;

/* The state of a shell that reads one file after the other. */
struct shell {
	struct arena *arena;
	enum shell_dialect dialect;
	struct shell_variable *variables;
	size_t variable_count;
	/* Why nothing is known any more from a place of the last file on; NULL: all is well. */
	const char *lost;
	struct shell_place lost_place;
	bool is_endless; /* a quote or a substitution that begins there does not end */
};

void shell_init(struct shell *shell, struct arena *arena, enum shell_dialect dialect)
	nonnull(1, 2);

/* What a variable is before the first file. -ENOMEM. */
int shell_define(struct shell *shell, const char *name, const char *value) must_check
	nonnull(1, 2, 3);

/*
 * Reads a file; *ret are its assignments in their order, whose texts are in @bytes and the
 * arena. Once the shell is lost, a file has none. -ENOMEM.
 */
int shell_read(struct shell *shell, struct text bytes,
	       struct shell_assignment **ret) must_check nonnull(1, 3);

enum shell_known {
	SHELL_UNSET, /* no file assigns it */
	SHELL_KNOWN,
	SHELL_UNCLEAR,
};

/* What a variable is after the files that were read. *ret_value is set if it is known. */
enum shell_known shell_get(const struct shell *shell, const char *name,
			   struct text *ret_value) nonnull(1, 2, 3);
