/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reports of devices that appeared after the boot's run. */
#pragma once

#include "arena.h"
#include "boot_report.h"
#include "compiler.h"
#include "world.h"

#define LATE_REPORTS_MAX 4096

/*
 * Adds their devices to @boot, each in the place of what the boot's run said about the same
 * address, and takes the rules off its missing ones that name them. A report that cannot be
 * read becomes a problem of @boot. -ENOMEM if @arena is too small.
 */
int late_reports_add(struct world *world, struct arena *arena,
		     struct boot *boot) must_check nonnull(1, 2, 3);
