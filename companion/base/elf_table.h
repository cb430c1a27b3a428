/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the embedded table in the file of a binder. */
#pragma once

#include "compiler.h"
#include "text.h"

/*
 * The section of the table within @bytes, an ELF file, by its section headers. @ret_message
 * says what is wrong on failure, -EBADMSG: that it is no ELF file, damaged, or no binder.
 */
int section_find(struct text bytes, size_t *ret_offset,
		 const char **ret_message) must_check nonnull(2, 3);
