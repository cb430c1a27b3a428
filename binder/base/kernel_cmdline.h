/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's command line, in the kernel's own dialect (lib/cmdline.c: next_arg(),
 * kernel/params.c: parse_args()).
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"

struct cmdline_arg {
	struct text name;
	struct text value; /* p is NULL where there is no '=' */
};

/*
 * Takes the next parameter off @rest. Returns true with the parameter, or false at the
 * end, which is the end of the text or a NUL byte. A parameter named "--" without a value
 * ends the kernel's own parsing: cmdline_is_end() tells, and what follows belongs to init.
 *
 * Quotes group blanks and are stripped at the start and the end only: a="b c" is a=b c,
 * "a=b c" the same, a=b" "c keeps its quotes. There are no escapes.
 */
bool cmdline_next(struct text *rest, struct cmdline_arg *ret) nonnull(1, 2);

bool cmdline_is_end(const struct cmdline_arg *arg) nonnull(1);

/* The kernel's meaning of a bool parameter (kstrtobool); no value means true. */
int cmdline_bool(const struct cmdline_arg *arg, bool *ret) must_check nonnull(1, 2);
