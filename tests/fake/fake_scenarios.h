/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs that every kind of fault is tried on. */
#pragma once

#include "fake_check.h"

#define FAKE_WANTED_MAX 4

struct fake_scenario {
	const char *name;
	const char *cmdline;
	const char *table; /* NULL for none */
	void (*set_up)(struct fake_world *w); /* of the Alveo machine; NULL: as it is */
	const char *wanted[FAKE_WANTED_MAX]; /* on their driver where the code is 0 */
	const char *driver; /* of the first of them; NULL: vfio-pci, as of the others */
	enum fake_kernel kernel;
	bool is_pid1;

	/* Of the run for a card that appears after a boot without faults: */
	bool is_late, is_synthetic;
	uint64_t delay; /* until drivers may have it */
};

extern const struct fake_scenario fake_scenarios[];
extern const size_t fake_scenario_count;

/* A fault at an access, and maybe a second one at another. */
struct fake_injection {
	unsigned at, second_at;
	enum fake_fault fault, second;
};

/* The machine after the run of @scenario: to be freed, as @ret_boot. */
struct fake_world *fake_play(const struct fake_scenario *scenario,
			     const struct fake_injection *injection,
			     struct fake_boot *ret_boot);

/* fake_check(), and that code 0 means that what is wanted is bound. */
const char *fake_check_scenario(struct fake_world *w,
				const struct fake_scenario *scenario,
				const struct fake_boot *boot);
