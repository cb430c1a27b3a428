/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's log, and the error output where there is none. */
#pragma once

#include "compiler.h"
#include "world.h"

/*
 * Writes one line, without its end, to the kernel's log; where that takes nothing, to the
 * error output, if that takes it at once: a pipe that nobody reads must not hold up a boot.
 * 0, or -errno if it went nowhere.
 */
int kmsg_write(enum log_level level, const char *line) nonnull(2);
