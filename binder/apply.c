/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "framebuffer.h"
#include "module_fault.h"
#include "steps.h"

static int recover(struct steps *s, struct outcome *o)
{
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE];
	int r;

	world_log(s->world, LOG_LEVEL_NOTICE,
		  "%s [%04x:%04x] is held by %s: making it let go, at most %u s",
		  bdf_format(d->bdf, address), d->ids.vendor, d->ids.device, o->after,
		  s->report->policy->recovery_timeout);
	r = steps_claim(s, o);
	if (r == 0)
		r = steps_unbind(s, o);
	if (r == 0)
		r = steps_bind(s, o);
	return r;
}

static bool is_pending(const struct outcome *o, enum action action)
{
	return o->plan->action == action && o->verdict == VERDICT_NONE &&
	       o->reason == REASON_NONE;
}

/* Does one step for a device and adds to its time. */
static void step(struct steps *s, struct outcome *o,
		 int (*f)(struct steps *, struct outcome *))
{
	uint64_t start = steps_now(s);

	if (start >= s->deadline)
		steps_fail(o, REASON_TIMEOUT, NULL, -ETIMEDOUT);
	else
		(void)f(s, o);
	o->microseconds += steps_now(s) - start;
}

static void load_module(struct steps *s, const char *name, struct text ids)
{
	struct report *report = s->report;
	struct module_outcome *m = &report->modules[report->module_count++];
	struct job job = {.kind = JOB_LOAD_MODULE};
	struct job_result result = {0};
	uint64_t start = steps_now(s);
	int r;

	m->name = name;
	snprintf(job.value, sizeof(job.value), "%s", name);
	snprintf(job.ids, sizeof(job.ids), "%.*s", (int)ids.n, ids.n > 0 ? ids.p : "");
	/* What is started when the time is up would go on behind the back of this run. */
	r = start < s->deadline ? steps_run(s, &job, &result, name) : -ETIMEDOUT;
	if (r == 0) {
		m->state = result.state;
		r = result.error;
	}
	m->error = -r;
	/* A module that is nowhere may be none that this machine needs. */
	if (r < 0 && r != -ENOENT && r != -ENOSYS)
		m->message = module_fault_explain(name, -r, &result, s->arena);
	m->microseconds = steps_now(s) - start;
}

static int stop(void *arg unused, const char *name unused)
{
	return 1;
}

/*
 * Whether vfio-pci is a part of the kernel where nothing says so: there need not be any
 * modules.builtin in an image, and a kernel without CONFIG_MODULES loads none.
 */
static bool has_driver(const struct steps *s, const struct module_outcome *m)
{
	return (m->error == ENOENT || m->error == ENOSYS) &&
	       s->world->ops->list(s->world, WORLD_SYS, "bus/pci/drivers/vfio-pci", stop,
				   NULL) >= 0;
}

/* Loads what vfio-pci needs. Sets the report's reason where it is not to be had. */
static int load_modules(struct steps *s)
{
	struct report *report = s->report;
	struct module_outcome *m;

	/*
	 * First, so that the IOMMU backend is there when a VM opens the group; on machines
	 * whose backend is another one it is missing, which is fine.
	 */
	load_module(s, "vfio_iommu_type1", (struct text){NULL, 0});
	load_module(s, "vfio_pci",
		    report->plan->is_ids_safe ? report->policy->module_ids
					      : (struct text){NULL, 0});
	m = &report->modules[report->module_count - 1];
	if (has_driver(s, m)) {
		m->state = MODULE_BUILTIN;
		m->error = 0;
		m->message = NULL;
	}
	if (m->error == 0)
		return 0;
	if (m->error == ENOENT) {
		report->reason = REASON_NO_VFIO;
		report->detail = m->name;
	} else {
		report->reason = REASON_MODULE_FAILED;
		report->detail = m->message ? m->message : m->name;
	}
	return -m->error;
}

void apply_plan(struct world *world, struct report *report, struct arena *arena)
{
	struct steps s = {world, report, arena, report->deadline};
	struct outcome *end = report->outcomes + report->plan->device_count;
	bool has_work = false;

	for (struct outcome *o = report->outcomes; o < end; o++) {
		if (is_pending(o, ACTION_BIND) || is_pending(o, ACTION_RECOVER))
			framebuffer_announce(world, o->plan->device);
		if (is_pending(o, ACTION_BIND))
			step(&s, o, steps_claim);
		has_work = has_work || is_pending(o, ACTION_BIND) ||
			   is_pending(o, ACTION_RECOVER);
	}
	/* Before any unbind: loading would block behind a driver that hangs in remove(). */
	if (has_work && load_modules(&s) < 0) {
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
			step(&s, o, steps_bind);
	for (struct outcome *o = report->outcomes; o < end; o++) {
		bool was_taken = is_pending(o, ACTION_BIND) && o->after[0] != '\0' &&
				 !outcome_has_wanted_driver(o);

		if (!was_taken && !is_pending(o, ACTION_RECOVER))
			continue;
		s.deadline = steps_now(&s) + report->policy->recovery_timeout * SECOND;
		if (was_taken)
			memcpy(o->before, o->after, sizeof(o->before));
		step(&s, o, recover);
	}
}
