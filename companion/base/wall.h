/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wall around --sysroot: what the program opens, reads, lists, looks at or writes below the
 * sysroot is looked up as if the sysroot were "/". Links in the tree, absolute ones and "..",
 * lead to places in the tree. Nobody calls this for a path: the linker leads the functions of
 * the C library that take one to here (WALL in mk/programs.mk), those of libkmod and libpci too.
 *
 * Below the sysroot only regular files and folders are opened. Elsewhere a FIFO is not waited
 * for. Either is said on the error output, because libraries keep such errors to themselves.
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"

/* From now on there is a wall around @sysroot; around nothing if it is NULL or "/". */
int wall_set(const char *sysroot) must_check;

/* For tests: without openat2(), as on kernels before 5.6 and where a filter forbids it. */
void wall_set_walk(bool is_forced);
