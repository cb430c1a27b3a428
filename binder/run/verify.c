/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "group.h"

#define FENCE_TIME (2 * SECOND) /* for a probe that this run did not start */

/* A word that power/control does not know. */
#define FENCE "fence"

/* Waits for the device's lock with stores. The kernel's answer, or -ETIMEDOUT. */
static int store(struct world *world, struct job *job, enum job_kind kind)
{
	struct job_result result;
	int r;

	job->kind = kind;
	r = world_run(world, job, world->ops->now(world) + FENCE_TIME, &result);
	return r < 0 ? r : result.error;
}

/*
 * The link comes before the end of the probe (drivers/base/dd.c: really_probe()), so that of a
 * probe that is under way, and of one that the kernel repeats, says nothing. Only what waits
 * for the device's lock tells. power/control does in every kernel, and refuses an unknown word
 * behind the lock (drivers/base/power/sysfs.c: control_store()): nothing is changed. Without
 * CONFIG_PM there is no such file; a bind waits for the lock too, though only since 5.14 where
 * there is a link (bus.c: bind_store()), and then says that the device has a driver. Several
 * stores: the kernel may repeat a probe right behind one of them. A bind is one only, since it
 * would bind a device that has lost its driver. 0 behind the lock, or -errno; @count grows by as
 * many as there were.
 */
static int fence(struct world *world, struct outcome *o, unsigned *count)
{
	struct job job = {.value = FENCE};
	int r;

	inventory_attribute(o->plan->device->bdf, "power/control", job.path);
	inventory_attribute(o->plan->device->bdf, "driver", job.ids);
	r = store(world, &job, JOB_FENCE);
	*count += r == -EINVAL ? FENCES : 1;
	if (r == -ENOENT) {
		snprintf(job.path, sizeof(job.path), SYSFS_PCI_DRIVERS "/%s/bind",
			 o->wanted);
		bdf_format(o->plan->device->bdf, job.value);
		r = store(world, &job, JOB_STORE);
		if (r == -EBUSY)
			r = 0;
	} else if (r == -EINVAL) {
		r = 0;
	}
	if (r == -ETIMEDOUT) {
		o->verdict = VERDICT_STUCK;
		o->reason = REASON_STUCK;
		o->detail = "probe";
		o->error = ETIMEDOUT;
	}
	return r;
}

static bool needs_fence(const struct outcome *o, const char *now)
{
	return !o->is_bound && o->verdict == VERDICT_NONE && o->wanted[0] != '\0' &&
	       o->plan->action != ACTION_REFUSE && o->plan->action != ACTION_KEEP &&
	       driver_is_same(now, o->wanted);
}

int verify_driver(struct world *world, struct outcome *o,
		  char now[static DRIVER_NAME_SIZE])
{
	int r = inventory_read_driver(world, o->plan->device->bdf, now), passed = -EAGAIN;
	unsigned count = 0;

	while (r == 0 && count < FENCES && needs_fence(o, now)) {
		int error = fence(world, o, &count);

		passed = passed == 0 ? 0 : error;
		r = inventory_read_driver(world, o->plan->device->bdf, now);
	}
	/* What had the driver before this run, and has it still, is left to whoever bound it. */
	if (r == 0 && passed < 0 && needs_fence(o, now) &&
	    o->plan->action != ACTION_DONE) {
		o->reason = REASON_WORKER_FAILED;
		o->detail = "its probe may go on";
		o->error = -passed;
		return passed;
	}
	return r;
}

void verify_device(struct world *world, struct outcome *o)
{
	char now[DRIVER_NAME_SIZE];
	bool wanted;
	int r;

	r = verify_driver(world, o, now);
	if (r < 0) {
		o->after[0] = '\0';
		if (o->plan->action == ACTION_REFUSE && r == -ENODEV) {
			/* Gone since it was looked at: that it had no group says nothing. */
			o->reason = REASON_VANISHED;
			o->detail = NULL;
		} else if (o->plan->action != ACTION_KEEP && o->reason == REASON_NONE) {
			o->reason = REASON_VANISHED;
		}
		return;
	}
	memcpy(o->after, now, sizeof(o->after));
	wanted = o->wanted[0] != '\0' && driver_is_same(now, o->wanted);
	switch (o->plan->action) {
	case ACTION_KEEP:
		if (strcmp(now, DEFAULT_DRIVER) == 0 &&
		    (o->reason == REASON_KEPT || o->reason == REASON_KEPT_GIVEN_BACK)) {
			o->reason = REASON_KEPT_BOUND;
			o->detail = DEFAULT_DRIVER;
		}
		return;
	case ACTION_REFUSE:
		o->verdict = VERDICT_REFUSED;
		return;
	case ACTION_BIND:
	case ACTION_RECOVER:
	case ACTION_DONE:
		break;
	}
	if (wanted && o->verdict != VERDICT_STUCK) {
		o->verdict = VERDICT_BOUND;
		o->reason = REASON_NONE;
		o->detail = NULL;
		o->error = 0;
	} else if (o->reason == REASON_NONE) {
		/* The writes went well and yet nobody has it. */
		o->reason = REASON_BIND_REFUSED;
		o->detail = "the driver refused it: no such device (ENODEV)";
	}
}

static enum kernel_verdict ask_kernel(struct world *world, int group, uint64_t until)
{
	struct job job = {.kind = JOB_GROUP_STATUS};
	struct job_result result;

	snprintf(job.value, sizeof(job.value), "%d", group);
	if (world_run(world, &job, until, &result) < 0 || result.error < 0)
		return KERNEL_UNKNOWN;
	return result.is_viable ? KERNEL_VIABLE : KERNEL_NOT_VIABLE;
}

/* Nothing is asked about a device that the kernel is stuck with, nor about its group. */
static bool has_stuck(const struct report *report, int group)
{
	for (size_t i = 0; i < report->plan->device_count; i++)
		if (report->outcomes[i].verdict == VERDICT_STUCK &&
		    report->outcomes[i].plan->device->iommu_group == group)
			return true;
	return false;
}

int verify_groups(struct world *world, struct report *report, struct inventory *inventory,
		  struct arena *arena, uint64_t until)
{
	const struct plan *plan = report->plan;

	iommu_read_unsafe(world, &inventory->iommu);
	for (size_t i = 0; i < plan->device_count; i++) {
		struct outcome *o = &report->outcomes[i];
		struct pci_device *d = inventory_find(inventory, o->plan->device->bdf);

		if (!d)
			continue;
		d->is_held = o->verdict == VERDICT_HELD;
		d->is_judged = true;
		memcpy(d->driver, o->after, sizeof(d->driver));
	}
	for (size_t i = 0; i < inventory->count; i++) {
		struct pci_device *d = &inventory->devices[i];

		if (!d->is_judged && inventory_read_driver(world, d->bdf, d->driver) < 0)
			d->driver[0] = '\0';
	}
	report->groups = arena_alloc(arena, plan->group_count, sizeof(*report->groups));
	if (!report->groups)
		return -ENOMEM;
	for (size_t i = 0; i < plan->group_count; i++) {
		struct group_outcome *g = &report->groups[report->group_count];
		bool is_used = false;
		int r;

		for (size_t k = 0; k < plan->device_count; k++)
			is_used = is_used ||
				  (report->outcomes[k].verdict == VERDICT_BOUND &&
				   plan->devices[k].device->iommu_group ==
					   plan->groups[i].id);
		if (!is_used)
			continue;
		r = group_make(inventory, NULL, plan->groups[i].id, arena, &g->group);
		if (r < 0)
			return r;
		/* On a machine that is up, the question could get in the way of a VM. */
		if (!report->is_late && !has_stuck(report, g->group.id))
			g->kernel = ask_kernel(world, g->group.id, until);
		report->group_count++;
	}
	return 0;
}
