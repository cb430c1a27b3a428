/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the companion says: one voice, and nothing reaches the terminal that could be taken
 * for a control sequence. Bytes that are no UTF-8 text are shown as '?'.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "arena.h"
#include "compiler.h"
#include "json.h"
#include "policy.h"
#include "text.h"
#include "world.h"

enum style {
	STYLE_PLAIN, /* ends what another one began */
	STYLE_HEAD,
	STYLE_GOOD,
	STYLE_CAREFUL,
	STYLE_BAD,
};

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

#define SCHEMA 1 /* of the companion's own JSON */

/* ---- terminal ---- */

/* What the standard output can show: its width, colours, lines of a tree. */

/*
 * Columns of the lines that go to @out: those of the terminal that it is (COLUMNS, or what
 * the terminal says), one less, so that it need not wrap. SIZE_MAX for everything else: other
 * programs find each sentence in one line.
 */
size_t terminal_width(FILE *out) nonnull(1);

/* From now on the standard output has at most 79 columns, also if it is no terminal: for help. */
void terminal_wrap(void);

/*
 * "auto", "always" or "never"; NULL is "auto": on a terminal, unless NO_COLOR is set or TERM
 * is "dumb". -EINVAL for another word.
 */
int terminal_set_color(const char *when) must_check;

/*
 * Writes what turns a style on, if colours are on: nothing before terminal_set_color(), which
 * main() calls for all commands.
 */
void put_style(FILE *out, enum style style) nonnull(1);

/* Whether the locale has more than ASCII. */
bool terminal_has_unicode(void);

/* From now on each message is a warning in the form of the image generators: "W: earlybind: ". */
void say_as_warnings(void);

/* "earlybind: MESSAGE" on the error output. */
void say_error(const char *format, ...) nonnull(1) printf_like(1, 2);

/*
 * The length of the character at the start of @t if it is safe to show, 0 otherwise: valid
 * UTF-8 that char_is_shown().
 */
size_t text_safe_length(struct text t);

/*
 * Foreign text, such as the name of a file, becomes part of what is put out. One filter per
 * format: put_text() for text and all that is made of lines (comments, YAML, words of a
 * completion), with the escapes of export.c for strings of DOT and Prometheus and comments of
 * XML; text_safe() for lines of the configuration; text_add_word() for words of a shell;
 * json.h for JSON.
 */
void put_text(FILE *out, struct text t) nonnull(1);

/* The same as a copy. NULL if out of memory. */
const char *text_safe(struct text t, struct arena *arena) nonnull(2);

/* Adds a word as a shell reads it, in quotes where it needs them. */
void text_add_word(struct text_buffer *b, const char *word) nonnull(1, 2);

/* A command with blanks between its words, of which there are at most @max: up to NULL. */
void text_add_command(struct text_buffer *b, const char *const *argv, size_t max)
	nonnull(1, 2);

/*
 * "ORIGIN: message" and, where the line is at hand, the line and a caret below the place;
 * otherwise the text that is meant. @end is where the bytes of the file end, or NULL.
 */
void put_problem(FILE *out, const struct problem *problem, const char *end) nonnull(1, 2);

/* Adds words; white space in @format and in its arguments separates them. */
void paragraph_add(struct paragraph *paragraph, const char *format, ...) nonnull(1, 2)
	printf_like(2, 3);
/* The same for a verdict, in its colour if colours are on. */
void paragraph_verdict(struct paragraph *paragraph, enum style style, const char *format,
		       ...) nonnull(1, 3) printf_like(3, 4);
/* The same for one line of its own, from column @indent on. */
void paragraph_line(FILE *out, size_t indent, const char *format, ...) nonnull(1, 3)
	printf_like(3, 4);
void paragraph_end(struct paragraph *paragraph) nonnull(1);

/* Columns that @t takes on a terminal, close enough. */
size_t text_columns(struct text t);

/* "s" unless @count is one. */
const char *plural(size_t count);

/* ---- command output ---- */

/* What all commands need: their machine, and JSON on the standard output. */

/* Opens the machine or a tree; says what is wrong. */
int open_world(const char *sysroot, struct world **ret) must_check nonnull(2);

/* Says why there is no inventory; @error is -errno. */
void say_no_inventory(int error);

/* Room for a document about @items things. -ENOMEM is said. */
int begin_json(struct arena *arena, size_t items, struct json *ret) must_check
	nonnull(1, 3);

/* Prints the document. 0, or the exit code of a command that could not. */
int end_json(const struct json *json) must_check nonnull(1);
