/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders below /run: made, written to, locked; no link of somebody else's is followed. */
#pragma once

#include "compiler.h"
#include "text.h"

/* Opens a directory in another one, which is made if need be: a descriptor, or -errno. */
int place_open(int parent, const char *name) must_check nonnull(2);

/* Replaces a file at once: whoever reads it finds the old one or the new one. 0 or -errno. */
int place_write(int dir, const char *name, struct text bytes) must_check nonnull(2);

/*
 * Takes the lock of a file, which is opened into *@fd if that is -1; closing it lets go. It is
 * the process's (fcntl(2)): a worker that is stuck in the kernel does not inherit it. -EAGAIN:
 * another process has it; other -errno: it cannot be had.
 */
int place_lock(int dir, const char *name, int *fd) must_check nonnull(2, 3);
