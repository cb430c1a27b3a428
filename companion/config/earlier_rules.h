/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last rules of this machine that were valid: what an image gets while its configuration is not. */
#pragma once

#include <stddef.h>

#include "arena.h"
#include "compiler.h"
#include "table.h"
#include "text.h"

#define EARLIER_DATE_SIZE 16

/*
 * Keeps the rules, @table without what is recorded of the machine, below @sysroot (NULL for /).
 * What is there already is not written again. A disk that is full or read-only is no reason to
 * stop anything: then they are not kept.
 */
void earlier_rules_keep(struct arena *arena, const char *sysroot, struct text table)
	nonnull(1);

/*
 * The rules that were kept, and the day. -ENOENT: there are none; anything else: the file is
 * damaged or cannot be read.
 */
int earlier_rules_read(struct arena *arena, const char *sysroot, struct text *ret,
		       char ret_date[static EARLIER_DATE_SIZE]) must_check nonnull(1, 3);
