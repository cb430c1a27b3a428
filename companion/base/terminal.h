/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the standard output can show: its width, colours, lines of a tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "compiler.h"

enum style {
	STYLE_PLAIN, /* ends what another one began */
	STYLE_HEAD,
	STYLE_GOOD,
	STYLE_CAREFUL,
	STYLE_BAD,
};

/*
 * Columns of the lines that go to @out: those of the terminal that it is (COLUMNS, or what
 * the terminal says), one less, so that it need not wrap; 79 for everything else.
 */
size_t terminal_width(FILE *out) nonnull(1);

/*
 * "auto", "always" or "never"; NULL is "auto": on a terminal, unless NO_COLOR is set or TERM
 * is "dumb". -EINVAL for another word.
 */
int terminal_set_color(const char *when) must_check;

/* Writes what turns a style on, if colours are on: nothing before terminal_set_color(). */
void put_style(FILE *out, enum style style) nonnull(1);

/* Whether the locale has more than ASCII. */
bool terminal_has_unicode(void);
