/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps that are taken with one device. Each ends in 0, or in a reason that it set in
 * the outcome together with a negative return.
 */
#pragma once

#include <stdbool.h>

#include "compiler.h"
#include "report.h"
#include "store.h"

/*
 * Waits for a store that was parked until the deadline. A claim is then a claim, and the
 * driver link read; of a bind only the link is. 0, or a reason that is set in @o.
 */
int steps_resume(struct steps *s, struct outcome *o) must_check nonnull(1, 2);

/* Directories of the device and of a driver, below /sys. */
const char *steps_device_dir(const struct outcome *o, char buf[static JOB_PATH_SIZE]);
const char *steps_driver_dir(const char *driver, char buf[static JOB_PATH_SIZE]);

bool outcome_has_wanted_driver(const struct outcome *o) nonnull(1);
/* One that is not wanted. */
bool outcome_has_foreign_driver(const struct outcome *o) nonnull(1);

/*
 * Asks the device for a sign of life: its config space is read. One without any is refused;
 * where there is no such file, nothing is known.
 */
int steps_ask(struct steps *s, struct outcome *o) nonnull(1, 2);

/*
 * Claims a device: from the return of this write on, no other driver can take it that has
 * not published its driver link yet (drivers/base/dd.c: really_probe() matches again after
 * it made the link). So the link, read afterwards, decides.
 */
int steps_claim(struct steps *s, struct outcome *o) nonnull(1, 2);

/*
 * Tries to bind a claimed device. 0 if the driver link says so. -EAGAIN, without a reason, if
 * it is worth another try; -EBUSY, without one, if another driver has it.
 */
int steps_try_bind(struct steps *s, struct outcome *o) nonnull(1, 2);

/* Tries until the deadline. */
int steps_bind(struct steps *s, struct outcome *o) nonnull(1, 2);

/* Sets the reason for the last try that was worth another one. */
int steps_give_up_bind(struct steps *s, struct outcome *o) nonnull(1, 2);

/*
 * Makes the driver that has the device let go. The link vanishes before the driver's
 * remove() runs, so only the return of the write counts (dd.c: __device_release_driver()).
 */
int steps_unbind(struct steps *s, struct outcome *o) nonnull(1, 2);

/* How long to wait before the next of several tries. */
#define RETRY_FIRST (20 * MILLISECOND)
#define RETRY_MAX   (500 * MILLISECOND)
