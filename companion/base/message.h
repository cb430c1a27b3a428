/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the companion says: one voice, and nothing reaches the terminal that could be taken
 * for a control sequence. Bytes that are no UTF-8 text are shown as '?'.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "compiler.h"
#include "policy.h"
#include "text.h"

#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* "earlybind: MESSAGE" on the error output. */
void say_error(const char *format, ...) nonnull(1) printf_like(1, 2);

/*
 * The length of the character at the start of @t if it is safe to show, 0 otherwise: valid
 * UTF-8 without control characters (C0, DEL, C1) and without what turns the direction of
 * writing around.
 */
size_t text_safe_length(struct text t);

/* Writes foreign text, made safe. */
void put_text(FILE *out, struct text t) nonnull(1);

/*
 * "ORIGIN: message" and, where the line is at hand, the line and a caret below the place;
 * otherwise the text that is meant. @end is where the bytes of the file end, or NULL.
 */
void put_problem(FILE *out, const struct problem *problem, const char *end) nonnull(1, 2);

/*
 * Words in lines of at most terminal_width() columns; further lines begin at column @indent,
 * from 0. The caller has written what is in front of @column.
 */
struct paragraph {
	FILE *out;
	size_t column;
	size_t indent;
	bool has_word;
};

/* Where text behind "0000:01:00.0 [10ee:5000] " goes on in further lines. */
#define DEVICE_INDENT 4

/* Adds words; white space in @format and in its arguments separates them. */
void paragraph_add(struct paragraph *paragraph, const char *format, ...) nonnull(1, 2)
	printf_like(2, 3);
/* The same for one line of its own, from column @indent on. */
void paragraph_line(FILE *out, size_t indent, const char *format, ...) nonnull(1, 3)
	printf_like(3, 4);
void paragraph_end(struct paragraph *paragraph) nonnull(1);

/* Columns that @t takes on a terminal, close enough. */
size_t text_columns(struct text t);

/* "s" unless @count is one. */
const char *plural(size_t count);
