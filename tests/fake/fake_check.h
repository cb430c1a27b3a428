/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs over the fake machine, and what must hold after each of them. */
#pragma once

#include "fake_world.h"
#include "run.h"

struct fake_boot {
	struct arena arena;
	struct run run;
	bool is_late; /* of one device */
	int code;
	uint64_t start, end;
};

/* run_boot() with @table as configuration text of the embedded table; NULL for none. */
void fake_boot(struct fake_world *w, const char *table, struct fake_boot *ret);
/* run_device() for a device, with the same table as the boot had. */
void fake_late(struct fake_world *w, const char *table, const char *address,
	       bool is_synthetic, struct fake_boot *ret);
void fake_boot_free(struct fake_boot *boot);

/*
 * Every device is bound, untouched, given back or held, and its verdict says so; nothing
 * that no rule names was touched; the run ended in time. NULL, or what is wrong (static).
 */
const char *fake_check(struct fake_world *w, const struct fake_boot *boot);

/* Whether a fault made something be missed, or seen otherwise: the rest follows from that. */
bool fake_is_misled(const struct fake_world *w);

/* The outcome of a device, NULL if the plan has none. */
const struct outcome *fake_outcome(const struct fake_boot *boot, const char *address);
