/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * on-failure=shell: whether a rule that says so was not met, and the line that the image's
 * shell is opened with. The hook of the image, or PID 1, opens it.
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "report.h"
#include "world.h"

/* Below /run/earlybind: the line. That it is there says that a shell was asked for. */
#define SHELL_NAME "shell"

/*
 * Whether the image is to open its shell now: a device is not bound, or a rule names none, and
 * the rule says on-failure=shell; it was not asked for in this boot before, and nothing forbids it: rd.shell=0 and, for PID 1, which does not know whose image
 * it is in, panic= (for initramfs-tools it means that nobody gets a shell). Says so in the log
 * and publishes the line.
 */
bool shell_ask(struct world *world, const struct report *report, bool is_pid1)
	nonnull(1, 2);
