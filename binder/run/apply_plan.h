/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out a plan: claim, load, bind, recover. Every write is a job with a
 * limit, the undo is recorded before the deed, and one device's failure never stops the
 * others. What came of it is decided by verify, not here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "report.h"
#include "text.h"
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

struct steps;

/* ---- store ---- */

/*
 * What the steps are made of: stores that are waited for, with a sign of life, up to a
 * deadline; parked, where others must not wait for them; or given up.
 */

uint64_t steps_now(const struct steps *s) nonnull(1);

/* A step begins, or the first of several that are one for the console. */
void steps_begin(struct steps *s, uint64_t deadline) nonnull(1);

/* Sets the reason why a device was not bound. Returns @error, or -EIO if that is 0. */
int steps_fail(struct outcome *o, enum reason reason, const char *detail, int error)
	nonnull(1);

/*
 * One write(2) below the PCI bus of /sys. 0, the errno of the kernel, or a reason that is
 * set in @o and -ECANCELED where the write was not done or did not come back; -EINPROGRESS
 * where it was parked, which @o notes.
 */
int steps_store(struct steps *s, struct outcome *o, const char *directory,
		const char *file, const char *value) must_check nonnull(1, 2, 3, 4, 5);

/* ---- bind error ---- */

/* Why vfio-pci did not take a device. */

/* Directories of the device and of a driver, below /sys. */
const char *steps_device_dir(const struct outcome *o, char buf[static JOB_PATH_SIZE]);
const char *steps_driver_dir(const char *driver, char buf[static JOB_PATH_SIZE]);

/*
 * Makes the driver that has the device let go. The link vanishes before the driver's
 * remove() runs, so only the return of the write counts (dd.c: __device_release_driver()).
 */
int steps_unbind(struct steps *s, struct outcome *o) nonnull(1, 2);

/* ---- load modules ---- */

/*
 * The modules that a plan needs, each loaded once: vfio's where a device shall go to
 * vfio-pci or a variant of it, and those of the drivers that rules name.
 */

/*
 * Works on report->outcomes and report->modules. Takes at most the policy's timeout, and its
 * recovery timeout for each device that another driver has.
 */
void apply_plan(struct world *world, struct report *report, struct arena *arena)
	nonnull(1, 2, 3);

/*
 * Frees the memory of a device that was bound from the framebuffer of the firmware, where vfio-pci
 * has not done it. Where it cannot, o->reason says so.
 */
void framebuffer_release(struct steps *steps, struct outcome *outcome) nonnull(1, 2);

/* ---- undo ---- */

/*
 * Gives a device that could not be bound back to the driver that it had, or holds it, as
 * the rule says. Takes at most 2 s, or what is left of the recovery timeout where a driver
 * was made to let go: its probe may be slow. Sets verdict and, if it cannot be given back,
 * the reason.
 */
void restore_device(struct world *world, struct report *report, struct outcome *o)
	nonnull(1, 2, 3);

/*
 * Takes a kept device from vfio-pci, which had it by its own ids= before this run: its IDs are
 * taken off the driver's list, it is unbound and left to its own driver, which may be there
 * already. Takes at most 5 s, but for the probe of that driver. Sets the reason. Only where
 * nobody can have the device open: the unbind waits for whoever has.
 */
void restore_kept(struct world *world, struct report *report, struct outcome *o)
	nonnull(1, 2, 3);
