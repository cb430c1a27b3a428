/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of boot loaders in which kernel command lines stand as they are: each is a part of a
 * line, and words can be added and taken away in it. Pure: bytes in, bytes out.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

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
