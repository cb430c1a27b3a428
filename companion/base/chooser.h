/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list to choose from, as a pure state machine: keys in, screen text out. The part that
 * reads and writes the terminal is at the end.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"

enum chooser_key {
	CHOOSER_KEY_NONE, /* one without a meaning here */
	CHOOSER_KEY_UP,
	CHOOSER_KEY_DOWN,
	CHOOSER_KEY_PAGE_UP,
	CHOOSER_KEY_PAGE_DOWN,
	CHOOSER_KEY_HOME,
	CHOOSER_KEY_END,
	CHOOSER_KEY_TOGGLE,
	CHOOSER_KEY_GROUP,
	CHOOSER_KEY_ENTER,
	CHOOSER_KEY_LEAVE,
};

enum chooser_kind {
	CHOOSER_HEAD, /* a line above others */
	CHOOSER_FIXED, /* shown, but not for choosing */
	CHOOSER_CHOICE,
};

struct chooser_item {
	enum chooser_kind kind;
	const char *text;
	int group; /* neighbours with the same one go together; negative for none */
	bool is_chosen;
};

struct chooser {
	struct chooser_item *items;
	size_t count;
	size_t cursor; /* a choice, if there is one */
	size_t top; /* the first item that is shown */
	size_t rows; /* of the terminal */
	size_t columns;
};

enum chooser_state {
	CHOOSER_GO_ON,
	CHOOSER_TAKEN, /* as the items say now */
	CHOOSER_LEFT, /* nothing is to change */
};

/* The smallest terminal that a list fits in. */
#define CHOOSER_ROWS_MIN    5
#define CHOOSER_COLUMNS_MIN 20

/*
 * The key at the start of @bytes and how many bytes it takes. 0 if more must follow, which
 * with @is_all never happens: then a lone escape is a key.
 */
size_t chooser_decode(struct text bytes, bool is_all, enum chooser_key *ret) must_check
	nonnull(3);

/* False if there is nothing to choose. */
bool chooser_start(struct chooser *chooser) nonnull(1);

enum chooser_state chooser_press(struct chooser *chooser, enum chooser_key key) must_check
	nonnull(1);

/*
 * The screen, at most rows - 1 lines of columns - 1 characters, each with what clears the rest
 * of the line, the last one without a line end. Returns the number of lines. @buf holds at
 * least CHOOSER_SCREEN_SIZE(rows, columns).
 */
size_t chooser_draw(struct chooser *chooser, char *buf, size_t size) must_check
	nonnull(1, 2);
#define CHOOSER_SCREEN_SIZE(rows, columns) ((rows) * ((columns)*4 + 16))

/*
 * "1 3,5-7": sets ret_named[number - 1] for each. -EINVAL with the word in *ret_word that is
 * no number from 1 to @max and no range of them.
 */
int chooser_read_numbers(struct text line, size_t max, bool *ret_named,
			 struct text *ret_word) must_check nonnull(3, 4);

/* ---- chooser terminal ---- */

/* A chooser on the terminal: standard input and output. */

/* Whether both are a terminal that can move its cursor, and large enough. */
bool chooser_has_terminal(void);

/*
 * Lets the user choose. The terminal is put back on every way out; a signal that ends the
 * program ends it then. -errno; *ret is CHOOSER_TAKEN or CHOOSER_LEFT.
 */
int chooser_run(struct chooser *chooser, struct arena *arena,
		enum chooser_state *ret) must_check nonnull(1, 2, 3);
