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
#define QUIET_OPTION(r) \
	{ \
		"quiet", NULL, "print only errors and warnings", \
			.ret_flag = &(r).is_quiet, .letter = 'q' \
	}
#define RESULT_OPTIONS(r) \
	{"json", NULL, "print JSON for scripts", .ret_flag = &(r).is_json}, \
		QUIET_OPTION(r)

/* Fields of the command's own. */
typedef void result_writer(const void *arg, struct json *json);

/*
 * Calls @run, and keeps back meanwhile what goes to the standard output, for --json to the error
 * output too. Then, with --json, prints the document, with the sentences as "messages" and "errors",
 * and the errors on the error output as well; with -q drops the sentences, or, where @run failed, puts
 * them on the error output: they say why. Returns the exit code of @run unless the document cannot be
 * written. @r->command and @r->is_dry_run are for the document. A command without --json has no @write.
 */
int result_run(struct result *r, struct arena *arena, int (*run)(void *arg),
	       result_writer *write, void *arg) must_check nonnull(1, 2, 3);

/* Takes the outputs back before the end: for a signal. */
void result_abandon(void);
