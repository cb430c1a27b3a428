/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps that are taken with one device. Each ends in 0, or in a reason that it set in
 * the outcome together with a negative return.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "report.h"
#include "world.h"

struct steps {
	struct world *world;
	struct report *report;
	struct arena *arena;
	uint64_t deadline; /* of the step at hand */
};

uint64_t steps_now(const struct steps *s) nonnull(1);

/* Sets the reason why a device was not bound. Returns @error, or -EIO if that is 0. */
int steps_fail(struct outcome *o, enum reason reason, const char *detail, int error)
	nonnull(1);

/* Runs a job until the deadline, with a sign of life every few seconds. */
int steps_run(struct steps *s, const struct job *job, struct job_result *result,
	      const char *what) must_check nonnull(1, 2, 3, 4);

/*
 * One write(2) below the PCI bus of /sys. 0, the errno of the kernel, or a reason that is
 * set in @o and -ECANCELED where the write was not done or did not come back.
 */
int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value) must_check nonnull(1, 2, 3, 4, 5);

/* Directories of the device and of a driver, below /sys. */
const char *steps_device_dir(const struct outcome *o, char buf[static JOB_PATH_SIZE]);
const char *steps_driver_dir(const char *driver, char buf[static JOB_PATH_SIZE]);

bool outcome_has_wanted_driver(const struct outcome *o) nonnull(1);

/*
 * Claims a device: from the return of this write on, no other driver can take it that has
 * not published its driver link yet (drivers/base/dd.c: really_probe() matches again after
 * it made the link). So the link, read afterwards, decides.
 */
int steps_claim(struct steps *s, struct outcome *o) nonnull(1, 2);

/* Binds a claimed device. 0 if the driver link says so. */
int steps_bind(struct steps *s, struct outcome *o) nonnull(1, 2);

/*
 * Makes the driver that has the device let go. The link vanishes before the driver's
 * remove() runs, so only the return of the write counts (dd.c: __device_release_driver()).
 */
int steps_unbind(struct steps *s, struct outcome *o) nonnull(1, 2);
