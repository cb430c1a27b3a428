/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipeline: sources, inventory, plan, apply, verify, report. Used by the boot program,
 * by the companion (up to the plan) and by the tests.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "inventory.h"
#include "plan.h"
#include "policy.h"
#include "report.h"
#include "world.h"

/* ---- run lock ---- */

/*
 * Two binders at once: one works, the other waits for its turn. And one after another: what the
 * former one found out is not lost.
 */

/* Below /run/earlybind. */
#define TURN_BOOT_NAME	   "lock"
#define TURN_DEVICE_SUFFIX ".lock"

enum turn {
	TURN_FREE, /* nobody else is at work, or nobody can tell: then it is said */
	TURN_WAITED, /* somebody else was, and has finished */
	TURN_LOST, /* somebody else still is */
};

/* ---- emergency shell ---- */

/*
 * on-failure=shell: whether a rule that says so was not met, and the line that the image's
 * shell is opened with. The hook of the image, or PID 1, opens it.
 */

/* Below /run/earlybind: the line. That it is there says that a shell was asked for. */
#define SHELL_NAME "shell"

/*
 * Below /etc of an image that has the rules of an earlier day, since the configuration had errors
 * when it was made: a line that says why, and one that says which rules.
 */
#define EARLIER_NAME "earlybind.earlier"
#define EARLIER_SIZE 512

/* The bytes of that file as a sentence with the remedy. NULL if there is no memory. */
const char *earlier_describe(struct text bytes, struct arena *arena) nonnull(2);

struct run_options {
	struct text cmdline; /* in place of the machine's unless p is NULL */
	bool has_cmdline_files; /* an initramfs: dracut's files count as command line */
	struct text table; /* the section with its header; p NULL: there is none */
	const struct job_result *module_options; /* in place of modprobe.d unless NULL */
	bool is_dry_run;
	/*
	 * Asked once there is a rule: whether devices may be touched here. Where not, run_boot() ends
	 * with EXIT_USAGE. NULL: they may.
	 */
	bool (*is_here)(struct world *world);
	bool is_initramfs; /* nobody uses a device yet: a kept one may be taken from vfio-pci */
	bool is_pid1; /* before /init: there is no /run for what later devices need */
	bool is_late; /* for a device that appeared after the boot's run: run_device() */
	bool is_synthetic; /* its event was made by udevadm trigger, not by the kernel */
};

struct run {
	bool is_boot; /* set by run_boot(): this is before udev */
	bool is_initramfs; /* set by run_boot(), from the options */
	uint64_t start; /* of what takes time; 0: there was nothing yet */
	struct bdf
		only; /* set by run_device(), for a late report: nothing else is touched */
	struct policy policy;
	struct inventory inventory;
	struct plan plan;
	struct report report;
};

/*
 * Reads the sources into run->policy: the command line, modprobe.d, the table. Problems are
 * recorded in it. -ENOMEM if @arena is too small.
 */
int run_read_policy(struct world *world, struct arena *arena,
		    const struct run_options *options, struct run *run) must_check
	nonnull(1, 2, 3, 4);

/*
 * Reads the bus and plans. On failure run->report has the reason; -errno.
 */
int run_plan(struct world *world, struct arena *arena, struct run *run) must_check
	nonnull(1, 2, 3);

/*
 * Applies the plan until report->deadline and what recoveries take, verifies, and gives back
 * what could not be bound. What came of it is in the report.
 */
void run_carry_out(struct world *world, struct arena *arena, struct run *run)
	nonnull(1, 2, 3);

/* Publishes the report of the one device run->only, and what came of it. */
void run_publish_device(struct world *world, struct arena *arena, struct run *run)
	nonnull(1, 2, 3);

/* A whole boot. Returns the exit code of the binder, described in binder(8). */
int run_boot(struct world *world, struct arena *arena, const struct run_options *options,
	     struct run *run) must_check nonnull(1, 2, 3, 4);

/*
 * The same for one function that appeared after the boot's run, with the rules of that run
 * where there are any. For a synthetic event, one that has a driver, or that was judged in
 * this boot, is left alone; one that is stuck always is.
 */
int run_device(struct world *world, struct arena *arena,
	       const struct run_options *options, struct bdf bdf,
	       struct run *run) must_check nonnull(1, 2, 3, 5);

enum exit_code {
	EXIT_ALL_BOUND = 0, /* or nothing to do */
	EXIT_NOT_ALL = 1, /* something was not bound; the report says why */
	EXIT_USAGE = 2,
	EXIT_SHELL = 3, /* as 1, and the image is to open its shell: on-failure=shell */
};
