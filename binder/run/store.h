/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the steps are made of: stores that are waited for, with a sign of life, up to a
 * deadline; parked, where others must not wait for them; or given up.
 */
#pragma once

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
	uint64_t began; /* the step */
	uint64_t next_line; /* on the console, while it goes on */
	/*
	 * A store that takes longer is parked: somebody has the device in hand, and others must
	 * not wait for that. 0: stores are waited for until the deadline.
	 */
	uint64_t patience;
};

uint64_t steps_now(const struct steps *s) nonnull(1);

/* A step begins, or the first of several that are one for the console. */
void steps_begin(struct steps *s, uint64_t deadline) nonnull(1);

/* Sets the reason why a device was not bound. Returns @error, or -EIO if that is 0. */
int steps_fail(struct outcome *o, enum reason reason, const char *detail, int error)
	nonnull(1);

/* Runs a job until the deadline, with a sign of life every few seconds. */
int steps_run(struct steps *s, const struct job *job, struct job_result *result,
	      const char *what) must_check nonnull(1, 2, 3, 4);

/* Lets some time go by before another try of @what, with the same sign of life. */
void steps_pause(struct steps *s, uint64_t microseconds, const char *what) nonnull(1, 3);

/*
 * One write(2) below the PCI bus of /sys. 0, the errno of the kernel, or a reason that is
 * set in @o and -ECANCELED where the write was not done or did not come back; -EINPROGRESS
 * where it was parked, which @o notes.
 */
int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value) must_check nonnull(1, 2, 3, 4, 5);

/*
 * Waits for the store that was parked until the deadline: what steps_store() would have
 * returned, but for -EINPROGRESS.
 */
int steps_end_parked(struct steps *s, struct outcome *o) must_check nonnull(1, 2);

/* Sets the reason for a job that did not come back (-ETIMEDOUT) or could not be done. */
int steps_fail_job(struct steps *s, struct outcome *o, const char *file, int error)
	nonnull(1, 2, 3);

/* "unbind of 0000:01:00.0" */
#define STEP_NAME_SIZE 64
const char *steps_name(const struct outcome *o, const char *file,
		       char buf[static STEP_NAME_SIZE]) nonnull(1, 2);
