/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the companion says: one voice, and nothing reaches the terminal that could be taken
 * for a control sequence. Bytes that are no UTF-8 text are shown as '?'.
 */
#pragma once

#include <stdio.h>

#include "compiler.h"
#include "policy.h"
#include "text.h"

#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* "earlybind: MESSAGE" on the error output. */
void say_error(const char *format, ...) nonnull(1) printf_like(1, 2);

/* Writes foreign text, made safe. */
void put_text(FILE *out, struct text t) nonnull(1);

/*
 * "ORIGIN: message" and, where the line is at hand, the line and a caret below the place.
 * @end is where the bytes of the file end; NULL where they are not at hand.
 */
void put_problem(FILE *out, const struct problem *problem, const char *end) nonnull(1, 2);

/*
 * Writes @t from column @column on in words, at most to column 79; further lines begin at
 * column @indent. Returns the column reached. Columns count from 0.
 */
size_t put_wrapped(FILE *out, struct text t, size_t column, size_t indent) nonnull(1);

/* "s" unless @count is one. */
const char *plural(size_t count);
