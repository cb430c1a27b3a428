/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be told of the file of a program. */
#pragma once

#include "compiler.h"
#include "text.h"

/*
 * Whether @bytes is a program that runs on the machines that this one runs on, without any
 * other file. -EBADMSG with a sentence otherwise.
 */
int program_check(struct text bytes, const char **ret_message) must_check nonnull(2);

/* The version that a binder carries; empty if there is none. */
struct text program_version(struct text bytes);
