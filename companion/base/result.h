/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --json and -q of the commands that act: what they say is kept back until their end. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "json.h"

struct result {
	/* Options. */
	bool is_json;
	bool is_quiet;

	const char *command;
	bool is_dry_run;
	struct arena *arena;
};

/* For the tables of options. */
#define RESULT_OPTIONS(r) \
	{"json", NULL, "print JSON for scripts", .ret_flag = &(r).is_json}, \
	{ \
		"quiet", NULL, "print only errors and warnings", \
			.ret_flag = &(r).is_quiet, .letter = 'q' \
	}

/* Fields of the command's own. */
typedef void result_writer(const void *arg, struct json *json);

/*
 * Keeps back what goes to the standard output, and for --json to the error output, from here on.
 * Says what is wrong; -errno.
 */
int result_begin(struct result *r, struct arena *arena) must_check nonnull(1, 2);

/*
 * Ends that. --json: prints the document, with the sentences as "messages" and "errors"; errors
 * go to the error output, too. -q: drops the sentences. Returns the exit code, which is @code
 * unless the document cannot be written.
 */
int result_end(struct result *r, int code, result_writer *write,
	       const void *arg) must_check nonnull(1, 3);

/* Takes the outputs back before the end: for a signal. */
void result_abandon(void);
