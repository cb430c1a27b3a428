/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives back what could not be bound. */
#pragma once

#include "compiler.h"
#include "report.h"
#include "world.h"

/*
 * Gives a device that could not be bound back to the driver that it had, or holds it, as
 * the rule says. Takes at most 2 s, or what is left of the recovery timeout where a driver
 * was made to let go: its probe may be slow. Sets verdict and, if it cannot be given back,
 * the reason.
 */
void restore_device(struct world *world, struct report *report, struct outcome *o)
	nonnull(1, 2, 3);
