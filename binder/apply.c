/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steps.h"

static int recover(struct steps *a, struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE];
	int r;

	world_log(a->world, LOG_LEVEL_NOTICE,
		  "%s [%04x:%04x] is held by %s: making it let go, at most %u s",
		  bdf_format(d->bdf, address), d->ids.vendor, d->ids.device, o->after,
		  a->report->policy->recovery_timeout);
	r = steps_claim(a, o);
	if (r == 0)
		r = steps_unbind(a, o);
	if (r == 0)
		r = steps_bind(a, o);
	return r;
}

static bool is_pending(const struct outcome *o, enum action action)
{
	return o->plan->action == action && o->verdict == VERDICT_NONE &&
	       o->reason == REASON_NONE;
}

/* Does one step for a device and adds to its time. */
static void step(struct steps *a, struct outcome *o,
		 int (*f)(struct steps *, struct outcome *))
{
	uint64_t start = steps_now(a);

	if (start >= a->deadline)
		steps_fail(o, REASON_TIMEOUT, NULL, -ETIMEDOUT);
	else
		(void)f(a, o);
	o->microseconds += steps_now(a) - start;
}

static void load_module(struct steps *a, const char *name, bool without_ids)
{
	struct report *report = a->report;
	struct module_outcome *m = &report->modules[report->module_count++];
	struct job job = {.kind = JOB_LOAD_MODULE, .without_ids = without_ids};
	struct job_result result;
	uint64_t start = steps_now(a);
	int r;

	m->name = name;
	snprintf(job.value, sizeof(job.value), "%s", name);
	/* What is started when the time is up would go on behind the back of this run. */
	r = start < a->deadline ? steps_run(a, &job, &result, name) : -ETIMEDOUT;
	if (r == 0) {
		m->state = result.state;
		r = result.error;
	}
	m->error = -r;
	m->microseconds = steps_now(a) - start;
}

/* Loads what vfio-pci needs. Sets the report's reason where it is not to be had. */
static int load_modules(struct steps *a)
{
	struct report *report = a->report;
	const struct module_outcome *m;

	/*
	 * First, so that the IOMMU backend is there when a VM opens the group; on machines
	 * whose backend is another one it is missing, which is fine.
	 */
	load_module(a, "vfio_iommu_type1", false);
	load_module(a, "vfio_pci", !report->plan->is_ids_safe);
	m = &report->modules[report->module_count - 1];
	if (m->error == 0)
		return 0;
	if (m->error == ENOENT) {
		report->reason = REASON_NO_VFIO;
		report->detail = m->name;
	} else {
		report->reason = REASON_MODULE_FAILED;
		report->detail = arena_printf(a->arena, "%s could not be loaded, %s",
					      m->name, errno_text(m->error));
	}
	return -m->error;
}

void apply_plan(struct world *world, struct report *report, struct arena *arena)
{
	struct steps a = {world, report, arena, report->deadline};
	struct outcome *end = report->outcomes + report->plan->device_count;
	bool has_work = false;

	for (struct outcome *o = report->outcomes; o < end; o++) {
		if (is_pending(o, ACTION_BIND))
			step(&a, o, steps_claim);
		has_work = has_work || is_pending(o, ACTION_BIND) ||
			   is_pending(o, ACTION_RECOVER);
	}
	/* Before any unbind: loading would block behind a driver that hangs in remove(). */
	if (has_work && load_modules(&a) < 0) {
		for (struct outcome *o = report->outcomes; o < end; o++)
			if (is_pending(o, ACTION_BIND) || is_pending(o, ACTION_RECOVER))
				steps_fail(
					o, report->reason, report->detail,
					-report->modules[report->module_count - 1].error);
	}
	/* One that got a driver between the snapshot and its claim waits for recovery. */
	for (struct outcome *o = report->outcomes; o < end; o++)
		if (is_pending(o, ACTION_BIND) &&
		    (o->after[0] == '\0' || outcome_has_wanted_driver(o)))
			step(&a, o, steps_bind);
	for (struct outcome *o = report->outcomes; o < end; o++) {
		bool was_taken = is_pending(o, ACTION_BIND) && o->after[0] != '\0' &&
				 !outcome_has_wanted_driver(o);

		if (!was_taken && !is_pending(o, ACTION_RECOVER))
			continue;
		a.deadline = steps_now(&a) + report->policy->recovery_timeout * SECOND;
		if (was_taken)
			memcpy(o->before, o->after, sizeof(o->before));
		step(&a, o, recover);
	}
}
