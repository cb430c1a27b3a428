/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be told of the file of a program. */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "text.h"

/*
 * Whether @bytes is a program that runs on the machines that this one runs on, without any
 * other file. -EBADMSG with a sentence otherwise.
 */
int program_check(struct text bytes, const char **ret_message) must_check nonnull(2);

/*
 * Whether two programs are the same in all that the kernel loads: what strip(1) takes away or
 * moves does not count, since dracut strips what it puts into an image.
 */
bool program_is_same(struct text a, struct text b);

/* The version that a binder carries; empty if there is none. */
struct text program_version(struct text bytes);

/* ---- elf table ---- */

/* Finds the embedded table in the file of a binder. */

/*
 * The section of the table within @bytes, an ELF file, by its section headers. @ret_message
 * says what is wrong on failure, -EBADMSG: that it is no ELF file, damaged, or no binder.
 */
int section_find(struct text bytes, size_t *ret_offset,
		 const char **ret_message) must_check nonnull(2, 3);
