/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What came of a run: outcomes of devices, groups and modules, and their rendering as
 * kernel-log lines and as /run/earlybind/report.json, which is described in binder(8).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "json.h"
#include "plan.h"
#include "policy.h"
#include "reason.h"
#include "world.h"

#define REPORT_SCHEMA	  1
#define REPORT_NAME	  "report.json"
#define REPORT_FIRST_NAME "report-first.json" /* of the first of several runs */
#define REPORT_SIZE_MAX	  ((size_t)1024 * 1024)
#define MODULES_MAX	  16

enum verdict {
	VERDICT_NONE, /* nothing was tried: kept, or a dry run */
	VERDICT_BOUND, /* the kernel says that the wanted driver has it */
	VERDICT_HELD, /* not bound, and kept away from every driver, as asked for */
	VERDICT_RESTORED, /* not bound, and given back to its own driver */
	VERDICT_REFUSED, /* nothing was touched */
	VERDICT_MISSING, /* a rule that names no device */
	VERDICT_STUCK, /* the kernel did not come back */
	VERDICT_FAILED, /* not bound, and not given back either */
};

struct outcome {
	const struct plan_device *plan;
	const char *
		wanted; /* the driver that it shall end on: the plan's, by its true name */
	char before[DRIVER_NAME_SIZE]; /* driver when the run began, "" for none */
	char after[DRIVER_NAME_SIZE];
	enum verdict verdict;
	enum reason reason;
	const char *detail; /* of the reason; NULL for none */
	int error; /* errno, positive; 0 for none */
	uint64_t microseconds;

	bool has_waited; /* somebody had it in hand: it was put off until the others were done */
	int parked; /* number of the store that waits for its lock, plus 1; 0 for none */
	const char *parked_file; /* which that was */
	bool is_reclaimed; /* its claim was lost, and written again */

	/* The undo record: set before the deed. */
	bool has_override; /* driver_override was written */
	struct module_outcome *module; /* of its driver, once that was looked for */
	const char *claimed_for; /* the driver that was written there */
	bool is_claimed; /* and the kernel took it */
	bool is_unbound; /* its driver was told to let go */
	bool is_bound; /* a bind of this run returned 0 */
	bool is_fenced; /* by verify_fence(), and not used yet */
};

enum kernel_verdict { /* of a group: VFIO_GROUP_GET_STATUS */
		      KERNEL_UNKNOWN,
		      KERNEL_VIABLE,
		      KERNEL_NOT_VIABLE,
};

struct group_outcome {
	struct plan_group group; /* as after the run */
	enum kernel_verdict kernel;
};

struct module_outcome {
	const char *name;
	enum module_state state;
	int error; /* errno, positive; 0 for none */
	const char *message; /* why it could not be loaded; NULL where that is no fault */
	uint64_t microseconds;
};

struct report {
	const struct policy *policy;
	const struct inventory *inventory;
	const struct plan *plan;
	struct outcome *outcomes; /* one per device of the plan */
	struct group_outcome *groups;
	size_t group_count;
	struct module_outcome modules[MODULES_MAX];
	size_t module_count;
	enum reason reason; /* why nothing at all could be done */
	const char *detail;
	bool is_dry_run;
	bool is_late; /* of one device that appeared after the boot's run */
	uint64_t deadline; /* of the run, without recoveries */
	uint64_t microseconds; /* of the whole run */
};

const char *verdict_name(enum verdict verdict);

/* Whether every device that a rule wants is bound, and no rule names nothing. */
bool report_is_all_bound(const struct report *report) nonnull(1);

/* The same; of a dry run, whether nothing is refused. */
bool report_is_fine(const struct report *report) nonnull(1);

/* Whether the rule names no device though it should. */
bool report_has_rule_missing(const struct report *report, size_t rule) nonnull(1);

/* The line of one device for the kernel log, without "earlybind: ". */
void report_device_line(const struct outcome *outcome, char *line, size_t size)
	nonnull(1, 2);

/* All lines, at the level that each deserves. */
void report_log(const struct report *report, struct world *world) nonnull(1, 2);

/* The lines about what was not understood: also where there is nothing else to report. */
void report_log_problems(const struct policy *policy, struct world *world) nonnull(1, 2);

/* The report as JSON into @json. */
void report_write(const struct report *report, struct json *json) nonnull(1, 2);

/* Parts of it that "earlybind plan --json" has too. */
void report_write_rules(const struct policy *policy, const struct plan *plan,
			struct json *json) nonnull(1, 3);
void report_write_device(const struct plan_device *pd, const struct outcome *o,
			 struct json *json) nonnull(1, 3);
void report_write_group(const struct plan_group *group, struct json *json) nonnull(1, 2);
void report_write_problems(const struct policy *policy, struct json *json) nonnull(1, 2);
