/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <string.h>

#include "apply.h"
#include "config.h"
#include "restore.h"
#include "table.h"
#include "verify.h"

/* The kernel's longest, with bootconfig's part, and then some (init/main.c). */
#define CMDLINE_MAX ((size_t)40 * 1024)

/* A source that could not be read: what it says is missing. */
static void lose_source(struct policy *policy, enum source source, struct text text,
			const char *message)
{
	const struct origin origin = {.source = source};

	policy_add_problem(policy, &origin, text, message, true);
	policy->is_partial = true;
}

static void read_cmdline(struct world *world, struct arena *arena,
			 const struct run_options *options, struct policy *policy)
{
	char *buf;
	int n;

	if (options->cmdline.p) {
		policy_add_cmdline(policy, options->cmdline);
		return;
	}
	buf = arena_alloc(arena, CMDLINE_MAX, 1);
	n = buf ? world->ops->read(world, WORLD_PROC, "cmdline", buf, CMDLINE_MAX)
		: -ENOMEM;
	if (n == -E2BIG)
		n = CMDLINE_MAX;
	if (n < 0)
		lose_source(policy, SOURCE_CMDLINE, TEXT("command line"),
			    "cannot be read: only the table counts");
	else
		policy_add_cmdline(policy, (struct text){buf, (size_t)n});
}

static void read_table(const struct run_options *options, struct policy *policy)
{
	struct text text = {NULL, 0};
	int r;

	if (!options->table.p || policy->ignore_table)
		return;
	r = table_decode(options->table.p, options->table.n, &text);
	if (r == -EPROTONOSUPPORT)
		lose_source(policy, SOURCE_TABLE, TEXT("embedded table"),
			    "it is of a newer version than this binder: rebuild the "
			    "image with update-initramfs -u -k all");
	else if (r < 0)
		lose_source(policy, SOURCE_TABLE, TEXT("embedded table"),
			    "it is damaged: rebuild the image with update-initramfs "
			    "-u -k all");
	else if (text.n > 0)
		config_parse(policy, SOURCE_TABLE, (struct text){"", 0}, text);
}

static void read_modprobe(struct world *world, struct arena *arena, struct policy *policy)
{
	const struct job job = {.kind = JOB_MODULE_IDS};
	uint64_t until = world->ops->now(world) + policy->timeout * SECOND;
	struct job_result result;
	char *copy = NULL;
	int r;

	r = world_run(world, &job, until, &result);
	if (r == 0)
		r = result.error;
	if (r == 0 && result.is_found) {
		copy = arena_copy(arena, (struct text){result.text, result.length});
		r = copy ? 0 : -ENOMEM;
	}
	if (r < 0) {
		lose_source(policy, SOURCE_MODPROBE, TEXT("options vfio-pci"),
			    r == -E2BIG ? "ids= is longer than 4096 characters"
					: "modprobe.d cannot be read");
		return;
	}
	policy->has_denylist_off |= result.is_denylist_off;
	if (copy)
		policy_add_module_ids(policy, SOURCE_MODPROBE,
				      (struct text){copy, result.length});
}

int run_read_policy(struct world *world, struct arena *arena,
		    const struct run_options *options, struct run *run)
{
	struct policy *policy = &run->policy;
	int r;

	*run = (struct run){.report = {.policy = policy}};
	r = policy_init(policy, arena);
	if (r < 0)
		return r;
	read_cmdline(world, arena, options, policy);
	/* The command line may ask for a dry run, but not forbid it. */
	policy->dry_run = policy->dry_run || options->is_dry_run;
	if (policy->off)
		return 0;
	read_modprobe(world, arena, policy);
	read_table(options, policy);
	run->report.is_dry_run = policy->dry_run;
	return 0;
}

static bool is_interesting(const void *arg, struct bdf bdf, const struct pci_ids *ids)
{
	return policy_has_interest(arg, bdf, ids);
}

int run_plan(struct world *world, struct arena *arena, struct run *run)
{
	struct report *report = &run->report;
	int r;

	r = inventory_read(world, arena, is_interesting, &run->policy, &run->inventory);
	report->inventory = &run->inventory;
	run->inventory.is_early = run->is_boot;
	if (r == 0)
		r = plan_make(&run->policy, &run->inventory, arena, &run->plan);
	if (r == 0) {
		report->outcomes = arena_alloc(arena, run->plan.device_count,
					       sizeof(*report->outcomes));
		if (!report->outcomes)
			r = -ENOMEM;
	}
	if (r < 0) {
		report->reason = r == -ENOMEM ? REASON_LIMIT : REASON_NO_SYSFS;
		report->detail = r == -ENOMEM ? "memory for devices" : errno_text(r);
		return r;
	}
	report->plan = &run->plan;
	for (size_t i = 0; i < run->plan.device_count; i++) {
		struct outcome *o = &report->outcomes[i];

		o->plan = &run->plan.devices[i];
		o->reason = o->plan->reason;
		o->detail = o->plan->detail;
		memcpy(o->before, o->plan->device->driver, sizeof(o->before));
		memcpy(o->after, o->before, sizeof(o->after));
		if (o->plan->action == ACTION_REFUSE)
			o->verdict = VERDICT_REFUSED;
	}
	return 0;
}

static void carry_out(struct world *world, struct arena *arena, struct run *run)
{
	struct report *report = &run->report;
	uint64_t until;

	apply_plan(world, report, arena);
	for (size_t i = 0; i < run->plan.device_count; i++) {
		struct outcome *o = &report->outcomes[i];

		verify_device(world, o);
		if (o->verdict == VERDICT_NONE && o->plan->action != ACTION_KEEP)
			restore_device(world, report, o);
	}
	until = world->ops->now(world) + 2 * SECOND;
	if (verify_groups(world, report, &run->inventory, arena, until) < 0) {
		report->reason = REASON_LIMIT;
		report->detail = "memory for groups";
	}
}

static void publish(struct world *world, struct arena *arena, struct run *run)
{
	struct json json = {.size = REPORT_SIZE_MAX};
	int r = -ENOMEM;

	report_log(&run->report, world, arena);
	json.buf = arena_alloc(arena, json.size, 1);
	if (json.buf) {
		report_write(&run->report, &json);
		r = json.is_full
			    ? -E2BIG
			    : world->ops->publish(world, REPORT_NAME,
						  (struct text){json.buf, json.used});
	}
	if (r < 0)
		world_log(world, LOG_LEVEL_WARNING, "the report cannot be written: %s",
			  errno_text(r));
}

int run_boot(struct world *world, struct arena *arena, const struct run_options *options,
	     struct run *run)
{
	uint64_t start = world->ops->now(world);
	struct policy *policy = &run->policy;
	int r;

	r = run_read_policy(world, arena, options, run);
	if (r < 0) {
		world_log(world, LOG_LEVEL_ERROR, "out of memory");
		return EXIT_NOT_ALL;
	}
	if (policy->off) {
		world_log(world, LOG_LEVEL_DEBUG,
			  "off: rd.earlybind=0 is on the command line");
		return EXIT_ALL_BOUND;
	}
	if (!policy_has_bind_rule(policy)) {
		report_log_problems(policy, world);
		world_log(world, LOG_LEVEL_DEBUG, "no rule: nothing to do");
		return policy->problem_count > 0 ? EXIT_NOT_ALL : EXIT_ALL_BOUND;
	}
	run->is_boot = true;
	r = run_plan(world, arena, run);
	run->report.deadline = start + policy->timeout * SECOND;
	if (r == 0 && !policy->dry_run)
		carry_out(world, arena, run);
	run->report.microseconds = world->ops->now(world) - start;
	publish(world, arena, run);
	return report_is_fine(&run->report) ? EXIT_ALL_BOUND : EXIT_NOT_ALL;
}
