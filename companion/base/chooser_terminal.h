/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A chooser on the terminal: standard input and output. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "chooser.h"
#include "compiler.h"

/* Whether both are a terminal that can move its cursor, and large enough. */
bool chooser_has_terminal(void);

/*
 * Lets the user choose. The terminal is put back on every way out; a signal that ends the
 * program ends it then. -errno; *ret is CHOOSER_TAKEN or CHOOSER_LEFT.
 */
int chooser_run(struct chooser *chooser, struct arena *arena,
		enum chooser_state *ret) must_check nonnull(1, 2, 3);
