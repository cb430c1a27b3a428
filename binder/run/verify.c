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

#define FENCES	   3 /* of each device: see fence_list() */
#define FENCED_MAX (JOBS_MAX / FENCES - 1) /* devices of one list */

/* Job @k of the fences of @count devices: of all in turn, then a pause, and once more. */
static void make_fence(struct outcome *const *members, size_t count, size_t k,
		       struct job *ret)
{
	struct bdf bdf;

	ret->kind = JOB_PAUSE;
	ret->path[0] = ret->value[0] = ret->ids[0] = '\0';
	if (k % (count + 1) == count)
		return;
	bdf = members[k % (count + 1)]->plan->device->bdf;
	ret->kind = JOB_FENCE;
	strcpy(ret->value, FENCE);
	inventory_attribute(bdf, "power/control", ret->path);
	inventory_attribute(bdf, "driver", ret->ids);
}

static void set_stuck(struct outcome *o)
{
	o->verdict = VERDICT_STUCK;
	o->reason = REASON_STUCK;
	o->detail = "probe";
	o->error = ETIMEDOUT;
}

/*
 * The link comes before the end of the probe (drivers/base/dd.c: really_probe()), so that of a
 * probe that is under way, and of one that the kernel repeats, says nothing. Only what waits
 * for the device's lock tells. power/control does in every kernel, and refuses an unknown word
 * behind the lock (drivers/base/power/sysfs.c: control_store()): nothing is changed. Several
 * stores: the kernel may repeat a probe right behind one of them. Between two of them whoever
 * waits for the lock gets it: without a pause the worker would have it again before the other
 * one is awake (kernel/locking/mutex.c).
 *
 * Marks those that have passed them all. 0, or what the first one of the others got;
 * -ETIMEDOUT: member *@ret_stuck is stuck.
 */
static int fence_list(struct world *world, struct outcome *const *members, size_t count,
		      size_t *ret_stuck)
{
	static struct list_wait wait;
	static struct jobs jobs;
	struct job job;
	int r;

	*ret_stuck = count;
	jobs.count = jobs.used = 0;
	for (size_t k = 0; k < FENCES * (count + 1) - 1; k++) {
		make_fence(members, count, k, &job);
		if (!jobs_add(&jobs, &job))
			return -E2BIG;
	}
	wait = (struct list_wait){
		.until = world->ops->now(world) + jobs.count * FENCE_TIME,
		.patience = {FENCE_TIME, FENCE_TIME},
	};
	r = world_run_list(world, &jobs, &wait);
	if (r == -EINPROGRESS) {
		world->ops->abandon(world);
		*ret_stuck = wait.ended % (count + 1);
		if (*ret_stuck == count)
			return -EAGAIN;
		set_stuck(members[*ret_stuck]);
		return -ETIMEDOUT;
	}
	for (size_t i = 0; i < count; i++) {
		bool is_fenced = true;

		for (size_t k = i; k < jobs.count; k += count + 1) {
			int error = k < wait.ended ? wait.errors[k] : -EAGAIN;

			is_fenced &= error == -EINVAL;
			if (r == 0 && error != -EINVAL)
				r = error;
		}
		members[i]->is_fenced = is_fenced;
	}
	return r;
}

/*
 * Waits for who has the device. Without CONFIG_PM there is no power/control; a bind waits for the
 * lock too, though only since 5.14 where there is a link (bus.c: bind_store()), and then says
 * that the device has a driver. It is one only, since it would bind a device that has lost its
 * driver. 0 behind the lock, or -errno; @count grows by as many as there were.
 */
static int fence(struct world *world, struct outcome *o, unsigned *count)
{
	struct job job = {.kind = JOB_STORE};
	struct job_result result;
	size_t stuck;
	int r = fence_list(world, &o, 1, &stuck);

	*count += r == 0 ? FENCES : 1;
	if (r != -ENOENT)
		return r;
	snprintf(job.path, sizeof(job.path), SYSFS_PCI_DRIVERS "/%s/bind", o->wanted);
	bdf_format(o->plan->device->bdf, job.value);
	r = world_run(world, &job, world->ops->now(world) + FENCE_TIME, &result);
	if (r == 0)
		r = result.error == -EBUSY ? 0 : result.error;
	if (r == -ETIMEDOUT)
		set_stuck(o);
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
	int r = inventory_read_driver(world, o->plan->device->bdf, now);
	int passed = o->is_fenced ? 0 : -EAGAIN;
	unsigned count = o->is_fenced ? FENCES : 0;

	o->is_fenced = false;
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

void verify_fence(struct world *world, struct report *report)
{
	struct outcome *o = report->outcomes, *end = o + report->plan->device_count;
	struct outcome *members[FENCED_MAX];
	char now[DRIVER_NAME_SIZE];
	size_t count = 0, stuck;

	for (; o < end; o++) {
		if (inventory_read_driver(world, o->plan->device->bdf, now) == 0 &&
		    needs_fence(o, now))
			members[count++] = o;
		if (count < FENCED_MAX && o + 1 < end)
			continue;
		/* What is not marked then is looked at by itself. */
		while (count > 0 &&
		       fence_list(world, members, count, &stuck) == -ETIMEDOUT &&
		       stuck < count) {
			count--;
			memmove(&members[stuck], &members[stuck + 1],
				(count - stuck) * sizeof(struct outcome *));
		}
		count = 0;
	}
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

/* What the kernel says of these groups, by one list of jobs; unknown, where it does not come back. */
static void ask_kernel(struct world *world, struct group_outcome *const *groups,
		       size_t count, uint64_t until)
{
	static struct list_wait wait;
	static struct jobs jobs;
	struct job job = {.kind = JOB_GROUP_STATUS};

	jobs.count = jobs.used = 0;
	for (size_t i = 0; i < count; i++) {
		snprintf(job.value, sizeof(job.value), "%d", groups[i]->group.id);
		if (!jobs_add(&jobs, &job))
			return;
	}
	wait = (struct list_wait){.until = until, .patience = {UINT32_MAX, UINT32_MAX}};
	if (count > 0 && world_run_list(world, &jobs, &wait) == -EINPROGRESS)
		world->ops->abandon(world);
	for (size_t i = 0; i < MIN(wait.ended, count); i++)
		groups[i]->kernel = wait.errors[i] == 0	       ? KERNEL_VIABLE
				    : wait.errors[i] == -EBUSY ? KERNEL_NOT_VIABLE
							       : KERNEL_UNKNOWN;
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
	struct group_outcome *asked[JOBS_MAX];
	size_t asked_count = 0;

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

		if (!d->is_judged)
			(void)inventory_read_link(world, d->bdf, d->driver);
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
		report->group_count++;
		/* On a machine that is up, the question could get in the way of a VM. */
		if (report->is_late || has_stuck(report, g->group.id))
			continue;
		asked[asked_count++] = g;
		if (asked_count < JOBS_MAX)
			continue;
		ask_kernel(world, asked, asked_count, until);
		asked_count = 0;
	}
	ask_kernel(world, asked, asked_count, until);
	return 0;
}
