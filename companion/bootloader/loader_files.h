/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of boot loaders: their kernel command lines, GRUB's settings, entries of the boot menu.
 * Pure: bytes in, bytes out.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "shell_assign.h"
#include "text.h"

/* ---- command lines as they stand: each is a part of a line, to add words to ---- */

enum line_form {
	LINE_PLAIN, /* the first line that is not empty: cmdline.txt of a Raspberry Pi */
	LINE_APPEND, /* "append WORDS": extlinux, syslinux */
	LINE_LIMINE, /* "cmdline: WORDS", or CMDLINE=WORDS in its old form */
	LINE_REFIND, /* "TITLE" "WORDS": refind_linux.conf */
	/* "Cmdline=WORDS", also in quotes: uki.conf; it may go on in lines with blanks in front */
	LINE_UKIFY,
	LINE_STANZA, /* options "WORDS": refind.conf */
};

/* Takes the next command line off @rest; it lies in there. False at the end. */
bool line_next(enum line_form form, struct text *rest, struct text *ret) nonnull(2, 3);

/*
 * Whether the kernel of @running was started with all words of @line, but for those of @ours,
 * which may be new; not for an empty one.
 */
bool line_has_booted(struct text line, struct text running, struct text ours);

/*
 * A copy of a file with @words added to each command line that starts a Linux, unless they are
 * there, or taken out of it. @is_replaced: in the place of other values. NULL without memory.
 */
const char *line_file_add(enum line_form form, struct text bytes, struct text words,
			  bool is_replaced, struct arena *arena) nonnull(5);
const char *line_file_remove(enum line_form form, struct text bytes, struct text words,
			     struct arena *arena) nonnull(4);

/* Whether it is one that starts a Linux: it has a root= or an initrd=. */
bool line_is_linux(enum line_form form, struct text line);

/* ---- GRUB's settings ---- */

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

/* ---- the menu entry without earlybind ---- */

#define MENU_PARAMETER "rd.earlybind=0"

/* A script for /etc/grub.d: it copies the first entry of 10_linux whenever GRUB's menu is made. */
extern const char menu_grub_script[];

/*
 * A copy of an entry of the boot loader specification, with another title, the parameter, and
 * behind all others in the menu, so that it never becomes the default. NULL if there is no
 * memory, or the entry boots no kernel.
 */
const char *menu_entry_copy(struct text entry, struct arena *arena) nonnull(2);

/* Its version, for finding the newest; "" if it has none. */
struct text menu_entry_version(struct text entry);

/* All its options, joined by blanks. NULL if there is no memory. */
const char *menu_entry_options(struct text entry, struct arena *arena) nonnull(2);
