/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The binder's report of this boot, read back from /run or /dev. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "inventory.h"
#include "selector.h"
#include "world.h"

/* The word for where a rule came from that was given by hand: in a report, and in status. */
#define ORIGIN_BY_HAND "argument"
#define ACTION_RELEASE "release" /* in the report of a device that was given back */

/*
 * What the runs of this boot left about devices that the kernel is stuck with: read once, to be
 * asked about thousands of functions.
 */
struct boot_stuck {
	bool is_possible; /* the boot's own run had one, or that cannot be told */
	struct bdf *late; /* what later runs judged, in the order of addresses */
	size_t late_count;
};

/* Where it cannot be read, each device is looked up by itself. */
void boot_read_stuck(struct world *world, struct arena *arena, struct boot_stuck *ret)
	nonnull(1, 2, 3);

/*
 * The driver that driver_override names now; "" for none, which the kernel shows as "(null)"
 * (drivers/pci/pci-sysfs.c: driver_override_show()). NULL if it cannot be read, also of a stuck
 * device: before 7.0 that takes the device's lock, which a driver that hangs in its remove() has
 * for ever. @stuck: as it was read; NULL: this device is looked up.
 */
const char *boot_read_override(struct world *world, struct arena *arena,
			       const struct boot_stuck *stuck,
			       const struct pci_device *d) must_check nonnull(1, 2, 4);

/* Texts are "" where the report has null. They live in the loaded document. */
struct boot_device {
	struct bdf bdf;
	const char *id;
	const char *action;
	const char *verdict;
	const char *wanted;
	const char *before;
	const char *after;
	const char *rule;
	const char *origin;
	const char *reason;
	const char *message;
	const char *note; /* "" for none */
	uint64_t microseconds; /* that it took */
	bool is_late; /* it appeared after the boot's run, or was named by hand */
};

struct boot_rule {
	const char *text;
	const char *origin;
	const char *kind; /* "bind", "keep" */
	bool is_active;
	const char *elsewhere; /* where its device was instead, a sentence; NULL */
	struct selector selector; /* its text; matches nothing if that is none */
};

struct boot_module {
	const char *name;
	const char *outcome;
	int error;
};

struct boot_problem {
	const char *origin;
	const char *text;
	const char *message;
};

struct boot {
	bool is_dry_run;
	bool is_all_bound;
	bool has_loss; /* beside devices and rules: something else kept it from that */
	const char *reason; /* why nothing at all was done, "" for none */
	const char *message;
	struct boot_device *devices; /* sorted by address */
	size_t device_count;
	struct boot_rule *rules;
	size_t rule_count;
	struct boot_rule *missing; /* rules that should have named a device */
	size_t missing_count;
	struct boot_module *modules;
	size_t module_count;
	struct boot_problem *problems;
	size_t problem_count;
};

/*
 * Reads the report: of the binder as PID 1 from /dev, of the hook's run from /run, and of the
 * first run there if there were several. Where more than one are there, the last run's word
 * counts; what only a former one knows is added: devices and rules that the later one does not name, the driver that a
 * device had before PID 1 bound it, and the modules if the later run had none to load.
 * -ENOENT: there is none; -EPROTONOSUPPORT: it is of a newer version; -EBADMSG: it is
 * damaged, and @ret_message says how. @ret_path is the file in question. What is loaded stays
 * until the end.
 */
int boot_read(struct world *world, struct arena *arena, struct boot *ret,
	      const char **ret_path, const char **ret_message) must_check
	nonnull(1, 2, 3, 4, 5);

/* The device at an address, or NULL. */
const struct boot_device *boot_find(const struct boot *boot, struct bdf bdf) nonnull(1);

/*
 * The bind rule of this boot that names @d, though no run of this boot has seen it: it came later,
 * and nothing bound it. By the facts of @d that are known. NULL: that is not so.
 */
const struct boot_rule *boot_find_overlooked(const struct boot *boot,
					     const struct pci_device *d) nonnull(1, 2);

/* ---- late reports ---- */

/* The reports of devices that appeared after the boot's run. */

/*
 * Adds their devices to @boot, each in the place of what the boot's run said about the same
 * address, and takes the rules off its missing ones that name them. A report that cannot be
 * read becomes a problem of @boot. -ENOMEM if @arena is too small.
 */
int late_reports_add(struct world *world, struct arena *arena,
		     struct boot *boot) must_check nonnull(1, 2, 3);

/* ---- boot device ---- */

/* A device of the report against the machine as it is now. */

bool boot_device_is_bound(const struct boot_device *b) nonnull(1);
bool boot_device_is_by_hand(const struct boot_device *b) nonnull(1);
/* "earlybind release" gave it back. */
bool boot_device_is_released(const struct boot_device *b) nonnull(1);

/* "at boot", "when it appeared", "by hand" */
const char *boot_device_when(const struct boot_device *b) nonnull(1);

/* What the report says of its IDs: without subsystem and class. */
struct pci_ids boot_device_ids(const struct boot_device *b) nonnull(1);

/* What is at the address now; NULL if nothing is, or another device. */
const struct pci_device *boot_device_now(const struct boot_device *b,
					 const struct inventory *now) nonnull(1, 2);

/* Whether the machine is no longer as the run left it, on purpose, for this device. */
bool boot_device_is_changed(const struct boot_device *b, const struct inventory *now)
	nonnull(1, 2);

/* Whether all is as the rule wants it. */
bool boot_device_is_well(const struct boot_device *b, const struct inventory *now)
	nonnull(1, 2);
