/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all commands need: their machine, and JSON on the standard output. */
#pragma once

#include "arena.h"
#include "compiler.h"
#include "json.h"
#include "world.h"

#define SCHEMA 1 /* of the companion's own JSON */

/* Opens the machine or a tree; says what is wrong. */
int open_world(const char *sysroot, struct world **ret) must_check nonnull(2);

/* Says why there is no inventory; @error is -errno. */
void say_no_inventory(int error);

/* Room for a document about @items things. -ENOMEM is said. */
int begin_json(struct arena *arena, size_t items, struct json *ret) must_check
	nonnull(1, 3);

/* Prints the document. 0, or the exit code of a command that could not. */
int end_json(const struct json *json) must_check nonnull(1);
